//! Negative of a picture: white minus the sample.

use super::{Args, Host, Words};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Sample, Shape, by_kind};
use crate::strip::{Strip, StripMut};

/// Inverts every sample: `white - x` for unsigned integers, `-1 - x` for signed ones (so that the ends of the range
/// change places), `1 - x` for floats, whose white is 1.0. Integer-exact. Needs no memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Invert<T>(core::marker::PhantomData<fn(T)>);

/// A sample with a negative.
pub trait Negative: Sample {
    /// Its negative.
    fn negative(self) -> Self;
}

macro_rules! negative {
    ($($t:ty: $x:ident => $e:expr),*) => {$(
        impl Negative for $t {
            #[inline(always)]
            fn negative(self) -> Self {
                let $x = self;
                $e
            }
        }
    )*};
}
negative!(u8: x => !x, u16: x => !x, u32: x => !x, i16: x => !x, i32: x => !x, u64: x => !x, i64: x => !x,
    f32: x => 1.0 - x, f64: x => 1.0 - x);

impl<T: Negative> Invert<T> {
    /// An inverter.
    pub const fn new() -> Self {
        Self(core::marker::PhantomData)
    }
}

impl<T: Negative> Stage for Invert<T> {
    fn name(&self) -> &'static str {
        "invert"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind == T::KIND {
            Ok(input)
        } else {
            Err(StageError::Kind { stage: "invert", kind: input.kind })
        }
    }

    fn input(&self, output: Region, _input: Shape) -> Region {
        output
    }

    #[inline(always)]
    fn process(
        &self,
        _view: &View,
        _memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        for row in output.rows().iter() {
            for (to, from) in output.row_mut::<T>(row).iter_mut().zip(input.row::<T>(row)) {
                *to = from.negative();
            }
        }
        Ok(())
    }
}

/// `invert`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "invert",
        settings: "",
        about: "the negative: white minus each sample",
        example: "invert",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        args.of("invert").end()?;
        Ok(by_kind!(input.kind, T => host.accept(Invert::<T>::new())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{self, Image};

    #[test]
    fn every_kind_is_inverted_whatever_the_cut() {
        fn check<T: Negative>(naive: fn(f64) -> f64) {
            let image = Image::<T>::noise(13, 7, 3, 1);
            let expected: std::vec::Vec<T> =
                image.samples.iter().map(|x| T::from_f64(naive(x.to_f64()))).collect();
            assert_eq!(harness::every_cut::<T, T>(&[&Invert::<T>::new()], &image).samples, expected);
        }
        check::<u8>(|x| 255.0 - x);
        check::<u16>(|x| 65535.0 - x);
        check::<i16>(|x| -1.0 - x);
        check::<u32>(|x| 4294967295.0 - x);
        check::<i32>(|x| -1.0 - x);
        check::<f64>(|x| 1.0 - x);
    }

    #[test]
    fn integers_of_64_bits_are_exact() {
        // Values of which a double holds none.
        let unsigned = Image::<u64>::new(9, 5, 2, |y, x, b| {
            u64::MAX / 7 * u64::from(y % 7) + u64::from(5 * x + 3 * u32::from(b)) + 1
        });
        let made = harness::every_cut::<u64, u64>(&[&Invert::<u64>::new()], &unsigned);
        for (to, from) in made.samples.iter().zip(&unsigned.samples) {
            assert_eq!(u128::from(*to) + u128::from(*from), u128::from(u64::MAX));
        }
        let signed = Image::<i64>::new(9, 5, 2, |y, x, b| unsigned.at(y.into(), x.into(), b).cast_signed());
        let made = harness::every_cut::<i64, i64>(&[&Invert::<i64>::new()], &signed);
        for (to, from) in made.samples.iter().zip(&signed.samples) {
            assert_eq!(i128::from(*to) + i128::from(*from), -1);
        }
    }
}
