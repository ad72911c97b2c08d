//! Functions of one sample, and the stage that computes them for each: `linear`, `gamma` and `levels` are curves.
//!
//! A curve is written once, for numbers of either float precision. [`Direct`] computes it for every sample,
//! [`Lookup`](super::Lookup) once for every value that a sample can have.

use super::nearest::Nearest;
use super::power::power;
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Sample, Shape};
use crate::strip::{Strip, StripMut};
use core::marker::PhantomData;
use core::ops::{Add, Div, Mul, Sub};

/// A function from sample to sample.
pub trait Curve: Copy + Send + Sync + 'static {
    /// The name of its stage.
    const NAME: &'static str;

    /// The value for `x`, both in the sample's units, where `white` is its kind's white. Not clamped.
    fn at<R: Real>(&self, x: R, white: R) -> R;
}

/// The precision that a curve is computed in.
pub trait Real:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + From<u8>
{
    /// The nearest value of this precision.
    fn of(value: f64) -> Self;

    /// `self`, which is above zero, to the power of `exponent`, which is above zero and finite: the same bits on every
    /// target, within one unit in the last place.
    fn power(self, exponent: f64) -> Self;
}

impl Real for f32 {
    #[inline(always)]
    fn of(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn power(self, exponent: f64) -> Self {
        // 3 (SSE2) to 15 times (AVX2) as fast as `libm::powf`, which has branches and takes a rounded exponent.
        power(self, exponent)
    }
}

impl Real for f64 {
    #[inline(always)]
    fn of(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn power(self, exponent: f64) -> Self {
        libm::pow(self, exponent)
    }
}

/// A sample that curves are computed for: integers in double precision, floats in their own. An integer of 64 bits is
/// rounded to a double first, so that what a curve leaves as it is may differ by `2^-53` of itself.
pub trait Tone: Sample {
    /// The precision.
    type Real: Real;

    /// Its value.
    fn real(self) -> Self::Real;

    /// The nearest value of this kind: ties to even, saturated, NaN to zero for integers.
    fn from_real(value: Self::Real) -> Self;
}

macro_rules! tone {
    (integers $($t:ty),*) => {$(
        impl Tone for $t {
            type Real = f64;
            #[inline(always)]
            fn real(self) -> f64 {
                self.to_f64()
            }
            #[inline(always)]
            fn from_real(value: f64) -> Self {
                Self::nearest(value)
            }
        }
    )*};
    (floats $($t:ty),*) => {$(
        impl Tone for $t {
            type Real = $t;
            #[inline(always)]
            fn real(self) -> $t {
                self
            }
            #[inline(always)]
            fn from_real(value: $t) -> Self {
                value
            }
        }
    )*};
}
tone!(integers u8, u16, i16, u32, i32, u64, i64);
tone!(floats f32, f64);

/// The value of `curve` for one sample.
#[inline(always)]
pub(super) fn value<C: Curve, T: Tone>(curve: &C, sample: T) -> T {
    T::from_real(curve.at(sample.real(), T::Real::of(T::KIND.white())))
}

/// Computes a curve for every sample. Needs no memory.
#[derive(Clone, Copy, Debug)]
pub struct Direct<C, T>(C, PhantomData<fn(T)>);

impl<C: Curve, T: Tone> Direct<C, T> {
    /// The stage of `curve`.
    pub const fn new(curve: C) -> Self {
        Self(curve, PhantomData)
    }
}

impl<C: Curve, T: Tone> Stage for Direct<C, T> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn vectorises(&self) -> bool {
        !T::KIND.is_long()
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind == T::KIND {
            Ok(input)
        } else {
            Err(StageError::Kind { stage: C::NAME, kind: input.kind })
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
                *to = value(&self.0, *from);
            }
        }
        Ok(())
    }
}
