//! The sink: it fills units row by row, has them compressed, and appends them in order; the directories follow.

use super::writer::PackedWriter;
use crate::crew::Crew;
use crate::queue::Turn;
use crate::tiff::write::codec::Coder;
use crate::tiff::write::form::Role;
use crate::tiff::write::grid::Grid;
use crate::tiff::write::halving::Halving;
use crate::tiff::write::ifd::{Others, Places, write_directory};
use crate::tiff::write::order::Order;
use crate::tiff::write::{predictor, usage};
use crate::{FormatError, Pyramid, Tail};
use plimsoll_core::pipeline::Sink;
use plimsoll_core::shape::Rows;
use plimsoll_core::strip::Strip;
use std::collections::VecDeque;
use std::io;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// A level of the file as it is filled and written.
pub(super) struct Filling {
    pub(super) grid: Grid,
    /// The row of units being filled; empty between two of them.
    pub(super) row: Vec<Vec<u8>>,
    /// How many of its rows are there.
    pub(super) row_filled: u32,
    /// Where each row of units begins, if rows of other levels lie in between.
    pub(super) starts: Vec<u64>,
    /// Bytes of each unit written.
    pub(super) counts: Vec<u32>,
}

/// Units of one row of a level that were handed over and are not yet written.
pub(super) struct Run {
    pub(super) level: u32,
    pub(super) left: u32,
}

pub(super) struct PackedSink<'a> {
    pub(super) writer: &'a PackedWriter,
    pub(super) order: Order,
    pub(super) queue: Crew<Coder>,
    pub(super) coder: Coder,
    pub(super) levels: Vec<Filling>,
    pub(super) halvings: Vec<Halving<'a>>,
    /// What the units that come out of the queue are.
    pub(super) runs: VecDeque<Run>,
    pub(super) scratch: Vec<u8>,
    /// Where the directories stand.
    pub(super) places: Vec<u64>,
    /// Where the next unit goes.
    pub(super) end: u64,
    pub(super) failed: bool,
}

impl Sink for PackedSink<'_> {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        self.unless_failed(|sink| {
            sink.order.take(strip)?;
            sink.queue.allow(sink.writer.allowed.load(Ordering::Relaxed));
            strip.rows().iter().try_for_each(|row| sink.write_row(strip.narrowed(Rows::one(row))))
        })
    }

    fn finish(&mut self) -> Result<(), FormatError> {
        self.unless_failed(|sink| {
            sink.order.finish()?;
            while sink.next_buffer(false)?.is_some() {}
            sink.queue.stop();
            sink.write_directories()
        })
    }
}

impl PackedSink<'_> {
    /// After an error there is no telling what is in the file: every later call is refused.
    fn unless_failed(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        if self.failed {
            return Err(usage("the output failed before".into()));
        }
        let result = work(self);
        self.failed = result.is_err();
        result
    }

    /// Puts one row of the picture into its units, and what it completes of the copies into theirs.
    fn write_row(&mut self, row: Strip<'_>) -> Result<(), FormatError> {
        self.fill(0, &row)?;
        // Each row is made out of one that the step before holds.
        let mut halvings = std::mem::take(&mut self.halvings);
        let mut made = row;
        for (level, halving) in (1..).zip(&mut halvings) {
            let Some(half) = halving.push(&made)? else { break };
            self.fill(level, &half)?;
            made = half;
        }
        self.halvings = halvings;
        Ok(())
    }

    /// Puts one row of a level into its units, and hands these over if it is their last.
    fn fill(&mut self, level: usize, strip: &Strip<'_>) -> Result<(), FormatError> {
        let Some(grid) = self.levels.get(level).map(|filling| filling.grid) else { return Ok(()) };
        let row = strip.rows().start();
        if self.levels.get(level).is_some_and(|filling| filling.row.is_empty()) {
            for _ in 0..grid.across() {
                let Some(raw) = self.next_buffer(true)? else { return Err(lost()) };
                self.levels[level].row.push(raw);
            }
            self.levels[level].row_filled = 0;
        }
        let Some(filling) = self.levels.get_mut(level) else { return Ok(()) };
        // Both fit, as a unit has at most 1 GiB.
        let row_bytes = grid.unit_row_bytes() as usize;
        let start = filling.row_filled as usize * row_bytes;
        let predicts = self.writer.target.packing.predicts();
        for (raw, samples) in filling.row.iter_mut().zip(strip.row_bytes(row).chunks(row_bytes)) {
            let out = raw.get_mut(start..start + row_bytes).unwrap_or(&mut []);
            let (kind, bands) = (grid.shape.kind, grid.shape.bands);
            match predicts {
                true => predictor::predict(kind, bands, samples, out, &mut self.scratch),
                false => predictor::store(kind, samples, out),
            }
        }
        filling.row_filled += 1;
        let is_last = row + 1 == grid.shape.rows;
        if filling.row_filled < grid.unit_rows && !is_last {
            return Ok(());
        }
        let filled = start + row_bytes;
        self.runs.push_back(Run { level: level as u32, left: filling.row.len() as u32 });
        for mut raw in filling.row.drain(..) {
            // A low last file strip stays low; tiles are padded: zeros have no differences.
            let len = if grid.tiled { raw.len() } else { filled };
            raw.get_mut(filled..).unwrap_or(&mut []).fill(0);
            self.queue.submit(raw, len);
        }
        Ok(())
    }

    /// Writes what is ready and compresses what nobody else does, until there is a raw buffer (with `fill`) or all
    /// units are written (without).
    fn next_buffer(&mut self, fill: bool) -> Result<Option<Vec<u8>>, FormatError> {
        loop {
            match self.queue.turn(fill) {
                Turn::Fill(raw) => return Ok(Some(raw)),
                Turn::Done => return Ok(None),
                Turn::Code(work) => self.queue.code(work, &mut self.coder),
                Turn::Write(unit) => {
                    let bytes = unit.about.and_then(|len| unit.out.get(..len)).ok_or_else(lost)?;
                    let output = &self.writer.output;
                    output
                        .write_at(self.end, bytes)
                        .map_err(|source| FormatError::write(self.end, source))?;
                    // At most 1.5 GiB and a little.
                    let len = bytes.len() as u32;
                    self.queue.written(unit.out);
                    self.note(len)?;
                }
                Turn::Dead => return Err(lost()),
            }
        }
    }

    /// The next unit of the file was written at its end, and has so many bytes.
    fn note(&mut self, bytes: u32) -> Result<(), FormatError> {
        let run = self.runs.front_mut().ok_or_else(lost)?;
        let filling = self.levels.get_mut(run.level as usize).ok_or_else(lost)?;
        let begins_row = (filling.counts.len() as u64).is_multiple_of(filling.grid.across());
        if begins_row && self.writer.target.pyramid.is_some() {
            filling.starts.push(self.end);
        }
        filling.counts.push(bytes);
        self.end += u64::from(bytes);
        run.left -= 1;
        if run.left == 0 {
            self.runs.pop_front();
        }
        Ok(())
    }

    /// Writes the directories of all levels behind the units.
    fn write_directories(&mut self) -> Result<(), FormatError> {
        let target = &self.writer.target;
        // There is room for one more than there are levels.
        self.places.extend(target.directories(self.end));
        let places = &*self.places;
        let mut end = self.end;
        let mut link = 0;
        for (index, (form, filling)) in target.levels.iter().zip(&self.levels).enumerate() {
            let directory = places.get(index).copied().unwrap_or(end);
            let across = filling.grid.across();
            let (starts, counts) = (&*filling.starts, &*filling.counts);
            let units = Places::Packed { first: self.writer.begin, starts, across, counts };
            let chained = target.pyramid == Some(Pyramid::Pages);
            let is_last = index + 1 == target.levels.len();
            let next = if chained && !is_last { places.get(index + 1).copied().unwrap_or(0) } else { 0 };
            let parts = if matches!(form.role, Role::Parent(_)) { 1..target.levels.len() } else { 0..0 };
            let sub_ifds = places.get(parts).unwrap_or(&[]);
            let others = Others { next, sub_ifds };
            end = write_directory(form, &*self.writer.output, end, directory, units, others)?;
            if index == 0 || chained {
                link = form.link(directory);
            }
        }
        debug_assert_eq!(Some(&end), places.last());
        let done = (places.first().copied().unwrap_or(0), Tail { bytes: end, link });
        *self.writer.done.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        Ok(())
    }
}

/// A unit that no one will ever get: its compressor panicked or broke its bound.
fn lost() -> FormatError {
    FormatError::Io { operation: "compress", offset: 0, source: io::Error::other("a compressor failed") }
}
