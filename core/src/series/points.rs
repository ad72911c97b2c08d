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

#[cfg(test)]
mod tests {
    use super::super::arith::model::Model;
    use super::super::arith::prob::Prob;
    use super::super::arith::range::{ReadState, Reader};
    use super::super::arith::steps::Steps;
    use super::super::bank::Bank;
    use super::super::column::EitherLanes;
    use super::super::few::Few;
    use super::super::recall::{Latest, Near};
    use super::super::word::Kind;
    use super::*;
    use std::vec::Vec;

    type All = EitherLanes<
        Bank<i32, 16>,
        Bank<i64, 16>,
        Model<3, 20, 8>,
        Latest<i32, Near, 32>,
        Latest<i64, Near, 32>,
    >;

    /// Counts what is asked of a reader.
    struct Counting<'a> {
        reader: Reader<'a>,
        steps: u32,
    }

    impl Coder for Counting<'_> {
        const WRITES: bool = false;

        fn bit(&mut self, prob: &mut Prob, bit: bool) -> bool {
            self.steps += 1;
            self.reader.bit(prob, bit)
        }

        fn raw(&mut self, value: u32, bits: u32) -> u32 {
            self.steps += 1;
            self.reader.raw(value, bits)
        }
    }

    /// What the profile `Lean` has.
    type Lean = EitherLanes<Few<i32>, Few<i64>, Steps<12>, (), ()>;

    #[test]
    fn no_bytes_make_a_head_or_a_point_cost_more_than_a_fixed_number_of_steps() {
        steps_are_bounded::<All>();
        steps_are_bounded::<Lean>();
    }

    fn steps_are_bounded<I: Indices>() {
        let column = [Column::new(Kind::F64), Column::new(Kind::I32)];
        // The interpreter is slow: it gets a few of them.
        let (most, seeds) = if cfg!(miri) { (20, 3) } else { (20_000, 8_u32) };
        let lengths = [16, 1000, 60_000].into_iter().take(if cfg!(miri) { 2 } else { 3 });
        for (length, seed) in lengths.flat_map(|length| (0..seeds).map(move |seed| (length, seed))) {
            let mut random = seed.wrapping_mul(0x9E37_79B9) | 1;
            let payload: Vec<u8> = (0..length)
                .map(|_| {
                    random ^= random << 13;
                    random ^= random >> 17;
                    random ^= random << 5;
                    // All zeros, all ones, and bytes that are anything.
                    match seed {
                        0 => 0,
                        1 => 0xFF,
                        _ => (random >> 7) as u8,
                    }
                })
                .collect();
            let mut points = Points::<I, 2>::new(0, &column, 2).expect("both kinds are there");
            let mut coder = Counting { reader: Reader::new(ReadState::new(&payload), &payload), steps: 0 };
            let mut done = 0;
            while done < most {
                let before = coder.steps;
                let head = points.unchanged(0);
                let Some((count, stored)) = points.head(&mut coder, &column, &head) else { break };
                assert!((1..=GROUP).contains(&count) && coder.steps - before <= 40);
                for _ in 0..count {
                    let (before, mut words) = (coder.steps, [Word(0); 2]);
                    match stored {
                        true => points.stored_point(&mut coder, &column, 0, &mut words),
                        false => points.point(&mut coder, &column, 0, &mut words),
                    };
                    assert!(coder.steps - before <= 100, "{} steps for a point", coder.steps - before);
                }
                done += count;
            }
        }
    }
}
