//! One direction of a blur: symmetric taps summed in pairs, six pairs at a time.
//!
//! The same loops run down the rows and across them; what differs is the arithmetic. Sums are always taken from the
//! middle outwards.

use crate::transform::lanes::cut;
use bytemuck::Pod;

/// The units of one direction in fixed point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scale {
    /// Weights are in units of 2^-`bits`.
    pub bits: u32,
    /// Bits by which sums are too long, or samples too short.
    pub shift: u32,
    /// What is added to a sum before it is cut.
    pub half: u64,
}

impl Scale {
    /// Sums too long by `shift` bits (at least 1), to be rounded to nearest, halves upwards.
    pub(super) fn nearest(bits: u32, shift: u32) -> Self {
        Self { bits, shift, half: 1 << (shift - 1) }
    }
}

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
    fn one(sample: Self::In, weight: Self::Weight, scale: Scale) -> Self::Sum;
    /// Two taps of the same weight.
    fn pair(a: Self::In, b: Self::In, weight: Self::Weight, scale: Scale) -> Self::Sum;
    /// Two sums together.
    fn plus(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    /// What a whole sum stands for, rounded to nearest.
    fn out(sum: Self::Sum, scale: Scale) -> Self::Out;
    /// A weight (0.0 to 1.0) in units of 2^-`bits`.
    fn weight(weight: f64, bits: u32) -> Self::Weight;
    /// What such a weight is.
    fn value(weight: Self::Weight, bits: u32) -> f64;
}

/// The taps of one group, near ones first, left and right.
type Pairs<'a, T> = [(&'a [T], &'a [T]); GROUP];

/// Pairs that are summed in one loop: those of sigma 2 in 8 bits.
pub(super) const GROUP: usize = 6;

/// Samples that are summed with one copy of a group's weights: few where memory is small and no register is wide.
pub(super) const LANES: usize = if cfg!(target_os = "none") { 32 } else { 512 };

/// Weights of one group, the middle one first, as [`few`] wants them: each of them [`LANES`] times.
pub(super) const FEW: usize = (1 + GROUP) * LANES;

/// The pairs from `at` steps on.
#[inline(always)]
fn six<'a, T>(tap: &impl Fn(i32) -> &'a [T], at: i32) -> Pairs<'a, T> {
    let both = |at: i32| (tap(-at), tap(at));
    [both(at), both(at + 1), both(at + 2), both(at + 3), both(at + 4), both(at + 5)]
}

/// Makes `out`, one block of samples. `weights` are the middle one and then whole groups; `tap` gives the block
/// seen from so many steps to one side, and zeroes beyond the radius.
#[inline(always)]
pub(super) fn block<'a, P: Pass>(
    weights: &[P::Weight],
    scale: Scale,
    tap: impl Fn(i32) -> &'a [P::In],
    sums: &mut [P::Sum],
    out: &mut [P::Out],
) where
    P::In: 'a,
{
    let Some((middle, pairs)) = weights.split_first() else { return };
    let (groups, _) = pairs.as_chunks::<GROUP>();
    match groups {
        [] => alone::<P>(tap(0), *middle, scale, out),
        [group] => whole::<P>(tap(0), six(&tap, 1), *middle, group, scale, out),
        _ => {
            let sums = sums.get_mut(..out.len()).unwrap_or_default();
            for (sum, sample) in sums.iter_mut().zip(tap(0)) {
                *sum = P::one(*sample, *middle, scale);
            }
            let mut at = 1;
            for group in groups {
                add::<P>(six(&tap, at), group, scale, sums);
                at += GROUP as i32;
            }
            for (to, sum) in out.iter_mut().zip(sums) {
                *to = P::out(*sum, scale);
            }
        }
    }
}

/// Makes `out` with one group, whose `weights` are [`FEW`]; `sums` are at least [`LANES`], or as many as `out`.
#[inline(always)]
pub(super) fn few<'a, P: Pass>(
    weights: &[P::Weight],
    scale: Scale,
    tap: impl Fn(i32) -> &'a [P::In],
    sums: &mut [P::Sum],
    out: &mut [P::Out],
) where
    P::In: 'a,
{
    let (weights, _) = weights.as_chunks::<LANES>();
    let Some([middle, near @ .., w4, w5, w6]) = weights.first_chunk::<{ 1 + GROUP }>() else { return };
    let here = tap(0);
    let [near_pairs @ .., d, e, f] = six(&tap, 1);
    let mut start = 0;
    for out in out.chunks_mut(LANES) {
        let Some(sums) = sums.get_mut(..out.len()) else { return };
        near_half::<P>(here, near_pairs, middle, near, scale, start, sums);
        far_half::<P>([d, e, f], [w4, w5, w6], scale, start, sums, out);
        start += LANES;
    }
}

/// No pairs.
#[inline(always)]
fn alone<P: Pass>(samples: &[P::In], weight: P::Weight, scale: Scale, out: &mut [P::Out]) {
    for (to, sample) in out.iter_mut().zip(samples) {
        *to = P::out(P::one(*sample, weight, scale), scale);
    }
}

/// Sums what lies at one place of all pairs onto a start.
macro_rules! six_pairs {
    ($pairs:ident, $weights:ident, $scale:ident, $n:expr, $i:ident => $start:expr, $sum:ident => $last:expr) => {
        let [(a, b), (c, d), (e, f), (g, h), (i, j), (k, l)] = $pairs;
        let [w1, w2, w3, w4, w5, w6] = *$weights;
        cut!($n; a b c d e f g h i j k l);
        let pair = |a, b, weight| P::pair(a, b, weight, $scale);
        for $i in 0..$n {
            let near = P::plus(P::plus($start, pair(a[$i], b[$i], w1)), pair(c[$i], d[$i], w2));
            let next = P::plus(P::plus(near, pair(e[$i], f[$i], w3)), pair(g[$i], h[$i], w4));
            let $sum = P::plus(P::plus(next, pair(i[$i], j[$i], w5)), pair(k[$i], l[$i], w6));
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
    scale: Scale,
    out: &mut [P::Out],
) {
    let n = out.len();
    cut!(n; middle);
    six_pairs!(pairs, weights, scale, n, at => P::one(middle[at], weight, scale), sum => out[at] = P::out(sum, scale));
}

/// One group of several.
#[inline(always)]
fn add<P: Pass>(pairs: Pairs<'_, P::In>, weights: &[P::Weight; GROUP], scale: Scale, sums: &mut [P::Sum]) {
    let n = sums.len();
    six_pairs!(pairs, weights, scale, n, at => sums[at], sum => sums[at] = sum);
}

/// Half of the pairs of one group.
type Half<'a, T> = [(&'a [T], &'a [T]); GROUP / 2];

/// The same weight in many lanes.
type Lanes<P> = [<P as Pass>::Weight; LANES];

/// Cuts slices to `$n` samples from `$start` on, under their own names; leaves the function if one is too short.
macro_rules! part {
    ($start:expr, $n:expr; $($slice:ident)+) => {$(
        let Some($slice) = $slice.get($start..).and_then(|slice| slice.get(..$n)) else { return };
    )+};
}

/// The middle tap and the near half of the pairs of at most [`LANES`] samples.
///
/// The weights lie in lanes so that the loop reads them like samples. Of one that stays the same it would only know
/// its widened form, and then multiplies in the width of the product instead of in 16 bits. All thirteen taps in one
/// loop are more addresses than there are registers.
#[inline(always)]
fn near_half<P: Pass>(
    middle: &[P::In],
    pairs: Half<'_, P::In>,
    weight: &Lanes<P>,
    weights: &[Lanes<P>; 3],
    scale: Scale,
    start: usize,
    sums: &mut [P::Sum],
) {
    let n = sums.len();
    if n > LANES {
        return;
    }
    let [(a, b), (c, d), (e, f)] = pairs;
    let [w1, w2, w3] = weights;
    part!(start, n; middle a b c d e f);
    for i in 0..n {
        let near = P::plus(P::one(middle[i], weight[i], scale), P::pair(a[i], b[i], w1[i], scale));
        let next = P::plus(near, P::pair(c[i], d[i], w2[i], scale));
        sums[i] = P::plus(next, P::pair(e[i], f[i], w3[i], scale));
    }
}

/// The far half of the pairs, onto `sums`.
#[inline(always)]
fn far_half<P: Pass>(
    pairs: Half<'_, P::In>,
    weights: [&Lanes<P>; 3],
    scale: Scale,
    start: usize,
    sums: &[P::Sum],
    out: &mut [P::Out],
) {
    let n = out.len();
    if n > LANES {
        return;
    }
    let [(a, b), (c, d), (e, f)] = pairs;
    let [w1, w2, w3] = weights;
    cut!(n; sums);
    part!(start, n; a b c d e f);
    for i in 0..n {
        let near = P::plus(sums[i], P::pair(a[i], b[i], w1[i], scale));
        let next = P::plus(near, P::pair(c[i], d[i], w2[i], scale));
        out[i] = P::out(P::plus(next, P::pair(e[i], f[i], w3[i], scale)), scale);
    }
}
