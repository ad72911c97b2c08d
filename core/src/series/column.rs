//! One column of values: lattice, predictors and model together.

use super::arith::prob::Prob;
use super::coder::{Coder, Residuals};
use super::lane::Lane;
use super::lattice::{Front, MOST_ULPS, Place};
use super::predict::Predict;
use super::recall::Recall;
use super::settings::Column;
use super::word::{Kind, Word};
use core::marker::PhantomData;

/// Predicts indices and codes what is left.
pub(crate) trait Indices: Copy + core::fmt::Debug {
    /// The spread of residuals of time.
    type Times: Residuals;
    /// For a column of `kind`; none where it has no such lanes.
    fn new(kind: Kind) -> Option<Self>;
    /// Forgets the last index, not how residuals are spread.
    fn restart(&mut self);
    /// Codes `index`; returns it, or what was read.
    fn code<C: Coder>(&mut self, coder: &mut C, index: i64) -> i64;
}

/// Indices in lanes of `L`, predicted by `B`.
#[derive(Clone, Copy, Debug)]
pub struct Lanes<L, B, M, R> {
    bank: B,
    started: bool,
    model: M,
    recall: R,
    lane: PhantomData<L>,
}

#[allow(private_bounds)] // The parts' traits stay inside: only the names of profiles go out.
impl<L: Lane, B: Predict<L>, M: Residuals, R: Recall<L>> Lanes<L, B, M, R> {
    fn fresh() -> Self {
        Lanes {
            bank: B::new(L::default()),
            started: false,
            model: M::NEW,
            recall: R::new(),
            lane: PhantomData,
        }
    }

    #[inline]
    fn index<C: Coder>(&mut self, coder: &mut C, index: L) -> L {
        if !self.started {
            let first = L::from_wide(coder.signed(index.wide()));
            self.bank = B::new(first);
            self.started = true;
            return first;
        }
        let forecast = self.bank.forecast();
        let expected = B::expected(&forecast);
        if M::HEARS {
            self.model.hear(self.bank.runner_up(&forecast).minus(expected));
        }
        let index = match self.recall.code(coder, index, expected) {
            Some(index) => index,
            None => expected.plus(self.model.code(coder, index.minus(expected))),
        };
        self.recall.learn(index, expected);
        self.bank.learn(&forecast, index);
        index
    }
}

impl<B: Predict<i32>, M: Residuals, R: Recall<i32>> Indices for Lanes<i32, B, M, R> {
    type Times = M::Times;

    fn new(kind: Kind) -> Option<Self> {
        (kind == Kind::I32).then(Self::fresh)
    }

    fn restart(&mut self) {
        self.started = false;
    }

    #[inline]
    fn code<C: Coder>(&mut self, coder: &mut C, index: i64) -> i64 {
        i64::from(self.index(coder, index as i32))
    }
}

/// Indices in the lanes that the kind asks for.
#[derive(Clone, Copy, Debug)]
#[allow(private_interfaces, private_bounds)] // As above.
pub enum EitherLanes<A, B, M, R, S> {
    Narrow(Lanes<i32, A, M, R>),
    Wide(Lanes<i64, B, M, S>),
}

impl<A: Predict<i32>, B: Predict<i64>, M: Residuals, R: Recall<i32>, S: Recall<i64>> Indices
    for EitherLanes<A, B, M, R, S>
{
    type Times = M::Times;

    fn new(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::I32 => EitherLanes::Narrow(Lanes::fresh()),
            _ => EitherLanes::Wide(Lanes::fresh()),
        })
    }

    fn restart(&mut self) {
        match self {
            EitherLanes::Narrow(lanes) => lanes.started = false,
            EitherLanes::Wide(lanes) => lanes.started = false,
        }
    }

    #[inline]
    fn code<C: Coder>(&mut self, coder: &mut C, index: i64) -> i64 {
        match self {
            EitherLanes::Narrow(lanes) => i64::from(lanes.index(coder, index as i32)),
            EitherLanes::Wide(lanes) => lanes.index(coder, index),
        }
    }
}

/// How far values are from the decimals they are near to.
#[derive(Clone, Copy, Debug)]
struct Corrections {
    none: [Prob; 2],
    negative: Prob,
    further: [Prob; MOST_ULPS as usize],
    last: bool,
}

impl Corrections {
    const NEW: Self = Corrections {
        none: [Prob::SELDOM, Prob::EVEN],
        negative: Prob::EVEN,
        further: [Prob::EVEN; MOST_ULPS as usize],
        last: false,
    };

    #[inline]
    fn code<C: Coder>(&mut self, coder: &mut C, ulps: i32) -> i32 {
        let none = &mut self.none[usize::from(self.last)];
        self.last = coder.bit(none, ulps != 0);
        if !self.last {
            return 0;
        }
        let negative = coder.bit(&mut self.negative, ulps < 0);
        let mut magnitude = 1;
        for further in self.further.iter_mut().take(MOST_ULPS as usize - 1) {
            if !coder.bit(further, ulps.abs() > magnitude) {
                break;
            }
            magnitude += 1;
        }
        if negative { -magnitude } else { magnitude }
    }
}

/// What a column remembers from point to point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ColumnState<I> {
    pub(crate) front: Front,
    /// Whether each value says if it is an escape or corrected.
    pub(crate) flags: bool,
    indices: I,
    corrections: Corrections,
    /// Whether a value is an escape: after one that was not, after one that was.
    escape: [Prob; 2],
    escaped: bool,
    /// Whether an escape is one of the last two: not the last; then not the one before.
    new: [Prob; 2],
    escapes: [Word; 2],
}

impl<I: Indices> ColumnState<I> {
    pub(crate) fn new(kind: Kind) -> Option<Self> {
        Some(ColumnState {
            front: Front::first(kind),
            flags: true,
            indices: I::new(kind)?,
            corrections: Corrections::NEW,
            escape: [Prob::SELDOM, Prob::EVEN],
            escaped: false,
            new: [Prob::EVEN; 2],
            escapes: [Word(0); 2],
        })
    }

    /// From here on the values are on `front`.
    pub(crate) fn change(&mut self, front: Front) {
        self.front = front;
        self.indices.restart();
    }

    /// Forgets the last index: what comes next was not coded with it.
    pub(crate) fn restart(&mut self) {
        self.indices.restart();
    }

    /// Codes one value; returns what a reader gets for it.
    #[inline]
    pub(crate) fn code<C: Coder>(&mut self, coder: &mut C, column: &Column, word: Word) -> Word {
        let fit = if C::WRITES { self.front.fit(column, word) } else { None };
        let escape = &mut self.escape[usize::from(self.escaped)];
        self.escaped = self.flags && coder.bit(escape, fit.is_none());
        if self.escaped {
            return self.escape(coder, column.kind, word);
        }
        let Place { index, ulps } = fit.unwrap_or_default();
        let index = self.indices.code(coder, index);
        let ulps = match self.front {
            Front::Decimal { .. } if self.flags => self.corrections.code(coder, ulps),
            _ => 0,
        };
        self.front.join(column.kind, index, ulps)
    }

    /// Codes a value that is not on the lattice.
    fn escape<C: Coder>(&mut self, coder: &mut C, kind: Kind, word: Word) -> Word {
        let [latest, before] = self.escapes;
        let [not_latest, not_before] = &mut self.new;
        if !coder.bit(not_latest, word != latest) {
            return latest;
        }
        let word = match coder.bit(not_before, word != before) {
            false => before,
            true => Word(coder.raw_long(word.0, kind.bits())),
        };
        self.escapes = [word, latest];
        word
    }
}
