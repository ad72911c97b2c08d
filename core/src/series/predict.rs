//! What predicts the indices of a column.

use super::lane::Lane;
use super::straight::straight;

/// The sum of `differences` by `weights` in 2^-20; `scaled` are the differences in 13 bits, `shift` ones left out.
#[inline(always)]
pub(crate) fn filtered<L: Lane, const ORDER: usize>(
    differences: &[L; ORDER],
    weights: &[i32; ORDER],
    shift: u32,
    scaled: &mut [i32; ORDER],
) -> L {
    let mut sum = 0_i32;
    let mut one = |scaled: &mut i32, difference: &L, weight: &i32| {
        *scaled = difference.down(shift).low();
        sum = sum.wrapping_add(scaled.wrapping_mul(weight >> 7));
    };
    let (fours, rest) = scaled.as_chunks_mut::<4>();
    let (difference_fours, difference_rest) = differences.as_chunks::<4>();
    let (weight_fours, weight_rest) = weights.as_chunks::<4>();
    for ((scaled, differences), weights) in fours.iter_mut().zip(difference_fours).zip(weight_fours) {
        straight!([0, 1, 2, 3] => at => one(&mut scaled[at], &differences[at], &weights[at]));
    }
    for ((scaled, difference), weight) in rest.iter_mut().zip(difference_rest).zip(weight_rest) {
        one(scaled, difference, weight);
    }
    match shift {
        0..13 => L::from_i32(sum >> (13 - shift)),
        _ => L::from_i32(sum).up((shift - 13).min(L::BITS - 1)),
    }
}

/// Expects the next index and learns from the one that came. Any indices are legal: sums of them wrap.
pub(crate) trait Predict<L: Lane>: Copy + core::fmt::Debug {
    /// What is expected, and what is needed to learn from what comes.
    type Forecast;
    /// After a first index.
    fn new(first: L) -> Self;
    /// What comes next.
    fn forecast(&self) -> Self::Forecast;
    /// The index that is expected.
    fn expected(forecast: &Self::Forecast) -> L;
    /// What the second best expects, for those who want to know; the best where nobody does.
    fn runner_up(&self, forecast: &Self::Forecast) -> L {
        Self::expected(forecast)
    }
    /// Learns that `index` came where `forecast` was made.
    fn learn(&mut self, forecast: &Self::Forecast, index: L);
}
