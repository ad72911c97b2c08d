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

/// Samples whose columns are summed at a time: few where the stack is small and no register is wide.
const RUN: usize = if cfg!(target_os = "none") { 48 } else { 384 };

/// The same with one pixel of at most 8 bands more on both sides.
const COLUMNS: usize = RUN + 16;

/// Sharpens a run of samples. `rows` are three, with one pixel of `bands` samples more on both sides.
#[inline(always)]
pub(super) fn kernel<T: Sharpened<S>, S: Copy + Default + core::ops::Add<Output = S>>(
    rows: &[&[T]],
    bands: usize,
    out: &mut [T],
) {
    let [mut above, mut here, mut below] = *rows else { return };
    let mut out = out;
    // Each column is summed once instead of three times, and its samples are widened once. Cleared once for all runs:
    // every run writes all of it.
    let mut sums = [S::default(); COLUMNS];
    while let Some(run) = out.first_chunk_mut::<RUN>().filter(|_| bands <= (COLUMNS - RUN) / 2) {
        let (Some(a), Some(b), Some(c)) = (above.first_chunk(), here.first_chunk(), below.first_chunk())
        else {
            break;
        };
        columns(a, b, c, &mut sums);
        from_columns(&sums, b, bands, run);
        [above, here, below] = [above, here, below].map(|row| row.get(RUN..).unwrap_or_default());
        out = core::mem::take(&mut out).get_mut(RUN..).unwrap_or_default();
    }
    direct(above, here, below, bands, out);
}

/// The sums of columns of three.
#[inline(always)]
fn columns<T: Sharpened<S>, S: Copy + core::ops::Add<Output = S>>(
    above: &[T; COLUMNS],
    here: &[T; COLUMNS],
    below: &[T; COLUMNS],
    sums: &mut [S; COLUMNS],
) {
    for at in 0..COLUMNS {
        sums[at] = above[at].wide() + here[at].wide() + below[at].wide();
    }
}

/// Sharpens a run from the sums of its columns.
#[inline(always)]
fn from_columns<T: Sharpened<S>, S: Copy + core::ops::Add<Output = S>>(
    sums: &[S; COLUMNS],
    here: &[T; COLUMNS],
    bands: usize,
    out: &mut [T; RUN],
) {
    taps!(RUN, bands; sums => left middle right; here => _before sample;);
    for (at, to) in out.iter_mut().enumerate() {
        *to = T::sharpened(left[at] + middle[at] + right[at], sample[at].wide());
    }
}

/// Sharpens what is less than a run.
#[inline(always)]
fn direct<T: Sharpened<S>, S: Copy + core::ops::Add<Output = S>>(
    above: &[T],
    here: &[T],
    below: &[T],
    bands: usize,
    out: &mut [T],
) {
    let n = out.len();
    taps!(n, bands; above => a b c; here => d e f; below => g h i;);
    for (at, to) in out.iter_mut().enumerate().take(n) {
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
