//! Reads the text header of every member of the family.
//!
//! Invariant: a header that is returned describes samples that the file is long enough to hold (as plain text: if all
//! numbers have one digit), and every size in it was computed with checks.

use super::malformed;
use crate::{Bytes, FormatError};
use plimsoll_core::shape::{SampleKind, Shape};

/// The longest header, comments included. Real ones have 20 to 200 bytes.
const MOST_HEADER_BYTES: u64 = 64 << 10;

/// The longest line of a PAM header that is not a comment, and of a number.
const MOST_LINE_BYTES: usize = 256;

/// How the samples are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// One bit a sample, set for black, rows padded to whole bytes.
    Bits,
    /// One byte a sample.
    Bytes,
    /// Two bytes a sample, the high one first.
    Words,
    /// Four bytes a sample, the bottom row first.
    Floats {
        /// The low byte first.
        little: bool,
    },
    /// Decimal numbers.
    Plain,
    /// The digits 0 and 1, which is black.
    PlainBits,
}

/// What a header says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    /// Name of the member: `PGM`, `PAM` ...
    pub(super) name: &'static str,
    pub(super) colour: &'static str,
    pub(super) shape: Shape,
    pub(super) encoding: Encoding,
    /// The sample that stands for white.
    pub(super) maxval: u32,
    /// The factor that a PFM asks for.
    pub(super) scale: f64,
    /// A PAM's type of tuple.
    pub(super) tuple: String,
    /// Where the samples begin.
    pub(super) data: u64,
}

impl Header {
    /// Reads the header at `offset`.
    pub(super) fn read(bytes: &Bytes, offset: u64) -> Result<Self, FormatError> {
        let mut text = Text { bytes, start: offset, at: offset, buffer: [0; 256], begin: 0, end: 0 };
        let magic = [text.byte()?, text.byte()?];
        let header = match &magic {
            b"P1" => text.anymap("PBM", 1, Encoding::PlainBits)?,
            b"P2" => text.anymap("PGM", 1, Encoding::Plain)?,
            b"P3" => text.anymap("PPM", 3, Encoding::Plain)?,
            b"P4" => text.anymap("PBM", 1, Encoding::Bits)?,
            b"P5" => text.anymap("PGM", 1, Encoding::Bytes)?,
            b"P6" => text.anymap("PPM", 3, Encoding::Bytes)?,
            b"P7" => text.arbitrary_map()?,
            b"Pf" => text.float_map(1)?,
            b"PF" => text.float_map(3)?,
            _ => return Err(malformed("it does not begin with P1 to P7, Pf or PF", offset)),
        };
        header.check_length(bytes.len())?;
        Ok(header)
    }

    /// Bytes of one stored row; `None` for plain text.
    pub(super) fn stored_row_bytes(&self) -> Option<u64> {
        match self.encoding {
            Encoding::Bits => Some(u64::from(self.shape.cols).div_ceil(8)),
            Encoding::Plain | Encoding::PlainBits => None,
            _ => Some(self.shape.row_bytes()),
        }
    }

    /// Where the samples end; `None` for plain text.
    pub(super) fn end(&self) -> Option<u64> {
        let row = self.stored_row_bytes()?;
        Some(self.data.saturating_add(row.saturating_mul(u64::from(self.shape.rows))))
    }

    fn check_length(&self, len: u64) -> Result<(), FormatError> {
        let Shape { rows, cols, bands, .. } = self.shape;
        if rows == 0 || cols == 0 || bands == 0 {
            return Err(malformed(format!("{cols} x {rows} pixels of {bands} band(s)"), self.data));
        }
        let samples = self.shape.row_samples().saturating_mul(u64::from(rows));
        let announced = match self.encoding {
            // A digit each, with white space between them where a sample may have several.
            Encoding::PlainBits => samples,
            Encoding::Plain => samples.saturating_mul(2) - 1,
            _ => self.end().unwrap_or(u64::MAX).saturating_sub(self.data),
        };
        let there = len.saturating_sub(self.data);
        match there < announced {
            true => Err(malformed(
                format!("{there} bytes of samples follow, {announced} at least are announced"),
                self.data,
            )),
            false => Ok(()),
        }
    }
}

/// The bytes of a header, one after the other.
struct Text<'a> {
    bytes: &'a Bytes,
    start: u64,
    /// Of the next byte.
    at: u64,
    buffer: [u8; 256],
    begin: usize,
    end: usize,
}

impl Text<'_> {
    fn byte(&mut self) -> Result<u8, FormatError> {
        if self.at - self.start >= MOST_HEADER_BYTES {
            return Err(malformed(
                format!("the header is longer than {MOST_HEADER_BYTES} bytes"),
                self.start,
            ));
        }
        if self.begin == self.end {
            let left = self.bytes.len().saturating_sub(self.at);
            let wanted = left.min(self.buffer.len() as u64) as usize;
            if wanted == 0 {
                return Err(malformed("the file ends within the header", self.at));
            }
            let into = &mut self.buffer[..wanted];
            self.bytes.read_at(self.at, into).map_err(|error| FormatError::read(self.at, error))?;
            (self.begin, self.end) = (0, wanted);
        }
        let byte = self.buffer[self.begin];
        self.begin += 1;
        self.at += 1;
        Ok(byte)
    }

    /// The next byte, where a comment counts as the end of its line.
    fn commented_byte(&mut self) -> Result<u8, FormatError> {
        let mut byte = self.byte()?;
        if byte == b'#' {
            while !matches!(byte, b'\n' | b'\r') {
                byte = self.byte()?;
            }
        }
        Ok(byte)
    }

    /// The next word. Exactly one byte of white space after it is taken, because samples may follow.
    fn word(&mut self) -> Result<String, FormatError> {
        let start = self.at;
        let mut word = String::new();
        loop {
            let byte = self.commented_byte()?;
            match byte.is_ascii_whitespace() {
                true if word.is_empty() => {}
                true => return Ok(word),
                false if word.len() < MOST_LINE_BYTES => word.push(char::from(byte)),
                false => return Err(malformed("a word of the header has no end", start)),
            }
        }
    }

    fn number(&mut self, what: &str, most: u32) -> Result<u32, FormatError> {
        let start = self.at;
        let word = self.word()?;
        parse(&word, what, most).map_err(|problem| malformed(problem, start))
    }

    /// PBM, PGM and PPM: `P5 cols rows maxval`.
    fn anymap(&mut self, name: &'static str, bands: u16, encoding: Encoding) -> Result<Header, FormatError> {
        let cols = self.number("the width", u32::MAX)?;
        let rows = self.number("the height", u32::MAX)?;
        let bits = matches!(encoding, Encoding::Bits | Encoding::PlainBits);
        let maxval = if bits { 1 } else { self.maxval()? };
        let (kind, encoding) = match encoding {
            _ if bits => (SampleKind::U8, encoding),
            Encoding::Bytes if maxval > 255 => (SampleKind::U16, Encoding::Words),
            _ if maxval > 255 => (SampleKind::U16, encoding),
            _ => (SampleKind::U8, encoding),
        };
        let colour = match bands {
            _ if bits => "bitmap",
            1 => "grey",
            _ => "rgb",
        };
        let shape = Shape::new(rows, cols, bands, kind);
        Ok(Header { name, colour, shape, encoding, maxval, scale: 1.0, tuple: String::new(), data: self.at })
    }

    fn maxval(&mut self) -> Result<u32, FormatError> {
        let start = self.at;
        match self.number("the largest sample", 65535)? {
            0 => Err(malformed("the largest sample is 0", start)),
            maxval => Ok(maxval),
        }
    }

    /// PAM: lines of a keyword and a value, up to `ENDHDR`.
    fn arbitrary_map(&mut self) -> Result<Header, FormatError> {
        let (mut cols, mut rows, mut depth, mut maxval) = (None, None, None, None);
        let mut tuple = String::new();
        let after_magic = self.line()?;
        if !after_magic.trim().is_empty() {
            return Err(malformed("the first line holds more than P7", self.start));
        }
        loop {
            let start = self.at;
            let line = self.line()?;
            let (word, value) =
                line.trim().split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((&line, ""));
            let value = value.trim();
            let number = |what: &str, most: u32| {
                parse(value, what, most).map(Some).map_err(|problem| malformed(problem, start))
            };
            match word.trim() {
                "WIDTH" => cols = number("WIDTH", u32::MAX)?,
                "HEIGHT" => rows = number("HEIGHT", u32::MAX)?,
                "DEPTH" => depth = number("DEPTH", u32::from(u16::MAX))?,
                "MAXVAL" => maxval = number("MAXVAL", 65535)?.filter(|maxval| *maxval > 0),
                // Several such lines make one value.
                "TUPLTYPE" if tuple.len() < MOST_LINE_BYTES => {
                    if !tuple.is_empty() {
                        tuple.push(' ');
                    }
                    tuple.push_str(value);
                }
                "ENDHDR" => break,
                "" => {}
                other => return Err(malformed(format!("{other:?} is no line of a PAM header"), start)),
            }
        }
        let (Some(cols), Some(rows), Some(depth), Some(maxval)) = (cols, rows, depth, maxval) else {
            return Err(malformed("a PAM needs WIDTH, HEIGHT, DEPTH and MAXVAL above 0", self.start));
        };
        let (kind, encoding) = match maxval {
            ..=255 => (SampleKind::U8, Encoding::Bytes),
            _ => (SampleKind::U16, Encoding::Words),
        };
        let colour = match (tuple.as_str(), depth) {
            ("GRAYSCALE", 1) => "grey",
            ("GRAYSCALE_ALPHA", 2) => "grey+alpha",
            ("RGB", 3) => "rgb",
            ("RGB_ALPHA", 4) => "rgb+alpha",
            ("BLACKANDWHITE", 1) => "bitmap",
            _ => "other",
        };
        // `number` kept it within 16 bits.
        let shape = Shape::new(rows, cols, depth as u16, kind);
        Ok(Header { name: "PAM", colour, shape, encoding, maxval, scale: 1.0, tuple, data: self.at })
    }

    /// A line without its end; empty if it is a comment.
    fn line(&mut self) -> Result<String, FormatError> {
        let start = self.at;
        let mut line = String::new();
        loop {
            match self.byte()? {
                b'\n' if line.starts_with('#') => return Ok(String::new()),
                b'\n' => return Ok(line),
                byte if line.len() < MOST_LINE_BYTES => line.push(char::from(byte)),
                _ if line.starts_with('#') => {}
                _ => return Err(malformed(format!("a line longer than {MOST_LINE_BYTES} bytes"), start)),
            }
        }
    }

    /// PFM: `PF cols rows scale`, where a negative scale says that the low byte comes first.
    fn float_map(&mut self, bands: u16) -> Result<Header, FormatError> {
        let cols = self.number("the width", u32::MAX)?;
        let rows = self.number("the height", u32::MAX)?;
        let start = self.at;
        let word = self.word()?;
        let scale = word.parse::<f64>().ok().filter(|scale| scale.is_finite() && *scale != 0.0);
        let Some(scale) = scale else {
            return Err(malformed(format!("the scale is {word:?}, not a number other than 0"), start));
        };
        Ok(Header {
            name: "PFM",
            colour: if bands == 1 { "grey" } else { "rgb" },
            shape: Shape::new(rows, cols, bands, SampleKind::F32),
            encoding: Encoding::Floats { little: scale < 0.0 },
            maxval: 1,
            scale: scale.abs(),
            tuple: String::new(),
            data: self.at,
        })
    }
}

/// A decimal number of at most `most`.
fn parse(word: &str, what: &str, most: u32) -> Result<u32, String> {
    let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let value = word.parse::<u32>().ok().filter(|value| digits && *value <= most);
    value.ok_or_else(|| format!("{what} is {word:?}, not a number up to {most}"))
}
