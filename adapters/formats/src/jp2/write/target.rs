//! A JPEG 2000 file that can be written: what it is, and what writing it takes.

use super::boxes::{BOXES_BYTES, before_codestream};
use super::carry::carried;
use super::lane::Lane;
use super::settings::Extras;
use super::sink::{SINK_BYTES, TileSink};
use crate::jp2::codec::{Coding, Loss};
use crate::jp2::codestream::marker;
use crate::jp2::read::needs;
use crate::jp2::{Jpeg2000, usage};
use crate::queue::Queue;
use crate::{FormatError, Metadata, Output, RowSink, Target, TileGrid, Wanted, Writer};
use plimsoll_core::budget::{Budget, Exhausted};
use plimsoll_core::pipeline::Need;
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::shape::Rows;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The most coders beside the sink's thread.
const MOST_CODERS: u32 = 64;

/// Stack of a coder's thread.
pub(super) const STACK_BYTES: usize = 256 << 10;

/// Heap that starting a thread takes: handles, its name, the closure.
const THREAD_HEAP_BYTES: u64 = 2048;

/// Bytes of a main header, at most.
const HEADER_BYTES: u64 = 4096;

/// A file of tiles.
#[derive(Clone)]
pub(in crate::jp2) struct Tiled {
    format: Jpeg2000,
    pub(super) lane: Lane,
    /// Coders beside the sink's thread.
    pub(super) coders: u32,
    /// Rows come tile after tile.
    pub(super) tile_order: bool,
    extras: Extras,
}

impl Tiled {
    pub(super) fn new(
        format: Jpeg2000,
        grid: TileGrid,
        coding: Coding,
        wanted: Wanted,
        extras: Extras,
    ) -> Self {
        // One tile needs no help.
        let useful = grid.tiles().saturating_sub(1).min(u64::from(MOST_CODERS)) as u32;
        let (coders, tile_order) = (wanted.compressors.min(useful), wanted.tile_order);
        Self { format, lane: Lane::new(grid, coding), coders, tile_order, extras }
    }

    /// Tiles that are filled side by side.
    pub(super) fn across(&self) -> u64 {
        if self.tile_order { 1 } else { u64::from(self.lane.grid.across()) }
    }

    /// Whether rows go straight into the planes of the one tile at work.
    pub(super) fn direct(&self) -> bool {
        self.across() == 1 && self.coders == 0 && !self.lane.apart()
    }

    /// Raw tiles: those being filled, and one that waits; and those that coders take components from, one after the
    /// other.
    pub(super) fn raws(&self) -> u64 {
        let held = if self.lane.apart() { u64::from(self.coders) } else { 0 };
        if self.direct() { 0 } else { self.across() + held + u64::from(self.coders > 0) }
    }

    /// Coded tiles: one at work for each coder and the sink's thread, and one that waits for its turn.
    pub(super) fn outs(&self) -> u64 {
        1 + u64::from(self.coders) + u64::from(self.coders > 0)
    }

    /// Bytes of a raw tile.
    pub(super) fn raw_bytes(&self) -> u64 {
        let grid = self.lane.grid;
        self.lane.row_bytes() as u64 * u64::from(grid.side.min(grid.shape.rows))
    }

    fn list_bytes(&self) -> u64 {
        let row = self.across() * size_of::<Vec<u8>>() as u64;
        let threads = u64::from(self.coders) * THREAD_HEAP_BYTES;
        let objects = (size_of::<TiledWriter>() + SINK_BYTES + size_of::<Queue<Lane>>() + 16) as u64;
        Queue::<Lane>::list_bytes(self.raws(), self.outs())
            + row
            + threads
            + objects
            + self.boxes_bytes()
            // Held beside the boxes that are made of it.
            + self.extras.bytes()
            + HEADER_BYTES
    }

    fn boxes_bytes(&self) -> u64 {
        match self.format {
            Jpeg2000::Jp2 => BOXES_BYTES + self.extras.bytes(),
            Jpeg2000::J2k => 0,
        }
    }

    /// Whether the codestream may be longer than 32 bits say.
    fn long(&self) -> bool {
        self.file_bytes() > u64::from(u32::MAX)
    }
}

impl Target for Tiled {
    fn describe(&self) -> String {
        let name = match self.format {
            Jpeg2000::Jp2 => "JP2",
            Jpeg2000::J2k => "JPEG 2000 codestream",
        };
        let side = self.lane.grid.side;
        let loss = match self.lane.coding.loss {
            Loss::None => "lossless 5/3".to_owned(),
            Loss::Ratio(ratio) => format!("9/7 at {ratio}:1"),
            Loss::Psnr(psnr) => format!("9/7 at {psnr} dB"),
        };
        format!("{name}, {side} x {side} tiles, {loss}")
    }

    fn ordered(&self) -> bool {
        true
    }

    fn lossless(&self) -> bool {
        matches!(self.lane.coding.loss, Loss::None)
    }

    fn tile_order(&self) -> Option<u32> {
        self.lane.grid.order_shape().map(|_| self.lane.grid.side)
    }

    fn reading(&self, tile_order: bool) -> Option<Vec<Need>> {
        let grid = self.lane.grid;
        let (count, totals) = self.lane.reading();
        let samples = u64::from(grid.side.min(grid.shape.cols)) * u64::from(grid.side.min(grid.shape.rows));
        let tile = samples.saturating_mul(grid.shape.pixel_bytes() as u64);
        let band = u64::from(grid.side.min(grid.shape.rows)).saturating_mul(grid.shape.row_bytes());
        let band = if tile_order || grid.across() == 1 { 0 } else { band };
        Some(needs([tile, band], &count, totals))
    }

    fn needs(&self) -> Vec<Need> {
        let lanes = u64::from(self.coders) + 1;
        let heap = |consumer, bytes| Need::fixed(consumer, bytes, Each::Job, Place::Heap);
        vec![
            heap("JPEG 2000 coders", lanes.saturating_mul(self.lane.coding_bytes())),
            heap("tiles to code", self.raws().saturating_mul(self.raw_bytes())),
            heap("coded tiles", self.outs().saturating_mul(self.lane.out_bytes())),
            heap("JPEG 2000 writer", self.list_bytes()),
            Need::fixed(
                "coders' stacks",
                u64::from(self.coders) * STACK_BYTES as u64,
                Each::Job,
                Place::Process,
            ),
        ]
    }

    fn file_bytes(&self) -> u64 {
        let tiles = self.lane.grid.tiles().saturating_mul(self.lane.out_bytes());
        tiles.saturating_add(self.boxes_bytes() + HEADER_BYTES)
    }

    fn carry(&self, metadata: &Arc<dyn Metadata>) -> Option<Box<dyn Target>> {
        if self.format == Jpeg2000::J2k {
            return None;
        }
        let extras = carried(&**metadata, self.lane.grid.shape.bands)?;
        Some(Box::new(Self { extras, ..self.clone() }))
    }

    fn create(&self, output: Output) -> Result<Box<dyn Writer>, FormatError> {
        let Lane { grid, coding, .. } = &self.lane;
        let boxes = match self.format {
            Jpeg2000::Jp2 => before_codestream(grid, coding, &self.extras, self.long()),
            Jpeg2000::J2k => Vec::new(),
        };
        output.write_at(0, &boxes).map_err(|source| FormatError::write(0, source))?;
        let start = boxes.len() as u64;
        let (end, allowed) = (AtomicU64::new(0), AtomicU32::new(u32::MAX));
        Ok(Box::new(TiledWriter { target: self.clone(), output, start, end, allowed }))
    }
}

/// A file being written.
pub(super) struct TiledWriter {
    pub(super) target: Tiled,
    pub(super) output: Output,
    /// Where the codestream begins.
    pub(super) start: u64,
    /// Where its end marker goes; 0 until the sink has finished.
    pub(super) end: AtomicU64,
    /// Coders that may go on beside the sink.
    pub(super) allowed: AtomicU32,
}

impl Writer for TiledWriter {
    fn sink<'a>(&'a self, rows: Rows, _budget: &mut Budget<'a>) -> Result<RowSink<'a>, FormatError> {
        let target = &self.target;
        let shape = if target.tile_order {
            target.lane.grid.order_shape().ok_or_else(|| usage("too many tiles for their order"))?
        } else {
            target.lane.grid.shape
        };
        if rows != shape.all_rows() {
            return Err(usage(format!("rows {rows} alone cannot be coded: all rows go in order")));
        }
        let size = |bytes: u64| {
            let refused = Exhausted { consumer: "JPEG 2000", requested: usize::MAX, available: usize::MAX };
            usize::try_from(bytes).map_err(|_| FormatError::Memory(refused))
        };
        let raw_bytes = size(target.raw_bytes())?;
        size(target.lane.out_bytes())?;
        Ok(Box::new(TileSink::new(self, shape, size(target.raws())?, raw_bytes, size(target.outs())?)?))
    }

    fn allow_compressors(&self, compressors: u32) {
        self.allowed.store(compressors, Ordering::Relaxed);
    }

    fn finish(self: Box<Self>) -> Result<(), FormatError> {
        let end = self.end.load(Ordering::Acquire);
        if end == 0 {
            return Err(usage("the sink was never finished"));
        }
        let put = |at: u64, bytes: &[u8]| {
            self.output.write_at(at, bytes).map_err(|source| FormatError::write(at, source))
        };
        put(end, &marker::EOC.to_be_bytes())?;
        let end = end + 2;
        if self.target.format == Jpeg2000::J2k {
            return Ok(());
        }
        // The length of the codestream's box counts its head.
        if self.target.long() {
            put(self.start - 8, &(end - (self.start - 16)).to_be_bytes())
        } else {
            put(self.start - 8, &((end - (self.start - 8)) as u32).to_be_bytes())
        }
    }
}
