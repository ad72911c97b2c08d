//! Runs of whole lines from a stream, in one buffer of any size: no line is split between two runs, or counted twice.
//!
//! The buffer is filled behind the piece of a line that the last run left over, and cut after its last newline. Only a
//! line longer than the whole buffer comes in parts, marked as such, because the alternative is more memory or less
//! text; who cannot use parts asks for [`Chunks::next_whole`] and gets a [`LineTooLong`] instead.

use std::io::{self, ErrorKind, Read};

/// A run of lines, or a part of a line that is longer than the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'c> {
    /// The text, with its newlines.
    pub bytes: &'c [u8],
    /// Where in the stream it begins, in bytes.
    pub offset: u64,
    /// The number of its first line, from 0.
    pub line: u64,
    /// Newlines in it. Their sum over all chunks is what `wc -l` prints.
    pub newlines: u64,
    /// Whether its first byte begins a line.
    pub begins: bool,
    /// Whether its last byte ends a line: it is a newline, or the stream ends there.
    pub ends: bool,
}

impl<'c> Chunk<'c> {
    /// Its lines with their numbers, without newlines (and without the `\r` of a `\r\n`). A part of a line is given
    /// as it stands.
    pub fn lines(&self) -> Lines<'c> {
        Lines { rest: self.bytes, line: self.line }
    }
}

/// The lines of a [`Chunk`].
#[derive(Clone, Debug)]
pub struct Lines<'c> {
    rest: &'c [u8],
    line: u64,
}

impl<'c> Iterator for Lines<'c> {
    type Item = (u64, &'c [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let (text, rest) = match self.rest.iter().position(|byte| *byte == b'\n') {
            Some(at) => {
                let text = &self.rest[..at];
                (text.strip_suffix(b"\r").unwrap_or(text), &self.rest[at + 1..])
            }
            None => (self.rest, &[][..]),
        };
        let number = self.line;
        (self.rest, self.line) = (rest, number + 1);
        Some((number, text))
    }
}

/// A line that does not fit the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineTooLong {
    /// Its number, from 0.
    pub line: u64,
    /// Where it begins, in bytes.
    pub offset: u64,
    /// The most bytes a line may have, its newline included.
    pub limit_bytes: usize,
}

impl std::fmt::Display for LineTooLong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { line, offset, limit_bytes } = self;
        write!(f, "line {} (at byte {offset}) is longer than {limit_bytes} bytes", line + 1)
    }
}

impl std::error::Error for LineTooLong {}

impl From<LineTooLong> for io::Error {
    fn from(error: LineTooLong) -> Self {
        Self::new(ErrorKind::InvalidData, error)
    }
}

/// Cuts a stream into [`Chunk`]s, in a buffer that the caller gives: a slice, an array, or bytes leased from a
/// [`SharedBudget`](plimsoll_core::budget::SharedBudget) (`plimsoll_os::memory::LeasedBytes`).
///
/// It takes no other memory, reads each byte once, and moves at most one line for each run. A pipe's lines are given as
/// they come: it waits only while it has no whole line.
///
/// ```
/// use plimsoll_formats::text::Chunks;
/// let mut chunks = Chunks::new("one\ntwo\nthree".as_bytes(), [0; 6]);
/// let mut lines = Vec::new();
/// while let Some(chunk) = chunks.next_chunk()? {
///     lines.push((chunk.line, String::from_utf8_lossy(chunk.bytes).into_owned()));
/// }
/// assert_eq!(lines, [(0, "one\n".into()), (1, "two\n".into()), (2, "three".into())]);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Under a budget that others share:
///
/// ```
/// # use plimsoll_core::budget::SharedBudget;
/// # use plimsoll_formats::text::Chunks;
/// # use plimsoll_os::memory::LeasedBytes;
/// let budget = SharedBudget::new(100);
/// let mut chunks = Chunks::new("one\ntwo\n".as_bytes(), LeasedBytes::new(&budget, "lines", 64)?);
/// assert_eq!(budget.stats().used, 64);
/// assert_eq!(chunks.next_chunk()?.map(|chunk| chunk.newlines), Some(2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Chunks<R, B> {
    input: R,
    buffer: B,
    /// What of the buffer is text that was not given yet.
    kept: std::ops::Range<usize>,
    offset: u64,
    line: u64,
    begins: bool,
    ended: bool,
    /// What was read behind a full buffer.
    ahead: Option<u8>,
}

impl<R: Read, B: AsRef<[u8]> + AsMut<[u8]>> Chunks<R, B> {
    /// Lines of `input`, in runs of at most as many bytes as `buffer` has.
    ///
    /// # Panics
    /// If the buffer is empty.
    pub fn new(input: R, buffer: B) -> Self {
        assert!(!buffer.as_ref().is_empty(), "a buffer of no bytes holds no line");
        Self { input, buffer, kept: 0..0, offset: 0, line: 0, begins: true, ended: false, ahead: None }
    }

    /// The next run of whole lines; or a part of a line that is longer than the buffer, which is not cut inside a
    /// character of UTF-8 if the buffer has 4 bytes or more. `None` at the end.
    ///
    /// # Errors
    /// The stream's. What was read before is not lost: the call may be repeated.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk<'_>>> {
        let Some(cut) = self.fill()? else { return Ok(None) };
        let start = self.kept.start;
        self.kept.start = cut;
        let bytes = &self.buffer.as_ref()[start..cut];
        let newlines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        let chunk = Chunk {
            bytes,
            offset: self.offset,
            line: self.line,
            newlines,
            begins: self.begins,
            ends: bytes.ends_with(b"\n") || (self.ended && self.kept.is_empty()),
        };
        self.offset += bytes.len() as u64;
        self.line += newlines;
        self.begins = bytes.ends_with(b"\n");
        Ok(Some(chunk))
    }

    /// The next run of whole lines. `None` at the end.
    ///
    /// # Errors
    /// The stream's; a [`LineTooLong`] inside an error of the kind `InvalidData`, and then for ever.
    pub fn next_whole(&mut self) -> io::Result<Option<Chunk<'_>>> {
        let (line, offset) = (self.line, self.offset);
        let limit_bytes = self.buffer.as_ref().len();
        if let Some(cut) = self.fill()? {
            let last = self.buffer.as_ref()[self.kept.start..cut].last();
            let ends = last == Some(&b'\n') || (self.ended && cut == self.kept.end);
            if !self.begins || !ends {
                return Err(LineTooLong { line, offset, limit_bytes }.into());
            }
        }
        self.next_chunk()
    }

    /// The stream, behind what was read of it: up to a buffer and a byte more than what was given.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// Reads until there is something to give, and says where in the buffer that ends.
    fn fill(&mut self) -> io::Result<Option<usize>> {
        // What is before this has no newline.
        let mut searched = self.kept.start;
        loop {
            let buffer = self.buffer.as_mut();
            let text = &buffer[..self.kept.end];
            if let Some(at) = text[searched..].iter().rposition(|byte| *byte == b'\n') {
                return Ok(Some(searched + at + 1));
            }
            if self.ended {
                return Ok((!self.kept.is_empty()).then_some(self.kept.end));
            }
            if self.kept.len() == buffer.len() && self.ahead.is_some() {
                return Ok(Some(whole_characters(text)));
            }
            if self.kept.start > 0 {
                buffer.copy_within(self.kept.clone(), 0);
                self.kept = 0..self.kept.len();
            }
            searched = self.kept.end;
            if let Some(byte) = self.ahead.take() {
                buffer[self.kept.end] = byte;
                self.kept.end += 1;
                continue;
            }
            // A full buffer may hold the whole last line: one byte more tells.
            let (mut ahead, full) = ([0], self.kept.end == buffer.len());
            let into = if full { &mut ahead[..] } else { &mut buffer[self.kept.end..] };
            match self.input.read(into) {
                Ok(0) => self.ended = true,
                Ok(_) if full => self.ahead = Some(ahead[0]),
                Ok(read) => self.kept.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Where to cut text that fills the buffer: before a character whose end is not there.
fn whole_characters(text: &[u8]) -> usize {
    let tail = text.len().saturating_sub(3);
    let start = text.iter().skip(tail).rposition(|byte| *byte & 0xc0 != 0x80).map(|at| tail + at);
    match start.and_then(|at| Some((at, *text.get(at)?))) {
        Some((at, first)) if at > 0 => {
            let length = match first {
                0xc2..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf4 => 4,
                _ => 1,
            };
            if at + length > text.len() { at } else { text.len() }
        }
        _ => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives at most so many bytes a read, and is interrupted at times.
    struct Dripping<'t> {
        text: &'t [u8],
        most: usize,
        calls: usize,
    }

    impl Read for Dripping<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.calls += 1;
            if self.calls.is_multiple_of(3) {
                return Err(ErrorKind::Interrupted.into());
            }
            let len = into.len().min(self.most).min(self.text.len());
            into[..len].copy_from_slice(&self.text[..len]);
            self.text = &self.text[len..];
            Ok(len)
        }
    }

    /// Everything that must hold for this text, buffer and reads, by plain counting.
    fn check(text: &[u8], buffer: usize, most: usize) {
        let mut chunks = Chunks::new(Dripping { text, most, calls: 0 }, vec![0; buffer]);
        let (mut given, mut newlines) = (Vec::new(), 0);
        while let Some(chunk) = chunks.next_chunk().unwrap() {
            assert!(!chunk.bytes.is_empty() && chunk.bytes.len() <= buffer);
            assert_eq!((chunk.offset, chunk.line), (given.len() as u64, newlines));
            assert_eq!(chunk.begins, given.last().is_none_or(|byte| *byte == b'\n'));
            given.extend_from_slice(chunk.bytes);
            let at_end = given.len() == text.len();
            assert_eq!(chunk.ends, at_end || given.ends_with(b"\n"));
            // Parts only of lines that do not fit.
            let from = text[..given.len()].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let to =
                text[from..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| from + at + 1);
            assert!(chunk.ends || at_end || to - from > buffer, "a line of {} in {buffer}", to - from);
            newlines += chunk.newlines;
        }
        assert_eq!(given, text);
        assert_eq!(newlines, text.iter().filter(|byte| **byte == b'\n').count() as u64);

        let longest = text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len).max().unwrap_or(0);
        let mut chunks = Chunks::new(Dripping { text, most, calls: 0 }, vec![0; buffer]);
        let mut lines: Vec<(u64, Vec<u8>)> = Vec::new();
        let result = loop {
            match chunks.next_whole() {
                Ok(Some(chunk)) => lines.extend(chunk.lines().map(|(line, text)| (line, text.to_vec()))),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let expected: Vec<(u64, Vec<u8>)> = (0..)
            .zip(text.split_inclusive(|byte| *byte == b'\n'))
            .map(|(line, text)| {
                let text =
                    text.strip_suffix(b"\n").map_or(text, |text| text.strip_suffix(b"\r").unwrap_or(text));
                (line, text.to_vec())
            })
            .collect();
        match result {
            Ok(()) => {
                assert!(longest <= buffer);
                assert_eq!(lines, expected);
            }
            Err(error) => {
                let error = *error.get_ref().unwrap().downcast_ref::<LineTooLong>().unwrap();
                assert!(longest > buffer && error.limit_bytes == buffer);
                assert_eq!(lines[..], expected[..error.line as usize]);
                let offset: usize =
                    text.split_inclusive(|byte| *byte == b'\n').take(lines.len()).map(<[u8]>::len).sum();
                assert_eq!(error.offset, offset as u64);
            }
        }
    }

    #[test]
    fn lines_are_counted_as_wc_does_for_every_size_of_buffer() {
        let mut text = Vec::new();
        for line in 0..3000u32 {
            text.extend_from_slice("é€😀x".repeat((line * line % 23) as usize).as_bytes());
            text.extend_from_slice(if line % 5 == 0 { b"\r\n" } else { b"\n" });
        }
        text.extend_from_slice(b"no newline");
        let mut file = tempfile::NamedTempFile::new().unwrap();
        io::Write::write_all(&mut file, &text).unwrap();
        let wc = std::process::Command::new("wc").arg("-l").arg(file.path()).output().unwrap();
        let counted = String::from_utf8(wc.stdout).unwrap();
        let counted: u64 = counted.split_whitespace().next().unwrap().parse().unwrap();
        for buffer in (1..300).chain((300..65536).step_by(997)).chain([65535, 65536]) {
            let mut chunks = Chunks::new(&text[..], vec![0; buffer]);
            let (mut newlines, mut bytes, mut split) = (0, 0, 0);
            while let Some(chunk) = chunks.next_chunk().unwrap() {
                newlines += chunk.newlines;
                bytes += chunk.bytes.len();
                split += usize::from(std::str::from_utf8(chunk.bytes).is_err());
            }
            assert_eq!((newlines, bytes), (counted, text.len()), "in {buffer} bytes");
            assert!(buffer < 4 || split == 0, "{split} characters are split in {buffer} bytes");
        }
    }

    /// Text somewhat longer than each buffer, so that all have more than one chunk.
    #[test]
    fn no_size_of_buffer_counts_a_line_twice_or_not_at_all() {
        let text: Vec<u8> =
            (0..9000_u32).flat_map(|line| format!("{}\n", line * line % 8191 * 997).into_bytes()).collect();
        assert!(text.len() > 65536 + 100);
        let mut newlines_before = vec![0_u64];
        for byte in &text {
            newlines_before.push(newlines_before.last().unwrap() + u64::from(*byte == b'\n'));
        }
        let mut room = vec![0; 65536];
        for buffer in 1..=65536 {
            let length = (buffer + 1 + buffer % 97).min(text.len());
            let mut chunks = Chunks::new(&text[..length], &mut room[..buffer]);
            let (mut newlines, mut bytes) = (0, 0);
            while let Some(chunk) = chunks.next_chunk().unwrap() {
                newlines += chunk.newlines;
                bytes += chunk.bytes.len();
            }
            assert_eq!((newlines, bytes), (newlines_before[length], length), "in {buffer} bytes");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_split_lost_or_counted_twice(
            text in prop::collection::vec(prop::sample::select(b"ab\n\r\xc3\xa9\xf0\x9f\x98\x80".to_vec()), 0..200),
            buffer in 1usize..40,
            most in 1usize..50,
        ) {
            check(&text, buffer, most);
        }
    }
}
