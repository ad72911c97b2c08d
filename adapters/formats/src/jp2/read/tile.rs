//! One tile out of the file: its tile-parts become a codestream of their own, which is decoded.
//!
//! The codestream's head is rewritten so that it has this tile only, at its place on the reference grid; of the
//! tile-parts' heads only what the decoder needs is shown to it, of packed bodies nothing is copied: they are read from
//! the file as the decoder asks for them.

use crate::jp2::codec::memory::TileCount;
use crate::jp2::codec::{DecodeError, Input, decode};
use crate::jp2::codestream::header::{MOST_KEPT_BYTES, is_kept, is_skipped, segment};
use crate::jp2::codestream::parts::{Part, SOT_BYTES, Totals, walk};
use crate::jp2::codestream::work::{bounded, bounded_passes, most_pass_samples};
use crate::jp2::codestream::{Header, Styles, marker};
use crate::jp2::{malformed, read_at, unsupported};
use crate::{Bytes, FormatError};
use plimsoll_core::shape::Span;
use std::io;

/// A run of bytes of the tile's codestream.
#[derive(Clone, Copy, Debug)]
enum Piece {
    /// From the rewritten heads.
    Own { start: u32, end: u32 },
    /// From the file.
    File { offset: u64, bytes: u64 },
}

/// Bytes that all heads of a tile may have.
const HEADS_BYTES: u64 = 2 * MOST_KEPT_BYTES as u64 + 256;

/// Gives tiles, one after the other.
pub(super) struct Tiles<'a> {
    bytes: &'a Bytes,
    header: &'a Header,
    reduce: u8,
    /// Sorted by tile, in the order of the file.
    parts: Vec<Part>,
    heads: Vec<u8>,
    pieces: Vec<Piece>,
    most_parts: u64,
    /// What decoding was planned to take.
    planned_bytes: u64,
}

/// Bytes that [`Tiles`] takes from the heap beside the decoder.
pub(super) fn table_bytes(totals: Totals) -> u64 {
    let pieces = (2 * totals.most_parts + 2) * size_of::<Piece>() as u64;
    let heads = HEADS_BYTES + totals.most_parts * (SOT_BYTES + 2);
    totals.parts * size_of::<Part>() as u64 + pieces + heads
}

impl<'a> Tiles<'a> {
    /// Over the tile-parts that end at `end`.
    ///
    /// # Errors
    /// [`FormatError`] if the file has changed since its headers were read.
    pub(super) fn new(
        bytes: &'a Bytes,
        header: &'a Header,
        reduce: u8,
        end: u64,
        totals: Totals,
        planned: &TileCount,
    ) -> Result<Self, FormatError> {
        let tiles = u64::from(header.tiles_along(0)) * u64::from(header.tiles_along(1));
        let mut parts = Vec::with_capacity(totals.parts as usize);
        walk(bytes, header.end, end, tiles, |part| {
            if parts.len() < parts.capacity() {
                parts.push(part);
            }
        })?;
        parts.sort_unstable();
        let heads = (HEADS_BYTES + totals.most_parts * (SOT_BYTES + 2)) as usize;
        Ok(Self {
            bytes,
            header,
            reduce,
            parts,
            heads: Vec::with_capacity(heads),
            pieces: Vec::with_capacity(2 * totals.most_parts as usize + 2),
            most_parts: totals.most_parts,
            planned_bytes: planned.decoding_bytes(),
        })
    }

    /// Decodes the tile in this column and row of tiles into `samples`, which is as long as its planes are.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] if it is damaged, [`FormatError::Unsupported`] if its own style needs more memory
    /// than was planned.
    pub(super) fn decode(&mut self, column: u32, row: u32, samples: &mut [u8]) -> Result<(), FormatError> {
        let tile = u64::from(row) * u64::from(self.header.tiles_along(0)) + u64::from(column);
        let first = self.parts.partition_point(|part| u64::from(part.tile) < tile);
        let after = self.parts.partition_point(|part| u64::from(part.tile) <= tile);
        let at = self.parts.get(first).map_or(self.header.end, |part| part.offset);
        if first == after || (after - first) as u64 > self.most_parts {
            return Err(malformed(format!("tile {tile} has {} parts", after - first), at));
        }
        self.heads.clear();
        self.pieces.clear();
        self.header.write_one_tile(column, row, &mut self.heads);
        let mut styles = None;
        let mut own_start = 0;
        for index in first..after {
            let Some(part) = self.parts.get(index).copied() else { break };
            own_start = self.part(part, (index - first, after - first), own_start, &mut styles)?;
        }
        let end = self.heads.len() as u32 + 2;
        self.heads.extend_from_slice(&marker::EOC.to_be_bytes());
        self.pieces.push(Piece::Own { start: own_start, end });
        let bytes: u64 =
            self.parts.get(first..after).unwrap_or_default().iter().map(|part| u64::from(part.bytes)).sum();
        let place = [Span::one(column), Span::one(row)];
        let count = self.header.count_of(
            place,
            styles.as_ref().unwrap_or(&self.header.styles),
            self.reduce,
            bytes,
            (after - first) as u64,
        );
        bounded(&count, at)?;
        if count.decoding_bytes() > self.planned_bytes {
            let feature = format!(
                "tile {tile}, whose own coding style needs {} bytes of memory where {} are planned,",
                count.decoding_bytes(),
                self.planned_bytes
            );
            return Err(unsupported(feature));
        }
        let styles = styles.as_ref().unwrap_or(&self.header.styles);
        if styles.fewest_levels() < self.reduce {
            return Err(unsupported(format!("tile {tile}, which has fewer resolutions than the others,")));
        }
        if let Some(most) = most_pass_samples(&count) {
            let packets = self.header.packets(styles, [column, row], self.reduce);
            bounded_passes(&packets, &self.body(at)?, most, at)?;
        }
        let len = self.pieces.iter().map(Piece::bytes).sum();
        let mut input = TileInput { bytes: self.bytes, heads: &self.heads, pieces: &self.pieces, len };
        decode(&mut input, self.reduce, samples).map_err(|error| match error {
            DecodeError::Io(error) => FormatError::read(at, error),
            DecodeError::Damaged => malformed(format!("tile {tile} is damaged"), at),
        })
    }

    /// The bodies of all parts, as they stand in the file.
    fn body(&self, at: u64) -> Result<Vec<u8>, FormatError> {
        let bodies = || {
            self.pieces.iter().filter_map(|piece| match piece {
                Piece::File { offset, bytes } => Some((*offset, *bytes as usize)),
                Piece::Own { .. } => None,
            })
        };
        let mut body = vec![0; bodies().map(|(_, bytes)| bytes).sum()];
        let mut rest = &mut body[..];
        for (offset, bytes) in bodies() {
            let (into, after) = std::mem::take(&mut rest).split_at_mut_checked(bytes).unwrap_or_default();
            self.bytes.read_at(offset, into).map_err(|error| FormatError::read(at, error))?;
            rest = after;
        }
        Ok(body)
    }

    /// Adds a tile-part: its rewritten head to the heads, its body as a piece of the file. Gives where the heads go on.
    fn part(
        &mut self,
        part: Part,
        (number, of): (usize, usize),
        own_start: u32,
        styles: &mut Option<Styles>,
    ) -> Result<u32, FormatError> {
        let end = part.offset + u64::from(part.bytes);
        let sot = self.heads.len();
        self.heads.extend_from_slice(&marker::SOT.to_be_bytes());
        self.heads.extend_from_slice(&[0, 10, 0, 0, 0, 0, 0, 0, number as u8, of as u8]);
        let mut at = part.offset + SOT_BYTES;
        loop {
            if at + 2 > end {
                return Err(malformed(format!("a part of tile {} without data", part.tile), at));
            }
            let (name, len) = segment(self.bytes, at)?;
            if name == marker::SOD {
                break;
            }
            let next = at + 4 + u64::from(len);
            match name {
                name if is_kept(name) => {
                    let from = self.heads.len();
                    let to = from + 4 + usize::from(len);
                    if to + 16 > HEADS_BYTES as usize {
                        return Err(unsupported(format!("heads of tile {} of more than 64 KiB", part.tile)));
                    }
                    self.heads.resize(to, 0);
                    let kept = self.heads.get_mut(from..).unwrap_or_default();
                    read_at(self.bytes, at, kept)?;
                    let data = kept.get(4..).unwrap_or_default();
                    if matches!(name, marker::COD | marker::COC | marker::POC) {
                        let styles = styles.get_or_insert_with(|| self.header.styles.clone());
                        styles.apply(name, data, self.header.components.len(), at)?;
                    }
                }
                marker::PPT => return Err(unsupported("packet headers packed into tile-parts")),
                name if is_skipped(name) => {}
                marker::SOT | marker::EOC => {
                    return Err(malformed(
                        format!("a marker {name:#06X} within the head of a tile-part"),
                        at,
                    ));
                }
                _ => {}
            }
            at = next;
        }
        self.heads.extend_from_slice(&marker::SOD.to_be_bytes());
        let body = at + 2;
        let bytes =
            end.checked_sub(body).ok_or_else(|| malformed("a tile-part that ends in its head", at))?;
        let stated = (self.heads.len() - sot) as u64 + bytes;
        let stated = u32::try_from(stated).map_err(|_| unsupported("a tile-part of more than 4 GiB"))?;
        if let Some(place) = self.heads.get_mut(sot + 6..sot + 10) {
            place.copy_from_slice(&stated.to_be_bytes());
        }
        let own_end = self.heads.len() as u32;
        self.pieces.push(Piece::Own { start: own_start, end: own_end });
        self.pieces.push(Piece::File { offset: body, bytes });
        Ok(own_end)
    }
}

impl Piece {
    fn bytes(&self) -> u64 {
        match self {
            Self::Own { start, end } => u64::from(end - start),
            Self::File { bytes, .. } => *bytes,
        }
    }
}

/// A tile's codestream.
struct TileInput<'a> {
    bytes: &'a Bytes,
    heads: &'a [u8],
    pieces: &'a [Piece],
    len: u64,
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
                    Piece::File { offset, .. } => self.bytes.read_at(offset + skip, into)?,
                }
                return Ok(n);
            }
            start += bytes;
        }
        Ok(0)
    }
}
