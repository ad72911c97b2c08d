//! How much of a file a region costs, before it is read.

use super::cut::Cut;
use super::page::Stored;
use super::raw::by_rows;
use super::units::Units;
use crate::FormatError;
use plimsoll_core::budget::{ALIGN, Budget};
use plimsoll_core::shape::{Region, Rows};

/// The most units that are looked up to add up their sizes.
const MOST_UNITS: u64 = 1 << 20;

/// The most bytes that a source over `region` reads of the units: of uncompressed ones those between its first and
/// its last pixel in each (without the gaps between rows where rows are read one by one), of compressed ones all. `None` for more units than are looked up.
///
/// # Errors
/// [`FormatError`] if the tables of the units are malformed or cannot be read.
pub(super) fn reads(stored: &Stored, region: Region) -> Result<Option<u64>, FormatError> {
    let Stored { file, layout } = stored;
    let cut = Cut::new(layout, region)?;
    let unit_rows = layout.grid.unit_rows;
    if region.rows.is_empty() || cut.segments() == 0 {
        return Ok(Some(0));
    }
    let downs_len = u64::from((region.rows.end() - 1) / unit_rows - region.rows.start() / unit_rows) + 1;
    if downs_len.saturating_mul(cut.segments()) > MOST_UNITS {
        return Ok(None);
    }
    let downs = region.rows.start() / unit_rows..=(region.rows.end() - 1) / unit_rows;
    let rows_of = |down: u32| {
        let first = down * unit_rows;
        u64::from(Rows::new(first, first.saturating_add(unit_rows)).intersect(region.rows).len())
    };
    let segments = 0..cut.segments();
    if layout.is_seekable() {
        // Samples that are widened come in whole rows of their unit.
        let plain = layout.is_plain();
        let span = |index: u64| if plain { cut.segment(index).bytes } else { cut.stored_row } as u64;
        // Gaps between rows are read in vain where they are small.
        let apart = plain && by_rows(&cut);
        let one = |rows: u64| {
            move |bytes: u64| match apart {
                true => rows.saturating_mul(bytes),
                false => (rows - 1).saturating_mul(cut.stored_row as u64).saturating_add(bytes),
            }
        };
        let all =
            downs.map(|down| segments.clone().map(span).map(one(rows_of(down))).fold(0, u64::saturating_add));
        return Ok(Some(all.fold(0, u64::saturating_add)));
    }
    let mut windows = vec![0; Units::bytes() as usize + ALIGN];
    let mut tables = Units::new(layout, &mut Budget::new(&mut windows))?;
    let mut bytes = 0u64;
    for down in downs {
        for index in segments.clone() {
            let segment = cut.segment(index);
            // A unit that the file does not hold costs nothing.
            let extent = tables.find(file, layout, segment.plane, down, segment.across)?;
            bytes = bytes.saturating_add(extent.map_or(0, |extent| extent.bytes));
        }
    }
    Ok(Some(bytes))
}
