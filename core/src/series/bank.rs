//! The predictor bank: cheap integer predictors run side by side, and the one whose residuals have cost least of late
//! speaks. Nothing is said about the choice in the block: the decoder makes the same one.
//!
//! All of it is relative to the last index, and wraps: any indices are legal, far ones are only predicted badly.

use super::lane::{Lane, SMALL_CORE};
use super::predict::{Predict, filtered};

/// Predictors in the bank.
const COUNT: usize = 8;

/// Bits of a filter coefficient's fraction.
const WEIGHT_ONE: i32 = 1 << 20;

/// A bank whose adaptive filter looks at `ORDER` differences, and that remembers costs over some `2^MEMORY` points.
#[derive(Clone, Copy, Debug)]
pub struct Bank<L, const ORDER: usize, const MEMORY: u32 = 5> {
    last: L,
    /// Level that follows slowly, less the last index; with fraction.
    level: L,
    /// Two trackers of position and speed (alpha-beta filters), positions less the last index; with fraction.
    quick: [L; 2],
    steady: [L; 2],
    /// Mean of the last differences, with fraction.
    mean: L,
    /// The difference that was most frequent of late.
    habit: L,
    habit_count: i16,
    seen: u16,
    /// The last differences, latest first.
    differences: [L; ORDER],
    /// The filter's coefficients, in 2^-20.
    weights: [i32; ORDER],
    /// What each predictor's residuals cost of late, in 8192nds of a bit.
    costs: [u32; COUNT],
}

/// What a bank expects, and what it needs to learn from what comes.
pub(crate) struct Forecast<L, const ORDER: usize> {
    each: [L; COUNT],
    index: L,
    /// The differences, scaled to 13 bits.
    scaled: [i32; ORDER],
    shift: u32,
}

impl<L: Lane, const ORDER: usize, const MEMORY: u32> Predict<L> for Bank<L, ORDER, MEMORY> {
    type Forecast = Forecast<L, ORDER>;

    fn new(first: L) -> Self {
        let zero = L::default();
        let mut weights = [0; ORDER];
        if let Some(newest) = weights.first_mut() {
            *newest = WEIGHT_ONE / 4;
        }
        Bank {
            last: first,
            level: zero,
            quick: [zero; 2],
            steady: [zero; 2],
            mean: zero,
            habit: zero,
            habit_count: 0,
            seen: 1,
            differences: [zero; ORDER],
            weights,
            costs: [0; COUNT],
        }
    }

    #[inline]
    fn forecast(&self) -> Forecast<L, ORDER> {
        let all = self.differences.iter().fold(L::LEAST, |all, difference| all | difference.magnitude());
        let shift = L::bits_of(all).saturating_sub(12);
        let mut scaled = [0; ORDER];
        let filtered = filtered(&self.differences, &self.weights, shift, &mut scaled);
        let newest = self.differences.first().copied().unwrap_or_default();
        let last = self.last;
        let each = [
            last,
            last.plus(newest),
            last.plus(self.level.down(L::FRACTION)),
            last.plus(self.quick[0].plus(self.quick[1]).down(L::FRACTION)),
            last.plus(self.mean.down(L::FRACTION)),
            last.plus(filtered),
            last.plus(self.steady[0].plus(self.steady[1]).down(L::FRACTION)),
            last.plus(self.habit),
        ];
        let mut best = (u32::MAX, last);
        for (cost, index) in self.costs.iter().zip(&each) {
            if *cost < best.0 {
                best = (*cost, *index);
            }
        }
        Forecast { each, index: best.1, scaled, shift }
    }

    #[inline(always)]
    fn expected(forecast: &Forecast<L, ORDER>) -> L {
        forecast.index
    }

    #[inline]
    fn runner_up(&self, forecast: &Forecast<L, ORDER>) -> L {
        let mut first = (u32::MAX, forecast.index);
        let mut second = first;
        for (cost, index) in self.costs.iter().zip(&forecast.each) {
            if *cost < first.0 {
                (first, second) = ((*cost, *index), first);
            } else if *cost < second.0 {
                second = (*cost, *index);
            }
        }
        second.1
    }

    #[inline]
    fn learn(&mut self, forecast: &Forecast<L, ORDER>, index: L) {
        for (cost, each) in self.costs.iter_mut().zip(&forecast.each) {
            *cost = *cost - (*cost >> MEMORY) + (index.minus(*each).log() << (13 - MEMORY));
        }
        self.adapt(forecast, index);

        let difference = index.minus(self.last);
        if difference == self.habit {
            self.habit_count = (self.habit_count + 1).min(24);
        } else {
            self.habit_count -= 1;
            if self.habit_count < 0 {
                self.habit = difference;
                self.habit_count = 1;
            }
        }
        let mut newer = difference.within(L::MOVE_BITS);
        for each in &mut self.differences {
            core::mem::swap(each, &mut newer);
        }
        self.track(difference.within(L::MOVE_BITS).up(L::FRACTION));
        self.last = index;
    }
}

#[allow(private_bounds)] // What lanes are stays inside: only the names of profiles go out.
impl<L: Lane, const ORDER: usize, const MEMORY: u32> Bank<L, ORDER, MEMORY> {
    /// The trackers, for a `moved` with fraction.
    #[inline(always)]
    fn track(&mut self, moved: L) {
        let limit = L::TRACK_BITS;
        if self.seen == 1 {
            (self.mean, self.quick[1], self.steady[1]) = (moved, moved, moved);
            self.level = L::default().minus(moved.down(1));
            self.seen = 2;
            return;
        }
        self.level = self.level.plus(moved.minus(self.level).down(2)).minus(moved).within(limit);
        follow(&mut self.quick, moved, 1, 3, limit);
        follow(&mut self.steady, moved, 3, 7, limit);
        // Near 1/n at first, then 1/16.
        let part = match self.seen {
            ..3 => 1,
            3..6 => 2,
            6..12 => 3,
            12.. => 4,
        };
        self.mean = self.mean.plus(moved.minus(self.mean).down(part));
        self.seen = (self.seen + 1).min(16);
    }

    /// One step of the normalised least-mean-squares filter (B. Widrow, M. E. Hoff, 1960), in 32 bits.
    #[inline(always)]
    fn adapt(&mut self, forecast: &Forecast<L, ORDER>, index: L) {
        let [.., filtered, _, _] = forecast.each;
        let error = index.minus(filtered).down(forecast.shift).within(14).low();
        let mut energy = 0;
        for scaled in &forecast.scaled {
            energy += scaled * scaled;
        }
        // A few differences that are small altogether say little: the constant keeps them quiet.
        let gain = ratio(error << 14, (energy >> 6) + 1).clamp(-(1 << 17), 1 << 17);
        for (weight, scaled) in self.weights.iter_mut().zip(&forecast.scaled) {
            *weight = (*weight + ((gain * scaled) << 1)).clamp(-2 * WEIGHT_ONE, 2 * WEIGHT_ONE);
        }
    }
}

/// `number / by`, the fraction cut off, then in 256ths rounded down; `number` is within 2^28 and `by` within 2^23 + 1.
#[inline(always)]
fn ratio(number: i32, by: i32) -> i32 {
    if !SMALL_CORE || cfg!(target_arch = "riscv32") {
        return (number / by.max(1)) >> 8;
    }
    by_halves(number, by.max(1) as u32)
}

/// The same bit by bit, for cores that do not divide: only the bits that are left after the shift.
#[inline(always)]
fn by_halves(number: i32, by: u32) -> i32 {
    // A negative quotient is cut off towards 0 first and rounded down then.
    let mut left = number.unsigned_abs();
    if number < 0 {
        left += by * 255;
    }
    let (mut step, mut bit, mut quotient) = (by << 8, 1_u32, 0);
    while step <= left >> 1 {
        (step, bit) = (step << 1, bit << 1);
    }
    while bit > 0 {
        if left >= step {
            (left, quotient) = (left - step, quotient | bit);
        }
        (step, bit) = (step >> 1, bit >> 1);
    }
    if number < 0 { -(quotient as i32) } else { quotient as i32 }
}

/// One step of an alpha-beta filter with gains of 2^-alpha and 2^-beta.
#[inline(always)]
fn follow<L: Lane>(tracker: &mut [L; 2], moved: L, alpha: u32, beta: u32, limit: u32) {
    let [position, speed] = *tracker;
    let expected = position.plus(speed);
    let error = moved.minus(expected);
    *tracker = [
        expected.plus(error.down(alpha)).minus(moved).within(limit),
        speed.plus(error.down(beta)).within(limit),
    ];
}

#[cfg(test)]
mod tests {
    use super::by_halves;

    #[test]
    fn bit_by_bit_is_as_at_once() {
        let ends = [0, 1, 2, 255, 256, 257, 65_535, 1 << 20, (1 << 23) - 1];
        let tops = [0, 1, 255, 256, 16_384, 1 << 14, 3 << 14, 77 << 14, (1 << 28) - (1 << 14), 1 << 28];
        let mut random = 1_u32;
        let seeds = if cfg!(miri) { 100 } else { 200_000 };
        let randoms = (0..seeds).map(|_| {
            random = random.wrapping_mul(0x9E37_79B9).wrapping_add(0x7F4A_7C15).rotate_left(11);
            ((random >> 4) as i32 >> (random & 15), (random.rotate_left(16) >> 9) >> (random >> 4 & 15))
        });
        let corners = tops.into_iter().flat_map(|top| ends.map(|end| (top, end)));
        for (number, by) in corners.chain(randoms) {
            for number in [number, -number] {
                assert_eq!(
                    by_halves(number, by + 1),
                    (number / (by + 1) as i32) >> 8,
                    "{number} / {}",
                    by + 1
                );
            }
        }
    }
}
