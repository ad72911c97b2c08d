//! How much of a file a region costs, before it is read.

use super::cut::Cut;
use super::page::Stored;
use super::raw::by_rows;
use super::units::Units;
use crate::FormatError;
use plimsoll_core::budget::{ALIGN, Budget};
use plimsoll_core::shape::Region;

/// The most units that are looked up to add up their sizes.
const MOST_UNITS: u64 = 1 << 20;

/// The most bytes that a source over `region` reads of the units: of uncompressed ones those between its first and
/// its last pixel in each (without the gaps between rows where rows are read one by one), of compressed ones all.
/// `None` for more units than are looked up.
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
    let downs = region.rows.start() / unit_rows..=(region.rows.end() - 1) / unit_rows;
    let unit_count = (u64::from(downs.end() - downs.start()) + 1).saturating_mul(cut.segments());
    let segments = 0..cut.segments();
    if layout.is_seekable() {
        let stored_row = cut.stored_row as u64;
        let rows = u64::from(region.rows.len()).saturating_mul(cut.segments());
        // Samples that are widened come in whole rows of their unit.
        if !layout.is_plain() {
            return Ok(Some(rows.saturating_mul(stored_row)));
        }
        let used = cut.strip_row as u64;
        if by_rows(&cut) {
            return Ok(Some(u64::from(region.rows.len()).saturating_mul(used)));
        }
        // Gaps between rows are read in vain where they are small, but for that behind the last row of a unit.
        let lasts = (unit_count / cut.segments()).saturating_mul(used);
        return Ok(Some(rows.saturating_sub(unit_count).saturating_mul(stored_row).saturating_add(lasts)));
    }
    if unit_count > MOST_UNITS {
        return Ok(None);
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
