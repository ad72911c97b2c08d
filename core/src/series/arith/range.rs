//! A binary range coder with carries (G. N. N. Martin, "Range encoding", 1979; byte-wise carry as in Igor Pavlov's LZMA).
//!
//! The state is apart from the bytes, so that an encoder can try a group of points and take it back.

use super::super::coder::{Coder, Ends};
use super::super::lane::SMALL_CORE;
use super::opinion::Steady;
use super::prob::Prob;

/// Below this the range is widened by one byte.
const TOP: u32 = 1 << 24;

/// What the writing side has in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriteState {
    low: u64,
    range: u32,
    /// Bytes of 0xFF behind `held` that a carry may still turn over.
    pending: u32,
    /// Next byte to write goes here.
    at: u32,
    held: u8,
    /// Whether `held` is a byte: not so before the first one.
    holds: bool,
}

impl WriteState {
    pub(crate) const fn at(at: u32) -> Self {
        WriteState { low: 0, range: u32::MAX, pending: 0, at, held: 0, holds: false }
    }

    /// Where the bytes would end if nothing more came.
    pub(crate) fn end_bound(&self) -> usize {
        (self.at + self.pending + 6) as usize
    }
}

/// Writes decisions to `out`.
pub(crate) struct Writer<'a> {
    pub(crate) state: WriteState,
    out: &'a mut [u8],
    /// Whether a byte had no room.
    pub(crate) overflow: bool,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(state: WriteState, out: &'a mut [u8]) -> Self {
        Writer { state, out, overflow: false }
    }

    fn byte(&mut self, byte: u8) {
        match self.out.get_mut(self.state.at as usize) {
            Some(place) => {
                *place = byte;
                self.state.at += 1;
            }
            None => self.overflow = true,
        }
    }

    fn shift(&mut self) {
        let state = &mut self.state;
        if state.low < 0xFF00_0000 || state.low > 0xFFFF_FFFF {
            let carry = (state.low >> 32) as u8;
            let (held, holds, pending) = (state.held, state.holds, state.pending);
            state.held = (state.low >> 24) as u8;
            state.holds = true;
            state.pending = 0;
            if holds {
                self.byte(held.wrapping_add(carry));
            }
            for _ in 0..pending {
                self.byte(0xFF_u8.wrapping_add(carry));
            }
        } else {
            state.pending += 1;
        }
        self.state.low = (self.state.low & 0x00FF_FFFF) << 8;
    }

    #[inline(always)]
    fn widen(&mut self) {
        while self.state.range < TOP {
            self.state.range <<= 8;
            self.shift();
        }
    }

    /// Out of the way of those that need not.
    #[inline(never)]
    fn widen_apart(&mut self) {
        self.widen();
    }

    /// Narrows the range to the part below `cut`, or from there on.
    #[inline(always)]
    fn narrow(&mut self, cut: u32, bit: bool) {
        let one = u32::from(bit).wrapping_neg();
        self.state.low += u64::from(cut & one);
        self.state.range = cut.wrapping_add(self.state.range.wrapping_sub(cut.wrapping_mul(2)) & one);
    }

    /// One decision where registers are few and branches cheap.
    #[inline(never)]
    fn decide(&mut self, prob: &mut Prob, bit: bool) {
        let cut = (self.state.range >> 12) * prob.zero();
        if bit {
            self.state.low += u64::from(cut);
            self.state.range = self.state.range.wrapping_sub(cut);
            prob.see(true);
        } else {
            self.state.range = cut;
            prob.see(false);
        }
        if self.state.range < TOP {
            self.widen_apart();
        }
    }

    /// Ends the stream with as few bytes as tell it from every other; returns where they end.
    ///
    /// The reader takes zeros after the end, so zeros there are not written.
    pub(crate) fn finish(mut self, start: usize) -> Option<usize> {
        let high = self.state.low + u64::from(self.state.range) - 1;
        for zeros in (0..=32).rev() {
            let mask = (1_u64 << zeros) - 1;
            let rounded = (self.state.low + mask) & !mask;
            if rounded <= high {
                self.state.low = rounded;
                break;
            }
        }
        for _ in 0..5 {
            self.shift();
        }
        if self.overflow {
            return None;
        }
        let mut end = self.state.at as usize;
        while end > start && self.out.get(end - 1) == Some(&0) {
            end -= 1;
        }
        Some(end)
    }
}

impl Coder for Writer<'_> {
    const WRITES: bool = true;

    #[inline(always)]
    fn bit(&mut self, prob: &mut Prob, bit: bool) -> bool {
        if SMALL_CORE {
            self.decide(prob, bit);
            return bit;
        }
        self.narrow((self.state.range >> 12) * prob.zero(), bit);
        prob.see(bit);
        self.widen();
        bit
    }

    #[inline(always)]
    fn either(&mut self, prob: &mut Prob, steady: &mut Steady, bit: bool) -> bool {
        self.narrow((self.state.range >> 16) * steady.with(*prob), bit);
        prob.see(bit);
        steady.see(bit);
        self.widen();
        bit
    }

    #[inline(always)]
    fn raw(&mut self, value: u32, bits: u32) -> u32 {
        self.state.range >>= bits;
        // A value of that many bits times a range without them: 32 bits hold it.
        self.state.low += u64::from(value.wrapping_mul(self.state.range));
        self.widen();
        value
    }
}

/// What the reading side has in flight, and where it is in the bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadState {
    code: u32,
    range: u32,
    at: u32,
}

impl ReadState {
    /// At the start of `payload`.
    pub(crate) fn new(payload: &[u8]) -> Self {
        let mut code = 0;
        for at in 0..4 {
            code = code << 8 | u32::from(payload.get(at).copied().unwrap_or(0));
        }
        ReadState { code, range: u32::MAX, at: 4 }
    }
}

/// Reads decisions from `payload`.
pub(crate) struct Reader<'a> {
    pub(crate) state: ReadState,
    payload: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(state: ReadState, payload: &'a [u8]) -> Self {
        Reader { state, payload }
    }

    /// Whether the code lies from `cut` on; the range becomes the part where it lies.
    #[inline(always)]
    fn narrow(&mut self, cut: u32) -> bool {
        let bit = self.state.code >= cut;
        let one = u32::from(bit).wrapping_neg();
        self.state.code -= cut & one;
        self.state.range = cut.wrapping_add(self.state.range.wrapping_sub(cut.wrapping_mul(2)) & one);
        bit
    }

    /// One decision where registers are few and branches cheap.
    #[inline(never)]
    fn decide(&mut self, prob: &mut Prob) -> bool {
        let cut = (self.state.range >> 12) * prob.zero();
        let bit = self.state.code >= cut;
        if bit {
            self.state.code -= cut;
            self.state.range = self.state.range.wrapping_sub(cut);
            prob.see(true);
        } else {
            self.state.range = cut;
            prob.see(false);
        }
        if self.state.range < TOP {
            self.widen_apart();
        }
        bit
    }

    /// Out of the way of those that need not.
    #[inline(never)]
    fn widen_apart(&mut self) {
        self.widen();
    }

    #[inline(always)]
    fn widen(&mut self) {
        while self.state.range < TOP {
            let byte = self.payload.get(self.state.at as usize).copied().unwrap_or(0);
            self.state.at = self.state.at.saturating_add(1);
            self.state.range <<= 8;
            self.state.code = self.state.code << 8 | u32::from(byte);
        }
    }
}

impl Coder for Reader<'_> {
    const WRITES: bool = false;

    #[inline(always)]
    fn bit(&mut self, prob: &mut Prob, _: bool) -> bool {
        if SMALL_CORE {
            return self.decide(prob);
        }
        let bit = self.narrow((self.state.range >> 12) * prob.zero());
        prob.see(bit);
        self.widen();
        bit
    }

    #[inline(always)]
    fn either(&mut self, prob: &mut Prob, steady: &mut Steady, _: bool) -> bool {
        let bit = self.narrow((self.state.range >> 16) * steady.with(*prob));
        prob.see(bit);
        steady.see(bit);
        self.widen();
        bit
    }

    #[inline(always)]
    fn raw(&mut self, _: u32, bits: u32) -> u32 {
        self.state.range >>= bits;
        if SMALL_CORE && !cfg!(target_arch = "riscv32") {
            // Cores that do not divide find the value bit by bit.
            let (mut value, mut part) = (0, self.state.range << bits);
            for _ in 0..bits {
                part >>= 1;
                value <<= 1;
                if self.state.code >= part {
                    self.state.code -= part;
                    value |= 1;
                }
            }
            self.widen();
            return value;
        }
        // Only bytes that no writer makes go beyond the last value.
        let value = self.state.code.checked_div(self.state.range).unwrap_or(0).min((1 << bits) - 1);
        self.state.code -= value * self.state.range;
        self.widen();
        value
    }
}

/// Both ends.
#[derive(Clone, Copy, Debug)]
pub struct RangeEnds;

impl Ends for RangeEnds {
    type WriteState = WriteState;
    type ReadState = ReadState;
    type Writer<'a> = Writer<'a>;
    type Reader<'a> = Reader<'a>;

    fn write_at(at: usize) -> WriteState {
        WriteState::at(at as u32)
    }

    fn end_bound(state: &WriteState) -> usize {
        state.end_bound()
    }

    #[inline(always)]
    fn writer(state: WriteState, out: &mut [u8]) -> Writer<'_> {
        Writer::new(state, out)
    }

    #[inline(always)]
    fn written(writer: &Writer<'_>) -> (WriteState, bool) {
        (writer.state, !writer.overflow)
    }

    fn finish(writer: Writer<'_>, start: usize) -> Option<usize> {
        writer.finish(start)
    }

    fn read(payload: &[u8]) -> ReadState {
        ReadState::new(payload)
    }

    #[inline(always)]
    fn reader(state: ReadState, payload: &[u8]) -> Reader<'_> {
        Reader::new(state, payload)
    }

    #[inline(always)]
    fn read_so_far(reader: &Reader<'_>) -> ReadState {
        reader.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cores_decide_as_large_ones_do() {
        let mut random = 1_u32;
        let count = if cfg!(miri) { 200 } else { 20_000 };
        let bits: std::vec::Vec<(usize, bool)> = (0..count)
            .map(|_| {
                random = random.wrapping_mul(0x9E37_79B9).wrapping_add(0x7F4A_7C15).rotate_left(11);
                // Probabilities that settle at all kinds of places.
                let context = random as usize % 8;
                (context, (random >> 8) % 4096 < [1, 10, 100, 500, 1000, 2000, 3000, 4090][context])
            })
            .collect();
        let (mut large, mut small) = (std::vec![0; count], std::vec![0; count]);
        let mut writers =
            [Writer::new(WriteState::at(0), &mut large), Writer::new(WriteState::at(0), &mut small)];
        let mut probs = [[Prob::EVEN; 8]; 2];
        for (context, bit) in &bits {
            writers[0].bit(&mut probs[0][*context], *bit);
            writers[1].decide(&mut probs[1][*context], *bit);
        }
        let ends = writers.map(|writer| writer.finish(0).expect("room"));
        assert_eq!((ends[0], &large), (ends[1], &small));

        let state = ReadState::new(&large[..ends[0]]);
        let mut readers = [Reader::new(state, &large[..ends[0]]), Reader::new(state, &large[..ends[0]])];
        let mut probs = [[Prob::EVEN; 8]; 2];
        for (context, bit) in bits {
            assert_eq!(readers[0].bit(&mut probs[0][context], false), bit);
            assert_eq!(readers[1].decide(&mut probs[1][context]), bit);
        }
    }
}
