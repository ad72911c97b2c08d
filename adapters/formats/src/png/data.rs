//! The pixels' byte stream: the chunks of pixel data put together, checked and inflated.
//!
//! Works in one leased buffer and the inflate state; reads the file from front to back, each byte once.

use super::header::Chunk;
use super::malformed;
use crate::{Bytes, FormatError};
use flate2::{Crc, Decompress, FlushDecompress, Status};

/// File bytes read at once.
pub(super) const BUFFER_BYTES: usize = 32 << 10;

/// The heap's share: what `Decompress` takes when it is made (32 KiB of window and its tables). A test counts it.
pub(super) const INFLATE_BYTES: u64 = 48 << 10;

/// The stream.
pub(super) struct Data<'a> {
    bytes: &'a Bytes,
    buffer: &'a mut [u8],
    /// What of the buffer has not been taken.
    begin: usize,
    end: usize,
    /// Where in the file the buffer ends.
    at: u64,
    /// Bytes left of the chunk's data.
    left: u32,
    sum: Crc,
    /// Set behind the last chunk of pixels: where the next chunk begins.
    after: Option<u64>,
    inflate: Decompress,
}

impl<'a> Data<'a> {
    /// The stream that begins with the chunk at `offset`.
    pub(super) fn new(bytes: &'a Bytes, offset: u64, buffer: &'a mut [u8]) -> Result<Self, FormatError> {
        let first = Chunk::read(bytes, offset)?;
        let mut sum = Crc::new();
        sum.update(b"IDAT");
        let inflate = Decompress::new(true);
        Ok(Self {
            bytes,
            buffer,
            begin: 0,
            end: 0,
            at: first.data,
            left: first.len,
            sum,
            after: None,
            inflate,
        })
    }

    /// Where the next byte of the file is.
    fn offset(&self) -> u64 {
        self.at - (self.end - self.begin) as u64
    }

    /// Makes sure that there are bytes in the buffer.
    fn refill(&mut self) -> Result<(), FormatError> {
        if self.begin == self.end {
            let wanted = self.bytes.len().saturating_sub(self.at).min(self.buffer.len() as u64) as usize;
            if wanted == 0 {
                return Err(malformed("the file ends within the pixels", self.at));
            }
            self.bytes
                .read_at(self.at, &mut self.buffer[..wanted])
                .map_err(|error| FormatError::read(self.at, error))?;
            (self.begin, self.end) = (0, wanted);
            self.at += wanted as u64;
            self.bytes.release_before(self.at);
        }
        Ok(())
    }

    /// Makes sure that the buffer begins with bytes of pixels; `false` if there are no more.
    fn more(&mut self) -> Result<bool, FormatError> {
        while self.left == 0 {
            if self.after.is_some() {
                return Ok(false);
            }
            // The checksum of this chunk, then length and type of the next.
            let start = self.offset();
            let mut seam = [0u8; 12];
            for byte in &mut seam {
                self.refill()?;
                *byte = self.buffer[self.begin];
                self.begin += 1;
            }
            let [a, b, c, d, e, f, g, h, name @ ..] = seam;
            if self.sum.sum() != u32::from_be_bytes([a, b, c, d]) {
                return Err(malformed("the checksum of a chunk IDAT is wrong", start));
            }
            if name == *b"IDAT" {
                self.left = u32::from_be_bytes([e, f, g, h]);
                self.sum.reset();
                self.sum.update(b"IDAT");
            } else {
                self.after = Some(start + 4);
            }
        }
        self.refill()?;
        Ok(true)
    }

    /// Inflates into `out` what the buffer gives. Returns how much, and whether the stream has ended.
    fn step(&mut self, out: &mut [u8]) -> Result<(usize, bool), FormatError> {
        let there = self.more()?;
        let input = match there {
            true => &self.buffer[self.begin..self.end.min(self.begin.saturating_add(self.left as usize))],
            false => &[],
        };
        let (taken, made) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, out, FlushDecompress::None);
        let (taken, made) =
            ((self.inflate.total_in() - taken) as usize, (self.inflate.total_out() - made) as usize);
        self.take(taken);
        match status {
            Ok(Status::StreamEnd) => Ok((made, true)),
            Ok(_) if taken + made > 0 => Ok((made, false)),
            Ok(_) if !there => Err(malformed("the pixels end too early", self.offset())),
            _ => Err(malformed("the compressed pixels are damaged", self.offset())),
        }
    }

    /// Marks bytes of pixels as taken.
    fn take(&mut self, count: usize) {
        self.sum.update(&self.buffer[self.begin..self.begin + count]);
        self.begin += count;
        // No more than `left` was offered.
        self.left -= count as u32;
    }

    /// Fills `row`.
    pub(super) fn read(&mut self, row: &mut [u8]) -> Result<(), FormatError> {
        let mut filled = 0;
        while filled < row.len() {
            let (made, ended) = self.step(&mut row[filled..])?;
            filled += made;
            if ended && filled < row.len() {
                return Err(malformed("the compressed pixels are fewer than announced", self.offset()));
            }
        }
        Ok(())
    }

    /// All rows were read: checks what follows, to the last chunk, so that no damage goes unseen.
    pub(super) fn finish(&mut self) -> Result<(), FormatError> {
        // More pixels than announced are left alone, as other programs do.
        while let (0, false) = self.step(&mut [0])? {}
        while self.more()? {
            let here = (self.end - self.begin).min(self.left as usize);
            self.take(here);
        }
        let mut offset = self.after.unwrap_or(self.at);
        loop {
            let chunk = Chunk::read(self.bytes, offset)?;
            match &chunk.name {
                b"IEND" => return Ok(()),
                b"IDAT" => return Err(malformed("pixels go on after another chunk", offset)),
                _ => offset = chunk.end(),
            }
        }
    }
}
