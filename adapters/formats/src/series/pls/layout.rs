//! The head of a file as bytes.

use crate::FormatError;
use crate::series::schema::{MOST_SCHEMA_BYTES, Schema};
use plimsoll_core::series::crc32c;

/// The first bytes of a head.
pub(super) const HEAD: [u8; 8] = *b"\x89PLS\r\n\x1a\n";

/// The version of the file's frame that this crate writes. Blocks have their own.
const VERSION: u16 = 1;

const FIXED_BYTES: usize = 12;

/// The most bytes of a head.
pub(super) const MOST_HEAD_BYTES: usize = FIXED_BYTES + MOST_SCHEMA_BYTES + 4;

/// A head for `schema`.
pub(super) fn head(schema: &Schema) -> Result<Vec<u8>, FormatError> {
    let words = schema.to_words();
    let length = u16::try_from(words.len()).ok().filter(|_| words.len() <= MOST_SCHEMA_BYTES);
    let Some(length) = length else {
        let problem =
            format!("names of columns make a head of {} bytes, at most {MOST_SCHEMA_BYTES}", words.len());
        return Err(FormatError::Usage { format: "series", problem });
    };
    let mut head = Vec::with_capacity(FIXED_BYTES + words.len() + 4);
    head.extend_from_slice(&HEAD);
    head.extend_from_slice(&VERSION.to_le_bytes());
    head.extend_from_slice(&length.to_le_bytes());
    head.extend_from_slice(words.as_bytes());
    head.extend_from_slice(&crc32c(&head).to_le_bytes());
    Ok(head)
}

/// What stands at the start of `bytes`.
pub(super) enum Read<T> {
    /// It is whole and sound, and has so many bytes.
    Sound(T, usize),
    /// It needs so many bytes.
    Short(usize),
    /// It is damaged, or none.
    Damaged(String),
}

/// Reads the head at the start of `bytes`.
pub(super) fn read_head(bytes: &[u8]) -> Read<Schema> {
    let Some(fixed) = bytes.first_chunk::<FIXED_BYTES>() else { return Read::Short(FIXED_BYTES) };
    let version = u16::from_le_bytes([fixed[8], fixed[9]]);
    if !fixed.starts_with(&HEAD) || version != VERSION {
        return Read::Damaged(format!("a head of version {version}, this reader knows {VERSION}"));
    }
    let length = usize::from(u16::from_le_bytes([fixed[10], fixed[11]]));
    if length > MOST_SCHEMA_BYTES {
        return Read::Damaged(format!("a head of {length} bytes, there can be {MOST_SCHEMA_BYTES}"));
    }
    let whole = FIXED_BYTES + length + 4;
    let Some(Some((content, check))) = bytes.get(..whole).map(<[u8]>::split_last_chunk::<4>) else {
        return Read::Short(whole);
    };
    if u32::from_le_bytes(*check) != crc32c(content) {
        return Read::Damaged("a head whose check sum is wrong".to_owned());
    }
    let words =
        std::str::from_utf8(&content[FIXED_BYTES..]).map_err(|_| "a head that is no UTF-8".to_owned());
    match words.and_then(|words| Schema::from_words(words).map_err(|error| error.to_string())) {
        Ok(schema) => Read::Sound(schema, whole),
        Err(problem) => Read::Damaged(problem),
    }
}
