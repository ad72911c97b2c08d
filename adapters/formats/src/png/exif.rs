//! The orientation out of an `eXIf` chunk (PNG specification, third edition, 11.3.4.5): the first directory of a TIFF
//! file without pixels. Only that field is looked at; what is malformed says nothing.

use super::header::Chunk;
use crate::{Bytes, FormatError, Orientation};

/// The tag of the orientation (EXIF 2.32, 4.6.4).
const ORIENTATION: u64 = 274;

/// The type SHORT.
const SHORT: u64 = 3;

/// What `chunk` says of how the picture should be seen; upright if it says nothing.
///
/// # Errors
/// [`FormatError::Io`] if it cannot be read.
pub(super) fn orientation(bytes: &Bytes, chunk: &Chunk) -> Result<Orientation, FormatError> {
    let mut mark = [0; 4];
    if !read(bytes, chunk, 0, &mut mark)? {
        return Ok(Orientation::UPRIGHT);
    }
    let big_endian = match &mark {
        b"II*\0" => false,
        b"MM\0*" => true,
        _ => return Ok(Orientation::UPRIGHT),
    };
    let number = |bytes: &[u8]| {
        let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        if big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) }
    };
    let (mut at, mut entries, mut entry) = ([0; 4], [0; 2], [0; 12]);
    if !read(bytes, chunk, 4, &mut at)? || !read(bytes, chunk, number(&at), &mut entries)? {
        return Ok(Orientation::UPRIGHT);
    }
    for index in 0..number(&entries) {
        if !read(bytes, chunk, number(&at) + 2 + 12 * index, &mut entry)? {
            break;
        }
        let [a, b, c, d, _, _, _, _, first, second, ..] = entry;
        if (number(&[a, b]), number(&[c, d])) == (ORIENTATION, SHORT) {
            return Ok(Orientation::from_number(number(&[first, second])).unwrap_or_default());
        }
    }
    Ok(Orientation::UPRIGHT)
}

/// Fills `into` from byte `offset` of the chunk; whether that is inside it.
fn read(bytes: &Bytes, chunk: &Chunk, offset: u64, into: &mut [u8]) -> Result<bool, FormatError> {
    let inside = offset.checked_add(into.len() as u64).is_some_and(|end| end <= u64::from(chunk.len));
    if inside {
        let at = chunk.data + offset;
        bytes.read_at(at, into).map_err(|error| FormatError::read(at, error))?;
    }
    Ok(inside)
}
