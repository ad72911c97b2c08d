//! YCbCr whose colour is stored coarser than its brightness (TIFF 6.0 section 21): a row of clumps becomes rows of
//! pixels, each with the colour of its clump.
//!
//! The samples stay YCbCr. Colour is repeated, not interpolated: what comes out are stored numbers and no others.

use super::{Codec, Progress, Trouble};
use crate::tiff::read::layout::Subsampling;

/// A decoder with a row of clumps behind it.
pub(in crate::tiff::read) struct Clumps {
    codec: Box<Codec>,
    subsampling: Subsampling,
    cols: usize,
    /// A row of clumps, and how much of it is there.
    row: Vec<u8>,
    filled: usize,
    /// Bytes of its rows of pixels that were given.
    given: usize,
}

impl Clumps {
    pub(super) fn new(codec: Codec, subsampling: Subsampling, cols: u32) -> Self {
        let bytes = usize::try_from(subsampling.clump_row_bytes(cols)).unwrap_or(usize::MAX);
        Self {
            codec: Box::new(codec),
            subsampling,
            cols: cols as usize,
            row: vec![0; bytes],
            filled: 0,
            given: 0,
        }
    }

    /// What it holds beside the codec's own memory.
    pub(super) fn heap_bytes(subsampling: Subsampling, cols: u32) -> u64 {
        subsampling.clump_row_bytes(cols) + size_of::<Codec>() as u64
    }

    pub(super) fn reset(&mut self) {
        self.codec.reset();
        (self.filled, self.given) = (0, 0);
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Trouble> {
        let pixels_bytes = 3 * self.cols * usize::from(self.subsampling.down);
        let mut total = Progress::default();
        while total.written < output.len() {
            if self.filled < self.row.len() {
                let progress = self.codec.step(&input[total.read..], &mut self.row[self.filled..])?;
                total.read += progress.read;
                self.filled += progress.written;
                if self.filled < self.row.len() {
                    total.ended = progress.ended;
                    if progress.ended || progress.read + progress.written == 0 {
                        break;
                    }
                    continue;
                }
            }
            let written = self.give(&mut output[total.written..]);
            total.written += written;
            if self.given == pixels_bytes {
                (self.filled, self.given) = (0, 0);
            }
        }
        Ok(total)
    }

    /// Writes pixels of the row of clumps from where it is. Returns how many bytes.
    fn give(&mut self, output: &mut [u8]) -> usize {
        let (across, down) = (usize::from(self.subsampling.across), usize::from(self.subsampling.down));
        let row_bytes = 3 * self.cols;
        let end = output.len().min(row_bytes * down - self.given);
        for byte in &mut output[..end] {
            let (y, in_row) = (self.given / row_bytes, self.given % row_bytes);
            let (x, band) = (in_row / 3, in_row % 3);
            let clump = &self.row[x / across * self.subsampling.clump_bytes()..];
            *byte = match band {
                0 => clump[y * across + x % across],
                colour => clump[across * down + colour - 1],
            };
            self.given += 1;
        }
        end
    }
}
