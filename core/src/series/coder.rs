//! What writing and reading have in common, so that each part of the model is written once for both.

use super::arith::opinion::Steady;
use super::arith::prob::Prob;
use super::lane::bits_wide;

/// Writes what it is given, or reads and gives that instead.
pub(crate) trait Coder {
    /// Whether it writes: only then must the values given to it be the true ones.
    const WRITES: bool;
    /// Whether a decision always costs one bit: then columns say for each group whether they need any.
    const PLAIN: bool = false;

    /// One decision.
    fn bit(&mut self, prob: &mut Prob, bit: bool) -> bool;

    /// One decision that two probabilities foresee; coders of whole bits take the first.
    fn either(&mut self, prob: &mut Prob, _: &mut Steady, bit: bool) -> bool {
        self.bit(prob, bit)
    }

    /// `bits` bits, at most 16, as they are.
    fn raw(&mut self, value: u32, bits: u32) -> u32;

    /// Up to 64 bits as they are, highest first.
    #[inline(always)]
    fn raw_long(&mut self, value: u64, bits: u32) -> u64 {
        match bits {
            0 => 0,
            1..=16 => u64::from(self.raw(value as u32 & ((1 << bits) - 1), bits)),
            _ => self.raw_longer(value, bits),
        }
    }

    /// The same of more than 16 bits.
    fn raw_longer(&mut self, value: u64, bits: u32) -> u64 {
        let (mut left, mut done) = (bits, 0);
        while left > 0 {
            let now = left.min(16);
            left -= now;
            let part = (value >> left) as u32 & ((1 << now) - 1);
            done = done << now | u64::from(self.raw(part, now));
        }
        done
    }

    /// Any number, shorter where it is smaller: 7 bits of length, then the bits.
    fn number(&mut self, value: u64) -> u64 {
        let bits = self.raw(bits_wide(value), 7).min(64);
        self.raw_long(value, bits)
    }

    /// Any number with a sign, shorter where it is nearer to 0.
    fn signed(&mut self, value: i64) -> i64 {
        let folded = self.number(((value << 1) ^ (value >> 63)) as u64);
        (folded >> 1) as i64 ^ -((folded & 1) as i64)
    }
}

/// The spread of residuals, as a back end knows it.
pub(crate) trait Residuals: Copy + core::fmt::Debug {
    /// The spread of residuals of time that goes with it.
    type Times: Residuals;
    /// Before anything is known.
    const NEW: Self;
    /// Whether it wants to hear how far beside the expectation the runner-up's is.
    const HEARS: bool = false;
    /// The runner-up's is so far `beside`.
    fn hear<L: super::lane::Lane>(&mut self, _beside: L) {}
    /// Codes `residual`; returns it, or what was read.
    fn code<L: super::lane::Lane, C: Coder>(&mut self, coder: &mut C, residual: L) -> L;
}

/// The two ends of a coder: how it is begun and ended, and what it keeps between groups.
pub(crate) trait Ends: Copy + core::fmt::Debug {
    /// What the writing end keeps.
    type WriteState: Copy + core::fmt::Debug;
    /// What the reading end keeps.
    type ReadState: Copy + core::fmt::Debug;
    /// The writing end.
    type Writer<'a>: Coder;
    /// The reading end.
    type Reader<'a>: Coder;

    /// Writes from `at` on.
    fn write_at(at: usize) -> Self::WriteState;
    /// Where the bytes would end at most.
    fn end_bound(state: &Self::WriteState) -> usize;
    /// Goes on writing.
    fn writer(state: Self::WriteState, out: &mut [u8]) -> Self::Writer<'_>;
    /// What to keep, and whether everything had room.
    fn written(writer: &Self::Writer<'_>) -> (Self::WriteState, bool);
    /// Ends the bytes that began at `start`; gives where, if everything had room.
    fn finish(writer: Self::Writer<'_>, start: usize) -> Option<usize>;
    /// Reads from the start of `payload`.
    fn read(payload: &[u8]) -> Self::ReadState;
    /// Goes on reading.
    fn reader(state: Self::ReadState, payload: &[u8]) -> Self::Reader<'_>;
    /// What to keep.
    fn read_so_far(reader: &Self::Reader<'_>) -> Self::ReadState;
}
