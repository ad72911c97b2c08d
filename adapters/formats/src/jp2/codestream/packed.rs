//! Headers of packets that stand in the main header (PPM, ISO/IEC 15444-1, A.7.4): whose they are and where.
//!
//! The contents of all such segments, in the order of their numbers, are one series: for each tile-part, as they follow
//! each other in the file, the length of its packets' headers and these headers. A share may lie in several segments.
//! Only places are held, 16 bytes for a segment and for a tile-part; what stands there is read when a tile is decoded.

use crate::jp2::{malformed, read_at};
use crate::{Bytes, FormatError};

/// Bytes before what is in a segment: its marker, its length and its number.
const HEAD_BYTES: u16 = 5;

/// The contents of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    /// Its number. There is one of each.
    number: u8,
    /// Bytes.
    bytes: u16,
    /// Bytes of the series before it.
    start: u32,
    /// Where it is in the file.
    offset: u64,
}

/// All segments, in the order of the series.
#[derive(Clone, Debug, Default)]
pub(in crate::jp2) struct PackedHeaders {
    segments: Vec<Segment>,
}

/// The headers of one tile-part's packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jp2) struct Share {
    /// Where the tile-part begins in the file.
    pub(in crate::jp2) part: u64,
    /// Where they begin in the series.
    pub(in crate::jp2) start: u32,
    /// Bytes.
    pub(in crate::jp2) bytes: u32,
}

/// Goes through the series from tile-part to tile-part.
pub(in crate::jp2) struct Shares<'a> {
    headers: &'a PackedHeaders,
    at: u32,
}

impl PackedHeaders {
    /// Segments that there are: none where headers stand with their packets.
    pub(in crate::jp2) fn segments(&self) -> u64 {
        self.segments.len() as u64
    }

    /// Takes a segment into account that stands at `at`, with `len` bytes behind its length.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] if it is empty, or if there is one of its number.
    pub(in crate::jp2) fn add(&mut self, bytes: &Bytes, at: u64, len: u16) -> Result<(), FormatError> {
        let mut head = [0; HEAD_BYTES as usize];
        read_at(bytes, at, &mut head)?;
        let [.., number] = head;
        if len < 2 {
            return Err(malformed(format!("headers of packets in {len} bytes"), at));
        }
        let place = match self.segments.binary_search_by_key(&number, |segment| segment.number) {
            Ok(_) => return Err(malformed(format!("two segments {number} of packets' headers"), at)),
            Err(place) => place,
        };
        let offset = at + u64::from(HEAD_BYTES);
        self.segments.insert(place, Segment { number, bytes: len - 1, start: 0, offset });
        let mut start = 0;
        for segment in &mut self.segments {
            segment.start = start;
            // 256 of fewer than 65536 bytes each.
            start += u32::from(segment.bytes);
        }
        Ok(())
    }

    /// The shares of tile-parts, from the first one on.
    pub(in crate::jp2) fn shares(&self) -> Shares<'_> {
        Shares { headers: self, at: 0 }
    }

    /// Where `bytes` bytes of the series from `start` on are in the file: an offset and a length for each segment.
    pub(in crate::jp2) fn runs(&self, start: u32, bytes: u32) -> impl Iterator<Item = (u64, u32)> + '_ {
        let end = start.saturating_add(bytes);
        let first = self.segments.partition_point(|segment| segment.end() <= start);
        let within = self.segments.iter().skip(first).take_while(move |segment| segment.start < end);
        within.filter_map(move |segment| {
            let from = start.max(segment.start);
            let bytes = end.min(segment.end()).checked_sub(from).filter(|bytes| *bytes > 0)?;
            Some((segment.offset + u64::from(from - segment.start), bytes))
        })
    }

    fn len(&self) -> u32 {
        self.segments.last().map_or(0, Segment::end)
    }
}

impl Segment {
    fn end(&self) -> u32 {
        self.start + u32::from(self.bytes)
    }
}

impl Shares<'_> {
    /// The share of the next tile-part, which begins at `part`.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] if the series ends before it does.
    pub(in crate::jp2) fn next(&mut self, bytes: &Bytes, part: u64) -> Result<Share, FormatError> {
        let series = self.headers.len();
        let left = series - self.at;
        let mut len = [0; 4];
        if left < 4 {
            let problem =
                format!("{left} bytes of packets' headers in the main header are left for a tile-part");
            return Err(malformed(problem, part));
        }
        // A length may lie across segments, too.
        let mut rest = &mut len[..];
        for (offset, bytes_here) in self.headers.runs(self.at, 4) {
            let (into, after) =
                std::mem::take(&mut rest).split_at_mut_checked(bytes_here as usize).unwrap_or_default();
            read_at(bytes, offset, into)?;
            rest = after;
        }
        let (share, left) = (u32::from_be_bytes(len), left - 4);
        if share > left {
            let problem = format!("{share} bytes of packets' headers of a tile-part where {left} are left");
            return Err(malformed(problem, part));
        }
        let start = self.at + 4;
        self.at = start + share;
        Ok(Share { part, start, bytes: share })
    }
}
