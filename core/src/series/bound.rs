//! The largest block that a number of points can become.

use super::header::CHECK_BYTES;
use super::settings::{Column, MAX_BLOCK_BYTES};

/// Bytes that a group of points may take beyond the bits of its points: its head, and what the coder has in flight.
pub(crate) const GROUP_SLACK: usize = 16;

/// Bytes of a point as it is.
pub(crate) fn point_bytes(columns: &[Column]) -> usize {
    columns.iter().fold(8, |bytes, column| bytes + column.kind.bits() as usize / 8)
}

/// The length of a buffer in which `points` points of `columns` are sure to fit into one block (up to
/// [`MAX_BLOCK_BYTES`], which no block passes): blocks of so many points never have more bytes.
///
/// ```
/// use plimsoll_core::series::{bound, Column, Kind};
/// assert!(bound::block_bytes(1024, &[Column::new(Kind::F64)], false) < 1024 * 19);
/// ```
pub fn block_bytes(points: u32, columns: &[Column], ranges: bool) -> usize {
    let header = 4 + columns.len().div_ceil(2) + 3 + 3 + 30 + 1 + if ranges { 24 * columns.len() } else { 0 };
    // Groups are cut shorter than 8 points at the very end only.
    let groups = (points as usize).div_ceil(8) + 1;
    let body = (points as usize).saturating_mul(point_bytes(columns)).saturating_add(groups * GROUP_SLACK);
    header.saturating_add(body).saturating_add(CHECK_BYTES + 8).min(MAX_BLOCK_BYTES)
}
