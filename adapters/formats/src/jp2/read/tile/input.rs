//! The codestream of one tile, as the decoder reads it: runs of bytes, few of which are held.

use crate::Bytes;
use crate::jp2::codec::Input;
use std::io;

/// A run of bytes of the tile's codestream.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece {
    /// From the rewritten heads.
    Own { start: u32, end: u32 },
    /// From the file.
    File { offset: u64, bytes: u64 },
    /// Headers of packets that stand apart from them, with the number of the segment that they are shown in.
    Packed { offset: u64, bytes: u32, number: u8 },
}

impl Piece {
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Own { start, end } => u64::from(end - start),
            Self::File { bytes, .. } => *bytes,
            Self::Packed { bytes, .. } => u64::from(*bytes),
        }
    }
}

/// A tile's codestream.
pub(super) struct TileInput<'a> {
    pub(super) bytes: &'a Bytes,
    pub(super) heads: &'a [u8],
    pub(super) pieces: &'a [Piece],
    pub(super) len: u64,
}

impl Input for TileInput<'_> {
    fn len(&self) -> u64 {
        self.len
    }

    fn read(&mut self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut start = 0;
        for piece in self.pieces {
            let skip = offset - start;
            let bytes = piece.bytes();
            if skip < bytes {
                let n = into.len().min((bytes - skip) as usize);
                let Some(into) = into.get_mut(..n) else { return Ok(0) };
                match piece {
                    Piece::Own { start, .. } => {
                        let from = *start as usize + skip as usize;
                        into.copy_from_slice(self.heads.get(from..from + n).unwrap_or(&[]));
                    }
                    Piece::File { offset, .. } | Piece::Packed { offset, .. } => {
                        self.bytes.read_at(offset + skip, into)?;
                    }
                }
                return Ok(n);
            }
            start += bytes;
        }
        Ok(0)
    }
}
