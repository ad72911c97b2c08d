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
}

/// What a user asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Compression.
    pub compression: Compression,
    /// Side of a square tile in pixels; strips if absent.
    pub tile: Option<u32>,
    /// Rows of a file strip, where the format has them; chosen if absent.
    pub file_strip_rows: Option<u32>,
    /// What JPEG 2000 can be told.
    pub jp2: crate::Jp2Wanted,
    /// Rows come tile after tile ([`crate::TileOrderPage`]), for formats that can take them so.
    pub tile_order: bool,
    /// Threads that may compress beside the one that computes: 0 compresses on the computing thread.
    pub compressors: u32,
}
