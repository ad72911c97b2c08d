//! The fields of a directory that say what the picture is, and not how it is stored: what goes along into a copy.
//!
//! Only where they lie is kept; their values are read piece by piece when they are written elsewhere.

use super::directory::frame;
use super::file::File;
use super::layout::Layout;
use crate::tiff::tags::{FieldType, photometric, tag};
use crate::{Field, FormatError, Metadata};

/// The tags that go along, in ascending order.
const CARRIED: [u16; 32] = [
    tag::PHOTOMETRIC,
    tag::DOCUMENT_NAME,
    tag::IMAGE_DESCRIPTION,
    tag::MAKE,
    tag::MODEL,
    tag::ORIENTATION,
    tag::X_RESOLUTION,
    tag::Y_RESOLUTION,
    tag::PAGE_NAME,
    tag::RESOLUTION_UNIT,
    tag::SOFTWARE,
    tag::DATE_TIME,
    tag::ARTIST,
    tag::HOST_COMPUTER,
    tag::COLOR_MAP,
    tag::INK_SET,
    tag::INK_NAMES,
    tag::EXTRA_SAMPLES,
    tag::YCBCR_COEFFICIENTS,
    tag::YCBCR_SUBSAMPLING,
    tag::REFERENCE_BLACK_WHITE,
    tag::XMP,
    tag::COPYRIGHT,
    tag::MODEL_PIXEL_SCALE,
    tag::MODEL_TIE_POINT,
    tag::MODEL_TRANSFORMATION,
    tag::ICC_PROFILE,
    tag::GEO_KEY_DIRECTORY,
    tag::GEO_DOUBLE_PARAMS,
    tag::GEO_ASCII_PARAMS,
    tag::GDAL_METADATA,
    tag::GDAL_NODATA,
];

/// The fields of one directory that go along.
pub(super) struct Carried {
    file: File,
    fields: Vec<Field>,
    values: Vec<Values>,
}

/// Where the values of a field are.
#[derive(Clone, Copy)]
enum Values {
    /// In the entry, as they are stored. They are kept, as what depends on them must not fail later.
    Inline([u8; 8]),
    /// In the file, from this place on.
    At(u64),
}

impl Carried {
    /// Finds them in the directory at `at`. A field of an unknown type, or with values beyond the end of the file, is
    /// left out: it is no reason not to read the pixels.
    ///
    /// # Errors
    /// [`FormatError`] if the directory cannot be read.
    pub(super) fn read(file: &File, at: u64, layout: &Layout) -> Result<Self, FormatError> {
        let frame = frame(file, at)?;
        let mut found: Vec<(Field, Values)> = Vec::with_capacity(CARRIED.len());
        let mut block = [0; 20];
        for index in 0..frame.entries {
            let place = frame.first + index * frame.entry_bytes;
            let entry = block.get_mut(..frame.entry_bytes as usize).unwrap_or(&mut []);
            file.read(place, entry, "a directory")?;
            if let Some(field) = parse(file, entry)
                && stays_true(field.0.tag, layout)
                && !found.iter().any(|(other, _)| other.tag == field.0.tag)
            {
                found.push(field);
            }
        }
        found.sort_by_key(|(field, _)| field.tag);
        let (fields, values) = found.into_iter().unzip();
        Ok(Self { file: file.clone(), fields, values })
    }
}

/// Whether a field is true of samples as they come out of a source, which may not be as they are stored.
fn stays_true(tag: u16, layout: &Layout) -> bool {
    let palette = layout.photometric == photometric::PALETTE;
    let ycbcr = layout.photometric == photometric::YCBCR;
    match tag {
        // A colour map has an entry for each number that the stored bits can be.
        tag::COLOR_MAP => layout.coding.is_native(),
        tag::PHOTOMETRIC if palette => layout.coding.is_native(),
        // Colour was repeated for every pixel, and without a field it would count as stored for each 2 x 2.
        tag::PHOTOMETRIC if ycbcr => !layout.subsampling.is_coarse(),
        tag::YCBCR_COEFFICIENTS | tag::YCBCR_SUBSAMPLING | tag::REFERENCE_BLACK_WHITE => {
            ycbcr && !layout.subsampling.is_coarse()
        }
        _ => true,
    }
}

/// The field of an entry, and its values, if it goes along.
fn parse(file: &File, entry: &[u8]) -> Option<(Field, Values)> {
    let part = |from: usize, len: usize| entry.get(from..from + len).map_or(0, |bytes| file.number(bytes));
    let tag = part(0, 2) as u16;
    CARRIED.binary_search(&tag).ok()?;
    let kind = FieldType::from_number(part(2, 2) as u16)?;
    if matches!(kind, FieldType::Ifd | FieldType::Ifd8) {
        return None;
    }
    let width = if file.is_big() { 8 } else { 4 };
    let count = part(4, width);
    let bytes = count.checked_mul(kind.bytes())?;
    let values = if bytes <= width as u64 {
        let mut inline = [0; 8];
        inline.get_mut(..width)?.copy_from_slice(entry.get(4 + width..4 + 2 * width)?);
        Values::Inline(inline)
    } else {
        let place = part(4 + width, width);
        file.check(place, bytes, "").ok()?;
        Values::At(place)
    };
    let field = Field { tag, kind: kind.number(), value_bytes: kind.bytes() as u8, count };
    (count > 0).then_some((field, values))
}

impl Metadata for Carried {
    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn read(&self, index: usize, offset: u64, into: &mut [u8]) -> Result<(), FormatError> {
        let (Some(field), Some(values)) = (self.fields.get(index), self.values.get(index)) else {
            return Ok(());
        };
        match values {
            Values::At(place) => self.file.read(place.saturating_add(offset), into, "a field")?,
            Values::Inline(inline) => {
                let stored = inline.iter().skip(usize::try_from(offset).unwrap_or(usize::MAX));
                into.iter_mut().zip(stored).for_each(|(into, byte)| *into = *byte);
            }
        }
        if self.file.is_big_endian() {
            use FieldType::{Rational, SignedRational};
            let number = match FieldType::from_number(field.kind) {
                // A rational is two numbers.
                Some(Rational | SignedRational) => 4,
                _ => usize::from(field.value_bytes),
            };
            into.chunks_exact_mut(number.max(1)).for_each(<[u8]>::reverse);
        }
        Ok(())
    }
}
