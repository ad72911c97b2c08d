//! How residuals are spread, for small cores: a Golomb-Rice code whose unary part is adaptive decisions, some two or three
//! for each residual. What is below them is as it is.

use super::super::coder::{Coder, Residuals};
use super::super::lane::{Lane, bits};
use super::prob::Prob;

/// Steps up to where a residual follows as it is.
const STEPS: usize = 15;

/// Bits below a step that are coded at once.
const SHORT: u32 = 16;

/// Classes of how large residuals were of late.
const SIZES: usize = 6;

/// The spread of residuals, in `ROWS` classes: 6, or 12 if it also matters whether the last one was a long one.
#[derive(Clone, Copy, Debug)]
pub struct Steps<const ROWS: usize> {
    /// Mean length of late, in 128ths of a bit.
    level: u16,
    seen: u8,
    /// Whether the last one was longer than that.
    longer: bool,
    rows: [[Prob; STEPS]; ROWS],
}

impl<const ROWS: usize> Steps<ROWS> {
    /// The class, and how many bits are not modelled.
    #[inline(always)]
    fn place(&self) -> (usize, u32) {
        let level = u32::from(self.level);
        let size = match level {
            ..256 => level >> 6,
            _ => 4 | level >> 6 & 1,
        };
        let longer = if self.longer && ROWS > SIZES { SIZES } else { 0 };
        (size as usize + longer, (level >> 7).saturating_sub(1))
    }

    #[inline(always)]
    fn follow(&mut self, length: u32) {
        let (length, level) = ((length << 7) as i32, i32::from(self.level));
        let mut rate = 4;
        if self.seen < 14 {
            rate = match self.seen {
                ..2 => 1,
                2..6 => 2,
                _ => 3,
            };
            self.seen += 1;
        }
        self.longer = length > level;
        self.level = (level + ((length - level) >> rate)) as u16;
    }
}

/// The step that `high` is on: 0 to 3 are steps of their own, then there are two for each power of two.
#[inline(always)]
fn step_of(high: u32) -> u32 {
    if high < 4 {
        return high;
    }
    let length = bits(high);
    (2 * length - 2) | (high >> (length - 2) & 1)
}

impl<const ROWS: usize> Residuals for Steps<ROWS> {
    type Times = Steps<SIZES>;

    const NEW: Self = Steps { level: 512, seen: 0, longer: false, rows: [[Prob::EVEN; STEPS]; ROWS] };

    // Of its own where registers are few.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn code<L: Lane, C: Coder>(&mut self, coder: &mut C, residual: L) -> L {
        let (row, below) = self.place();
        let below = below.min(L::BITS - 1);
        let wanted = if C::WRITES { step_of(residual.folded_high(below)) } else { 0 };
        let mut step = 0;
        if let Some(row) = self.rows.get_mut(row) {
            for prob in row.iter_mut() {
                if !coder.bit(prob, step < wanted) {
                    break;
                }
                step += 1;
            }
        }
        // What the step says, and how many bits follow: the first two of higher ones are the step's.
        let (high, below) = match step {
            ..4 => (step, below),
            _ => (2 | step & 1, (step / 2 - 1 + below).min(64)),
        };
        if step < STEPS as u32 && below <= SHORT {
            // Mostly a few bits, and small cores have words of 32.
            let all = (1 << below) - 1;
            let low = if below > 0 { coder.raw(residual.folded_word() & all, below) } else { 0 };
            let folded = high << below | low;
            self.follow(bits(folded));
            return L::from_i32((folded >> 1) as i32 ^ -((folded & 1) as i32));
        }
        let residual = match step {
            ..15 => L::unfold(high, below, coder.raw_long(residual.folded_low(below), below)),
            _ => L::unfold(0, 0, coder.number(residual.folded_low(L::BITS))),
        };
        self.follow(residual.folded_bits());
        residual
    }
}
