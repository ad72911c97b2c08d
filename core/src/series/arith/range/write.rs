//! The writing side: where the range begins, and the bytes that no carry reaches any more.

use super::super::super::coder::Coder;
use super::super::super::lane::SMALL_CORE;
use super::super::opinion::Steady;
use super::super::prob::Prob;
use super::TOP;

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
    pub(super) fn decide(&mut self, prob: &mut Prob, bit: bool) {
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
