//! The source: columns of blocks go through the stage as they are read, and what a row of blocks becomes is held.

use super::{Column, Columns, Sizes};
use crate::job::prefix::{Read, of_stage};
use plimsoll_core::pipeline::{Source, StageError, View};
use plimsoll_core::shape::{Cols, Region, Rows, Shape};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_formats::{FormatError, RowSource};
use plimsoll_os::timing::Timed;

/// The page's source behind the stage.
pub(super) struct Reader<'a> {
    pub(super) columns: Columns<'a>,
    pub(super) sizes: Sizes,
    pub(super) source: Timed<Read<'a>>,
    pub(super) part: &'a mut [u8],
    pub(super) window: &'a mut [u8],
    pub(super) left: &'a mut [u8],
    pub(super) made: &'a mut [u8],
    pub(super) states: &'a mut [u8],
    pub(super) held: &'a mut [u8],
    /// Output rows in `held`.
    pub(super) finished: Rows,
    /// The source row after the last one that was read.
    pub(super) read: u32,
}

impl<'a> Reader<'a> {
    /// Prepares the states.
    pub(super) fn begin(self) -> Result<RowSource<'a>, StageError> {
        let state = self.sizes.state as usize;
        for (column, state) in self.columns.columns().zip(self.states.chunks_exact_mut(state.max(1))) {
            if !column.made.is_empty() {
                self.columns.stage.begin(&self.columns.view_of(&column), state)?;
            }
        }
        Ok(Box::new(self))
    }

    /// Reads what is left of a row of blocks: all output rows that it completes are in `held` then.
    fn fill(&mut self) -> Result<(), FormatError> {
        let View { input, output, output_shape, .. } = self.columns.view;
        let side = self.columns.blocks.rows.max(1);
        let rows = Rows::new(self.read, (self.read / side).saturating_add(1).saturating_mul(side));
        let rows = rows.intersect(input.rows);
        let first = self.finished.end();
        let mut end = first;
        while end < output.rows.end() && self.columns.source_rows(end).end() <= rows.end() {
            end += 1;
        }
        let made = Rows::new(first, end);
        let row_bytes = output.cols.len() as usize * output_shape.pixel_bytes();
        if rows.is_empty() || made.len() as usize * row_bytes > self.held.len() {
            return Err(unplanned(Region::new(made, output.cols)));
        }
        let columns = self.columns.columns();
        for (column, state) in columns.zip(self.states.chunks_exact_mut(self.sizes.state.max(1) as usize)) {
            let mut next = first;
            let mut row = rows.start();
            while row < rows.end() {
                let part = Rows::new(row, row.saturating_add(self.columns.rows).min(rows.end()));
                let mut done = next;
                while done < end && self.columns.source_rows(done).end() <= part.end() {
                    done += 1;
                }
                let buffers = Buffers {
                    part: &mut *self.part,
                    window: &mut *self.window,
                    left: &mut *self.left,
                    left_row: self.sizes.left_row as usize,
                    first: rows.start(),
                    made: &mut *self.made,
                };
                let here = Rows::new(next, done);
                buffers.step(&self.columns, &mut self.source, &column, part, here, state)?;
                let pixel = output_shape.pixel_bytes();
                let start = (column.made.start() - output.cols.start()) as usize * pixel;
                let region = Region::new(here, column.made);
                if let Some(strip) =
                    Strip::new(self.made, region, output_shape).filter(|_| !region.is_empty())
                {
                    let held = self.held.chunks_exact_mut(row_bytes).skip((next - first) as usize);
                    for (row, held) in here.iter().zip(held) {
                        let samples = strip.row_bytes(row);
                        let into = held.get_mut(start..start + samples.len()).unwrap_or_default();
                        put(into, samples);
                    }
                }
                next = done;
                row = part.end();
            }
        }
        self.finished = made;
        self.read = rows.end();
        Ok(())
    }
}

/// What one part of a column goes through.
struct Buffers<'b> {
    part: &'b mut [u8],
    window: &'b mut [u8],
    left: &'b mut [u8],
    left_row: usize,
    /// The source row that the first row of `left` is of.
    first: u32,
    made: &'b mut [u8],
}

impl Buffers<'_> {
    /// Reads `rows` of a column of blocks and gives them, behind what was carried over, to the stage, which makes the
    /// output rows `made`; carries over what is for the next column.
    fn step(
        self,
        columns: &Columns<'_>,
        source: &mut Timed<Read<'_>>,
        column: &Column,
        rows: Rows,
        made: Rows,
        state: &mut [u8],
    ) -> Result<(), FormatError> {
        let View { input_shape, output_shape, .. } = columns.view;
        let bytes = |cols: Cols| cols.len() as usize * input_shape.pixel_bytes();
        let region = Region::new(rows, column.read);
        let Some(mut strip) = exactly(self.part, region, input_shape) else {
            return Err(unplanned(region));
        };
        source.read(&mut strip)?;
        let part = strip.as_strip();
        let waiting = self.left.chunks_exact_mut(self.left_row.max(1));
        let waiting = rows.iter().zip(waiting.skip((rows.start() - self.first) as usize));
        if column.made.is_empty() {
            let have = bytes(column.left) - bytes(column.read);
            for (row, waiting) in waiting {
                let samples = part.row_bytes(row);
                put(waiting.get_mut(have..).unwrap_or_default(), samples);
            }
            return Ok(());
        }
        let mut process = |input: &Strip<'_>| {
            let output = StripMut::new(self.made, Region::new(made, column.made), output_shape);
            let Some(mut output) = output else { return Err(unplanned(input.region())) };
            columns.stage.process(&columns.view_of(column), state, input, &mut output).map_err(of_stage)
        };
        if column.used == column.read {
            return process(&part);
        }
        let region = Region::new(rows, column.used);
        let Some(mut window) = exactly(self.window, region, input_shape) else {
            return Err(unplanned(region));
        };
        let before = bytes(Cols::new(column.used.start(), column.read.start()));
        for row in rows.iter() {
            let (head, tail) = window.row_bytes_mut(row).split_at_mut(before);
            put(tail, part.row_bytes(row));
            let at = (row - self.first) as usize * self.left_row;
            put(head, self.left.get(at..).unwrap_or_default());
            let rest = part.row_bytes(row).get(tail.len()..).unwrap_or_default();
            put(self.left.get_mut(at..).unwrap_or_default(), rest);
        }
        process(&window.as_strip())
    }
}

/// Copies as much as both have.
fn put(into: &mut [u8], from: &[u8]) {
    let bytes = into.len().min(from.len());
    into[..bytes].copy_from_slice(&from[..bytes]);
}

/// A strip in as many slots as it has rows: it wraps around as seldom as can be.
fn exactly(buffer: &mut [u8], region: Region, shape: Shape) -> Option<StripMut<'_>> {
    let bytes = region.cols.len() as usize * shape.pixel_bytes() * region.rows.len() as usize;
    StripMut::new(buffer.get_mut(..bytes)?, region, shape)
}

impl Source for Reader<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.columns.view.output_shape
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let row_bytes = self.columns.view.output.cols.len() as usize * self.shape().pixel_bytes();
        for row in strip.rows().iter() {
            while row >= self.finished.end() {
                self.fill()?;
            }
            let at = row.checked_sub(self.finished.start()).map(|at| at as usize * row_bytes);
            let held = at.and_then(|at| self.held.get(at..at + row_bytes));
            let Some(held) = held else { return Err(unplanned(strip.region())) };
            put(strip.row_bytes_mut(row), held);
        }
        Ok(())
    }
}

/// A plan that is not kept is our fault, and ends the run in order.
fn unplanned(region: Region) -> FormatError {
    FormatError::Usage { format: "stages", problem: format!("{region} by columns of blocks: not as planned") }
}
