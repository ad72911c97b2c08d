//! Where each unit's bytes lie, from the two tables.

use super::file::{File, malformed, unsupported};
use super::layout::{Layout, Method};
use super::table::{Table, WINDOW_BYTES};
use crate::FormatError;
use plimsoll_core::budget::{Budget, Exhausted, Layout as Leases};

/// The tables of a page.
pub(super) struct Units<'a> {
    offsets: Table<'a>,
    byte_counts: Option<Table<'a>>,
}

/// Bytes in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

impl<'a> Units<'a> {
    /// Bytes of the leases that `new` takes.
    pub(super) fn bytes() -> u64 {
        Leases::new().with::<u8>(2 * WINDOW_BYTES as u64).bytes()
    }

    /// Leases the windows.
    ///
    /// # Errors
    /// [`Exhausted`] if `budget` does not hold them.
    pub(super) fn new(layout: &Layout, budget: &mut Budget<'a>) -> Result<Self, Exhausted> {
        let windows = budget.lease("tiff offset tables", 2 * WINDOW_BYTES)?;
        let (first, second) = windows.split_at_mut(WINDOW_BYTES);
        let grid = &layout.grid;
        let entries = u64::from(grid.across) * u64::from(grid.down);
        Ok(Self {
            offsets: Table::new(layout.offsets, first, grid.planes, entries),
            byte_counts: layout.byte_counts.map(|field| Table::new(field, second, grid.planes, entries)),
        })
    }

    /// Where the unit at row `down`, column `across` of `plane` lies, checked to be inside the file.
    ///
    /// Uncompressed units have the size that their rows have: a byte count is only looked at to see that it is not
    /// less, and not at all where there is one unit (writers that get it wrong are common).
    ///
    /// # Errors
    /// [`FormatError::Malformed`] if it lies outside the file or is too short.
    pub(super) fn find(
        &mut self,
        file: &File,
        layout: &Layout,
        plane: u16,
        down: u32,
        across: u32,
    ) -> Result<Extent, FormatError> {
        let index = layout.grid.index(plane, down, across);
        let what = if layout.grid.tiled { "tile" } else { "file strip" };
        let offset = self.offsets.get(file, plane, index)?;
        let count = match &mut self.byte_counts {
            Some(table) => Some(table.get(file, plane, index)?),
            None => None,
        };
        if offset == 0 {
            return Err(match count {
                Some(0) => {
                    unsupported(format!("a {what} that is not stored (a sparse file, {what} {index})"))
                }
                _ => malformed(layout.offsets.at, format!("the offset of {what} {index} is zero")),
            });
        }
        let single = layout.grid.units() == Some(1);
        let bytes = match (layout.method, count) {
            (Method::None, count) => {
                let needed = layout.unit_row_bytes().checked_mul(u64::from(layout.stored_rows(down)));
                let needed = needed.unwrap_or(u64::MAX);
                if let Some(count) = count
                    && (1..needed).contains(&count)
                    && !single
                {
                    let problem = format!("{what} {index} has {count} bytes for {needed} of samples");
                    return Err(malformed(offset, problem));
                }
                needed
            }
            (_, Some(count)) if count > 0 => count,
            // One compressed unit of unknown length can only end where the file ends.
            _ if single => file.len().saturating_sub(offset),
            _ => return Err(malformed(offset, format!("the byte count of {what} {index} is missing"))),
        };
        file.check(offset, bytes, format_args!("{what} {index}"))?;
        Ok(Extent { offset, bytes })
    }
}
