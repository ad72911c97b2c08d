//! A band of the upright picture, filled from one window of the stored one.
//!
//! Invariant: the band holds what the stored window `held` holds, of the region's rows (or, where the picture is
//! turned, columns), and is filled again only for a row outside it. Rows in order need every window once.

use super::orientation::Orientation;
use super::pixels::{Column, reverse};
use crate::contract::{Blocks, Windows};
use crate::{FormatError, RowSource};
use plimsoll_core::pipeline::Source;
use plimsoll_core::shape::{Region, Rows, Shape, Span};
use plimsoll_core::strip::StripMut;

/// The least bytes of stored rows that are read at once to be turned.
const GATHER_BYTES: u64 = 64 << 10;

/// The least of these rows.
const LEAST_GATHERED: u64 = 16;

/// The most bytes of a band where the file gives any rows.
const ROWS_BYTES: u64 = 256 << 10;

/// How a region is cut into bands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    pub(super) orientation: Orientation,
    /// The stored picture, and the part of it that is read.
    pub(super) stored: Shape,
    pub(super) region: Region,
    /// Rows of a band, at most.
    rows: u32,
    /// Bands begin at multiples of their height in the stored picture.
    aligned: bool,
}

impl Cut {
    /// For a region of the stored picture: bands as high as blocks are, or where any rows (or columns) can be had
    /// alone, as high as `band_bytes` allow.
    pub(super) fn new(
        orientation: Orientation,
        stored: Shape,
        region: Region,
        blocks: Blocks,
        band_bytes: u64,
    ) -> Self {
        let (block, across, along) = match orientation.turned {
            true => (blocks.cols, region.rows, region.cols),
            false => (blocks.rows, region.cols, region.rows),
        };
        let row_bytes = (u64::from(across.len()) * stored.pixel_bytes() as u64).max(1);
        // Turned columns are dearer the narrower they are; rows are not.
        let wanted = if orientation.turned { band_bytes } else { band_bytes.min(ROWS_BYTES) };
        let free = (wanted / row_bytes).clamp(1, u64::from(along.len().max(1))) as u32;
        let rows = if block == 1 { free } else { block };
        Self { orientation, stored, region, rows, aligned: block != 1 }
    }

    /// Rows or columns of the stored region that become rows.
    fn along(&self) -> Span {
        if self.orientation.turned { self.region.cols } else { self.region.rows }
    }

    /// The same that become columns.
    fn across(&self) -> Span {
        if self.orientation.turned { self.region.rows } else { self.region.cols }
    }

    /// Rows that a band has room for.
    fn held_rows(&self) -> u32 {
        self.rows.min(self.along().len())
    }

    /// What the stored page is asked for.
    pub(super) fn asked(&self) -> Windows {
        if self.orientation.turned { Windows::Cols(self.rows) } else { Windows::Rows }
    }

    fn row_bytes(&self) -> u64 {
        u64::from(self.across().len()) * self.stored.pixel_bytes() as u64
    }

    /// Bytes of the band.
    pub(super) fn held_bytes(&self) -> u64 {
        self.row_bytes().saturating_mul(u64::from(self.held_rows()))
    }

    /// Bytes for the rows that are turned at once: no more for a part of a region than for all of it.
    pub(super) fn gathered_bytes(&self) -> u64 {
        match self.orientation.turned {
            true => GATHER_BYTES.max(LEAST_GATHERED * self.turned_row_bytes()),
            false => 0,
        }
    }

    /// Bytes of a row of a window.
    fn turned_row_bytes(&self) -> u64 {
        u64::from(self.held_rows()) * self.stored.pixel_bytes() as u64
    }

    /// All windows, in the order in which they are read.
    pub(super) fn windows(&self) -> impl Iterator<Item = Region> + '_ {
        let mut at = Some(self.along()).filter(|along| !along.is_empty()).map(|along| {
            match self.orientation.goes_back() {
                true => along.end() - 1,
                false => along.start(),
            }
        });
        core::iter::from_fn(move || {
            let window = self.window(at?);
            at = match self.orientation.goes_back() {
                true => window.start().checked_sub(1).filter(|at| self.along().contains(*at)),
                false => Some(window.end()).filter(|at| self.along().contains(*at)),
            };
            Some(self.stored_window(window))
        })
    }

    /// The window to be read for stored row (or column) `at`, and those that follow it in the upright picture.
    fn window(&self, at: u32) -> Span {
        let window = match (self.aligned, self.orientation.goes_back()) {
            (true, _) => {
                let start = at / self.rows * self.rows;
                Span::new(start, start.saturating_add(self.rows))
            }
            (false, false) => Span::new(at, at.saturating_add(self.rows)),
            (false, true) => Span::new((at + 1).saturating_sub(self.rows), at + 1),
        };
        window.intersect(self.along())
    }

    fn stored_window(&self, window: Span) -> Region {
        match self.orientation.turned {
            true => Region::new(self.region.rows, window),
            false => Region::new(window, self.region.cols),
        }
    }

    /// The stored row (or column) that is row `row` of the upright picture.
    fn stored_line(&self, row: u32) -> u32 {
        let len = if self.orientation.turned { self.stored.cols } else { self.stored.rows };
        if self.orientation.goes_back() { len.saturating_sub(row).saturating_sub(1) } else { row }
    }
}

/// The rows of an upright picture out of bands.
pub(super) struct Banded<'a> {
    pub(super) source: RowSource<'a>,
    pub(super) cut: Cut,
    pub(super) held: &'a mut [u8],
    pub(super) gathered: &'a mut [u8],
    /// The stored rows (or columns) in the band.
    pub(super) window: Span,
}

impl Banded<'_> {
    fn fill(&mut self, window: Span) -> Result<(), FormatError> {
        self.window = Span::new(0, 0);
        match self.cut.orientation.turned {
            true => self.turn(window)?,
            false => {
                let region = self.cut.stored_window(window);
                let mut strip =
                    StripMut::new(&mut *self.held, region, self.cut.stored).ok_or_else(overrun)?;
                self.source.read(&mut strip)?;
            }
        }
        self.window = window;
        Ok(())
    }

    /// Reads the columns `window` of all rows of the region, some rows at a time, and makes rows of them.
    fn turn(&mut self, window: Span) -> Result<(), FormatError> {
        let Cut { orientation, region, stored, .. } = self.cut;
        let pixel = stored.pixel_bytes();
        let row_bytes = window.len() as usize * pixel;
        let held_row = region.rows.len() as usize * pixel;
        let batch = (self.cut.gathered_bytes() / (row_bytes as u64).max(1)).clamp(1, 1 << 10) as u32;
        let mut row = region.rows.start();
        while row < region.rows.end() {
            let rows = Rows::new(row, row.saturating_add(batch)).intersect(region.rows);
            let bytes = rows.len() as usize * row_bytes;
            let gathered = self.gathered.get_mut(..bytes).ok_or_else(overrun)?;
            let mut strip = StripMut::new(gathered, Region::new(rows, window), stored).ok_or_else(overrun)?;
            self.source.read(&mut strip)?;
            let strip = strip.as_strip();
            let [first, second] = strip.parts();
            // Of the two parts of the ring, the rows in order.
            let mut start = rows.start();
            for part in [first, second] {
                let count = (part.len() / row_bytes.max(1)) as u32;
                let place = match orientation.rows_back {
                    true => region.rows.end() - start - count,
                    false => start - region.rows.start(),
                };
                let place = place as usize * pixel;
                for (index, held) in
                    self.held.chunks_exact_mut(held_row).take(window.len() as usize).enumerate()
                {
                    let column = Column { rows: part, row_bytes, skip: index * pixel };
                    let into = held.get_mut(place..place + count as usize * pixel).unwrap_or_default();
                    column.copy(pixel, orientation.rows_back, into);
                }
                start += count;
            }
            row = rows.end();
        }
        Ok(())
    }
}

impl Source for Banded<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.cut.orientation.shape(self.cut.stored)
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let Cut { orientation, stored, .. } = self.cut;
        for row in strip.rows().iter() {
            let line = self.cut.stored_line(row);
            if !self.window.contains(line) {
                self.fill(self.cut.window(line))?;
            }
            let into = strip.row_bytes_mut(row);
            if orientation.turned {
                let start = (line - self.window.start()) as usize * into.len();
                into.copy_from_slice(self.held.get(start..start + into.len()).ok_or_else(overrun)?);
            } else {
                let region = self.cut.stored_window(self.window);
                let held = plimsoll_core::strip::Strip::new(self.held, region, stored).ok_or_else(overrun)?;
                into.copy_from_slice(held.row_bytes(line));
                if orientation.cols_back {
                    reverse(into, stored.pixel_bytes());
                }
            }
        }
        Ok(())
    }
}

fn overrun() -> FormatError {
    FormatError::Usage { format: "upright", problem: "rows that were not planned are asked for".to_owned() }
}
