//! One directory (IFD): which fields it has and where their values lie. Values are not loaded.
//!
//! A directory is read through one block on the stack; of its entries only those with a tag that the reader uses are
//! kept, so memory does not depend on the header.

use super::file::{File, malformed};
use super::samples::Decimal;
use crate::FormatError;
use crate::tiff::tags::{FieldType, tag};

/// The tags that are kept.
const USED: [u16; 29] = [
    tag::NEW_SUBFILE_TYPE,
    tag::IMAGE_WIDTH,
    tag::IMAGE_LENGTH,
    tag::BITS_PER_SAMPLE,
    tag::COMPRESSION,
    tag::PHOTOMETRIC,
    tag::FILL_ORDER,
    tag::STRIP_OFFSETS,
    tag::ORIENTATION,
    tag::SAMPLES_PER_PIXEL,
    tag::ROWS_PER_STRIP,
    tag::STRIP_BYTE_COUNTS,
    tag::X_RESOLUTION,
    tag::Y_RESOLUTION,
    tag::PLANAR_CONFIGURATION,
    tag::RESOLUTION_UNIT,
    tag::PREDICTOR,
    tag::TILE_WIDTH,
    tag::TILE_LENGTH,
    tag::TILE_OFFSETS,
    tag::TILE_BYTE_COUNTS,
    tag::EXTRA_SAMPLES,
    tag::SAMPLE_FORMAT,
    tag::YCBCR_SUBSAMPLING,
    tag::T4_OPTIONS,
    tag::T6_OPTIONS,
    tag::JPEG_TABLES,
    tag::SUB_IFDS,
    tag::GDAL_NODATA,
];

/// Those without which the samples can be had: a broken one of them is not there.
const DISPENSABLE: [u16; 8] = [
    tag::ORIENTATION,
    tag::NEW_SUBFILE_TYPE,
    tag::X_RESOLUTION,
    tag::Y_RESOLUTION,
    tag::RESOLUTION_UNIT,
    tag::EXTRA_SAMPLES,
    tag::SUB_IFDS,
    tag::GDAL_NODATA,
];

/// Entries that are read at once.
const BATCH: u64 = 64;

/// The most entries a directory may have: what the classic format can count.
const MOST_ENTRIES: u64 = u16::MAX as u64;

/// Bytes of the smallest directory: its count, one entry, and the offset of the next.
pub(super) const LEAST_BYTES: u64 = 2 + 12 + 4;

/// A field: `count` values of a type, lying in the file from `at` on (inside the entry where they fit it).
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub(super) tag: u16,
    pub(super) kind: FieldType,
    pub(super) count: u64,
    pub(super) at: u64,
}

/// A directory's fields that the reader uses.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    at: u64,
    fields: Vec<Field>,
}

/// Where the parts of the directory at `at` lie.
pub(super) struct Frame {
    pub(super) entries: u64,
    pub(super) first: u64,
    pub(super) entry_bytes: u64,
    next: u64,
}

pub(super) fn frame(file: &File, at: u64) -> Result<Frame, FormatError> {
    let what = "a directory";
    let (entries, first, entry_bytes) = match file.is_big() {
        true => (file.u64_at(at, what)?, at + 8, 20),
        false => (u64::from(file.u16_at(at, what)?), at + 2, 12),
    };
    if entries == 0 || entries > MOST_ENTRIES {
        return Err(malformed(at, format!("a directory of {entries} entries")));
    }
    let bytes = entries * entry_bytes;
    file.check(first, bytes, what)?;
    Ok(Frame { entries, first, entry_bytes, next: first + bytes })
}

/// The offset of the directory that follows the one at `at`; 0 after the last.
///
/// # Errors
/// [`FormatError::Malformed`] if the directory leaves the file.
pub(super) fn next(file: &File, at: u64) -> Result<u64, FormatError> {
    file.offset_at(frame(file, at)?.next, "the offset of the next directory")
}

impl Directory {
    /// Reads the directory at `at`.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] if it, or the values of a field that is used, leave the file.
    pub(super) fn read(file: &File, at: u64) -> Result<Self, FormatError> {
        let frame = frame(file, at)?;
        let mut fields = Vec::with_capacity(USED.len());
        let mut block = [0; BATCH as usize * 20];
        let mut done = 0;
        while done < frame.entries {
            let batch = (frame.entries - done).min(BATCH);
            let start = frame.first + done * frame.entry_bytes;
            let bytes = &mut block[..(batch * frame.entry_bytes) as usize];
            file.read(start, bytes, "a directory")?;
            for (entry, n) in bytes.chunks_exact(frame.entry_bytes as usize).zip(0..) {
                if let Some(field) = parse(file, entry, start + n * frame.entry_bytes)?
                    && !fields.iter().any(|other: &Field| other.tag == field.tag)
                {
                    fields.push(field);
                }
            }
            done += batch;
        }
        Ok(Self { at, fields })
    }

    /// Where it lies in the file.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    /// The field with this tag.
    pub(super) fn field(&self, tag: u16) -> Option<Field> {
        self.fields.iter().find(|field| field.tag == tag).copied()
    }

    /// The first value of an integer field.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] if the field is there without a value, or is not of an integer type.
    pub(super) fn number(&self, file: &File, tag: u16) -> Result<Option<u64>, FormatError> {
        self.field(tag).map(|field| field.number(file, 0)).transpose()
    }

    /// A number that a text field holds in decimal digits; `None` if it holds none.
    ///
    /// # Errors
    /// [`FormatError::Io`] if it cannot be read.
    pub(super) fn decimal(&self, file: &File, tag: u16) -> Result<Option<Decimal>, FormatError> {
        let Some(field) = self.field(tag).filter(|field| field.kind == FieldType::Ascii) else {
            return Ok(None);
        };
        let mut text = [0; 64];
        let text = &mut text[..field.count.min(64) as usize];
        file.read(field.at, text, "a field")?;
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(std::str::from_utf8(text).ok().and_then(Decimal::of))
    }

    /// The one value that an integer field holds for all of `bands` bands.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] as for [`Directory::number`], and if there are fewer values than bands;
    /// [`FormatError::Unsupported`] if they differ.
    pub(super) fn same(&self, file: &File, tag: u16, bands: u16) -> Result<Option<u64>, FormatError> {
        let Some(field) = self.field(tag) else { return Ok(None) };
        let first = field.number(file, 0)?;
        if field.count > 1 && field.count < u64::from(bands) {
            let problem = format!("tag {tag} has {} values for {bands} bands", field.count);
            return Err(malformed(field.at, problem));
        }
        let mut values = field.count.min(u64::from(bands));
        let mut block = [0; 512];
        let size = field.kind.bytes();
        let mut at = field.at;
        while values > 0 {
            let batch = values.min(block.len() as u64 / size);
            let bytes = &mut block[..(batch * size) as usize];
            file.read(at, bytes, "a field")?;
            if let Some(other) =
                bytes.chunks_exact(size as usize).map(|v| file.number(v)).find(|v| *v != first)
            {
                return Err(super::file::unsupported(format!(
                    "bands that differ (tag {tag} is {first} and {other})"
                )));
            }
            at += batch * size;
            values -= batch;
        }
        Ok(Some(first))
    }
}

/// The field of one entry, if its tag is used and its type is known.
fn parse(file: &File, entry: &[u8], at: u64) -> Result<Option<Field>, FormatError> {
    let part = |from: usize, len: usize| entry.get(from..from + len).map_or(0, |bytes| file.number(bytes));
    let tag = part(0, 2) as u16;
    let (Some(kind), true) = (FieldType::from_number(part(2, 2) as u16), USED.contains(&tag)) else {
        return Ok(None);
    };
    let width = if file.is_big() { 8 } else { 4 };
    let count = part(4, width);
    if count == 0 {
        return Ok(None);
    }
    let inline = at + 4 + width as u64;
    let dispensable = DISPENSABLE.contains(&tag);
    let Some(bytes) = count.checked_mul(kind.bytes()) else {
        return match dispensable {
            true => Ok(None),
            false => Err(malformed(at, format!("tag {tag} claims {count} values"))),
        };
    };
    if bytes <= width as u64 {
        return Ok(Some(Field { tag, kind, count, at: inline }));
    }
    let outside = part(4 + width, width);
    match file.check(outside, bytes, format_args!("the value of tag {tag}")) {
        Err(_) if dispensable => return Ok(None),
        checked => checked?,
    }
    Ok(Some(Field { tag, kind, count, at: outside }))
}

impl Field {
    /// Whether it holds whole numbers.
    pub(super) fn is_unsigned(&self) -> bool {
        use FieldType::{
            Byte, Ifd, Ifd8, Long, Long8, Short, SignedLong, SignedLong8, SignedShort, Undefined,
        };
        // Some writers have signed types where no number is negative; one that is comes out as far too large.
        let signed = matches!(self.kind, SignedShort | SignedLong | SignedLong8);
        signed || matches!(self.kind, Byte | Undefined | Short | Long | Long8 | Ifd | Ifd8)
    }

    /// Value `index` of an integer field.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] if there is none or it is not of an integer type.
    pub(super) fn number(&self, file: &File, index: u64) -> Result<u64, FormatError> {
        if index >= self.count {
            let problem = format!("tag {} has {} values where more are needed", self.tag, self.count);
            return Err(malformed(self.at, problem));
        }
        if !self.is_unsigned() {
            let problem = format!("tag {} is of type {}, not a whole number", self.tag, self.kind.number());
            return Err(malformed(self.at, problem));
        }
        let mut bytes = [0; 8];
        let bytes = &mut bytes[..self.kind.bytes() as usize];
        file.read(self.at + index * self.kind.bytes(), bytes, "a field")?;
        Ok(file.number(bytes))
    }

    /// The first value of a rational field, as a quotient; `None` if it is of another type or divides by zero.
    ///
    /// # Errors
    /// [`FormatError::Io`] if it cannot be read.
    pub(super) fn rational(&self, file: &File) -> Result<Option<f64>, FormatError> {
        if self.kind != FieldType::Rational || self.count == 0 {
            return Ok(None);
        }
        let over = file.u32_at(self.at, "a field")?;
        let under = file.u32_at(self.at + 4, "a field")?;
        Ok((under != 0).then(|| f64::from(over) / f64::from(under)))
    }
}

#[cfg(test)]
mod tests;
