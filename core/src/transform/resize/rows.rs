//! The pass down the columns: one row that is a weighted sum of rows.

use super::arith::Scale;
use super::axis::Taps;
use crate::strip::Strip;

/// The weighted sum of the rows that `taps` name, as it is between the passes.
#[inline(always)]
pub(super) fn weigh<T: Scale>(input: &Strip<'_>, taps: &Taps, output: &mut [T::Mid]) {
    match taps.units().len() {
        0..=2 => sum::<T, 2>(input, taps, output),
        3 => sum::<T, 3>(input, taps, output),
        4 => sum::<T, 4>(input, taps, output),
        5..=6 => sum::<T, 6>(input, taps, output),
        7..=8 => sum::<T, 8>(input, taps, output),
        9..=10 => sum::<T, 10>(input, taps, output),
        _ => sum::<T, 13>(input, taps, output),
    }
}

/// At most this many rows count for one output row: Lanczos3 that halves a picture.
pub(super) const MAX_ROWS: u32 = 13;

#[inline(always)]
fn sum<T: Scale, const TAPS: usize>(input: &Strip<'_>, taps: &Taps, output: &mut [T::Mid]) {
    // Where there are fewer rows than a kernel has room for, the first one goes in again with no weight.
    let mut rows = [input.row::<T>(taps.blocks.start()); TAPS];
    let mut weights = [T::weight(0); TAPS];
    for (((row, weight), at), units) in rows.iter_mut().zip(&mut weights).zip(taps.blocks.iter()).zip(taps.units()) {
        *row = input.row::<T>(at);
        *weight = T::weight(*units);
    }
    let len = output.len();
    for row in &mut rows {
        *row = row.get(..len).unwrap_or_default();
    }
    if rows.iter().all(|row| row.len() == len) {
        loop_over::<T, TAPS>(rows, weights, output);
    }
}

/// A function of its own: the compiler vectorises loops over slices that are arguments.
#[inline(always)]
fn loop_over<T: Scale, const TAPS: usize>(rows: [&[T]; TAPS], weights: [T::Weight; TAPS], output: &mut [T::Mid]) {
    let len = output.len();
    for at in 0..len {
        let mut sum = T::Sum::default();
        for tap in 0..TAPS {
            let Some(sample) = rows[tap].get(at) else { return };
            sum = T::add_sample(sum, *sample, weights[tap]);
        }
        output[at] = T::mid_of_samples(sum);
    }
}
