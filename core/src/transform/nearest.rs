//! Float to integer in a form that vectorises.
//!
//! A plain `as` cast saturates in a way that compilers turn into scalar code. Here the value is clamped first, then a
//! number is added that is so large that its last place counts ones: the addition itself rounds, and the low bits of
//! the sum are the integer. Invariant: the result is that of [`Sample::from_f64`] for every value.

use crate::shape::Sample;

/// An integer kind that floats of type `F` are rounded to.
pub trait Nearest<F>: Sample {
    /// The nearest value of this kind: ties to even, saturated at the ends, NaN to zero.
    fn nearest(value: F) -> Self;
}

macro_rules! nearest {
    ($f:ty, $magic:expr => $($t:ty),*) => {$(
        impl Nearest<$f> for $t {
            #[inline(always)]
            fn nearest(value: $f) -> Self {
                const LOW: $f = <$t>::MIN as $f;
                const HIGH: $f = <$t>::MAX as $f;
                // For unsigned kinds the clamp takes NaN to LOW, which is zero already.
                let value = if LOW < 0.0 && value.is_nan() { 0.0 } else { value };
                // In this order of operands both are one instruction, which `clamp` is not.
                let value = if value > LOW { value } else { LOW };
                let value = if value < HIGH { value } else { HIGH };
                (value + $magic).to_bits() as $t
            }
        }
    )*};
}

/// A sum of the form above does not hold 64 bits: these are converted one by one.
macro_rules! long {
    ($($t:ty),*) => {$(
        impl Nearest<f64> for $t {
            #[inline(always)]
            fn nearest(value: f64) -> Self {
                Self::from_f64(value)
            }
        }
    )*};
}
long!(u64, i64);

// 1.5 * 2^52 and 1.5 * 2^23: the half keeps the place of ones the same on both sides of zero.
nearest!(f64, 6_755_399_441_055_744.0 => u8, u16, i16, u32, i32);
nearest!(f32, 12_582_912.0 => u8, u16, i16);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check<T: Nearest<f64>>(value: f64) {
        assert_eq!(T::nearest(value), T::from_f64(value), "{value:e} to {}", T::KIND);
    }

    fn check_all(value: f64) {
        check::<u8>(value);
        check::<u16>(value);
        check::<i16>(value);
        check::<u32>(value);
        check::<i32>(value);
        let single = value as f32;
        assert_eq!(u8::nearest(single), u8::from_f64(f64::from(single)), "{single:e}");
        assert_eq!(u16::nearest(single), u16::from_f64(f64::from(single)), "{single:e}");
        assert_eq!(i16::nearest(single), i16::from_f64(f64::from(single)), "{single:e}");
    }

    #[test]
    fn ends_and_ties_are_those_of_from_f64() {
        for end in
            [0.0, 255.0, 32767.0, -32768.0, 65535.0, 4_294_967_295.0, 2_147_483_647.0, -2_147_483_648.0]
        {
            for offset in [-1.5, -1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0, 1.5] {
                check_all(end + offset);
                check_all(-end - offset);
            }
        }
        for value in [
            f64::NAN,
            -f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN,
            f64::MIN_POSITIVE,
            -0.0,
        ] {
            check_all(value);
        }
    }

    proptest! {
        #[test]
        fn any_value_is_rounded_as_from_f64_does(bits: u64, near in -70_000.0..70_000.0f64, wide in -5e9..5e9f64) {
            check_all(f64::from_bits(bits));
            check_all(near);
            check_all(libm::rint(near * 2.0) / 2.0);
            check_all(wide);
        }
    }
}
