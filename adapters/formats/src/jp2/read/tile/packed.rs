//! Headers of packets that stand apart from them: in the heads of a tile's parts (PPT), or in the main header (PPM), which
//! are shown to the decoder as if they stood in the head of the tile's first part.

use super::Tiles;
use super::input::Piece;
use crate::FormatError;
use crate::jp2::codestream::marker;
use crate::jp2::codestream::packed::Share;
use crate::jp2::codestream::parts::Part;
use crate::jp2::{malformed, read_at, unsupported};
use std::ops::Range;

/// The most segments of packets' headers that a tile's parts may have in their heads.
pub(super) const MOST_PACKED: usize = 64;

/// Bytes before what is in such a segment: marker, length, number.
pub(super) const PACKED_HEAD_BYTES: usize = 5;

/// The most bytes in it.
const MOST_PACKED_BYTES: u32 = u16::MAX as u32 - 3;

impl Tiles<'_> {
    /// What stands in the main header for a tile-part.
    pub(super) fn share(&self, part: Part) -> Option<Share> {
        let index = self.shares.binary_search_by_key(&part.offset, |share| share.part).ok()?;
        self.shares.get(index).copied()
    }

    /// Adds what the main header has for the packets of all these parts, in segments as a tile-part's head has them (A.7.5),
    /// and gives its bytes.
    pub(super) fn packed_of_main_header(
        &mut self,
        parts: Range<usize>,
        own_start: &mut u32,
        at: u64,
    ) -> Result<u64, FormatError> {
        if self.shares.is_empty() {
            return Ok(0);
        }
        let of = |tiles: &Self, index| tiles.parts.get(index).and_then(|part| tiles.share(*part));
        let shares = parts.clone().filter_map(|index| of(self, index));
        let all: u64 = shares.map(|share| u64::from(share.bytes)).sum();
        if all == 0 {
            return Err(malformed("a tile without headers of packets in the main header", at));
        }
        let header = self.header;
        // All of the series are no more than 256 segments of the same size had, so there is a number for each.
        let (mut left, mut in_segment, mut next) = (all, 0, 0u8);
        for index in parts {
            let Some(share) = of(self, index) else { continue };
            for (mut offset, mut bytes) in header.packed.runs(share.start, share.bytes) {
                while bytes > 0 {
                    if in_segment == 0 {
                        in_segment = left.min(u64::from(MOST_PACKED_BYTES)) as u32;
                        self.heads.extend_from_slice(&marker::PPT.to_be_bytes());
                        self.heads.extend_from_slice(&(in_segment as u16 + 3).to_be_bytes());
                        self.heads.push(next);
                        next = next.wrapping_add(1);
                        let end = self.heads.len() as u32;
                        self.pieces.push(Piece::Own { start: *own_start, end });
                        *own_start = end;
                    }
                    let n = bytes.min(in_segment);
                    self.pieces.push(Piece::Packed { offset, bytes: n, number: next.wrapping_sub(1) });
                    (offset, bytes, in_segment) = (offset + u64::from(n), bytes - n, in_segment - n);
                    left -= u64::from(n);
                }
            }
        }
        Ok(all)
    }

    /// Adds a segment of packets' headers (A.7.5) at `at`: its head to the heads, what is in it as a piece of the file.
    pub(super) fn packed_segment(
        &mut self,
        part: Part,
        at: u64,
        len: u16,
        own_start: u32,
    ) -> Result<u32, FormatError> {
        let mut head = [0; PACKED_HEAD_BYTES];
        read_at(self.bytes, at, &mut head)?;
        let [.., number] = head;
        let many = self.pieces.iter().filter(|piece| matches!(piece, Piece::Packed { .. })).count();
        if len < 2 {
            return Err(malformed(format!("headers of packets in {len} bytes"), at));
        }
        if many >= MOST_PACKED {
            let feature = format!(
                "heads of tile {} with more than {MOST_PACKED} segments of packets' headers",
                part.tile
            );
            return Err(unsupported(feature));
        }
        self.heads.extend_from_slice(&head);
        let own_end = self.heads.len() as u32;
        self.pieces.push(Piece::Own { start: own_start, end: own_end });
        self.pieces.push(Piece::Packed {
            offset: at + PACKED_HEAD_BYTES as u64,
            bytes: u32::from(len) - 1,
            number,
        });
        Ok(own_end)
    }
}
