//! The source of uncompressed pages: positioned reads, as few and as long as possible.
//!
//! Where rows of the strip and of the file are the same bytes they are read straight into the strip, over the borders
//! of file strips that follow each other. Everything else goes through a scratch of a few rows. No byte is read
//! twice, none but the gaps between the rows of narrow regions is read in vain.

use super::cut::{Cut, Segment};
use super::page::Stored;
use super::samples::{fill, swap};
use super::units::Units;
use crate::FormatError;
use crate::contract::Windows;
use plimsoll_core::budget::{Budget, Layout as Leases};
use plimsoll_core::pipeline::Source;
use plimsoll_core::shape::{Region, Rows, Shape};
use plimsoll_core::strip::StripMut;

/// Bytes that are gathered by one read where rows are not contiguous.
const GATHER_BYTES: u64 = 128 << 10;

/// The most segments that are read together.
const MOST_TOGETHER: usize = 16;

/// A source over a region of an uncompressed page.
pub(super) struct Raw<'a> {
    stored: &'a Stored,
    cut: Cut,
    units: Units<'a>,
    scratch: &'a mut [u8],
}

impl<'a> Raw<'a> {
    /// Bytes of its scratch: none where rows can be read to where they go, unless other windows cannot. Those of
    /// narrower windows are read one by one, too.
    pub(super) fn scratch_bytes(stored: &Stored, cut: &Cut, windows: bool) -> u64 {
        if by_rows(cut) || (!windows && cut.is_whole()) {
            return 0;
        }
        let longest = cut.longest() as u64;
        let unit = (cut.unit_row as u64).saturating_mul(u64::from(stored.layout.grid.unit_rows));
        Leases::new().with::<u8>(GATHER_BYTES.min(unit).max(longest)).bytes()
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
        let units = Units::new(&stored.layout, budget)?;
        let bytes =
            usize::try_from(Self::scratch_bytes(stored, &cut, windows.is_some())).unwrap_or(usize::MAX);
        Ok(Self { stored, cut, units, scratch: budget.lease("tiff read buffer", bytes)? })
    }

    /// Rows of file and strip are the same bytes.
    fn read_whole(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let Stored { file, layout } = self.stored;
        let row_bytes = self.cut.unit_row;
        let across = self.cut.segment(0).across;
        let mut row = strip.rows().start();
        for mut part in strip.parts_mut() {
            while !part.is_empty() {
                let down = row / layout.grid.unit_rows;
                let inside = row % layout.grid.unit_rows;
                let Some(unit) = self.units.find(file, layout, 0, down, across)? else {
                    let rows = (layout.stored_rows(down) - inside).min((part.len() / row_bytes) as u32);
                    let (into, rest) = part.split_at_mut(rows as usize * row_bytes);
                    fill(layout.no_data, layout.shape.kind, into);
                    part = rest;
                    row += rows;
                    continue;
                };
                let start = unit.offset + u64::from(inside) * row_bytes as u64;
                let mut rows = (layout.stored_rows(down) - inside).min((part.len() / row_bytes) as u32);
                let mut next = down + 1;
                while (rows as usize) < part.len() / row_bytes {
                    let follower = self.units.find(file, layout, 0, next, across)?;
                    let place = start + u64::from(rows) * row_bytes as u64;
                    if follower.is_none_or(|follower| follower.offset != place) {
                        break;
                    }
                    rows += layout.stored_rows(next).min((part.len() / row_bytes) as u32 - rows);
                    next += 1;
                }
                let (into, rest) = part.split_at_mut(rows as usize * row_bytes);
                file.release_before(start);
                file.read(start, into, "samples")?;
                if file.swaps() {
                    swap(into, layout.shape.kind.bytes());
                }
                part = rest;
                row += rows;
            }
        }
        Ok(())
    }

    /// Reads rows of one row of units, segment by segment.
    fn read_units(&mut self, down: u32, rows: Rows, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let Stored { file, layout } = self.stored;
        let (width, swaps) = (layout.shape.kind.bytes(), file.swaps());
        let row_bytes = self.cut.unit_row;
        let mut lowest = u64::MAX;
        // Segments of which several fit the scratch are read together.
        let above = (rows.len() as usize).saturating_sub(1) * row_bytes;
        let together = (self.scratch.len() / (above + self.cut.longest()).max(1)).min(MOST_TOGETHER);
        let (mut waiting, mut count) = ([(Segment::default(), 0); MOST_TOGETHER], 0);
        for index in 0..self.cut.segments() {
            let segment = self.cut.segment(index);
            let Some(unit) = self.units.find(file, layout, segment.plane, down, segment.across)? else {
                let gathered = self.scratch.len() >= segment.bytes;
                for row in rows.iter() {
                    let into = strip.row_bytes_mut(row);
                    match gathered {
                        // Rows that are read one by one have no scratch, and lie side by side.
                        false => {
                            let into = into.get_mut(segment.start..segment.start + segment.bytes);
                            fill(layout.no_data, layout.shape.kind, into.unwrap_or_default());
                        }
                        true => {
                            let nothing = &mut self.scratch[..segment.bytes];
                            fill(layout.no_data, layout.shape.kind, nothing);
                            self.cut.place(&segment, nothing, into);
                        }
                    }
                }
                continue;
            };
            let first = unit.offset + segment.skip as u64;
            lowest = lowest.min(unit.offset);
            let place = |row: u32| first + u64::from(row - down * layout.grid.unit_rows) * row_bytes as u64;
            if by_rows(&self.cut) {
                for row in rows.iter() {
                    let into = strip.row_bytes_mut(row);
                    let Some(into) = into.get_mut(segment.start..segment.start + segment.bytes) else {
                        continue;
                    };
                    file.read(place(row), into, "samples")?;
                    if swaps {
                        swap(into, width);
                    }
                }
                continue;
            }
            if together > 1 {
                let at = place(rows.start());
                file.check(at, (above + segment.bytes) as u64, "samples")?;
                waiting[count] = (segment, at);
                count += 1;
                if count == together {
                    self.read_together(&waiting[..count], rows, strip)?;
                    count = 0;
                }
                continue;
            }
            let most = 1 + (self.scratch.len() - segment.bytes) / row_bytes;
            let mut row = rows.start();
            while row < rows.end() {
                let batch = (rows.end() - row).min(u32::try_from(most).unwrap_or(u32::MAX));
                let span = &mut self.scratch[..(batch as usize - 1) * row_bytes + segment.bytes];
                file.read(place(row), span, "samples")?;
                self.cut.place_rows(&segment, span, row, swaps.then_some(width), strip);
                row += batch;
            }
        }
        if count > 0 {
            self.read_together(&waiting[..count], rows, strip)?;
        }
        file.release_before(lowest);
        Ok(())
    }

    /// Reads all `rows` of some segments, whose offsets come with them.
    fn read_together(
        &mut self,
        segments: &[(Segment, u64)],
        rows: Rows,
        strip: &mut StripMut<'_>,
    ) -> Result<(), FormatError> {
        let Stored { file, layout } = self.stored;
        let width = file.swaps().then_some(layout.shape.kind.bytes());
        let above = (rows.len() as usize - 1) * self.cut.unit_row;
        let room = above + self.cut.longest();
        let first = segments.first().map_or(0, |(_, at)| *at);
        let spans = self.scratch.chunks_mut(room).zip(segments);
        let parts =
            spans.filter_map(|(span, (segment, at))| Some((*at, span.get_mut(..above + segment.bytes)?)));
        file.read_each(first, parts)?;
        for (span, (segment, _)) in self.scratch.chunks_mut(room).zip(segments) {
            let span = span.get_mut(..above + segment.bytes).unwrap_or_default();
            self.cut.place_rows(segment, span, rows.start(), width, strip);
        }
        Ok(())
    }
}

/// Whether each row of a segment is read alone, straight to its place: the gaps between rows are too wide to read
/// them in vain. One more call costs about what copying 4 KiB does.
pub(super) fn by_rows(cut: &Cut) -> bool {
    cut.is_chunky() && cut.unit_row.saturating_sub(cut.longest()) >= 4096
}

impl Source for Raw<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.stored.layout.shape
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let rows = strip.rows();
        if strip.cols() != self.cut.cols() {
            self.cut = Cut::new(&self.stored.layout, strip.region())?;
        }
        if rows.is_empty() || self.cut.segments() == 0 {
            return Ok(());
        }
        if self.cut.is_whole() {
            return self.read_whole(strip);
        }
        let unit_rows = self.stored.layout.grid.unit_rows;
        let mut row = rows.start();
        while row < rows.end() {
            let down = row / unit_rows;
            let end = down.saturating_mul(unit_rows).saturating_add(unit_rows).min(rows.end());
            self.read_units(down, Rows::new(row, end), strip)?;
            row = end;
        }
        Ok(())
    }
}
