//! Resizing by exact areas: each output pixel is the average of what it covers, parts of pixels included.
//!
//! Rows that lie wholly within an output row are added up column by column, at the speed of memory. Only the row that
//! two output rows share is split: its columns are summed at once and counted with its part for each.
//!
//! The invariant: a part is a whole number of units of `2^-bits` pixels, and the parts of a pixel sum to one. So no
//! pixel counts more than another, and integer sums are exact.

use super::average::{Average, Count, add_rows};
use super::axis::Axis;
use super::geometry::{Axes, Geometry};
use super::kernel::Kernel;
use crate::budget::{Budget, Exhausted, Layout};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Rows, Shape};
use crate::strip::{Strip, StripMut};

/// Averages exact areas; for geometries with [`Kernel::Box`] that do not enlarge the rows. See [`Geometry`].
///
/// Positions are rounded to `2^-bits` pixels, so that an output pixel has `2^22` to `2^23` units along each axis: that
/// changes an average of 16-bit samples by at most 0.1. Means are rounded with halves up; floats are summed in double
/// precision in the order of rows, then columns.
///
/// Takes each input row once. Memory: one sum for each sample of an input row (4 bytes; 8 for floats, 16 for 64-bit
/// integers), two rows of sums of the output's width and the edges of its columns (8 bytes each).
#[derive(Clone, Copy, Debug)]
pub struct Area<T> {
    geometry: Geometry,
    kind: core::marker::PhantomData<fn(T)>,
}

/// Units of an axis.
#[derive(Clone, Copy, Debug)]
struct Units {
    axis: Axis,
    bits: u32,
}

impl Units {
    /// As fine as it goes while an output pixel has at most 2^23 units, so that sums of 16-bit samples over both axes
    /// fit 63 bits.
    fn new(axis: Axis) -> Self {
        let (num, den) = axis.factor();
        let fits = |bits: &u32| den << bits < num << 23;
        Self { axis, bits: (0..=31).rev().find(fits).unwrap_or(0) }
    }

    /// One whole pixel.
    fn one(&self) -> u64 {
        1 << self.bits
    }

    /// Where output pixel `at` begins.
    fn edge(&self, at: u32) -> u64 {
        let (num, _) = self.axis.factor();
        let unit = (2 * num.unsigned_abs()).max(1);
        let limit = u64::from(self.axis.input()).saturating_mul(unit);
        let edge = self.axis.edge(at).max(0).unsigned_abs().min(limit);
        ((edge / unit) << self.bits) + (((edge % unit) << self.bits) + unit / 2) / unit
    }

    /// How much pixel `pixel` counts for output pixel `at`.
    fn part(&self, pixel: u32, at: u32) -> u32 {
        let (start, one) = (u64::from(pixel) << self.bits, self.one());
        let from = self.edge(at).max(start);
        self.edge(at + 1).min(start + one).saturating_sub(from) as u32
    }
}

/// The memory of an average.
struct Memory<'m, T: Average> {
    sums: &'m mut [T::Column],
    totals: &'m mut [T::Total],
    edges: &'m mut [u64],
}

impl<T: Average> Area<T> {
    /// Averages by `geometry`, whatever its kernel.
    pub fn new(geometry: Geometry) -> Self {
        Self { geometry: Geometry::new(geometry.target, Kernel::Box), kind: core::marker::PhantomData }
    }

    fn lease<'m>(&self, view: &View, memory: &'m mut [u8]) -> Result<Memory<'m, T>, Exhausted> {
        let mut budget = Budget::new(memory);
        let bands = usize::from(view.input_shape.bands);
        let cols = view.output.cols.len() as usize;
        Ok(Memory {
            sums: budget.lease("resize sums", (view.input.cols.len() as usize).saturating_mul(bands))?,
            totals: budget.lease("resize totals", cols.saturating_mul(2).saturating_mul(bands))?,
            edges: budget.lease("resize edges", cols.saturating_add(1))?,
        })
    }
}

/// Divides the totals of a complete output row, which is `height` units high.
#[inline(always)]
fn store<T: Average>(totals: &[T::Total], edges: &[u64], bands: usize, height: u64, output: &mut [T]) {
    let ends = edges.get(1..).unwrap_or_default();
    let pixels = output.chunks_exact_mut(bands.max(1)).zip(totals.chunks_exact(bands.max(1)));
    for ((output, totals), (start, end)) in pixels.zip(edges.iter().zip(ends)) {
        let count = Count::new(end.saturating_sub(*start).saturating_mul(height));
        for (output, total) in output.iter_mut().zip(totals) {
            *output = T::mean(*total, &count);
        }
    }
}

/// Adds `units` times a row, given as sums of its columns, to the totals of one output row.
#[inline(always)]
fn add_row<T: Average, X: Copy>(
    row: &[X],
    column: impl Fn(X) -> T::Column + Copy,
    bands: usize,
    bits: u32,
    edges: &[u64],
    units: u32,
    totals: &mut [T::Total],
) {
    let ends = edges.get(1..).unwrap_or_default();
    let one = 1u64 << bits;
    for (totals, (start, end)) in totals.chunks_exact_mut(bands.max(1)).zip(edges.iter().zip(ends)) {
        let (first, last) = (start >> bits, end.saturating_sub(1) >> bits);
        let first_part = (((first + 1) << bits).min(*end) - start) as u32;
        let last_part = if last > first { (end - (last << bits)) as u32 } else { 0 };
        let at = |pixel: u64| pixel as usize * bands;
        let whole = row.get(at(first + 1)..at(last.max(first + 1))).unwrap_or_default();
        let first = row.get(at(first)..).unwrap_or_default();
        let last = row.get(at(last)..).unwrap_or_default();
        for (band, total) in totals.iter_mut().enumerate() {
            let inner = whole.iter().skip(band).step_by(bands.max(1));
            let inner = inner.fold(T::Total::default(), |sum, x| T::add_column(sum, column(*x), 1));
            let mut sum = T::add_total(T::Total::default(), inner, one as u32);
            if let (Some(first), Some(last)) = (first.get(band), last.get(band)) {
                sum = T::add_column(sum, column(*first), first_part);
                // A part of nothing is not looked at: infinity times zero would be NaN.
                if last_part > 0 {
                    sum = T::add_column(sum, column(*last), last_part);
                }
            }
            *total = T::add_total(*total, sum, units);
        }
    }
}

impl<T: Average> Stage for Area<T> {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn vectorises(&self) -> bool {
        !T::KIND.is_long()
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind != T::KIND {
            return Err(StageError::Kind { stage: "resize", kind: input.kind });
        }
        let output = self.geometry.output(input)?;
        if output.rows > input.rows {
            return Err(StageError::Geometry {
                stage: "resize",
                problem: "a reduction cannot add rows",
                wanted: u64::from(output.rows),
                there: u64::from(input.rows),
            });
        }
        Ok(output)
    }

    fn input(&self, output: Region, input: Shape) -> Region {
        let Axes { rows, cols } = self.geometry.axes(input);
        Region::new(rows.pixels(Kernel::Box, output.rows), cols.pixels(Kernel::Box, output.cols))
    }

    fn reach(&self, input: Shape) -> u32 {
        self.geometry.axes(input).rows.most_pixels(Kernel::Box)
    }

    fn absorbs(&self) -> bool {
        true
    }

    fn memory(&self, view: &View) -> u64 {
        let bands = u64::from(view.input_shape.bands);
        let cols = u64::from(view.output.cols.len());
        Layout::new()
            .with::<T::Column>(u64::from(view.input.cols.len()) * bands)
            .with::<T::Total>(2 * cols * bands)
            .with::<u64>(cols + 1)
            .bytes()
    }

    fn begin(&self, view: &View, memory: &mut [u8]) -> Result<(), StageError> {
        let units = Units::new(self.geometry.axes(view.input_shape).cols);
        let memory = self.lease(view, memory)?;
        let first = u64::from(view.input.cols.start()) << units.bits;
        for (edge, at) in memory.edges.iter_mut().zip(view.output.cols.start()..) {
            *edge = units.edge(at).saturating_sub(first);
        }
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
        let axes = self.geometry.axes(view.input_shape);
        let (rows, bits) = (Units::new(axes.rows), Units::new(axes.cols).bits);
        let memory = self.lease(view, memory)?;
        let bands = usize::from(view.input_shape.bands);
        let width = memory.totals.len() / 2;
        for at in output.rows().start()..view.output.rows.end() {
            let covered = axes.rows.blocks(Kernel::Box, at);
            let wanted = output.rows().contains(at);
            if covered.start() >= input.rows().end() && !wanted {
                break;
            }
            let start = (at % 2) as usize * width;
            let totals = memory.totals.get_mut(start..start + width).unwrap_or_default();
            // The row that two output rows share is counted for both while it is here.
            let here = covered.intersect(input.rows());
            let mut row = here.start();
            while row < here.end() {
                if row == covered.start() {
                    totals.fill(T::Total::default());
                }
                let part = rows.part(row, at);
                if u64::from(part) == rows.one() {
                    let is_whole = |row: &u32| u64::from(rows.part(*row, at)) == rows.one();
                    let end = (row..here.end()).take_while(is_whole).last().unwrap_or(row) + 1;
                    add_rows::<T>(memory.sums, input, Rows::new(row, end), false);
                    row = end;
                } else {
                    if part > 0 {
                        add_row::<T, T>(
                            input.row::<T>(row),
                            T::column,
                            bands,
                            bits,
                            memory.edges,
                            part,
                            totals,
                        );
                    }
                    row += 1;
                }
            }
            if !here.is_empty() && here.end() == covered.end() {
                let one = rows.one() as u32;
                add_row::<T, T::Column>(memory.sums, |sum| sum, bands, bits, memory.edges, one, totals);
                memory.sums.fill(T::Column::default());
            }
            if wanted && covered.end() <= input.rows().end() {
                let height = rows.edge(at + 1).saturating_sub(rows.edge(at));
                store::<T>(totals, memory.edges, bands, height, output.row_mut::<T>(at));
            }
        }
        Ok(())
    }
}
