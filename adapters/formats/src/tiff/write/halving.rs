//! The smaller copies of a pyramid: each is the one before, shrunk by two, made row by row while the picture passes.
//!
//! What it holds for a copy is one row of sums and one finished row, so a pyramid needs one pass over its picture.

use super::usage;
use crate::FormatError;
use plimsoll_core::budget::{Budget, Layout};
use plimsoll_core::pipeline::{Stage, StageError, View};
use plimsoll_core::shape::{Rows, Shape};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_os::cpu;

const CONSUMER: &str = "rows of the smaller copies";

/// The shapes of a picture's copies, from the largest on: halves (rounded up) until one fits a square of `side` pixels.
pub(super) fn copies(shape: Shape, side: u32) -> Vec<Shape> {
    let larger = |shape: &Shape| shape.rows > side.max(1) || shape.cols > side.max(1);
    let half = |shape: &Shape| Shape { rows: shape.rows.div_ceil(2), cols: shape.cols.div_ceil(2), ..*shape };
    std::iter::successors(Some(shape), |shape| larger(shape).then(|| half(shape))).skip(1).collect()
}

/// One step: from the rows of a picture to those of its half.
pub(super) struct Halving<'a> {
    stage: Box<dyn Stage>,
    view: View,
    sums: &'a mut [u8],
    row: &'a mut [u8],
}

impl<'a> Halving<'a> {
    /// Bytes of its leases for a picture of this shape.
    pub(super) fn bytes(shape: Shape) -> Result<u64, FormatError> {
        let (stage, view) = step(shape)?;
        let rows = Layout::new().with::<u8>(stage.memory(&view)).with::<u8>(view.output_shape.row_bytes());
        Ok(rows.bytes())
    }

    /// The step for a picture of this shape.
    ///
    /// # Errors
    /// [`FormatError::Memory`] if `budget` does not hold its leases.
    pub(super) fn new(shape: Shape, budget: &mut Budget<'a>) -> Result<Self, FormatError> {
        let (stage, view) = step(shape)?;
        let len = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let sums: &mut [u8] = budget.lease(CONSUMER, len(stage.memory(&view)))?;
        let row = budget.lease(CONSUMER, len(view.output_shape.row_bytes()))?;
        sums.fill(0);
        stage.begin(&view, sums).map_err(explain)?;
        Ok(Self { stage, view, sums, row })
    }

    /// Takes the next row of the picture: `row` holds it alone. Gives the row of the half that it completes, if any.
    pub(super) fn push(&mut self, row: &Strip<'_>) -> Result<Option<Strip<'_>>, FormatError> {
        let (at, last) = (row.rows().start(), row.rows().end() == self.view.input_shape.rows);
        let complete = at % 2 == 1 || last;
        let made = Rows::new(at / 2, at / 2 + u32::from(complete));
        let (region, shape) = (self.view.output.with_rows(made), self.view.output_shape);
        let mut out = StripMut::new(self.row, region, shape).unwrap_or_else(StripMut::empty);
        self.stage.process(&self.view, self.sums, row, &mut out).map_err(explain)?;
        Ok(if complete { Strip::new(self.row, region, shape) } else { None })
    }
}

/// The stage that halves a picture of this shape.
fn step(shape: Shape) -> Result<(Box<dyn Stage>, View), FormatError> {
    let built = cpu::build("shrink", "2", shape, &[]).map_err(explain)?;
    let stage = built.stages.into_iter().next().ok_or_else(|| usage("no stage shrinks".to_owned()))?;
    let output_shape = stage.output(shape).map_err(explain)?;
    let view =
        View { input_shape: shape, output_shape, input: shape.region(), output: output_shape.region() };
    Ok((stage, view))
}

fn explain(error: StageError) -> FormatError {
    match error {
        StageError::Memory(exhausted) => FormatError::Memory(exhausted),
        other => usage(format!("the smaller copies: {other}")),
    }
}
