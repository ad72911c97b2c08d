//! The index at the end of a file: which times are where, in bounded memory whatever the file's length.
//!
//! It lists runs of blocks. When the list is full, neighbours are joined and runs become twice as long.

use super::layout::Read;
use plimsoll_core::bytes::ReadAt;
use plimsoll_core::series::{Header, crc32c};
use std::io;

/// The first bytes of an index.
pub(super) const INDEX: [u8; 8] = *b"\x89PLX\r\n\x1a\n";
/// The last bytes of a file that ends with one.
const END: [u8; 4] = *b"\x89PLE";

/// Entries that an index has at most.
pub const MOST_ENTRIES: usize = 512;

const ENTRY_BYTES: usize = 40;
const TAIL_BYTES: usize = 12;
const FIXED_BYTES: usize = 12 + 4 + TAIL_BYTES;

/// The most bytes of an index.
pub(super) const MOST_INDEX_BYTES: usize = FIXED_BYTES + MOST_ENTRIES * ENTRY_BYTES;

/// A run of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where its first block begins.
    pub offset: u64,
    /// Where the head begins that is in force there.
    pub head: u64,
    /// Points in it.
    pub points: u64,
    /// The least timestamp in it.
    pub min_time: i64,
    /// The largest timestamp in it.
    pub max_time: i64,
}

/// Runs of blocks in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    entries: Vec<Entry>,
    /// Blocks of a run, and blocks in the last one.
    run: u64,
    last: u64,
}

impl Default for Index {
    fn default() -> Self {
        Self { entries: Vec::with_capacity(MOST_ENTRIES), run: 1, last: 0 }
    }
}

impl Index {
    /// Heap bytes of an index that is being made.
    pub const HEAP_BYTES: usize = MOST_ENTRIES * size_of::<Entry>();

    /// The runs.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds a block at `offset`, whose head is at `head`.
    pub(super) fn add(&mut self, offset: u64, head: u64, block: &Header) {
        let (points, min_time, max_time) = (u64::from(block.points), block.min_time, block.max_time);
        if self.last < self.run
            && let Some(entry) = self.entries.last_mut()
        {
            entry.points += points;
            entry.min_time = entry.min_time.min(min_time);
            entry.max_time = entry.max_time.max(max_time);
            self.last += 1;
            return;
        }
        if self.entries.len() == MOST_ENTRIES {
            self.join();
        }
        self.entries.push(Entry { offset, head, points, min_time, max_time });
        self.last = 1;
    }

    fn join(&mut self) {
        let half = self.entries.len() / 2;
        for to in 0..half {
            let (a, b) = (self.entries[2 * to], self.entries[2 * to + 1]);
            self.entries[to] = Entry {
                points: a.points + b.points,
                min_time: a.min_time.min(b.min_time),
                max_time: a.max_time.max(b.max_time),
                ..a
            };
        }
        self.entries.truncate(half);
        self.run *= 2;
    }

    /// The index as bytes that stand at `offset`.
    pub(super) fn to_bytes(&self, offset: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED_BYTES + self.entries.len() * ENTRY_BYTES);
        bytes.extend_from_slice(&INDEX);
        bytes.extend_from_slice(&(self.entries.len() as u32).to_le_bytes());
        for entry in &self.entries {
            let Entry { offset, head, points, min_time, max_time } = *entry;
            for number in [offset, head, points, min_time.cast_unsigned(), max_time.cast_unsigned()] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
        bytes.extend_from_slice(&crc32c(&bytes).to_le_bytes());
        bytes.extend_from_slice(&offset.to_le_bytes());
        bytes.extend_from_slice(&END);
        bytes
    }

    /// Reads the index at the start of `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Read<Self> {
        let Some(fixed) = bytes.first_chunk::<12>() else { return Read::Short(12) };
        let count = u32::from_le_bytes([fixed[8], fixed[9], fixed[10], fixed[11]]) as usize;
        if !fixed.starts_with(&INDEX) || count > MOST_ENTRIES {
            return Read::Damaged(format!("an index of {count} entries, there can be {MOST_ENTRIES}"));
        }
        let checked = 12 + count * ENTRY_BYTES;
        let whole = checked + 4 + TAIL_BYTES;
        let (Some(content), Some(stated)) = (bytes.get(..checked), bytes.get(checked..checked + 4)) else {
            return Read::Short(whole);
        };
        if bytes.len() < whole {
            return Read::Short(whole);
        }
        if crc32c(content).to_le_bytes() != *stated {
            return Read::Damaged("an index whose check sum is wrong".to_owned());
        }
        // Of one that was cut short in its last bytes, and appended to, these are the next head's.
        if !bytes[..whole].ends_with(&END) {
            return Read::Damaged("an index whose end is missing".to_owned());
        }
        // What is added later comes into runs of their own.
        let mut index = Self { entries: Vec::with_capacity(count), run: 1, last: 1 };
        for entry in content[12..].chunks_exact(ENTRY_BYTES) {
            let number = |at: usize| {
                let bytes = entry[8 * at..8 * at + 8].try_into().expect("eight bytes of an entry");
                u64::from_le_bytes(bytes)
            };
            index.entries.push(Entry {
                offset: number(0),
                head: number(1),
                points: number(2),
                min_time: number(3).cast_signed(),
                max_time: number(4).cast_signed(),
            });
        }
        Read::Sound(index, whole)
    }

    /// The index that `file` ends with, and where it begins.
    ///
    /// # Errors
    /// The file's.
    pub fn find<R: ReadAt<Error = io::Error> + ?Sized>(file: &R) -> io::Result<Option<(Self, u64)>> {
        let mut tail = [0; TAIL_BYTES];
        let Some(at) = file.len().checked_sub(TAIL_BYTES as u64) else { return Ok(None) };
        file.read_at(at, &mut tail)?;
        let (offset, end) = tail.split_at(8);
        let offset = u64::from_le_bytes(offset.try_into().expect("eight bytes of the tail"));
        let Some(length) = file.len().checked_sub(offset).filter(|length| *length <= MOST_INDEX_BYTES as u64)
        else {
            return Ok(None);
        };
        if end != END {
            return Ok(None);
        }
        let mut bytes = vec![0; length as usize];
        file.read_at(offset, &mut bytes)?;
        Ok(match Self::read(&bytes) {
            Read::Sound(index, whole) if whole as u64 == length => {
                // An index that points behind itself is none.
                let inside = index.entries.iter().all(|entry| entry.offset < offset && entry.head < offset);
                let ordered = index.entries.windows(2).all(|pair| pair[0].offset < pair[1].offset);
                (inside && ordered).then_some((index, offset))
            }
            _ => None,
        })
    }
}
