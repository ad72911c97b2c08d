//! Heads, blocks and damage in the order of a file: all that reading needs, in one buffer of fixed size.
//!
//! Invariant: every byte of the file is part of exactly one thing that is given or skipped; and the bytes whose check
//! sums are calculated are at most nine times those of the file (and a MiB), whatever they are ([`Search`]).

use super::index::{INDEX, Index, MOST_INDEX_BYTES};
use super::layout::{HEAD, MOST_HEAD_BYTES, Read as Part, read_head};
use crate::FormatError;
use crate::series::schema::Schema;
use plimsoll_core::bytes::ReadAt;
use plimsoll_core::series::{Damage, Header, MAX_BLOCK_BYTES, MAX_HEADER_BYTES, SYNC, Search};
use std::io::{self, ErrorKind, Read};

/// Bytes of a scanner's buffer.
pub const SCAN_BYTES: usize = 2 * MAX_BLOCK_BYTES;

/// The most bytes that are read at once of a file in which one can go elsewhere.
const SEEKING_BYTES: usize = 16 << 10;

// The longest thing must fit.
const _: () =
    assert!(MOST_HEAD_BYTES <= SCAN_BYTES && MOST_INDEX_BYTES <= SCAN_BYTES && MAX_HEADER_BYTES < SCAN_BYTES);

/// Where a file's bytes come from, in order.
pub trait Input {
    /// Reads what comes next; 0 at the end only.
    ///
    /// # Errors
    /// The device's.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize>;

    /// Whether it can go to `offset`.
    fn reaches(&self, offset: u64) -> bool;

    /// Goes to `offset`, which it reaches.
    fn seek(&mut self, offset: u64);
}

/// A file that can be read at any offset: what is not wanted is not read.
#[derive(Debug)]
pub struct Seeking<R> {
    file: R,
    at: u64,
}

impl<R: ReadAt<Error = io::Error>> Seeking<R> {
    /// From the start of `file`.
    pub const fn new(file: R) -> Self {
        Self { file, at: 0 }
    }

    /// The file.
    pub const fn file(&self) -> &R {
        &self.file
    }
}

impl<R: ReadAt<Error = io::Error>> Input for Seeking<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.file.len().saturating_sub(self.at);
        let length = into.len().min(SEEKING_BYTES).min(usize::try_from(left).unwrap_or(usize::MAX));
        self.file.read_at(self.at, &mut into[..length])?;
        self.at += length as u64;
        Ok(length)
    }

    fn reaches(&self, offset: u64) -> bool {
        offset <= self.file.len()
    }

    fn seek(&mut self, offset: u64) {
        self.at = offset;
    }
}

/// A pipe, or anything else that is read once.
#[derive(Debug)]
pub struct Streaming<R>(pub R);

impl<R: Read> Input for Streaming<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(into) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn reaches(&self, _: u64) -> bool {
        false
    }

    fn seek(&mut self, _: u64) {}
}

/// Bytes that are no sound part of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Where they begin.
    pub offset: u64,
    /// How many there are.
    pub bytes: u64,
    /// What is wrong, in one line.
    pub problem: String,
    /// Whether they are the file's end, and would be sound if more followed: a block that is being written.
    pub unfinished: bool,
}

impl std::fmt::Display for Damaged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { offset, bytes, problem, unfinished } = self;
        let what = if *unfinished { "unfinished" } else { "damaged" };
        write!(f, "{bytes} bytes at byte {offset} are {what}: {problem}")
    }
}

/// What comes next in a file.
#[derive(Debug)]
pub enum Item<'s> {
    /// A head.
    Schema(Schema),
    /// A block whose check sum is right.
    Block(Header, &'s [u8]),
    /// A block that was not wanted.
    Skipped(Header),
    /// The index.
    Index(Index),
    /// Bytes that are nothing of this.
    Damaged(Damaged),
}

enum Found {
    Schema(Schema, usize),
    Block(Header),
    Unwanted(Header),
    Index(Index, usize),
    /// Nothing starts here; so many bytes are passed over.
    Nothing {
        problem: String,
        skip: usize,
        unfinished: bool,
    },
}

/// Reads a file's parts in order.
#[derive(Debug)]
pub struct Scanner<I> {
    input: I,
    buffer: Box<[u8]>,
    kept: std::ops::Range<usize>,
    /// Where in the file `kept` begins.
    offset: u64,
    ended: bool,
    /// Where the thing begins that was given last.
    given: u64,
    search: Search,
    /// A block that was skipped by its header alone: taken at its word until something sound follows.
    trusted: Option<u64>,
    /// Do not skip before this offset again.
    distrust: u64,
}

impl<I: Input> Scanner<I> {
    /// From the start of `input`.
    pub fn new(input: I) -> Self {
        let buffer = vec![0; SCAN_BYTES].into_boxed_slice();
        Self {
            input,
            buffer,
            kept: 0..0,
            offset: 0,
            ended: false,
            given: 0,
            search: Search::default(),
            trusted: None,
            distrust: 0,
        }
    }

    /// Where the thing begins that was given last.
    pub fn given_offset(&self) -> u64 {
        self.given
    }

    /// Where the next thing begins.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The input.
    pub fn input(&self) -> &I {
        &self.input
    }

    /// Goes on at `offset`; false if the input cannot.
    pub fn seek(&mut self, offset: u64) -> bool {
        let end = self.offset + self.kept.len() as u64;
        if (self.offset..=end).contains(&offset) {
            self.kept.start += (offset - self.offset) as usize;
        } else if self.input.reaches(offset) {
            self.input.seek(offset);
            (self.kept, self.ended) = (0..0, false);
        } else {
            return false;
        }
        (self.offset, self.trusted) = (offset, None);
        true
    }

    /// What comes next; `None` at the end. Blocks that `wants` refuses are skipped, by their headers alone where the
    /// input can seek.
    ///
    /// # Errors
    /// The device's only: whatever the bytes are, they are given as something.
    pub fn next_item(
        &mut self,
        mut wants: impl FnMut(&Header) -> bool,
    ) -> Result<Option<Item<'_>>, FormatError> {
        let mut damage: Option<Damaged> = None;
        loop {
            self.require(MAX_HEADER_BYTES)?;
            if self.kept.is_empty() {
                return Ok(damage.map(Item::Damaged));
            }
            let found = self.find(&mut wants)?;
            let Found::Nothing { problem, skip, unfinished } = found else {
                if let Some(mut damage) = damage {
                    damage.unfinished = false;
                    // What was found is found again by the next call.
                    self.given = damage.offset;
                    return Ok(Some(Item::Damaged(damage)));
                }
                return self.give(found).map(Some);
            };
            if let Some(offset) = self.trusted.take() {
                // The header that led here was wrong: look into the block after all.
                self.distrust = offset + 1;
                if self.seek(offset) {
                    continue;
                }
            }
            let damage = damage.get_or_insert(Damaged { offset: self.offset, bytes: 0, problem, unfinished });
            damage.bytes += skip as u64;
            self.search.passed(skip);
            self.advance(skip);
        }
    }

    /// Passes what was found, and gives it.
    fn give(&mut self, found: Found) -> Result<Item<'_>, FormatError> {
        self.given = self.offset;
        self.trusted = None;
        let start = self.kept.start;
        Ok(match found {
            Found::Schema(schema, bytes) => {
                self.advance(bytes);
                Item::Schema(schema)
            }
            Found::Index(index, bytes) => {
                self.advance(bytes);
                Item::Index(index)
            }
            Found::Block(header) => {
                let bytes = header.block_bytes();
                self.advance(bytes);
                Item::Block(header, &self.buffer[start..start + bytes])
            }
            Found::Unwanted(header) => {
                let (offset, bytes) = (self.offset, header.block_bytes());
                if bytes <= self.kept.len() {
                    self.advance(bytes);
                } else if self.seek(offset + bytes as u64) {
                    self.trusted = Some(offset);
                }
                Item::Skipped(header)
            }
            Found::Nothing { .. } => unreachable!("handled by the caller"),
        })
    }

    fn find(&mut self, wants: &mut impl FnMut(&Header) -> bool) -> Result<Found, FormatError> {
        let nothing = |problem: String| Ok(Found::Nothing { problem, skip: 1, unfinished: false });
        let first = self.bytes()[0];
        if first == SYNC[0] {
            return match Header::read(self.bytes()) {
                Ok(header) => self.block(header, wants),
                Err(damage) => {
                    let unfinished = self.ended && matches!(damage, Damage::Truncated { .. });
                    let skip = if unfinished { self.kept.len() } else { 1 };
                    Ok(Found::Nothing { problem: damage.to_string(), skip, unfinished })
                }
            };
        }
        if first == HEAD[0] {
            for magic in [HEAD, INDEX] {
                let length = self.kept.len().min(magic.len());
                if self.bytes()[..length] != magic[..length] {
                    continue;
                }
                let is_head = magic == HEAD;
                let mut needed = 0;
                loop {
                    self.require(needed)?;
                    let (short, found) = if is_head {
                        match read_head(self.bytes()) {
                            Part::Sound(schema, bytes) => return Ok(Found::Schema(schema, bytes)),
                            Part::Short(bytes) => (bytes, None),
                            Part::Damaged(problem) => (0, Some(problem)),
                        }
                    } else {
                        match Index::read(self.bytes()) {
                            Part::Sound(index, bytes) => return Ok(Found::Index(index, bytes)),
                            Part::Short(bytes) => (bytes, None),
                            Part::Damaged(problem) => (0, Some(problem)),
                        }
                    };
                    if let Some(problem) = found {
                        return nothing(problem);
                    }
                    if short > self.kept.len() && self.ended {
                        let problem = format!("it ends after {} of {short} bytes", self.kept.len());
                        return Ok(Found::Nothing { problem, skip: 1, unfinished: true });
                    }
                    needed = short;
                }
            }
        }
        // The next byte that anything can begin with.
        let bytes = self.bytes();
        let skip = bytes.iter().skip(1).position(|byte| *byte == SYNC[0] || *byte == HEAD[0]);
        let problem = "no block starts here".to_owned();
        Ok(Found::Nothing { problem, skip: skip.map_or(bytes.len(), |at| at + 1), unfinished: false })
    }

    fn block(
        &mut self,
        header: Header,
        wants: &mut impl FnMut(&Header) -> bool,
    ) -> Result<Found, FormatError> {
        let whole = header.block_bytes();
        let wanted = wants(&header);
        let (end, trusted) = (self.offset + whole as u64, self.offset >= self.distrust);
        if !wanted && trusted && whole > self.kept.len() && self.input.reaches(end) {
            return Ok(Found::Unwanted(header));
        }
        self.require(whole)?;
        match Header::check(self.bytes()) {
            Ok(_) if wanted => Ok(Found::Block(header)),
            Ok(_) => Ok(Found::Unwanted(header)),
            Err(damage) => {
                let unfinished = self.ended && matches!(damage, Damage::Truncated { .. });
                let skip = self.search.failed(whole.min(self.kept.len()));
                Ok(Found::Nothing { problem: damage.to_string(), skip, unfinished })
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        &self.buffer[self.kept.clone()]
    }

    fn advance(&mut self, bytes: usize) {
        self.kept.start += bytes;
        self.offset += bytes as u64;
    }

    /// Reads until so many bytes are there, or the input ends.
    fn require(&mut self, bytes: usize) -> Result<(), FormatError> {
        while self.kept.len() < bytes && !self.ended {
            if self.kept.start + bytes > self.buffer.len() || self.kept.is_empty() {
                self.buffer.copy_within(self.kept.clone(), 0);
                self.kept = 0..self.kept.len();
            }
            let at = self.offset + self.kept.len() as u64;
            match self.input.read(&mut self.buffer[self.kept.end..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.kept.end += read,
                Err(error) => return Err(FormatError::read(at, error)),
            }
        }
        Ok(())
    }
}
