//! For tests: files of directories alone, entry by entry.

#[path = "../../../tests/tiff_files/counted.rs"]
mod counted;
#[path = "../../../tests/tiff_files/words.rs"]
mod words;

pub(super) use counted::Counted;

use super::file::File;
use crate::Bytes;
use std::sync::Arc;
use words::Words;

/// A file by its byte order and width of offsets, whose first directory begins behind the header.
pub(super) struct Made(pub(super) Words);

/// Tag, number of the type, count, and the bytes of the entry's last field or of what it points to.
pub(super) type Entry<'a> = (u16, u16, u64, &'a [u8]);

impl Made {
    pub(super) fn new(big_endian: bool, big: bool) -> Self {
        let mut words = Words::new(big_endian, big);
        let width = words.word();
        words.push(width, words.at() + width as u64);
        Self(words)
    }

    /// Adds a directory that stands before the values that do not fit its entries.
    pub(super) fn directory(&mut self, entries: &[Entry<'_>], next: u64) {
        let Self(words) = self;
        let (word, count) = (words.word(), words.count_bytes());
        let mut outside = words.bytes.len() + count + entries.len() * (4 + 2 * word) + word;
        let mut values = Vec::new();
        words.push(count, entries.len() as u64);
        for (tag, kind, count, value) in entries {
            words.push(2, u64::from(*tag));
            words.push(2, u64::from(*kind));
            words.push(word, *count);
            if value.len() <= word {
                let mut value = value.to_vec();
                value.resize(word, 0);
                words.bytes.extend(value);
            } else {
                words.push(word, outside as u64);
                values.extend_from_slice(value);
                outside += value.len();
            }
        }
        words.push(word, next);
        words.bytes.extend(values);
    }

    pub(super) fn open(self) -> (File, u64) {
        let (file, first, _) = self.open_counted();
        (file, first)
    }

    pub(super) fn open_counted(self) -> (File, u64, Arc<Counted>) {
        let counted = Counted::new(self.0.bytes);
        let bytes: Bytes = counted.clone();
        let (file, first) = File::open(bytes).expect("a header");
        (file, first, counted)
    }
}
