//! Fax coding: ITU-T T.4 (Group 3, and its rows without line ends as TIFF 6.0 section 10 has them) and T.6 (Group 4).
//!
//! Our own: the decoders that others keep want a whole strip or call back for whole rows, this one stops at any code
//! and holds two rows of bits, whatever the strip's size. Black is one and white is zero, as libtiff has it; what they
//! mean is the page's photometric interpretation's business.

mod bits;
mod codes;

use super::{Progress, Trouble};
use crate::tiff::read::method::Fax as Variant;
use bits::{blacken, find};
use codes::{BLACK, MAKE_UP, MOST_BITS, WHITE, entry};

/// Bits of a line end: eleven zeros or more, and a one.
const LINE_END_BITS: u32 = 12;

/// What the next bits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// What stands before a row.
    Start,
    /// Runs of alternating colour until the row is full.
    Runs,
    /// Differences to the row above until the row is full.
    Differences,
    /// So many runs, then differences again.
    Pair(u8),
    /// None: the row is full and being given.
    Give,
    /// None: the page's end was met.
    Ended,
}

/// A decoder: two rows of bits, and where it is in the lower one.
pub(in crate::tiff::read) struct Fax {
    variant: Variant,
    cols: u32,
    above: Box<[u8]>,
    row: Box<[u8]>,
    /// Bits of the input that are not yet used, at the high end; zero beyond `held`.
    bits: u64,
    held: u32,
    /// Bits that were used since the unit began.
    used: u64,
    phase: Phase,
    /// Columns of the row that are done (`a0` of T.4).
    done: u32,
    /// Nothing of the row is done: its first column may change colour.
    fresh: bool,
    black: bool,
    /// Columns of the run whose last code has not come.
    run: u32,
    /// Line ends in a row.
    line_ends: u32,
    /// The row after the line end is one of runs.
    of_runs: bool,
    given: usize,
}

impl Fax {
    pub(super) fn new(variant: Variant, cols: u32) -> Self {
        let row = || vec![0; cols.div_ceil(8) as usize].into_boxed_slice();
        Self {
            variant,
            cols,
            above: row(),
            row: row(),
            bits: 0,
            held: 0,
            used: 0,
            phase: Phase::Start,
            done: 0,
            fresh: true,
            black: false,
            run: 0,
            line_ends: 0,
            of_runs: true,
            given: 0,
        }
    }

    /// Bytes of its two rows.
    pub(super) fn heap_bytes(cols: u32) -> u64 {
        2 * u64::from(cols.div_ceil(8))
    }

    pub(super) fn reset(&mut self) {
        // The row above the first is white.
        self.row.fill(0);
        self.next_row();
        (self.bits, self.held, self.used) = (0, 0, 0);
        (self.line_ends, self.of_runs) = (0, true);
    }

    /// The row becomes the one above, and a white one takes its place.
    fn next_row(&mut self) {
        core::mem::swap(&mut self.above, &mut self.row);
        self.row.fill(0);
        (self.phase, self.done, self.fresh) = (Phase::Start, 0, true);
        (self.black, self.run, self.given) = (false, 0, 0);
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Trouble> {
        let last = input.is_empty();
        let mut progress = Progress::default();
        while progress.written < output.len() {
            if self.phase == Phase::Give {
                let rest = &self.row[self.given..];
                let bytes = rest.len().min(output.len() - progress.written);
                output[progress.written..][..bytes].copy_from_slice(&rest[..bytes]);
                progress.written += bytes;
                self.given += bytes;
                if self.given == self.row.len() {
                    self.next_row();
                }
                continue;
            }
            while self.held <= 56
                && let Some(byte) = input.get(progress.read)
            {
                self.bits |= u64::from(*byte) << (56 - self.held);
                self.held += 8;
                progress.read += 1;
            }
            // Codes at the very end are read with zeros behind them.
            let enough = self.held >= MOST_BITS.max(LINE_END_BITS) || last && self.held > 0;
            if self.phase == Phase::Ended || !enough {
                progress.ended = self.phase == Phase::Ended;
                break;
            }
            self.advance()?;
        }
        Ok(progress)
    }

    fn peek(&self, bits: u32) -> u32 {
        (self.bits >> (64 - bits)) as u32
    }

    /// Bits of a code are done with.
    fn take(&mut self, bits: u32) -> Result<(), Trouble> {
        if bits > self.held {
            // A code that ends beyond the data.
            return Err(Trouble::Damaged);
        }
        self.bits <<= bits;
        self.held -= bits;
        self.used += u64::from(bits);
        Ok(())
    }

    /// Does what the next code says.
    fn advance(&mut self) -> Result<(), Trouble> {
        match self.phase {
            Phase::Start => self.start(),
            Phase::Runs => {
                self.run()?;
                Ok(())
            }
            Phase::Pair(left) => {
                if self.run()? {
                    self.phase = if left > 1 { Phase::Pair(left - 1) } else { Phase::Differences };
                }
                if self.phase == Phase::Differences && self.done == self.cols {
                    self.phase = Phase::Give;
                }
                Ok(())
            }
            Phase::Differences => self.difference(),
            Phase::Give | Phase::Ended => Ok(()),
        }
    }

    /// What stands before a row: padding, a line end, or the end of the page.
    fn start(&mut self) -> Result<(), Trouble> {
        let next = self.peek(LINE_END_BITS);
        match self.variant {
            Variant::Huffman { align } => {
                let odd = (self.used % u64::from(align)) as u32;
                if odd != 0 {
                    return self.take((align - odd).min(self.held));
                }
                self.phase = Phase::Runs;
            }
            Variant::Group4 if next == 1 => self.phase = Phase::Ended,
            Variant::Group4 => self.phase = Phase::Differences,
            // Fill bits.
            Variant::Group3 | Variant::Group3Mixed if next == 0 => return self.take(1),
            Variant::Group3 | Variant::Group3Mixed if next == 1 => {
                self.take(LINE_END_BITS)?;
                if self.variant == Variant::Group3Mixed {
                    self.of_runs = self.peek(1) == 1;
                    self.take(1)?;
                }
                self.line_ends += 1;
                if self.line_ends > 1 {
                    self.phase = Phase::Ended;
                }
            }
            Variant::Group3 | Variant::Group3Mixed => {
                self.line_ends = 0;
                self.phase = if self.of_runs { Phase::Runs } else { Phase::Differences };
            }
        }
        Ok(())
    }

    /// One code of a run. Returns whether it was the run's last.
    fn run(&mut self) -> Result<bool, Trouble> {
        let (bits, run) = entry(if self.black { &BLACK } else { &WHITE }, self.peek(MOST_BITS));
        if bits == 0 {
            return Err(Trouble::Damaged);
        }
        self.take(bits)?;
        self.run = self.run.saturating_add(u32::from(run));
        if run >= MAKE_UP {
            return Ok(false);
        }
        let to = self.done.checked_add(self.run).ok_or(Trouble::Damaged)?;
        self.colour_to(to)?;
        (self.black, self.run) = (!self.black, 0);
        if self.phase == Phase::Runs && self.done == self.cols {
            self.phase = Phase::Give;
        }
        Ok(true)
    }

    /// One code of a row of differences (T.4 table 4, T.6 table 1).
    fn difference(&mut self) -> Result<(), Trouble> {
        let next = self.peek(7);
        let leading = next.leading_zeros() - 25;
        let below = |shift: u32| next >> shift & 1 == 1;
        match leading {
            // Vertical: the colour changes where it does above, or up to three columns beside that.
            0 => self.vertical(1, 0),
            1 => self.vertical(3, if below(4) { 1 } else { -1 }),
            // Horizontal: two runs.
            2 => {
                self.take(3)?;
                self.phase = Phase::Pair(2);
                Ok(())
            }
            // Pass: the colour goes on beyond a run above.
            3 => {
                self.take(4)?;
                let change = self.change_above();
                let to = find(&self.above, change, self.cols, self.black);
                self.colour_to(to)?;
                self.finish_differences();
                Ok(())
            }
            4 => self.vertical(6, if below(1) { 2 } else { -2 }),
            5 => self.vertical(7, if below(0) { 3 } else { -3 }),
            6 => Err(Trouble::Unsupported("fax uncompressed mode")),
            // A line end inside a row, or no code.
            _ => Err(Trouble::Damaged),
        }
    }

    fn vertical(&mut self, bits: u32, beside: i64) -> Result<(), Trouble> {
        self.take(bits)?;
        let to = i64::from(self.change_above()) + beside;
        let to = u32::try_from(to).map_err(|_| Trouble::Damaged)?;
        self.colour_to(to)?;
        self.black = !self.black;
        self.finish_differences();
        Ok(())
    }

    fn finish_differences(&mut self) {
        self.fresh = false;
        if self.done == self.cols {
            self.phase = Phase::Give;
        }
    }

    /// The first column beyond the last one done where the row above changes to the other colour (`b1`).
    fn change_above(&self) -> u32 {
        // Before the first column everything is white.
        if self.fresh {
            return find(&self.above, 0, self.cols, true);
        }
        let same = find(&self.above, self.done, self.cols, self.black);
        find(&self.above, same, self.cols, !self.black)
    }

    /// Gives the columns up to `to` the present colour.
    fn colour_to(&mut self, to: u32) -> Result<(), Trouble> {
        if to > self.cols || to < self.done {
            return Err(Trouble::Damaged);
        }
        if self.black && to > self.done {
            blacken(&mut self.row, self.done, to);
        }
        if to > self.done {
            self.fresh = false;
        }
        self.done = to;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
