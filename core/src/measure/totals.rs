//! Totals that do not depend on the order of what is added: 128-bit integers for integer kinds, 256-bit ones for those
//! of 64 bits, exact sums for floats. The memory under the measuring sinks.

use super::exact_sum::{self, ExactSum, WORDS};
use super::int256::{self, Int256};
use crate::budget::{Budget, Exhausted, Layout};
use crate::shape::SampleKind;

/// A number of totals.
#[derive(Debug)]
pub(super) enum Totals<'a> {
    /// Modulo 2^128: negative ones in two's complement.
    Integer(&'a mut [u128]),
    /// For samples of 64 bits, whose squares add up to more than 128 bits hold: modulo 2^256.
    Long(&'a mut [Int256]),
    /// What was added since the last [`Totals::settle`], rounded as doubles are, and the exact sums before it.
    Real(&'a mut [f64], &'a mut [ExactSum]),
}

/// What is added to a total, as the total's kind wants it.
#[derive(Clone, Copy, Debug)]
pub enum Amount {
    /// For integer kinds; negative ones in two's complement.
    Integer(u128),
    /// For integer kinds of 64 bits: low half, high half, in two's complement.
    Long([u128; 2]),
    /// For float kinds.
    Real(f64),
}

impl<'a> Totals<'a> {
    /// The leases of `n` totals after those of `layout`.
    pub(super) const fn layout(layout: Layout, kind: SampleKind, n: u64) -> Layout {
        if kind.is_float() {
            layout.with::<f64>(n).with::<i64>(n.saturating_mul(WORDS as u64))
        } else if kind.is_long() {
            layout.with::<Int256>(n)
        } else {
            layout.with::<u128>(n)
        }
    }

    /// `n` totals of zero.
    pub(super) fn new(
        kind: SampleKind,
        n: usize,
        consumer: &'static str,
        budget: &mut Budget<'a>,
    ) -> Result<Self, Exhausted> {
        let totals = if kind.is_float() {
            let recent = budget.lease::<f64>(consumer, n)?;
            let words = budget.lease::<i64>(consumer, n.saturating_mul(WORDS))?;
            recent.fill(0.0);
            words.fill(0);
            Self::Real(recent, words.as_chunks_mut().0)
        } else if kind.is_long() {
            let sums = budget.lease::<Int256>(consumer, n)?;
            sums.fill([0; 2]);
            Self::Long(sums)
        } else {
            let sums = budget.lease::<u128>(consumer, n)?;
            sums.fill(0);
            Self::Integer(sums)
        };
        Ok(totals)
    }

    /// Adds to total `index`.
    #[inline(always)]
    pub(super) fn add(&mut self, index: usize, amount: Amount) {
        match (self, amount) {
            (Self::Integer(sums), Amount::Integer(amount)) => {
                if let Some(sum) = sums.get_mut(index) {
                    *sum = sum.wrapping_add(amount);
                }
            }
            (Self::Long(sums), Amount::Long(amount)) => {
                if let Some(sum) = sums.get_mut(index) {
                    *sum = int256::plus(*sum, amount);
                }
            }
            (Self::Real(recent, _), Amount::Real(amount)) => {
                if let Some(sum) = recent.get_mut(index) {
                    *sum += amount;
                }
            }
            _ => debug_assert!(false, "an amount of the other kind"),
        }
    }

    /// Takes what was added since the last call into the exact sums. To be called at places that the image alone
    /// decides.
    pub(super) fn settle(&mut self) {
        if let Self::Real(recent, sums) = self {
            for (recent, sum) in recent.iter_mut().zip(sums.iter_mut()) {
                exact_sum::add(sum, core::mem::take(recent));
            }
        }
    }

    /// Adds each total of `other`, which must be settled and of the same kind.
    pub(super) fn merge(&mut self, other: &Totals<'_>) {
        match (self, other) {
            (Self::Integer(sums), Totals::Integer(others)) => {
                for (sum, other) in sums.iter_mut().zip(others.iter()) {
                    *sum = sum.wrapping_add(*other);
                }
            }
            (Self::Long(sums), Totals::Long(others)) => {
                for (sum, other) in sums.iter_mut().zip(others.iter()) {
                    *sum = int256::plus(*sum, *other);
                }
            }
            (Self::Real(_, sums), Totals::Real(_, others)) => {
                for (sum, other) in sums.iter_mut().zip(others.iter()) {
                    exact_sum::merge(sum, other);
                }
            }
            _ => debug_assert!(false, "totals of the other kind"),
        }
    }

    /// Total `index`: exact for integers, the nearest double for floats.
    pub(super) fn get(&self, index: usize) -> Amount {
        match self {
            Self::Integer(sums) => Amount::Integer(sums.get(index).copied().unwrap_or(0)),
            Self::Long(sums) => Amount::Long(sums.get(index).copied().unwrap_or([0; 2])),
            Self::Real(_, sums) => Amount::Real(sums.get(index).map_or(0.0, exact_sum::value)),
        }
    }
}

impl Amount {
    /// Nothing, of the kind that `kind` wants.
    pub(super) const fn zero(kind: SampleKind) -> Self {
        match kind {
            _ if kind.is_float() => Self::Real(0.0),
            _ if kind.is_long() => Self::Long([0; 2]),
            _ => Self::Integer(0),
        }
    }

    /// Both together.
    pub(super) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Self::Integer(a.wrapping_add(b)),
            (Self::Long(a), Self::Long(b)) => Self::Long(int256::plus(a, b)),
            (Self::Real(a), Self::Real(b)) => Self::Real(a + b),
            (a, _) => a,
        }
    }
}
