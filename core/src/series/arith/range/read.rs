//! The reading side: where in the range the code lies.

use super::super::super::coder::Coder;
use super::super::super::lane::SMALL_CORE;
use super::super::opinion::Steady;
use super::super::prob::Prob;
use super::TOP;

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
    pub(super) fn decide(&mut self, prob: &mut Prob) -> bool {
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
