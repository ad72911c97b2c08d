//! How a page's samples are stored: everything the sources need, checked once.
//!
//! File strips and tiles are one thing here, a *unit*: a strip is a unit as wide as the image. Units lie in a grid,
//! for planar images in one grid per band. Invariant: all sizes of a [`Layout`] are positive, the tables have an entry
//! for each unit, and no product of its sizes that is used overflows 64 bits.

use super::coding::Coding;
use super::directory::{Directory, Field};
use super::file::{File, malformed, unsupported};
use super::method::{self, Method};
use super::names;
use super::samples::Decimal;
use crate::FormatError;
use crate::tiff::tags::{compression, extra_samples, photometric, planar, predictor, sample_format, tag};
use plimsoll_core::shape::Shape;

/// What was done to the samples before they were compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predictor {
    None,
    /// Differences to the sample of the same band on the left.
    Horizontal,
    /// Differences of the bytes of floats, sorted by their place (Technical Note 3).
    Float,
}

/// How many columns and rows of brightness share one sample of each colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subsampling {
    pub(super) across: u16,
    pub(super) down: u16,
}

impl Subsampling {
    /// Every pixel has its own colour.
    const FINE: Self = Self { across: 1, down: 1 };

    pub(super) fn is_coarse(self) -> bool {
        self != Self::FINE
    }

    /// Bytes of a row of clumps: for each, its brightness samples and two of colour (TIFF 6.0 section 21).
    pub(super) fn clump_row_bytes(self, cols: u32) -> u64 {
        u64::from(cols.div_ceil(u32::from(self.across))) * self.clump_bytes() as u64
    }

    /// Bytes of a clump.
    pub(super) fn clump_bytes(self) -> usize {
        usize::from(self.across) * usize::from(self.down) + 2
    }
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
    /// How a sample is stored: the shape's kind is what it becomes.
    pub(super) coding: Coding,
    /// Bits are stored from the low end of each byte.
    pub(super) reversed: bool,
    /// Brightness samples for each pair of colour samples, across and down: (1, 1) unless the page is YCbCr whose
    /// colour is stored coarser. Not used by JPEG, which has its own.
    pub(super) subsampling: Subsampling,
    pub(super) photometric: u16,
    /// The value of `ExtraSamples` for the first band that is no colour.
    pub(super) extra: Option<u16>,
    /// The number of `Compression`.
    pub(super) compression: u16,
    pub(super) orientation: u16,
    pub(super) offsets: Field,
    pub(super) byte_counts: Option<Field>,
    /// Tables that come before the data of each unit (JPEG).
    pub(super) tables: Option<Field>,
    /// The number that stands for "no data here", in units that a sparse file does not store.
    pub(super) no_data: Decimal,
}

impl Layout {
    /// Bytes of one row of a unit as samples of the shape's kind.
    pub(super) fn unit_row_bytes(&self) -> u64 {
        let pixel = u64::from(self.grid.unit_bands) * self.shape.kind.bytes() as u64;
        u64::from(self.grid.unit_cols) * pixel
    }

    /// Bytes of one row of a unit as its codec gives it.
    pub(super) fn stored_row_bytes(&self) -> u64 {
        self.coding.row_bytes(u64::from(self.grid.unit_cols) * u64::from(self.grid.unit_bands))
    }

    /// Bytes of `rows` rows of a unit before they were compressed; `None` beyond 64 bits.
    pub(super) fn stored_bytes(&self, rows: u32) -> Option<u64> {
        match self.subsampling.is_coarse() {
            true => {
                let clumps = u64::from(rows.div_ceil(u32::from(self.subsampling.down)));
                self.subsampling.clump_row_bytes(self.grid.unit_cols).checked_mul(clumps)
            }
            false => self.stored_row_bytes().checked_mul(u64::from(rows)),
        }
    }

    /// Whether the bytes in the file are the samples, but for their order in a sample.
    pub(super) fn is_plain(&self) -> bool {
        let bytes_as_they_are = !self.reversed && !self.subsampling.is_coarse();
        self.method == Method::None && self.coding.is_native() && bytes_as_they_are
    }

    /// Whether any row of a unit can be found without the rows above it.
    pub(super) fn is_seekable(&self) -> bool {
        self.method == Method::None && !self.subsampling.is_coarse()
    }

    /// Rows that are stored in the units of row `down` of the grid.
    pub(super) fn stored_rows(&self, down: u32) -> u32 {
        let unit_rows = self.grid.unit_rows;
        match self.grid.tiled {
            true => unit_rows,
            false => self.shape.rows.saturating_sub(down.saturating_mul(unit_rows)).min(unit_rows),
        }
    }

    /// Fails if the file could not hold a row of the first unit whatever its bytes are: sizes of such a page say
    /// nothing, and nobody should be asked for the memory of its rows.
    ///
    /// # Errors
    /// [`FormatError::Malformed`]; [`FormatError::Io`] if the offset cannot be read.
    pub(super) fn check_first_unit(&self, file: &File) -> Result<(), FormatError> {
        let needed = self.stored_bytes(1).unwrap_or(u64::MAX);
        let Some(expansion) = self.method.most_expansion() else { return Ok(()) };
        // A sparse file does not store all of them.
        if needed <= file.len().saturating_mul(expansion) || self.offsets.number(file, 0)? == 0 {
            return Ok(());
        }
        let what = if self.grid.tiled { "tile" } else { "file strip" };
        let problem = format!(
            "a row of {what} 0 has {needed} bytes of samples, more than a file of {} bytes can hold",
            file.len()
        );
        Err(malformed(self.offsets.at, problem))
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
        let coding = coding(file, directory, bands)?;
        let shape = Shape::new(rows, cols, bands, coding.kind());
        let reversed = match short(file, directory, tag::FILL_ORDER, 1)? {
            2 => true,
            // Anything else is taken for the usual order.
            _ => false,
        };
        let photometric = colour(file, directory, bands)?;
        let planes = match short(file, directory, tag::PLANAR_CONFIGURATION, planar::CHUNKY)? {
            // Of one band both are the same, and some writers put a zero there.
            _ if bands == 1 => 1,
            planar::CHUNKY => 1,
            planar::PLANAR => bands,
            other => return Err(malformed(directory.at(), format!("PlanarConfiguration is {other}"))),
        };
        let grid = grid(file, directory, shape, planes)?;
        let (offsets, byte_counts) = tables(directory, &grid)?;
        let first = method::First { offsets, reversed, coding, grid, photometric };
        let method = method::read(file, directory, compression, &first)?;
        let predictor = read_predictor(file, directory, method, coding)?;
        Ok(Self {
            shape,
            grid,
            method,
            predictor,
            coding,
            // JPEG takes its bytes as they are.
            reversed: reversed && !matches!(method, Method::Jpeg(_)),
            subsampling: subsampling(file, directory, photometric, method, coding, planes)?,
            photometric: method.colour_given(photometric),
            extra: directory.number(file, tag::EXTRA_SAMPLES)?.map(|number| number.min(0xffff) as u16),
            compression,
            orientation: orientation(file, directory)?,
            offsets,
            byte_counts,
            tables: directory.field(tag::JPEG_TABLES).filter(|_| matches!(method, Method::Jpeg(_))),
            no_data: directory.decimal(file, tag::GDAL_NODATA)?.unwrap_or(Decimal::Whole(0)),
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

/// How the picture should be seen; as it is if the field is of a type that says nothing.
fn orientation(file: &File, directory: &Directory) -> Result<u16, FormatError> {
    match directory.field(tag::ORIENTATION).filter(Field::is_unsigned) {
        Some(_) => short(file, directory, tag::ORIENTATION, 1),
        None => Ok(1),
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

/// How a sample is stored, from `BitsPerSample` and `SampleFormat`.
fn coding(file: &File, directory: &Directory, bands: u16) -> Result<Coding, FormatError> {
    let bits = directory.same(file, tag::BITS_PER_SAMPLE, bands)?.unwrap_or(1);
    let format =
        directory.same(file, tag::SAMPLE_FORMAT, bands)?.unwrap_or(u64::from(sample_format::UNSIGNED));
    if bits == 0 {
        return Err(malformed(directory.at(), "BitsPerSample is zero"));
    }
    Coding::new(bits, u16::try_from(format).unwrap_or(u16::MAX))
}

/// The photometric interpretation, checked against the bands it needs.
fn colour(file: &File, directory: &Directory, bands: u16) -> Result<u16, FormatError> {
    let usual = if bands >= 3 { photometric::RGB } else { photometric::MIN_IS_BLACK };
    let number = short(file, directory, tag::PHOTOMETRIC, usual)?;
    match number {
        // Samples all the same, of which others make grey.
        photometric::RGB if bands < 3 => Ok(photometric::MIN_IS_BLACK),
        photometric::YCBCR if bands < 3 => {
            let problem = format!("{} of {bands} band(s)", names::photometric(number));
            Err(malformed(directory.at(), problem))
        }
        number => Ok(number),
    }
}

/// How coarse the colour of a YCbCr page is stored.
fn subsampling(
    file: &File,
    directory: &Directory,
    photometric: u16,
    method: Method,
    coding: Coding,
    planes: u16,
) -> Result<Subsampling, FormatError> {
    if photometric != photometric::YCBCR || matches!(method, Method::Jpeg(_)) {
        return Ok(Subsampling::FINE);
    }
    // 2 x 2 is what the standard says where the tag is missing.
    let (across, down) = match directory.field(tag::YCBCR_SUBSAMPLING) {
        Some(field) => (field.number(file, 0)?, field.number(file, 1)?),
        None => (2, 2),
    };
    let subsampling = match (across, down) {
        (1 | 2 | 4, 1 | 2 | 4) => Subsampling { across: across as u16, down: down as u16 },
        _ => return Err(malformed(directory.at(), format!("YCbCrSubsampling of {across} x {down}"))),
    };
    if subsampling.is_coarse() && (coding.bits != 8 || planes != 1) {
        let feature =
            format!("YCbCr with colour subsampled {across} x {down} that is planar or not of 8 bits");
        return Err(unsupported(feature));
    }
    Ok(subsampling)
}

fn grid(file: &File, directory: &Directory, shape: Shape, planes: u16) -> Result<Grid, FormatError> {
    let tiled = directory.field(tag::TILE_WIDTH).is_some() || directory.field(tag::TILE_LENGTH).is_some();
    let (unit_rows, unit_cols) = if tiled {
        let rows = size(file, directory, tag::TILE_LENGTH, "TileLength")?;
        (rows, size(file, directory, tag::TILE_WIDTH, "TileWidth")?)
    } else {
        let rows = match directory.number(file, tag::ROWS_PER_STRIP)? {
            // Absent or senseless: the whole image is one strip, as for any number beyond its height.
            None | Some(0) => shape.rows,
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
    // Some writers use the tags of strips for tiles, or the other way round.
    let find = |tile: u16, strip: u16| {
        let (usual, other) = if grid.tiled { (tile, strip) } else { (strip, tile) };
        directory.field(usual).or_else(|| directory.field(other))
    };
    let Some(offsets) = find(tag::TILE_OFFSETS, tag::STRIP_OFFSETS) else {
        return Err(malformed(directory.at(), "there is no table of offsets"));
    };
    let byte_counts = find(tag::TILE_BYTE_COUNTS, tag::STRIP_BYTE_COUNTS);
    let units =
        grid.units().ok_or_else(|| malformed(directory.at(), "more strips or tiles than 64 bits count"))?;
    if offsets.count < units {
        let problem =
            format!("tag {} has {} entries for {units} strips or tiles", offsets.tag, offsets.count);
        return Err(malformed(offsets.at, problem));
    }
    if !offsets.is_unsigned() {
        let problem = format!("tag {} is of type {}", offsets.tag, offsets.kind.number());
        return Err(malformed(offsets.at, problem));
    }
    // Byte counts that make no sense are as good as none: what must be there follows from the rows.
    Ok((offsets, byte_counts.filter(|field| field.count >= units && field.is_unsigned())))
}

fn read_predictor(
    file: &File,
    directory: &Directory,
    method: Method,
    coding: Coding,
) -> Result<Predictor, FormatError> {
    // It is part of these methods; a stray tag elsewhere means nothing.
    if !method.has_predictor() {
        return Ok(Predictor::None);
    }
    let whole = coding.whole_bytes().filter(|bytes| *bytes != 3);
    let float = coding.numbers == super::coding::Numbers::Float;
    match short(file, directory, tag::PREDICTOR, predictor::NONE)? {
        // Zero is written for "none", too.
        0 | predictor::NONE => Ok(Predictor::None),
        predictor::HORIZONTAL if whole.is_some() => Ok(Predictor::Horizontal),
        predictor::FLOAT if float => Ok(Predictor::Float),
        predictor::HORIZONTAL => {
            Err(unsupported(format!("horizontal differences of samples of {} bits", coding.bits)))
        }
        predictor::FLOAT => Err(malformed(directory.at(), "a predictor for floats on samples that are none")),
        other => Err(unsupported(format!("predictor {other}"))),
    }
}
