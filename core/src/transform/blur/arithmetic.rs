//! The arithmetic of a blur for each kind of sample: fixed point for integers, with room for no overflow at all.

use super::gauss::Gauss;
use super::pass::{GROUP, Pass, Scale};
use crate::shape::Sample;

/// A sample that can be blurred: how its rows are summed, and then what came of that.
pub trait Blurred: Sample {
    /// Between the two directions.
    type Middle: bytemuck::Pod;
    /// Down the rows.
    type Down: Pass<In = Self, Out = Self::Middle>;
    /// Across one row.
    type Across: Pass<In = Self::Middle, Out = Self>;
    /// Whether there is an arithmetic of its own for pairs that are one group, with weights in lanes. It pays where
    /// that makes narrower products; other kinds are faster with weights that stay the same.
    const FEW: bool;
    /// Down the rows, then.
    type DownFew: Pass<In = Self, Out = Self::Middle>;
    /// Across one row, then.
    type AcrossFew: Pass<In = Self::Middle, Out = Self>;
    /// The most weight that may be left out on both sides together.
    const TAIL: f64;
    /// The scales of the arithmetic that is used for this Gaussian, down and across.
    fn scales(gauss: &Gauss) -> [Scale; 2];
}

/// Bytes to 7 fractional bits. Sums are below 255 * 2^23, so they fit 31 bits with what rounds them.
#[derive(Debug)]
pub struct DownU8;
/// 7 fractional bits to bytes. Sums are below 255 * 2^24 and so fit 32 bits.
#[derive(Debug)]
pub struct AcrossU8;
/// Bytes to 7 fractional bits in 16 bits, for few taps: of each product only the upper half is kept.
///
/// What 16 bits times 16 bits leave in the upper 16 is one instruction where 32-bit products take many. Each product
/// loses less than 1/128 of a level; what they lose on the average is given back once, where [`AcrossFewU8`] rounds.
#[derive(Debug)]
pub struct DownFewU8;
/// 7 fractional bits to bytes in 16 bits, for few taps: of each product only the upper half is kept.
#[derive(Debug)]
pub struct AcrossFewU8;
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
    type DownFew = DownFewU8;
    type AcrossFew = AcrossFewU8;
    const FEW: bool = true;
    /// A quarter of a level in each direction.
    const TAIL: f64 = 1.0 / 960.0;
    fn scales(gauss: &Gauss) -> [Scale; 2] {
        if (1..=GROUP as u32).contains(&gauss.radius) {
            // Rounding may take the middle weight a little higher. Samples are as long as their products need.
            let down = gauss.bits(16, 23, 65_500.0);
            // Every product of either direction loses half a unit on the average.
            let lost = u64::from(1 + gauss.radius);
            let half = (1 << (MIDDLE_U8 - 1)) + lost;
            return [
                Scale { bits: down, shift: 16 + MIDDLE_U8 - down, half: 0 },
                Scale { bits: 16, shift: MIDDLE_U8, half },
            ];
        }
        // The more taps, the smaller they all are: then they have more bits, as far as the sums allow.
        let (down, across) = (gauss.bits(14, 23, 32_000.0), gauss.bits(15, 17, 64_000.0));
        [Scale::nearest(down, down - MIDDLE_U8), Scale::nearest(across, across + MIDDLE_U8)]
    }
}

impl Blurred for u16 {
    type Middle = u32;
    type Down = DownU16;
    type Across = AcrossU16;
    type DownFew = DownU16;
    type AcrossFew = AcrossU16;
    const FEW: bool = false;
    /// A quarter of a level in each direction.
    const TAIL: f64 = 1.0 / 262_144.0;
    fn scales(_gauss: &Gauss) -> [Scale; 2] {
        [WEIGHT_U16 - MIDDLE_U16, WEIGHT_U16 + MIDDLE_U16].map(|shift| Scale::nearest(WEIGHT_U16, shift))
    }
}

macro_rules! real {
    ($($t:ty),*) => {$(
        impl Blurred for $t {
            type Middle = $t;
            type Down = Real<$t>;
            type Across = Real<$t>;
            type DownFew = Real<$t>;
            type AcrossFew = Real<$t>;
            const FEW: bool = false;
            const TAIL: f64 = 1.0 / 262_144.0;
            fn scales(_gauss: &Gauss) -> [Scale; 2] {
                [Scale::default(); 2]
            }
        }

        impl Pass for Real<$t> {
            type In = $t;
            type Weight = $t;
            type Sum = $t;
            type Out = $t;
            #[inline(always)]
            fn one(sample: $t, weight: $t, _scale: Scale) -> $t {
                sample * weight
            }
            #[inline(always)]
            fn pair(a: $t, b: $t, weight: $t, _scale: Scale) -> $t {
                (a + b) * weight
            }
            #[inline(always)]
            fn plus(a: $t, b: $t) -> $t {
                a + b
            }
            #[inline(always)]
            fn out(sum: $t, _scale: Scale) -> $t {
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
            fn one(sample: $in, weight: $weight, _scale: Scale) -> $sum {
                <$sum>::from(sample).wrapping_mul(<$sum>::from(weight))
            }
            #[inline(always)]
            fn pair(a: $in, b: $in, weight: $weight, _scale: Scale) -> $sum {
                let pair = <$pair>::from(a).wrapping_add(<$pair>::from(b));
                <$sum>::from(pair).wrapping_mul(<$sum>::from(weight))
            }
            #[inline(always)]
            fn plus(a: $sum, b: $sum) -> $sum {
                a.wrapping_add(b)
            }
            #[inline(always)]
            fn out(sum: $sum, scale: Scale) -> $out {
                sum.wrapping_add(scale.half as $sum).wrapping_shr(scale.shift) as $out
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

/// The upper half of a product.
#[inline(always)]
fn upper(sample: u16, weight: u16) -> u16 {
    (u32::from(sample).wrapping_mul(u32::from(weight)) >> 16) as u16
}

macro_rules! upper_halves {
    ($($pass:ty: $in:ty, out $out:ty, lengthen $lengthen:expr, round $round:expr);*) => {$(
        impl Pass for $pass {
            type In = $in;
            type Weight = u16;
            type Sum = u16;
            type Out = $out;
            #[inline(always)]
            fn one(sample: $in, weight: u16, scale: Scale) -> u16 {
                upper($lengthen(u16::from(sample), scale), weight)
            }
            #[inline(always)]
            fn pair(a: $in, b: $in, weight: u16, scale: Scale) -> u16 {
                upper($lengthen(u16::from(a).wrapping_add(u16::from(b)), scale), weight)
            }
            #[inline(always)]
            fn plus(a: u16, b: u16) -> u16 {
                a.wrapping_add(b)
            }
            #[inline(always)]
            fn out(sum: u16, scale: Scale) -> $out {
                $round(sum, scale)
            }
            fn weight(weight: f64, bits: u32) -> u16 {
                libm::rint(libm::ldexp(weight, bits as i32)) as u16
            }
            fn value(weight: u16, bits: u32) -> f64 {
                libm::ldexp(f64::from(weight), -(bits as i32))
            }
        }
    )*};
}
upper_halves!(
    DownFewU8: u8, out u16,
        lengthen |samples: u16, scale: Scale| samples.wrapping_shl(scale.shift),
        round |sum: u16, _| sum;
    AcrossFewU8: u16, out u8,
        lengthen |samples: u16, _| samples,
        round |sum: u16, scale: Scale| sum.wrapping_add(scale.half as u16).wrapping_shr(scale.shift) as u8
);
