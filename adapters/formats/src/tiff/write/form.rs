//! How one page of a file is stored: everything that decides its bytes but the pixels, and the entries of its
//! directory (TIFF 6.0, section 2, and the BigTIFF design of 2004). Sizes are known before anything is written.

use super::codec::Packing;
use super::grid::Grid;
use super::predictor;
use crate::tiff::tags::{FieldType, photometric, tag};
use crate::{Metadata, Tail, Wanted};
use plimsoll_core::shape::{SampleKind, Shape};
use std::sync::Arc;

/// The name under the tag Software, where the source has none to carry over.
pub(super) const WRITER: &[u8] = b"Plimsoll\0";

/// The largest classic file: its offsets have 32 bits; the last 64 KiB are left to whoever appends to it.
const MOST_CLASSIC_BYTES: u64 = (1 << 32) - (64 << 10);

/// Where uncompressed pixels begin: after the directory, on a multiple of this.
const PIXEL_ALIGN: u64 = 64;

/// Whether a page is the picture itself or a smaller copy of it (the tag NewSubfileType).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A picture without copies.
    Alone,
    /// A picture whose copies are pages after it.
    First,
    /// A picture that names so many copies as its SubIFDs.
    Parent(u64),
    /// A smaller copy.
    Reduced,
}

/// How a page is stored.
#[derive(Clone)]
pub(super) struct Form {
    pub(super) grid: Grid,
    pub(super) packing: Option<Packing>,
    /// Whether it is a BigTIFF.
    pub(super) big: bool,
    pub(super) role: Role,
    /// What the bands mean: the value of PhotometricInterpretation.
    pub(super) colour: u16,
    /// What goes along from the source.
    pub(super) metadata: Option<Arc<dyn Metadata>>,
}

/// The type of a value that is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Ascii = 2,
    Short = 3,
    Long = 4,
    Ifd = 13,
    Long8 = 16,
    Ifd8 = 18,
}

impl Kind {
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::Ascii => 1,
            Self::Short => 2,
            Self::Long | Self::Ifd => 4,
            Self::Long8 | Self::Ifd8 => 8,
        }
    }
}

/// Where the values of an entry come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Values {
    /// All the same number, of this type.
    All(Kind, u64),
    Name,
    Offsets(Kind),
    Counts(Kind),
    SubIfds(Kind),
    /// Field number so of the metadata.
    Carried(usize),
}

/// One entry of the directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) tag: u16,
    /// The number of its type.
    pub(super) kind: u16,
    pub(super) count: u64,
    pub(super) bytes: u64,
    pub(super) values: Values,
}

fn entry(tag: u16, kind: Kind, count: u64, values: Values) -> Entry {
    Entry { tag, kind: kind as u16, count, bytes: count.saturating_mul(kind.bytes()), values }
}

fn short(tag: u16, value: u16) -> Entry {
    shorts(tag, 1, value)
}

fn shorts(tag: u16, count: u64, value: u16) -> Entry {
    entry(tag, Kind::Short, count, Values::All(Kind::Short, u64::from(value)))
}

fn long(tag: u16, value: u32) -> Entry {
    entry(tag, Kind::Long, 1, Values::All(Kind::Long, u64::from(value)))
}

impl Form {
    /// The form of a page alone in its file, or with others that take `wanted.beside` bytes: BigTIFF only where the
    /// largest possible file needs it.
    pub(super) fn new(
        grid: Grid,
        packing: Option<Packing>,
        wanted: &Wanted,
        metadata: Option<Arc<dyn Metadata>>,
    ) -> Self {
        let colour = colour(&grid.shape, metadata.as_deref());
        let classic = Self { grid, packing, big: false, role: Role::Alone, colour, metadata };
        let big = classic.file_bytes().saturating_add(wanted.beside) > MOST_CLASSIC_BYTES;
        Self { big, ..classic }
    }

    /// Whether a file of so many bytes needs offsets of 64 bits.
    pub(super) fn needs_big(bytes: u64) -> bool {
        bytes > MOST_CLASSIC_BYTES
    }

    /// Bytes of the header: what stands before everything else.
    pub(super) fn header_bytes(&self) -> u64 {
        if self.big { 16 } else { 8 }
    }

    /// Where the first page is named.
    pub(super) fn header_link(&self) -> u64 {
        if self.big { 8 } else { 4 }
    }

    /// Where this page may begin in a file with such a tail, and where the file is to name it.
    pub(super) fn place(&self, after: Tail) -> (u64, u64) {
        match after.bytes {
            0 => (self.header_bytes(), self.header_link()),
            bytes => (bytes.next_multiple_of(8), after.link),
        }
    }

    /// Where uncompressed pixels begin if the directory stands at `start`.
    pub(super) fn first_pixel(&self, start: u64) -> u64 {
        self.directory_end(start).saturating_add(PIXEL_ALIGN - 1) / PIXEL_ALIGN * PIXEL_ALIGN
    }

    /// Where a directory stands that follows compressed units ending at `end`.
    pub(super) fn directory_after(end: u64) -> u64 {
        end.next_multiple_of(8)
    }

    /// The most bytes of all units.
    pub(super) fn units_bytes(&self) -> u64 {
        match self.packing {
            None => self.grid.stored_bytes(),
            Some(packing) => self.grid.units().saturating_mul(packing.bound(self.grid.unit_bytes())),
        }
    }

    /// Bytes of the file, or the most it may have if it is compressed.
    pub(super) fn file_bytes(&self) -> u64 {
        let header = self.header_bytes();
        if self.packing.is_none() {
            return self.first_pixel(header).saturating_add(self.units_bytes());
        }
        self.directory_end(Self::directory_after(header.saturating_add(self.units_bytes()).min(1 << 62)))
    }

    /// The form in a few words.
    pub(super) fn describe(&self) -> String {
        let name = if self.big { "BigTIFF" } else { "TIFF" };
        let packing = self.packing.map_or_else(|| "no compression".to_owned(), Packing::describe);
        format!("{name}, {}, {packing}", self.grid.describe())
    }

    /// The directory's entries, in order of their tags.
    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let own = self.own();
        let mut carried = (0..self.fields()).filter_map(move |index| self.carried(index)).peekable();
        let mut own = own.into_iter().flatten().peekable();
        // Two rows in order become one. Where both have a tag, what is carried says it better.
        std::iter::from_fn(move || {
            let Some(mine) = own.peek().map(|entry| entry.tag) else { return carried.next() };
            match carried.peek().map(|entry| entry.tag) {
                Some(theirs) if theirs <= mine => {
                    if theirs == mine {
                        own.next();
                    }
                    carried.next()
                }
                _ => own.next(),
            }
        })
    }

    fn fields(&self) -> usize {
        self.metadata.as_ref().map_or(0, |metadata| metadata.fields().len())
    }

    /// Field `index` of the metadata as an entry, unless it would say something else of how pixels are stored.
    fn carried(&self, index: usize) -> Option<Entry> {
        let field = *self.metadata.as_ref()?.fields().get(index)?;
        let known = FieldType::from_number(field.kind).is_some();
        // A copy says how it is looked at; what the picture is stands with the picture.
        let known = known && (self.role != Role::Reduced || SHARED.contains(&field.tag));
        let fits = match field.tag {
            tag::COLOR_MAP => self.colour == photometric::PALETTE,
            tag::EXTRA_SAMPLES => field.count == self.extra(),
            _ => true,
        };
        (known && fits && !OURS.contains(&field.tag)).then_some(Entry {
            tag: field.tag,
            kind: field.kind,
            count: field.count,
            bytes: field.bytes(),
            values: Values::Carried(index),
        })
    }

    /// The entries that are this writer's own.
    fn own(&self) -> [Option<Entry>; 21] {
        let shape = self.grid.shape;
        let tiled = self.grid.tiled;
        let bands = u64::from(shape.bands);
        // One more band than colours is alpha; what others are is not said.
        let extra = self.extra();
        let alpha = if extra == 1 { 2 } else { 0 };
        let format = match shape.kind {
            SampleKind::I16 | SampleKind::I32 | SampleKind::I64 => 2,
            SampleKind::F32 | SampleKind::F64 => 3,
            _ => 1,
        };
        let offset = if self.big { Kind::Long8 } else { Kind::Long };
        let ifd = if self.big { Kind::Ifd8 } else { Kind::Ifd };
        let count = if self.grid.unit_bytes() > u64::from(u32::MAX) { Kind::Long8 } else { Kind::Long };
        let units = self.grid.units();
        let offsets = |tag| entry(tag, offset, units, Values::Offsets(offset));
        let counts = |tag| entry(tag, count, units, Values::Counts(count));
        let subfile = match self.role {
            Role::Alone => None,
            Role::First | Role::Parent(_) => Some(0),
            Role::Reduced => Some(1),
        };
        let levels = if let Role::Parent(levels) = self.role { levels } else { 0 };
        let predicted = self.packing.is_some_and(Packing::predicts);
        [
            subfile.map(|value| long(tag::NEW_SUBFILE_TYPE, value)),
            Some(long(tag::IMAGE_WIDTH, shape.cols)),
            Some(long(tag::IMAGE_LENGTH, shape.rows)),
            Some(shorts(tag::BITS_PER_SAMPLE, bands, 8 * shape.kind.bytes() as u16)),
            Some(short(tag::COMPRESSION, self.packing.map_or(1, Packing::tag))),
            Some(short(tag::PHOTOMETRIC, self.colour)),
            (!tiled).then(|| offsets(tag::STRIP_OFFSETS)),
            Some(short(tag::SAMPLES_PER_PIXEL, shape.bands)),
            (!tiled).then(|| long(tag::ROWS_PER_STRIP, self.grid.unit_rows)),
            (!tiled).then(|| counts(tag::STRIP_BYTE_COUNTS)),
            Some(short(tag::PLANAR_CONFIGURATION, 1)),
            Some(entry(tag::SOFTWARE, Kind::Ascii, WRITER.len() as u64, Values::Name)),
            predicted.then(|| short(tag::PREDICTOR, predictor::tag(shape.kind))),
            tiled.then(|| long(tag::TILE_WIDTH, self.grid.unit_cols)),
            tiled.then(|| long(tag::TILE_LENGTH, self.grid.unit_rows)),
            tiled.then(|| offsets(tag::TILE_OFFSETS)),
            tiled.then(|| counts(tag::TILE_BYTE_COUNTS)),
            (levels > 0).then(|| entry(tag::SUB_IFDS, ifd, levels, Values::SubIfds(ifd))),
            (extra > 0).then(|| shorts(tag::EXTRA_SAMPLES, extra, alpha)),
            Some(shorts(tag::SAMPLE_FORMAT, bands, format)),
            // Every pixel has its own colour.
            (self.colour == photometric::YCBCR).then(|| shorts(tag::YCBCR_SUBSAMPLING, 2, 1)),
        ]
    }

    /// Bands that are no colours.
    fn extra(&self) -> u64 {
        u64::from(self.grid.shape.bands.saturating_sub(colours(self.colour)))
    }

    /// Bytes of a value that stands in the directory itself.
    pub(super) fn inline_bytes(&self) -> u64 {
        if self.big { 8 } else { 4 }
    }

    /// Where a directory at `start` says which one follows.
    pub(super) fn link(&self, start: u64) -> u64 {
        let entries = self.entries().count() as u64;
        start + if self.big { 8 + 20 * entries } else { 2 + 12 * entries }
    }

    /// Where the values that do not stand in a directory at `start` begin.
    pub(super) fn values_start(&self, start: u64) -> u64 {
        (self.link(start) + self.inline_bytes()).next_multiple_of(8)
    }

    /// Where a directory at `start` and its tables end.
    pub(super) fn directory_end(&self, start: u64) -> u64 {
        let outside = self.entries().map(|entry| entry.bytes).filter(|bytes| *bytes > self.inline_bytes());
        outside.fold(self.values_start(start), |end, bytes| end.saturating_add(aligned(bytes)))
    }
}

/// Bands that make a colour of this meaning.
fn colours(meaning: u16) -> u16 {
    match meaning {
        photometric::RGB | photometric::YCBCR | photometric::CIELAB => 3,
        photometric::SEPARATED => 4,
        _ => 1,
    }
}

/// What the bands of a picture mean: what the metadata says if it can be, otherwise three and four are RGB.
fn colour(shape: &Shape, metadata: Option<&dyn Metadata>) -> u16 {
    let usual = if matches!(shape.bands, 3 | 4) { photometric::RGB } else { photometric::MIN_IS_BLACK };
    let Some(metadata) = metadata else { return usual };
    let find = |tag: u16| metadata.fields().iter().position(|field| field.tag == tag);
    let mut value = [0; 2];
    let said = find(tag::PHOTOMETRIC)
        .filter(|index| metadata.fields().get(*index).is_some_and(|field| field.bytes() == 2))
        .filter(|index| metadata.read(*index, 0, &mut value).is_ok())
        .map(|_| u16::from_le_bytes(value));
    // A palette has red, green and blue for each value that a sample can have.
    let entries = 3u64 << (8 * shape.kind.bytes()).min(32);
    let palette = find(tag::COLOR_MAP)
        .and_then(|index| metadata.fields().get(index))
        .is_some_and(|field| field.count == entries && field.value_bytes == 2 && shape.kind.bytes() <= 2);
    match said {
        Some(photometric::PALETTE) if palette && shape.bands == 1 => photometric::PALETTE,
        Some(
            meaning @ (photometric::MIN_IS_WHITE
            | photometric::MIN_IS_BLACK
            | photometric::RGB
            | photometric::YCBCR
            | photometric::SEPARATED
            | photometric::CIELAB),
        ) if colours(meaning) <= shape.bands => meaning,
        _ => usual,
    }
}

/// Tags that say how pixels are stored: no source has a say in them.
const OURS: [u16; 18] = [
    tag::PHOTOMETRIC,
    tag::NEW_SUBFILE_TYPE,
    tag::IMAGE_WIDTH,
    tag::IMAGE_LENGTH,
    tag::BITS_PER_SAMPLE,
    tag::COMPRESSION,
    tag::STRIP_OFFSETS,
    tag::SAMPLES_PER_PIXEL,
    tag::ROWS_PER_STRIP,
    tag::STRIP_BYTE_COUNTS,
    tag::PLANAR_CONFIGURATION,
    tag::PREDICTOR,
    tag::TILE_WIDTH,
    tag::TILE_LENGTH,
    tag::TILE_OFFSETS,
    tag::TILE_BYTE_COUNTS,
    tag::SUB_IFDS,
    tag::SAMPLE_FORMAT,
];

/// Tags that a smaller copy shares with its picture.
const SHARED: [u16; 5] =
    [tag::ORIENTATION, tag::COLOR_MAP, tag::INK_SET, tag::EXTRA_SAMPLES, tag::ICC_PROFILE];

/// Values outside the directory begin on multiples of 8.
pub(super) fn aligned(bytes: u64) -> u64 {
    bytes.checked_next_multiple_of(8).unwrap_or(u64::MAX)
}
