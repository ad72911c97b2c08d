//! What a page's metadata still says truly of what some steps make of it: kept, adjusted or left out.

use super::mapping::{Effect, Mapping};
use plimsoll_core::shape::Shape;
use plimsoll_formats::{Field, FormatError, Metadata, Page};
use std::sync::Arc;

/// The types of values that are adjusted (TIFF 6.0, section 2).
const RATIONAL: u16 = 5;
const DOUBLE: u16 = 12;

/// A step on the way to an output that has metadata.
pub(super) struct Circumstances {
    /// Shapes of page and output.
    pub(super) source: Shape,
    pub(super) output: Shape,
    pub(super) effect: Effect,
    /// Whether all pages of the file go along: what counts pages stays true.
    pub(super) all_pages: bool,
    /// Whether the picture was set upright before the first step.
    pub(super) turned: bool,
}

/// How a field's values change.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    None,
    TiePoints,
    PixelScale,
    Transformation,
    /// Divided by this.
    Resolution(f64),
}

/// Metadata with fields that were adjusted or left out.
pub(super) struct Kept {
    from: Arc<dyn Metadata>,
    fields: Vec<Field>,
    /// For each field: its place in `from`, and what changes.
    origins: Vec<(usize, Change)>,
    mapping: Option<Mapping>,
    /// The world's coordinates belong to the middles of pixels, not to their corners.
    of_points: bool,
}

impl Kept {
    /// What is left of `from`, and the names of what had to be left out.
    ///
    /// # Errors
    /// [`FormatError`] if values that must be looked at cannot be read.
    pub(super) fn new(
        from: Arc<dyn Metadata>,
        page: &dyn Page,
        now: &Circumstances,
    ) -> Result<(Self, Vec<&'static str>), FormatError> {
        let mut kept = Self {
            fields: Vec::new(),
            origins: Vec::new(),
            mapping: now.effect.mapping,
            of_points: is_of_points(&*from)?,
            from,
        };
        let mut left_out = Vec::new();
        for (index, field) in kept.from.fields().to_vec().into_iter().enumerate() {
            match judge(&*kept.from, index, &field, page, now)? {
                Verdict::Keep(change) => {
                    kept.fields.push(field);
                    kept.origins.push((index, change));
                }
                Verdict::Drop(Some(name)) if !left_out.contains(&name) => left_out.push(name),
                Verdict::Drop(_) => {}
            }
        }
        Ok((kept, left_out))
    }
}

enum Verdict {
    Keep(Change),
    /// Left out; it has a name if somebody may miss it.
    Drop(Option<&'static str>),
}

/// What becomes of one field.
fn judge(
    from: &dyn Metadata,
    index: usize,
    field: &Field,
    page: &dyn Page,
    now: &Circumstances,
) -> Result<Verdict, FormatError> {
    let keep_if = |true_still: bool, name: &'static str| match true_still {
        true => Verdict::Keep(Change::None),
        false => Verdict::Drop(Some(name)),
    };
    let same_bands = now.source.bands == now.output.bands;
    let same_kind = now.source.kind == now.output.kind;
    let moved = |change: Change, kind: u16, name: &'static str| match now.effect.mapping {
        _ if now.turned => Verdict::Drop(Some(name)),
        Some(mapping) if mapping.is_same() => Verdict::Keep(Change::None),
        Some(_) if field.kind == kind => Verdict::Keep(change),
        _ => Verdict::Drop(Some(name)),
    };
    Ok(match field.tag {
        // What the bands mean. Where they changed, the writer's own words are right.
        262 => {
            let mut value = [0; 2];
            if field.bytes() == 2 {
                from.read(index, 0, &mut value)?;
            }
            // A source that computes colours as it reads says so.
            let computed = page.facts().colour.starts_with("rgb") && u16::from_le_bytes(value) != 2;
            if same_bands && !computed { Verdict::Keep(Change::None) } else { Verdict::Drop(None) }
        }
        320 if same_bands && same_kind && !now.effect.new_values => Verdict::Keep(Change::None),
        320 => Verdict::Drop(None),
        332 | 333 | 338 if same_bands => Verdict::Keep(Change::None),
        332 | 333 | 338 => Verdict::Drop(None),
        34675 => keep_if(same_bands, "the colour profile"),
        // How large a pixel is on paper.
        282 | 283 => match now.effect.mapping {
            Some(mapping) => {
                let scale = if field.tag == 282 { mapping.across.scale } else { mapping.down.scale };
                match scale == 1.0 {
                    true => Verdict::Keep(Change::None),
                    false if field.kind == RATIONAL => Verdict::Keep(Change::Resolution(scale)),
                    false => Verdict::Drop(Some("the resolution")),
                }
            }
            None => Verdict::Keep(Change::None),
        },
        270 => {
            let same_shape = now.source == now.output && now.all_pages && !now.turned;
            keep_if(
                same_shape || !describes_shape(from, index, field)?,
                "ImageDescription (of another shape)",
            )
        }
        // Where a pixel is in the world.
        33550 => moved(Change::PixelScale, DOUBLE, "GeoTIFF fields"),
        33922 => moved(Change::TiePoints, DOUBLE, "GeoTIFF fields"),
        34264 if field.count == 16 => moved(Change::Transformation, DOUBLE, "GeoTIFF fields"),
        34264 | 34735..=34737 => keep_if(now.effect.mapping.is_some() && !now.turned, "GeoTIFF fields"),
        // Statistics are part of it.
        42112 => {
            let same = now.effect.mapping.is_some_and(|map| map.is_same()) && now.source == now.output;
            keep_if(same && !now.effect.new_values, "GDAL's metadata (statistics)")
        }
        42113 => keep_if(now.effect.same_meaning && same_kind, "GDAL's value for no data"),
        _ => Verdict::Keep(Change::None),
    })
}

/// Whether a description counts rows, columns or pages, as those of OME-TIFF, ImageJ and tifffile do.
fn describes_shape(from: &dyn Metadata, index: usize, field: &Field) -> Result<bool, FormatError> {
    let mut start = [0; 512];
    let bytes = field.bytes().min(start.len() as u64) as usize;
    let start = start.get_mut(..bytes).unwrap_or(&mut []);
    from.read(index, 0, start)?;
    let holds = |word: &[u8]| start.windows(word.len()).any(|window| window == word);
    Ok(holds(b"<OME") || start.starts_with(b"ImageJ=") || start.starts_with(b"{\"shape\""))
}

/// Whether the GeoKey GTRasterTypeGeoKey (1025) says that coordinates belong to the middles of pixels (GeoTIFF 1.1,
/// 7.3.1.2).
fn is_of_points(from: &dyn Metadata) -> Result<bool, FormatError> {
    let Some(index) = from.fields().iter().position(|field| field.tag == 34735 && field.value_bytes == 2)
    else {
        return Ok(false);
    };
    let bytes = from.fields().get(index).map_or(0, Field::bytes);
    let mut key = [0; 8];
    for at in (8..bytes.min(8 << 10) / 8 * 8).step_by(8) {
        from.read(index, at, &mut key)?;
        if key.starts_with(&1025u16.to_le_bytes()) {
            return Ok(key.ends_with(&2u16.to_le_bytes()));
        }
    }
    Ok(false)
}

impl Metadata for Kept {
    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn read(&self, index: usize, offset: u64, into: &mut [u8]) -> Result<(), FormatError> {
        let Some((origin, change)) = self.origins.get(index).copied() else { return Ok(()) };
        self.from.read(origin, offset, into)?;
        let Some(mapping) = self.mapping.filter(|_| change != Change::None) else { return Ok(()) };
        // The middle of an output pixel is not where the middle of its first input pixel is.
        let middle = |scale: f64| if self.of_points { (scale - 1.0) / 2.0 } else { 0.0 };
        let (across, down) = (mapping.across, mapping.down);
        let (left, top) = (across.start + middle(across.scale), down.start + middle(down.scale));
        if change == Change::Transformation {
            let mut matrix = [0; 128];
            self.from.read(origin, 0, &mut matrix)?;
            let at = |row: usize, column: usize| double(&matrix, 4 * row + column);
            for (value, cell) in into.as_chunks_mut::<8>().0.iter_mut().zip(offset as usize / 8..) {
                let (row, column) = (cell / 4, cell % 4);
                let moved = at(row, 3) + at(row, 0) * left + at(row, 1) * top;
                *value = match column {
                    0 => at(row, 0) * across.scale,
                    1 => at(row, 1) * down.scale,
                    3 if row < 3 => moved,
                    _ => at(row, column),
                }
                .to_le_bytes();
            }
            return Ok(());
        }
        if let Change::Resolution(scale) = change {
            for value in into.as_chunks_mut::<8>().0 {
                *value = divided(*value, scale);
            }
            return Ok(());
        }
        for (value, number) in into.as_chunks_mut::<8>().0.iter_mut().zip(offset / 8..) {
            let old = f64::from_le_bytes(*value);
            let new = match (change, number % 6) {
                (Change::PixelScale, _) if number == 0 => old * across.scale,
                (Change::PixelScale, _) if number == 1 => old * down.scale,
                (Change::TiePoints, 0) => (old - left) / across.scale,
                (Change::TiePoints, 1) => (old - top) / down.scale,
                _ => old,
            };
            *value = new.to_le_bytes();
        }
        Ok(())
    }
}

fn double(values: &[u8], index: usize) -> f64 {
    values.as_chunks::<8>().0.get(index).map_or(0.0, |bytes| f64::from_le_bytes(*bytes))
}

/// A rational divided by a number, to a thousandth.
fn divided(value: [u8; 8], by: f64) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h] = value;
    let (over, under) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    let quotient = f64::from(over) / f64::from(under) / by;
    let (over, under) = match quotient * 1000.0 {
        thousandths if thousandths <= f64::from(u32::MAX) => (thousandths.round() as u32, 1000u32),
        _ if quotient <= f64::from(u32::MAX) => (quotient.round() as u32, 1),
        _ => return value,
    };
    let ([a, b, c, d], [e, f, g, h]) = (over.to_le_bytes(), under.to_le_bytes());
    [a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolutions_are_divided_as_rationals() {
        let value = |over: u32, under: u32| {
            let mut bytes = [0; 8];
            bytes[..4].copy_from_slice(&over.to_le_bytes());
            bytes[4..].copy_from_slice(&under.to_le_bytes());
            bytes
        };
        assert_eq!(divided(value(300, 1), 2.0), value(150_000, 1000));
        assert_eq!(divided(value(4_000_000_000, 1), 2.0), value(2_000_000_000, 1));
        assert_eq!(divided(value(1, 0), 2.0), value(1, 0));
    }
}
