//! Which method a page is compressed with, and what must be known of it before the first row: the options of its tags,
//! and the headers of the first unit where the method has a header of its own.

use super::codec::{jpeg, zstd};
use super::coding::Coding;
use super::directory::{Directory, Field};
use super::file::{File, malformed, unsupported};
use super::layout::Grid;
use super::names;
use crate::FormatError;
use crate::tiff::tags::{compression, photometric, tag};

/// The methods that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    None,
    PackBits,
    Lzw,
    /// LZW as writers before TIFF 6.0 had it: least significant bit first, codes that grow when they must.
    OldLzw,
    Deflate,
    Zstd(zstd::Window),
    Fax(Fax),
    Jpeg(jpeg::Frame),
}

/// The variants of fax coding (ITU-T T.4 and T.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fax {
    /// Rows of runs that begin at a multiple of so many bits.
    Huffman {
        /// 8 or 16.
        align: u32,
    },
    /// Rows of runs, each after a line end.
    Group3,
    /// Rows of runs and rows of differences to the row above, each after a line end.
    Group3Mixed,
    /// Rows of differences.
    Group4,
}

/// What is known of a page when its method is looked at.
pub(super) struct First {
    pub(super) offsets: Field,
    pub(super) reversed: bool,
    pub(super) coding: Coding,
    pub(super) grid: Grid,
    pub(super) photometric: u16,
}

impl Method {
    /// Whether the tag `Predictor` belongs to it.
    pub(super) fn has_predictor(self) -> bool {
        matches!(self, Self::Lzw | Self::OldLzw | Self::Deflate | Self::Zstd(_))
    }

    /// The most bytes that can come out of one; `None` where no number is known.
    pub(super) fn most_expansion(self) -> Option<u64> {
        match self {
            Self::None => Some(1),
            // Two bytes repeat one 128 times.
            Self::PackBits => Some(64),
            // A code of 9 bits or more stands for less than 4096 bytes.
            Self::Lzw | Self::OldLzw => Some(4096),
            // A code of a bit for a length and one for a distance: 258 bytes.
            Self::Deflate => Some(1032),
            // A block of 4 bytes repeats one 128 Ki times.
            Self::Zstd(_) => Some(32768),
            // A row of any width, or many blocks, may take a bit.
            Self::Fax(_) | Self::Jpeg(_) => None,
        }
    }

    /// The photometric interpretation of what comes out: JPEG's YCbCr becomes RGB.
    pub(super) fn colour_given(self, stored: u16) -> u16 {
        match self {
            Self::Jpeg(frame) if frame.to_rgb => photometric::RGB,
            _ => stored,
        }
    }
}

/// The method that `Compression` names.
///
/// # Errors
/// [`FormatError::Unsupported`] that names it, or the option of it that is not read.
pub(super) fn read(
    file: &File,
    directory: &Directory,
    number: u16,
    first: &First,
) -> Result<Method, FormatError> {
    match number {
        compression::NONE => Ok(Method::None),
        compression::PACK_BITS => Ok(Method::PackBits),
        compression::LZW if is_old_lzw(file, first)? => Ok(Method::OldLzw),
        compression::LZW => Ok(Method::Lzw),
        compression::DEFLATE | compression::OLD_DEFLATE => Ok(Method::Deflate),
        compression::ZSTD => zstd_window(file, first).map(Method::Zstd),
        compression::FAX_HUFFMAN
        | compression::FAX_HUFFMAN_WORDS
        | compression::FAX_GROUP_3
        | compression::FAX_GROUP_4 => fax(file, directory, number, first).map(Method::Fax),
        compression::JPEG => jpeg_frame(file, directory, first).map(Method::Jpeg),
        other => Err(unsupported(format!("{} compression ({other})", names::compression(other)))),
    }
}

/// The start of the first unit's data; empty if it is not in the file (the source will say so, should it be asked).
fn start<'a>(file: &File, first: &First, into: &'a mut [u8]) -> Result<&'a [u8], FormatError> {
    let offset = first.offsets.number(file, 0)?;
    let there = if offset == 0 { 0 } else { file.len().saturating_sub(offset) };
    let (into, _) = into.split_at_mut(there.min(into.len() as u64) as usize);
    file.read(offset, into, "compressed data")?;
    if first.reversed {
        into.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
    }
    Ok(into)
}

/// Whether the first unit begins with the clear code, 256 in nine bits, as the old order of bits has it: both orders
/// have the same number in the header.
fn is_old_lzw(file: &File, first: &First) -> Result<bool, FormatError> {
    Ok(matches!(start(file, first, &mut [0; 2])?, [0, second] if second & 1 == 1))
}

/// The window that the first frame asks for, as far as a unit can use it.
fn zstd_window(file: &File, first: &First) -> Result<zstd::Window, FormatError> {
    let grid = &first.grid;
    let samples = u64::from(grid.unit_cols) * u64::from(grid.unit_bands);
    let unit_bytes = first.coding.row_bytes(samples).saturating_mul(u64::from(grid.unit_rows));
    let mut header = [0; zstd::HEADER_BYTES];
    let header = start(file, first, &mut header)?;
    Ok(zstd::Window::of(header, unit_bytes))
}

fn fax(file: &File, directory: &Directory, number: u16, first: &First) -> Result<Fax, FormatError> {
    let name = names::compression(number);
    if first.coding.bits != 1 || first.grid.unit_bands != 1 {
        let problem = format!(
            "{name} compression of {} band(s) of {} bits: it is for one bit a pixel",
            first.grid.unit_bands, first.coding.bits
        );
        return Err(malformed(directory.at(), problem));
    }
    let options = |tag: u16| directory.number(file, tag).map(Option::unwrap_or_default);
    let (group3, group4) = (options(tag::T4_OPTIONS)?, options(tag::T6_OPTIONS)?);
    let used = if number == compression::FAX_GROUP_4 { group4 } else { group3 };
    if used & 2 != 0 {
        return Err(unsupported(format!("{name} with uncompressed mode")));
    }
    Ok(match number {
        compression::FAX_HUFFMAN => Fax::Huffman { align: 8 },
        compression::FAX_HUFFMAN_WORDS => Fax::Huffman { align: 16 },
        compression::FAX_GROUP_3 if group3 & 1 == 1 => Fax::Group3Mixed,
        compression::FAX_GROUP_3 => Fax::Group3,
        _ => Fax::Group4,
    })
}

/// The frame of the first unit: all others must need no more memory than it.
fn jpeg_frame(file: &File, directory: &Directory, first: &First) -> Result<jpeg::Frame, FormatError> {
    if first.coding.bits != 8 {
        return Err(unsupported(format!("JPEG of {} bits a sample", first.coding.bits)));
    }
    let bands = first.grid.unit_bands;
    if bands > jpeg::MOST_COMPONENTS {
        return Err(malformed(directory.at(), format!("JPEG of {bands} bands in one picture")));
    }
    let to_rgb = first.photometric == photometric::YCBCR && bands == 3;
    let offset = first.offsets.number(file, 0)?;
    let found = if offset == 0 { None } else { jpeg::find_frame(file, offset)? };
    // Where there is none the source says what is wrong with the data.
    Ok(jpeg::Frame::new(found, to_rgb))
}
