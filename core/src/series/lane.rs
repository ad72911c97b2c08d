//! The integers that predictors calculate with: 64 bits wide, or 32 for small cores.

/// A signed integer with wrapping arithmetic.
pub(crate) trait Lane: Copy + Eq + Ord + Default + core::fmt::Debug {
    /// Its width.
    const BITS: u32;
    /// Fraction bits of the trackers.
    const FRACTION: u32;
    /// Differences are followed up to this many bits.
    const MOVE_BITS: u32;
    /// Trackers stay within this many bits, so that their sums do not wrap.
    const TRACK_BITS: u32;
    /// The low bits of `wide`.
    fn from_wide(wide: i64) -> Self;
    /// Sign-extended.
    fn wide(self) -> i64;
    /// Sign-extended.
    fn from_i32(narrow: i32) -> Self;
    /// The low 32 bits.
    fn low(self) -> i32;
    /// `self + other`.
    fn plus(self, other: Self) -> Self;
    /// `self - other`.
    fn minus(self, other: Self) -> Self;
    /// `self * 2^by`.
    fn up(self, by: u32) -> Self;
    /// `self / 2^by`, rounded down.
    fn down(self, by: u32) -> Self;
    /// Between -2^bits and 2^bits.
    fn within(self, bits: u32) -> Self;
    /// Its magnitude.
    fn magnitude(self) -> u64;
    /// How many bits its magnitude has.
    fn magnitude_bits(self) -> u32;
    /// Bit `at` of its magnitude.
    fn magnitude_low(self, bits: u32) -> u64;
    /// Base 2 logarithm of `2 * magnitude + 1`, in 32nds.
    fn log(self) -> u32;
}

/// The place of the highest bit that is set, from 0. `number` is not zero.
#[inline(always)]
fn highest_bit(number: u64) -> u32 {
    // Armv6-M and RV32IMAC have no instruction for it, and its stand-in takes 45 of them: four bits at a time is faster.
    // Armv6-M is the one that has no compare-and-swap either.
    if !cfg!(any(target_arch = "riscv32", all(target_arch = "arm", not(target_has_atomic = "32")))) {
        return 63 - (number | 1).leading_zeros();
    }
    const OF: [u8; 16] = [0, 0, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3];
    let (mut place, mut low) = match (number >> 32) as u32 {
        0 => (0, number as u32),
        high => (32, high),
    };
    for step in [16, 8, 4] {
        if low >> step != 0 {
            (place, low) = (place + step, low >> step);
        }
    }
    place + u32::from(OF[(low & 15) as usize])
}

macro_rules! lane {
    ($lane:ty, $unsigned:ty, $fraction:expr, $moves:expr, $tracks:expr) => {
        impl Lane for $lane {
            const BITS: u32 = <$lane>::BITS;
            const FRACTION: u32 = $fraction;
            const MOVE_BITS: u32 = $moves;
            const TRACK_BITS: u32 = $tracks;

            #[inline(always)]
            fn from_wide(wide: i64) -> Self {
                wide as $lane
            }

            #[inline(always)]
            fn wide(self) -> i64 {
                self as i64
            }

            #[inline(always)]
            fn from_i32(narrow: i32) -> Self {
                narrow as $lane
            }

            #[inline(always)]
            fn low(self) -> i32 {
                self as i32
            }

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self.wrapping_sub(other)
            }

            #[inline(always)]
            fn up(self, by: u32) -> Self {
                self << by
            }

            #[inline(always)]
            fn down(self, by: u32) -> Self {
                self >> by
            }

            #[inline(always)]
            fn within(self, bits: u32) -> Self {
                self.clamp(-(1 << bits), 1 << bits)
            }

            #[inline(always)]
            fn magnitude(self) -> u64 {
                u64::from(self.unsigned_abs())
            }

            #[inline(always)]
            fn magnitude_bits(self) -> u32 {
                <$lane>::BITS - self.unsigned_abs().leading_zeros()
            }

            #[inline(always)]
            fn magnitude_low(self, bits: u32) -> u64 {
                u64::from(self.unsigned_abs() & (((1 as $unsigned) << bits) - 1))
            }

            #[inline(always)]
            fn log(self) -> u32 {
                let doubled = self.unsigned_abs().min(1 << (<$lane>::BITS - 4)) * 2 + 1;
                let whole = highest_bit(u64::from(doubled));
                let top = (doubled << (<$lane>::BITS - 1 - whole)) >> (<$lane>::BITS - 6);
                whole * 32 + (top as u32 & 31)
            }
        }
    };
}

lane!(i32, u32, 4, 23, 28);
lane!(i64, u64, 8, 44, 54);
