//! The source of compressed pages: rows come out of streams, units are never held whole (unless they are tiny).
//!
//! A row of units has a stream for each plane and unit column that the region cuts. They are decoded side by side, a
//! few rows at a time, each by a [`Lane`]: so a row of tiles costs a codec state a tile and not its pixels, and a
//! strip of any size streams. Where the tiles are so small that their pixels cost less than the states, one lane
//! decodes them one after the other into a band of rows that is held.

use super::codec::Codec;
use super::cut::{Cut, Segment};
use super::lane::Lane;
use super::layout::Predictor;
use super::page::Stored;
use super::samples::{fill, restore};
use super::units::{Extent, Units};
use crate::FormatError;
use crate::contract::Windows;
use crate::tiff::NAME;
use plimsoll_core::budget::{Budget, Layout as Leases};
use plimsoll_core::pipeline::Source;
use plimsoll_core::shape::{Region, Rows, Shape};
use plimsoll_core::strip::StripMut;

/// Bytes decoded in one go: few enough to stay in the fast cache until the samples are restored.
const BATCH_BYTES: usize = 32 << 10;

/// The same where there is one stream: it has the cache for itself, and decoders are slow at both ends of a batch.
const BATCH_ALONE_BYTES: usize = 256 << 10;

/// Input buffers of all lanes together, and the least and the most for one.
const INPUT_BYTES: u64 = 256 << 10;
const INPUT_LEAST: u64 = 4 << 10;
const INPUT_MOST: u64 = 64 << 10;

/// The least scratch: what is dropped goes through it.
const SCRATCH_LEAST: u64 = 4 << 10;

/// Memory of a source, in bytes, as [`Coded::memory`] decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Memory {
    /// Lanes: one for each segment, or a single one.
    lanes: u64,
    /// Input buffer of one lane.
    input: u64,
    scratch: u64,
    /// A row of floats whose bytes lie apart.
    shuffle: u64,
    /// A row of samples that were widened, where they do not go straight to the strip.
    wide: u64,
    /// Rows of pixels that are held; 0 where lanes go side by side.
    held: u64,
    /// Bytes in the arena.
    pub(super) arena: u64,
    /// Bytes on the heap.
    pub(super) heap: u64,
}

/// A source over a region of a compressed page.
pub(super) struct Coded<'a> {
    stored: &'a Stored,
    region: Region,
    cut: Cut,
    units: Units<'a>,
    streams: Streams<'a>,
    /// Pixels of the row of units `held_unit`, where they are held.
    held: &'a mut [u8],
    held_unit: Option<u32>,
    /// The next row that can be had.
    next: u32,
    /// Rows before it, and other columns, can be had, too.
    windows: bool,
}

/// The lanes and what they work with.
struct Streams<'a> {
    lanes: Vec<Lane<'a>>,
    scratch: &'a mut [u8],
    shuffle: &'a mut [u8],
    wide: &'a mut [u8],
}

impl<'a> Coded<'a> {
    /// Decides how the streams are decoded and what that costs.
    pub(super) fn memory(stored: &Stored, cut: &Cut, windows: bool) -> Memory {
        let layout = &stored.layout;
        let segments = cut.segments().max(1);
        let unit_row = cut.stored_row as u64;
        let scratch = match cut.is_whole() && !windows {
            true => SCRATCH_LEAST,
            false => {
                let unit = unit_row.saturating_mul(u64::from(layout.grid.unit_rows));
                unit.min(BATCH_BYTES as u64).max(unit_row).max(SCRATCH_LEAST)
            }
        };
        let shuffle = if layout.predictor == Predictor::Float { unit_row } else { 0 };
        let wide = if cut.widens() || layout.grid.planes > 1 { cut.longest() as u64 } else { 0 };
        // All bands of rows over the same columns decide alike, so that one plan holds for all workers.
        let held_rows = u64::from(layout.grid.unit_rows.min(layout.shape.rows));
        let held = held_rows.saturating_mul(cut.strip_row as u64);
        let new = |lanes: u64, held: u64| {
            let input = (INPUT_BYTES / lanes / 512 * 512).clamp(INPUT_LEAST, INPUT_MOST);
            let arena = Leases::new()
                .with::<u8>(input.saturating_mul(lanes))
                .with::<u8>(scratch)
                .with::<u8>(shuffle)
                .with::<u8>(wide)
                .with::<u8>(held)
                .bytes();
            let lane = Codec::heap_bytes(layout).saturating_add(size_of::<Lane<'_>>() as u64);
            let heap = lane.saturating_mul(lanes).saturating_add(size_of::<Self>() as u64);
            Memory { lanes, input, scratch, shuffle, wide, held, arena, heap }
        };
        let (side_by_side, in_turn) = (new(segments, 0), new(1, held));
        let total = |memory: &Memory| memory.arena.saturating_add(memory.heap);
        if segments > 1 && total(&in_turn) < total(&side_by_side) { in_turn } else { side_by_side }
    }

    /// A source over `region`, which lies inside the page, or over windows in it.
    ///
    /// # Errors
    /// [`FormatError::Memory`] if `budget` does not hold its leases.
    pub(super) fn new(
        stored: &'a Stored,
        region: Region,
        windows: Option<Windows>,
        budget: &mut Budget<'a>,
    ) -> Result<Self, FormatError> {
        let cut = Cut::widest(&stored.layout, region, windows)?;
        let memory = Self::memory(stored, &cut, windows.is_some());
        let len = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let units = Units::new(&stored.layout, budget)?;
        let inputs: &mut [u8] =
            budget.lease("tiff input buffers", len(memory.input.saturating_mul(memory.lanes)))?;
        let scratch = budget.lease("tiff scratch", len(memory.scratch))?;
        let shuffle = budget.lease("tiff scratch", len(memory.shuffle))?;
        let wide = budget.lease("tiff scratch", len(memory.wide))?;
        let held = budget.lease("tiff row of tiles", len(memory.held))?;
        // The arena held a buffer for each lane, so their number is not just the header's word.
        let mut lanes = Vec::with_capacity(len(memory.lanes));
        for buffer in inputs.chunks_exact_mut(len(memory.input)) {
            lanes.push(Lane::new(Codec::new(&stored.layout), stored.layout.reversed, buffer));
        }
        let streams = Streams { lanes, scratch, shuffle, wide };
        let region = Region::new(region.rows, cut.cols());
        let (next, windows) = (region.rows.start(), windows.is_some());
        Ok(Self { stored, region, cut, units, streams, held, held_unit: None, next, windows })
    }

    /// Makes ready for a window that does not follow the rows that were read last.
    fn turn_to(&mut self, window: Region) -> Result<(), FormatError> {
        if window.cols != self.region.cols {
            let cut = Cut::new(&self.stored.layout, window)?;
            if cut.segments() != self.cut.segments() {
                return Err(usage(format!("{window} asked for, which is no window of its blocks")));
            }
            self.cut = cut;
            self.region = Region::new(self.region.rows, window.cols);
            self.held_unit = None;
        }
        self.streams.lanes.iter_mut().for_each(Lane::leave);
        Ok(())
    }

    /// Decodes all rows of a strip from as many streams as there are segments.
    fn decode(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let Stored { file, layout } = self.stored;
        let unit_rows = layout.grid.unit_rows;
        let mut row = strip.rows().start();
        while row < strip.rows().end() {
            let down = row / unit_rows;
            let first = down * unit_rows;
            let end = first.saturating_add(unit_rows).min(strip.rows().end());
            for index in 0..self.cut.segments() {
                let segment = self.cut.segment(index);
                let lanes = self.streams.lanes.len().max(1) as u64;
                let Some(lane) = self.streams.lanes.get_mut((index % lanes) as usize) else { break };
                if lane.unit() != Some((down, index)) {
                    let extent = self.units.find(file, layout, segment.plane, down, segment.across)?;
                    let tables = layout.tables.filter(|_| extent.is_some());
                    let tables = tables.map(|field| Extent { offset: field.at, bytes: field.count });
                    lane.begin((down, index), tables, extent);
                }
                let rows = Rows::new(row, end);
                if lane.is_empty() {
                    nothing(self.stored, &self.cut, &segment, rows, &mut self.streams, strip);
                    continue;
                }
                lane.skip_to(file, row - first, self.cut.stored_row, self.streams.scratch)?;
                if self.cut.is_whole() {
                    decode_whole(
                        self.stored,
                        &self.cut,
                        lane,
                        self.streams.shuffle,
                        &mut strip.narrowed(rows),
                    )?;
                } else {
                    decode_segment(self.stored, &self.cut, &segment, rows, &mut self.streams, index, strip)?;
                }
            }
            row = end;
        }
        if let Some(offset) = self.streams.lanes.iter().map(Lane::offset).min() {
            file.release_before(offset);
        }
        Ok(())
    }

    /// Copies the rows from the row of units that is held, which is decoded when its first row is asked for.
    fn copy(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let unit_rows = self.stored.layout.grid.unit_rows;
        let mut row = strip.rows().start();
        while row < strip.rows().end() {
            let down = row / unit_rows;
            let first = down * unit_rows;
            let unit = Rows::new(first, first.saturating_add(unit_rows)).intersect(self.region.rows);
            let held = core::mem::take(&mut self.held);
            let band = StripMut::new(&mut *held, self.region.with_rows(unit), self.stored.layout.shape);
            let result = match band {
                Some(mut band) => {
                    let decoded = if self.held_unit == Some(down) { Ok(()) } else { self.decode(&mut band) };
                    let end = unit.end().min(strip.rows().end());
                    for row in row..end {
                        strip.row_bytes_mut(row).copy_from_slice(band.as_strip().row_bytes(row));
                    }
                    row = end;
                    decoded
                }
                None => Err(usage(format!("rows {unit} do not fit what is held"))),
            };
            self.held = held;
            self.held_unit = Some(down);
            result?;
        }
        Ok(())
    }
}

/// Decodes rows of the only stream straight into the strip: its rows are the unit's.
fn decode_whole(
    stored: &Stored,
    cut: &Cut,
    lane: &mut Lane<'_>,
    shuffle: &mut [u8],
    strip: &mut StripMut<'_>,
) -> Result<(), FormatError> {
    let batch = (BATCH_ALONE_BYTES / cut.unit_row).max(1) * cut.unit_row;
    for part in strip.parts_mut() {
        for rows in part.chunks_mut(batch) {
            lane.decode(&stored.file, (rows.len() / cut.unit_row) as u32, rows)?;
            restore_rows(stored, cut, rows, shuffle);
        }
    }
    Ok(())
}

/// Decodes rows of stream `index` into the scratch and puts the used part of each to its place.
fn decode_segment(
    stored: &Stored,
    cut: &Cut,
    segment: &Segment,
    rows: Rows,
    streams: &mut Streams<'_>,
    index: u64,
    strip: &mut StripMut<'_>,
) -> Result<(), FormatError> {
    let lanes = streams.lanes.len().max(1) as u64;
    let Some(lane) = streams.lanes.get_mut((index % lanes) as usize) else { return Ok(()) };
    let most = u32::try_from(streams.scratch.len() / cut.stored_row).unwrap_or(u32::MAX).max(1);
    let coding = stored.layout.coding;
    let first = segment.skip / stored.layout.shape.kind.bytes();
    let mut row = rows.start();
    while row < rows.end() {
        let batch = most.min(rows.end() - row);
        let decoded = &mut streams.scratch[..batch as usize * cut.stored_row];
        lane.decode(&stored.file, batch, decoded)?;
        restore_rows(stored, cut, decoded, streams.shuffle);
        for stored_row in decoded.chunks_exact(cut.stored_row) {
            let strip_row = strip.row_bytes_mut(row);
            if !cut.widens() {
                if let Some(samples) = stored_row.get(segment.skip..segment.skip + segment.bytes) {
                    cut.place(segment, samples, strip_row);
                }
            } else if cut.is_chunky() {
                let into = strip_row.get_mut(segment.start..segment.start + segment.bytes);
                coding.widen(stored_row, first, into.unwrap_or_default());
            } else if let Some(wide) = streams.wide.get_mut(..segment.bytes) {
                coding.widen(stored_row, first, wide);
                cut.place(segment, wide, strip_row);
            }
            row += 1;
        }
    }
    Ok(())
}

/// Fills the part of a unit that is not stored.
fn nothing(
    stored: &Stored,
    cut: &Cut,
    segment: &Segment,
    rows: Rows,
    streams: &mut Streams<'_>,
    strip: &mut StripMut<'_>,
) {
    let Stored { layout, .. } = stored;
    for row in rows.iter() {
        let strip_row = strip.row_bytes_mut(row);
        if cut.is_chunky() {
            let into = strip_row.get_mut(segment.start..segment.start + segment.bytes);
            fill(layout.no_data, layout.shape.kind, into.unwrap_or_default());
        } else if let Some(wide) = streams.wide.get_mut(..segment.bytes) {
            fill(layout.no_data, layout.shape.kind, wide);
            cut.place(segment, wide, strip_row);
        }
    }
}

fn restore_rows(stored: &Stored, cut: &Cut, rows: &mut [u8], shuffle: &mut [u8]) {
    let Stored { file, layout } = stored;
    let swaps = file.swaps();
    // Samples that are no whole bytes have no byte order.
    let Some(width) = layout.coding.whole_bytes() else { return };
    if layout.predictor == Predictor::None && !swaps {
        return;
    }
    for row in rows.chunks_exact_mut(cut.stored_row) {
        let bands = usize::from(layout.grid.unit_bands);
        restore(row, layout.predictor, swaps, width, bands, shuffle);
    }
}

fn usage(problem: String) -> FormatError {
    FormatError::Usage { format: NAME, problem }
}

impl Source for Coded<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.stored.layout.shape
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let rows = strip.rows();
        if rows.is_empty() || self.cut.segments() == 0 {
            return Ok(());
        }
        if self.windows && (rows.start() < self.next || strip.cols() != self.region.cols) {
            self.turn_to(strip.region())?;
            self.next = rows.start();
        }
        if rows.start() < self.next || !self.region.rows.covers(rows) || strip.cols() != self.region.cols {
            let problem = format!("{} asked for of {} after row {}", strip.region(), self.region, self.next);
            return Err(usage(problem));
        }
        self.next = rows.end();
        if self.held.is_empty() { self.decode(strip) } else { self.copy(strip) }
    }
}
