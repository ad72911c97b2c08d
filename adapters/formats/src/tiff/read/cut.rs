//! What a region cuts out of the grid of units: for each plane and unit column the bytes of a unit's row that are
//! used, and where they go in a row of the strip.

use super::file::unsupported;
use super::layout::Layout;
use super::samples::swap;
use crate::FormatError;
use crate::contract::Windows;
use plimsoll_core::shape::{Cols, Region};
use plimsoll_core::strip::StripMut;

/// A region's cut through the grid.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    cols: Cols,
    first: u32,
    columns: u32,
    unit_cols: u32,
    /// Bytes of a pixel in a unit, and in the strip.
    unit_pixel: usize,
    pixel: usize,
    planes: u16,
    /// Bytes of a unit's row as its codec gives it.
    pub(super) stored_row: usize,
    /// Bytes of a unit's row as samples of the shape's kind.
    pub(super) unit_row: usize,
    /// Stored samples are those of the shape's kind but for their byte order.
    native: bool,
    /// Bytes of a strip's row.
    pub(super) strip_row: usize,
}

/// The part of one unit column in one plane.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Segment {
    pub(super) plane: u16,
    pub(super) across: u32,
    /// Bytes of a unit's row before the first that is used.
    pub(super) skip: usize,
    /// Bytes of a unit's row that are used.
    pub(super) bytes: usize,
    /// Where their first pixel begins in a row of the strip, in bytes.
    pub(super) start: usize,
}

impl Cut {
    /// The cut of `region`.
    ///
    /// # Errors
    /// [`FormatError::Unsupported`] if this machine cannot address a row.
    pub(super) fn new(layout: &Layout, region: Region) -> Result<Self, FormatError> {
        let grid = &layout.grid;
        let strip_row = u64::from(region.cols.len()) * layout.shape.pixel_bytes() as u64;
        let narrow = |bytes: u64| {
            usize::try_from(bytes)
                .ok()
                .filter(|bytes| *bytes <= isize::MAX as usize / 4)
                .ok_or_else(|| unsupported(format!("a row of {bytes} bytes on this machine")))
        };
        let first = region.cols.start() / grid.unit_cols;
        let columns =
            if region.cols.is_empty() { 0 } else { (region.cols.end() - 1) / grid.unit_cols + 1 - first };
        Ok(Self {
            cols: region.cols,
            first,
            columns,
            unit_cols: grid.unit_cols,
            unit_pixel: usize::from(grid.unit_bands) * layout.shape.kind.bytes(),
            pixel: layout.shape.pixel_bytes(),
            planes: grid.planes,
            stored_row: narrow(layout.stored_row_bytes())?,
            unit_row: narrow(layout.unit_row_bytes())?,
            native: layout.coding.is_native(),
            strip_row: narrow(strip_row)?,
        })
    }

    /// The cut of the widest of the windows in `region`; of all of it where rows come in order.
    ///
    /// # Errors
    /// As [`Cut::new`].
    pub(super) fn widest(
        layout: &Layout,
        region: Region,
        windows: Option<Windows>,
    ) -> Result<Self, FormatError> {
        match windows {
            // They are no wider than a unit, or of units whose rows are read as they are: where they begin does not
            // matter for what they need, nor may a region that is narrower, or all workers would not decide alike.
            Some(Windows::Cols(cols)) => {
                Self::new(layout, Region::new(region.rows, Cols::new(0, cols.min(layout.shape.cols))))
            }
            Some(Windows::Rows) | None => Self::new(layout, region),
        }
    }

    /// The columns that it was made for.
    pub(super) fn cols(&self) -> Cols {
        self.cols
    }

    /// How many segments there are.
    pub(super) fn segments(&self) -> u64 {
        u64::from(self.planes) * u64::from(self.columns)
    }

    /// Segment `index`, plane by plane.
    pub(super) fn segment(&self, index: u64) -> Segment {
        let columns = u64::from(self.columns).max(1);
        let across = self.first + (index % columns) as u32;
        let plane = (index / columns) as u16;
        // The last unit may stick out beyond 32 bits of columns.
        let unit = u64::from(across) * u64::from(self.unit_cols);
        let from = u64::from(self.cols.start()).max(unit);
        let to = u64::from(self.cols.end()).min(unit + u64::from(self.unit_cols));
        Segment {
            plane,
            across,
            skip: (from - unit) as usize * self.unit_pixel,
            bytes: to.saturating_sub(from) as usize * self.unit_pixel,
            start: (from - u64::from(self.cols.start())) as usize * self.pixel,
        }
    }

    /// Bytes of the longest segment: the same for one plane as for all.
    pub(super) fn longest(&self) -> usize {
        self.unit_row.min(self.cols.len() as usize * self.unit_pixel)
    }

    /// Whether rows of the strip and rows of the units are the same bytes.
    pub(super) fn is_whole(&self) -> bool {
        self.native && self.planes == 1 && self.columns == 1 && self.strip_row == self.unit_row
    }

    /// Whether stored samples must become others.
    pub(super) fn widens(&self) -> bool {
        !self.native
    }

    /// Whether bytes of a strip's row lie side by side in a unit's row, too.
    pub(super) fn is_chunky(&self) -> bool {
        self.planes == 1
    }

    /// Copies a segment's bytes to their places in a row of the strip.
    pub(super) fn place(&self, segment: &Segment, samples: &[u8], row: &mut [u8]) {
        if self.planes == 1 {
            if let Some(into) = row.get_mut(segment.start..segment.start + samples.len()) {
                into.copy_from_slice(samples);
            }
        } else if let Some(into) = row.get_mut(segment.start..) {
            let place = usize::from(segment.plane) * self.unit_pixel;
            super::samples::interleave(samples, into, self.unit_pixel, self.pixel, place);
        }
    }

    /// Copies a segment's rows, which lie in `span` as they do in their unit, to the strip's rows from `first` on.
    /// Where the width of a sample is given its bytes are swapped.
    pub(super) fn place_rows(
        &self,
        segment: &Segment,
        span: &mut [u8],
        first: u32,
        swapped: Option<usize>,
        strip: &mut StripMut<'_>,
    ) {
        for (row, stored) in (first..).zip(span.chunks_mut(self.unit_row.max(1))) {
            let Some(samples) = stored.get_mut(..segment.bytes) else { continue };
            if let Some(width) = swapped {
                swap(samples, width);
            }
            self.place(segment, samples, strip.row_bytes_mut(row));
        }
    }
}
