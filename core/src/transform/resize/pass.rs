//! What the two passes of a window of rows need of an arithmetic: down the columns, then along the row.
//!
//! The invariant: a row or column of equal samples stays exactly so, and weights of zero add nothing.

use super::arith::Scale;
use crate::shape::Sample;

/// The arithmetic of both passes of a window of rows. Each [`Scale`] has one; there may be another that is faster
/// where a kernel allows it.
pub trait Pass {
    /// A sample.
    type Sample: Sample;
    /// A weight.
    type Weight: bytemuck::Pod + Default;
    /// A sample between the two passes.
    type Mid: bytemuck::Pod + Default;
    /// A sum of products of the second pass.
    type Sum: bytemuck::Pod + Default;
    /// Weights are multiples of `2^-WEIGHT_BITS`.
    const WEIGHT_BITS: u32;

    /// The weight of so many units.
    fn weight(units: i32) -> Self::Weight;
    /// The first pass: the weighted sums of the samples of `TAPS` rows.
    fn down<const LANES: usize, const TAPS: usize>(
        source: [&[Self::Sample; LANES]; TAPS],
        weights: [Self::Weight; TAPS],
    ) -> [Self::Mid; LANES];
    /// The second pass: what `store` makes of the weighted sums, where every lane has weights of its own.
    fn across<O: Copy + Default, const LANES: usize, const TAPS: usize>(
        source: [&[Self::Mid; LANES]; TAPS],
        weights: &[[Self::Weight; LANES]; TAPS],
        store: impl Fn(Self::Sum) -> O,
    ) -> [O; LANES];
    /// `sum` and one sample more, in the second pass.
    fn add_mid(sum: Self::Sum, mid: Self::Mid, weight: Self::Weight) -> Self::Sum;
    /// The result, of a sum of the second pass.
    fn finish(sum: Self::Sum) -> Self::Sample;
    /// The mean of a run of what came out of the first pass, of band `band` in steps of `bands`.
    fn mean(run: &[Self::Mid], band: usize, bands: usize) -> Self::Mid;
}

impl<T: Scale> Pass for T {
    type Sample = T;
    type Weight = <T as Scale>::Weight;
    type Mid = <T as Scale>::Mid;
    type Sum = <T as Scale>::Sum;
    const WEIGHT_BITS: u32 = <T as Scale>::WEIGHT_BITS;

    #[inline(always)]
    fn weight(units: i32) -> Self::Weight {
        <T as Scale>::weight(units)
    }

    #[inline(always)]
    fn down<const LANES: usize, const TAPS: usize>(
        source: [&[T; LANES]; TAPS],
        weights: [Self::Weight; TAPS],
    ) -> [Self::Mid; LANES] {
        let mut result = [Self::Mid::default(); LANES];
        for lane in 0..LANES {
            let mut sum = Self::Sum::default();
            for tap in 0..TAPS {
                sum = T::add_sample(sum, source[tap][lane], weights[tap]);
            }
            result[lane] = T::mid_of_samples(sum);
        }
        result
    }

    #[inline(always)]
    fn across<O: Copy + Default, const LANES: usize, const TAPS: usize>(
        source: [&[Self::Mid; LANES]; TAPS],
        weights: &[[Self::Weight; LANES]; TAPS],
        store: impl Fn(Self::Sum) -> O,
    ) -> [O; LANES] {
        let mut result = [O::default(); LANES];
        for lane in 0..LANES {
            let mut sum = Self::Sum::default();
            for tap in 0..TAPS {
                sum = <T as Scale>::add_mid(sum, source[tap][lane], weights[tap][lane]);
            }
            result[lane] = store(sum);
        }
        result
    }

    #[inline(always)]
    fn add_mid(sum: Self::Sum, mid: Self::Mid, weight: Self::Weight) -> Self::Sum {
        <T as Scale>::add_mid(sum, mid, weight)
    }

    #[inline(always)]
    fn finish(sum: Self::Sum) -> T {
        <T as Scale>::finish(sum)
    }

    #[inline(always)]
    fn mean(run: &[Self::Mid], band: usize, bands: usize) -> Self::Mid {
        <T as Scale>::mean(run, band, bands)
    }
}
