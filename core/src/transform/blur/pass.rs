//! One direction of a blur: symmetric taps summed in pairs, six pairs at a time.
//!
//! The same loops run down the rows and across them; what differs is the arithmetic. Sums are always taken from the
//! middle outwards.

use crate::transform::lanes::cut;
use bytemuck::Pod;

/// The arithmetic of one direction.
pub trait Pass {
    /// What comes in.
    type In: Pod;
    /// A weight.
    type Weight: Pod;
    /// A sum.
    type Sum: Pod;
    /// What goes out.
    type Out: Pod;

    /// The middle tap.
    fn one(sample: Self::In, weight: Self::Weight) -> Self::Sum;
    /// Two taps of the same weight.
    fn pair(a: Self::In, b: Self::In, weight: Self::Weight) -> Self::Sum;
    /// Two sums together.
    fn plus(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    /// What a whole sum stands for: `shift` bits less, rounded to nearest.
    fn out(sum: Self::Sum, shift: u32) -> Self::Out;
    /// A weight (0.0 to 1.0) in units of 2^-`bits`.
    fn weight(weight: f64, bits: u32) -> Self::Weight;
    /// What such a weight is.
    fn value(weight: Self::Weight, bits: u32) -> f64;
}

/// The taps of one group, near ones first, left and right.
type Pairs<'a, T> = [(&'a [T], &'a [T]); GROUP];

/// Pairs that are summed in one loop: those of sigma 2 in 8 bits.
pub(super) const GROUP: usize = 6;

/// Makes `out`, one block of samples. `weights` are the middle one and then whole groups; `tap` gives the block seen
/// from so many steps to one side, and zeroes beyond the radius.
#[inline(always)]
pub(super) fn block<'a, P: Pass>(
    weights: &[P::Weight],
    shift: u32,
    tap: impl Fn(i32) -> &'a [P::In],
    sums: &mut [P::Sum],
    out: &mut [P::Out],
) where
    P::In: 'a,
{
    let Some((middle, pairs)) = weights.split_first() else { return };
    let (groups, _) = pairs.as_chunks::<GROUP>();
    let both = |at: i32| (tap(-at), tap(at));
    let six = |at: i32| [both(at), both(at + 1), both(at + 2), both(at + 3), both(at + 4), both(at + 5)];
    match groups {
        [] => alone::<P>(tap(0), *middle, shift, out),
        [group] => whole::<P>(tap(0), six(1), *middle, group, shift, out),
        _ => {
            let sums = sums.get_mut(..out.len()).unwrap_or_default();
            for (sum, sample) in sums.iter_mut().zip(tap(0)) {
                *sum = P::one(*sample, *middle);
            }
            let mut at = 1;
            for group in groups {
                add::<P>(six(at), group, sums);
                at += GROUP as i32;
            }
            for (to, sum) in out.iter_mut().zip(sums) {
                *to = P::out(*sum, shift);
            }
        }
    }
}

/// No pairs.
#[inline(always)]
fn alone<P: Pass>(samples: &[P::In], weight: P::Weight, shift: u32, out: &mut [P::Out]) {
    for (to, sample) in out.iter_mut().zip(samples) {
        *to = P::out(P::one(*sample, weight), shift);
    }
}

/// Sums what lies at one place of all pairs onto a start.
macro_rules! six_pairs {
    ($pairs:ident, $weights:ident, $n:expr, $i:ident => $start:expr, $sum:ident => $last:expr) => {
        let [(a, b), (c, d), (e, f), (g, h), (i, j), (k, l)] = $pairs;
        let [w1, w2, w3, w4, w5, w6] = *$weights;
        cut!($n; a b c d e f g h i j k l);
        for $i in 0..$n {
            let near = P::plus(P::plus($start, P::pair(a[$i], b[$i], w1)), P::pair(c[$i], d[$i], w2));
            let next = P::plus(P::plus(near, P::pair(e[$i], f[$i], w3)), P::pair(g[$i], h[$i], w4));
            let $sum = P::plus(P::plus(next, P::pair(i[$i], j[$i], w5)), P::pair(k[$i], l[$i], w6));
            $last;
        }
    };
}

/// One group: no sums are kept.
#[inline(always)]
fn whole<P: Pass>(
    middle: &[P::In],
    pairs: Pairs<'_, P::In>,
    weight: P::Weight,
    weights: &[P::Weight; GROUP],
    shift: u32,
    out: &mut [P::Out],
) {
    let n = out.len();
    cut!(n; middle);
    six_pairs!(pairs, weights, n, at => P::one(middle[at], weight), sum => out[at] = P::out(sum, shift));
}

/// One group of several.
#[inline(always)]
fn add<P: Pass>(pairs: Pairs<'_, P::In>, weights: &[P::Weight; GROUP], sums: &mut [P::Sum]) {
    let n = sums.len();
    six_pairs!(pairs, weights, n, at => sums[at], sum => sums[at] = sum);
}
