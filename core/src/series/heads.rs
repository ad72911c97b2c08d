//! Heads of groups: how many points follow, and what is different from here on.

use super::arith::prob::Prob;
use super::coder::Coder;
use super::lattice::Front;
use super::settings::Column;

/// What a group starts with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Head<const COLUMNS: usize> {
    /// Points in it: 1 to a whole group.
    pub(crate) points: usize,
    /// Whether its points are bits as they are.
    pub(crate) stored: bool,
    /// The unit of time.
    pub(crate) unit: u64,
    pub(crate) fronts: [Front; COLUMNS],
}

/// How likely a group has less points than a whole one; is stored; starts with a change.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heads {
    partial: Prob,
    stored: Prob,
    changes: Prob,
}

impl Heads {
    pub(crate) const NEW: Heads =
        Heads { partial: Prob::SELDOM, stored: Prob::SELDOM, changes: Prob::SELDOM };

    /// Codes the `next` head after what is `now`; whole groups have 2^`bits` points. None where what is read is none.
    pub(crate) fn code<C: Coder, const COLUMNS: usize>(
        &mut self,
        coder: &mut C,
        bits: u32,
        columns: &[Column],
        now: &Head<COLUMNS>,
        next: &Head<COLUMNS>,
    ) -> Option<Head<COLUMNS>> {
        let mut head = Head { points: 1 << bits, ..*now };
        if coder.bit(&mut self.partial, next.points != 1 << bits) {
            head.points =
                1 + coder.raw(next.points.wrapping_sub(1) as u32 & ((1 << bits) - 1), bits) as usize;
        }
        head.stored = coder.bit(&mut self.stored, next.stored);
        if head.stored {
            return Some(head);
        }
        let pairs = next.fronts.iter().zip(&now.fronts).take(columns.len());
        let changes = next.unit != now.unit || pairs.into_iter().any(|(next, now)| next != now);
        if !coder.bit(&mut self.changes, changes) {
            return Some(head);
        }
        if coder.raw(u32::from(next.unit != now.unit), 1) == 1 {
            head.unit = coder.number(next.unit);
            if head.unit == 0 || head.unit > i64::MAX as u64 {
                return None;
            }
        }
        for ((front, next), column) in head.fronts.iter_mut().zip(next.fronts).zip(columns) {
            if coder.raw(u32::from(next != *front), 1) == 1 {
                *front = next.code(coder, column.kind)?;
            }
        }
        Some(head)
    }
}
