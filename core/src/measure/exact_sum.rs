//! Exact sums of doubles: whatever the order of the additions, the same bits.
//!
//! A sum is a fixed-point number wide enough for every double there is (Kulisch and Miranker 1981; the small
//! superaccumulator of Neal 2015, "Fast exact summation using small and large superaccumulators"): limbs of 32 bits
//! in words of 64, so that carries wait. Invariant: with the carries settled, every limb but the last is in
//! `0..2^32`, and so each value has one form only.

/// Words of one sum: 560 bytes.
pub(super) const WORDS: usize = LIMBS + 2;

/// From 2^-1074, the smallest double, to 2^1088 and a sign: room for 2^64 additions of the largest.
const LIMBS: usize = 68;

/// So many additions may wait for their carries: of two such sums a limb of the total still fits.
const MOST_WAITING: i64 = 1 << 29;

/// A plus infinity was added (a NaN counts as both infinities).
const PLUS_INFINITY: i64 = 1;
/// A minus infinity was added.
const MINUS_INFINITY: i64 = 2;

/// One sum, as it lies in leased memory: limbs from the lowest, additions since the last carry, infinities seen. All
/// zeroes is zero.
pub(super) type ExactSum = [i64; WORDS];

/// Adds `x`, exactly.
pub(super) fn add(sum: &mut ExactSum, x: f64) {
    let [limbs @ .., waiting, infinities] = sum;
    let bits = x.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as u32;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0x7ff {
        *infinities |= match (fraction, x > 0.0) {
            (0, true) => PLUS_INFINITY,
            (0, false) => MINUS_INFINITY,
            _ => PLUS_INFINITY | MINUS_INFINITY,
        };
        return;
    }
    // Subnormals have the exponent of the smallest normal number and no implicit one.
    let (mantissa, shift) =
        if exponent == 0 { (fraction, 0) } else { (fraction | 1 << 52, exponent.wrapping_sub(1)) };
    let placed = u128::from(mantissa) << (shift % 32);
    let parts = [placed & 0xffff_ffff, (placed >> 32) & 0xffff_ffff, placed >> 64].map(|part| part as i64);
    let place = limbs.get_mut((shift / 32) as usize..).and_then(|limbs| limbs.first_chunk_mut::<3>());
    for (limb, part) in place.into_iter().flatten().zip(parts) {
        *limb = limb.wrapping_add(if x < 0.0 { part.wrapping_neg() } else { part });
    }
    *waiting += 1;
    if *waiting >= MOST_WAITING {
        settle(limbs);
        *waiting = 0;
    }
}

/// Adds all that `other` holds, exactly.
pub(super) fn merge(sum: &mut ExactSum, other: &ExactSum) {
    let [limbs @ .., waiting, infinities] = sum;
    let [other_limbs @ .., _, other_infinities] = other;
    for (limb, other) in limbs.iter_mut().zip(other_limbs) {
        *limb = limb.wrapping_add(*other);
    }
    settle(limbs);
    *waiting = 0;
    *infinities |= other_infinities;
}

/// The double nearest to the sum, ties to even; infinite if an infinity was added or no double is large enough, NaN if
/// infinities of both signs were.
pub(super) fn value(sum: &ExactSum) -> f64 {
    let mut sum = *sum;
    let [limbs @ .., _, infinities] = &mut sum;
    match *infinities {
        0 => {}
        PLUS_INFINITY => return f64::INFINITY,
        MINUS_INFINITY => return f64::NEG_INFINITY,
        _ => return f64::NAN,
    }
    settle(limbs);
    let negative = limbs.last().is_some_and(|limb| *limb < 0);
    if negative {
        limbs.iter_mut().for_each(|limb| *limb = limb.wrapping_neg());
        settle(limbs);
    }
    let Some(top) = limbs.iter().rposition(|limb| *limb != 0) else { return 0.0 };
    let at = |index: usize| limbs.get(index).map_or(0, |limb| u128::from(limb.unsigned_abs()));
    let below = |n: usize| top.checked_sub(n).map_or(0, at);
    // The three highest limbs have at least 65 bits, so all that is below can only break a tie.
    let head = at(top) << 64 | below(1) << 32 | below(2);
    let rest = limbs.iter().take(top.saturating_sub(2)).any(|limb| *limb != 0);
    let magnitude = libm::scalbn((head | u128::from(rest)) as f64, 32 * (top as i32 - 2) - 1074);
    if negative { -magnitude } else { magnitude }
}

/// Moves what is over 32 bits to the next limb.
fn settle(limbs: &mut [i64]) {
    let Some((last, limbs)) = limbs.split_last_mut() else { return };
    let mut carry = 0;
    for limb in limbs {
        let total = limb.wrapping_add(carry);
        carry = total >> 32;
        *limb = total & 0xffff_ffff;
    }
    *last = last.wrapping_add(carry);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn sum(values: &[f64]) -> ExactSum {
        let mut sum = [0; WORDS];
        values.iter().for_each(|x| add(&mut sum, *x));
        sum
    }

    /// The oracle: Shewchuk's (1997) growing expansion of non-overlapping doubles, rounded by adding from the top with
    /// the half-way correction of Python's `fsum`. Only for values whose partial sums do not overflow.
    fn expansion_sum(values: &[f64]) -> f64 {
        let mut partials = Vec::<f64>::new();
        for &value in values {
            let mut x = value;
            let mut kept = Vec::new();
            for &partial in &partials {
                let (large, small) = if x.abs() < partial.abs() { (partial, x) } else { (x, partial) };
                let high = large + small;
                let low = small - (high - large);
                if low != 0.0 {
                    kept.push(low);
                }
                x = high;
            }
            kept.push(x);
            partials = kept;
        }
        let mut high = partials.pop().unwrap_or(0.0);
        let mut low = 0.0;
        while let Some(y) = partials.pop() {
            let x = high;
            high = x + y;
            low = y - (high - x);
            if low != 0.0 {
                break;
            }
        }
        if let Some(next) = partials.last()
            && ((low < 0.0 && *next < 0.0) || (low > 0.0 && *next > 0.0))
        {
            let doubled = low * 2.0;
            let x = high + doubled;
            if doubled == x - high {
                high = x;
            }
        }
        high
    }

    fn any_finite() -> impl Strategy<Value = f64> {
        prop_oneof![
            // Any exponent that leaves room for a hundred of them, subnormals included.
            any::<u64>().prop_map(|bits| {
                let x = f64::from_bits(bits & !(1 << 62));
                if x.is_finite() { x } else { 1.0 }
            }),
            // Close exponents, so that bits meet and ties happen.
            (-(1i64 << 53)..1i64 << 53, -3i32..60).prop_map(|(m, e)| libm::scalbn(m as f64, e)),
            Just(-0.0),
        ]
    }

    proptest! {
        #[test]
        fn any_order_and_any_split_rounds_the_true_sum(
            values in prop::collection::vec(any_finite(), 0..100),
            cut in any::<prop::sample::Index>(),
        ) {
            let expected = expansion_sum(&values);
            prop_assert_eq!(value(&sum(&values)), expected);
            let backwards: Vec<f64> = values.iter().rev().copied().collect();
            prop_assert_eq!(value(&sum(&backwards)), expected);
            let (a, b) = values.split_at(cut.index(values.len() + 1));
            let (mut ab, mut ba) = (sum(a), sum(b));
            merge(&mut ab, &sum(b));
            merge(&mut ba, &sum(a));
            prop_assert_eq!(ab, ba);
            prop_assert_eq!(value(&ab), expected);
        }
    }

    #[test]
    fn what_doubles_lose_is_kept() {
        assert_eq!(value(&sum(&[1e308, 1.0, -1e308, 1e308, -1e308])), 1.0);
        assert_eq!(value(&sum(&[f64::MAX, f64::MAX, -f64::MAX])), f64::MAX);
        assert_eq!(value(&sum(&[f64::MAX, f64::MAX])), f64::INFINITY);
        let tiny = f64::from_bits(1);
        assert_eq!(value(&sum(&[tiny, tiny, -f64::MIN_POSITIVE])), tiny + tiny - f64::MIN_POSITIVE);
        assert_eq!(value(&sum(&[])), 0.0);
        // A tie that only a bit 1100 places further down decides.
        assert_eq!(value(&sum(&[9007199254740992.0, 1.0])), 9007199254740992.0);
        assert_eq!(value(&sum(&[9007199254740992.0, 1.0, tiny])), 9007199254740994.0);
        assert_eq!(value(&sum(&[-9007199254740992.0, -1.0, -tiny])), -9007199254740994.0);
    }

    #[test]
    fn infinities_are_remembered() {
        assert_eq!(value(&sum(&[1.0, f64::INFINITY, -1.0])), f64::INFINITY);
        assert_eq!(value(&sum(&[f64::NEG_INFINITY, 1.0])), f64::NEG_INFINITY);
        assert!(value(&sum(&[f64::NEG_INFINITY, f64::INFINITY])).is_nan());
        assert!(value(&sum(&[f64::NAN])).is_nan());
    }

    #[test]
    fn carries_that_waited_longest_are_not_lost() {
        // The state just before carries must be settled, without adding 2^29 times.
        let mut one = sum(&[]);
        let largest = f64::from_bits(0x3ff0_0000_0000_0000 - 1);
        add(&mut one, largest);
        let mut full = [0i64; WORDS];
        for (limb, one) in full.iter_mut().zip(&one).take(LIMBS) {
            *limb = one * (MOST_WAITING - 1);
        }
        full[LIMBS] = MOST_WAITING - 1;
        let mut both = full;
        merge(&mut both, &full);
        assert_eq!(value(&both), largest * ((MOST_WAITING - 1) * 2) as f64);
        add(&mut full, largest);
        assert_eq!(full[LIMBS], 0);
        assert_eq!(value(&full), largest * MOST_WAITING as f64);
    }
}
