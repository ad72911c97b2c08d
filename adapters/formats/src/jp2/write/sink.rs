//! Rows into tiles, tiles into the file.
//!
//! With one thread and one tile at a time rows go straight into the tile's planes. Otherwise they fill raw tiles, a
//! row of them side by side, which coders take from a queue; the sink's thread codes, too, rather than wait.

use super::boxes::main_header;
use super::lane::{Lane, PART_HEAD_BYTES, Part};
use super::target::{STACK_BYTES, TiledWriter};
use crate::FormatError;
use crate::crew::Crew;
use crate::jp2::codec::Tile;
use crate::jp2::usage;
use crate::queue::{Queue, Turn};
use plimsoll_core::pipeline::Sink;
use plimsoll_core::shape::{Rows, Shape};
use plimsoll_core::strip::Strip;
use std::io;
use std::sync::atomic::Ordering;

/// Bytes of the sink itself.
pub(super) const SINK_BYTES: usize = size_of::<TileSink<'_>>();

/// The sink of a file of tiles.
pub(super) struct TileSink<'a> {
    writer: &'a TiledWriter,
    /// Shape of what comes: the image, or its tiles below each other.
    shape: Shape,
    /// Rows that have not come yet.
    left: Rows,
    queue: Crew<Lane>,
    /// Raw tiles being filled.
    row: Vec<Vec<u8>>,
    /// The tile being filled, where rows go straight into it, and the buffer for its bytes.
    tile: Option<Tile>,
    out: Vec<u8>,
    /// Tiles begun.
    tiles: u64,
    /// Rows that the tiles being filled have.
    filled: u32,
    /// Where the next tile-part goes; 0 before the first one, which the main header precedes.
    end: u64,
    failed: bool,
}

impl<'a> TileSink<'a> {
    /// Takes all memory and starts the coders.
    pub(super) fn new(
        writer: &'a TiledWriter,
        shape: Shape,
        raws: usize,
        raw_bytes: usize,
        outs: usize,
    ) -> Result<Self, FormatError> {
        let target = &writer.target;
        let direct = target.direct();
        let coded = || Vec::with_capacity(usize::try_from(target.lane.out_bytes()).unwrap_or(usize::MAX));
        let out = if direct { coded() } else { Vec::new() };
        let outs = if direct { 0 } else { outs };
        let raws = (0..raws).map(|_| vec![0; raw_bytes]).collect();
        let queue = Queue::new(raws, (0..outs).map(|_| coded()).collect());
        let lanes = (0..target.coders).map(|_| target.lane);
        Ok(Self {
            writer,
            shape,
            left: shape.all_rows(),
            queue: Crew::start(queue, ("code", STACK_BYTES), lanes)?,
            row: Vec::with_capacity(target.across() as usize),
            tile: None,
            out,
            tiles: 0,
            filled: 0,
            end: 0,
            failed: false,
        })
    }

    /// After an error there is no telling what is in the file: every later call is refused.
    fn unless_failed(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        if self.failed {
            return Err(usage("the output failed before"));
        }
        let result = work(self);
        self.failed = result.is_err();
        result
    }

    /// Whether `row` is the last one of the tiles being filled.
    fn completes(&self, row: u32) -> bool {
        let lane = &self.writer.target.lane;
        // In tile order tiles below the image's edge are as high as the others, in what comes.
        self.filled >= lane.grid.side || row + 1 == self.shape.rows
    }

    /// A row into the one tile at work.
    fn fill_tile(&mut self, row: u32, pixels: &[u8]) -> Result<(), FormatError> {
        let lane = self.writer.target.lane;
        if self.tile.is_none() {
            self.tile = Some(lane.tile(self.tiles).ok_or_else(lost)?);
            self.filled = 0;
        }
        if let Some(tile) = &mut self.tile {
            tile.set_row(self.filled as usize, pixels);
        }
        self.filled += 1;
        if self.completes(row)
            && let Some(tile) = self.tile.take()
        {
            let mut out = std::mem::take(&mut self.out);
            let part = lane.encode(tile, self.tiles, &mut out);
            self.tiles += 1;
            let appended = self.append(part, &out);
            self.out = out;
            appended?;
        }
        Ok(())
    }

    /// A row into the raw tiles side by side.
    fn fill_row(&mut self, row: u32, pixels: &[u8]) -> Result<(), FormatError> {
        let target = &self.writer.target;
        let row_bytes = target.lane.row_bytes();
        if self.row.is_empty() {
            for _ in 0..target.across() {
                let Some(raw) = self.next_buffer(true)? else { return Err(lost()) };
                self.row.push(raw);
            }
            self.filled = 0;
        }
        let start = self.filled as usize * row_bytes;
        for (raw, pixels) in self.row.iter_mut().zip(pixels.chunks(row_bytes.max(1))) {
            if let Some(place) = raw.get_mut(start..start + pixels.len()) {
                place.copy_from_slice(pixels);
            }
        }
        self.filled += 1;
        if self.completes(row) {
            for raw in self.row.drain(..) {
                self.queue.submit(raw, ());
            }
        }
        Ok(())
    }

    /// Appends what is ready and codes what nobody else does, until there is a raw tile (with `fill`) or all tiles are
    /// in the file (without).
    fn next_buffer(&mut self, fill: bool) -> Result<Option<Vec<u8>>, FormatError> {
        loop {
            match self.queue.turn(fill) {
                Turn::Fill(raw) => return Ok(Some(raw)),
                Turn::Done => return Ok(None),
                Turn::Code(work) => self.queue.code(work, &mut { self.writer.target.lane }),
                Turn::Write(tile) => {
                    self.append(tile.about, &tile.out)?;
                    self.queue.written(tile.out);
                }
                Turn::Dead => return Err(lost()),
            }
        }
    }

    /// Appends a tile-part, and before the first one the main header.
    fn append(&mut self, part: Option<Part>, out: &[u8]) -> Result<(), FormatError> {
        let writer = self.writer;
        let put = |at: u64, bytes: &[u8]| {
            writer.output.write_at(at, bytes).map_err(|source| FormatError::write(at, source))
        };
        let part = part.ok_or_else(lost)?;
        if self.end == 0 {
            let lane = &writer.target.lane;
            let head = out.get(..part.start).unwrap_or_default();
            let header = main_header(&lane.grid, &lane.coding, head).ok_or_else(lost)?;
            put(writer.start, &header)?;
            self.end = writer.start + header.len() as u64;
        }
        let mut end = self.end;
        let mut append = |bytes: &[u8]| {
            put(end, bytes)?;
            end += bytes.len() as u64;
            Ok::<(), FormatError>(())
        };
        let Part { start, components } = part;
        match writer.target.lane.packets(out, components) {
            Some(packets) => {
                append(out.get(start..start + PART_HEAD_BYTES).unwrap_or_default())?;
                packets.each(append)?;
            }
            None if writer.target.lane.apart() => return Err(lost()),
            None => append(out.get(start..components[0].1).unwrap_or_default())?,
        }
        self.end = end;
        Ok(())
    }
}

impl Sink for TileSink<'_> {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        self.unless_failed(|sink| {
            let (rows, image) = (strip.rows(), strip.image());
            let fits = strip.cols() == sink.shape.all_cols()
                && image.bands == sink.shape.bands
                && image.kind == sink.shape.kind
                && (rows.is_empty() || (rows.start() == sink.left.start() && rows.end() <= sink.left.end()));
            if !fits {
                let problem =
                    format!("rows {rows} of {image} where rows {} of {} were due", sink.left, sink.shape);
                return Err(usage(problem));
            }
            sink.left = Rows::new(sink.left.start() + rows.len(), sink.left.end());
            sink.queue.allow(sink.writer.allowed.load(Ordering::Relaxed));
            let direct = sink.writer.target.direct();
            rows.iter().try_for_each(|row| {
                let pixels = strip.row_bytes(row);
                if direct { sink.fill_tile(row, pixels) } else { sink.fill_row(row, pixels) }
            })
        })
    }

    fn finish(&mut self) -> Result<(), FormatError> {
        self.unless_failed(|sink| {
            if !sink.left.is_empty() {
                return Err(usage(format!("rows {} were never written", sink.left)));
            }
            while sink.next_buffer(false)?.is_some() {}
            sink.queue.stop();
            sink.writer.end.store(sink.end, Ordering::Release);
            Ok(())
        })
    }
}

/// A tile that no one will ever get: its coder failed, or had no memory.
fn lost() -> FormatError {
    FormatError::Io {
        operation: "code a tile",
        offset: 0,
        source: io::Error::other("the JPEG 2000 coder failed"),
    }
}
