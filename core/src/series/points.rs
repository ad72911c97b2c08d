//! Points as they follow each other in a block: groups of up to 32, each with what changes before it.
//!
//! Everything here runs the same way while writing and while reading.

use super::arith::prob::Prob;
use super::beat::Beat;
use super::coder::Coder;
use super::column::ColumnState;
use super::lattice::Front;
use super::profile::Sealed;
use super::settings::Column;
use super::word::Word;

/// Points in a whole group.
pub(crate) const GROUP: usize = 32;

/// What is remembered from point to point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Points<P: Sealed, const COLUMNS: usize> {
    pub(crate) beat: Beat,
    pub(crate) columns: [ColumnState<P::Indices>; COLUMNS],
    /// Whether a group has less than 32 points; is stored; starts with a change.
    partial: Prob,
    stored: Prob,
    changes: Prob,
}

/// The head of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Head<const COLUMNS: usize> {
    /// Points in it: 1 to 32.
    pub(crate) points: usize,
    /// Whether its points are bits as they are.
    pub(crate) stored: bool,
    pub(crate) unit: u64,
    pub(crate) fronts: [Front; COLUMNS],
}

impl<P: Sealed, const COLUMNS: usize> Points<P, COLUMNS> {
    /// At the start of a block; none where a column's kind is none of the profile's.
    pub(crate) fn new(first: i64, columns: &[Column; COLUMNS], used: usize) -> Option<Self> {
        let first_column = ColumnState::new(columns.first()?.kind)?;
        let mut states = [first_column; COLUMNS];
        for (state, column) in states.iter_mut().zip(columns).take(used) {
            *state = ColumnState::new(column.kind)?;
        }
        Some(Points {
            beat: Beat::new(first),
            columns: states,
            partial: Prob::EVEN,
            stored: Prob::EVEN,
            changes: Prob::EVEN,
        })
    }

    /// What the next group starts with if nothing changes.
    pub(crate) fn unchanged(&self, points: usize) -> Head<COLUMNS> {
        Head { points, stored: false, unit: self.beat.unit, fronts: self.columns.map(|column| column.front) }
    }

    /// Codes the head of a group and turns to what it says; none where what was read is no head.
    pub(crate) fn head<C: Coder>(
        &mut self,
        coder: &mut C,
        columns: &[Column],
        head: &Head<COLUMNS>,
    ) -> Option<(usize, bool)> {
        let mut points = GROUP;
        if coder.bit(&mut self.partial, head.points != GROUP) {
            points = 1 + coder.raw(head.points.wrapping_sub(1) as u32 & 31, 5) as usize;
        }
        let stored = coder.bit(&mut self.stored, head.stored);
        if stored {
            return Some((points, true));
        }
        let now = self.unchanged(head.points);
        let changes = head.unit != now.unit || {
            let pairs = head.fronts.iter().zip(&now.fronts);
            pairs.take(columns.len()).any(|(next, now)| next != now)
        };
        if coder.bit(&mut self.changes, changes) {
            if coder.raw(u32::from(head.unit != now.unit), 1) == 1 {
                let unit = coder.number(head.unit);
                if unit == 0 || unit > i64::MAX as u64 {
                    return None;
                }
                self.beat.change(unit);
            }
            for ((state, front), column) in self.columns.iter_mut().zip(head.fronts).zip(columns) {
                if coder.raw(u32::from(front != state.front), 1) == 1 {
                    state.change(front.code(coder, column.kind)?);
                }
            }
        }
        Some((points, false))
    }

    /// Codes one point; `words` become what a reader gets.
    #[inline]
    pub(crate) fn point<C: Coder>(
        &mut self,
        coder: &mut C,
        columns: &[Column],
        time: i64,
        words: &mut [Word],
    ) -> i64 {
        let time = self.beat.code(coder, time);
        for ((state, column), word) in self.columns.iter_mut().zip(columns).zip(words) {
            *word = state.code(coder, column, *word);
        }
        time
    }

    /// Codes one point of a stored group.
    pub(crate) fn stored_point<C: Coder>(
        &mut self,
        coder: &mut C,
        columns: &[Column],
        time: i64,
        words: &mut [Word],
    ) -> i64 {
        let time = coder.raw_long(time as u64, 64) as i64;
        self.beat.last = time;
        for ((state, column), word) in self.columns.iter_mut().zip(columns).zip(words) {
            *word = Word(coder.raw_long(word.0, column.kind.bits()));
            state.restart();
        }
        time
    }
}
