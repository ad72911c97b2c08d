//! One sample of any kind as one of any other, and whole rows of them.

use super::Keep;
use crate::shape::Sample;
use crate::strip::{Strip, StripMut};
use crate::transform::nearest::Nearest;

/// A sample that can be changed to kind `B`.
pub trait Convert<B>: Sample {
    /// White stays white.
    fn rescaled(self) -> B;

    /// The value stays, or saturates.
    fn cast(self) -> B;
}

/// `x * TO / FROM` to the nearest integer, where `TO` and `FROM` are whites. `x` is at most one above `FROM`.
#[inline(always)]
fn rescale<const FROM: u32, const TO: u32>(x: u32) -> u32 {
    let wide = FROM as u64 * TO as u64 + (FROM / 2) as u64;
    if FROM == TO {
        x
    } else if TO.is_multiple_of(FROM) {
        x.wrapping_mul(TO / FROM)
    } else if FROM == u16::MAX as u32 && wide <= u32::MAX as u64 {
        // The quotient by 2^16 - 1, two shifts instead of a multiplication in 64 bits.
        let n = x.wrapping_mul(TO).wrapping_add(FROM / 2);
        n.wrapping_add(n >> 16).wrapping_add(1) >> 16
    } else if wide <= u32::MAX as u64 {
        x.wrapping_mul(TO).wrapping_add(FROM / 2) / FROM
    } else {
        ((u64::from(x) * u64::from(TO) + u64::from(FROM / 2)) / u64::from(FROM)) as u32
    }
}

macro_rules! integer_to_integer {
    ($a:ty => $($b:ty),*) => {$(
        impl Convert<$b> for $a {
            #[inline(always)]
            fn rescaled(self) -> $b {
                const FROM: u32 = <$a>::MAX as u32;
                const TO: u32 = <$b>::MAX as u32;
                const SIGNED: bool = <$a>::MIN != 0 && <$b>::MIN != 0;
                if SIGNED {
                    let x = i64::from(self);
                    let size = i64::from(rescale::<FROM, TO>(x.unsigned_abs() as u32));
                    // Only below zero there is one value more than white.
                    (if x < 0 { -size } else { size }).max(<$b>::MIN as i64) as $b
                } else {
                    rescale::<FROM, TO>(self.max(0) as u32) as $b
                }
            }

            #[inline(always)]
            fn cast(self) -> $b {
                i64::from(self).clamp(<$b>::MIN as i64, <$b>::MAX as i64) as $b
            }
        }
    )*};
}
integer_to_integer!(u8 => u8, u16, i16, u32, i32);
integer_to_integer!(u16 => u8, u16, i16, u32, i32);
integer_to_integer!(i16 => u8, u16, i16, u32, i32);
integer_to_integer!(u32 => u8, u16, i16, u32, i32);
integer_to_integer!(i32 => u8, u16, i16, u32, i32);

/// `x * to / from` to the nearest integer, where `to` and `from` are whites and `x` is at most one above `from`: even
/// for 64 bits the product is below 2^128. One function for all pairs with such a kind: they are rare, and many.
#[inline(never)]
fn rescale_long(x: u128, from: u64, to: u64) -> u128 {
    let product = x.wrapping_mul(u128::from(to));
    product.wrapping_add(u128::from(from / 2)).checked_div(u128::from(from)).unwrap_or(0)
}

/// [`integer_to_integer`] where one of the two kinds, or both, are of 64 bits.
macro_rules! long_to_integer {
    ($a:ty => $($b:ty),*) => {$(
        impl Convert<$b> for $a {
            #[inline(always)]
            fn rescaled(self) -> $b {
                const FROM: u64 = <$a>::MAX as u64;
                const TO: u64 = <$b>::MAX as u64;
                const SIGNED: bool = <$a>::MIN != 0 && <$b>::MIN != 0;
                let x = i128::from(self);
                let size = |x: u128| rescale_long(x, FROM, TO) as i128;
                if SIGNED && x < 0 {
                    (-size(x.unsigned_abs())).max(<$b>::MIN as i128) as $b
                } else {
                    size(x.max(0) as u128) as $b
                }
            }

            #[inline(always)]
            fn cast(self) -> $b {
                i128::from(self).clamp(<$b>::MIN as i128, <$b>::MAX as i128) as $b
            }
        }
    )*};
}
long_to_integer!(u8 => u64, i64);
long_to_integer!(u16 => u64, i64);
long_to_integer!(i16 => u64, i64);
long_to_integer!(u32 => u64, i64);
long_to_integer!(i32 => u64, i64);
long_to_integer!(u64 => u8, u16, i16, u32, i32, u64, i64);
long_to_integer!(i64 => u8, u16, i16, u32, i32, u64, i64);

macro_rules! integer_to_float {
    ($($a:ty, by $real:ty => $b:ty),*) => {$(
        impl Convert<$b> for $a {
            #[inline(always)]
            fn rescaled(self) -> $b {
                // Through double precision the result is that of rounding once: the quotient by 2^n - 1 repeats its n
                // bits, so it is never so near to a tie between singles that a double takes it for one.
                (self as $real / <$a>::MAX as $real) as $b
            }

            #[inline(always)]
            fn cast(self) -> $b {
                self as $b
            }
        }
    )*};
}
integer_to_float!(u8, by f32 => f32, u16, by f32 => f32, i16, by f32 => f32, u32, by f64 => f32, i32, by f64 => f32);
integer_to_float!(u8, by f64 => f64, u16, by f64 => f64, i16, by f64 => f64, u32, by f64 => f64, i32, by f64 => f64);

/// From kinds whose white is `2^BITS - 1`. In binary the quotient repeats the number, `BITS` bits each time: enough of
/// it in 128 bits, with what follows as a last bit, is rounded to the float once, and then moved behind the point.
macro_rules! long_to_float {
    ($($a:ty, $bits:literal);*) => {$(
        impl Convert<f64> for $a {
            #[inline(always)]
            fn rescaled(self) -> f64 {
                const UNIT: f64 = 1.0 / ((1u128 << $bits) as f64 * (1u128 << $bits) as f64);
                let size = i128::from(self).unsigned_abs();
                let size = ((size << $bits).wrapping_add(size)) as f64 * UNIT;
                if self < <$a>::default() { -size } else { size }
            }

            #[inline(always)]
            fn cast(self) -> f64 {
                self as f64
            }
        }

        impl Convert<f32> for $a {
            #[inline(always)]
            fn rescaled(self) -> f32 {
                const UNIT: f32 = 1.0 / ((1u128 << $bits) as f32 * (1u128 << 32) as f32);
                let size = i128::from(self).unsigned_abs();
                let size = (size << 32 | u128::from(size != 0)) as f32 * UNIT;
                if self < <$a>::default() { -size } else { size }
            }

            #[inline(always)]
            fn cast(self) -> f32 {
                self as f32
            }
        }
    )*};
}
long_to_float!(u64, 64; i64, 63);

macro_rules! float_to_integer {
    ($a:ty, by $real:ident => $($b:ty),*) => {$(
        impl Convert<$b> for $a {
            #[inline(always)]
            fn rescaled(self) -> $b {
                <$b>::nearest($real::from(self) * <$b>::MAX as $real)
            }

            #[inline(always)]
            fn cast(self) -> $b {
                <$b>::nearest($real::from(self))
            }
        }
    )*};
}
float_to_integer!(f32, by f32 => u8, u16, i16);
float_to_integer!(f32, by f64 => u32, i32, u64, i64);
float_to_integer!(f64, by f64 => u8, u16, i16, u32, i32, u64, i64);

macro_rules! float_to_float {
    ($($a:ty => $b:ty),*) => {$(
        impl Convert<$b> for $a {
            #[inline(always)]
            fn rescaled(self) -> $b {
                self as $b
            }

            #[inline(always)]
            fn cast(self) -> $b {
                self as $b
            }
        }
    )*};
}
float_to_float!(f32 => f32, f32 => f64, f64 => f32, f64 => f64);

/// Changes all rows of `output`.
#[inline(always)]
pub(super) fn change<A: Convert<B>, B: Sample>(keep: Keep, input: &Strip<'_>, output: &mut StripMut<'_>) {
    for row in output.rows().iter() {
        let (from, to) = (input.row::<A>(row), output.row_mut::<B>(row));
        match keep {
            Keep::White => {
                for (to, from) in to.iter_mut().zip(from) {
                    *to = from.rescaled();
                }
            }
            Keep::Value => {
                for (to, from) in to.iter_mut().zip(from) {
                    *to = from.cast();
                }
            }
        }
    }
}
