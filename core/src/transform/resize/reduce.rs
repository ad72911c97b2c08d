//! Resizing to less than half: rows are taken as they come, and no window of them is kept.
//!
//! Blocks of pixels are averaged where the reduction is large; each row of averages is resampled along itself to the
//! output's width, and added with its weight to the few output rows that it counts for.
//!
//! The invariant: output row `i` lives in slot `i % slots`, from the first row that it looks at to the last.

use super::arith::Scale;
use super::average::{Average, add_rows};
use super::axis::MAX_TAPS;
use super::columns::{Columns, Tables};
use super::geometry::{Axes, Geometry};
use super::means::take_means;
use crate::budget::{Budget, Exhausted, Layout};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Rows, Sample, Shape};
use crate::strip::{Strip, StripMut};

/// Resizes by taking each row once. See [`Geometry`] for positions and borders, [`Scale`] for the accuracy (blocks are
/// averaged exactly before).
///
/// Memory: one sum for each sample of an input row where blocks are averaged (4 bytes; 8 for f32), the kernel's
/// diameter + 2 rows of sums of the output's width (4 bytes a sample; 8 for f32), a row between the passes, and the
/// weights of the columns. 20000 -> 512 columns of RGB8: 421 kB.
#[derive(Clone, Copy, Debug)]
pub struct Reduce<T> {
    geometry: Geometry,
    /// The picture whose [`Means`](super::Means) are the input, where it does not average blocks itself.
    picture: Option<Shape>,
    kind: core::marker::PhantomData<fn(T)>,
}

/// The memory of a reduction.
struct Memory<'m, T: Scale + Average> {
    /// Sums of the columns of blocks.
    sums: &'m mut [T::Column],
    /// A row of averages, with what vectors touch on both sides.
    row: &'m mut [T::Mid],
    /// The same row at the output's width.
    narrow: &'m mut [T::Mid],
    /// Sums of the open output rows.
    slots: &'m mut [T::Sum],
    /// Weights of the open output rows.
    weights: &'m mut [T::Weight],
    tables: Tables<'m, T::Weight>,
}

/// What one run covers.
struct Pass<'v> {
    axes: Axes,
    columns: Columns,
    view: &'v View,
    rows_of: RowsOf,
}

/// What the input's rows are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RowsOf {
    /// Samples that are resampled.
    Samples,
    /// Samples whose blocks are averaged first.
    Blocks,
    /// Averages of blocks.
    Means,
}

/// Lengths of the leases.
struct Lengths {
    sums: u64,
    row: u64,
    narrow: u64,
    slots: u64,
}

impl<T: Scale + Average> Reduce<T> {
    /// Resizes by `geometry`, which must not enlarge the rows.
    pub const fn new(geometry: Geometry) -> Self {
        Self { geometry, picture: None, kind: core::marker::PhantomData }
    }

    /// The same for an input of the [`Means`](super::Means) of `picture`: together they give the same bits.
    pub const fn of_means(geometry: Geometry, picture: Shape) -> Self {
        Self { picture: Some(picture), ..Self::new(geometry) }
    }

    /// The axes from the picture to the output.
    fn axes(&self, input: Shape) -> Axes {
        self.geometry.axes(self.picture.unwrap_or(input)).blocked()
    }

    fn pass<'v>(&self, view: &'v View) -> Pass<'v> {
        let axes = self.axes(view.input_shape);
        let bands = view.input_shape.bands;
        let columns = Columns::new::<T>(axes.cols, self.geometry.kernel, bands, view.output.cols);
        let blocked = axes.rows.block() > 1 || axes.cols.block() > 1;
        let rows_of = match self.picture {
            Some(_) => RowsOf::Means,
            None if blocked => RowsOf::Blocks,
            None => RowsOf::Samples,
        };
        Pass { axes, columns, view, rows_of }
    }

    fn lengths(&self, pass: &Pass<'_>) -> Lengths {
        let (view, bands) = (pass.view, u64::from(pass.view.input_shape.bands));
        Lengths {
            sums: if pass.rows_of == RowsOf::Blocks { u64::from(view.input.cols.len()) * bands } else { 0 },
            row: pass.columns.row_samples(),
            narrow: u64::from(view.output.cols.len()) * bands,
            slots: self.slots() as u64,
        }
    }

    /// Output rows that may be open at once.
    fn slots(&self) -> usize {
        (self.geometry.kernel.diameter().unsigned_abs() as usize + 2).max(1)
    }

    /// Input rows that output rows `at` need.
    fn needs(&self, axes: &Axes, at: Rows) -> Rows {
        match self.picture {
            Some(_) => axes.rows.span(self.geometry.kernel, at),
            None => axes.rows.pixels(self.geometry.kernel, at),
        }
    }

    #[inline(always)]
    fn lease<'m>(&self, pass: &Pass<'_>, memory: &'m mut [u8]) -> Result<Memory<'m, T>, Exhausted> {
        let lengths = self.lengths(pass);
        let mut budget = Budget::new(memory);
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Ok(Memory {
            sums: budget.lease("resize sums", count(lengths.sums))?,
            row: budget.lease("resize row", count(lengths.row))?,
            narrow: budget.lease("resize narrow row", count(lengths.narrow))?,
            slots: budget.lease("resize open rows", count(lengths.slots.saturating_mul(lengths.narrow)))?,
            weights: budget.lease("resize row weights", count(lengths.slots * MAX_TAPS as u64))?,
            tables: pass.columns.lease::<T>(&mut budget)?,
        })
    }

    /// Adds row `block` of averages, now in `memory.row`, to the output rows that it counts for, and stores those
    /// that are complete. `next` is the first output row that is not.
    #[inline(always)]
    fn add_row(
        &self,
        pass: &Pass<'_>,
        memory: &mut Memory<'_, T>,
        block: u32,
        next: &mut u32,
        output: &mut StripMut<'_>,
    ) {
        let Memory { row, narrow, slots, weights, tables, .. } = memory;
        pass.columns.run::<T, T::Mid>(tables, row, narrow, T::mid_of_mids);
        let rows = &pass.axes.rows;
        let width = narrow.len();
        for at in *next..pass.view.output.rows.end() {
            let blocks = rows.blocks(self.geometry.kernel, at);
            if blocks.start() > block {
                break;
            }
            let slot = at as usize % self.slots();
            let sums = slots.get_mut(slot * width..slot * width + width).unwrap_or_default();
            let weights = weights.get_mut(slot * MAX_TAPS..slot * MAX_TAPS + MAX_TAPS).unwrap_or_default();
            if blocks.start() == block {
                sums.fill(T::Sum::default());
                let taps = rows.taps(self.geometry.kernel, at, T::WEIGHT_BITS);
                weights.fill(T::weight(0));
                for (weight, units) in weights.iter_mut().zip(taps.units()) {
                    *weight = T::weight(*units);
                }
            }
            let weight = weights.get((block - blocks.start()) as usize).copied().unwrap_or_default();
            add_weighted::<T>(sums, narrow, weight);
            if blocks.end() == block + 1 && output.rows().contains(at) {
                finish::<T>(sums, output.row_mut::<T>(at));
                *next = at + 1;
            }
        }
    }
}

/// Stores a complete output row.
#[inline(always)]
fn finish<T: Scale>(sums: &[T::Sum], output: &mut [T]) {
    for (to, sum) in output.iter_mut().zip(sums) {
        *to = T::finish(*sum);
    }
}

#[inline(always)]
fn add_weighted<T: Scale>(sums: &mut [T::Sum], row: &[T::Mid], weight: T::Weight) {
    for (sum, mid) in sums.iter_mut().zip(row) {
        *sum = T::add_mid(*sum, *mid, weight);
    }
}

impl<T: Scale + Average> Stage for Reduce<T> {
    fn name(&self) -> &'static str {
        "resize"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        let kind = if self.picture.is_some() { T::Mid::KIND } else { T::KIND };
        if input.kind != kind {
            return Err(StageError::Kind { stage: "resize", kind: input.kind });
        }
        let picture = self.picture.unwrap_or(input);
        let output = self.geometry.output(picture)?;
        let wrong = |problem, wanted: u32, there: u32| StageError::Geometry {
            stage: "resize",
            problem,
            wanted: u64::from(wanted),
            there: u64::from(there),
        };
        if output.rows > picture.rows {
            return Err(wrong("a reduction cannot add rows", output.rows, picture.rows));
        }
        let axes = self.axes(input);
        if self.picture.is_some() && input.rows != axes.rows.input() {
            return Err(wrong("these are not the rows of means", axes.rows.input(), input.rows));
        }
        if self.picture.is_some() && input.cols != axes.cols.input() {
            return Err(wrong("these are not the columns of means", axes.cols.input(), input.cols));
        }
        Ok(Shape { bands: input.bands, ..output })
    }

    fn input(&self, output: Region, input: Shape) -> Region {
        let (axes, kernel) = (self.axes(input), self.geometry.kernel);
        let cols = match self.picture {
            Some(_) => axes.cols.span(kernel, output.cols),
            None => axes.cols.pixels(kernel, output.cols),
        };
        Region::new(self.needs(&axes, output.rows), cols)
    }

    fn reach(&self, input: Shape) -> u32 {
        let rows = self.axes(input).rows;
        match self.picture {
            Some(_) => rows.most_blocks(self.geometry.kernel),
            None => rows.most_pixels(self.geometry.kernel),
        }
    }

    fn absorbs(&self) -> bool {
        true
    }

    fn memory(&self, view: &View) -> u64 {
        let pass = self.pass(view);
        let lengths = self.lengths(&pass);
        let rows = Layout::new()
            .with::<T::Column>(lengths.sums)
            .with::<T::Mid>(lengths.row)
            .with::<T::Mid>(lengths.narrow)
            .with::<T::Sum>(lengths.slots.saturating_mul(lengths.narrow))
            .with::<T::Weight>(lengths.slots * MAX_TAPS as u64);
        pass.columns.layout::<T>(rows).bytes()
    }

    fn begin(&self, view: &View, memory: &mut [u8]) -> Result<(), StageError> {
        let pass = self.pass(view);
        let mut memory = self.lease(&pass, memory)?;
        pass.columns.fill::<T>(&mut memory.tables);
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
        let pass = self.pass(view);
        let mut memory = self.lease(&pass, memory)?;
        let bands = usize::from(view.input_shape.bands);
        let (height, width) = (pass.axes.rows.block().max(1), pass.axes.cols.block().max(1) as usize);
        let mut next = output.rows().start();
        // Rows at the lower edge end with the same input row: some may have waited for room.
        while output.rows().contains(next)
            && self.needs(&pass.axes, Rows::one(next)).end() <= input.rows().start()
        {
            let start = next as usize % self.slots() * memory.narrow.len();
            let sums = memory.slots.get(start..start + memory.narrow.len()).unwrap_or_default();
            finish::<T>(sums, output.row_mut::<T>(next));
            next += 1;
        }
        let mut row = input.rows().start();
        while row < input.rows().end() {
            let block = match pass.rows_of {
                RowsOf::Samples => {
                    let target = pass.columns.pixels(memory.row).iter_mut();
                    for (mid, sample) in target.zip(input.row::<T>(row)) {
                        *mid = sample.widen();
                    }
                    row
                }
                RowsOf::Means => {
                    let target = pass.columns.pixels(memory.row).iter_mut();
                    for (mid, mean) in target.zip(input.row::<T::Mid>(row)) {
                        *mid = *mean;
                    }
                    row
                }
                RowsOf::Blocks => {
                    let block = row / height;
                    let rows = pass.axes.rows.pixels_of(Rows::one(block));
                    let here = Rows::new(row, rows.end().min(input.rows().end()));
                    add_rows::<T>(memory.sums, input, here, here.start() == rows.start());
                    row = here.end() - 1;
                    if here.end() < rows.end() {
                        break;
                    }
                    take_means::<T>(memory.sums, bands, width, rows.len(), pass.columns.pixels(memory.row));
                    block
                }
            };
            row += 1;
            self.add_row(&pass, &mut memory, block, &mut next, output);
        }
        Ok(())
    }
}
