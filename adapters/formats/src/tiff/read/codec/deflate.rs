//! Deflate in a zlib frame (RFC 1950 and 1951), by `flate2` on `zlib-rs`.

use super::{Progress, Trouble};
use flate2::{Decompress, FlushDecompress, Status};

/// A decoder that keeps its window from unit to unit.
pub(in crate::tiff::read) struct Deflate(Decompress);

impl Deflate {
    /// Bytes of its state and window on the heap, all taken when it is made. `tests/tiff_memory.rs` proves it.
    pub(super) const HEAP_BYTES: u64 = 47 << 10;

    pub(super) fn new() -> Self {
        Self(Decompress::new(true))
    }

    pub(super) fn reset(&mut self) {
        self.0.reset(true);
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Trouble> {
        let (read, written) = (self.0.total_in(), self.0.total_out());
        let status = self.0.decompress(input, output, FlushDecompress::None).map_err(|_| Trouble::Damaged)?;
        Ok(Progress {
            read: (self.0.total_in() - read) as usize,
            written: (self.0.total_out() - written) as usize,
            ended: status == Status::StreamEnd,
        })
    }
}
