//! What a user may ask of an output beside the pixels.

/// How an output is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// What is usual for the format: none for TIFF, Deflate for PNG.
    #[default]
    Usual,
    /// None.
    None,
    /// LZW.
    Lzw,
    /// Deflate (zlib).
    Deflate,
    /// Zstandard.
    Zstd,
}

/// Where a file keeps the smaller copies of its picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pyramid {
    /// As parts of the picture's page (TIFF: SubIFDs, as OME-TIFF has it).
    SubIfds,
    /// As pages after it, as most viewers expect.
    Pages,
}

/// What a user asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Compression.
    pub compression: Compression,
    /// How hard it is compressed: 1 to 9 for Deflate, 1 to 19 for Zstandard; what is usual if absent.
    pub level: Option<u8>,
    /// Side of a square tile in pixels; strips if absent.
    pub tile: Option<u32>,
    /// Rows of a file strip, where the format has them; chosen if absent.
    pub file_strip_rows: Option<u32>,
    /// Smaller copies of the picture in the same file: each half as wide and high as the one before, down to one tile.
    pub pyramid: Option<Pyramid>,
    /// The most bytes that the other pages of the same file take.
    pub beside: u64,
    /// What JPEG 2000 can be told.
    pub jp2: crate::Jp2Wanted,
    /// Rows come tile after tile ([`crate::TileOrderPage`]), for formats that can take them so.
    pub tile_order: bool,
    /// Threads that may compress beside the one that computes: 0 compresses on the computing thread.
    pub compressors: u32,
}
