//! Shapes, spans and regions: what an image is and which part of it is meant. Checked arithmetic only.

mod by_kind;
mod sample;
mod span;

pub(crate) use by_kind::{by_kind, by_width};
pub use sample::{Sample, SampleKind};
pub use span::{Cols, Region, Rows, Span};

/// Rows, columns, bands and the kind of each sample. Bands are interleaved in memory: `rgbrgb...`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Shape {
    /// Height in rows.
    pub rows: u32,
    /// Width in columns.
    pub cols: u32,
    /// Samples per pixel.
    pub bands: u16,
    /// The kind of every sample.
    pub kind: SampleKind,
}

impl Shape {
    /// A shape of `rows` x `cols` pixels of `bands` samples of `kind`.
    pub const fn new(rows: u32, cols: u32, bands: u16, kind: SampleKind) -> Self {
        Self { rows, cols, bands, kind }
    }

    /// Samples in one row: at most 2^48, so it never overflows.
    pub const fn row_samples(&self) -> u64 {
        self.cols as u64 * self.bands as u64
    }

    /// Bytes in one row.
    pub const fn row_bytes(&self) -> u64 {
        self.row_samples() * self.kind.bytes() as u64
    }

    /// Bytes of one pixel.
    pub const fn pixel_bytes(&self) -> usize {
        self.bands as usize * self.kind.bytes()
    }

    /// Bytes of the whole image, which nobody here ever holds; saturates at `u64::MAX`.
    pub const fn image_bytes(&self) -> u64 {
        self.row_bytes().saturating_mul(self.rows as u64)
    }

    /// All rows: `0..rows`.
    pub const fn all_rows(&self) -> Rows {
        Rows::new(0, self.rows)
    }

    /// All columns: `0..cols`.
    pub const fn all_cols(&self) -> Cols {
        Cols::new(0, self.cols)
    }

    /// The whole image as a region.
    pub const fn region(&self) -> Region {
        Region { rows: self.all_rows(), cols: self.all_cols() }
    }

    /// The same shape with other bands.
    pub const fn with_bands(self, bands: u16) -> Self {
        Self { bands, ..self }
    }

    /// The same shape with another kind of sample.
    pub const fn with_kind(self, kind: SampleKind) -> Self {
        Self { kind, ..self }
    }
}

impl core::fmt::Display for Shape {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} x {} pixels, {} band(s) of {}", self.cols, self.rows, self.bands, self.kind)
    }
}
