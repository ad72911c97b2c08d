//! Medians by exchanges of smaller and larger alone: no branches, so whole vectors go through at once.
//!
//! The method is the one of A. Paeth, "Median finding on a 3 x 3 grid" (Graphics Gems, 1990) and J. Smith,
//! "Implementing median filters in XC4000E FPGAs" (1996): sort each column, then each row of the sorted columns; the
//! columns stay sorted, and what has too many samples above or below it cannot be the median. Sorted columns are
//! shared by neighbouring windows, so each is sorted once for a row of output. What the compiler finds unused of a
//! sort it drops.

/// A value with a smaller and a larger one of two.
pub(super) trait Ordered: Copy {
    /// The smaller.
    fn low(self, other: Self) -> Self;
    /// The larger.
    fn high(self, other: Self) -> Self;
}

impl<T: Ord + Copy> Ordered for T {
    #[inline(always)]
    fn low(self, other: Self) -> Self {
        if other < self { other } else { self }
    }
    #[inline(always)]
    fn high(self, other: Self) -> Self {
        if other < self { self } else { other }
    }
}

#[inline(always)]
fn exchange<T: Ordered>(a: T, b: T) -> (T, T) {
    (a.low(b), a.high(b))
}

/// Three in order.
#[inline(always)]
pub(super) fn sort3<T: Ordered>([a, b, c]: [T; 3]) -> [T; 3] {
    let (a, b) = exchange(a, b);
    let (b, c) = exchange(b, c);
    let (a, b) = exchange(a, b);
    [a, b, c]
}

/// Five in order, by nine exchanges.
#[inline(always)]
pub(super) fn sort5<T: Ordered>([a, b, c, d, e]: [T; 5]) -> [T; 5] {
    let (a, b) = exchange(a, b);
    let (d, e) = exchange(d, e);
    let (c, e) = exchange(c, e);
    let (c, d) = exchange(c, d);
    let (a, d) = exchange(a, d);
    let (b, e) = exchange(b, e);
    let (a, c) = exchange(a, c);
    let (b, d) = exchange(b, d);
    let (b, c) = exchange(b, c);
    [a, b, c, d, e]
}

/// The median of nine from three sorted columns: `rows[0]` are the smallest of each column.
#[inline(always)]
pub(super) fn median9<T: Ordered>([low, middle, high]: [[T; 3]; 3]) -> T {
    let [_, _, a] = sort3(low);
    let [_, b, _] = sort3(middle);
    let [c, _, _] = sort3(high);
    let [_, median, _] = sort3([a, b, c]);
    median
}

/// The median of 25 from five sorted columns: `rows[0]` are the smallest of each column.
///
/// With rows and columns in order, the sample in row `r` and column `c` has `(r + 1)(c + 1) - 1` others that are not
/// larger, and `(5 - r)(5 - c) - 1` that are not smaller. Where either is above 12 it is out: thirteen remain on the
/// three diagonals from top right to bottom left. Of the four on the upper one all but the largest have seven that are
/// not smaller, of the lower one likewise: again as many go above as below, and the median of the seven is left.
#[inline(always)]
pub(super) fn median25<T: Ordered>([a, b, c, d, e]: [[T; 5]; 5]) -> T {
    // Not `map`: that need not be inlined.
    let [[_, _, _, a0, b0], [_, _, a1, b1, c0], [_, a2, b2, c1, _], [a3, b3, c2, _, _], [b4, c3, _, _, _]] =
        [sort5(a), sort5(b), sort5(c), sort5(d), sort5(e)];
    let below = a0.high(a1).high(a2.high(a3));
    let above = c0.low(c1).low(c2.low(c3));
    let [_, second, third, fourth, _] = sort5([b0, b1, b2, b3, b4]);
    // The fourth of five in order and two more: either it is the fourth of the five, or one or both push it back.
    let (lower, upper) = exchange(below, above);
    fourth.low(third.high(lower)).low(second.high(upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    // An exchange of smaller and larger commutes with every rising function, so a network that is right for all
    // zeroes and ones is right for all values (Knuth, The Art of Computer Programming 3, 5.3.4, theorem Z).

    #[test]
    fn sorts_are_right_for_all_zeroes_and_ones() {
        for bits in 0u8..32 {
            let values: [u8; 5] = core::array::from_fn(|at| bits >> at & 1);
            let mut wanted = values;
            wanted.sort();
            assert_eq!(sort5(values), wanted);
            let [a, b, c, ..] = values;
            let mut wanted = [a, b, c];
            wanted.sort();
            assert_eq!(sort3([a, b, c]), wanted);
        }
    }

    /// Rows of sorted columns of which each has so many ones.
    fn columns<const N: usize>(ones: [usize; N]) -> [[u8; N]; N] {
        core::array::from_fn(|row| ones.map(|ones| u8::from(row + ones >= N)))
    }

    #[test]
    fn medians_are_right_for_all_zeroes_and_ones() {
        for pattern in (0..6usize.pow(5)).step_by(if cfg!(miri) { 101 } else { 1 }) {
            let ones: [usize; 5] = core::array::from_fn(|at| pattern / 6usize.pow(at as u32) % 6);
            assert_eq!(median25(columns(ones)), u8::from(ones.iter().sum::<usize>() >= 13), "{ones:?}");
        }
        for pattern in 0..4usize.pow(3) {
            let ones: [usize; 3] = core::array::from_fn(|at| pattern / 4usize.pow(at as u32) % 4);
            assert_eq!(median9(columns(ones)), u8::from(ones.iter().sum::<usize>() >= 5), "{ones:?}");
        }
    }
}
