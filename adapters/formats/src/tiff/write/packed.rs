//! Compressed files, and those with smaller copies of their picture: one sink fills units, compressors pack them, the
//! sink appends them in order.
//!
//! All memory is taken when the sink is made: a row of units for the picture and each of its copies and two more for
//! each compressor, output buffers of the worst size, a coder for the sink and for each compressor, and four bytes for
//! each unit of the file, of which the tables at the end are made. The sink's thread compresses, too, rather than
//! wait. Directories and tables follow the units; the file names them only when all is written.

use super::codec::{Coder, Packing};
use super::form::{Form, Role};
use super::grid::Grid;
use super::halving::{Halving, copies};
use super::ifd::{Others, Places, write_directory, write_header, write_link};
use super::order::Order;
use super::queue::{Queue, Turn};
use super::{predictor, usage};
use crate::{FormatError, Metadata, Output, Pyramid, RowSink, Tail, Target, Wanted, Writer};
use plimsoll_core::budget::{Budget, Exhausted};
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Need, Sink};
use plimsoll_core::shape::Rows;
use plimsoll_core::strip::Strip;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// The most bytes of one unit before compression.
const MOST_UNIT_BYTES: u64 = 1 << 30;

/// The most compressors.
const MOST_COMPRESSORS: u32 = 64;

/// Stack of a compressor's thread.
const STACK_BYTES: usize = 128 << 10;

/// Heap that starting a thread takes: handles, its name, the closure.
const THREAD_HEAP_BYTES: u64 = 2048;

/// A compressed TIFF, or one with smaller copies.
#[derive(Clone)]
pub(super) struct Packed {
    /// The picture, and its copies from the largest on.
    levels: Vec<Form>,
    packing: Packing,
    pyramid: Option<Pyramid>,
    compressors: u32,
    /// Bytes that other pages of the file take.
    beside: u64,
}

impl Packed {
    /// # Errors
    /// [`FormatError::Usage`] if units are too large to be compressed.
    pub(super) fn new(
        grid: Grid,
        packing: Packing,
        wanted: &Wanted,
        metadata: Option<Arc<dyn Metadata>>,
    ) -> Result<Self, FormatError> {
        if grid.unit_bytes() > MOST_UNIT_BYTES {
            let advice = if grid.unit_row_bytes() > MOST_UNIT_BYTES || grid.tiled {
                "use tiles of 256 pixels or no compression"
            } else {
                "use fewer rows or tiles"
            };
            return Err(usage(format!(
                "{} have {} bytes each; 1 GiB is the most that is compressed at once: {advice}",
                grid.describe(),
                grid.unit_bytes()
            )));
        }
        let first = Form::new(grid, Some(packing), wanted, metadata);
        let form = |grid, role| Form { grid, big: false, role, ..first.clone() };
        let shapes = if wanted.pyramid.is_some() { copies(grid.shape, grid.unit_cols) } else { Vec::new() };
        let role = match wanted.pyramid {
            None => Role::Alone,
            Some(Pyramid::Pages) => Role::First,
            Some(Pyramid::SubIfds) => Role::Parent(shapes.len() as u64),
        };
        let mut levels = vec![form(grid, role)];
        levels.extend(shapes.into_iter().map(|shape| form(Grid { shape, ..grid }, Role::Reduced)));
        let mut packed =
            Self { levels, packing, pyramid: wanted.pyramid, compressors: 0, beside: wanted.beside };
        if Form::needs_big(packed.file_bytes().saturating_add(wanted.beside)) {
            packed.levels.iter_mut().for_each(|form| form.big = true);
        }
        // One unit needs no help, nor does what is not compressed.
        let useful = packed.units().saturating_sub(1).min(u64::from(MOST_COMPRESSORS)) as u32;
        packed.compressors = if packing == Packing::Stored { 0 } else { wanted.compressors.min(useful) };
        Ok(packed)
    }

    /// The picture itself; there always is one.
    fn form(&self) -> &Form {
        &self.levels[0]
    }

    fn sum(&self, of: impl Fn(&Grid) -> u64) -> u64 {
        self.levels.iter().map(|form| of(&form.grid)).fold(0, u64::saturating_add)
    }

    /// Units of all levels.
    fn units(&self) -> u64 {
        self.sum(Grid::units)
    }

    /// Raw units: a row of them to fill for each level, and two for each compressor, one at work and one in waiting.
    fn raws(&self) -> u64 {
        self.sum(Grid::across) + 2 * u64::from(self.compressors)
    }

    /// Compressed units: one at work and one waiting to be written for each compressor, one for the sink's thread.
    fn outs(&self) -> u64 {
        1 + 2 * u64::from(self.compressors)
    }

    /// The most rows of units that are filled and not yet written.
    fn runs(&self) -> u64 {
        self.raws() + self.outs()
    }

    fn scratch_bytes(&self) -> u64 {
        let grid = &self.form().grid;
        predictor::scratch_bytes(grid.shape.kind, grid.unit_row_bytes())
    }

    /// Bytes of the counts of all units, and of where rows of units begin if there are copies in between.
    fn table_bytes(&self) -> u64 {
        let counts = self.units().saturating_mul(size_of::<u32>() as u64);
        let rows = if self.pyramid.is_some() { self.sum(Grid::down) } else { 0 };
        counts.saturating_add(rows * size_of::<u64>() as u64)
    }

    fn list_bytes(&self) -> u64 {
        let row = self.sum(Grid::across) * size_of::<Vec<u8>>() as u64;
        let runs = self.runs() * size_of::<Run>() as u64;
        // A target of its own, its forms, what they fill, and where their directories stand.
        let level = size_of::<Form>() + size_of::<Filling>() + size_of::<Halving<'_>>() + size_of::<u64>();
        let levels = level as u64 * (self.levels.len() as u64 + 1);
        let threads = u64::from(self.compressors) * (size_of::<JoinHandle<()>>() as u64 + THREAD_HEAP_BYTES);
        // The queue is counted with the two counters in front of it.
        let objects = size_of::<PackedWriter>() + size_of::<PackedSink<'_>>() + size_of::<Queue>() + 16;
        Queue::list_bytes(self.raws(), self.outs()) + row + runs + levels + threads + objects as u64
    }

    /// Bytes of the steps from one level to the next.
    fn halving_bytes(&self) -> u64 {
        let makers = self.levels.iter().take(self.levels.len() - 1);
        makers.map(|form| Halving::bytes(form.grid.shape).unwrap_or(u64::MAX)).fold(0, u64::saturating_add)
    }

    /// Where the directories stand behind units that end at `end`; the last place is that of their end.
    fn directories(&self, end: u64) -> impl Iterator<Item = u64> + '_ {
        let first = Form::directory_after(end);
        let ends = self.levels.iter().scan(first, |at, form| {
            *at = form.directory_end(*at);
            Some(*at)
        });
        std::iter::once(first).chain(ends)
    }
}

impl Target for Packed {
    fn describe(&self) -> String {
        let stored = self.form().describe();
        match (self.pyramid, self.levels.len() - 1) {
            (None, _) => stored,
            (Some(Pyramid::SubIfds), copies) => format!("{stored}, {copies} smaller copies as SubIFDs"),
            (Some(Pyramid::Pages), copies) => format!("{stored}, {copies} smaller copies as pages"),
        }
    }

    fn ordered(&self) -> bool {
        true
    }

    fn needs(&self) -> Vec<Need> {
        let compressors = u64::from(self.compressors);
        let unit = self.form().grid.unit_bytes();
        let raw = self.raws().saturating_mul(unit);
        let packed = self.outs().saturating_mul(self.packing.bound(unit));
        let coders = (compressors + 1).saturating_mul(self.packing.state_bytes(unit));
        let heap = |consumer, bytes| Need::fixed(consumer, bytes, Each::Job, Place::Heap);
        vec![
            heap("units to compress", raw.saturating_add(self.scratch_bytes())),
            heap("compressed units", packed),
            heap("compressors' states", coders),
            heap("table of the file's units", self.table_bytes()),
            heap("TIFF writer", self.list_bytes()),
            Need::fixed("rows of the smaller copies", self.halving_bytes(), Each::Job, Place::Arena),
            Need::fixed("compressors' stacks", compressors * STACK_BYTES as u64, Each::Job, Place::Process),
        ]
    }

    fn file_bytes(&self) -> u64 {
        let units = self.levels.iter().map(Form::units_bytes).fold(0, u64::saturating_add);
        let end = self.form().header_bytes().saturating_add(units).min(1 << 62);
        self.directories(end).last().unwrap_or(end)
    }

    fn carry(&self, metadata: &Arc<dyn Metadata>) -> Option<Box<dyn Target>> {
        let (pyramid, compressors, beside) = (self.pyramid, self.compressors, self.beside);
        let wanted = Wanted { pyramid, compressors, beside, ..Wanted::default() };
        let target = Self::new(self.form().grid, self.packing, &wanted, Some(Arc::clone(metadata)));
        target.ok().map(|target| Box::new(target) as Box<dyn Target>)
    }

    fn create(&self, output: Output) -> Result<Box<dyn Writer>, FormatError> {
        self.append(output, Tail::default())
    }

    fn append(&self, output: Output, after: Tail) -> Result<Box<dyn Writer>, FormatError> {
        if after.bytes == 0 {
            write_header(self.form(), &*output, 0)?;
        }
        let (begin, link) = self.form().place(after);
        Ok(Box::new(PackedWriter { target: self.clone(), output, begin, link, done: Mutex::new(None) }))
    }
}

struct PackedWriter {
    target: Packed,
    output: Output,
    /// Where its units begin.
    begin: u64,
    /// Where the file is to name its directory.
    link: u64,
    /// Its first directory and its tail, when the sink has finished.
    done: Mutex<Option<(u64, Tail)>>,
}

impl PackedWriter {
    fn done(&self) -> Option<(u64, Tail)> {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer for PackedWriter {
    fn sink<'a>(&'a self, rows: Rows, budget: &mut Budget<'a>) -> Result<RowSink<'a>, FormatError> {
        let target = &self.target;
        let shape = target.form().grid.shape;
        if rows != shape.all_rows() {
            return Err(usage(format!("rows {rows} alone cannot be compressed: all rows go in order")));
        }
        let size = |bytes: u64| {
            let refused =
                Exhausted { consumer: "compressed TIFF", requested: usize::MAX, available: usize::MAX };
            usize::try_from(bytes).map_err(|_| FormatError::Memory(refused))
        };
        let raw = target.form().grid.unit_bytes();
        let queue = Queue::new(
            size(target.raws())?,
            size(raw)?,
            size(target.outs())?,
            size(target.packing.bound(raw))?,
        );
        let mut levels = Vec::with_capacity(target.levels.len());
        for form in &target.levels {
            let starts = if target.pyramid.is_some() { size(form.grid.down())? } else { 0 };
            levels.push(Filling {
                grid: form.grid,
                row: Vec::with_capacity(size(form.grid.across())?),
                row_filled: 0,
                starts: Vec::with_capacity(starts),
                counts: Vec::with_capacity(size(form.grid.units())?),
            });
        }
        let mut halvings = Vec::with_capacity(target.levels.len() - 1);
        for form in target.levels.iter().take(target.levels.len() - 1) {
            halvings.push(Halving::new(form.grid.shape, budget)?);
        }
        let mut sink = PackedSink {
            writer: self,
            order: Order::new(shape, rows),
            queue: Arc::new(queue),
            threads: Vec::with_capacity(target.compressors as usize),
            coder: Coder::new(target.packing, raw),
            levels,
            halvings,
            runs: VecDeque::with_capacity(size(target.runs())?),
            scratch: vec![0; size(target.scratch_bytes())?],
            places: Vec::with_capacity(target.levels.len() + 1),
            end: self.begin,
            failed: false,
        };
        for _ in 0..target.compressors {
            let (queue, coder) = (Arc::clone(&sink.queue), Coder::new(target.packing, raw));
            let builder = thread::Builder::new().name("compress".into()).stack_size(STACK_BYTES);
            let thread = builder.spawn(move || queue.serve(coder));
            sink.threads.push(thread.map_err(|source| FormatError::Io {
                operation: "start a compressor",
                offset: 0,
                source,
            })?);
        }
        Ok(Box::new(sink))
    }

    fn tail(&self) -> Tail {
        self.done().map_or(Tail::default(), |(_, tail)| tail)
    }

    fn finish(self: Box<Self>) -> Result<(), FormatError> {
        let Some((directory, _)) = self.done() else {
            return Err(usage("the sink was never finished".into()));
        };
        write_link(self.target.form(), &*self.output, self.link, directory)
    }
}

/// A level of the file as it is filled and written.
struct Filling {
    grid: Grid,
    /// The row of units being filled; empty between two of them.
    row: Vec<Vec<u8>>,
    /// How many of its rows are there.
    row_filled: u32,
    /// Where each row of units begins, if rows of other levels lie in between.
    starts: Vec<u64>,
    /// Bytes of each unit written.
    counts: Vec<u32>,
}

/// Units of one row of a level that were handed over and are not yet written.
struct Run {
    level: u32,
    left: u32,
}

struct PackedSink<'a> {
    writer: &'a PackedWriter,
    order: Order,
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
    coder: Coder,
    levels: Vec<Filling>,
    halvings: Vec<Halving<'a>>,
    /// What the units that come out of the queue are.
    runs: VecDeque<Run>,
    scratch: Vec<u8>,
    /// Where the directories stand.
    places: Vec<u64>,
    /// Where the next unit goes.
    end: u64,
    failed: bool,
}

impl Sink for PackedSink<'_> {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        self.unless_failed(|sink| {
            sink.order.take(strip)?;
            strip.rows().iter().try_for_each(|row| sink.write_row(strip.narrowed(Rows::one(row))))
        })
    }

    fn finish(&mut self) -> Result<(), FormatError> {
        self.unless_failed(|sink| {
            sink.order.finish()?;
            while sink.next_buffer(false)?.is_some() {}
            sink.stop();
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
                Turn::Pack(work) => self.queue.pack(work, &mut self.coder),
                Turn::Write(unit) => {
                    let bytes = unit.len.and_then(|len| unit.out.get(..len)).ok_or_else(lost)?;
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

    /// Ends the compressors.
    fn stop(&mut self) {
        self.queue.stop();
        for thread in self.threads.drain(..) {
            // One that died has been noticed by the queue.
            let _ = thread.join();
        }
    }
}

impl Drop for PackedSink<'_> {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A unit that no one will ever get: its compressor panicked or broke its bound.
fn lost() -> FormatError {
    FormatError::Io { operation: "compress", offset: 0, source: io::Error::other("a compressor failed") }
}
