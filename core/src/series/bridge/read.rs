//! Blocks in from a stream, in one buffer of the caller's.

use crate::series::error::Damage;
use crate::series::header::{Header, MAX_HEADER_BYTES};
use crate::series::search::Search;
use embedded_io::Read;

/// Why there is no next block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ReadError<E> {
    /// The stream.
    Stream(E),
    /// The buffer cannot hold a header, let alone a block.
    Buffer {
        /// Its bytes.
        bytes: usize,
        /// What a header may need.
        needed: usize,
    },
}

/// Finds the blocks in a stream, whatever stands between them.
///
/// The buffer must hold the longest block that is to be found: longer ones are passed over as damage, and so is what is
/// no block. Every byte is read once, and the time is linear in the bytes, whatever they are: see [`Search`].
#[derive(Debug)]
pub struct ReadBlocks<'b, R> {
    stream: R,
    buffer: &'b mut [u8],
    start: usize,
    end: usize,
    ended: bool,
    lost: u64,
    search: Search,
}

impl<'b, R: Read> ReadBlocks<'b, R> {
    /// Blocks of `stream`, of at most as many bytes as `buffer` has.
    ///
    /// # Errors
    /// [`ReadError::Buffer`] if that is less than a header can have.
    pub fn try_new(stream: R, buffer: &'b mut [u8]) -> Result<Self, ReadError<R::Error>> {
        if buffer.len() < MAX_HEADER_BYTES {
            return Err(ReadError::Buffer { bytes: buffer.len(), needed: MAX_HEADER_BYTES });
        }
        Ok(ReadBlocks { stream, buffer, start: 0, end: 0, ended: false, lost: 0, search: Search::default() })
    }

    /// Bytes so far that were no part of a sound block.
    pub fn lost_bytes(&self) -> u64 {
        self.lost
    }

    /// The next sound block, for a decoder; `None` at the stream's end.
    ///
    /// # Errors
    /// [`ReadError::Stream`]. The call may be repeated.
    pub fn next_block(&mut self) -> Result<Option<&[u8]>, ReadError<R::Error>> {
        loop {
            let bytes = self.buffer.get(self.start..self.end).unwrap_or_default();
            if bytes.is_empty() && self.ended {
                return Ok(None);
            }
            let mut skip = 1;
            let more = match Header::check(bytes) {
                Ok((header, _)) => {
                    let (start, end) = (self.start, self.start + header.block_bytes());
                    self.start = end;
                    return Ok(self.buffer.get(start..end));
                }
                Err(Damage::Truncated { needed, .. }) => needed <= self.buffer.len() && !self.ended,
                Err(Damage::Checksum { .. }) => {
                    let bytes = Header::read(bytes).map_or(1, |header| header.block_bytes());
                    skip = self.search.failed(bytes);
                    false
                }
                Err(_) => false,
            };
            if more {
                self.fill()?;
            } else {
                self.start += skip;
                self.lost += skip as u64;
                self.search.passed(skip);
            }
        }
    }

    /// The stream, behind what was read of it.
    pub fn into_inner(self) -> R {
        self.stream
    }

    fn fill(&mut self) -> Result<(), ReadError<R::Error>> {
        if self.end == self.buffer.len() || self.start == self.end {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        match self.stream.read(free).map_err(ReadError::Stream)? {
            0 => self.ended = true,
            read => self.end += read,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::WriteBlocks;
    use super::*;
    use crate::series::{Column, Decoder, Kind, Settings, Small, TimeUnit, Word};
    use std::vec::Vec;

    /// Gives a few bytes a read.
    struct Dripping<'b>(&'b [u8], usize);

    impl embedded_io::ErrorType for Dripping<'_> {
        type Error = core::convert::Infallible;
    }

    impl Read for Dripping<'_> {
        fn read(&mut self, into: &mut [u8]) -> Result<usize, Self::Error> {
            let length = into.len().min(self.1);
            self.0.read(&mut into[..length])
        }
    }

    fn points(bytes: &[u8], buffer: usize, drip: usize) -> (Vec<(i64, i32)>, u64) {
        let mut buffer = std::vec![0; buffer];
        let mut blocks = ReadBlocks::try_new(Dripping(bytes, drip), &mut buffer).unwrap();
        let mut points = Vec::new();
        while let Some(block) = blocks.next_block().unwrap() {
            let decoder = Decoder::<Small, 1>::try_new(block).unwrap();
            points.extend(
                decoder.into_iter().map(|point| point.map(|it| (it.time, it.values[0].i32())).unwrap()),
            );
        }
        (points, blocks.lost_bytes())
    }

    #[test]
    fn points_cross_a_stream_whatever_is_between_and_however_it_is_cut() {
        let (mut buffer, mut port) = ([0; 300], [0_u8; 8192]);
        let settings = Settings::new(TimeUnit::Seconds, [Column::new(Kind::I32)]).block_points(64);
        let mut log = WriteBlocks::<_, Small, 1>::try_new(&mut port[..], settings, &mut buffer).unwrap();
        // The interpreter is slow: it gets a few of them.
        let (count, drips) = if cfg!(miri) { (70, &[7][..]) } else { (1000, &[1, 7, 64, 8192][..]) };
        let given: Vec<(i64, i32)> = (0..count).map(|at| (at, (at * at % 91) as i32)).collect();
        given.iter().for_each(|(time, value)| log.push(*time, &[Word::from(*value)]).unwrap());
        assert!(log.waiting() > 0);
        let left = log.finish().unwrap().len();
        let bytes = &port[..8192 - left];
        for drip in drips.iter().copied() {
            for buffer in [MAX_HEADER_BYTES.max(300), 1000, 65_536] {
                assert_eq!(points(bytes, buffer, drip), (given.clone(), 0));
            }
        }
        let noise = [&[0xD3, 0x9C, 0x10, 1, 2, 3][..], bytes, &[0xD3], bytes, &bytes[..40]].concat();
        let (found, lost) = points(&noise, 400, 5);
        assert_eq!((found, lost), ([given.clone(), given].concat(), 6 + 1 + 40));
        let error = ReadBlocks::try_new(bytes, &mut [0; 10]).err();
        assert_eq!(error, Some(ReadError::Buffer { bytes: 10, needed: MAX_HEADER_BYTES }));
    }
}
