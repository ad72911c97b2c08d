//! The first half of a large reduction as a stage of its own: exact means of blocks of pixels.
//!
//! Unlike what follows it, it lets no two output rows share an input row: workers that meet behind it share but a few
//! rows of means.
//!
//! The invariant: the samples are those that [`Reduce`](super::Reduce) itself would make of the same blocks.

use super::arith::Scale;
use super::average::{Average, Count, add_blocks, add_rows};
use super::geometry::{Axes, Geometry};
use crate::budget::{Budget, Layout};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Rows, Sample, Shape};
use crate::strip::{Strip, StripMut};
use crate::transform::shrink::last_block;

/// Averages the blocks that [`Geometry`] lays out, in the precision of what lies between the passes of a resize: i16 in
/// steps of 1/64 for u8 (rounded to the nearest), f32 for all other kinds. Blocks that the edge cuts are averages of
/// the pixels that there are.
///
/// Takes each input row once, as it comes. Memory: one sum for each sample of an input row (4 bytes; 8 for f32).
#[derive(Clone, Copy, Debug)]
pub struct Means<T> {
    geometry: Geometry,
    kind: core::marker::PhantomData<fn(T)>,
}

impl<T: Scale + Average> Means<T> {
    /// The means that a resampling by `geometry` begins with.
    pub const fn new(geometry: Geometry) -> Self {
        Self { geometry, kind: core::marker::PhantomData }
    }

    fn axes(&self, input: Shape) -> Axes {
        self.geometry.axes(input).blocked()
    }
}

/// The means of one row of blocks of `block` columns and `rows` rows, whose columns were added up in `sums`, into
/// `target`; the sums are of no use afterwards.
#[inline(always)]
pub(super) fn take_means<T: Scale + Average>(
    sums: &mut [T::Column],
    bands: usize,
    block: usize,
    rows: u32,
    target: &mut [T::Mid],
) {
    let cut = last_block(sums.len().checked_div(bands).unwrap_or(0), block);
    let count = |cols: usize| Count::new(cols as u64 * u64::from(rows));
    let (whole, cut) = (count(block), count(cut));
    let done = T::mids_of_blocks(sums, bands, block, rows, target);
    let sums = sums.get(done * block * bands..).unwrap_or_default();
    let target = target.get_mut(done * bands..).unwrap_or_default();
    add_blocks::<T>(sums, bands, block, |total, pixels, index| {
        if let Some(target) = target.get_mut(index) {
            *target = T::mid_of_mean(T::exact(total, if pixels == block { &whole } else { &cut }));
        }
    });
}

impl<T: Scale + Average> Stage for Means<T> {
    fn name(&self) -> &'static str {
        "means"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind != T::KIND {
            return Err(StageError::Kind { stage: "resize", kind: input.kind });
        }
        self.geometry.output(input)?;
        let axes = self.axes(input);
        Ok(Shape { rows: axes.rows.input(), cols: axes.cols.input(), kind: T::Mid::KIND, ..input })
    }

    fn input(&self, output: Region, input: Shape) -> Region {
        let axes = self.axes(input);
        Region::new(axes.rows.pixels_of(output.rows), axes.cols.pixels_of(output.cols))
    }

    fn reach(&self, input: Shape) -> u32 {
        self.axes(input).rows.block().min(input.rows.max(1))
    }

    fn absorbs(&self) -> bool {
        true
    }

    fn memory(&self, view: &View) -> u64 {
        let samples = u64::from(view.input.cols.len()) * u64::from(view.input_shape.bands);
        Layout::new().with::<T::Column>(samples).bytes()
    }

    #[inline(always)]
    fn process(
        &self,
        view: &View,
        memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        let sums = Budget::new(memory).lease::<T::Column>("sums of columns", input.row_samples())?;
        let axes = self.axes(view.input_shape);
        let (height, width) = (axes.rows.block().max(1), axes.cols.block().max(1) as usize);
        let mut row = input.rows().start();
        while row < input.rows().end() {
            let block = row / height;
            let rows = axes.rows.pixels_of(Rows::one(block));
            let here = Rows::new(row, rows.end().min(input.rows().end()));
            add_rows::<T>(sums, input, here, here.start() == rows.start());
            row = here.end();
            if row == rows.end() && output.rows().contains(block) {
                let bands = usize::from(view.input_shape.bands);
                take_means::<T>(sums, bands, width, rows.len(), output.row_mut::<T::Mid>(block));
            }
        }
        Ok(())
    }
}
