//! LZW as TIFF 6.0 section 13 has it: most significant bit first, codes that grow one entry early; by `weezl`.

use super::{Damaged, Progress};
use weezl::decode::{Configuration, Decoder};
use weezl::{BitOrder, LzwStatus};

/// A decoder that keeps its tables from unit to unit.
pub(in crate::tiff::read) struct Lzw(Decoder);

impl Lzw {
    /// Bytes of its tables on the heap, all taken when it is made. `tests/tiff_memory.rs` proves it.
    pub(super) const HEAP_BYTES: u64 = 57 << 10;

    pub(super) fn new() -> Self {
        // Units need not end with an end code: their length is known, so decoding stops where the rows are complete.
        let settings = Configuration::with_tiff_size_switch(BitOrder::Msb, 8);
        Self(settings.with_yield_on_full_buffer(true).build())
    }

    /// A decoder for the order of bits that was usual before TIFF 6.0.
    pub(super) fn old() -> Self {
        Self(Configuration::new(BitOrder::Lsb, 8).with_yield_on_full_buffer(true).build())
    }

    pub(super) fn reset(&mut self) {
        self.0.reset();
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Damaged> {
        let result = self.0.decode_bytes(input, output);
        let ended = match result.status {
            Ok(LzwStatus::Done) => true,
            Ok(_) => false,
            // What came before the bad code is good: the rows may be complete without it.
            Err(_) if result.consumed_out == output.len() => false,
            Err(_) => return Err(Damaged),
        };
        Ok(Progress { read: result.consumed_in, written: result.consumed_out, ended })
    }
}
