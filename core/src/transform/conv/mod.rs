//! Convolution with 3 x 3 or 5 x 5 whole-number weights.
//!
//! Each output row is made from the input rows around it where they lie; only the few columns at the image's left and
//! right borders go through a small scratch in which the edge samples are repeated. One kernel does both.

mod arithmetic;

use super::edge::{Part, neighbour};
use super::sharpen;
use super::{Args, Host, Words};
use crate::budget::{Budget, Layout};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Cols, Region, Sample, SampleKind, Shape};
use crate::strip::{Strip, StripMut};
use arithmetic::{Divide, Divisor, Finish, MAX_SCALE, MAX_WEIGHT, Multiply, Shift, Sum};

/// A convolution of `N` x `N` weights (3 or 5): the weighted sum of the samples around each sample of the same band,
/// divided by a scale, plus an offset. Beyond the borders the edge sample is repeated.
///
/// Weights are not mirrored: the first one belongs to the sample above and to the left. For `u8`, `u16` and `i16` the
/// result is exact: `floor((sum + scale / 2) / scale) + offset` (to nearest, halves upwards), saturated. For floats
/// the sum is taken row by row and from left to right in the samples' own precision, then divided.
///
/// Memory: a few columns of `N` rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv<T, const N: usize> {
    name: &'static str,
    weights: [[i16; N]; N],
    scale: u32,
    offset: f64,
    /// Whether these are the settings of `sharpen`, which has its own kernel.
    sharpens: bool,
    divisor: Option<Divisor>,
    kind: core::marker::PhantomData<fn(T)>,
}

/// A sample that can be convolved.
pub trait Convolved: Sample {
    /// Convolves a run of samples. `rows` are the input rows around the output row, each with `N / 2` pixels of
    /// `bands` samples more on both sides.
    fn convolve<const N: usize>(conv: &Conv<Self, N>, rows: [&[Self]; N], bands: usize, out: &mut [Self]);
}

/// How many sums are kept at a time: few where the stack is small and no register is wide.
const LANES: usize = if cfg!(target_os = "none") { 32 } else { 256 };

/// Adds one row's weighted samples to the sums.
#[inline(always)]
fn add_row<T: Sample, S: Sum<T>, const N: usize>(
    sums: &mut [S],
    row: &[T],
    bands: usize,
    weights: &[i16; N],
) {
    let tap = |index: usize| row.get(index * bands..).unwrap_or_default();
    match *weights.as_slice() {
        [l, m, r] => {
            let taps = tap(0).iter().zip(tap(1)).zip(tap(2));
            for (sum, ((a, b), c)) in sums.iter_mut().zip(taps) {
                *sum = sum.plus(S::times(*a, l)).plus(S::times(*b, m)).plus(S::times(*c, r));
            }
        }
        [ll, l, m, r, rr] => {
            let taps = tap(0).iter().zip(tap(1)).zip(tap(2)).zip(tap(3)).zip(tap(4));
            for (sum, ((((a, b), c), d), e)) in sums.iter_mut().zip(taps) {
                let left = sum.plus(S::times(*a, ll)).plus(S::times(*b, l)).plus(S::times(*c, m));
                *sum = left.plus(S::times(*d, r)).plus(S::times(*e, rr));
            }
        }
        _ => {}
    }
}

/// Any weights.
#[inline(always)]
fn any<T: Sample, S: Sum<T>, F: Finish<S, T>, const N: usize>(
    rows: [&[T]; N],
    bands: usize,
    weights: &[[i16; N]; N],
    finish: F,
    out: &mut [T],
) {
    let mut start = 0;
    for out in out.chunks_mut(LANES) {
        let mut sums = [S::default(); LANES];
        let Some(sums) = sums.get_mut(..out.len()) else { return };
        for (row, weights) in rows.iter().zip(weights) {
            add_row(sums, row.get(start..).unwrap_or_default(), bands, weights);
        }
        for (to, sum) in out.iter_mut().zip(sums) {
            *to = finish.sample(*sum);
        }
        start += LANES;
    }
}

macro_rules! convolved {
    ($($integer:ty: $few:ty, $fits:expr);*) => {$(
        impl Convolved for $integer {
            #[inline(always)]
            fn convolve<const N: usize>(
                conv: &Conv<Self, N>,
                rows: [&[Self]; N],
                bands: usize,
                out: &mut [Self],
            ) {
                let Some(divisor) = conv.divisor else { return };
                if conv.sharpens {
                    sharpen::kernel::<Self, $few>(&rows, bands, out);
                } else if divisor.shift && $fits(divisor) {
                    any::<Self, $few, _, N>(rows, bands, &conv.weights, Shift(divisor), out);
                } else {
                    any::<Self, i32, _, N>(rows, bands, &conv.weights, Multiply(divisor), out);
                }
            }
        }
    )*};
    ($($float:ty),*) => {$(
        impl Convolved for $float {
            #[inline(always)]
            fn convolve<const N: usize>(
                conv: &Conv<Self, N>,
                rows: [&[Self]; N],
                bands: usize,
                out: &mut [Self],
            ) {
                let finish = Divide { scale: conv.scale as $float, offset: conv.offset as $float };
                any::<Self, $float, _, N>(rows, bands, &conv.weights, finish, out);
            }
        }
    )*};
}
convolved!(u8: i16, |divisor: Divisor| divisor.narrow; u16: i32, |_| true; i16: i32, |_| true);
convolved!(f32, f64);

impl<T: Convolved, const N: usize> Conv<T, N> {
    /// The rows and columns looked at on each side.
    const HALO: u32 = N as u32 / 2;

    /// A convolution with these weights (each within 1024 to both sides of zero), divided by `scale`
    /// (1 to 1,048,576), plus `offset` (for integers a whole number within 65,535 to both sides of zero).
    ///
    /// # Errors
    /// [`StageError::Setting`] if one is outside its range, or a sum could leave 32 bits: that needs an offset times
    /// the scale beyond 2^28.
    pub fn new(weights: [[i16; N]; N], scale: u32, offset: f64) -> Result<Self, StageError> {
        Self::named("conv", weights, scale, offset)
    }

    /// The same under another name.
    pub(super) fn named(
        name: &'static str,
        weights: [[i16; N]; N],
        scale: u32,
        offset: f64,
    ) -> Result<Self, StageError> {
        const { assert!(N == 3 || N == 5, "3 x 3 or 5 x 5") };
        let wrong = |setting, needed| Err(StageError::Setting { stage: name, setting, needed });
        let all = || weights.iter().flatten();
        if all().any(|weight| weight.unsigned_abs() > MAX_WEIGHT.unsigned_abs()) {
            return wrong("WEIGHT", "a whole number from -1024 to 1024");
        }
        if !(1..=MAX_SCALE).contains(&scale) {
            return wrong("SCALE", "a whole number from 1 to 1048576");
        }
        let divisor =
            Divisor::new::<T>(scale, offset, all().map(|weight| u32::from(weight.unsigned_abs())).sum());
        if !offset.is_finite() || !T::KIND.is_float() && divisor.is_none() {
            return wrong("OFFSET", "a whole number of levels that, times SCALE, stays within 2^28");
        }
        let sharpens =
            all().eq(sharpen::WEIGHTS.iter().flatten()) && scale == sharpen::SCALE && offset == 0.0;
        Ok(Self { name, weights, scale, offset, sharpens, divisor, kind: core::marker::PhantomData })
    }

    /// The output columns at the left border of the image, those whose whole halo is there, and those at the right.
    fn runs(view: &View) -> [Cols; 3] {
        let last = view.input_shape.cols;
        let left = Self::HALO.min(last);
        let right = last.saturating_sub(Self::HALO).max(left);
        [Cols::new(0, left), Cols::new(left, right), Cols::new(right, last)]
            .map(|run| run.intersect(view.output.cols))
    }

    /// Samples of one scratch row: a border with its halo on both sides.
    fn scratch_samples(view: &View) -> u64 {
        u64::from(3 * Self::HALO) * u64::from(view.input_shape.bands)
    }
}

impl<T: Convolved, const N: usize> Stage for Conv<T, N> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind == T::KIND {
            Ok(input)
        } else {
            Err(StageError::Kind { stage: self.name, kind: input.kind })
        }
    }

    fn input(&self, output: Region, input: Shape) -> Region {
        output.grown(Self::HALO, &input)
    }

    fn reach(&self, _input: Shape) -> u32 {
        N as u32
    }

    fn memory(&self, view: &View) -> u64 {
        Layout::new().with::<T>(N as u64 * Self::scratch_samples(view)).bytes()
    }

    #[inline(always)]
    fn process(
        &self,
        view: &View,
        memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        let bands = usize::from(view.input_shape.bands);
        let samples = Self::scratch_samples(view) as usize;
        let scratch = Budget::new(memory).lease::<T>("borders of a convolution", N * samples)?;
        let runs = Self::runs(view);
        for row in output.rows().iter() {
            let rows: [&[T]; N] =
                core::array::from_fn(|index| neighbour(input, row, index as i32 - Self::HALO as i32));
            let out = output.row_mut::<T>(row);
            for run in runs {
                let part = Part::new(view, Self::HALO, run);
                let mut under = rows.map(|row| row.get(part.input.clone()).unwrap_or_default());
                if part.left > 0 || part.right > 0 {
                    let mut padded = scratch.chunks_exact_mut(samples.max(1));
                    under = under.map(|row| pad(row, &part, bands, padded.next().unwrap_or_default()));
                }
                T::convolve(self, under, bands, out.get_mut(part.out).unwrap_or_default());
            }
        }
        Ok(())
    }
}

/// The row with its edges repeated, in `padded`.
#[inline(always)]
fn pad<'a, T: Sample>(row: &[T], part: &Part, bands: usize, padded: &'a mut [T]) -> &'a [T] {
    for (to, from) in part.inside(padded).iter_mut().zip(row) {
        *to = *from;
    }
    part.repeat_edges(padded, bands);
    padded
}

/// `conv`
#[derive(Debug)]
pub struct Op;

impl Op {
    fn conv<const N: usize, H: Host>(
        mut args: Args<'_>,
        input: Shape,
        host: &mut H,
    ) -> Result<H::Built, StageError> {
        let scale = args.required("SCALE", "a whole number from 1 to 1048576", |scale| *scale > 0)?;
        let mut weights = [[0; N]; N];
        for weight in weights.iter_mut().flatten() {
            *weight = args.required("WEIGHT", "a whole number from -1024 to 1024", |_| true)?;
        }
        let offset = args.optional("OFFSET", "a number", 0.0, |offset: &f64| offset.is_finite())?;
        args.end()?;
        Ok(match input.kind {
            SampleKind::U8 => host.accept(Conv::<u8, N>::new(weights, scale, offset)?),
            SampleKind::U16 => host.accept(Conv::<u16, N>::new(weights, scale, offset)?),
            SampleKind::I16 => host.accept(Conv::<i16, N>::new(weights, scale, offset)?),
            SampleKind::F32 => host.accept(Conv::<f32, N>::new(weights, scale, offset)?),
            SampleKind::F64 => host.accept(Conv::<f64, N>::new(weights, scale, offset)?),
            kind => return Err(StageError::Kind { stage: "conv", kind }),
        })
    }
}

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "conv",
        settings: "3|5,SCALE,WEIGHTS...[,OFFSET]",
        about: "3 x 3 or 5 x 5 weights row by row; their sum is divided by SCALE, then OFFSET is added",
        example: "conv:3,16,1,2,1,2,4,2,1,2,1",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of("conv");
        match args.required("SIZE", "3 or 5", |size| [3, 5].contains(size))? {
            3u8 => Self::conv::<3, H>(args, input, host),
            _ => Self::conv::<5, H>(args, input, host),
        }
    }
}

#[cfg(test)]
mod tests;
