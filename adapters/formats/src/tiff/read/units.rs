//! Where each unit's bytes lie, from the two tables.

use super::file::{File, malformed};
use super::layout::Layout;
use super::method::Method;
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

    /// Where the unit at row `down`, column `across` of `plane` lies, checked to be inside the file; `None` where a
    /// sparse file does not store it.
    ///
    /// Uncompressed units have the size that their rows have: a byte count is only looked at to see that it is not
    /// less, and not at all where there is one unit (writers that get it wrong are common). A compressed one ends where
    /// its rows end: a byte count that is missing or zero reaches to the end of the file.
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
    ) -> Result<Option<Extent>, FormatError> {
        let index = layout.grid.index(plane, down, across);
        let what = if layout.grid.tiled { "tile" } else { "file strip" };
        let offset = self.offsets.get(file, plane, index)?;
        let count = match &mut self.byte_counts {
            Some(table) => Some(table.get(file, plane, index)?),
            None => None,
        };
        if offset == 0 {
            return match count {
                Some(0) => Ok(None),
                _ => Err(malformed(layout.offsets.at, format!("the offset of {what} {index} is zero"))),
            };
        }
        let bytes = if layout.method == Method::None {
            let needed = layout.stored_bytes(layout.stored_rows(down)).unwrap_or(u64::MAX);
            if let Some(count) = count
                && (1..needed).contains(&count)
                && layout.grid.units() != Some(1)
            {
                let problem = format!("{what} {index} has {count} bytes for {needed} of samples");
                return Err(malformed(offset, problem));
            }
            needed
        } else {
            // At least a byte, so that one that begins outside the file is noticed.
            let there = file.len().saturating_sub(offset).max(1);
            count.filter(|count| *count > 0).unwrap_or(there)
        };
        file.check(offset, bytes, format_args!("{what} {index}"))?;
        Ok(Some(Extent { offset, bytes }))
    }
}
