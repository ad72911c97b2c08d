//! A compressed output that is being written: it takes all memory for its sink, and names the directories at the end.

use super::sink::{Filling, PackedSink};
use super::{Packed, STACK_BYTES};
use crate::crew::Crew;
use crate::queue::Queue;
use crate::tiff::write::codec::Coder;
use crate::tiff::write::halving::Halving;
use crate::tiff::write::ifd::write_link;
use crate::tiff::write::order::Order;
use crate::tiff::write::usage;
use crate::{FormatError, Output, RowSink, Tail, Writer};
use plimsoll_core::budget::{Budget, Exhausted};
use plimsoll_core::shape::Rows;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

pub(super) struct PackedWriter {
    pub(super) target: Packed,
    pub(super) output: Output,
    /// Where its units begin.
    pub(super) begin: u64,
    /// Where the file is to name its directory.
    pub(super) link: u64,
    /// Its first directory and its tail, when the sink has finished.
    pub(super) done: Mutex<Option<(u64, Tail)>>,
    /// Compressors that may go on beside the sink.
    pub(super) allowed: AtomicU32,
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
        let buffers = |count: u64, bytes: u64| {
            let bytes = size(bytes)?;
            Ok::<Vec<Vec<u8>>, FormatError>((0..count).map(|_| vec![0; bytes]).collect())
        };
        let queue =
            Queue::new(buffers(target.raws(), raw)?, buffers(target.outs(), target.packing.bound(raw))?);
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
        let coders = (0..target.compressors).map(|_| Coder::new(target.packing, raw));
        Ok(Box::new(PackedSink {
            writer: self,
            order: Order::new(shape, rows),
            queue: Crew::start(queue, ("compress", STACK_BYTES), coders)?,
            coder: Coder::new(target.packing, raw),
            levels,
            halvings,
            runs: VecDeque::with_capacity(size(target.runs())?),
            scratch: vec![0; size(target.scratch_bytes())?],
            places: Vec::with_capacity(target.levels.len() + 1),
            end: self.begin,
            failed: false,
        }))
    }

    fn allow_compressors(&self, compressors: u32) {
        self.allowed.store(compressors, Ordering::Relaxed);
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
