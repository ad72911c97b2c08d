//! Powers in single precision, in a form that vectorises: no branch and no table.
//!
//! `x ^ y = 2 ^ (y * log2 x)`, computed in double precision by the textbook series of both functions, cut where what is
//! left out is far below the last place of a single. Invariant: plain additions, multiplications and one division in a
//! fixed order, so the same bits on every target.

use core::f64::consts::{LN_2, LOG2_E};

/// 2^52: added to a small whole number, it moves that number to the lowest bits; 1.5 times it does so below zero, too.
const TWO_52: f64 = 4_503_599_627_370_496.0;
/// The bits of an `f64` that hold its fraction.
const FRACTION: u64 = (1 << 52) - 1;
/// What is added to the exponent of an `f64` in its bits.
const BIAS: u64 = 1023;

/// The logarithm to base 2 of a normal `x` above zero, to 2e-12 of itself.
#[inline(always)]
fn log2(x: f64) -> f64 {
    // x = 2^e * m with m from sqrt(1/2) to sqrt(2): with the bits of sqrt(1/2) taken away, the exponent is e.
    let low = core::f64::consts::FRAC_1_SQRT_2.to_bits();
    let above = x.to_bits().wrapping_sub(low);
    let exponent = f64::from_bits(TWO_52.to_bits() | ((above >> 52).wrapping_add(BIAS) & 0xfff))
        - (TWO_52 + BIAS as f64);
    let m = f64::from_bits((above & FRACTION).wrapping_add(low));
    // ln m = 2 atanh s, and s is at most 0.172: the term after these is s^15 / 15.
    let s = (m - 1.0) / (m + 1.0);
    let q = s * s;
    let series = 1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0));
    let series = 1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * series)));
    exponent + 2.0 * LOG2_E * s * series
}

/// 2 to the power of `t`, to 7e-12 of itself; `t` is clamped to -1000 and 1000, far beyond what a single holds.
#[inline(always)]
fn exp2(t: f64) -> f64 {
    let t = if t > -1000.0 { t } else { -1000.0 };
    let t = if t < 1000.0 { t } else { 1000.0 };
    let moved = t + 1.5 * TWO_52;
    // The rest is from -1/2 to 1/2: the term after these is (ln 2 / 2)^10 / 10!.
    let r = (t - (moved - 1.5 * TWO_52)) * LN_2;
    let series = 1.0 / 5_040.0 + r * (1.0 / 40_320.0 + r * (1.0 / 362_880.0));
    let series = 1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * series));
    let series = 1.0 + r * (1.0 + r * (1.0 / 2.0 + r * (1.0 / 6.0 + r * series)));
    series * f64::from_bits(moved.to_bits().wrapping_add(BIAS) << 52)
}

/// `x` to the power of `y`, for `x` above zero and finite `y` above zero: within 0.502 units in the last place
/// of a single, where `y` is at most 100 (the series leave out 0.001 of it). Infinity stays infinity, NaN stays NaN.
#[inline(always)]
pub(super) fn power(x: f32, y: f64) -> f32 {
    let result = exp2(y * log2(f64::from(x))) as f32;
    if x < f32::INFINITY { result } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Distance from the true power in units of the last place of a single.
    fn error(x: f32, y: f64) -> f64 {
        let made = power(x, y);
        let exact = f64::from(x).powf(y);
        if exact > f64::from(f32::MAX) {
            return if made >= f32::MAX { 0.0 } else { f64::INFINITY };
        }
        let place = f64::from(exact as f32).abs().max(f64::from(f32::MIN_POSITIVE));
        let unit = f64::from_bits(place.to_bits() & !FRACTION) * f64::from(f32::EPSILON);
        (f64::from(made) - exact).abs() / unit
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 100_000 }))]
        #[test]
        fn any_power_is_within_its_bound(bits in 1..0x7f80_0000u32, y in 0.01..100.0f64, unit in 1e-6..4.0f32) {
            prop_assert!(error(f32::from_bits(bits), y) <= 0.502);
            prop_assert!(error(unit, y) <= 0.502);
            prop_assert!(error(unit, 1.0 / y) <= 0.502);
        }
    }

    #[test]
    fn what_can_be_exact_is_exact() {
        for bits in (1..0x7f80_0000u32).step_by(if cfg!(miri) { 99_990_001 } else { 9973 }) {
            let x = f32::from_bits(bits);
            assert_eq!(power(x, 1.0), x);
        }
        assert_eq!(
            [power(0.25, 0.5), power(4.0, 0.5), power(1.0, 77.7), power(3.0, 4.0)],
            [0.5, 2.0, 1.0, 81.0]
        );
        assert_eq!(power(f32::INFINITY, 0.01), f32::INFINITY);
        assert!(power(f32::NAN, 2.0).is_nan());
        assert_eq!(power(f32::MIN_POSITIVE, 100.0), 0.0);
        assert_eq!(power(f32::MAX, 100.0), f32::INFINITY);
    }
}
