//! Samples in order, as numbers that a network can compare: floats, too.

use crate::shape::Sample;

/// A sample that can be put in order.
pub trait Ranked: Sample {
    /// A number in the same order.
    type Rank: bytemuck::Pod + Ord;
    /// Its place in the order.
    fn rank(self) -> Self::Rank;
    /// The sample with this place.
    fn of_rank(rank: Self::Rank) -> Self;
}

macro_rules! integers {
    ($($t:ty),*) => {$(
        impl Ranked for $t {
            type Rank = $t;
            #[inline(always)]
            fn rank(self) -> $t {
                self
            }
            #[inline(always)]
            fn of_rank(rank: $t) -> $t {
                rank
            }
        }
    )*};
}
integers!(u8, u16, i16, u32, i32, i64);

/// As signed numbers: there are instructions that compare vectors of those.
impl Ranked for u64 {
    type Rank = i64;
    #[inline(always)]
    fn rank(self) -> i64 {
        (self ^ 1 << 63).cast_signed()
    }
    #[inline(always)]
    fn of_rank(rank: i64) -> u64 {
        rank.cast_unsigned() ^ 1 << 63
    }
}

macro_rules! floats {
    ($($t:ty: $rank:ty, $unsigned:ty),*) => {$(
        impl Ranked for $t {
            type Rank = $rank;
            #[inline(always)]
            fn rank(self) -> $rank {
                // Negative floats fall as their bits rise: turn the bits below the sign around.
                let turn = |bits: $rank| bits ^ ((bits >> (<$rank>::BITS - 1)) as $unsigned >> 1) as $rank;
                if self.is_nan() { <$t>::NAN.to_bits() as $rank } else { turn(self.to_bits() as $rank) }
            }
            #[inline(always)]
            fn of_rank(rank: $rank) -> $t {
                let bits = rank ^ ((rank >> (<$rank>::BITS - 1)) as $unsigned >> 1) as $rank;
                <$t>::from_bits(bits as $unsigned)
            }
        }
    )*};
}
floats!(f32: i32, u32, f64: i64, u64);
