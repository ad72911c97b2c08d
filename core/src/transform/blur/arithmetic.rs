//! The arithmetic of a blur for each kind of sample: fixed point for integers, with room for no overflow at all.

use super::gauss::Gauss;
use super::pass::Pass;
use crate::shape::Sample;

/// A sample that can be blurred: how its rows are summed, and then what came of that.
pub trait Blurred: Sample {
    /// Between the two directions.
    type Middle: bytemuck::Pod;
    /// Down the rows.
    type Down: Pass<In = Self, Out = Self::Middle>;
    /// Across one row.
    type Across: Pass<In = Self::Middle, Out = Self>;
    /// The most weight that may be left out on both sides together.
    const TAIL: f64;
    /// Bits of the weights, and bits by which their sums are too long, down and across.
    fn bits(gauss: &Gauss) -> [(u32, u32); 2];
}

/// Bytes to 7 fractional bits. Sums are below 255 * 2^23, so they fit 31 bits with what rounds them.
#[derive(Debug)]
pub struct DownU8;
/// 7 fractional bits to bytes. Sums are below 255 * 2^24 and so fit 32 bits.
#[derive(Debug)]
pub struct AcrossU8;
/// 16 bits to 15 fractional bits, in 64.
#[derive(Debug)]
pub struct DownU16;
/// 15 fractional bits to 16 bits, in 64: sums are below 2^62.
#[derive(Debug)]
pub struct AcrossU16;
/// Floats, down and across.
#[derive(Debug)]
pub struct Real<T>(core::marker::PhantomData<T>);

const MIDDLE_U8: u32 = 7;
const MIDDLE_U16: u32 = 15;
const WEIGHT_U16: u32 = 31;

impl Blurred for u8 {
    type Middle = u16;
    type Down = DownU8;
    type Across = AcrossU8;
    /// A quarter of a level in each direction.
    const TAIL: f64 = 1.0 / 960.0;
    fn bits(gauss: &Gauss) -> [(u32, u32); 2] {
        // The more taps, the smaller they all are: then they have more bits, as far as the sums allow.
        let (down, across) = (gauss.bits(14, 23, 32_000.0), gauss.bits(15, 17, 64_000.0));
        [(down, down - MIDDLE_U8), (across, across + MIDDLE_U8)]
    }
}

impl Blurred for u16 {
    type Middle = u32;
    type Down = DownU16;
    type Across = AcrossU16;
    /// A quarter of a level in each direction.
    const TAIL: f64 = 1.0 / 262_144.0;
    fn bits(_gauss: &Gauss) -> [(u32, u32); 2] {
        [(WEIGHT_U16, WEIGHT_U16 - MIDDLE_U16), (WEIGHT_U16, WEIGHT_U16 + MIDDLE_U16)]
    }
}

macro_rules! real {
    ($($t:ty),*) => {$(
        impl Blurred for $t {
            type Middle = $t;
            type Down = Real<$t>;
            type Across = Real<$t>;
            const TAIL: f64 = 1.0 / 262_144.0;
            fn bits(_gauss: &Gauss) -> [(u32, u32); 2] {
                [(0, 0); 2]
            }
        }

        impl Pass for Real<$t> {
            type In = $t;
            type Weight = $t;
            type Sum = $t;
            type Out = $t;
            #[inline(always)]
            fn one(sample: $t, weight: $t) -> $t {
                sample * weight
            }
            #[inline(always)]
            fn pair(a: $t, b: $t, weight: $t) -> $t {
                (a + b) * weight
            }
            #[inline(always)]
            fn plus(a: $t, b: $t) -> $t {
                a + b
            }
            #[inline(always)]
            fn out(sum: $t, _shift: u32) -> $t {
                sum
            }
            fn weight(weight: f64, _bits: u32) -> $t {
                weight as $t
            }
            fn value(weight: $t, _bits: u32) -> f64 {
                f64::from(weight)
            }
        }
    )*};
}
real!(f32, f64);

macro_rules! fixed {
    ($($pass:ty: $in:ty, pair $pair:ty, times $weight:ty, sum $sum:ty, out $out:ty);*) => {$(
        impl Pass for $pass {
            type In = $in;
            type Weight = $weight;
            type Sum = $sum;
            type Out = $out;
            #[inline(always)]
            fn one(sample: $in, weight: $weight) -> $sum {
                <$sum>::from(sample).wrapping_mul(<$sum>::from(weight))
            }
            #[inline(always)]
            fn pair(a: $in, b: $in, weight: $weight) -> $sum {
                let pair = <$pair>::from(a).wrapping_add(<$pair>::from(b));
                <$sum>::from(pair).wrapping_mul(<$sum>::from(weight))
            }
            #[inline(always)]
            fn plus(a: $sum, b: $sum) -> $sum {
                a.wrapping_add(b)
            }
            #[inline(always)]
            fn out(sum: $sum, shift: u32) -> $out {
                let half = (1 as $sum).wrapping_shl(shift.wrapping_sub(1));
                (sum.wrapping_add(half)).wrapping_shr(shift) as $out
            }
            fn weight(weight: f64, bits: u32) -> $weight {
                libm::rint(libm::ldexp(weight, bits as i32)) as $weight
            }
            fn value(weight: $weight, bits: u32) -> f64 {
                libm::ldexp(f64::from(weight), -(bits as i32))
            }
        }
    )*};
}
fixed!(
    DownU8: u8, pair i16, times i16, sum i32, out u16;
    AcrossU8: u16, pair u16, times u16, sum u32, out u8;
    DownU16: u16, pair u32, times u32, sum u64, out u32;
    AcrossU16: u32, pair u32, times u32, sum u64, out u16
);
