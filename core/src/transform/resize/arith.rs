//! The arithmetic of a resampling for each kind of sample: what a weight, a sample between the two passes, and a sum
//! of products are.
//!
//! The invariant: a row or column of equal samples stays exactly so. Weights sum to exactly one, and what a pass
//! keeps between the two has bits to spare over the sample. Integers saturate where a kernel overshoots.

use super::average::Average;
use super::quick;
use crate::shape::Sample;

/// A kind of sample that can be resampled.
///
/// | kind | weights | between the passes | sums | largest error of a resize |
/// |---|---|---|---|---|
/// | u8 | 1/2^14 | 16-bit, 1/64 | 32-bit integers | 0.5 + 0.06 (Lanczos3) |
/// | u16, i16 | 1/2^22 | f32 | f32 | 0.5 + 0.2 (Lanczos3) |
/// | f32 | 1/2^22 | f32 | f64 | 2^-20 of the largest magnitude that it looks at |
///
/// 24 bits of mantissa carry a 16-bit sample times its weight where a 32-bit integer would not; single additions and
/// multiplications of IEEE 754 give the same bits on every target.
pub trait Scale: Average {
    /// A weight.
    type Weight: bytemuck::Pod + Default;
    /// A sample between the two passes.
    type Mid: Sample;
    /// A sum of products.
    type Sum: bytemuck::Pod + Default;
    /// Weights are multiples of `2^-WEIGHT_BITS`.
    const WEIGHT_BITS: u32;

    /// The weight of so many units.
    fn weight(units: i32) -> Self::Weight;
    /// A sample as it is between the passes.
    fn widen(self) -> Self::Mid;
    /// `sum` and one sample more.
    fn add_sample(sum: Self::Sum, sample: Self, weight: Self::Weight) -> Self::Sum;
    /// `sum` and one sample more, after the first pass.
    fn add_mid(sum: Self::Sum, mid: Self::Mid, weight: Self::Weight) -> Self::Sum;
    /// What goes to the second pass, of a sum of samples.
    fn mid_of_samples(sum: Self::Sum) -> Self::Mid;
    /// What goes to the second pass, of a sum of such.
    fn mid_of_mids(sum: Self::Sum) -> Self::Mid;
    /// The result, of a sum of what came out of the first pass.
    fn finish(sum: Self::Sum) -> Self;
    /// The mean of a run of what came out of the first pass, of band `band` in steps of `bands`.
    fn mean(run: &[Self::Mid], band: usize, bands: usize) -> Self::Mid;
    /// The exact quotient `total / count` of a block of samples, as it is between the passes.
    fn mid_of_mean(mean: f64) -> Self::Mid;

    /// The same means of as many whole blocks of `block` columns and `rows` rows as can be taken faster than one by
    /// one, from sums of columns into `target`. Gives how many; the sums of these are of no use afterwards.
    #[inline(always)]
    fn mids_of_blocks(
        _columns: &mut [Self::Column],
        _bands: usize,
        _block: usize,
        _rows: u32,
        _target: &mut [Self::Mid],
    ) -> usize {
        0
    }
}

/// Bits behind the point between the passes of u8.
const MID_BITS: u32 = 6;

/// `sum / 2^bits` to the nearest, halves up.
#[inline(always)]
fn rounded(sum: i32, bits: u32) -> i32 {
    sum.wrapping_add(1 << (bits - 1)) >> bits
}

impl Scale for u8 {
    type Weight = i16;
    type Mid = i16;
    type Sum = i32;
    const WEIGHT_BITS: u32 = 14;

    #[inline(always)]
    fn weight(units: i32) -> i16 {
        units as i16
    }

    #[inline(always)]
    fn widen(self) -> i16 {
        i16::from(self) << MID_BITS
    }

    // 255 * 2^14 times the 1.6 that the weights' magnitudes sum to, with 6 bits more behind the point: 2^28.7.
    #[inline(always)]
    fn add_sample(sum: i32, sample: u8, weight: i16) -> i32 {
        sum.wrapping_add(i32::from(sample) * i32::from(weight))
    }

    #[inline(always)]
    fn add_mid(sum: i32, mid: i16, weight: i16) -> i32 {
        sum.wrapping_add(i32::from(mid) * i32::from(weight))
    }

    #[inline(always)]
    fn mid_of_samples(sum: i32) -> i16 {
        rounded(sum, Self::WEIGHT_BITS - MID_BITS).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
    }

    #[inline(always)]
    fn mid_of_mids(sum: i32) -> i16 {
        rounded(sum, Self::WEIGHT_BITS).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
    }

    #[inline(always)]
    fn finish(sum: i32) -> u8 {
        rounded(sum, Self::WEIGHT_BITS + MID_BITS).clamp(0, 255) as u8
    }

    #[inline(always)]
    fn mean(run: &[i16], band: usize, bands: usize) -> i16 {
        let (mut sum, mut count) = (0i64, 0i64);
        for mid in run.iter().skip(band).step_by(bands.max(1)) {
            sum += i64::from(*mid);
            count += 1;
        }
        (2 * sum + count).checked_div_euclid(2 * count).unwrap_or(0) as i16
    }

    #[inline(always)]
    fn mid_of_mean(mean: f64) -> i16 {
        // At most 255: the truncated value fits.
        (mean * f64::from(1 << MID_BITS) + 0.5) as i16
    }

    #[inline(always)]
    fn mids_of_blocks(
        columns: &mut [u32],
        bands: usize,
        block: usize,
        rows: u32,
        target: &mut [i16],
    ) -> usize {
        quick::means::<MID_BITS>(columns, bands, block, rows, target)
    }
}

/// Adds in `$sum`, keeps `$mid` between the passes.
macro_rules! floating {
    ($t:ty, $mid:ty, $sum:ty, |$sample:ident| $widen:expr, |$result:ident| $finish:expr, |$x:ident, $w:ident| $product:expr) => {
        impl Scale for $t {
            type Weight = f32;
            type Mid = $mid;
            type Sum = $sum;
            const WEIGHT_BITS: u32 = 22;

            #[inline(always)]
            fn weight(units: i32) -> f32 {
                units as f32 * (1.0 / (1u32 << Self::WEIGHT_BITS) as f32)
            }

            #[inline(always)]
            fn widen(self) -> $mid {
                let $sample = self;
                $widen
            }

            #[inline(always)]
            fn add_sample(sum: $sum, sample: $t, weight: f32) -> $sum {
                Self::add_mid(sum, Scale::widen(sample), weight)
            }

            #[inline(always)]
            fn add_mid(sum: $sum, mid: $mid, weight: f32) -> $sum {
                let ($x, $w) = (mid as $sum, weight as $sum);
                sum + $product
            }

            #[inline(always)]
            fn mid_of_samples(sum: $sum) -> $mid {
                sum as $mid
            }

            #[inline(always)]
            fn mid_of_mids(sum: $sum) -> $mid {
                sum as $mid
            }

            #[inline(always)]
            fn finish(sum: $sum) -> $t {
                let $result = sum;
                $finish
            }

            #[inline(always)]
            fn mean(run: &[$mid], band: usize, bands: usize) -> $mid {
                let (mut sum, mut count) = (0.0f64, 0u32);
                for mid in run.iter().skip(band).step_by(bands.max(1)) {
                    sum += f64::from(*mid);
                    count += 1;
                }
                (sum / f64::from(count.max(1))) as $mid
            }

            #[inline(always)]
            fn mid_of_mean(mean: f64) -> $mid {
                mean as $mid
            }
        }
    };
}

/// 1.5 * 2^23: added to a smaller number it leaves its nearest integer (ties to even) in the low bits, and that
/// vectorises where a cast does not.
const MAGIC: f32 = 12_582_912.0;

floating!(u16, f32, f32, |x| f32::from(x), |x| (x.clamp(0.0, 65535.0) + MAGIC).to_bits() as u16, |x, w| x
    * w);
floating!(
    i16,
    f32,
    f32,
    |x| f32::from(x),
    |x| (x.clamp(-32768.0, 32767.0) + MAGIC).to_bits() as i16,
    |x, w| x * w
);
// A weight of zero does not look: NaN and infinities stay where a kernel reaches them.
floating!(f32, f32, f64, |x| x, |x| x as f32, |x, w| if w == 0.0 { 0.0 } else { x * w });
