//! Records of delimited text, one at a time, in two buffers that do not grow (`csv-core`: RFC 4180 and what is commonly
//! written instead of it).
//!
//! The parser keeps its state between bytes, so a record may lie across any number of reads, and a quoted field may
//! hold newlines.

use csv_core::{ReadRecordResult, ReaderBuilder};
use std::io::{self, ErrorKind, Read};

/// Bytes that a stream is read in by default.
const LEAST_INPUT_BYTES: usize = 16;

/// One record: its fields, without quotes.
#[derive(Clone, Copy, Debug)]
pub struct Record<'r> {
    text: &'r [u8],
    ends: &'r [usize],
    line: u64,
}

impl<'r> Record<'r> {
    /// How many fields it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A field, counted from 0.
    pub fn field(&self, index: usize) -> Option<&'r [u8]> {
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(start..*self.ends.get(index)?)
    }

    /// The line that it begins on, counted from 1.
    pub fn line(&self) -> u64 {
        self.line
    }
}

/// Why there is no next record.
#[derive(Debug)]
#[non_exhaustive]
pub enum RecordError {
    /// The stream failed.
    Io {
        /// Bytes read before.
        offset: u64,
        /// Its error.
        source: io::Error,
    },
    /// A record is longer than the buffer for it.
    TooLong {
        /// The line that it begins on, counted from 1.
        line: u64,
        /// The most bytes of its fields in all.
        limit_bytes: usize,
    },
    /// A record has more fields than there is room for.
    TooManyFields {
        /// The line that it begins on, counted from 1.
        line: u64,
        /// The most fields.
        limit: usize,
    },
}

impl std::fmt::Display for RecordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io { offset, source } => write!(f, "read at byte {offset}: {source}"),
            Self::TooLong { line, limit_bytes } => {
                write!(f, "the record on line {line} is longer than {limit_bytes} bytes")
            }
            Self::TooManyFields { line, limit } => {
                write!(f, "the record on line {line} has more than {limit} fields")
            }
        }
    }
}

impl std::error::Error for RecordError {}

/// Reads records from a stream. All its memory is what the constructor takes.
pub struct Records<R> {
    input: R,
    parser: csv_core::Reader,
    buffer: Box<[u8]>,
    kept: std::ops::Range<usize>,
    read: u64,
    text: Box<[u8]>,
    ends: Box<[usize]>,
}

impl<R: Read> Records<R> {
    /// The most fields of a record.
    pub const MOST_FIELDS: usize = 1024;

    /// Heap bytes of a reader with these buffers.
    pub const fn heap_bytes(input_bytes: usize, record_bytes: usize) -> usize {
        input_bytes + record_bytes + Self::MOST_FIELDS * size_of::<usize>()
    }

    /// Records of `input`, whose fields are separated by `delimiter`. It is read in pieces of at most `input_bytes`,
    /// and a record's fields have at most `record_bytes` in all.
    pub fn new(input: R, delimiter: u8, input_bytes: usize, record_bytes: usize) -> Self {
        Self {
            input,
            parser: ReaderBuilder::new().delimiter(delimiter).build(),
            buffer: vec![0; input_bytes.max(LEAST_INPUT_BYTES)].into_boxed_slice(),
            kept: 0..0,
            read: 0,
            text: vec![0; record_bytes.max(1)].into_boxed_slice(),
            ends: vec![0; Self::MOST_FIELDS].into_boxed_slice(),
        }
    }

    /// Bytes of the stream that were parsed.
    pub fn parsed_bytes(&self) -> u64 {
        self.read - self.kept.len() as u64
    }

    /// The next record that is not a blank line, or `None` at the end.
    ///
    /// # Errors
    /// [`RecordError`]. After one that is not the stream's own, reading cannot go on.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, RecordError> {
        let (mut text, mut fields) = (0, 0);
        // The parser counts lines as it passes them; blank ones before the record are found by the first field's start.
        let mut line = None;
        loop {
            if self.kept.is_empty() && !self.fill()? {
                // An empty input tells the parser that it has seen all.
                self.kept = 0..0;
            }
            let input = &self.buffer[self.kept.clone()];
            if line.is_none() {
                let blank = input.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
                let newlines = input[..blank].iter().filter(|byte| **byte == b'\n').count() as u64;
                if blank < input.len() {
                    line = Some(self.parser.line() + newlines);
                }
            }
            let at_end = input.is_empty();
            let (result, read, wrote, ended) =
                self.parser.read_record(input, &mut self.text[text..], &mut self.ends[fields..]);
            self.kept.start += read;
            (text, fields) = (text + wrote, fields + ended);
            let line = line.unwrap_or_else(|| self.parser.line());
            match result {
                ReadRecordResult::InputEmpty if at_end => return Ok(None),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    return Err(RecordError::TooLong { line, limit_bytes: self.text.len() });
                }
                ReadRecordResult::OutputEndsFull => {
                    return Err(RecordError::TooManyFields { line, limit: self.ends.len() });
                }
                ReadRecordResult::Record => {
                    return Ok(Some(Record { text: &self.text[..text], ends: &self.ends[..fields], line }));
                }
                ReadRecordResult::End => return Ok(None),
            }
        }
    }

    /// Reads a piece; false at the end.
    fn fill(&mut self) -> Result<bool, RecordError> {
        loop {
            match self.input.read(&mut self.buffer) {
                Ok(read) => {
                    self.kept = 0..read;
                    self.read += read as u64;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(RecordError::Io { offset: self.read, source }),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, input_bytes: usize) -> Vec<(u64, Vec<String>)> {
        let mut records = Records::new(text.as_bytes(), b',', input_bytes, 100);
        let mut all = Vec::new();
        while let Some(record) = records.next_record().unwrap() {
            let fields =
                (0..record.len()).map(|at| String::from_utf8(record.field(at).unwrap().to_vec()).unwrap());
            all.push((record.line(), fields.collect()));
            assert_eq!(record.field(record.len()), None);
        }
        assert_eq!(records.parsed_bytes(), text.len() as u64);
        all
    }

    #[test]
    fn records_do_not_depend_on_the_reads() {
        let text = "a,b\r\n1,2\n\n\n\"x\ny\",\"say \"\"hi\"\"\"\n,\nlast,";
        let expected: Vec<(u64, Vec<String>)> = [
            (1, vec!["a", "b"]),
            (2, vec!["1", "2"]),
            (5, vec!["x\ny", "say \"hi\""]),
            (7, vec!["", ""]),
            (8, vec!["last", ""]),
        ]
        .map(|(line, fields)| (line, fields.into_iter().map(str::to_owned).collect()))
        .into();
        for input_bytes in [16, 17, 19, 23, 29, 64] {
            assert_eq!(read(text, input_bytes), expected, "{input_bytes}");
        }
        assert_eq!(read("", 16), []);
        assert_eq!(read("\n\n", 16), []);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_line() {
        let text = format!("1,2\n3,{}\n", "x".repeat(200));
        let mut records = Records::new(text.as_bytes(), b',', 32, 100);
        records.next_record().unwrap().unwrap();
        let error = records.next_record().unwrap_err();
        assert_eq!(error.to_string(), "the record on line 2 is longer than 100 bytes");
        let text = ",".repeat(2000);
        let error = Records::new(text.as_bytes(), b',', 32, 100).next_record().unwrap_err();
        assert_eq!(error.to_string(), "the record on line 1 has more than 1024 fields");
    }
}
