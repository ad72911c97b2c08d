//! How a page's samples are stored: everything the sources need, checked once.
//!
//! File strips and tiles are one thing here, a *unit*: a strip is a unit as wide as the image. Units lie in a grid,
//! for planar images in one grid per band. Invariant: all sizes of a [`Layout`] are positive, the tables have an entry
//! for each unit, and no product of its sizes that is used overflows 64 bits.

use super::directory::{Directory, Field};
use super::file::{File, malformed, unsupported};
use super::names;
use crate::FormatError;
use crate::tiff::tags::{compression, extra_samples, photometric, planar, predictor, sample_format, tag};
use plimsoll_core::shape::{SampleKind, Shape};

/// The methods that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    None,
    PackBits,
    Lzw,
    /// LZW as writers before TIFF 6.0 had it: least significant bit first, codes that grow when they must.
    OldLzw,
    Deflate,
}

/// What was done to the samples before they were compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predictor {
    None,
    /// Differences to the sample of the same band on the left.
    Horizontal,
    /// Differences of the bytes of floats, sorted by their place (Technical Note 3).
    Float,
}

/// How units tile the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    /// Rows of a unit; the last file strip of a plane may have fewer.
    pub(super) unit_rows: u32,
    /// Columns of a unit: the image's for file strips.
    pub(super) unit_cols: u32,
    /// Bands of a unit: 1 if the image is planar.
    pub(super) unit_bands: u16,
    /// Units side by side.
    pub(super) across: u32,
    /// Units one below the other.
    pub(super) down: u32,
    /// Grids one after the other.
    pub(super) planes: u16,
    /// Tiles, which are padded at the image's right and bottom edge. File strips are not.
    pub(super) tiled: bool,
}

impl Grid {
    /// Where a unit stands in the tables.
    pub(super) fn index(&self, plane: u16, down: u32, across: u32) -> u64 {
        let rows = u64::from(plane) * u64::from(self.down) + u64::from(down);
        rows * u64::from(self.across) + u64::from(across)
    }

    /// How many units there are, unless 64 bits do not hold it.
    pub(super) fn units(&self) -> Option<u64> {
        (u64::from(self.across) * u64::from(self.down)).checked_mul(u64::from(self.planes))
    }
}

/// A page's storage.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) shape: Shape,
    pub(super) grid: Grid,
    pub(super) method: Method,
    pub(super) predictor: Predictor,
    pub(super) photometric: u16,
    /// The value of `ExtraSamples` for the first band that is no colour.
    pub(super) extra: Option<u16>,
    /// The number of `Compression`.
    pub(super) compression: u16,
    pub(super) orientation: u16,
    pub(super) offsets: Field,
    pub(super) byte_counts: Option<Field>,
}

impl Layout {
    /// Bytes of one row of a unit.
    pub(super) fn unit_row_bytes(&self) -> u64 {
        let pixel = u64::from(self.grid.unit_bands) * self.shape.kind.bytes() as u64;
        u64::from(self.grid.unit_cols) * pixel
    }

    /// Rows that are stored in the units of row `down` of the grid.
    pub(super) fn stored_rows(&self, down: u32) -> u32 {
        let unit_rows = self.grid.unit_rows;
        match self.grid.tiled {
            true => unit_rows,
            false => self.shape.rows.saturating_sub(down.saturating_mul(unit_rows)).min(unit_rows),
        }
    }

    /// Reads the layout from a directory.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] for what cannot be, [`FormatError::Unsupported`] for what cannot be read yet.
    pub(super) fn read(file: &File, directory: &Directory) -> Result<Self, FormatError> {
        let rows = size(file, directory, tag::IMAGE_LENGTH, "ImageLength")?;
        let cols = size(file, directory, tag::IMAGE_WIDTH, "ImageWidth")?;
        let bands = short(file, directory, tag::SAMPLES_PER_PIXEL, 1)?;
        if bands == 0 {
            return Err(malformed(directory.at(), "SamplesPerPixel is zero"));
        }
        let compression = short(file, directory, tag::COMPRESSION, compression::NONE)?;
        let mut method = method(compression)?;
        let kind = kind(file, directory, bands)?;
        let shape = Shape::new(rows, cols, bands, kind);
        if short(file, directory, tag::FILL_ORDER, 1)? != 1 {
            return Err(unsupported("FillOrder 2 (bits stored from the low end)"));
        }
        let photometric = colour(file, directory, bands)?;
        let planes = match short(file, directory, tag::PLANAR_CONFIGURATION, planar::CHUNKY)? {
            planar::CHUNKY => 1,
            planar::PLANAR => bands,
            other => return Err(malformed(directory.at(), format!("PlanarConfiguration is {other}"))),
        };
        let grid = grid(file, directory, shape, planes)?;
        let (offsets, byte_counts) = tables(directory, &grid)?;
        if method == Method::Lzw && is_old_lzw(file, offsets)? {
            method = Method::OldLzw;
        }
        Ok(Self {
            shape,
            grid,
            method,
            predictor: read_predictor(file, directory, method, kind)?,
            photometric,
            extra: directory.number(file, tag::EXTRA_SAMPLES)?.map(|number| number.min(0xffff) as u16),
            compression,
            orientation: short(file, directory, tag::ORIENTATION, 1)?,
            offsets,
            byte_counts,
        })
    }

    /// Whether a band says how opaque the pixel is.
    pub(super) fn has_alpha(&self) -> bool {
        matches!(self.extra, Some(extra_samples::ASSOCIATED_ALPHA | extra_samples::UNASSOCIATED_ALPHA))
    }
}

/// A field of one number below 65536; `default` if it is absent.
fn short(file: &File, directory: &Directory, tag: u16, default: u16) -> Result<u16, FormatError> {
    match directory.number(file, tag)? {
        None => Ok(default),
        Some(number) => u16::try_from(number)
            .map_err(|_| malformed(directory.at(), format!("tag {tag} is {number}, more than 65535"))),
    }
}

/// A field that must be there and hold a positive number below 2^32.
fn size(file: &File, directory: &Directory, tag: u16, name: &str) -> Result<u32, FormatError> {
    match directory.number(file, tag)? {
        None => Err(malformed(directory.at(), format!("{name} is missing"))),
        Some(0) => Err(malformed(directory.at(), format!("{name} is zero"))),
        Some(number) => u32::try_from(number)
            .map_err(|_| malformed(directory.at(), format!("{name} is {number}, more than 32 bits hold"))),
    }
}

fn method(number: u16) -> Result<Method, FormatError> {
    match number {
        compression::NONE => Ok(Method::None),
        compression::PACK_BITS => Ok(Method::PackBits),
        compression::LZW => Ok(Method::Lzw),
        compression::DEFLATE | compression::OLD_DEFLATE => Ok(Method::Deflate),
        other => Err(unsupported(format!("{} compression ({other})", names::compression(other)))),
    }
}

/// Whether the first unit begins with the clear code, 256 in nine bits, as the old order of bits has it: both orders have
/// the same number in the header.
fn is_old_lzw(file: &File, offsets: Field) -> Result<bool, FormatError> {
    let first = offsets.number(file, 0)?;
    if file.check(first, 2, "").is_err() {
        // The source will say so, should it be asked for this unit.
        return Ok(false);
    }
    let mut start = [0; 2];
    file.read(first, &mut start, "compressed data")?;
    Ok(start[0] == 0 && start[1] & 1 == 1)
}

/// The kind of sample from `BitsPerSample` and `SampleFormat`.
fn kind(file: &File, directory: &Directory, bands: u16) -> Result<SampleKind, FormatError> {
    let bits = directory.same(file, tag::BITS_PER_SAMPLE, bands)?.unwrap_or(1);
    let format =
        directory.same(file, tag::SAMPLE_FORMAT, bands)?.unwrap_or(u64::from(sample_format::UNSIGNED));
    let format = u16::try_from(format).unwrap_or(u16::MAX);
    // Untyped samples are read as unsigned ones, as the standard's readers do.
    let format = if format == sample_format::UNDEFINED { sample_format::UNSIGNED } else { format };
    match (bits, format) {
        (8, sample_format::UNSIGNED) => Ok(SampleKind::U8),
        (16, sample_format::UNSIGNED) => Ok(SampleKind::U16),
        (16, sample_format::SIGNED) => Ok(SampleKind::I16),
        (32, sample_format::UNSIGNED) => Ok(SampleKind::U32),
        (32, sample_format::SIGNED) => Ok(SampleKind::I32),
        (32, sample_format::FLOAT) => Ok(SampleKind::F32),
        (64, sample_format::FLOAT) => Ok(SampleKind::F64),
        (0, _) => Err(malformed(directory.at(), "BitsPerSample is zero")),
        _ => Err(unsupported(format!("a sample of {bits} bits, {}", names::sample_format(format)))),
    }
}

/// The photometric interpretation, checked against the bands it needs.
fn colour(file: &File, directory: &Directory, bands: u16) -> Result<u16, FormatError> {
    let usual = if bands >= 3 { photometric::RGB } else { photometric::MIN_IS_BLACK };
    let number = short(file, directory, tag::PHOTOMETRIC, usual)?;
    if matches!(number, photometric::RGB | photometric::YCBCR) && bands < 3 {
        let problem = format!("{} of {bands} band(s)", names::photometric(number));
        return Err(malformed(directory.at(), problem));
    }
    if number == photometric::YCBCR {
        // 2 x 2 is what the standard says where the tag is missing.
        let (across, down) = match directory.field(tag::YCBCR_SUBSAMPLING) {
            Some(field) => (field.number(file, 0)?, field.number(file, 1)?),
            None => (2, 2),
        };
        if (across, down) != (1, 1) {
            return Err(unsupported(format!("YCbCr with colour subsampled {across} x {down}")));
        }
    }
    Ok(number)
}

fn grid(file: &File, directory: &Directory, shape: Shape, planes: u16) -> Result<Grid, FormatError> {
    let tiled = directory.field(tag::TILE_WIDTH).is_some() || directory.field(tag::TILE_OFFSETS).is_some();
    let (unit_rows, unit_cols) = if tiled {
        let rows = size(file, directory, tag::TILE_LENGTH, "TileLength")?;
        (rows, size(file, directory, tag::TILE_WIDTH, "TileWidth")?)
    } else {
        let rows = match directory.number(file, tag::ROWS_PER_STRIP)? {
            Some(0) => return Err(malformed(directory.at(), "RowsPerStrip is zero")),
            // Absent: the whole image is one strip, as for any number beyond its height.
            None => shape.rows,
            Some(rows) => rows.min(u64::from(shape.rows)) as u32,
        };
        (rows, shape.cols)
    };
    Ok(Grid {
        unit_rows,
        unit_cols,
        unit_bands: if planes == 1 { shape.bands } else { 1 },
        across: shape.cols.div_ceil(unit_cols),
        down: shape.rows.div_ceil(unit_rows),
        planes,
        tiled,
    })
}

/// The tables of offsets and byte counts, checked to have an entry for each unit.
fn tables(directory: &Directory, grid: &Grid) -> Result<(Field, Option<Field>), FormatError> {
    // Some writers use the tags of strips for tiles.
    let find = |tile: u16, strip: u16| match grid.tiled {
        true => directory.field(tile).or_else(|| directory.field(strip)),
        false => directory.field(strip),
    };
    let Some(offsets) = find(tag::TILE_OFFSETS, tag::STRIP_OFFSETS) else {
        return Err(malformed(directory.at(), "there is no table of offsets"));
    };
    let byte_counts = find(tag::TILE_BYTE_COUNTS, tag::STRIP_BYTE_COUNTS);
    let units =
        grid.units().ok_or_else(|| malformed(directory.at(), "more strips or tiles than 64 bits count"))?;
    for field in [Some(offsets), byte_counts].into_iter().flatten() {
        if field.count < units {
            let problem =
                format!("tag {} has {} entries for {units} strips or tiles", field.tag, field.count);
            return Err(malformed(field.at, problem));
        }
        if !field.is_unsigned() {
            let problem = format!("tag {} is of type {}", field.tag, field.kind.number());
            return Err(malformed(field.at, problem));
        }
    }
    Ok((offsets, byte_counts))
}

fn read_predictor(
    file: &File,
    directory: &Directory,
    method: Method,
    kind: SampleKind,
) -> Result<Predictor, FormatError> {
    // It is part of these two methods; a stray tag elsewhere means nothing.
    if !matches!(method, Method::Lzw | Method::OldLzw | Method::Deflate) {
        return Ok(Predictor::None);
    }
    match short(file, directory, tag::PREDICTOR, predictor::NONE)? {
        predictor::NONE => Ok(Predictor::None),
        predictor::HORIZONTAL => Ok(Predictor::Horizontal),
        predictor::FLOAT if kind.is_float() => Ok(Predictor::Float),
        predictor::FLOAT => {
            Err(malformed(directory.at(), format!("a predictor for floats on samples of {kind}")))
        }
        other => Err(unsupported(format!("predictor {other}"))),
    }
}
