//! Reads the first few KiB of a system file without allocating.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Enough for each file read here: `status` has 1.5 KiB, `memory.stat` up to 4.
const MOST_BYTES: usize = 8 << 10;

/// Gives the text at the beginning of `path` to `parse`; `None` if it cannot be read.
pub(super) fn read<R>(path: &Path, parse: impl FnOnce(&str) -> Option<R>) -> Option<R> {
    let mut file = File::open(path).ok()?;
    let mut bytes = [0; MOST_BYTES];
    let mut len = 0;
    while let Some(rest) = bytes.get_mut(len..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    let text = bytes.get(..len)?;
    // Anything after the first byte that is no text is not ours to read.
    let text = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    parse(text)
}

/// The first number after `key` at the beginning of a line.
pub(super) fn number_after(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The same for a number of KiB, in bytes.
pub(super) fn kib_after(text: &str, key: &str) -> Option<u64> {
    number_after(text, key)?.checked_mul(1024)
}
