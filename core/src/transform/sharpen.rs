//! Sharpening: the convolution with -1 around and 16 in the middle, over 8, with a kernel of its own.

use super::conv::{Conv, Convolved};
use super::{Args, Host, Words};
use crate::pipeline::StageError;
use crate::shape::{SampleKind, Shape};

/// The weights.
pub const WEIGHTS: [[i16; 3]; 3] = [[-1, -1, -1], [-1, 16, -1], [-1, -1, -1]];

/// What the sum is divided by.
pub const SCALE: u32 = 8;

/// The sharpening convolution for samples of `T`.
///
/// # Errors
/// None in fact: the weights are within their range.
pub fn sharpen<T: Convolved>() -> Result<Conv<T, 3>, StageError> {
    Conv::named("sharpen", WEIGHTS, SCALE, 0.0)
}

/// A sample whose sharpening has a kernel of its own, with sums in `S`.
pub(super) trait Sharpened<S>: Copy {
    /// It as a summand.
    fn wide(self) -> S;
    /// From the sum of all nine and the one in the middle.
    fn sharpened(all: S, middle: S) -> Self;
}

macro_rules! sharpened {
    ($($sample:ty: $sum:ty),*) => {$(
        impl Sharpened<$sum> for $sample {
            #[inline(always)]
            fn wide(self) -> $sum {
                <$sum>::from(self)
            }
            #[inline(always)]
            fn sharpened(all: $sum, middle: $sum) -> Self {
                // 17 * 255 fits 16 bits, 17 * 65535 fits 32.
                ((middle * 17 - all + 4) >> 3).clamp(<$sum>::from(<$sample>::MIN), <$sum>::from(<$sample>::MAX))
                    as $sample
            }
        }
    )*};
}
sharpened!(u8: i16, u16: i32, i16: i32);

/// Sharpens a run of samples. `rows` are three, with one pixel of `bands` samples more on both sides.
#[inline(always)]
pub(super) fn kernel<'a, T: Sharpened<S> + 'a, S: Copy + core::ops::Add<Output = S>>(
    rows: &[&'a [T]],
    bands: usize,
    out: &mut [T],
) {
    let [above, here, below] = rows else { return };
    let column = |index: usize| {
        let shifted = |row: &&'a [T]| row.get(index * bands..).unwrap_or_default().iter();
        shifted(above).zip(shifted(here)).zip(shifted(below))
    };
    for (((to, left), middle), right) in out.iter_mut().zip(column(0)).zip(column(1)).zip(column(2)) {
        let sum = |((a, b), c): ((&T, &T), &T)| a.wide() + b.wide() + c.wide();
        let ((_, here), _) = middle;
        *to = T::sharpened(sum(left) + sum(middle) + sum(right), here.wide());
    }
}

/// `sharpen`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "sharpen",
        settings: "",
        about: "3 x 3 convolution: -1 around, 16 in the middle, over 8",
        example: "sharpen",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        args.of("sharpen").end()?;
        Ok(match input.kind {
            SampleKind::U8 => host.accept(sharpen::<u8>()?),
            SampleKind::U16 => host.accept(sharpen::<u16>()?),
            SampleKind::I16 => host.accept(sharpen::<i16>()?),
            SampleKind::F32 => host.accept(sharpen::<f32>()?),
            SampleKind::F64 => host.accept(sharpen::<f64>()?),
            kind => return Err(StageError::Kind { stage: "sharpen", kind }),
        })
    }
}
