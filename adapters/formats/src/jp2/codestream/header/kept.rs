//! The segments of a header that the decoder needs, as it is shown them.

use crate::jp2::codestream::marker;
use crate::jp2::{malformed, read_at};
use crate::{Bytes, FormatError};
use std::ops::Range;

/// The most bytes of segments that are kept of a header: two of all components, three of each, and some for the order.
pub(in crate::jp2) const MOST_KEPT_BYTES: usize = 32 << 10;

/// The most bytes of one of them, its marker and length left out: 97 steps of quantisation have 195 and 32 changes of
/// the order 224.
const MOST_SEGMENT_BYTES: u16 = 224;

/// Whether the decoder needs a segment. What it can do without is left out.
pub(in crate::jp2) fn is_kept(name: u16) -> bool {
    matches!(name, marker::COD | marker::COC | marker::QCD | marker::QCC | marker::RGN | marker::POC)
}

/// Segments that the decoder needs, of one header: behind each other at the end of what is shown to it.
///
/// It takes the last word, while the standard lets what is said of all components stand anywhere and what is said of
/// one count (A.6.1 to A.6.5): so the former is put before the latter. What is said anew takes the place of what was
/// said: the decoder reads all of it for every tile.
#[derive(Clone, Copy, Debug)]
pub(in crate::jp2) struct Kept {
    /// Where they begin, and where what is said of single components does.
    start: usize,
    of_one: usize,
}

impl Kept {
    /// None yet behind `start` bytes.
    pub(in crate::jp2) fn new(start: usize) -> Self {
        Self { start, of_one: start }
    }

    /// Adds the segment at `at` to `out`, and gives what it says.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] if it is longer than it may be.
    pub(in crate::jp2) fn add<'a>(
        &mut self,
        bytes: &Bytes,
        (at, name, len): (u64, u16, u16),
        out: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], FormatError> {
        if len > MOST_SEGMENT_BYTES {
            let problem = format!("a segment {name:#06X} of {len} bytes: {MOST_SEGMENT_BYTES} are the most");
            return Err(malformed(problem, at));
        }
        let (mut from, segment_bytes) = (out.len(), 4 + usize::from(len));
        out.resize(from + segment_bytes, 0);
        read_at(bytes, at, out.get_mut(from..).unwrap_or_default())?;
        if let Some(before) = self.said_before(out, from) {
            from -= before.len();
            self.of_one -= if before.start < self.of_one { before.len() } else { 0 };
            out.drain(before);
        }
        if matches!(name, marker::COD | marker::QCD) {
            out.get_mut(self.of_one..).unwrap_or_default().rotate_right(segment_bytes);
            from = self.of_one;
            self.of_one += segment_bytes;
        }
        Ok(out.get(from + 4..from + segment_bytes).unwrap_or_default())
    }

    /// The segment that says what the one at `new` says anew.
    fn said_before(&self, out: &[u8], new: usize) -> Option<Range<usize>> {
        let (old, new) = out.split_at_checked(new)?;
        let (about_new, mut at) = (Some(about(new)?), self.start);
        while let Some([_, _, high, low]) = old.get(at..at + 4) {
            let segment = at..at + 2 + usize::from(u16::from_be_bytes([*high, *low]));
            if about(old.get(segment.clone())?) == about_new {
                return Some(segment);
            }
            at = segment.end;
        }
        None
    }
}

/// What a segment is about: its marker and, if it is about one component, that one, of which there are few. Changes of
/// the order are about nothing that was said: they add up.
fn about(segment: &[u8]) -> Option<(u16, Option<u8>)> {
    let [a, b, _, _, said @ ..] = segment else { return None };
    match u16::from_be_bytes([*a, *b]) {
        marker::POC => None,
        name @ (marker::COD | marker::QCD) => Some((name, None)),
        name => Some((name, said.first().copied())),
    }
}
