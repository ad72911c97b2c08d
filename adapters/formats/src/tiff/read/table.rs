//! Offsets and byte counts of file strips and tiles, read through a window of a few KiB.
//!
//! The tables stay in the file: one of eight million entries costs what one of eight costs. In row order each block
//! of a table is read once.

use super::directory::Field;
use super::file::{File, malformed};
use crate::FormatError;

/// Bytes of a table's window.
pub(super) const WINDOW_BYTES: usize = 4096;

/// The most planes whose entries have a part of the window of their own.
const MOST_PARTS: u16 = 16;

/// A table and a window on it. Planes lie far from each other in a table but are read in turn, so each has its own
/// part of the window.
pub(super) struct Table<'a> {
    field: Field,
    window: &'a mut [u8],
    /// For each part: bytes of the table that it holds, as start and end.
    held: [(u64, u64); MOST_PARTS as usize],
    parts: u16,
    /// Entries of one plane: a window does not reach into the next, whose entries have their own part.
    plane_entries: u64,
}

impl<'a> Table<'a> {
    /// A table over `field`, through `window`, for `planes` planes of `plane_entries` units.
    pub(super) fn new(field: Field, window: &'a mut [u8], planes: u16, plane_entries: u64) -> Self {
        let parts = planes.clamp(1, MOST_PARTS);
        Self { field, window, held: [(0, 0); MOST_PARTS as usize], parts, plane_entries }
    }

    /// Entry `index`, which belongs to `plane`.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] if the table ends before, [`FormatError::Io`] if it cannot be read.
    pub(super) fn get(&mut self, file: &File, plane: u16, index: u64) -> Result<u64, FormatError> {
        let size = self.field.kind.bytes();
        let table_bytes = self.field.count.saturating_mul(size);
        let start = index.saturating_mul(size);
        let part = usize::from(plane % self.parts);
        let part_bytes = self.window.len() / usize::from(self.parts) / 8 * 8;
        let window = self.window.get_mut(part * part_bytes..(part + 1) * part_bytes).unwrap_or_default();
        let held = &mut self.held[part];
        if index >= self.field.count || window.is_empty() {
            let problem = format!("tag {} ends before entry {index}", self.field.tag);
            return Err(malformed(self.field.at, problem));
        }
        if start < held.0 || start >= held.1 {
            let plane_end = (u64::from(plane) + 1).saturating_mul(self.plane_entries).saturating_mul(size);
            let end = plane_end.clamp(start + size, table_bytes.max(start + size));
            let len = (end - start).min(window.len() as u64) as usize;
            // Nothing is held while the read may fail.
            *held = (0, 0);
            file.read(self.field.at + start, &mut window[..len], "a table of offsets")?;
            *held = (start, start + len as u64);
        }
        let from = (start - held.0) as usize;
        Ok(window.get(from..from + size as usize).map_or(0, |bytes| file.number(bytes)))
    }
}
