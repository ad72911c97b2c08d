//! Resizing by a window of rows: enlarging, and shrinking to no less than half.
//!
//! For each output row the rows of its window are weighed into one row, and that row is resampled along itself. Only
//! that row is kept between the two passes, with bits to spare over the sample.

use super::axis::Taps;
use super::columns::Columns;
use super::geometry::{Axes, Geometry};
use super::pass::Pass;
use super::rows::{MAX_ROWS, weigh};
use crate::budget::{Budget, Layout};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Sample, Shape};
use crate::strip::{Strip, StripMut};

/// Resizes with a window of rows. See [`Geometry`] for positions and borders, [`Scale`](super::Scale) for the accuracy.
///
/// Memory: one row of the input (2 bytes a sample for u8, 4 for others) and the weights of the columns. Where positions
/// repeat after a few pixels, as with 9/10, these take a few KiB at any width and otherwise at most 1 MiB; where that
/// is too little, 8 bytes and the weights of each output column (6 taps of Lanczos3: 12 bytes for u8, 24 for others).
#[derive(Clone, Copy, Debug)]
pub struct Resize<T> {
    geometry: Geometry,
    kind: core::marker::PhantomData<fn(T)>,
}

impl<T: Pass> Resize<T> {
    /// Resizes by `geometry`.
    pub const fn new(geometry: Geometry) -> Self {
        Self { geometry, kind: core::marker::PhantomData }
    }

    fn columns(&self, axes: &Axes, view: &View) -> Columns {
        Columns::new::<T>(axes.cols, self.geometry.kernel, view.input_shape.bands, view.output.cols)
    }

    /// Samples of the row between the passes, where blocks of columns are averaged after the first.
    fn whole_row(&self, axes: &Axes, view: &View) -> u64 {
        let averaged = axes.cols.block() > 1;
        if averaged { u64::from(view.input.cols.len()) * u64::from(view.input_shape.bands) } else { 0 }
    }
}

impl<T: Pass> Stage for Resize<T> {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind != T::Sample::KIND {
            return Err(StageError::Kind { stage: "resize", kind: input.kind });
        }
        let output = self.geometry.output(input)?;
        let axes = self.geometry.axes(input);
        if axes.rows.most_blocks(self.geometry.kernel) > MAX_ROWS {
            return Err(StageError::Geometry {
                stage: "resize",
                problem: "a window of rows cannot shrink this far",
                wanted: u64::from(axes.rows.most_blocks(self.geometry.kernel)),
                there: u64::from(MAX_ROWS),
            });
        }
        Ok(output)
    }

    fn input(&self, output: Region, input: Shape) -> Region {
        let axes = self.geometry.axes(input);
        let kernel = self.geometry.kernel;
        Region::new(axes.rows.pixels(kernel, output.rows), axes.cols.blocked().pixels(kernel, output.cols))
    }

    fn reach(&self, input: Shape) -> u32 {
        self.geometry.axes(input).rows.most_pixels(self.geometry.kernel)
    }

    fn memory(&self, view: &View) -> u64 {
        let axes = self.geometry.axes(view.input_shape).with_blocked_cols();
        let columns = self.columns(&axes, view);
        let rows =
            Layout::new().with::<T::Mid>(columns.row_samples()).with::<T::Mid>(self.whole_row(&axes, view));
        columns.layout::<T>(rows).bytes()
    }

    fn begin(&self, view: &View, memory: &mut [u8]) -> Result<(), StageError> {
        let axes = self.geometry.axes(view.input_shape).with_blocked_cols();
        let columns = self.columns(&axes, view);
        let mut budget = Budget::new(memory);
        budget.lease::<T::Mid>("resize row", columns.row_samples() as usize)?;
        budget.lease::<T::Mid>("resize whole row", self.whole_row(&axes, view) as usize)?;
        columns.fill::<T>(&mut columns.lease::<T>(&mut budget)?);
        Ok(())
    }

    #[inline(always)]
    fn process(
        &self,
        view: &View,
        memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        let axes = self.geometry.axes(view.input_shape).with_blocked_cols();
        let columns = self.columns(&axes, view);
        let mut budget = Budget::new(memory);
        let row = budget.lease::<T::Mid>("resize row", columns.row_samples() as usize)?;
        let whole = budget.lease::<T::Mid>("resize whole row", self.whole_row(&axes, view) as usize)?;
        let tables = columns.lease::<T>(&mut budget)?;
        let bands = usize::from(view.input_shape.bands);
        for at in output.rows().iter() {
            let taps: Taps = axes.rows.taps(self.geometry.kernel, at, T::WEIGHT_BITS);
            if whole.is_empty() {
                weigh::<T>(input, &taps, columns.pixels(row));
            } else {
                weigh::<T>(input, &taps, whole);
                average::<T>(whole, bands, axes.cols.block() as usize, columns.pixels(row));
            }
            columns.run::<T, T::Sample>(&tables, row, output.row_mut::<T::Sample>(at), T::finish);
        }
        Ok(())
    }
}

/// Averages blocks of columns.
#[inline(always)]
fn average<T: Pass>(row: &[T::Mid], bands: usize, block: usize, output: &mut [T::Mid]) {
    let blocks = row.chunks(block.saturating_mul(bands).max(1));
    for (output, run) in output.chunks_exact_mut(bands.max(1)).zip(blocks) {
        for (band, output) in output.iter_mut().enumerate() {
            *output = T::mean(run, band, bands);
        }
    }
}
