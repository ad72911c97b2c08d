//! The arithmetic of a convolution: how a sample is weighted, and how a sum becomes a sample again.
//!
//! Integer sums are exact, so their order does not matter; float sums are taken row by row and from left to right.

use crate::shape::Sample;

/// A sum of weighted samples of `T`.
pub(super) trait Sum<T>: Copy + Default {
    /// One sample, weighted.
    fn times(sample: T, weight: i16) -> Self;
    /// Two sums together.
    fn plus(self, other: Self) -> Self;
}

macro_rules! integer_sums {
    ($($sum:ty: $($sample:ty),*);*) => {$($(
        impl Sum<$sample> for $sum {
            #[inline(always)]
            fn times(sample: $sample, weight: i16) -> Self {
                // Parts of a sum may wrap in 16 bits; `Divisor::new` saw to it that the whole does not.
                <$sum>::from(sample).wrapping_mul(<$sum>::from(weight))
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
        }
    )*)*};
}
integer_sums!(i16: u8; i32: u8, u16, i16);

macro_rules! float_sums {
    ($($float:ty),*) => {$(
        impl Sum<$float> for $float {
            #[inline(always)]
            fn times(sample: $float, weight: i16) -> Self {
                sample * <$float>::from(weight)
            }
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
        }
    )*};
}
float_sums!(f32, f64);

/// What is done to a sum at the end.
pub(super) trait Finish<S, T>: Copy {
    /// The sample that a sum stands for.
    fn sample(self, sum: S) -> T;
}

/// Integer division by a scale, rounded to nearest with halves upwards: `floor((sum + scale / 2) / scale)`, plus an
/// offset, saturated.
///
/// A quotient outside the samples' range saturates, so the sum is first moved up until zero stands for the smallest
/// sample, and cut there: what remains is an unsigned division, done by a multiplication (Granlund and Montgomery,
/// "Division by invariant integers using multiplication", 1994, theorem 4.2 with 31-bit dividends).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Divisor {
    bias: i32,
    multiplier: u32,
    log2: u32,
    /// Whether the scale is a power of two.
    pub(super) shift: bool,
    /// Whether sums of 8-bit samples fit 16 bits.
    pub(super) narrow: bool,
}

/// The largest scale.
pub(super) const MAX_SCALE: u32 = 1 << 20;

/// The largest weight, to both sides of zero.
pub(super) const MAX_WEIGHT: i16 = 1024;

impl Divisor {
    /// The divisor for sums of samples of `T` whose weights are together at most `weights` in size.
    ///
    /// `None` if the offset is no whole number, or a sum could leave 32 bits.
    pub(super) fn new<T: Sample>(scale: u32, offset: f64, weights: u32) -> Option<Self> {
        let largest = i64::from(weights).checked_mul(T::KIND.white() as i64 + 1)?;
        let low = T::from_f64(f64::MIN).to_f64();
        // Also false for NaN.
        let whole = offset.abs() <= f64::from(u16::MAX) && libm::rint(offset) == offset;
        let moved = (offset - low) as i64;
        let bias = i64::from(scale / 2) + moved.checked_mul(i64::from(scale))?;
        let reach = largest.checked_add(bias.abs())?;
        let bias = i32::try_from(bias).ok().filter(|_| whole && (1..=MAX_SCALE).contains(&scale))?;
        let log2 = scale.next_power_of_two().trailing_zeros();
        let multiplier = (1u64 << (31 + log2)).div_ceil(u64::from(scale));
        (reach <= i64::from(i32::MAX)).then_some(Self {
            bias,
            multiplier: u32::try_from(multiplier).ok()?,
            log2,
            shift: scale.is_power_of_two(),
            narrow: reach <= i64::from(i16::MAX),
        })
    }
}

/// Division by any scale.
#[derive(Clone, Copy, Debug)]
pub(super) struct Multiply(pub(super) Divisor);

/// Division by a power of two.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift(pub(super) Divisor);

macro_rules! finish {
    ($($sample:ty),*) => {$(
        impl Finish<i32, $sample> for Multiply {
            #[inline(always)]
            fn sample(self, sum: i32) -> $sample {
                let moved = sum.wrapping_add(self.0.bias).max(0) as u32;
                let product = u64::from(moved) * u64::from(self.0.multiplier);
                lowered((product >> (31 + (self.0.log2 & 31))) as i32)
            }
        }

        impl Finish<i32, $sample> for Shift {
            #[inline(always)]
            fn sample(self, sum: i32) -> $sample {
                lowered(sum.wrapping_add(self.0.bias).max(0) >> (self.0.log2 & 31))
            }
        }
    )*};
}
finish!(u8, u16, i16);

impl Finish<i16, u8> for Shift {
    #[inline(always)]
    fn sample(self, sum: i16) -> u8 {
        (sum.wrapping_add(self.0.bias as i16) >> (self.0.log2 & 15)).clamp(0, 255) as u8
    }
}

/// The sample that lies `above` steps above the smallest one of its kind, or the largest one.
#[inline(always)]
fn lowered<T: Level>(above: i32) -> T {
    T::above_lowest(above)
}

/// An integer sample of at most 16 bits.
trait Level: Sample {
    fn above_lowest(steps: i32) -> Self;
}

macro_rules! level {
    ($($t:ty),*) => {$(
        impl Level for $t {
            #[inline(always)]
            fn above_lowest(steps: i32) -> Self {
                (steps.min(<$t>::MAX as i32 - <$t>::MIN as i32) + <$t>::MIN as i32) as $t
            }
        }
    )*};
}
level!(u8, u16, i16);

/// Division of floats: `sum / scale + offset`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Divide<T> {
    /// What the sum is divided by.
    pub(super) scale: T,
    /// What is added then.
    pub(super) offset: T,
}

macro_rules! divide {
    ($($float:ty),*) => {$(
        impl Finish<$float, $float> for Divide<$float> {
            #[inline(always)]
            fn sample(self, sum: $float) -> $float {
                sum / self.scale + self.offset
            }
        }
    )*};
}
divide!(f32, f64);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn division_is_exact_for_every_scale(scale in 1u32..=MAX_SCALE, small in 1u32..100, sum in -1_600_000_000i32..1_600_000_000, offset in -200i32..200) {
            for scale in [scale, small, scale.next_power_of_two()] {
                let wanted = (i64::from(sum) + i64::from(scale / 2)).div_euclid(i64::from(scale)) + i64::from(offset);
                if let Some(divisor) = Divisor::new::<u16>(scale, f64::from(offset), 24_000) {
                    let sample: u16 = Multiply(divisor).sample(sum);
                    prop_assert_eq!(i64::from(sample), wanted.clamp(0, 65535));
                    if divisor.shift {
                        let sample: u16 = Shift(divisor).sample(sum);
                        prop_assert_eq!(i64::from(sample), wanted.clamp(0, 65535));
                    }
                }
                if let Some(divisor) = Divisor::new::<i16>(scale, f64::from(offset), 24_000) {
                    let sum = sum / 2;
                    let wanted = (i64::from(sum) + i64::from(scale / 2)).div_euclid(i64::from(scale)) + i64::from(offset);
                    let sample: i16 = Multiply(divisor).sample(sum);
                    prop_assert_eq!(i64::from(sample), wanted.clamp(-32768, 32767));
                }
            }
        }
    }
}
