//! One stream of compressed units being decoded row by row: a codec, a small input buffer, and how far it is.
//!
//! Each compressed byte is read once; nothing is allocated after the lane was made.

use super::codec::{Codec, Trouble};
use super::file::{File, malformed, unsupported};
use super::units::Extent;
use crate::FormatError;

/// A decoder on its way through units.
pub(super) struct Lane<'a> {
    codec: Codec,
    buffer: &'a mut [u8],
    /// The part of the buffer that holds input not yet decoded.
    at: usize,
    filled: usize,
    /// Where the input that is not yet read begins, and how much of it there is.
    offset: u64,
    left: u64,
    /// Where input goes on when that is used up.
    then: Option<Extent>,
    /// The bits of each byte are stored from the low end.
    reversed: bool,
    /// The unit is not stored.
    empty: bool,
    /// Row of the grid and segment of the unit that it is in.
    unit: Option<(u32, u64)>,
    /// Rows of the unit that were decoded.
    rows: u32,
}

impl<'a> Lane<'a> {
    /// A lane that is in no unit.
    pub(super) fn new(codec: Codec, reversed: bool, buffer: &'a mut [u8]) -> Self {
        Self {
            codec,
            buffer,
            at: 0,
            filled: 0,
            offset: 0,
            left: 0,
            then: None,
            reversed,
            empty: false,
            unit: None,
            rows: 0,
        }
    }

    /// The unit it is in.
    pub(super) fn unit(&self) -> Option<(u32, u64)> {
        self.unit
    }

    /// Begins a unit whose bytes lie at `extent` (nowhere, if it is not stored), after those at `tables`.
    pub(super) fn begin(&mut self, unit: (u32, u64), tables: Option<Extent>, extent: Option<Extent>) {
        self.codec.reset();
        (self.at, self.filled) = (0, 0);
        self.empty = extent.is_none();
        let first = tables.or(extent).unwrap_or(Extent { offset: self.offset, bytes: 0 });
        self.then = tables.and(extent);
        (self.offset, self.left) = (first.offset, first.bytes);
        (self.unit, self.rows) = (Some(unit), 0);
    }

    /// Leaves the unit that it is in.
    pub(super) fn leave(&mut self) {
        self.unit = None;
    }

    /// Whether the unit is not stored.
    pub(super) fn is_empty(&self) -> bool {
        self.empty
    }

    /// Where the next byte that was not yet read lies.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Decodes the next `rows` rows into `output`, which is as long as they are.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] if the stream is damaged or ends before.
    pub(super) fn decode(&mut self, file: &File, rows: u32, output: &mut [u8]) -> Result<(), FormatError> {
        self.fill(file, output)?;
        self.rows += rows;
        Ok(())
    }

    /// Decodes rows of `row_bytes` bytes up to row `row` of the unit and drops them; `scratch` takes them in turn.
    ///
    /// # Errors
    /// As [`Lane::decode`].
    pub(super) fn skip_to(
        &mut self,
        file: &File,
        row: u32,
        row_bytes: usize,
        scratch: &mut [u8],
    ) -> Result<(), FormatError> {
        let mut bytes = u64::from(row.saturating_sub(self.rows)) * row_bytes as u64;
        if let Codec::Copy = self.codec {
            // What is not yet read need not be.
            let held = bytes.min((self.filled - self.at) as u64);
            self.at += held as usize;
            let beyond = (bytes - held).min(self.left);
            (self.offset, self.left) = (self.offset + beyond, self.left - beyond);
            bytes -= held + beyond;
        }
        while bytes > 0 && !scratch.is_empty() {
            let n = bytes.min(scratch.len() as u64) as usize;
            self.fill(file, &mut scratch[..n])?;
            bytes -= n as u64;
        }
        self.rows = self.rows.max(row);
        Ok(())
    }

    fn fill(&mut self, file: &File, mut output: &mut [u8]) -> Result<(), FormatError> {
        while !output.is_empty() {
            if self.at == self.filled
                && self.left == 0
                && let Some(next) = self.then.take()
            {
                (self.offset, self.left) = (next.offset, next.bytes);
            }
            if self.at == self.filled && self.left > 0 {
                let n = self.left.min(self.buffer.len() as u64) as usize;
                file.read(self.offset, &mut self.buffer[..n], "compressed data")?;
                if self.reversed {
                    self.buffer[..n].iter_mut().for_each(|byte| *byte = byte.reverse_bits());
                }
                (self.at, self.filled) = (0, n);
                self.offset += n as u64;
                self.left -= n as u64;
            }
            let input = &self.buffer[self.at..self.filled];
            let starved = input.is_empty();
            let here = self.offset - input.len() as u64;
            let progress = self.codec.step(input, output).map_err(|trouble| match trouble {
                Trouble::Damaged => malformed(here, "the compressed data is damaged near here"),
                Trouble::Unsupported(what) => unsupported(what),
            })?;
            self.at += progress.read;
            output = output.split_at_mut(progress.written).1;
            if output.is_empty() {
                break;
            }
            let stuck = progress.read == 0 && progress.written == 0;
            if progress.ended || (stuck && starved) {
                let problem =
                    format!("the compressed data ends, {} bytes of the rows are missing", output.len());
                return Err(malformed(here + progress.read as u64, problem));
            }
            if stuck {
                return Err(malformed(here, "the compressed data makes no sense from here on"));
            }
        }
        Ok(())
    }
}
