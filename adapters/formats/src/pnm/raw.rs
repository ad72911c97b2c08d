//! Rows of binary samples: positioned reads straight into the strip, then the byte order in place.
//!
//! Any rows and columns can be read, again and in any order. No memory beyond the strip and 4 KiB of stack for
//! bitmaps.

use super::header::{Encoding, Header};
use crate::{Bytes, FormatError};
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Need, Source};
use plimsoll_core::shape::Shape;
use plimsoll_core::strip::StripMut;

/// A source of binary samples.
pub(super) struct Raw<'a> {
    bytes: &'a Bytes,
    header: &'a Header,
    stored_row_bytes: u64,
}

impl<'a> Raw<'a> {
    pub(super) fn new(bytes: &'a Bytes, header: &'a Header, stored_row_bytes: u64) -> Self {
        Self { bytes, header, stored_row_bytes }
    }

    /// Nothing but the source itself.
    pub(super) fn needs() -> Vec<Need> {
        vec![Need::fixed("PNM source", size_of::<Self>() as u64, Each::Worker, Place::Heap)]
    }

    /// Where the image's row `row` is. The header was checked against the file's length.
    fn offset(&self, row: u32) -> u64 {
        let stored = match self.header.encoding {
            Encoding::Floats { .. } => self.header.shape.rows - 1 - row,
            _ => row,
        };
        self.header.data + u64::from(stored) * self.stored_row_bytes
    }

    fn fill(&self, offset: u64, into: &mut [u8]) -> Result<(), FormatError> {
        self.bytes.read_at(offset, into).map_err(|error| FormatError::read(offset, error))
    }

    /// Reads bits and spreads them: 0 (white) to 255, 1 (black) to 0.
    fn fill_from_bits(&self, row: u32, first_col: u32, into: &mut [u8]) -> Result<(), FormatError> {
        let mut packed = [0u8; 4096];
        let mut col = u64::from(first_col);
        let mut rest = into;
        while !rest.is_empty() {
            let skip = (col % 8) as usize;
            let count = rest.len().min(packed.len() * 8 - skip);
            let (now, later) = rest.split_at_mut(count);
            let bits = &mut packed[..(skip + count).div_ceil(8)];
            self.fill(self.offset(row) + col / 8, bits)?;
            let spread = bits.iter().flat_map(|byte| (0..8).map(move |bit| byte << bit & 0x80));
            for (sample, black) in now.iter_mut().zip(spread.skip(skip)) {
                *sample = if black == 0 { 255 } else { 0 };
            }
            col += count as u64;
            rest = later;
        }
        Ok(())
    }
}

impl Source for Raw<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.header.shape
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let Shape { cols, rows, .. } = self.header.shape;
        let (wanted, first_col) = (strip.rows(), strip.cols().start());
        if wanted.end() > rows || strip.cols().end() > cols {
            let problem = format!("{} is outside the image", strip.region());
            return Err(FormatError::Usage { format: self.header.name, problem });
        }
        let bottom_up = matches!(self.header.encoding, Encoding::Floats { .. });
        if self.header.encoding == Encoding::Bits {
            for row in wanted.iter() {
                self.fill_from_bits(row, first_col, strip.row_bytes_mut(row))?;
            }
        } else if strip.cols().len() == cols && !bottom_up {
            // The rows of the strip lie in the file as they lie in the ring.
            let mut offset = self.offset(wanted.start());
            for part in strip.parts_mut() {
                self.fill(offset, part)?;
                offset += part.len() as u64;
            }
        } else {
            let skip = u64::from(first_col) * self.header.shape.pixel_bytes() as u64;
            for row in wanted.iter() {
                self.fill(self.offset(row) + skip, strip.row_bytes_mut(row))?;
            }
        }
        for row in wanted.iter() {
            match self.header.encoding {
                Encoding::Words => {
                    for sample in strip.row_mut::<u16>(row) {
                        *sample = u16::from_be(*sample);
                    }
                }
                Encoding::Floats { little } => {
                    for sample in strip.row_mut::<f32>(row) {
                        let bits = sample.to_bits();
                        *sample =
                            f32::from_bits(if little { u32::from_le(bits) } else { u32::from_be(bits) });
                    }
                }
                _ => {}
            }
        }
        if !bottom_up {
            self.bytes.release_before(self.header.data + u64::from(wanted.end()) * self.stored_row_bytes);
        }
        Ok(())
    }
}
