//! Resizes a picture by any factor, with four kernels, within a few rows of memory.
//!
//! Three engines, chosen by the factor: a window of rows ([`Resize`]: enlarging, and down to one half), sums of rows as
//! they come ([`Reduce`]: smaller), and exact areas ([`Area`]: smaller, with the box). All take positions from one
//! place (`axis`), in exact integers, so that plan and run agree on every target. A host that likes two small stages
//! better than one is given [`Means`] and what follows them where sums of rows begin with averages of blocks.

mod area;
mod arith;
pub(super) mod average;
mod axis;
mod columns;
mod geometry;
mod kernel;
mod means;
mod narrow;
mod pass;
mod quick;
mod reduce;
mod rows;
#[cfg(test)]
mod tests;
mod windowed;

pub use area::Area;
pub use arith::Scale;
pub use average::{Average, Count};
pub use geometry::{Geometry, Target};
pub use kernel::Kernel;
pub use means::Means;
pub use pass::Pass;
pub use reduce::Reduce;
pub use windowed::Resize;

use super::{Args, Host, Words};
use crate::pipeline::StageError;
use crate::shape::{SampleKind, Shape};
use geometry::Engine;
use narrow::Narrow;

/// Builds the stage that does `geometry` on an input of shape `input`, and hands it to `host`.
///
/// # Errors
/// [`StageError`] if the sides or the factor are out of range, or there is no kernel for the kind of sample.
pub(super) fn build<H: Host>(geometry: Geometry, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
    geometry.output(input)?;
    match input.kind {
        SampleKind::U8
            if geometry.engine(input) == Engine::Window
                && Narrow::suits(geometry.kernel, &geometry.axes(input)) =>
        {
            Ok(host.accept(Resize::<Narrow>::new(geometry)))
        }
        SampleKind::U8 => Ok(accept::<u8, H>(geometry, input, host)),
        SampleKind::U16 => Ok(accept::<u16, H>(geometry, input, host)),
        SampleKind::I16 => Ok(accept::<i16, H>(geometry, input, host)),
        SampleKind::F32 => Ok(accept::<f32, H>(geometry, input, host)),
        kind => Err(StageError::Kind { stage: "resize", kind }),
    }
}

fn accept<T: Scale + Average, H: Host>(geometry: Geometry, input: Shape, host: &mut H) -> H::Built {
    match geometry.engine(input) {
        Engine::Window => host.accept(Resize::<T>::new(geometry)),
        Engine::Reduce if geometry.means(input).is_some() => host.accept_parts(
            Reduce::<T>::new(geometry),
            Means::<T>::new(geometry),
            Reduce::<T>::of_means(geometry, input),
        ),
        Engine::Reduce => host.accept(Reduce::<T>::new(geometry)),
        Engine::Area => host.accept(Area::<T>::new(geometry)),
    }
}

/// `resize`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "resize",
        settings: "FACTOR|COLSxROWS[,box|linear|cubic|lanczos3]",
        about: "resizes by a factor or to a size, antialiased (lanczos3 unless said otherwise)",
        example: "resize:0.9,linear",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of("resize");
        let needed = "a factor from 0.0001 to 10000 with up to 6 decimals, or COLSxROWS";
        let target = args.next_word().and_then(target).ok_or(args.wrong("the size", needed))?;
        let kernel = kernel(&mut args)?;
        args.end()?;
        build(Geometry::new(target, kernel), input, host)
    }
}

/// The kernel, if one is named.
fn kernel(args: &mut Args<'_>) -> Result<Kernel, StageError> {
    let wrong = args.wrong("the kernel", "box, linear, cubic or lanczos3");
    match args.next_word() {
        Some(word) => word.parse().map_err(|()| wrong),
        None => Ok(Kernel::default()),
    }
}

/// A factor as a decimal, or a size.
fn target(word: &str) -> Option<Target> {
    if let Some((cols, rows)) = word.split_once('x') {
        let (cols, rows) = (cols.trim().parse().ok()?, rows.trim().parse().ok()?);
        return (cols > 0 && rows > 0).then_some(Target::Size { cols, rows });
    }
    let (whole, decimals) = word.split_once('.').unwrap_or((word, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() > 5 || decimals.len() > 6 {
        return None;
    }
    if !is_number(whole) || !is_number(decimals) || whole.is_empty() && decimals.is_empty() {
        return None;
    }
    let digits = whole.bytes().chain(decimals.bytes());
    let num = digits.fold(0u64, |number, digit| number * 10 + u64::from(digit.wrapping_sub(b'0')));
    let den = (0..decimals.len()).fold(1u64, |den, _| den * 10);
    let in_range = num * 10_000 >= den && num <= 10_000 * den;
    // At most 10^10 over 10^6: dividing out what both share keeps both below 2^30 for all but the oddest factors.
    let divisor = axis::common_divisor(num, den);
    let fits = |n: u64| u32::try_from(n / divisor).ok().filter(|n| *n <= axis::MAX_SIDE);
    in_range.then_some(Target::Factor { num: fits(num)?, den: fits(den)? })
}
