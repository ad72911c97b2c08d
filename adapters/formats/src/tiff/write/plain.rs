//! Uncompressed files: every pixel's offset is known, so each worker writes its band by itself.
//!
//! Header, directory and tables stand before the pixels and are written first. The rows of file strips follow each
//! other without gaps and go out as they lie in the strip; the rows of tiles are gathered through a buffer, one column
//! of tiles after the other. Workers that meet inside a tile write different rows of it.

use super::form::Form;
use super::ifd::{Others, Places, write_directory, write_header, write_link};
use super::order::Order;
use super::predictor::{TURN, turn};
use super::usage;
use crate::{FormatError, Metadata, Output, RowSink, Tail, Target, Wanted, Writer};
use plimsoll_core::budget::{Budget, Layout};
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Need, Sink};
use plimsoll_core::shape::Rows;
use plimsoll_core::strip::Strip;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that are gathered before they are written, if a row is not larger.
const GATHER_BYTES: u64 = 256 << 10;

const CONSUMER: &str = "rows for the TIFF";

/// An uncompressed TIFF.
pub(super) struct Plain {
    form: Form,
    /// Bytes that other pages of the file take.
    beside: u64,
}

impl Plain {
    pub(super) fn new(form: Form, beside: u64) -> Self {
        Self { form, beside }
    }
}

/// Whether rows must be copied before they can be written.
fn gathers(form: &Form) -> bool {
    form.grid.tiled || (TURN && form.grid.shape.kind.bytes() > 1)
}

/// Bytes of a sink's buffer: whole rows of a unit, never more than a unit.
fn gather_bytes(form: &Form) -> u64 {
    if !gathers(form) {
        return 0;
    }
    let row = form.grid.unit_row_bytes();
    let rows = (GATHER_BYTES / row).clamp(1, u64::from(form.grid.unit_rows));
    rows * row
}

impl Target for Plain {
    fn describe(&self) -> String {
        self.form.describe()
    }

    fn ordered(&self) -> bool {
        false
    }

    fn needs(&self) -> Vec<Need> {
        let buffer = Layout::new().with::<u8>(gather_bytes(&self.form)).bytes();
        let objects = size_of::<PlainSink<'_>>() as u64;
        vec![
            Need::fixed(CONSUMER, buffer, Each::Worker, Place::Arena),
            Need::fixed("TIFF writer", size_of::<PlainWriter>() as u64, Each::Job, Place::Heap),
            Need::fixed("TIFF sink", objects, Each::Worker, Place::Heap),
        ]
    }

    fn file_bytes(&self) -> u64 {
        self.form.file_bytes()
    }

    fn carry(&self, metadata: &Arc<dyn Metadata>) -> Option<Box<dyn Target>> {
        let wanted = Wanted { beside: self.beside, ..Wanted::default() };
        let form = Form::new(self.form.grid, None, &wanted, Some(Arc::clone(metadata)));
        Some(Box::new(Self { form, ..*self }))
    }

    fn create(&self, output: Output) -> Result<Box<dyn Writer>, FormatError> {
        self.append(output, Tail::default())
    }

    fn append(&self, output: Output, after: Tail) -> Result<Box<dyn Writer>, FormatError> {
        let form = self.form.clone();
        let (directory, link) = form.place(after);
        let first = form.first_pixel(directory);
        if after.bytes == 0 {
            write_header(&form, &*output, directory)?;
        }
        let before = if after.bytes == 0 { directory } else { after.bytes };
        write_directory(&form, &*output, before, directory, Places::Even { first }, Others::default())?;
        if after.bytes > 0 {
            write_link(&form, &*output, link, directory)?;
        }
        Ok(Box::new(PlainWriter { form, output, directory, first, rows_done: AtomicU64::new(0) }))
    }
}

struct PlainWriter {
    form: Form,
    output: Output,
    /// Where the directory stands.
    directory: u64,
    /// Where the pixels begin.
    first: u64,
    rows_done: AtomicU64,
}

impl Writer for PlainWriter {
    fn sink<'a>(&'a self, rows: Rows, budget: &mut Budget<'a>) -> Result<RowSink<'a>, FormatError> {
        let bytes = usize::try_from(gather_bytes(&self.form)).unwrap_or(usize::MAX);
        // Not even an empty lease is free of charge if the arena starts in between.
        let buffer = if bytes == 0 { &mut [] } else { budget.lease(CONSUMER, bytes)? };
        let rows = rows.intersect(self.form.grid.shape.all_rows());
        Ok(Box::new(PlainSink { writer: self, rows, order: Order::new(self.form.grid.shape, rows), buffer }))
    }

    fn tail(&self) -> Tail {
        let bytes = self.first.saturating_add(self.form.units_bytes());
        Tail { bytes, link: self.form.link(self.directory) }
    }

    fn finish(self: Box<Self>) -> Result<(), FormatError> {
        let (done, rows) = (self.rows_done.load(Ordering::Acquire), self.form.grid.shape.rows);
        if done == u64::from(rows) {
            return Ok(());
        }
        Err(usage(format!("{done} of {rows} rows were written")))
    }
}

struct PlainSink<'a> {
    writer: &'a PlainWriter,
    rows: Rows,
    order: Order,
    buffer: &'a mut [u8],
}

impl Sink for PlainSink<'_> {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        self.order.take(strip)?;
        let grid = self.writer.form.grid;
        if grid.tiled {
            return self.write_tiles(strip);
        }
        let mut at = self.writer.first + u64::from(strip.rows().start()) * grid.shape.row_bytes();
        for part in strip.parts() {
            if gathers(&self.writer.form) {
                self.write_turned(at, part)?;
            } else {
                self.writer.put(at, part)?;
            }
            at += part.len() as u64;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), FormatError> {
        self.order.finish()?;
        if self.writer.form.grid.tiled && self.rows.end() == self.writer.form.grid.shape.rows {
            self.pad_below()?;
        }
        self.writer.rows_done.fetch_add(u64::from(self.rows.len()), Ordering::Release);
        Ok(())
    }
}

impl PlainWriter {
    fn put(&self, offset: u64, bytes: &[u8]) -> Result<(), FormatError> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.output.write_at(offset, bytes).map_err(|source| FormatError::write(offset, source))
    }

    /// Where row `row` of the image begins in the tiles of column `column`.
    fn tile_row_offset(&self, column: u64, row: u32) -> u64 {
        let grid = self.form.grid;
        let tile = u64::from(row / grid.unit_rows) * grid.across() + column;
        self.first + tile * grid.unit_bytes() + u64::from(row % grid.unit_rows) * grid.unit_row_bytes()
    }
}

impl PlainSink<'_> {
    /// Writes one column of tiles after the other, as many rows at once as the buffer holds.
    fn write_tiles(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        let grid = self.writer.form.grid;
        let (row_bytes, sample_bytes) = (grid.unit_row_bytes() as usize, grid.shape.kind.bytes());
        let most = (self.buffer.len() / row_bytes).max(1) as u32;
        let mut row = strip.rows().start();
        while row < strip.rows().end() {
            let tile_end = (row / grid.unit_rows + 1).saturating_mul(grid.unit_rows);
            let rows = Rows::new(row, tile_end.min(strip.rows().end()).min(row.saturating_add(most)));
            for column in 0..grid.across() {
                let start = column as usize * row_bytes;
                for (segment, row) in self.buffer.chunks_exact_mut(row_bytes).zip(rows.iter()) {
                    let samples = strip.row_bytes(row).get(start..).unwrap_or(&[]);
                    let inside = samples.len().min(row_bytes);
                    let (pixels, padding) = segment.split_at_mut(inside);
                    pixels.copy_from_slice(samples.get(..inside).unwrap_or(&[]));
                    padding.fill(0);
                }
                let gathered = self.buffer.get_mut(..rows.len() as usize * row_bytes).unwrap_or(&mut []);
                turn(gathered, sample_bytes);
                self.writer.put(self.writer.tile_row_offset(column, row), gathered)?;
            }
            row = rows.end();
        }
        Ok(())
    }

    /// Writes samples whose bytes must be turned around.
    fn write_turned(&mut self, mut at: u64, samples: &[u8]) -> Result<(), FormatError> {
        for piece in samples.chunks(self.buffer.len().max(1)) {
            let gathered = self.buffer.get_mut(..piece.len()).unwrap_or(&mut []);
            gathered.copy_from_slice(piece);
            turn(gathered, self.writer.form.grid.shape.kind.bytes());
            self.writer.put(at, gathered)?;
            at += piece.len() as u64;
        }
        Ok(())
    }

    /// Zeros for the rows of the last tiles that lie below the image.
    fn pad_below(&mut self) -> Result<(), FormatError> {
        let grid = self.writer.form.grid;
        let used = grid.shape.rows % grid.unit_rows;
        if used == 0 {
            return Ok(());
        }
        self.buffer.fill(0);
        for column in 0..grid.across() {
            let mut at = self
                .writer
                .tile_row_offset(column, grid.shape.rows - 1)
                .saturating_add(grid.unit_row_bytes());
            let mut left = u64::from(grid.unit_rows - used) * grid.unit_row_bytes();
            while left > 0 {
                let bytes = left.min(self.buffer.len() as u64);
                self.writer.put(at, self.buffer.get(..bytes as usize).unwrap_or(&[]))?;
                at += bytes;
                left -= bytes;
            }
        }
        Ok(())
    }
}
