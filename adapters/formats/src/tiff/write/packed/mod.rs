//! Compressed files, and those with smaller copies of their picture: one sink fills units, compressors pack them, the
//! sink appends them in order.
//!
//! All memory is taken when the sink is made: a row of units for the picture and each of its copies and two more for
//! each compressor, output buffers of the worst size, a coder for the sink and for each compressor, and four bytes for
//! each unit of the file, of which the tables at the end are made. The sink's thread compresses, too, rather than
//! wait. Directories and tables follow the units; the file names them only when all is written.

mod sink;
mod writer;

use super::codec::{Coder, Packing};
use super::form::{Form, Role};
use super::grid::Grid;
use super::halving::{Halving, copies};
use super::ifd::write_header;
use super::{predictor, usage};
use crate::queue::Queue;
use crate::{FormatError, Metadata, Output, Pyramid, Tail, Target, Wanted, Writer};
use plimsoll_core::pipeline::Need;
use plimsoll_core::pipeline::plan::{Each, Place};
use sink::{Filling, PackedSink, Run};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use writer::PackedWriter;

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

    /// Compressed units: for each compressor one at work and three waiting to be written, so that it goes on while the
    /// sink's thread fills a row of units; and one for that thread.
    fn outs(&self) -> u64 {
        1 + 4 * u64::from(self.compressors)
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
        let objects =
            size_of::<PackedWriter>() + size_of::<PackedSink<'_>>() + size_of::<Queue<Coder>>() + 16;
        Queue::<Coder>::list_bytes(self.raws(), self.outs()) + row + runs + levels + threads + objects as u64
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

    fn is_compressed(&self) -> bool {
        self.packing != Packing::Stored
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
        let (done, allowed) = (Mutex::new(None), AtomicU32::new(u32::MAX));
        Ok(Box::new(PackedWriter { target: self.clone(), output, begin, link, done, allowed }))
    }
}
