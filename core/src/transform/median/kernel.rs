//! The kernels of one block: columns are sorted, then each window takes its median from its sorted columns.

use super::network;
use super::rank::Ranked;
use crate::transform::edge::Part;
use crate::transform::lanes::{cut, taps};

// The kernels take each slice as an argument of its own: only so does the compiler know that none overlaps another.

/// Sorts the samples of each column of three rows.
#[inline(always)]
fn sort_columns3<T: Ranked>(
    [a, b, c]: [&[T]; 3],
    low: &mut [T::Rank],
    middle: &mut [T::Rank],
    high: &mut [T::Rank],
) {
    let n = low.len();
    cut!(n; a b c);
    cut!(n; mut middle high);
    for i in 0..n {
        [low[i], middle[i], high[i]] = network::sort3([a[i].rank(), b[i].rank(), c[i].rank()]);
    }
}

/// Sorts the samples of each column of five rows.
#[inline(always)]
fn sort_columns5<T: Ranked>(
    [a, b, c, d, e]: [&[T]; 5],
    lowest: &mut [T::Rank],
    low: &mut [T::Rank],
    middle: &mut [T::Rank],
    high: &mut [T::Rank],
    highest: &mut [T::Rank],
) {
    let n = lowest.len();
    cut!(n; a b c d e);
    cut!(n; mut low middle high highest);
    for i in 0..n {
        let ranks = network::sort5([
            at(a, i).rank(),
            at(b, i).rank(),
            at(c, i).rank(),
            at(d, i).rank(),
            at(e, i).rank(),
        ]);
        put(lowest, i, ranks[0]);
        put(low, i, ranks[1]);
        put(middle, i, ranks[2]);
        put(high, i, ranks[3]);
        put(highest, i, ranks[4]);
    }
}

/// The sample at `i`, which is there: with so many rows the optimiser loses sight of it in programs that are compiled
/// for size, and an index would bring a panic along.
#[inline(always)]
fn at<T: bytemuck::Pod>(row: &[T], i: usize) -> T {
    row.get(i).copied().unwrap_or(T::zeroed())
}

/// Sets the sample at `i`, which is there: see [`at`].
#[inline(always)]
fn put<T>(row: &mut [T], i: usize, value: T) {
    if let Some(to) = row.get_mut(i) {
        *to = value;
    }
}

/// The medians of windows of three sorted columns, which are `bands` samples apart.
#[inline(always)]
fn medians3<T: Ranked>(low: &[T::Rank], middle: &[T::Rank], high: &[T::Rank], bands: usize, out: &mut [T]) {
    let n = out.len();
    taps!(n, bands; low => l0 l1 l2; middle => m0 m1 m2; high => h0 h1 h2;);
    for (i, to) in out.iter_mut().enumerate().take(n) {
        *to = T::of_rank(network::median9([
            [at(l0, i), at(l1, i), at(l2, i)],
            [at(m0, i), at(m1, i), at(m2, i)],
            [at(h0, i), at(h1, i), at(h2, i)],
        ]));
    }
}

/// The medians of windows of five sorted columns, which are `bands` samples apart.
#[inline(always)]
fn medians5<T: Ranked>(
    lowest: &[T::Rank],
    low: &[T::Rank],
    middle: &[T::Rank],
    high: &[T::Rank],
    highest: &[T::Rank],
    bands: usize,
    out: &mut [T],
) {
    let n = out.len();
    taps!(n, bands;
        lowest => a0 a1 a2 a3 a4;
        low => b0 b1 b2 b3 b4;
        middle => c0 c1 c2 c3 c4;
        high => d0 d1 d2 d3 d4;
        highest => e0 e1 e2 e3 e4;
    );
    for (i, to) in out.iter_mut().enumerate().take(n) {
        *to = T::of_rank(network::median25([
            [at(a0, i), at(a1, i), at(a2, i), at(a3, i), at(a4, i)],
            [at(b0, i), at(b1, i), at(b2, i), at(b3, i), at(b4, i)],
            [at(c0, i), at(c1, i), at(c2, i), at(c3, i), at(c4, i)],
            [at(d0, i), at(d1, i), at(d2, i), at(d3, i), at(d4, i)],
            [at(e0, i), at(e1, i), at(e2, i), at(e3, i), at(e4, i)],
        ]));
    }
}

/// One block: `rows` are the input rows under it, `sorted` the rows for its sorted columns.
#[inline(always)]
pub(super) fn block<T: Ranked>(
    rows: &[&[T]],
    sorted: &mut [&mut [T::Rank]],
    part: &Part,
    bands: usize,
    out: &mut [T],
) {
    match (rows, &mut *sorted) {
        ([a, b, c], [low, middle, high]) => {
            let [x, y, z] = [low, middle, high].map(|line| part.inside(line));
            sort_columns3([a, b, c], x, y, z);
        }
        ([a, b, c, d, e], [lowest, low, middle, high, highest]) => {
            let [v, w, x, y, z] = [lowest, low, middle, high, highest].map(|line| part.inside(line));
            sort_columns5([a, b, c, d, e], v, w, x, y, z);
        }
        _ => {}
    }
    for line in sorted.iter_mut() {
        part.repeat_edges(line, bands);
    }
    match sorted {
        [low, middle, high] => medians3(low, middle, high, bands, out),
        [lowest, low, middle, high, highest] => medians5(lowest, low, middle, high, highest, bands, out),
        _ => {}
    }
}
