//! What both sides of `pack` know of the group before.

use super::super::heads::Head;
use super::super::lattice::Front;
use super::super::settings::Column;

/// The last timestamp, and what the values were multiples of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before<const COLUMNS: usize> {
    pub(super) last: i64,
    pub(super) unit: u64,
    pub(super) fronts: [Front; COLUMNS],
}

impl<const COLUMNS: usize> Before<COLUMNS> {
    /// At the start of a block.
    pub(super) fn block(first: i64, columns: &[Column; COLUMNS]) -> Self {
        Before { last: first, unit: 1, fronts: columns.map(|column| Front::first(column.kind)) }
    }

    pub(super) fn head(&self, points: usize) -> Head<COLUMNS> {
        Head { points, stored: false, unit: self.unit, fronts: self.fronts }
    }
}
