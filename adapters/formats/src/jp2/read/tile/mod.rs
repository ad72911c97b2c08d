//! One tile out of the file: its tile-parts become a codestream of their own, which is decoded.
//!
//! The codestream's head is rewritten so that it has this tile only, at its place on the reference grid; of the
//! tile-parts' heads only what the decoder needs is shown to it, of packed bodies nothing is copied, nor of packets'
//! headers that stand apart from them: they are read from the file as the decoder asks for them. Those of the main header
//! are shown to it in the head of the tile's first part (PPT), where they may stand, too.

mod input;
mod packed;

use crate::jp2::codec::memory::TileCount;
use crate::jp2::codec::{DecodeError, decode};
use crate::jp2::codestream::header::{Kept, MOST_COMPONENTS, MOST_KEPT_BYTES, is_kept, is_skipped, segment};
use crate::jp2::codestream::packed::Share;
use crate::jp2::codestream::parts::{Part, SOT_BYTES, Totals, walk};
use crate::jp2::codestream::work::{bounded, bounded_passes, most_pass_samples};
use crate::jp2::codestream::{Header, Styles, marker};
use crate::jp2::{malformed, unsupported};
use crate::{Bytes, FormatError};
use input::{Piece, TileInput};
use packed::{MOST_PACKED, PACKED_HEAD_BYTES};
use plimsoll_core::shape::Span;
use std::ops::Range;

/// Bytes that the heads of a tile may have beside what each of its parts and of the main header's segments adds.
const HEADS_BYTES: usize = 2 * MOST_KEPT_BYTES + 256 + PACKED_HEAD_BYTES * MOST_PACKED;

/// Gives tiles, one after the other.
pub(super) struct Tiles<'a> {
    bytes: &'a Bytes,
    header: &'a Header,
    reduce: u8,
    /// Sorted by tile, in the order of the file.
    parts: Vec<Part>,
    /// Of each part, in the order of the file, if packets' headers stand in the main header.
    shares: Vec<Share>,
    heads: Vec<u8>,
    pieces: Vec<Piece>,
    /// Components that have samples in a tile, if not all of them have.
    with_samples: Vec<u32>,
    most_parts: u64,
    /// What decoding was planned to take.
    planned_bytes: u64,
}

/// Bytes that [`Tiles`] takes from the heap beside the decoder.
pub(super) fn table_bytes(totals: Totals) -> u64 {
    let pieces = most_pieces(totals) * size_of::<Piece>() as u64;
    let shares = if totals.packed_segments > 0 { size_of::<Share>() } else { 0 };
    let components = u64::from(MOST_COMPONENTS) * size_of::<u32>() as u64;
    totals.parts * (size_of::<Part>() + shares) as u64 + pieces + heads_bytes(totals) + components
}

/// Bytes that all heads of a tile have at most.
fn heads_bytes(totals: Totals) -> u64 {
    let packed = totals.packed_segments * PACKED_HEAD_BYTES as u64;
    HEADS_BYTES as u64 + totals.most_parts * (SOT_BYTES + 2) + packed
}

/// Pieces that a tile's codestream has at most.
fn most_pieces(totals: Totals) -> u64 {
    // What stands in the main header is cut where its segments end, where a part's share ends, and where a segment that it
    // is shown in is full, of which there are no more than were filled.
    let packed = if totals.packed_segments > 0 { totals.most_parts + 3 * totals.packed_segments } else { 0 };
    2 * (totals.most_parts + 1 + MOST_PACKED as u64) + packed
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
        let mut parts = Vec::with_capacity(totals.parts as usize);
        let is_packed = totals.packed_segments > 0;
        let mut shares = Vec::with_capacity(if is_packed { totals.parts as usize } else { 0 });
        let mut next = header.packed.shares();
        walk(bytes, header.end, end, header.tiles(), |part| {
            if parts.len() as u64 == totals.parts {
                return Err(malformed("the file has more tile-parts than it had", part.offset));
            }
            parts.push(part);
            if is_packed {
                shares.push(next.next(bytes, part.offset)?);
            }
            Ok(())
        })?;
        parts.sort_unstable();
        Ok(Self {
            bytes,
            header,
            reduce,
            parts,
            shares,
            heads: Vec::with_capacity(heads_bytes(totals) as usize),
            pieces: Vec::with_capacity(most_pieces(totals) as usize),
            with_samples: Vec::with_capacity(header.components.len()),
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
            own_start = self.part(part, (index - first, first..after), own_start, &mut styles)?;
        }
        let end = self.heads.len() as u32 + 2;
        self.heads.extend_from_slice(&marker::EOC.to_be_bytes());
        self.pieces.push(Piece::Own { start: own_start, end });
        let of_parts = self.parts.get(first..after).unwrap_or_default();
        let bytes = of_parts
            .iter()
            .map(|part| u64::from(part.bytes) + self.share(*part).map_or(0, |share| u64::from(share.bytes)))
            .sum();
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
            let packed = self.packed(at)?;
            bounded_passes(&packets, packed.as_deref(), &self.body(at)?, most, at)?;
        }
        self.with_samples.clear();
        self.with_samples.extend(self.header.with_samples([column, row], self.reduce));
        if self.with_samples.len() == self.header.components.len() {
            self.with_samples.clear();
        } else if styles.transform && self.with_samples.starts_with(&[0, 1, 2]) {
            let feature = format!(
                "tile {tile}, which has colours that are transformed and a component without samples,"
            );
            return Err(unsupported(feature));
        }
        let len = self.pieces.iter().map(Piece::bytes).sum();
        let mut input = TileInput { bytes: self.bytes, heads: &self.heads, pieces: &self.pieces, len };
        decode(&mut input, self.reduce, &self.with_samples, samples).map_err(|error| match error {
            DecodeError::Io(error) => FormatError::read(at, error),
            DecodeError::Damaged => malformed(format!("tile {tile} is damaged"), at),
        })
    }

    /// The bodies of all parts, as they stand in the file.
    fn body(&self, at: u64) -> Result<Vec<u8>, FormatError> {
        let body = |piece: &Piece| match piece {
            Piece::File { offset, bytes } => Some((*offset, *bytes as usize)),
            _ => None,
        };
        self.gathered(self.pieces.iter().filter_map(body), at)
    }

    /// The headers of packets that stand in the parts' heads, in the order of their numbers (A.7.5); none if all stand
    /// where the packets are.
    fn packed(&self, at: u64) -> Result<Option<Vec<u8>>, FormatError> {
        let packed = |piece: &Piece| match piece {
            Piece::Packed { offset, bytes, number } => Some((*number, *offset, *bytes as usize)),
            _ => None,
        };
        let mut packed: Vec<_> = self.pieces.iter().filter_map(packed).collect();
        // Pieces of one segment stand in their order.
        packed.sort_by_key(|(number, ..)| *number);
        let some = !packed.is_empty();
        let gathered = self.gathered(packed.into_iter().map(|(_, offset, bytes)| (offset, bytes)), at)?;
        Ok(some.then_some(gathered))
    }

    /// Runs of the file, one after the other.
    fn gathered(
        &self,
        runs: impl Iterator<Item = (u64, usize)> + Clone,
        at: u64,
    ) -> Result<Vec<u8>, FormatError> {
        let mut all = vec![0; runs.clone().map(|(_, bytes)| bytes).sum()];
        let mut rest = &mut all[..];
        for (offset, bytes) in runs {
            let (into, after) = std::mem::take(&mut rest).split_at_mut_checked(bytes).unwrap_or_default();
            self.bytes.read_at(offset, into).map_err(|error| FormatError::read(at, error))?;
            rest = after;
        }
        Ok(all)
    }

    /// Adds a tile-part: its rewritten head to the heads, its body as a piece of the file. Gives where the heads go on.
    fn part(
        &mut self,
        part: Part,
        (number, of): (usize, Range<usize>),
        mut own_start: u32,
        styles: &mut Option<Styles>,
    ) -> Result<u32, FormatError> {
        let end = part.offset + u64::from(part.bytes);
        let sot = self.heads.len();
        self.heads.extend_from_slice(&marker::SOT.to_be_bytes());
        self.heads.extend_from_slice(&[0, 10, 0, 0, 0, 0, 0, 0, number as u8, of.len() as u8]);
        let mut at = part.offset + SOT_BYTES;
        let (mut kept, mut packed_from, mut packed_bytes) = (Kept::new(self.heads.len()), None, 0);
        loop {
            if at + 2 > end {
                return Err(malformed(format!("a part of tile {} without data", part.tile), at));
            }
            let (name, len, next) = segment(self.bytes, at)?;
            if name == marker::SOD {
                break;
            }
            match name {
                name if is_kept(name) => {
                    let to = self.heads.len() + 4 + usize::from(len);
                    if to + 16 + PACKED_HEAD_BYTES * MOST_PACKED > HEADS_BYTES {
                        let most = MOST_KEPT_BYTES;
                        return Err(unsupported(format!(
                            "heads of tile {} of more than {most} bytes",
                            part.tile
                        )));
                    }
                    let data = kept.add(self.bytes, (at, name, len), &mut self.heads)?;
                    if matches!(name, marker::COD | marker::COC | marker::RGN | marker::POC) {
                        styles.get_or_insert_with(|| self.header.styles.of_tile()).apply(name, data, at)?;
                    }
                }
                marker::PPT if !self.shares.is_empty() => {
                    return Err(malformed(
                        "headers of packets in the head of a tile-part and in the main header",
                        at,
                    ));
                }
                marker::PPT => packed_from = packed_from.or(Some(at)),
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
        // Behind all segments that are kept: those are not in the order of the file.
        let mut packed_at = packed_from.unwrap_or(at);
        while packed_at < at {
            let (name, len, next) = segment(self.bytes, packed_at)?;
            if name == marker::PPT {
                own_start = self.packed_segment(part, packed_at, len, own_start)?;
                packed_bytes += u64::from(len).saturating_sub(1);
            }
            packed_at = next;
        }
        if number == 0 {
            packed_bytes += self.packed_of_main_header(of, &mut own_start, at)?;
        }
        self.heads.extend_from_slice(&marker::SOD.to_be_bytes());
        let body = at + 2;
        let bytes =
            end.checked_sub(body).ok_or_else(|| malformed("a tile-part that ends in its head", at))?;
        let stated = (self.heads.len() - sot) as u64 + packed_bytes + bytes;
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
