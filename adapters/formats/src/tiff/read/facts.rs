//! What a page's header says, in words and numbers for `info`.

use super::coding::Numbers;
use super::directory::Directory;
use super::file::File;
use super::layout::Layout;
use super::names;
use crate::tiff::tags::{resolution_unit, tag};
use crate::{Facts, FormatError};

/// The facts of a page.
///
/// # Errors
/// [`FormatError::Io`] if a value cannot be read.
pub(super) fn facts(file: &File, directory: &Directory, layout: &Layout) -> Result<Facts, FormatError> {
    let (shape, grid) = (layout.shape, layout.grid);
    let units = grid.units().unwrap_or(u64::MAX);
    let organisation = match grid.tiled {
        true => format!("{} x {} tiles", grid.unit_cols, grid.unit_rows),
        false => format!("strips of {} rows", grid.unit_rows),
    };
    let order = match file.is_big_endian() {
        true => "big-endian (MM)",
        false => "little-endian (II)",
    };
    let bits = layout.coding.bits;
    let planar = if grid.planes == 1 { "chunky" } else { "planar" };
    let mut more = vec![
        ("organisation", organisation),
        (if grid.tiled { "tiles" } else { "file strips" }, units.to_string()),
        ("byte order", order.to_string()),
        ("planar configuration", planar.to_string()),
        ("bits per sample", bits.to_string()),
        ("sample format", sample_format(layout).to_string()),
        ("orientation", names::orientation(layout.orientation)),
    ];
    if layout.method.has_predictor() {
        more.push(("predictor", names::predictor(layout.predictor).to_string()));
    }
    if layout.reversed {
        more.push(("fill order", "bits from the low end".to_string()));
    }
    if layout.subsampling.is_coarse() {
        let (across, down) = (layout.subsampling.across, layout.subsampling.down);
        more.push(("colour", format!("one sample for {across} x {down} pixels")));
    }
    if let Some(extra) = layout.extra {
        let meaning = match extra {
            1 => "associated alpha",
            2 => "unassociated alpha",
            _ => "unspecified",
        };
        more.push(("extra bands", meaning.to_string()));
    }
    if let Some(table) = directory.field(tag::SUB_IFDS) {
        let first = if table.count == 1 { " or a chain of them" } else { "" };
        more.push(("SubIFDs", format!("{}{first}", table.count)));
    }
    if let Some(resolution) = resolution(file, directory)? {
        more.push(("resolution", resolution));
    }
    Ok(Facts {
        shape,
        compression: names::compression(layout.compression),
        colour: names::colour(layout),
        unit_rows: if layout.is_seekable() { 1 } else { grid.unit_rows.min(shape.rows) },
        more,
    })
}

fn sample_format(layout: &Layout) -> &'static str {
    match layout.coding.numbers {
        Numbers::Unsigned => "unsigned integer",
        Numbers::Signed => "signed integer",
        Numbers::Float => "float",
    }
}

/// `300 x 300 per inch`, if both are stated.
fn resolution(file: &File, directory: &Directory) -> Result<Option<String>, FormatError> {
    let part = |tag: u16| directory.field(tag).map_or(Ok(None), |field| field.rational(file));
    let (Some(across), Some(down)) = (part(tag::X_RESOLUTION)?, part(tag::Y_RESOLUTION)?) else {
        return Ok(None);
    };
    let unit = directory.field(tag::RESOLUTION_UNIT).filter(|field| field.is_unsigned() && field.count > 0);
    let unit = unit.map_or(Ok(u64::from(resolution_unit::INCH)), |field| field.number(file, 0))?;
    let unit = match u16::try_from(unit) {
        Ok(resolution_unit::INCH) => " pixels per inch",
        Ok(resolution_unit::CENTIMETRE) => " pixels per centimetre",
        _ => " (no unit)",
    };
    Ok(Some(format!("{across} x {down}{unit}")))
}
