//! Fax coding: ITU-T T.4 (Group 3, and its rows without line ends as TIFF 6.0 section 10 has them) and T.6 (Group 4).
//!
//! Our own: the decoders that others keep want a whole strip or call back for whole rows, this one stops at any code
//! and holds two rows of bits, whatever the strip's size. Black is one and white is zero, as libtiff has it; what they
//! mean is the page's photometric interpretation's business.

use super::fax_codes::{BLACK, MAKE_UP, MOST_BITS, WHITE, entry};
use super::{Progress, Trouble};
use crate::tiff::read::method::Fax as Variant;

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

/// The first column from `from` on with the colour; `end` if there is none.
fn find(row: &[u8], from: u32, end: u32, black: bool) -> u32 {
    let flip = if black { 0 } else { 0xff };
    let mut bytes = row.iter().enumerate().skip(from as usize / 8);
    let mut mask = 0xff >> (from % 8);
    if from < end {
        for (at, byte) in &mut bytes {
            let found = (byte ^ flip) & mask;
            if found != 0 {
                return (at as u32 * 8 + found.leading_zeros()).min(end);
            }
            mask = 0xff;
        }
    }
    end
}

/// Sets the bits from `from` to before `to`, which are not the same.
fn blacken(row: &mut [u8], from: u32, to: u32) {
    let (first, last) = (from as usize / 8, (to - 1) as usize / 8);
    let head = 0xff >> (from % 8);
    let tail = 0xff << (7 - (to - 1) % 8);
    match row.get_mut(first..=last) {
        Some([only]) => *only |= head & tail,
        Some([start, middle @ .., end]) => {
            *start |= head;
            middle.fill(0xff);
            *end |= tail;
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fax::encoder::Encoder;
    use fax::{Color, VecWriter};
    use proptest::prelude::*;

    fn decoded(
        variant: Variant,
        cols: u32,
        packed: &[u8],
        len: usize,
        cut: (usize, usize),
    ) -> Result<Vec<u8>, Trouble> {
        let mut codec = Fax::new(variant, cols);
        // What an earlier unit left must not show.
        codec.row.fill(0x55);
        codec.reset();
        let (mut output, mut at) = (Vec::new(), 0);
        while output.len() < len {
            let mut piece = vec![0x55; cut.1.min(len - output.len())];
            let end = packed.len().min(at + cut.0);
            let progress = codec.step(&packed[at..end], &mut piece)?;
            at += progress.read;
            output.extend_from_slice(&piece[..progress.written]);
            if progress.ended || progress.read + progress.written == 0 && at == packed.len() {
                break;
            }
        }
        Ok(output)
    }

    fn rows_of(bits: &[bool], cols: usize) -> Vec<u8> {
        let byte =
            |bits: &[bool]| bits.iter().zip(0..).fold(0, |sum, (bit, at)| sum | u8::from(*bit) << (7 - at));
        bits.chunks_exact(cols).flat_map(|row| row.chunks(8).map(byte)).collect()
    }

    /// The bits of a run, from the tables' text: what an encoder of runs does.
    fn runs(row: &[bool]) -> String {
        let mut text = String::new();
        let (mut black, mut at) = (false, 0);
        while at < row.len() {
            let mut run = row[at..].iter().take_while(|bit| **bit == black).count();
            at += run;
            let mut push = |run: usize| {
                let codes = if black { &BLACK } else { &WHITE };
                let (first, bits) = (0..1 << MOST_BITS)
                    .map(|next| (next, entry(codes, next)))
                    .find(|(_, (bits, found))| *bits > 0 && usize::from(*found) == run)
                    .map(|(next, (bits, _))| (next, bits))
                    .expect("a code for every run");
                text.push_str(&format!("{first:013b}")[..bits as usize]);
            };
            while run >= 64 {
                let part = run.min(2560) / 64 * 64;
                push(part);
                run -= part;
            }
            push(run);
            black = !black;
        }
        text
    }

    fn packed(text: &str) -> Vec<u8> {
        let byte =
            |bits: &[u8]| bits.iter().zip(0..).fold(0, |sum, (bit, at)| sum | (bit - b'0') << (7 - at));
        text.as_bytes().chunks(8).map(byte).collect()
    }

    proptest! {
        /// Group 4 against another program's encoder.
        #[test]
        fn what_was_encoded_comes_out(
            runs in prop::collection::vec(prop_oneof![0usize..4, 0usize..40, 60usize..140, 1500usize..6000], 1..60),
            cols in prop_oneof![1usize..20, 60usize..200, 2000usize..5500],
            cut in (1usize..40, 1usize..40),
        ) {
            let mut bits: Vec<bool> = runs.iter().zip(0..).flat_map(|(run, at)| vec![at % 2 == 1; *run]).collect();
            bits.resize(bits.len().next_multiple_of(cols).max(cols), false);
            let mut encoder = Encoder::new(VecWriter::new());
            for row in bits.chunks(cols) {
                let pixels = row.iter().map(|bit| if *bit { Color::Black } else { Color::White });
                encoder.encode_line(pixels, cols as u16).expect("a vector takes all");
            }
            let coded = encoder.finish().expect("a vector takes all").finish();
            let expected = rows_of(&bits, cols);
            let found = decoded(Variant::Group4, cols as u32, &coded, expected.len(), cut);
            prop_assert_eq!(found.as_deref(), Ok(&expected[..]));
        }

        #[test]
        fn any_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..400), cols in 1u32..300, kind in 0usize..5) {
            let variant = [
                Variant::Group4,
                Variant::Group3,
                Variant::Group3Mixed,
                Variant::Huffman { align: 8 },
                Variant::Huffman { align: 16 },
            ][kind];
            let _ = decoded(variant, cols, &bytes, 100_000, (7, 5));
        }
    }

    #[test]
    fn rows_of_runs_come_out_in_every_frame() {
        let cols = 3000;
        let bits: Vec<bool> = (0..cols * 7).map(|at| (at / 37 + at / 301 + at / 2999) % 3 == 0).collect();
        let expected = rows_of(&bits, cols);
        let rows: Vec<String> = bits.chunks(cols).map(runs).collect();
        let aligned = |align: usize| {
            rows.iter()
                .map(|row| format!("{row:0<width$}", width = row.len().next_multiple_of(align)))
                .collect::<String>()
        };
        let ended = |end: &str| rows.iter().map(|row| format!("{end}{row}")).collect::<String>();
        let cases = [
            (Variant::Huffman { align: 8 }, aligned(8)),
            (Variant::Huffman { align: 16 }, aligned(16)),
            (Variant::Group3, ended("000000000001")),
            (Variant::Group3, ended("00000000000000001")),
            (Variant::Group3, ended("000000000001") + &"000000000001".repeat(6)),
            (Variant::Group3Mixed, ended("0000000000011") + &"0000000000011".repeat(6)),
        ];
        for (variant, text) in cases {
            for cut in [(1, 1), (3, 1000), (10_000, 10_000)] {
                let found = decoded(variant, cols as u32, &packed(&text), expected.len(), cut);
                assert!(found.as_deref() == Ok(&expected[..]), "{variant:?} {cut:?}");
            }
        }
    }
}
