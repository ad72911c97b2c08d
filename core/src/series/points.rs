//! Points as they follow each other in a block: groups of up to 32, each with what changes before it.
//!
//! Everything here runs the same way while writing and while reading.

use super::beat::Beat;
use super::coder::Coder;
use super::column::{ColumnState, Indices};
use super::heads::{Head, Heads};
use super::lattice::Front;
use super::settings::Column;
use super::word::Word;

/// Points in a whole group.
pub(crate) const GROUP: usize = 32;

/// What is remembered from point to point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Points<I: Indices, const COLUMNS: usize> {
    pub(crate) beat: Beat<I::Times>,
    pub(crate) columns: [ColumnState<I>; COLUMNS],
    heads: Heads,
}

impl<I: Indices, const COLUMNS: usize> Points<I, COLUMNS> {
    /// At the start of a block; none where a column's kind is none of the profile's.
    pub(crate) fn new(first: i64, columns: &[Column; COLUMNS], used: usize) -> Option<Self> {
        let first_column = ColumnState::new(columns.first()?.kind)?;
        let mut states = [first_column; COLUMNS];
        for (state, column) in states.iter_mut().zip(columns).take(used) {
            *state = ColumnState::new(column.kind)?;
        }
        Some(Points { beat: Beat::new(first), columns: states, heads: Heads::NEW })
    }

    /// Starts another block, with the unit and the lattices that the last one ended with.
    pub(crate) fn start(&mut self, first: i64, columns: &[Column]) {
        let unit = self.beat.unit;
        self.beat = Beat::new(first);
        self.beat.unit = unit;
        for (state, column) in self.columns.iter_mut().zip(columns) {
            if let Some(fresh) = ColumnState::new(column.kind) {
                let front = state.front;
                *state = fresh;
                state.front = front;
            }
        }
        self.heads = Heads::NEW;
    }

    /// Back to the unit and the lattices that a reader starts a block with.
    pub(crate) fn unlearn(&mut self, columns: &[Column]) {
        self.beat.unit = 1;
        for (state, column) in self.columns.iter_mut().zip(columns) {
            state.front = Front::first(column.kind);
        }
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
        next: &Head<COLUMNS>,
    ) -> Option<(usize, bool)> {
        let now = self.unchanged(0);
        let head = self.heads.code(coder, GROUP.ilog2(), columns, &now, next)?;
        if head.unit != now.unit {
            self.beat.change(head.unit);
        }
        for (state, front) in self.columns.iter_mut().zip(head.fronts) {
            if front != state.front {
                state.change(front);
            }
        }
        Some((head.points, head.stored))
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
