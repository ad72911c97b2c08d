//! What writing and reading have in common, so that each part of the model is written once for both.

use super::arith::prob::Prob;

/// Writes what it is given, or reads and gives that instead.
pub(crate) trait Coder {
    /// Whether it writes: only then must the values given to it be the true ones.
    const WRITES: bool;

    /// One decision.
    fn bit(&mut self, prob: &mut Prob, bit: bool) -> bool;

    /// `bits` bits, at most 16, as they are.
    fn raw(&mut self, value: u32, bits: u32) -> u32;

    /// Up to 64 bits as they are, highest first.
    fn raw_long(&mut self, value: u64, bits: u32) -> u64 {
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
        let bits = self.raw(64 - value.leading_zeros(), 7).min(64);
        self.raw_long(value, bits)
    }

    /// Any number with a sign, shorter where it is nearer to 0.
    fn signed(&mut self, value: i64) -> i64 {
        let folded = self.number(((value << 1) ^ (value >> 63)) as u64);
        (folded >> 1) as i64 ^ -((folded & 1) as i64)
    }
}
