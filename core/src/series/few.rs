//! A bank for small cores: six cheap predictors, judged by how far they were off of late, without logarithms, divisions
//! or anything that must be kept within bounds. All of it wraps.

use super::lane::Lane;
use super::predict::{Predict, filtered};
use super::straight::straight;

/// Predictors in the bank.
const COUNT: usize = 6;

/// Differences that the adaptive filter looks at.
const ORDER: usize = 4;

/// Where the filter's coefficients start: 2^18 of 2^20.
const FIRST_WEIGHT: i32 = 1 << 18;

/// The bank.
#[derive(Clone, Copy, Debug)]
pub struct Few<L> {
    last: L,
    /// Level that follows slowly, less the last index; with fraction.
    level: L,
    /// Two trackers of position and speed (alpha-beta filters), positions less the last index; with fraction.
    quick: [L; 2],
    steady: [L; 2],
    /// The last differences, latest first.
    differences: [L; ORDER],
    /// The filter's coefficients, in 2^-20.
    weights: [i32; ORDER],
    /// How far each predictor was off of late: 32 times the mean.
    costs: [L; COUNT],
    seen: bool,
}

/// What the bank expects.
pub(crate) struct Forecast<L> {
    each: [L; COUNT],
    index: L,
    /// The differences, scaled to 13 bits.
    scaled: [i32; ORDER],
}

impl<L: Lane> Predict<L> for Few<L> {
    type Forecast = Forecast<L>;

    fn new(first: L) -> Self {
        let zero = L::default();
        Few {
            last: first,
            level: zero,
            quick: [zero; 2],
            steady: [zero; 2],
            differences: [zero; ORDER],
            weights: [FIRST_WEIGHT, 0, 0, 0],
            costs: [zero; COUNT],
            seen: false,
        }
    }

    // Of their own, this and learning, where registers are few.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn forecast(&self) -> Forecast<L> {
        let [newest, second, third, fourth] = self.differences;
        let all = newest.magnitude() | second.magnitude() | third.magnitude() | fourth.magnitude();
        let shift = L::bits_of(all).saturating_sub(12);
        let mut scaled = [0; ORDER];
        let filtered = filtered(&self.differences, &self.weights, shift, &mut scaled);
        let last = self.last;
        let each = [
            last,
            last.plus(newest),
            last.plus(self.level.down(L::FRACTION)),
            last.plus(self.quick[0].plus(self.quick[1]).down(L::FRACTION)),
            last.plus(self.steady[0].plus(self.steady[1]).down(L::FRACTION)),
            last.plus(filtered),
        ];
        let mut best = (self.costs[0], last);
        straight!([1, 2, 3, 4, 5] => at => if self.costs[at] < best.0 {
            best = (self.costs[at], each[at]);
        });
        Forecast { each, index: best.1, scaled }
    }

    #[inline(always)]
    fn expected(forecast: &Forecast<L>) -> L {
        forecast.index
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn learn(&mut self, forecast: &Forecast<L>, index: L) {
        straight!([0, 1, 2, 3, 4, 5] => at => {
            let cost = self.costs[at];
            self.costs[at] = cost.minus(cost.down(5)).plus(index.minus(forecast.each[at]).distance());
        });
        // One step of the sign-error least-mean-squares filter (A. Gersho, 1984): the error says only which way.
        let [.., filtered] = forecast.each;
        let error = index.minus(filtered);
        if error != L::default() {
            let turn = if error < L::default() { -1 } else { 0 };
            straight!([0, 1, 2, 3] => at => {
                let by = ((forecast.scaled[at] ^ turn) - turn).wrapping_mul(4);
                self.weights[at] = self.weights[at].wrapping_add(by);
            });
        }
        let difference = index.minus(self.last).within(L::MOVE_BITS);
        let [newest, second, third, _] = self.differences;
        self.differences = [difference, newest, second, third];
        self.last = index;
        let moved = difference.up(L::FRACTION);
        if !self.seen {
            (self.quick[1], self.steady[1], self.seen) = (moved, moved, true);
            self.level = L::default().minus(moved.down(1));
            return;
        }
        self.level = self.level.plus(moved.minus(self.level).down(2)).minus(moved);
        follow(&mut self.quick, moved, 1, 3);
        follow(&mut self.steady, moved, 3, 7);
    }
}

/// One step of an alpha-beta filter with gains of 2^-alpha and 2^-beta.
#[inline(always)]
fn follow<L: Lane>(tracker: &mut [L; 2], moved: L, alpha: u32, beta: u32) {
    let [position, speed] = *tracker;
    let expected = position.plus(speed);
    let error = moved.minus(expected);
    *tracker = [error.down(alpha).minus(error), speed.plus(error.down(beta))];
}
