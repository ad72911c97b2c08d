//! The time column: whole units from one timestamp to the next, foreseen from the beat they keep.

use super::arith::prob::Prob;
use super::choose::greatest_common_divisor;
use super::coder::{Coder, Residuals};
use super::lane::Lane;

/// Fraction bits of means.
const FRACTION: u32 = 8;

/// The most that a habit counts.
const MOST_HABIT: i16 = 24;

/// What the time column remembers from point to point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beat<M> {
    /// The last timestamp.
    pub(crate) last: i64,
    pub(crate) unit: u64,
    /// The last difference, in units.
    difference: i64,
    /// The same in the timestamps' own unit: mostly the next one is as long, and small cores multiply and divide slowly.
    step: i64,
    /// The difference that was most frequent of late.
    habit: i64,
    /// Mean difference, and the time that an even beat would show, less the last; with fraction.
    mean: i64,
    phase: i64,
    /// What each of the four predictors' residuals cost of late.
    costs: [u32; 4],
    habit_count: i16,
    seen: u8,
    escaped: bool,
    pace: Pace,
    /// Whether a difference is no multiple of the unit: after one that was, after one that was not.
    escape: [Prob; 2],
    model: M,
}

/// What the last difference, if it comes again, would change. Only work is saved by knowing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// Anything.
    Unknown,
    /// All predictors expect it and learn nothing more from it: their costs become less.
    Calm,
    /// It is expected, and not even the costs change.
    Still,
}

impl<M: Residuals> Beat<M> {
    pub(crate) fn new(first: i64) -> Self {
        Beat {
            last: first,
            unit: 1,
            difference: 0,
            step: 0,
            habit: 0,
            mean: 0,
            phase: 0,
            costs: [0; 4],
            habit_count: 0,
            seen: 0,
            escaped: false,
            pace: Pace::Unknown,
            escape: [Prob::SELDOM, Prob::EVEN],
            model: M::NEW,
        }
    }

    /// From here on differences are counted in `unit`s.
    pub(crate) fn change(&mut self, unit: u64) {
        let fresh = Beat::new(self.last);
        *self = Beat { unit: unit.max(1), model: self.model, ..fresh };
    }

    /// Codes one timestamp; returns it, or what was read.
    #[inline]
    pub(crate) fn code<C: Coder>(&mut self, coder: &mut C, time: i64) -> i64 {
        let (difference, whole) = if C::WRITES { self.units_to(time) } else { (0, true) };
        if self.unit > 1 {
            let escape = &mut self.escape[usize::from(self.escaped)];
            self.escaped = coder.bit(escape, !whole);
            if self.escaped {
                let away = coder.signed(time.wrapping_sub(self.last));
                self.last = self.last.wrapping_add(away);
                return self.last;
            }
        }
        let expected = if self.pace == Pace::Unknown { self.expected() } else { self.difference };
        let residual = self.model.code(coder, difference.wrapping_sub(expected));
        if residual == 0 && self.pace != Pace::Unknown {
            if self.pace == Pace::Calm {
                for cost in &mut self.costs {
                    *cost -= *cost >> 4;
                }
            }
            self.last = self.last.wrapping_add(self.step);
            return self.last;
        }
        let difference = expected.wrapping_add(residual);
        if difference != self.difference {
            self.step = difference.wrapping_mul(self.unit as i64);
        }
        self.learn(difference, residual == 0);
        self.last = self.last.wrapping_add(self.step);
        self.last
    }

    /// Whole units from the last timestamp to `time`, and whether that is all.
    #[inline(always)]
    fn units_to(&self, time: i64) -> (i64, bool) {
        if self.unit == 1 {
            return (time.wrapping_sub(self.last), true);
        }
        let Some(away) = time.checked_sub(self.last) else { return (0, false) };
        if away == self.step {
            return (self.difference, true);
        }
        // Mostly the difference is small: small cores divide 32 bits much faster than 64.
        if let (Ok(away), Ok(unit)) = (u32::try_from(away), u32::try_from(self.unit)) {
            let unit = unit.max(1);
            return (i64::from(away / unit), away % unit == 0);
        }
        let unit = (self.unit as i64).max(1);
        (away / unit, away % unit == 0)
    }

    /// What each predictor expects.
    #[inline(always)]
    fn each(&self) -> [i64; 4] {
        [self.difference, self.habit, self.mean >> FRACTION, self.mean.wrapping_add(self.phase) >> FRACTION]
    }

    /// What the one expects that was best of late.
    #[inline(always)]
    fn expected(&self) -> i64 {
        let mut best = (u32::MAX, 0);
        for (cost, expected) in self.costs.iter().zip(self.each()) {
            if *cost < best.0 {
                best = (*cost, expected);
            }
        }
        best.1
    }

    #[inline(always)]
    fn learn(&mut self, difference: i64, foreseen: bool) {
        // Whether nothing changes: then nothing does either when the same comes again, and it is foreseen again.
        let mut still = foreseen && difference == self.difference && self.seen == 8;
        let each = self.each();
        for (cost, expected) in self.costs.iter_mut().zip(each) {
            let next = *cost - (*cost >> 4) + (difference.wrapping_sub(expected).log() << 8);
            still &= next == *cost;
            *cost = next;
        }
        if difference == self.habit {
            still &= self.habit_count == MOST_HABIT;
            self.habit_count = (self.habit_count + 1).min(MOST_HABIT);
        } else {
            still = false;
            self.habit_count -= 1;
            if self.habit_count < 0 {
                (self.habit, self.habit_count) = (difference, 1);
            }
        }
        (self.difference, self.pace) = (difference, Pace::Unknown);
        let moved = difference.within(i64::MOVE_BITS) << FRACTION;
        if self.seen == 0 {
            (self.mean, self.seen) = (moved, 1);
            return;
        }
        // An alpha-beta filter: how far the beat is from its even time, and how long it is.
        let error = moved - self.mean - self.phase;
        let (alpha, beta) = if self.seen < 8 { (1, 2) } else { (3, 6) };
        self.seen = (self.seen + 1).min(8);
        if error == 0 {
            self.phase = 0;
            let habit = (self.habit, self.habit_count) == (difference, MOST_HABIT);
            let mean = self.mean == moved && self.mean >> FRACTION == difference;
            if self.seen == 8 && habit && mean {
                self.pace = Pace::Calm;
            }
            return;
        }
        let phase = (self.mean + self.phase + (error >> alpha) - moved).within(i64::TRACK_BITS);
        let mean = (self.mean + (error >> beta)).within(i64::TRACK_BITS);
        if still && (phase, mean) == (self.phase, self.mean) {
            self.pace = Pace::Still;
        }
        (self.phase, self.mean) = (phase, mean);
    }
}

/// The largest unit that all `times`, counted from `last`, are whole multiples of, or the `now`ed one if it does. Of
/// differences that are all the same, one is enough.
pub(crate) fn unit_of<I: Iterator<Item = i64> + Clone>(now: u64, started: bool, last: i64, times: I) -> u64 {
    let (mut unit, mut breaks, mut count, mut before) = (0, 0_u32, 0_u32, last);
    let (mut same, mut broken) = (0, 0);
    for time in times {
        let away = time.abs_diff(before);
        // Mostly it is the one before again, and dividing is slow.
        if away != same {
            same = away;
            unit = if unit == 0 { away } else { greatest_common_divisor(unit, away) };
            broken = u32::from(now > 1 && away != now && away % now != 0);
        }
        breaks += broken;
        count += 1;
        before = time;
    }
    // A few breaks cost less than counting everything in smaller units.
    if started && (now > 1 || unit <= 1) && breaks * 8 <= count {
        return now;
    }
    if unit == 0 || unit > i64::MAX as u64 { now } else { unit }
}
