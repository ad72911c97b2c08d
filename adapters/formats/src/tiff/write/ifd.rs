//! The container: header, directory and the tables of the units, in the classic and the BigTIFF form.
//!
//! (TIFF 6.0, section 2, and the BigTIFF design of 2004.) Sizes are known before anything is written, and tables
//! pass through one block of 4 KiB, so a file of millions of units needs no more memory than one of a single unit.

use super::codec::Packing;
use super::grid::Grid;
use super::predictor;
use crate::{FormatError, WriteAt};
use plimsoll_core::shape::SampleKind;

const IMAGE_WIDTH: u16 = 256;
const IMAGE_LENGTH: u16 = 257;
const BITS_PER_SAMPLE: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const STRIP_OFFSETS: u16 = 273;
const SAMPLES_PER_PIXEL: u16 = 277;
const ROWS_PER_STRIP: u16 = 278;
const STRIP_BYTE_COUNTS: u16 = 279;
const PLANAR_CONFIGURATION: u16 = 284;
const SOFTWARE: u16 = 305;
const PREDICTOR: u16 = 317;
const TILE_WIDTH: u16 = 322;
const TILE_LENGTH: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_BYTE_COUNTS: u16 = 325;
const EXTRA_SAMPLES: u16 = 338;
const SAMPLE_FORMAT: u16 = 339;

/// The name under the tag Software.
const WRITER: &[u8] = b"Plimsoll\0";

/// The largest classic file: its offsets have 32 bits; the last 64 KiB are left to whoever appends to it.
const MOST_CLASSIC_BYTES: u64 = (1 << 32) - (64 << 10);

/// Where uncompressed pixels begin: after the directory, on a multiple of this.
const PIXEL_ALIGN: u64 = 64;

/// How a file is stored: everything that decides its bytes, but the pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub(super) grid: Grid,
    pub(super) packing: Option<Packing>,
    /// Whether it is a BigTIFF.
    pub(super) big: bool,
}

/// Where the units are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Places<'a> {
    /// One after the other from `first` on, all full but perhaps the last.
    Even { first: u64 },
    /// One after the other from `first` on, of so many bytes each.
    Packed { first: u64, counts: &'a [u32] },
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ascii = 2,
    Short = 3,
    Long = 4,
    Long8 = 16,
}

impl Kind {
    fn bytes(self) -> u64 {
        match self {
            Self::Ascii => 1,
            Self::Short => 2,
            Self::Long => 4,
            Self::Long8 => 8,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Values {
    /// All the same number.
    All(u64),
    Name,
    Offsets,
    Counts,
}

/// One entry of the directory.
#[derive(Clone, Copy, Debug)]
struct Entry {
    tag: u16,
    kind: Kind,
    count: u64,
    values: Values,
}

impl Entry {
    fn bytes(&self) -> u64 {
        self.count.saturating_mul(self.kind.bytes())
    }
}

fn short(tag: u16, value: u16) -> Entry {
    Entry { tag, kind: Kind::Short, count: 1, values: Values::All(u64::from(value)) }
}

fn long(tag: u16, value: u32) -> Entry {
    Entry { tag, kind: Kind::Long, count: 1, values: Values::All(u64::from(value)) }
}

impl Form {
    /// The form for these units: BigTIFF only where the largest possible file needs it.
    pub(super) fn new(grid: Grid, packing: Option<Packing>) -> Self {
        let classic = Self { grid, packing, big: false };
        if classic.file_bytes() <= MOST_CLASSIC_BYTES { classic } else { Self { big: true, ..classic } }
    }

    /// Bytes of the header: what stands before everything else.
    pub(super) fn header_bytes(&self) -> u64 {
        if self.big { 16 } else { 8 }
    }

    /// Where uncompressed pixels begin.
    pub(super) fn first_pixel(&self) -> u64 {
        self.directory_end(self.header_bytes()).saturating_add(PIXEL_ALIGN - 1) / PIXEL_ALIGN * PIXEL_ALIGN
    }

    /// Where a directory stands that follows compressed units ending at `end`.
    pub(super) fn directory_after(&self, end: u64) -> u64 {
        end.next_multiple_of(8)
    }

    /// Bytes of the file, or the most it may have if it is compressed.
    pub(super) fn file_bytes(&self) -> u64 {
        let Some(packing) = self.packing else {
            return self.first_pixel().saturating_add(self.grid.stored_bytes());
        };
        let units = self.grid.units().saturating_mul(packing.bound(self.grid.unit_bytes()));
        self.directory_end(self.directory_after(self.header_bytes().saturating_add(units).min(1 << 62)))
    }

    /// The form in a few words.
    pub(super) fn describe(&self) -> String {
        let name = if self.big { "BigTIFF" } else { "TIFF" };
        let packing = self.packing.map_or("no compression", Packing::name);
        format!("{name}, {}, {packing}", self.grid.describe())
    }

    /// The directory's entries, in order of their tags.
    fn entries(&self) -> impl Iterator<Item = Entry> {
        let shape = self.grid.shape;
        let tiled = self.grid.tiled;
        let bands = u64::from(shape.bands);
        let all = |tag, count, value| Entry { tag, kind: Kind::Short, count, values: Values::All(value) };
        // Three and four bands are colours; a second or fourth one is alpha, others are not said.
        let (photometric, colours) = if matches!(shape.bands, 3 | 4) { (2, 3) } else { (1, 1) };
        let extra = bands - colours.min(bands);
        let alpha = if matches!(shape.bands, 2 | 4) { 2 } else { 0 };
        let format = match shape.kind {
            SampleKind::I16 | SampleKind::I32 => 2,
            SampleKind::F32 | SampleKind::F64 => 3,
            _ => 1,
        };
        let offset = if self.big { Kind::Long8 } else { Kind::Long };
        let count = if self.grid.unit_bytes() > u64::from(u32::MAX) { Kind::Long8 } else { Kind::Long };
        let units = self.grid.units();
        let offsets = |tag| Entry { tag, kind: offset, count: units, values: Values::Offsets };
        let counts = |tag| Entry { tag, kind: count, count: units, values: Values::Counts };
        let name =
            Entry { tag: SOFTWARE, kind: Kind::Ascii, count: WRITER.len() as u64, values: Values::Name };
        [
            Some(long(IMAGE_WIDTH, shape.cols)),
            Some(long(IMAGE_LENGTH, shape.rows)),
            Some(all(BITS_PER_SAMPLE, bands, 8 * shape.kind.bytes() as u64)),
            Some(short(COMPRESSION, self.packing.map_or(1, Packing::tag))),
            Some(short(PHOTOMETRIC, photometric)),
            (!tiled).then(|| offsets(STRIP_OFFSETS)),
            Some(short(SAMPLES_PER_PIXEL, shape.bands)),
            (!tiled).then(|| long(ROWS_PER_STRIP, self.grid.unit_rows)),
            (!tiled).then(|| counts(STRIP_BYTE_COUNTS)),
            Some(short(PLANAR_CONFIGURATION, 1)),
            Some(name),
            self.packing.map(|_| short(PREDICTOR, predictor::tag(shape.kind))),
            tiled.then(|| long(TILE_WIDTH, self.grid.unit_cols)),
            tiled.then(|| long(TILE_LENGTH, self.grid.unit_rows)),
            tiled.then(|| offsets(TILE_OFFSETS)),
            tiled.then(|| counts(TILE_BYTE_COUNTS)),
            (extra > 0).then(|| all(EXTRA_SAMPLES, extra, alpha)),
            Some(all(SAMPLE_FORMAT, bands, format)),
        ]
        .into_iter()
        .flatten()
    }

    /// Bytes of a value that stands in the directory itself.
    fn inline_bytes(&self) -> u64 {
        if self.big { 8 } else { 4 }
    }

    /// Where the values that do not stand in a directory at `start` begin.
    fn values_start(&self, start: u64) -> u64 {
        let entries = self.entries().count() as u64;
        let bytes = if self.big { 8 + 20 * entries + 8 } else { 2 + 12 * entries + 4 };
        (start + bytes).next_multiple_of(8)
    }

    /// Where a directory at `start` and its tables end.
    fn directory_end(&self, start: u64) -> u64 {
        let outside = self.entries().map(|entry| entry.bytes()).filter(|bytes| *bytes > self.inline_bytes());
        outside.fold(self.values_start(start), |end, bytes| end.saturating_add(aligned(bytes)))
    }

    /// Writes the header. `directory` is 0 until the directory is written.
    pub(super) fn write_header(&self, output: &dyn WriteAt, directory: u64) -> Result<(), FormatError> {
        let mut block = Block::new(output, 0);
        block.put(b"II")?;
        if self.big {
            for value in [43u16, 8, 0] {
                block.put(&value.to_le_bytes())?;
            }
        } else {
            block.put(&42u16.to_le_bytes())?;
        }
        self.put_word(&mut block, directory)?;
        block.flush()
    }

    /// Writes the directory and its tables at `start`, a multiple of 8, and returns where they end. Bytes from
    /// `end_of_units` to there become zeros.
    pub(super) fn write_directory(
        &self,
        output: &dyn WriteAt,
        end_of_units: u64,
        start: u64,
        places: Places<'_>,
    ) -> Result<u64, FormatError> {
        let mut block = Block::new(output, end_of_units);
        block.pad_to(start)?;
        let entries = self.entries().count() as u64;
        if self.big {
            block.put(&entries.to_le_bytes())?;
        } else {
            block.put(&(entries as u16).to_le_bytes())?;
        }
        let mut outside = self.values_start(start);
        for entry in self.entries() {
            block.put(&entry.tag.to_le_bytes())?;
            block.put(&(entry.kind as u16).to_le_bytes())?;
            self.put_word(&mut block, entry.count)?;
            if entry.bytes() <= self.inline_bytes() {
                self.put_values(&mut block, &entry, places)?;
                block.pad(self.inline_bytes() - entry.bytes())?;
            } else {
                self.put_word(&mut block, outside)?;
                outside += aligned(entry.bytes());
            }
        }
        // No directory follows.
        self.put_word(&mut block, 0)?;
        block.pad_to(self.values_start(start))?;
        for entry in self.entries().filter(|entry| entry.bytes() > self.inline_bytes()) {
            self.put_values(&mut block, &entry, places)?;
            block.pad(aligned(entry.bytes()) - entry.bytes())?;
        }
        block.flush()?;
        Ok(block.position())
    }

    /// A number as wide as the form's offsets.
    fn put_word(&self, block: &mut Block<'_>, value: u64) -> Result<(), FormatError> {
        block.number(if self.big { Kind::Long8 } else { Kind::Long }, value)
    }

    fn put_values(
        &self,
        block: &mut Block<'_>,
        entry: &Entry,
        places: Places<'_>,
    ) -> Result<(), FormatError> {
        let (unit, last) = (self.grid.unit_bytes(), self.grid.last_unit_bytes());
        match (entry.values, places) {
            (Values::Name, _) => block.put(WRITER),
            (Values::All(value), _) => (0..entry.count).try_for_each(|_| block.number(entry.kind, value)),
            (Values::Offsets, Places::Even { first }) => {
                (0..entry.count).try_for_each(|index| block.number(entry.kind, first + index * unit))
            }
            (Values::Counts, Places::Even { .. }) => {
                (1..entry.count).try_for_each(|_| block.number(entry.kind, unit))?;
                block.number(entry.kind, last)
            }
            (Values::Offsets, Places::Packed { first, counts }) => {
                let mut at = first;
                counts.iter().try_for_each(|count| {
                    block.number(entry.kind, at)?;
                    at += u64::from(*count);
                    Ok(())
                })
            }
            (Values::Counts, Places::Packed { counts, .. }) => {
                counts.iter().try_for_each(|count| block.number(entry.kind, u64::from(*count)))
            }
        }
    }
}

/// Values outside the directory begin on multiples of 8.
fn aligned(bytes: u64) -> u64 {
    bytes.checked_next_multiple_of(8).unwrap_or(u64::MAX)
}

/// Gathers small values into writes of 4 KiB.
struct Block<'a> {
    output: &'a dyn WriteAt,
    offset: u64,
    bytes: [u8; 4096],
    len: usize,
}

impl<'a> Block<'a> {
    fn new(output: &'a dyn WriteAt, offset: u64) -> Self {
        Self { output, offset, bytes: [0; 4096], len: 0 }
    }

    fn position(&self) -> u64 {
        self.offset + self.len as u64
    }

    fn put(&mut self, value: &[u8]) -> Result<(), FormatError> {
        if self.len + value.len() > self.bytes.len() {
            self.flush()?;
        }
        // No value is longer than a block.
        if let Some(space) = self.bytes.get_mut(self.len..self.len + value.len()) {
            space.copy_from_slice(value);
            self.len += value.len();
        }
        Ok(())
    }

    fn number(&mut self, kind: Kind, value: u64) -> Result<(), FormatError> {
        let bytes = value.to_le_bytes();
        self.put(bytes.get(..kind.bytes() as usize).unwrap_or(&bytes))
    }

    fn pad(&mut self, bytes: u64) -> Result<(), FormatError> {
        (0..bytes).try_for_each(|_| self.put(&[0]))
    }

    fn pad_to(&mut self, offset: u64) -> Result<(), FormatError> {
        self.pad(offset.saturating_sub(self.position()))
    }

    fn flush(&mut self) -> Result<(), FormatError> {
        let bytes = self.bytes.get(..self.len).unwrap_or(&[]);
        if !bytes.is_empty() {
            self.output
                .write_at(self.offset, bytes)
                .map_err(|source| FormatError::write(self.offset, source))?;
        }
        self.offset += self.len as u64;
        self.len = 0;
        Ok(())
    }
}
