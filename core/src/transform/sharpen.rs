//! Sharpening: the convolution with -1 around and 16 in the middle, over 8, with a kernel of its own.

use super::conv::{Conv, Convolved};
use super::lanes::taps;
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
pub(super) fn kernel<T: Sharpened<S>, S: Copy + core::ops::Add<Output = S>>(
    rows: &[&[T]],
    bands: usize,
    out: &mut [T],
) {
    let [above, here, below] = rows else { return };
    taps!(out.len(), bands; above => a b c; here => d e f; below => g h i;);
    for (at, to) in out.iter_mut().enumerate() {
        let upper = a[at].wide() + b[at].wide() + c[at].wide();
        let lower = g[at].wide() + h[at].wide() + i[at].wide();
        let middle = d[at].wide() + e[at].wide() + f[at].wide();
        *to = T::sharpened(upper + middle + lower, e[at].wide());
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
