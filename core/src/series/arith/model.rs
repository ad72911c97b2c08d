//! How residuals are spread: adaptive decisions for zero, sign, length and the highest bits below the first.

use super::super::coder::{Coder, Residuals};
use super::super::lane::Lane;
use super::prob::Prob;

/// Nodes of the tree of lengths.
const NODES: usize = 39;

/// The tree before anything is known: magnitudes of more than 32 bits are seldom, of more than 16 as well.
const TREE: [Prob; NODES] = {
    let mut tree = [Prob::EVEN; NODES];
    (tree[0], tree[1]) = (Prob::SELDOM, Prob::SELDOM);
    tree
};

/// Coded magnitudes in this many classes of how lively the last residuals were against the ones before (1 or 3), with
/// the bits below the highest modelled up to a length of `LENGTHS`.
#[derive(Clone, Copy, Debug)]
pub struct Model<const CLASSES: usize, const LENGTHS: usize> {
    /// Whether it is zero: by class, and after 1, 2, 3 or more zeros.
    zero: [[Prob; 4]; CLASSES],
    /// Whether it is negative: after nothing, a positive one, a negative one.
    sign: [Prob; 3],
    /// Its length in bits less one, as a tree of six decisions; of lengths above 32 the last two are not modelled.
    length: [[Prob; NODES]; CLASSES],
    /// The first bit after the highest, by length.
    second: [Prob; LENGTHS],
    /// The second one, by length and the first.
    third: [[Prob; 2]; LENGTHS],
    /// The third one of short ones, by length and the two before.
    fourth: [[Prob; 4]; 8],
    /// Mean length of late, in 16ths: over about 3 residuals and over about 16.
    fast: i16,
    slow: i16,
    last_sign: u8,
    zeros: u8,
}

impl<const CLASSES: usize, const LENGTHS: usize> Model<CLASSES, LENGTHS> {
    const EMPTY: Self = Model {
        zero: [[Prob::EVEN; 4]; CLASSES],
        sign: [Prob::EVEN; 3],
        length: [TREE; CLASSES],
        second: [Prob::EVEN; LENGTHS],
        third: [[Prob::EVEN; 2]; LENGTHS],
        fourth: [[Prob::EVEN; 4]; 8],
        fast: 0,
        slow: 0,
        last_sign: 0,
        zeros: 0,
    };

    #[inline(always)]
    fn class(&self) -> usize {
        if CLASSES < 3 {
            return 0;
        }
        match self.fast - self.slow {
            ..-12 => 0,
            -12..12 => 1,
            12.. => 2,
        }
    }

    /// The `length` bits after the highest, which is 1.
    #[inline(always)]
    fn below<L: Lane, C: Coder>(&mut self, coder: &mut C, residual: L, length: u32) -> u64 {
        let (mut left, mut magnitude) = (length, 1_u64);
        let at = (length as usize).min(LENGTHS - 1);
        let mut bit = |coder: &mut C, prob: &mut Prob, left: &mut u32| {
            *left -= 1;
            let bit = coder.bit(prob, residual.magnitude_low(*left + 1) >> *left == 1);
            magnitude = magnitude << 1 | u64::from(bit);
            usize::from(bit)
        };
        if left > 0 {
            let second = bit(coder, &mut self.second[at], &mut left);
            if left > 0 {
                let third = bit(coder, &mut self.third[at][second], &mut left);
                if left > 0 && length < 8 {
                    let path = second << 1 | third;
                    bit(coder, &mut self.fourth[length as usize & 7][path & 3], &mut left);
                }
            }
        }
        magnitude << left | coder.raw_long(residual.magnitude_low(left), left)
    }

    #[inline(always)]
    fn follow(&mut self, length: u32) {
        if CLASSES > 1 {
            let length = (length * 16) as i16;
            self.fast += (length - self.fast) / 3;
            self.slow += (length - self.slow) / 16;
        }
    }
}

impl<const CLASSES: usize, const LENGTHS: usize> Residuals for Model<CLASSES, LENGTHS> {
    type Times = Model<1, 8>;

    const NEW: Self = Self::EMPTY;

    #[inline]
    fn code<L: Lane, C: Coder>(&mut self, coder: &mut C, residual: L) -> L {
        let class = self.class();
        let zero = &mut self.zero[class][usize::from(self.zeros & 3)];
        if !coder.bit(zero, residual != L::default()) {
            self.zeros = (self.zeros + 1).min(3);
            self.follow(0);
            return L::default();
        }
        self.zeros = 0;
        let negative = coder.bit(&mut self.sign[usize::from(self.last_sign.min(2))], residual < L::default());
        self.last_sign = 1 + u8::from(negative);

        let wanted = residual.magnitude_bits().wrapping_sub(1) & 63;
        let tree = &mut self.length[class];
        let long = coder.bit(&mut tree[0], wanted >= 32);
        // Nodes 1 to 31 are the tree of short lengths, 32 to 38 the upper levels of that of long ones.
        let (levels, base) = if long { (3, 31) } else { (5, 0) };
        let mut node = 1_usize;
        for level in 0..levels {
            let bit = coder.bit(&mut tree[(base + node).min(NODES - 1)], wanted >> (4 - level) & 1 == 1);
            node = node << 1 | usize::from(bit);
        }
        let length = match long {
            true => 32 | (node as u32 & 7) << 2 | coder.raw(wanted & 3, 2),
            false => node as u32 & 31,
        };
        // No writer gives more bits than the lane has.
        let length = length.min(L::BITS - 1);
        let magnitude = self.below(coder, residual, length);
        self.follow(length + 1);
        let magnitude = L::from_wide(magnitude as i64);
        if negative { L::default().minus(magnitude) } else { magnitude }
    }
}
