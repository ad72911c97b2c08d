//! Second opinions: each decision is also foreseen from the lengths of the last two residuals and from how far apart the
//! two best predictors are, by probabilities that follow slowly. The mean of two that err in different places errs less
//! than either.

use super::super::coder::Coder;
use super::super::lane::Lane;
use super::model::ROW;
use super::prob::Prob;

/// Foresees decisions a second time, or does not.
pub(crate) trait Opinion: Copy + core::fmt::Debug {
    /// Before anything is known.
    const NEW: Self;
    /// Whether it wants to hear of the runner-up.
    const HEARS: bool;
    /// The predictors' runner-up is so far `beside` the best one; residuals have a `mean` length in 16ths of a bit.
    fn hear<L: Lane>(&mut self, beside: L, mean: i16);
    /// The row for the next residual.
    fn row(&self) -> usize;
    /// Where the sign is foreseen, after a residual of the `last` one.
    fn sign(&self, last: usize) -> usize;
    /// The probability at a `place` of a `row`, or at one of those that all rows share.
    fn at(&mut self, row: Option<usize>, place: usize) -> Option<&mut Steady>;
    /// A residual of `length` bits came.
    fn follow(&mut self, length: u32);

    /// One decision, foreseen there and by `prob`.
    #[inline(always)]
    fn bit<C: Coder>(
        &mut self,
        coder: &mut C,
        prob: &mut Prob,
        row: Option<usize>,
        place: usize,
        bit: bool,
    ) -> bool {
        match self.at(row, place) {
            Some(steady) => coder.either(prob, steady, bit),
            None => coder.bit(prob, bit),
        }
    }
}

impl Opinion for () {
    const NEW: Self = ();
    const HEARS: bool = false;

    #[inline(always)]
    fn hear<L: Lane>(&mut self, _: L, _: i16) {}

    #[inline(always)]
    fn row(&self) -> usize {
        0
    }

    #[inline(always)]
    fn sign(&self, _: usize) -> usize {
        0
    }

    #[inline(always)]
    fn at(&mut self, _: Option<usize>, _: usize) -> Option<&mut Steady> {
        None
    }

    #[inline(always)]
    fn follow(&mut self, _: u32) {}
}

/// Rows: the longest of the last two residuals and of what the runner-up is beside the best predictor has so many bits,
/// or more.
const ROWS: usize = 12;

/// Where the runner-up is: nowhere else, above or below, and so far above or below as residuals mostly are.
pub(super) const SIDES: usize = 5;

/// Decisions that all rows share, for models of lengths up to 20 and short ones up to 8.
const SHARED: usize = 3 * SIDES + 20 + 40 + 32;

/// Probabilities by the lengths of the last two residuals and by the runner-up.
#[derive(Clone, Copy, Debug)]
pub struct ByLength {
    rows: [[Steady; ROW]; ROWS],
    shared: [Steady; SHARED],
    last: u8,
    before: u8,
    /// How many bits the runner-up is beside the best one, and on which of the sides.
    beside: u8,
    side: u8,
}

impl Opinion for ByLength {
    const NEW: Self = {
        let mut row = [Steady::EVEN; ROW];
        (row[4], row[5]) = (Steady::SELDOM, Steady::SELDOM);
        ByLength { rows: [row; ROWS], shared: [Steady::EVEN; SHARED], last: 0, before: 0, beside: 0, side: 0 }
    };
    const HEARS: bool = true;

    #[inline(always)]
    fn hear<L: Lane>(&mut self, beside: L, mean: i16) {
        let bits = beside.magnitude_bits();
        let far = u8::from(bits as i16 * 16 >= mean) * 2;
        self.beside = bits as u8;
        self.side = match beside.cmp(&L::default()) {
            core::cmp::Ordering::Equal => 0,
            core::cmp::Ordering::Less => 1 + far,
            core::cmp::Ordering::Greater => 2 + far,
        };
    }

    #[inline(always)]
    fn row(&self) -> usize {
        usize::from(self.last.max(self.before).max(self.beside)).min(ROWS - 1)
    }

    #[inline(always)]
    fn sign(&self, last: usize) -> usize {
        3 * usize::from(self.side) + last
    }

    #[inline(always)]
    fn at(&mut self, row: Option<usize>, place: usize) -> Option<&mut Steady> {
        Some(match row {
            Some(row) => &mut self.rows[row.min(ROWS - 1)][place.min(ROW - 1)],
            None => &mut self.shared[place.min(SHARED - 1)],
        })
    }

    #[inline(always)]
    fn follow(&mut self, length: u32) {
        (self.last, self.before) = (length as u8, self.last);
    }
}

/// Probability that the bit is 0, in 65536ths, and how often it was seen: it learns as counting does, until the next one
/// moves it by 1/128 of the way. In bytes, because there are many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steady {
    zero: [u8; 2],
    seen: u8,
}

/// Where counting ends.
const MOST_SEEN: usize = 127;

/// How far the n-th bit moves it, in 32768ths.
static RATES: [u16; MOST_SEEN + 1] = {
    let mut rates = [0; MOST_SEEN + 1];
    let mut seen = 0;
    while seen <= MOST_SEEN {
        let parts = 2 * seen as u32 + 3;
        rates[seen] = (65_536 / if parts < 256 { parts } else { 256 }) as u16;
        seen += 1;
    }
    rates
};

impl Steady {
    const EVEN: Steady = Steady { zero: 32_768_u16.to_le_bytes(), seen: 0 };
    const SELDOM: Steady = Steady { zero: 64_000_u16.to_le_bytes(), seen: 6 };

    #[inline(always)]
    fn zero(self) -> u32 {
        u32::from(u16::from_le_bytes(self.zero))
    }

    /// Together with `prob`, in 65536ths: it counts for 2 to 10 of 16 parts, for more the more it has seen. Neither bit
    /// becomes impossible, since `prob` has at least 6 parts and lets none be.
    #[inline(always)]
    pub(crate) fn with(self, prob: Prob) -> u32 {
        let parts = (u32::from(self.seen) + 2).min(10);
        prob.zero() * (16 - parts) + ((self.zero() * parts) >> 4)
    }

    /// A `bit` was seen.
    #[inline(always)]
    pub(crate) fn see(&mut self, bit: bool) {
        let zero = self.zero() as i32;
        let end = if bit { 32 } else { 65_536 - 32 };
        let rate = i32::from(RATES[usize::from(self.seen).min(MOST_SEEN)]);
        self.zero = ((zero + (((end - zero) * rate + (1 << 14)) >> 15)) as u16).to_le_bytes();
        self.seen = (self.seen + 1).min(MOST_SEEN as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bits_make_either_bit_impossible() {
        for (start, first) in [(Steady::EVEN, Prob::EVEN), (Steady::SELDOM, Prob::SELDOM)] {
            for bits in [0_u32, u32::MAX, 0x5555_5555, 0x8000_0001] {
                let (mut steady, mut prob) = (start, first);
                for at in 0..3000 {
                    let bit = bits.rotate_left(at % 32) & 1 == 1;
                    steady.see(bit);
                    prob.see(bit);
                    assert!((32..=65_504).contains(&steady.zero()), "{} after {at}", steady.zero());
                    assert!((1..65_535).contains(&steady.with(prob)), "{} after {at}", steady.with(prob));
                }
            }
        }
    }

    #[test]
    fn the_runner_up_is_on_one_side_and_far_from_the_length_of_a_mean_residual_on() {
        let mut opinion = ByLength::NEW;
        let mut side = |beside: i32, mean: i16| {
            opinion.hear(beside, mean);
            (opinion.side, opinion.row())
        };
        // 3 bits against a mean of 3 1/16, of 3, of 2.
        assert_eq!([side(-5, 49), side(-5, 48), side(-5, 32)], [(1, 3), (3, 3), (3, 3)]);
        assert_eq!([side(5, 49), side(5, 48)], [(2, 3), (4, 3)]);
        assert_eq!([side(0, 0), side(i32::MIN, 512)], [(0, 0), (3, ROWS - 1)]);
    }
}
