//! What a user asks for: a factor or a size, and a kernel. From these the two axes of a resampling follow.

use super::axis::{Axis, MAX_SIDE, common_divisor};
use super::kernel::Kernel;
use crate::pipeline::StageError;
use crate::shape::Shape;

/// The largest factor, and the inverse of the smallest.
const MAX_FACTOR: i64 = 32768;

/// How large the output is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Target {
    /// Both sides times `num / den`, to the nearest pixel (halves up), at least 1.
    Factor {
        /// Above the line; with `den` at most 2^30 each.
        num: u32,
        /// Below the line.
        den: u32,
    },
    /// Exactly so many pixels.
    Size {
        /// Width.
        cols: u32,
        /// Height.
        rows: u32,
    },
}

/// A resampling.
///
/// # Positions
/// The centres of both pictures coincide, and a step of one output pixel is `1 / factor` input pixels: exactly the
/// factor asked for, also where the output's size had to be rounded (as libvips does it). With a size instead of a
/// factor each axis has its own factor, and output pixel `i` looks at `(i + 0.5) / factor - 0.5`.
///
/// # Kernels and borders
/// Shrinking stretches the kernel by `1 / factor`. Beyond the border the border's pixels go on (the box counts only
/// what lies in the picture). Where an axis shrinks to less than a sixth, blocks of `floor(1 / factor / 3)` pixels
/// are averaged first, which leaves the kernel a factor of 3 to 4.5: the last block may be cut, and counts as whole.
/// The box needs no such help and is exact at any factor, except when one axis shrinks below half while rows grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    pub(super) target: Target,
    pub(super) kernel: Kernel,
}

/// The two axes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axes {
    pub(super) rows: Axis,
    pub(super) cols: Axis,
}

impl Axes {
    /// The same with blocks of columns averaged where there are many.
    pub(super) fn with_blocked_cols(self) -> Self {
        Self { cols: self.cols.blocked(), ..self }
    }

    /// The same with blocks averaged where there are many.
    pub(super) fn blocked(self) -> Self {
        Self { rows: self.rows.blocked(), cols: self.cols.blocked() }
    }
}

impl Geometry {
    /// A resampling to `target` with `kernel`.
    pub fn new(target: Target, kernel: Kernel) -> Self {
        let target = match target {
            Target::Factor { num, den } => {
                let divisor = common_divisor(u64::from(num), u64::from(den));
                let reduced = |n: u32| (u64::from(n) / divisor) as u32;
                Target::Factor { num: reduced(num), den: reduced(den) }
            }
            size => size,
        };
        Self { target, kernel }
    }

    /// The shape of the output.
    ///
    /// # Errors
    /// [`StageError::Geometry`] if a side of either picture is empty or longer than 2^30 pixels.
    pub fn output(&self, input: Shape) -> Result<Shape, StageError> {
        let side = |pixels: u64, problem: &'static str| match u32::try_from(pixels) {
            Ok(pixels @ 1..=MAX_SIDE) => Ok(pixels),
            _ => Err(StageError::Geometry {
                stage: "resize",
                problem,
                wanted: pixels,
                there: u64::from(MAX_SIDE),
            }),
        };
        for pixels in [input.rows, input.cols] {
            side(u64::from(pixels), "sides of the input must be of 1 to 2^30 pixels")?;
        }
        let (rows, cols) = self.sides(input);
        let axes = self.axes(input);
        for (num, den) in [axes.rows.factor(), axes.cols.factor()] {
            if den > MAX_FACTOR * num || num > MAX_FACTOR * den {
                return Err(StageError::Geometry {
                    stage: "resize",
                    problem: "the factor must be from 1/32768 to 32768",
                    wanted: num.unsigned_abs(),
                    there: den.unsigned_abs(),
                });
            }
        }
        let problem = "sides of the output must be of 1 to 2^30 pixels";
        Ok(Shape { rows: side(rows, problem)?, cols: side(cols, problem)?, ..input })
    }

    fn sides(&self, input: Shape) -> (u64, u64) {
        match self.target {
            Target::Factor { num, den } => {
                let (num, den) = (u64::from(num), u64::from(den.max(1)));
                let side = |pixels: u32| ((2 * u64::from(pixels) * num + den) / (2 * den)).max(1);
                (side(input.rows), side(input.cols))
            }
            Target::Size { cols, rows } => (u64::from(rows), u64::from(cols)),
        }
    }

    /// The axes for an input; meaningful where [`Geometry::output`] gives a shape.
    pub(super) fn axes(&self, input: Shape) -> Axes {
        let (rows, cols) = self.sides(input);
        let side = |pixels: u64| pixels.clamp(1, u64::from(MAX_SIDE)) as u32;
        let axis = |input: u32, output: u64| {
            let (input, output) = (side(u64::from(input)), side(output));
            match self.target {
                Target::Factor { num, den } => Axis::new(input, output, num, den),
                Target::Size { .. } => Axis::new(input, output, output, input),
            }
        };
        Axes { rows: axis(input.rows, rows), cols: axis(input.cols, cols) }
    }

    /// The means of an input's blocks, as an image; `None` where no blocks are averaged. Their kind is the input's.
    pub(super) fn means(&self, input: Shape) -> Option<Shape> {
        let axes = self.axes(input).blocked();
        let blocked = axes.rows.block() > 1 || axes.cols.block() > 1;
        blocked.then_some(Shape { rows: axes.rows.input(), cols: axes.cols.input(), ..input })
    }

    /// Which stage does it.
    pub(super) fn engine(&self, input: Shape) -> Engine {
        let axes = self.axes(input);
        let shrinks = !axes.rows.is_mild() || !axes.cols.is_mild();
        match self.kernel {
            Kernel::Box if shrinks && axes.rows.output() <= axes.rows.input() => Engine::Area,
            _ if !axes.rows.is_mild() => Engine::Reduce,
            _ => Engine::Window,
        }
    }
}

/// The three ways to resize.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Engine {
    /// A window of rows.
    Window,
    /// Rows as they come, into sums for the output.
    Reduce,
    /// Exact areas.
    Area,
}
