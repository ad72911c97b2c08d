//! Rows of samples written as decimal text, read once from front to back.
//!
//! Where a row begins is known only by reading what stands before it: the whole image is one unit.

use super::header::{Encoding, Header};
use super::malformed;
use crate::{Bytes, FormatError};
use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Need, Source};
use plimsoll_core::shape::{Sample, SampleKind, Shape};
use plimsoll_core::strip::StripMut;

/// Text read at once.
const BUFFER_BYTES: usize = 32 << 10;

/// A source of plain text samples.
pub(super) struct Plain<'a> {
    bytes: &'a Bytes,
    header: &'a Header,
    buffer: &'a mut [u8],
    /// What of the buffer has not been looked at.
    begin: usize,
    end: usize,
    /// Where in the file the buffer ends.
    at: u64,
    next_row: u32,
}

impl<'a> Plain<'a> {
    /// The text buffer, and the source itself.
    pub(super) fn needs() -> Vec<Need> {
        vec![
            Need::fixed("plain text buffer", BUFFER_BYTES as u64, Each::Worker, Place::Arena),
            Need::fixed("PNM source", size_of::<Self>() as u64, Each::Worker, Place::Heap),
        ]
    }

    pub(super) fn new(
        bytes: &'a Bytes,
        header: &'a Header,
        budget: &mut Budget<'a>,
    ) -> Result<Self, FormatError> {
        let buffer = budget.lease("plain text buffer", BUFFER_BYTES)?;
        Ok(Self { bytes, header, buffer, begin: 0, end: 0, at: header.data, next_row: 0 })
    }

    fn byte(&mut self) -> Result<Option<u8>, FormatError> {
        if self.begin == self.end {
            let left = self.bytes.len().saturating_sub(self.at);
            let wanted = left.min(self.buffer.len() as u64) as usize;
            if wanted == 0 {
                return Ok(None);
            }
            self.bytes
                .read_at(self.at, &mut self.buffer[..wanted])
                .map_err(|error| FormatError::read(self.at, error))?;
            (self.begin, self.end) = (0, wanted);
            self.at += wanted as u64;
            self.bytes.release_before(self.at);
        }
        self.begin += 1;
        Ok(Some(self.buffer[self.begin - 1]))
    }

    /// Where the next byte is.
    fn offset(&self) -> u64 {
        self.at - (self.end - self.begin) as u64
    }

    /// The first byte that is neither white space nor in a comment.
    fn start(&mut self) -> Result<u8, FormatError> {
        loop {
            match self.byte()? {
                Some(byte) if byte.is_ascii_whitespace() => {}
                Some(b'#') => while !matches!(self.byte()?, None | Some(b'\n' | b'\r')) {},
                Some(byte) => return Ok(byte),
                None => {
                    return Err(malformed(
                        format!("the samples end in row {} of {}", self.next_row, self.header.shape.rows),
                        self.at,
                    ));
                }
            }
        }
    }

    fn sample(&mut self) -> Result<u16, FormatError> {
        let first = self.start()?;
        if self.header.encoding == Encoding::PlainBits {
            return match first {
                b'0' => Ok(255),
                b'1' => Ok(0),
                other => Err(malformed(format!("{:?} is not 0 or 1", char::from(other)), self.offset() - 1)),
            };
        }
        let mut value = 0u32;
        let mut next = Some(first);
        loop {
            match next {
                Some(digit) if digit.is_ascii_digit() => {
                    // Saturated it is larger than any largest sample.
                    value = value.saturating_mul(10).saturating_add(u32::from(digit - b'0'));
                }
                None => break,
                Some(byte) if byte.is_ascii_whitespace() => break,
                Some(other) => {
                    let problem = format!("{:?} is not a digit", char::from(other));
                    return Err(malformed(problem, self.offset() - 1));
                }
            }
            next = self.byte()?;
        }
        if value > self.header.maxval {
            let problem = format!("a sample of {value}, the largest is {}", self.header.maxval);
            return Err(malformed(problem, self.offset()));
        }
        // At most `maxval`, which is at most 65535.
        Ok(value as u16)
    }

    fn skip(&mut self, samples: u64) -> Result<(), FormatError> {
        for _ in 0..samples {
            self.sample()?;
        }
        Ok(())
    }

    fn row<T: Sample>(&mut self, strip: &mut StripMut<'_>, row: u32) -> Result<(), FormatError> {
        let shape = self.header.shape;
        let bands = u64::from(shape.bands);
        let cols = strip.cols();
        self.skip(u64::from(cols.start()) * bands)?;
        for sample in strip.row_mut::<T>(row) {
            *sample = T::from_f64(f64::from(self.sample()?));
        }
        self.skip(u64::from(shape.cols.saturating_sub(cols.end())) * bands)
    }
}

impl Source for Plain<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.header.shape
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        for row in strip.rows().iter() {
            while self.next_row < row {
                self.skip(self.header.shape.row_samples())?;
                self.next_row += 1;
            }
            match self.header.shape.kind {
                SampleKind::U16 => self.row::<u16>(strip, row)?,
                _ => self.row::<u8>(strip, row)?,
            }
            self.next_row += 1;
        }
        Ok(())
    }
}
