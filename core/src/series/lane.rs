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
    /// An unsigned integer of the same width.
    type Magnitude: Copy + Ord + Into<u64> + core::ops::BitOr<Output = Self::Magnitude> + core::fmt::Debug;
    /// Of 0 and of the lowest value, which no other passes.
    const LEAST: Self::Magnitude;
    const MOST: Self::Magnitude;
    /// Its magnitude.
    fn magnitude(self) -> Self::Magnitude;
    /// Zig-zag: 0, -1, 1, -2 and so on become 0, 1, 2, 3.
    fn fold(self) -> Self::Magnitude;
    /// How many bits a magnitude has.
    fn bits_of(magnitude: Self::Magnitude) -> u32;
    /// How many bits its magnitude has.
    #[inline(always)]
    fn magnitude_bits(self) -> u32 {
        Self::bits_of(self.magnitude())
    }
    /// Bit `at` of its magnitude.
    fn magnitude_low(self, bits: u32) -> u64;
    /// Its magnitude, at most 2^(width - 8): of such many may be added.
    fn distance(self) -> Self;
    /// The lowest 32 bits of zig-zag.
    fn folded_word(self) -> u32;
    /// Zig-zag without the lowest `bits`, at most what 32 bits hold.
    fn folded_high(self, bits: u32) -> u32;
    /// The lowest `bits` of zig-zag, up to all.
    fn folded_low(self, bits: u32) -> u64;
    /// How many bits zig-zag has.
    fn folded_bits(self) -> u32;
    /// Back from zig-zag, whose bits above `low` are `high * 2^at`.
    fn unfold(high: u32, at: u32, low: u64) -> Self;
    /// Base 2 logarithm of `2 * magnitude + 1`, in 32nds.
    fn log(self) -> u32;
}

/// Whether the core is a small one: Armv6-M and RV32IMAC have no instruction that counts leading zeros, and its stand-in
/// takes 45 of them. Armv6-M is the one that has no compare-and-swap either.
pub(crate) const SMALL_CORE: bool =
    cfg!(any(target_arch = "riscv32", all(target_arch = "arm", not(target_has_atomic = "32"))));

/// How many bits `number` has.
#[inline(always)]
pub(crate) fn bits(number: u32) -> u32 {
    if !SMALL_CORE {
        return u32::BITS - number.leading_zeros();
    }
    const OF: [u8; 16] = [0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4];
    let (mut below, mut low) = (0, number);
    // Written out: compiled for size, a loop over the three steps takes longer than the stand-in. Numbers are mostly
    // small ones.
    if low >= 16 {
        if low >> 16 != 0 {
            (below, low) = (16, low >> 16);
        }
        if low >> 8 != 0 {
            (below, low) = (below + 8, low >> 8);
        }
        if low >> 4 != 0 {
            (below, low) = (below + 4, low >> 4);
        }
    }
    below + u32::from(OF[(low & 15) as usize])
}

/// The same of 64 bits.
#[inline(always)]
pub(crate) fn bits_wide(number: u64) -> u32 {
    match (SMALL_CORE, (number >> 32) as u32) {
        (false, _) => u64::BITS - number.leading_zeros(),
        (true, 0) => bits(number as u32),
        (true, high) => 32 + bits(high),
    }
}

/// Base 2 logarithms of numbers of a byte, in 32nds.
static LOGS: [u8; 256] = {
    let mut logs = [0; 256];
    let mut number = 1_u32;
    while number < 256 {
        let whole = number.ilog2();
        logs[number as usize] = (whole * 32 + ((number << (31 - whole)) >> 26 & 31)) as u8;
        number += 1;
    }
    logs
};

/// Base 2 logarithm of `number`, in 32nds, on small cores: from the table, three bits further at a time. Residuals are
/// mostly short ones, for which one look is enough.
#[inline(always)]
fn log_of(mut number: u32) -> u32 {
    let mut below = 0;
    while number >= 256 {
        (number, below) = (number >> 3, below + 3 * 32);
    }
    below + u32::from(LOGS[(number & 255) as usize])
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

            type Magnitude = $unsigned;
            const LEAST: $unsigned = 0;
            const MOST: $unsigned = <$unsigned>::MAX;

            #[inline(always)]
            fn magnitude(self) -> $unsigned {
                self.unsigned_abs()
            }

            #[inline(always)]
            fn fold(self) -> $unsigned {
                ((self << 1) ^ (self >> (<$lane>::BITS - 1))) as $unsigned
            }

            #[inline(always)]
            fn bits_of(magnitude: $unsigned) -> u32 {
                match <$lane>::BITS {
                    32 => bits(magnitude as u32),
                    _ => bits_wide(magnitude as u64),
                }
            }

            #[inline(always)]
            fn magnitude_low(self, bits: u32) -> u64 {
                u64::from(self.unsigned_abs() & (((1 as $unsigned) << bits) - 1))
            }

            #[inline(always)]
            fn distance(self) -> Self {
                self.unsigned_abs().min(1 << (<$lane>::BITS - 8)) as $lane
            }

            #[inline(always)]
            fn folded_word(self) -> u32 {
                self.fold() as u32
            }

            #[inline(always)]
            fn folded_high(self, bits: u32) -> u32 {
                // A shift of 64 bits is a call on small cores.
                if SMALL_CORE && bits < 32 && self.fold() as u64 >> 32 == 0 {
                    return self.folded_word() >> bits;
                }
                (self.fold() >> bits).min(u32::MAX as $unsigned) as u32
            }

            #[inline(always)]
            fn folded_low(self, bits: u32) -> u64 {
                let all =
                    if bits < <$lane>::BITS { ((1 as $unsigned) << bits) - 1 } else { <$unsigned>::MAX };
                u64::from(self.fold() & all)
            }

            #[inline(always)]
            fn folded_bits(self) -> u32 {
                Self::bits_of(self.fold())
            }

            #[inline(always)]
            fn unfold(high: u32, at: u32, low: u64) -> Self {
                let folded = (high as $unsigned).checked_shl(at).unwrap_or(0) | low as $unsigned;
                (folded >> 1) as $lane ^ ((folded & 1) as $lane).wrapping_neg()
            }

            #[inline(always)]
            fn log(self) -> u32 {
                let magnitude = self.unsigned_abs();
                if SMALL_CORE && magnitude < 1 << 28 {
                    return log_of(magnitude as u32 * 2 + 1);
                }
                let doubled = magnitude.min(1 << (<$lane>::BITS - 4)) * 2 + 1;
                let whole = bits_wide(doubled as u64) - 1;
                let top = (doubled << (<$lane>::BITS - 1 - whole)) >> (<$lane>::BITS - 6);
                whole * 32 + (top as u32 & 31)
            }
        }
    };
}

lane!(i32, u32, 4, 23, 28);
lane!(i64, u64, 8, 44, 54);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_of_small_cores_is_that_of_large_ones() {
        let near = (0..28).flat_map(|bit| (-70..70).map(move |by| (1_i64 << bit) + by));
        for magnitude in (0..5000).chain(near).filter(|magnitude| (0..1 << 28).contains(magnitude)) {
            let number = magnitude as u32 * 2 + 1;
            assert_eq!(log_of(number), magnitude.log(), "{magnitude}");
            assert_eq!(log_of(number), (-magnitude as i32).log(), "{magnitude}");
        }
    }
}
