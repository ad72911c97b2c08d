//! What OpenJPEG takes from the heap for one tile, at most: read from its source (versions 2.5.2 and 2.5.3) and held by
//! a test that counts every block it takes (`tests/jp2_memory.rs`).
//!
//! Coding `n` samples in `b` code-blocks of at most 4096 samples:
//!
//! ```text
//! 4 n                      planes of 32-bit samples, transformed in place
//! 1.4 n * bits / 8 + 500   the tile's packets (its own guess at a worst case)
//! 4 n + 75 b               coded bytes of code-blocks
//! 4.9 KiB * b              passes and layers of code-blocks, 100 of each
//! 64 * longest side        a column bundle of the wavelet transform
//! 768 KiB                  everything else: codec, settings, stream, tag trees, one code-block at work
//! ```
//!
//! Decoding them from `c` compressed bytes in `q` precincts of sub-bands:
//!
//! ```text
//! 4 n + 2 c                planes; the tile's bytes, and those of a code-block put together from pieces
//! 400 b + 96 b + 250 q     records of code-blocks, their tag trees, precincts
//! 32 * pieces              pieces of code-blocks: one for each layer, and no more than the bytes can name
//! 64 * segments            coding passes that end on their own, where the style has them
//! 2 * layers * positions   which packets were seen
//! ```

use super::Coding;

/// Bytes of the buffer between the library and its stream.
pub(super) const STREAM_BYTES: usize = 64 << 10;

/// Codec, settings, stream and one code-block at work.
const FIXED_BYTES: u64 = 768 << 10;

/// Bytes that the packets of a tile may take while it is coded: the library's own bound, and more than it writes.
pub(in crate::jp2) fn packets_bytes(coding: &Coding) -> u64 {
    let side = u64::from(coding.tile);
    let bits = side.saturating_mul(side).saturating_mul(u64::from(coding.bands)) * u64::from(coding.bits);
    (bits / 8).saturating_mul(7) / 5 + 4096
}

/// What coding a tile of `samples` samples in `blocks` code-blocks takes at most, in bytes. The planes are part of it.
pub(in crate::jp2) fn coding_bytes(coding: &Coding, samples: u64, blocks: u64) -> u64 {
    samples
        .saturating_mul(8)
        .saturating_add(packets_bytes(coding))
        .saturating_add(blocks.saturating_mul(75 + 5000))
        .saturating_add(u64::from(coding.tile) * 64)
        .saturating_add(FIXED_BYTES)
}

/// A tile to be decoded, in numbers.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::jp2) struct TileCount {
    /// Samples that come out, over all components.
    pub(in crate::jp2) samples: u64,
    /// Code-blocks.
    pub(in crate::jp2) blocks: u64,
    /// Precincts, over all sub-bands.
    pub(in crate::jp2) band_precincts: u64,
    /// Packets.
    pub(in crate::jp2) packets: u64,
    /// Steps that are taken to find them, where they are ordered by position.
    pub(in crate::jp2) walked: u64,
    /// Components times resolutions times the most precincts of one of them.
    pub(in crate::jp2) positions: u64,
    /// Quality layers.
    pub(in crate::jp2) layers: u64,
    /// Whether coding passes may end on their own.
    pub(in crate::jp2) segments: bool,
    /// The longer side.
    pub(in crate::jp2) side: u64,
    /// Components.
    pub(in crate::jp2) components: u64,
    /// Compressed bytes.
    pub(in crate::jp2) bytes: u64,
    /// Tile-parts.
    pub(in crate::jp2) parts: u64,
}

impl TileCount {
    /// What decoding it takes at most, in bytes. The samples that are given back are not part of it.
    pub(in crate::jp2) fn decoding_bytes(&self) -> u64 {
        // A layer adds a piece to a code-block with five bits at least.
        let pieces = self.blocks.saturating_mul(self.layers).min(self.bytes.saturating_mul(2));
        // A pass that ends on its own has a length of three bits at least; there are at most 164.
        let passes = self.blocks.saturating_mul(164).min(self.bytes.saturating_mul(3));
        let terms = [
            self.samples.saturating_mul(4),
            self.bytes.saturating_mul(2),
            self.blocks.saturating_mul(400 + 96 + 32),
            self.band_precincts.saturating_mul(250),
            pieces.saturating_mul(32),
            if self.segments { passes.saturating_mul(64) } else { 0 },
            (self.layers + 1).saturating_mul(self.positions).saturating_mul(2),
            self.side.saturating_mul(128),
            self.components.saturating_mul(16 << 10),
            self.parts.saturating_mul(256),
            FIXED_BYTES,
        ];
        terms.into_iter().fold(0, u64::saturating_add)
    }
}
