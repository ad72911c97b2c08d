//! Reads what stands before the pixels: the header, and of the other chunks the palette and the transparency.
//!
//! Chunks are walked by their lengths, so metadata of any size costs nothing. At most 1 KiB is kept.

use super::{SIGNATURE, exif, malformed};
use crate::{Bytes, FormatError, Orientation};
use plimsoll_core::shape::{SampleKind, Shape};

/// The most bytes that deflate makes of one: a bit for a length and one for a distance give 258 (RFC 1951, 3.2.5).
const MOST_EXPANSION: u64 = 1032;

/// Colour types (PNG specification, 11.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    Grey,
    Rgb,
    Palette,
    GreyAlpha,
    RgbAlpha,
}

impl Colour {
    /// Stored samples of a pixel.
    pub(super) fn samples(self) -> u64 {
        match self {
            Self::Grey | Self::Palette => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::RgbAlpha => 4,
        }
    }
}

/// What the chunks before the pixels say.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) cols: u32,
    pub(super) rows: u32,
    /// Bits of a stored sample.
    pub(super) depth: u8,
    pub(super) colour: Colour,
    pub(super) interlaced: bool,
    /// Red, green, blue and alpha of each index; those beyond the file's palette are opaque black.
    pub(super) palette: Option<Box<[[u8; 4]; 256]>>,
    /// The colour that is transparent.
    pub(super) key: Option<[u16; 3]>,
    /// Whether a palette's colours have alpha.
    pub(super) palette_alpha: bool,
    /// How it should be seen.
    pub(super) orientation: Orientation,
    /// Where the first chunk of pixels begins.
    pub(super) data: u64,
}

/// A chunk's length, type, and where its data begins.
pub(super) struct Chunk {
    pub(super) len: u32,
    pub(super) name: [u8; 4],
    pub(super) data: u64,
}

impl Chunk {
    /// Reads the head of the chunk at `offset`; all of it is within the file then.
    pub(super) fn read(bytes: &Bytes, offset: u64) -> Result<Self, FormatError> {
        let mut head = [0u8; 8];
        if offset.saturating_add(12) > bytes.len() {
            return Err(malformed("the file ends before its last chunk", offset));
        }
        bytes.read_at(offset, &mut head).map_err(|error| FormatError::read(offset, error))?;
        let [a, b, c, d, name @ ..] = head;
        let chunk = Self { len: u32::from_be_bytes([a, b, c, d]), name, data: offset + 8 };
        if chunk.len > i32::MAX as u32 {
            return Err(malformed(format!("a chunk of {} bytes", chunk.len), offset));
        }
        if chunk.end() > bytes.len() {
            let name = name.escape_ascii();
            return Err(malformed(format!("the file ends within its chunk {name}"), offset));
        }
        Ok(chunk)
    }

    /// Where the next one begins.
    pub(super) fn end(&self) -> u64 {
        self.data + u64::from(self.len) + 4
    }

    /// Reads its data of exactly `into.len()` bytes and checks them.
    fn content(&self, bytes: &Bytes, into: &mut [u8]) -> Result<(), FormatError> {
        let mut stored = [0u8; 4];
        bytes.read_at(self.data, into).map_err(|error| FormatError::read(self.data, error))?;
        let after = self.end() - 4;
        bytes.read_at(after, &mut stored).map_err(|error| FormatError::read(after, error))?;
        let mut sum = flate2::Crc::new();
        sum.update(&self.name);
        sum.update(into);
        if sum.sum() != u32::from_be_bytes(stored) {
            let name = self.name.escape_ascii();
            return Err(malformed(format!("the checksum of its chunk {name} is wrong"), after));
        }
        Ok(())
    }
}

impl Header {
    /// Reads up to the first chunk of pixels.
    pub(super) fn read(bytes: &Bytes) -> Result<Self, FormatError> {
        let mut signature = [0u8; 8];
        if bytes.len() < 8 {
            return Err(malformed("it is shorter than a signature", 0));
        }
        bytes.read_at(0, &mut signature).map_err(|error| FormatError::read(0, error))?;
        if signature != SIGNATURE {
            return Err(malformed("it does not begin with the signature", 0));
        }
        let first = Chunk::read(bytes, 8)?;
        if first.name != *b"IHDR" || first.len != 13 {
            return Err(malformed("the first chunk is not an IHDR of 13 bytes", 8));
        }
        let mut ihdr = [0u8; 13];
        first.content(bytes, &mut ihdr)?;
        let mut header = Self::parse(ihdr)?;
        // Of a palette: entries, and alpha for the first so many of them.
        let (mut palette, mut colours) = ([0u8; 768], None);
        let (mut alpha, mut alphas) = ([0u8; 256], None);
        let mut offset = first.end();
        loop {
            let chunk = Chunk::read(bytes, offset)?;
            match &chunk.name {
                b"IDAT" => break,
                b"PLTE" if chunk.len % 3 == 0 && (3..=768).contains(&chunk.len) && colours.is_none() => {
                    let len = chunk.len as usize;
                    chunk.content(bytes, &mut palette[..len])?;
                    colours = Some(len / 3);
                }
                b"tRNS" if (1..=256).contains(&chunk.len) && alphas.is_none() => {
                    let len = chunk.len as usize;
                    chunk.content(bytes, &mut alpha[..len])?;
                    alphas = Some(len);
                }
                b"eXIf" => header.orientation = exif::orientation(bytes, &chunk)?,
                b"PLTE" | b"tRNS" => {
                    let name = chunk.name.escape_ascii();
                    return Err(malformed(
                        format!("a chunk {name} too many or of {} bytes", chunk.len),
                        offset,
                    ));
                }
                // A lower case letter in front says that the pixels can be read without it.
                [b'a'..=b'z', ..] => {}
                other => {
                    let name = other.escape_ascii();
                    return Err(malformed(format!("an unknown chunk {name} before the pixels"), offset));
                }
            }
            offset = chunk.end();
        }
        header.data = offset;
        if header.colour == Colour::Palette {
            let Some(colours) = colours else { return Err(malformed("it has no palette", offset)) };
            let mut table = Box::new([[0, 0, 0, 255]; 256]);
            for (to, from) in table.iter_mut().zip(palette.as_chunks::<3>().0).take(colours) {
                let [red, green, blue] = *from;
                *to = [red, green, blue, 255];
            }
            for (to, from) in table.iter_mut().zip(alpha).take(alphas.unwrap_or(0)) {
                to[3] = from;
            }
            header.palette_alpha = alphas.is_some();
            header.palette = Some(table);
        } else if let Some(len) = alphas {
            header.key = Some(header.key_of(&alpha[..len], offset)?);
        }
        header.check_length(bytes.len())?;
        Ok(header)
    }

    /// Fails if the file could not hold what must be in memory at once whatever its bytes are: a row, or the whole of
    /// an interlaced picture. Nobody should be asked for memory by sizes that say nothing.
    fn check_length(&self, len: u64) -> Result<(), FormatError> {
        let rows = if self.interlaced { self.rows } else { 1 };
        // Of an interlaced picture it is no more than what the seven passes have, whose rows end on bytes, too.
        let needed = self.stored_row_bytes(self.cols).saturating_mul(u64::from(rows));
        if needed <= len.saturating_mul(MOST_EXPANSION) {
            return Ok(());
        }
        let problem =
            format!("{rows} row(s) have {needed} bytes of pixels, more than a file of {len} bytes can hold");
        Err(malformed(problem, 16))
    }

    fn parse(ihdr: [u8; 13]) -> Result<Self, FormatError> {
        let [a, b, c, d, e, f, g, h, depth, colour, compression, filter, interlace] = ihdr;
        let (cols, rows) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]));
        let most = i32::MAX as u32;
        if !(1..=most).contains(&cols) || !(1..=most).contains(&rows) {
            return Err(malformed(format!("{cols} x {rows} pixels"), 16));
        }
        let colour = match (colour, depth) {
            (0, 1 | 2 | 4 | 8 | 16) => Colour::Grey,
            (2, 8 | 16) => Colour::Rgb,
            (3, 1 | 2 | 4 | 8) => Colour::Palette,
            (4, 8 | 16) => Colour::GreyAlpha,
            (6, 8 | 16) => Colour::RgbAlpha,
            _ => return Err(malformed(format!("colour type {colour} with {depth} bits a sample"), 24)),
        };
        if compression != 0 || filter != 0 || interlace > 1 {
            let problem = format!(
                "compression {compression}, filter {filter} or interlace {interlace} is none there is"
            );
            return Err(malformed(problem, 26));
        }
        let interlaced = interlace == 1;
        Ok(Self {
            cols,
            rows,
            depth,
            colour,
            interlaced,
            palette: None,
            key: None,
            palette_alpha: false,
            orientation: Orientation::UPRIGHT,
            data: 0,
        })
    }

    /// The transparent colour of an image without palette.
    fn key_of(&self, content: &[u8], offset: u64) -> Result<[u16; 3], FormatError> {
        // Where samples have fewer bits, the lower ones count.
        let low = u16::MAX >> (16 - self.depth);
        let word = |word: &[u8; 2]| u16::from_be_bytes(*word) & low;
        match (self.colour, content.as_chunks::<2>()) {
            (Colour::Grey, ([grey], [])) => Ok([word(grey); 3]),
            (Colour::Rgb, ([red, green, blue], [])) => Ok([word(red), word(green), word(blue)]),
            _ => Err(malformed(format!("a tRNS of {} bytes for this colour type", content.len()), offset)),
        }
    }

    /// The shape of what is given.
    pub(super) fn shape(&self) -> Shape {
        let bands = match self.colour {
            Colour::Palette => 3 + u16::from(self.palette_alpha),
            other => other.samples() as u16 + u16::from(self.key.is_some()),
        };
        let kind = if self.depth == 16 { SampleKind::U16 } else { SampleKind::U8 };
        Shape::new(self.rows, self.cols, bands, kind)
    }

    /// Bytes of a stored row of `cols` pixels, without the byte that names its filter.
    pub(super) fn stored_row_bytes(&self, cols: u32) -> u64 {
        (u64::from(cols) * self.colour.samples() * u64::from(self.depth)).div_ceil(8)
    }

    /// How far back a filter looks: the bytes of a whole pixel, at least one.
    pub(super) fn filter_bytes(&self) -> usize {
        (self.colour.samples() as usize * usize::from(self.depth)).div_ceil(8)
    }
}
