//! Compressed files: one sink fills units, compressors pack them, the sink appends them in order.
//!
//! All memory is taken when the sink is made: a row of units and two more for each compressor, output buffers of the
//! worst size, a coder for the sink and for each compressor, and four bytes for each unit of the file, of which the
//! tables at the end are made. The sink's thread compresses, too, rather than wait. Directory and tables follow the
//! units; the header names them only when all is written.

use super::codec::{Coder, Packing};
use super::ifd::{Form, Places};
use super::order::Order;
use super::queue::{Queue, Turn};
use super::{predictor, usage};
use crate::{FormatError, Output, RowSink, Target, Writer};
use plimsoll_core::budget::{Budget, Exhausted};
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Need, Sink};
use plimsoll_core::shape::Rows;
use plimsoll_core::strip::Strip;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};

/// The most bytes of one unit before compression.
const MOST_UNIT_BYTES: u64 = 1 << 30;

/// The most compressors.
const MOST_COMPRESSORS: u32 = 64;

/// Stack of a compressor's thread.
const STACK_BYTES: usize = 128 << 10;

/// Heap that starting a thread takes: handles, its name, the closure.
const THREAD_HEAP_BYTES: u64 = 2048;

/// A compressed TIFF.
pub(super) struct Packed {
    form: Form,
    packing: Packing,
    compressors: u32,
}

impl Packed {
    /// # Errors
    /// [`FormatError::Usage`] if units are too large to be compressed.
    pub(super) fn new(form: Form, packing: Packing, compressors: u32) -> Result<Self, FormatError> {
        let grid = form.grid;
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
        // One unit needs no help.
        let useful = grid.units().saturating_sub(1).min(u64::from(MOST_COMPRESSORS)) as u32;
        Ok(Self { form, packing, compressors: compressors.min(useful) })
    }

    /// Raw units: a row of them to fill, and two for each compressor, one at work and one in waiting.
    fn raws(&self) -> u64 {
        self.form.grid.across() + 2 * u64::from(self.compressors)
    }

    /// Compressed units: one at work and one waiting to be written for each compressor, one for the sink's thread.
    fn outs(&self) -> u64 {
        1 + 2 * u64::from(self.compressors)
    }

    fn scratch_bytes(&self) -> u64 {
        predictor::scratch_bytes(self.form.grid.shape.kind, self.form.grid.unit_row_bytes())
    }

    fn list_bytes(&self) -> u64 {
        let row = self.form.grid.across() * size_of::<Vec<u8>>() as u64;
        let threads = u64::from(self.compressors) * (size_of::<JoinHandle<()>>() as u64 + THREAD_HEAP_BYTES);
        // The queue is counted with the two counters in front of it.
        let objects = size_of::<PackedWriter>() + size_of::<PackedSink<'_>>() + size_of::<Queue>() + 16;
        Queue::list_bytes(self.raws(), self.outs()) + row + threads + objects as u64
    }
}

impl Target for Packed {
    fn describe(&self) -> String {
        self.form.describe()
    }

    fn ordered(&self) -> bool {
        true
    }

    fn needs(&self) -> Vec<Need> {
        let compressors = u64::from(self.compressors);
        let raw = self.raws().saturating_mul(self.form.grid.unit_bytes());
        let packed = self.outs().saturating_mul(self.packing.bound(self.form.grid.unit_bytes()));
        let coders = (compressors + 1) * self.packing.state_bytes();
        let table = self.form.grid.units().saturating_mul(size_of::<u32>() as u64);
        let heap = |consumer, bytes| Need::fixed(consumer, bytes, Each::Job, Place::Heap);
        vec![
            heap("units to compress", raw.saturating_add(self.scratch_bytes())),
            heap("compressed units", packed),
            heap("compressors' states", coders),
            heap("table of the file's units", table),
            heap("TIFF writer", self.list_bytes()),
            Need::fixed("compressors' stacks", compressors * STACK_BYTES as u64, Each::Job, Place::Process),
        ]
    }

    fn file_bytes(&self) -> u64 {
        self.form.file_bytes()
    }

    fn create(&self, output: Output) -> Result<Box<dyn Writer>, FormatError> {
        self.form.write_header(&*output, 0)?;
        let target = Packed { ..*self };
        Ok(Box::new(PackedWriter { target, output, directory: AtomicU64::new(0) }))
    }
}

struct PackedWriter {
    target: Packed,
    output: Output,
    /// Where the directory stands; 0 until the sink has finished.
    directory: AtomicU64,
}

impl Writer for PackedWriter {
    fn sink<'a>(&'a self, rows: Rows, _budget: &mut Budget<'a>) -> Result<RowSink<'a>, FormatError> {
        let form = &self.target.form;
        if rows != form.grid.shape.all_rows() {
            return Err(usage(format!("rows {rows} alone cannot be compressed: all rows go in order")));
        }
        let size = |bytes: u64| {
            let refused =
                Exhausted { consumer: "compressed TIFF", requested: usize::MAX, available: usize::MAX };
            usize::try_from(bytes).map_err(|_| FormatError::Memory(refused))
        };
        let raw = form.grid.unit_bytes();
        let queue = Queue::new(
            size(self.target.raws())?,
            size(raw)?,
            size(self.target.outs())?,
            size(self.target.packing.bound(raw))?,
        );
        let mut sink = PackedSink {
            writer: self,
            order: Order::new(form.grid.shape, rows),
            queue: Arc::new(queue),
            threads: Vec::with_capacity(self.target.compressors as usize),
            coder: Coder::new(self.target.packing),
            row: Vec::with_capacity(size(form.grid.across())?),
            row_filled: 0,
            scratch: vec![0; size(self.target.scratch_bytes())?],
            counts: Vec::with_capacity(size(form.grid.units())?),
            end: form.header_bytes(),
            failed: false,
        };
        for _ in 0..self.target.compressors {
            let (queue, coder) = (Arc::clone(&sink.queue), Coder::new(self.target.packing));
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

    fn finish(self: Box<Self>) -> Result<(), FormatError> {
        match self.directory.load(Ordering::Acquire) {
            0 => Err(usage("the sink was never finished".into())),
            directory => self.target.form.write_header(&*self.output, directory),
        }
    }
}

struct PackedSink<'a> {
    writer: &'a PackedWriter,
    order: Order,
    queue: Arc<Queue>,
    threads: Vec<JoinHandle<()>>,
    coder: Coder,
    /// The row of units being filled; empty between two of them.
    row: Vec<Vec<u8>>,
    /// How many of its rows are there.
    row_filled: u32,
    scratch: Vec<u8>,
    /// Bytes of each unit written.
    counts: Vec<u32>,
    /// Where the next unit goes.
    end: u64,
    failed: bool,
}

impl Sink for PackedSink<'_> {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        self.unless_failed(|sink| {
            sink.order.take(strip)?;
            strip.rows().iter().try_for_each(|row| sink.write_row(row, strip.row_bytes(row)))
        })
    }

    fn finish(&mut self) -> Result<(), FormatError> {
        self.unless_failed(|sink| {
            sink.order.finish()?;
            while sink.next_buffer(false)?.is_some() {}
            sink.stop();
            let form = sink.writer.target.form;
            let directory = form.directory_after(sink.end);
            let places = Places::Packed { first: form.header_bytes(), counts: &sink.counts };
            form.write_directory(&*sink.writer.output, sink.end, directory, places)?;
            sink.writer.directory.store(directory, Ordering::Release);
            Ok(())
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

    /// Puts one row of the image into its units, and hands these over if it is their last.
    fn write_row(&mut self, row: u32, samples: &[u8]) -> Result<(), FormatError> {
        let grid = self.writer.target.form.grid;
        if self.row.is_empty() {
            for _ in 0..grid.across() {
                let Some(raw) = self.next_buffer(true)? else { return Err(lost()) };
                self.row.push(raw);
            }
            self.row_filled = 0;
        }
        // Both fit, as a unit has at most 1 GiB.
        let row_bytes = grid.unit_row_bytes() as usize;
        let start = self.row_filled as usize * row_bytes;
        for (raw, samples) in self.row.iter_mut().zip(samples.chunks(row_bytes)) {
            let out = raw.get_mut(start..start + row_bytes).unwrap_or(&mut []);
            predictor::predict(grid.shape.kind, grid.shape.bands, samples, out, &mut self.scratch);
        }
        self.row_filled += 1;
        let is_last = row + 1 == grid.shape.rows;
        if self.row_filled < grid.unit_rows && !is_last {
            return Ok(());
        }
        let filled = start + row_bytes;
        for mut raw in self.row.drain(..) {
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
                    self.counts.push(bytes.len() as u32);
                    self.end += bytes.len() as u64;
                    self.queue.written(unit.out);
                }
                Turn::Dead => return Err(lost()),
            }
        }
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
