//! The pass down the columns: one row that is a weighted sum of rows.

use super::axis::Taps;
use super::pass::Pass;
use crate::strip::Strip;

/// The weighted sum of the rows that `taps` name, as it is between the passes.
#[inline(always)]
pub(super) fn weigh<T: Pass>(input: &Strip<'_>, taps: &Taps, output: &mut [T::Mid]) {
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
fn sum<T: Pass, const TAPS: usize>(input: &Strip<'_>, taps: &Taps, output: &mut [T::Mid]) {
    // Where there are fewer rows than a kernel has room for, the first one goes in again with no weight.
    let mut rows = [input.row::<T::Sample>(taps.blocks.start()); TAPS];
    let mut weights = [T::weight(0); TAPS];
    for (((row, weight), at), units) in
        rows.iter_mut().zip(&mut weights).zip(taps.blocks.iter()).zip(taps.units())
    {
        *row = input.row::<T::Sample>(at);
        *weight = T::weight(*units);
    }
    // Whole vectors first: a local array of fixed length is what the compiler keeps in registers.
    let (blocks, rest) = output.as_chunks_mut::<LANES>();
    for block in blocks {
        let Some(source) = heads(&mut rows) else { return };
        *block = T::down(source, weights);
    }
    for (at, output) in rest.iter_mut().enumerate() {
        let source = rows.map(|row| [row.get(at).copied().unwrap_or_default()]);
        let [result] = T::down::<1, TAPS>(source.each_ref(), weights);
        *output = result;
    }
}

/// Samples at a time.
const LANES: usize = 32;

/// The next samples of each row, which it then starts after.
#[inline(always)]
fn heads<'r, T, const TAPS: usize>(rows: &mut [&'r [T]; TAPS]) -> Option<[&'r [T; LANES]; TAPS]> {
    let mut heads = [rows.first()?.first_chunk::<LANES>()?; TAPS];
    for (head, row) in heads.iter_mut().zip(rows) {
        (*head, *row) = row.split_first_chunk::<LANES>()?;
    }
    Some(heads)
}
