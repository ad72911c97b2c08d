//! How residuals are spread: adaptive decisions for zero, sign, length and the highest bits below the first.

use super::super::coder::{Coder, Residuals};
use super::super::lane::Lane;
use super::opinion::{Opinion, SIDES};
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
/// the bits below the highest modelled up to a length of `LENGTHS`, the third of them in those shorter than `SHORT`; with a
/// second opinion `O` on each decision, or none.
#[derive(Clone, Copy, Debug)]
pub struct Model<const CLASSES: usize, const LENGTHS: usize, const SHORT: usize, O = ()> {
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
    fourth: [[Prob; 4]; SHORT],
    /// Mean length of late, in 16ths: over about 3 residuals and over about 16.
    fast: i16,
    slow: i16,
    last_sign: u8,
    zeros: u8,
    opinion: O,
}

/// Decisions as second opinions know them: those of a row, then those of all rows.
pub(super) const ROW: usize = 4 + NODES;
const SECOND: usize = 3 * SIDES;
const fn third(lengths: usize) -> usize {
    SECOND + lengths
}
const fn fourth(lengths: usize) -> usize {
    third(lengths) + 2 * lengths
}

#[allow(private_bounds)] // What opinions are stays inside: only the names of profiles go out.
impl<const CLASSES: usize, const LENGTHS: usize, const SHORT: usize, O: Opinion>
    Model<CLASSES, LENGTHS, SHORT, O>
{
    const EMPTY: Self = Model {
        zero: [[Prob::EVEN; 4]; CLASSES],
        sign: [Prob::EVEN; 3],
        length: [TREE; CLASSES],
        second: [Prob::EVEN; LENGTHS],
        third: [[Prob::EVEN; 2]; LENGTHS],
        fourth: [[Prob::EVEN; 4]; SHORT],
        fast: 0,
        slow: 0,
        last_sign: 0,
        zeros: 0,
        opinion: O::NEW,
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
        let opinion = &mut self.opinion;
        let mut bit = |coder: &mut C, prob: &mut Prob, place: usize, left: &mut u32| {
            *left -= 1;
            let bit = opinion.bit(coder, prob, None, place, residual.magnitude_low(*left + 1) >> *left == 1);
            magnitude = magnitude << 1 | u64::from(bit);
            usize::from(bit)
        };
        if left > 0 {
            let second = bit(coder, &mut self.second[at], SECOND + at, &mut left);
            if left > 0 {
                let third_bit =
                    bit(coder, &mut self.third[at][second], third(LENGTHS) + 2 * at + second, &mut left);
                if left > 0
                    && let Some(fourth) = self.fourth.get_mut(length as usize)
                {
                    let three = (second << 1 | third_bit) & 3;
                    bit(
                        coder,
                        &mut fourth[three],
                        self::fourth(LENGTHS) + 4 * length as usize + three,
                        &mut left,
                    );
                }
            }
        }
        magnitude << left | coder.raw_long(residual.magnitude_low(left), left)
    }

    #[inline(always)]
    fn follow(&mut self, length: u32) {
        self.opinion.follow(length);
        if CLASSES > 1 {
            let length = (length * 16) as i16;
            self.fast += (length - self.fast) / 3;
            self.slow += (length - self.slow) / 16;
        }
    }
}

impl<const CLASSES: usize, const LENGTHS: usize, const SHORT: usize, O: Opinion> Residuals
    for Model<CLASSES, LENGTHS, SHORT, O>
{
    type Times = Model<1, 8, 0>;

    const NEW: Self = Self::EMPTY;
    const HEARS: bool = O::HEARS;

    #[inline(always)]
    fn hear<L: Lane>(&mut self, beside: L) {
        self.opinion.hear(beside, self.slow);
    }

    #[inline]
    fn code<L: Lane, C: Coder>(&mut self, coder: &mut C, residual: L) -> L {
        let class = self.class();
        let row = self.opinion.row();
        let zeros = usize::from(self.zeros & 3);
        let zero = &mut self.zero[class][zeros];
        if !self.opinion.bit(coder, zero, Some(row), zeros, residual != L::default()) {
            self.zeros = (self.zeros + 1).min(3);
            self.follow(0);
            return L::default();
        }
        self.zeros = 0;
        let sign = usize::from(self.last_sign.min(2));
        let place = self.opinion.sign(sign);
        let negative = self.opinion.bit(coder, &mut self.sign[sign], None, place, residual < L::default());
        self.last_sign = 1 + u8::from(negative);

        let wanted = residual.magnitude_bits().wrapping_sub(1) & 63;
        let tree = &mut self.length[class];
        let long = self.opinion.bit(coder, &mut tree[0], Some(row), 4, wanted >= 32);
        // Nodes 1 to 31 are the tree of short lengths, 32 to 38 the upper levels of that of long ones.
        let (levels, base) = if long { (3, 31) } else { (5, 0) };
        let mut node = 1_usize;
        for level in 0..levels {
            let at = (base + node).min(NODES - 1);
            let wanted = wanted >> (4 - level) & 1 == 1;
            let bit = self.opinion.bit(coder, &mut tree[at], Some(row), 4 + at, wanted);
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
