//! What a kind of sample brings to be measured: its lanes of sums, and its bin in a histogram.

use super::int256::{self, Int256};
use super::totals::Amount;
use crate::shape::{Sample, SampleKind};

/// A sample that the measuring sinks have kernels for. Implemented for the nine kinds.
pub trait Measured: Sample {
    /// Sum of at most 2^12 samples, or as doubles.
    type Sum: Copy + Default;
    /// Sum of at most 2^12 squares, or as doubles.
    type Squares: Copy + Default;

    /// No sample is less (floats: but NaN).
    const LOWEST: Self;
    /// No sample is more (floats: but NaN).
    const HIGHEST: Self;

    /// Whether it is no number.
    fn is_nan(self) -> bool;

    /// `sum` and the sample; NaN adds nothing.
    fn add(self, sum: Self::Sum) -> Self::Sum;

    /// `squares` and the sample's square; NaN adds nothing.
    fn add_square(self, squares: Self::Squares) -> Self::Squares;

    /// A lane's sum as what a total takes.
    fn sum(sum: Self::Sum) -> Amount;

    /// A lane's sum of squares as what a total takes.
    fn squares(squares: Self::Squares) -> Amount;

    /// Its bin in a histogram: rises with the value. For 8 and 16 bits each value has a bin of its own; for the others
    /// [`Statistics::percentile`](super::Statistics::percentile).
    fn bin(self) -> u16;

    /// The sample, for integers of 64 bits, which are not exact as doubles.
    #[inline(always)]
    fn long(self) -> Option<i128> {
        None
    }

    /// Square of the difference of two samples, and the difference without its sign: of integers as it is, of floats
    /// the bits of the double, which rise with it. `None` if one is NaN and the other is not; equal infinities, and
    /// two NaNs, differ by zero.
    fn difference(self, other: Self) -> Option<(Amount, u64)>;
}

macro_rules! integer {
    ($($t:ty: $sum:ty, $squares:ty, $wide:ty, $x:ident => $bin:expr;)*) => {$(
        impl Measured for $t {
            type Sum = $sum;
            type Squares = $squares;
            const LOWEST: Self = <$t>::MIN;
            const HIGHEST: Self = <$t>::MAX;
            #[inline(always)]
            fn is_nan(self) -> bool {
                false
            }
            #[inline(always)]
            fn add(self, sum: $sum) -> $sum {
                sum.wrapping_add(<$sum>::from(self))
            }
            #[inline(always)]
            fn add_square(self, squares: $squares) -> $squares {
                let x = <$wide>::from(self);
                squares.wrapping_add(x.wrapping_mul(x) as $squares)
            }
            #[inline(always)]
            fn sum(sum: $sum) -> Amount {
                Amount::Integer(i128::from(sum) as u128)
            }
            #[inline(always)]
            fn squares(squares: $squares) -> Amount {
                Amount::Integer(u128::from(squares))
            }
            #[inline(always)]
            fn bin(self) -> u16 {
                let $x = self;
                $bin
            }
            #[inline(always)]
            fn difference(self, other: Self) -> Option<(Amount, u64)> {
                let distance = u64::from(self.abs_diff(other));
                Some((Amount::Integer(u128::from(distance.wrapping_mul(distance))), distance))
            }
        }
    )*};
}

// Squares are formed in the narrowest integer that holds one: the compiler finds wider multiplications for those.
integer! {
    u8: u32, u32, u16, x => u16::from(x);
    u16: u32, u64, u32, x => x;
    i16: i32, u64, i32, x => x as u16 ^ 0x8000;
    u32: u64, u128, u64, x => step::<10>(x.into());
    i32: i64, u128, i64, x => signed_step::<10>(x.into());
}

macro_rules! long {
    ($($t:ty: $x:ident => $bin:expr;)*) => {$(
        impl Measured for $t {
            type Sum = i128;
            type Squares = Int256;
            const LOWEST: Self = <$t>::MIN;
            const HIGHEST: Self = <$t>::MAX;
            #[inline(always)]
            fn is_nan(self) -> bool {
                false
            }
            #[inline(always)]
            fn add(self, sum: i128) -> i128 {
                sum.wrapping_add(i128::from(self))
            }
            #[inline(always)]
            fn add_square(self, squares: Int256) -> Int256 {
                let x = i128::from(self).unsigned_abs();
                int256::plus(squares, [x.wrapping_mul(x), 0])
            }
            #[inline(always)]
            fn sum(sum: i128) -> Amount {
                Amount::Long(int256::of_signed(sum))
            }
            #[inline(always)]
            fn squares(squares: Int256) -> Amount {
                Amount::Long(squares)
            }
            #[inline(always)]
            fn bin(self) -> u16 {
                let $x = self;
                $bin
            }
            #[inline(always)]
            fn long(self) -> Option<i128> {
                Some(i128::from(self))
            }
            #[inline(always)]
            fn difference(self, other: Self) -> Option<(Amount, u64)> {
                let distance = self.abs_diff(other);
                Some((Amount::Long([u128::from(distance).wrapping_mul(u128::from(distance)), 0]), distance))
            }
        }
    )*};
}

long! {
    u64: x => step::<9>(x);
    i64: x => signed_step::<9>(x);
}

macro_rules! float {
    ($($t:ty),*) => {$(
        impl Measured for $t {
            type Sum = f64;
            type Squares = f64;
            const LOWEST: Self = <$t>::NEG_INFINITY;
            const HIGHEST: Self = <$t>::INFINITY;
            #[inline(always)]
            fn is_nan(self) -> bool {
                self.is_nan()
            }
            #[inline(always)]
            fn add(self, sum: f64) -> f64 {
                sum + if self.is_nan() { 0.0 } else { f64::from(self) }
            }
            #[inline(always)]
            fn add_square(self, squares: f64) -> f64 {
                let x = if self.is_nan() { 0.0 } else { f64::from(self) };
                squares + x * x
            }
            #[inline(always)]
            fn sum(sum: f64) -> Amount {
                Amount::Real(sum)
            }
            #[inline(always)]
            fn squares(squares: f64) -> Amount {
                Amount::Real(squares)
            }
            #[inline(always)]
            fn bin(self) -> u16 {
                let bits = (self as f32).to_bits();
                let ordered = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
                if self.is_nan() { 0 } else { (ordered >> 16) as u16 }
            }
            #[inline(always)]
            fn difference(self, other: Self) -> Option<(Amount, u64)> {
                if self == other || (self.is_nan() && other.is_nan()) {
                    return Some((Amount::Real(0.0), 0));
                }
                let distance = (f64::from(self) - f64::from(other)).abs();
                (!distance.is_nan()).then_some((Amount::Real(distance * distance), distance.to_bits()))
            }
        }
    )*};
}
float!(f32, f64);

/// Rises with `x`: zero, then `2^BITS` steps for each power of two. Numbers below `2^(BITS + 1)` have one each.
#[inline(always)]
fn step<const BITS: u32>(x: u64) -> u16 {
    let Some(exponent) = x.checked_ilog2() else { return 0 };
    // The highest bit goes to the top, and out of the fraction behind it.
    let fraction = (x << (63 - exponent) << 1 >> (64 - BITS)) as u16;
    1 + ((exponent as u16) << BITS) + fraction
}

/// The same for numbers of either sign: a bin of its own for zero, those below it on the one side, those above on the
/// other.
#[inline(always)]
fn signed_step<const BITS: u32>(x: i64) -> u16 {
    let size = step::<BITS>(x.unsigned_abs());
    if x < 0 { ZERO - size } else { ZERO + size }
}

/// The bin of zero where there are numbers below it.
const ZERO: u16 = 0x8000;

/// The first and the last number of a [`step`], as the nearest doubles.
fn numbers<const BITS: u32>(step: u16) -> (f64, f64) {
    let Some(step) = step.checked_sub(1) else { return (0.0, 0.0) };
    let (exponent, fraction) = (i32::from(step >> BITS), step & ((1 << BITS) - 1));
    let start =
        |fraction: u16| libm::floor(libm::scalbn(f64::from((1 << BITS) + fraction), exponent - BITS as i32));
    let first = start(fraction);
    (first, (start(fraction + 1) - 1.0).max(first))
}

/// The same of a [`signed_step`].
fn signed_numbers<const BITS: u32>(step: u16) -> (f64, f64) {
    match step.checked_sub(ZERO) {
        Some(size) => numbers::<BITS>(size),
        None => {
            let (first, last) = numbers::<BITS>(ZERO - step);
            (-last, -first)
        }
    }
}

/// The least and the largest value that fall into a bin: the same for 8 and 16 bits; not more than 2^-10 of the value
/// apart for 32-bit integers, 2^-9 for 64-bit ones; 2^-7 for floats (doubles are rounded to single precision first), of
/// which those below 2^-133 are taken for zero.
pub(super) fn bin_values(kind: SampleKind, bin: u16) -> (f64, f64) {
    let one = |value: f64| (value, value);
    match kind {
        SampleKind::U8 | SampleKind::U16 => one(f64::from(bin)),
        SampleKind::I16 => one(f64::from((bin ^ 0x8000) as i16)),
        SampleKind::U32 => numbers::<10>(bin),
        SampleKind::I32 => signed_numbers::<10>(bin),
        SampleKind::U64 => numbers::<9>(bin),
        SampleKind::I64 => signed_numbers::<9>(bin),
        // Zero has a bin for each sign, shared with what is too small to matter.
        SampleKind::F32 | SampleKind::F64 if bin == 0x7fff || bin == 0x8000 => one(0.0),
        SampleKind::F32 | SampleKind::F64 => {
            let value = |ordered: u32| {
                f64::from(f32::from_bits(if ordered >> 31 == 1 { ordered ^ 1 << 31 } else { !ordered }))
            };
            let (first, last) = (value(u32::from(bin) << 16), value(u32::from(bin) << 16 | 0xffff));
            // The bins of the infinities reach into what is no number.
            match (first.is_nan(), last.is_nan()) {
                (true, _) => one(last),
                (_, true) => one(first),
                _ => (first, last),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn falls_where_it_should<T: Measured>(x: T) {
        let (first, last) = bin_values(T::KIND, x.bin());
        let value = if T::KIND == SampleKind::F64 { f64::from(x.to_f64() as f32) } else { x.to_f64() };
        let zero = T::KIND.is_float() && value.abs() < libm::scalbn(1.0, -133);
        assert!(zero && first == 0.0 || first <= value && value <= last, "{x:?} is not in {first}..={last}");
        let width = last - first;
        let share = match T::KIND {
            SampleKind::U64 | SampleKind::I64 => 1.0 / 512.0,
            kind if kind.is_float() => 1.0 / 128.0,
            _ => 1.0 / 1024.0,
        };
        if T::KIND.bytes() <= 2 {
            assert_eq!(width, 0.0);
        } else if value.abs() >= f64::from(f32::MIN_POSITIVE) {
            assert!(value.is_infinite() || width <= share * value.abs(), "{x:?} in {first}..={last}");
        }
    }

    fn rises<T: Measured>(x: T, y: T) {
        falls_where_it_should(x);
        falls_where_it_should(y);
        if x < y {
            assert!(x.bin() <= y.bin());
        }
    }

    proptest! {
        #[test]
        fn bins_rise_with_the_value_and_hold_it(x in any::<u64>(), y in any::<u64>(), shift in 0u32..64) {
            let (x, y) = (x >> shift, y >> shift);
            rises(x as u8, y as u8);
            rises(x as u16, y as u16);
            rises(x as i16, y as i16);
            rises(x as u32, y as u32);
            rises(x as i32, y as i32);
            rises((x as i32).wrapping_neg(), y as i32);
            rises(x, y);
            rises(x as i64, y as i64);
            rises((x as i64).wrapping_neg(), y as i64);
            let (a, b) = (f32::from_bits(x as u32), f32::from_bits((y as u32) << (shift % 32)));
            if !a.is_nan() && !b.is_nan() {
                rises(a, b);
            }
            let (a, b) = (f64::from_bits(x << shift), f64::from_bits(y));
            if !a.is_nan() && !b.is_nan() {
                rises(a, b);
            }
        }
    }

    #[test]
    fn the_ends_fall_where_they_should() {
        [u32::MIN, 1, 2047, 2048, 2049, u32::MAX].into_iter().for_each(falls_where_it_should);
        [i32::MIN, -2048, -1, 0, 1, i32::MAX].into_iter().for_each(falls_where_it_should);
        [0, 1, 1023, 1024, 1025, (1 << 53) + 1, u64::MAX].into_iter().for_each(falls_where_it_should);
        [i64::MIN, i64::MIN + 1, -1024, -1, 0, 1, i64::MAX].into_iter().for_each(falls_where_it_should);
        assert_eq!([u64::MAX.bin(), i64::MIN.bin(), i64::MAX.bin()], [32768, 511, 65024]);
        [f32::NEG_INFINITY, f32::MIN, -0.0, 0.0, f32::MAX, f32::INFINITY]
            .into_iter()
            .for_each(falls_where_it_should);
        [f64::NEG_INFINITY, f64::MIN, -0.0, 0.0, f64::MAX, f64::INFINITY]
            .into_iter()
            .for_each(falls_where_it_should);
        assert_eq!(
            (2047u32.bin(), bin_values(SampleKind::U32, 2047u32.bin())),
            (2047u32.bin(), (2047.0, 2047.0))
        );
        // A NaN of either sign has the bin that no number has.
        assert_eq!([f32::NAN.bin(), (-f32::NAN).bin(), f32::NEG_INFINITY.bin()], [0, 0, 0x7f]);
    }
}
