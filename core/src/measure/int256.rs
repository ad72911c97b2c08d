//! Integers of 256 bits: what the squares of 64-bit samples add up to.
//!
//! In two's complement, modulo 2^256, as a low and a high half: sums in any order are the same, and what wraps on the
//! way to a result that fits is not lost.

/// One number, as it lies in leased memory: low half, high half. All zeroes is zero.
pub(super) type Int256 = [u128; 2];

/// From a number in two's complement.
#[inline(always)]
pub(super) const fn of_signed(x: i128) -> Int256 {
    [x as u128, (x >> 127) as u128]
}

/// Both together.
#[inline(always)]
pub(super) const fn plus([low, high]: Int256, [more_low, more_high]: Int256) -> Int256 {
    let (low, carry) = low.overflowing_add(more_low);
    [low, high.wrapping_add(more_high).wrapping_add(carry as u128)]
}

/// The same size with the other sign.
const fn negative([low, high]: Int256) -> Int256 {
    plus([!low, !high], [1, 0])
}

/// The product of two signed numbers, exactly.
pub(super) fn product(a: i128, b: i128) -> Int256 {
    let halves = |x: u128| [x & u128::from(u64::MAX), x >> 64];
    let ([a_low, a_high], [b_low, b_high]) = (halves(a.unsigned_abs()), halves(b.unsigned_abs()));
    let [middle, other] = [a_low.wrapping_mul(b_high), a_high.wrapping_mul(b_low)];
    let ends = [a_low.wrapping_mul(b_low), a_high.wrapping_mul(b_high)];
    let size = plus(ends, [middle << 64, middle >> 64]);
    let size = plus(size, [other << 64, other >> 64]);
    if (a < 0) == (b < 0) { size } else { negative(size) }
}

/// `a - b`.
pub(super) fn minus(a: Int256, b: Int256) -> Int256 {
    plus(a, negative(b))
}

/// The double nearest to a number that is not negative, ties to even.
pub(super) fn value([low, high]: Int256) -> f64 {
    if high == 0 {
        return low as f64;
    }
    // The 128 highest bits, of which the last also stands for all below.
    let up = high.leading_zeros();
    let below = low.checked_shr(128 - up).unwrap_or(0);
    let rest = low << up != 0;
    let head = high << up | below | u128::from(rest);
    libm::scalbn(head as f64, 128 - up as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The value by its eight digits of 32 bits: not rounded once, but nearly.
    fn by_digits([low, high]: Int256) -> f64 {
        let digits = |x: u128| [96, 64, 32, 0].map(|place| (x >> place) as u32);
        let [high, low] = [digits(high), digits(low)];
        high.iter().chain(&low).fold(0.0, |sum, digit| sum * 4_294_967_296.0 + f64::from(*digit))
    }

    #[test]
    fn known_numbers() {
        let most = i128::from(u64::MAX);
        // (2^64 - 1)^2, and 2^127 squared.
        assert_eq!(product(most, most), [u128::MAX - (1 << 65) + 2, 0]);
        assert_eq!(product(i128::MIN, i128::MIN), [0, 1 << 126]);
        assert_eq!(product(-3, 5), of_signed(-15));
        assert_eq!(product(i128::MIN, 2), [0, u128::MAX]);
        assert_eq!(minus(of_signed(3), of_signed(5)), of_signed(-2));
        assert_eq!(value([0, 1]), libm::scalbn(1.0, 128));
        // Half a unit of the last place is a tie unless there is something below it.
        assert_eq!(value([0, (1 << 53) + 1]), libm::scalbn(1.0, 181));
        assert_eq!(value([1, (1 << 53) + 1]), libm::scalbn(9_007_199_254_740_994.0, 128));
        assert_eq!(value([u128::MAX, u128::MAX]), libm::scalbn(1.0, 256));
    }

    proptest! {
        #[test]
        fn products_distribute(a in any::<i128>(), b in any::<i64>(), c in any::<i64>(), shift in 0u32..127) {
            let a = a >> shift;
            let (b, c) = (i128::from(b) << 60, i128::from(c));
            prop_assert_eq!(product(a, b + c), plus(product(a, b), product(a, c)));
            prop_assert_eq!(product(a, b), product(b, a));
            prop_assert_eq!(minus(product(a, b + c), product(a, c)), product(a, b));
            if let Some(small) = a.checked_mul(c) {
                prop_assert_eq!(product(a, c), of_signed(small));
            }
        }

        #[test]
        fn values_are_near(low in any::<u128>(), high in any::<u128>(), shift in 0u32..128) {
            let number = [low, high >> shift];
            let (found, expected) = (value(number), by_digits(number));
            prop_assert!((found - expected).abs() <= expected * 1e-15, "{found:e} {expected:e}");
        }
    }
}
