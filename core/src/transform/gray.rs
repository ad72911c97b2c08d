//! RGB to one grey band: the luma of Recommendation ITU-R BT.601, on the samples as they are stored.

use super::nearest::Nearest;
use super::{Args, Host, Words};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Sample, Shape, by_kind};
use crate::strip::{Strip, StripMut};

/// One grey band: `0.299 R + 0.587 G + 0.114 B` (ITU-R BT.601-7, section 2.5.1).
///
/// A fourth band (alpha) is dropped. An image of one band is passed on; of two (grey and alpha) the first is kept.
/// Equal bands give their value exactly. Needs no memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gray<T>(core::marker::PhantomData<fn(T)>);

impl<T: Luma> Gray<T> {
    /// A stage that makes grey.
    pub const fn new() -> Self {
        Self(core::marker::PhantomData)
    }
}

/// A sample that lumas are made of.
///
/// * Up to 16 bits: weights in 1/65536 (19595, 38470, 7471), sum rounded half up. Within half a unit plus 0.37/65536
///   of white of the exact luma: 0.502 units for 8 bits, 0.87 for 16.
/// * 32-bit integers: weights and sums in double precision, then the nearest integer, ties to even.
/// * 64-bit integers: weights in thousandths, sums in 128-bit integers, rounded half up: exact.
/// * Floats: weights and sums in their own precision, red and green first.
pub trait Luma: Sample {
    /// The luma of a pixel.
    fn luma(red: Self, green: Self, blue: Self) -> Self;
}

macro_rules! fixed_point {
    ($($t:ty as $wide:ty),*) => {$(
        impl Luma for $t {
            #[inline(always)]
            fn luma(red: Self, green: Self, blue: Self) -> Self {
                // The weights add up to 1 << 16, so even white and the half fit the wide type.
                const WEIGHTS: [$wide; 3] = [19595, 38470, 7471];
                let [red_weight, green_weight, blue_weight] = WEIGHTS;
                let sum = red as $wide * red_weight + green as $wide * green_weight + blue as $wide * blue_weight;
                ((sum + (1 << 15)) >> 16) as $t
            }
        }
    )*};
}
fixed_point!(u8 as u32, u16 as u32, i16 as i32);

macro_rules! floating {
    ($($t:ty, $real:ident => $back:expr),*) => {$(
        impl Luma for $t {
            #[inline(always)]
            fn luma(red: Self, green: Self, blue: Self) -> Self {
                let sum = 0.299 * $real::from(red) + 0.587 * $real::from(green) + 0.114 * $real::from(blue);
                $back(sum)
            }
        }
    )*};
}
floating!(u32, f64 => Self::nearest, i32, f64 => Self::nearest, f32, f32 => Self::from, f64, f64 => Self::from);

macro_rules! thousandths {
    ($($t:ty),*) => {$(
        impl Luma for $t {
            #[inline(always)]
            fn luma(red: Self, green: Self, blue: Self) -> Self {
                let [red, green, blue] = [red, green, blue].map(i128::from);
                // The weights add up to a thousand, so the quotient is between the least and the largest of the three.
                (299 * red + 587 * green + 114 * blue + 500).div_euclid(1000) as $t
            }
        }
    )*};
}
thousandths!(u64, i64);

/// The first band of each pixel of `BANDS` samples.
#[inline(always)]
fn first<T: Sample, const BANDS: usize>(from: &[T], to: &mut [T]) {
    for (to, from) in to.iter_mut().zip(from.as_chunks::<BANDS>().0) {
        if let Some(first) = from.first() {
            *to = *first;
        }
    }
}

/// Pixels whose lumas are made in one turn of the loop.
const BLOCK: usize = 32;

/// The lumas of pixels of at least three bands.
#[inline(always)]
fn luma_of<T: Luma, const BANDS: usize>(pixels: &[[T; BANDS]], to: &mut [T]) {
    for (to, pixel) in to.iter_mut().zip(pixels) {
        if let Some([red, green, blue]) = pixel.first_chunk::<3>() {
            *to = T::luma(*red, *green, *blue);
        }
    }
}

/// The luma of each pixel of `BANDS` samples, of which those after the third are dropped.
#[inline(always)]
fn luma_row<T: Luma, const BANDS: usize>(from: &[T], to: &mut [T]) {
    let (pixels, pixels_rest) = from.as_chunks::<BANDS>().0.as_chunks::<BLOCK>();
    let (to, to_rest) = to.as_chunks_mut::<BLOCK>();
    for (to, pixels) in to.iter_mut().zip(pixels) {
        // Into an array of its own, which the compiler knows to lie apart from the pixels: only then it vectorises.
        let mut lumas = [T::default(); BLOCK];
        luma_of(pixels, &mut lumas);
        *to = lumas;
    }
    luma_of(pixels_rest, to_rest);
}

impl<T: Luma> Stage for Gray<T> {
    fn name(&self) -> &'static str {
        "gray"
    }

    fn vectorises(&self) -> bool {
        !T::KIND.is_long()
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind != T::KIND {
            return Err(StageError::Kind { stage: "gray", kind: input.kind });
        }
        match input.bands {
            1..=4 => Ok(input.with_bands(1)),
            bands => Err(StageError::Bands { stage: "gray", bands, needed: "1 to 4" }),
        }
    }

    fn input(&self, output: Region, _input: Shape) -> Region {
        output
    }

    #[inline(always)]
    fn process(
        &self,
        view: &View,
        _memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        for row in output.rows().iter() {
            let (from, to) = (input.row::<T>(row), output.row_mut::<T>(row));
            match view.input_shape.bands {
                1 => first::<T, 1>(from, to),
                2 => first::<T, 2>(from, to),
                3 => luma_row::<T, 3>(from, to),
                _ => luma_row::<T, 4>(from, to),
            }
        }
        Ok(())
    }
}

/// `gray`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "gray",
        settings: "",
        about: "RGB to one grey band (luma of ITU-R BT.601); alpha is dropped",
        example: "gray",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        args.of("gray").end()?;
        by_kind!(input.kind, T => {
            let gray = Gray::<T>::new();
            gray.output(input)?;
            Ok(host.accept(gray))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::built::{built, every_cut, refuses};
    use crate::harness::Image;
    use crate::pipeline::StageError;
    use crate::shape::{Sample, SampleKind, Shape};
    use proptest::prelude::*;

    /// `naive` is the exact twin; `allowed` the distance from the luma of real numbers, in units of the kind.
    fn check<T: Sample>(bands: u16, seed: u32, naive: fn([f64; 3]) -> f64, allowed: f64) {
        let image = Image::<T>::noise(5, if cfg!(miri) { 3 } else { 77 }, bands, seed);
        let made = every_cut::<T, T>("gray", &image);
        assert_eq!(made.shape, image.shape.with_bands(1));
        for (made, pixel) in made.samples.iter().zip(image.samples.chunks(bands as usize)) {
            if bands < 3 {
                assert_eq!(*made, pixel[0]);
                continue;
            }
            let rgb = [0, 1, 2].map(|band| pixel[band].to_f64());
            assert_eq!(*made, T::from_f64(naive(rgb)), "{} of {rgb:?}", T::KIND);
            let error = (made.to_f64() - (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2])).abs();
            assert!(error <= allowed, "{error} from the luma of {rgb:?}");
        }
    }

    /// Every number here is exact in double precision.
    fn sixteen_bit_weights([red, green, blue]: [f64; 3]) -> f64 {
        ((19595.0 * red + 38470.0 * green + 7471.0 * blue + 32768.0) / 65536.0).floor()
    }

    fn double([red, green, blue]: [f64; 3]) -> f64 {
        0.299 * red + 0.587 * green + 0.114 * blue
    }

    fn single([red, green, blue]: [f64; 3]) -> f64 {
        f64::from(0.299 * red as f32 + 0.587 * green as f32 + 0.114 * blue as f32)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 24 }))]
        #[test]
        fn every_kind_equals_its_naive_twin(bands in 1..5u16, seed: u32) {
            check::<u8>(bands, seed, sixteen_bit_weights, 0.502);
            check::<u16>(bands, seed, sixteen_bit_weights, 0.87);
            check::<i16>(bands, seed, sixteen_bit_weights, 0.87);
            check::<u32>(bands, seed, double, 0.501);
            check::<i32>(bands, seed, double, 0.501);
            check::<f32>(bands, seed, single, 2e-7);
            check::<f64>(bands, seed, double, 0.0);
        }
    }

    #[test]
    fn integers_of_64_bits_are_within_half_a_unit() {
        fn check<T: Sample + Into<i128>>(image: &Image<T>) {
            let made = every_cut::<T, T>("gray", image);
            for (made, pixel) in made.samples.iter().zip(image.samples.chunks(3)) {
                let [red, green, blue] = [0, 1, 2].map(|band| pixel[band].into());
                let exact: i128 = 299 * red + 587 * green + 114 * blue;
                let made: i128 = (*made).into();
                assert!((-500..500).contains(&(exact - 1000 * made)), "{made} for {exact} / 1000");
            }
        }
        let place = |y: u32, x: u32, b: u16| {
            u64::from(y * 977 + x * 31 + u32::from(b)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
        };
        check(&Image::<u64>::new(7, 41, 3, place));
        check(&Image::<i64>::new(7, 41, 3, |y, x, b| place(y, x, b).cast_signed()));
    }

    #[test]
    fn primaries_give_the_weights_and_grey_stays() {
        // 255 times 0.299, 0.587 and 0.114 is 76.245, 149.685 and 29.07.
        let primaries = Image::<u8>::new(1, 3, 3, |_, x, b| if x == u32::from(b) { 255 } else { 0 });
        assert_eq!(every_cut::<u8, u8>("gray", &primaries).samples, [76, 150, 29]);
        fn check_grey<T: Sample>(value: T) {
            let image = Image::<T>::new(2, 9, 4, |_, _, b| if b == 3 { T::default() } else { value });
            let made = every_cut::<T, T>("gray", &image);
            assert!(made.samples.iter().all(|sample| *sample == value), "{value:?}");
        }
        // Under the interpreter a few must do.
        let step = if cfg!(miri) { 85 } else { 1 };
        (0..=255).step_by(step).for_each(check_grey::<u8>);
        (0..=65535).step_by(257 * step).for_each(check_grey::<u16>);
        [i16::MIN, -1, 0, 1, i16::MAX].into_iter().for_each(check_grey::<i16>);
        [0, 1, u32::MAX].into_iter().for_each(check_grey::<u32>);
        [i32::MIN, -1, i32::MAX].into_iter().for_each(check_grey::<i32>);
        [0, 1, u64::MAX - 1, u64::MAX].into_iter().for_each(check_grey::<u64>);
        [i64::MIN, -1, i64::MAX].into_iter().for_each(check_grey::<i64>);
    }

    #[test]
    fn other_bands_and_settings_are_refused() {
        let shape = Shape::new(4, 4, 5, SampleKind::U8);
        assert!(matches!(built("gray", shape), Err(StageError::Bands { stage: "gray", bands: 5, .. })));
        assert!(built("gray", shape.with_bands(0)).is_err());
        refuses("gray:709", shape.with_bands(3), "the number of settings");
    }
}
