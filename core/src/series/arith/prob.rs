//! The adaptive probability of one binary decision, in two bytes.

/// Probability that the bit is 0, with how often it was seen: 12 bits and 4.
///
/// The first bits move it as counting would (1/2, 1/3, 1/4 ... of the way), later ones by a fixed part: it learns
/// at once and then follows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prob(u16);

/// How far the n-th bit moves the probability, in 65536ths.
const RATES: [u16; 16] =
    [26214, 18724, 14563, 11915, 10082, 8738, 7710, 6898, 6241, 5461, 4681, 4096, 3640, 3276, 2730, 2048];

/// How much of the way is left then.
static KEPT: [u16; 16] = {
    let (mut kept, mut seen) = ([0; 16], 0);
    while seen < 16 {
        kept[seen] = (65536 - RATES[seen] as u32) as u16;
        seen += 1;
    }
    kept
};

impl Prob {
    /// Both bits equally likely, nothing seen.
    pub(crate) const EVEN: Prob = Prob(2048 << 4);

    /// A 1 is seldom: of what is as it mostly is nothing needs to be learnt.
    pub(crate) const SELDOM: Prob = Prob(4000 << 4 | 6);

    /// Probability of a 0 in 4096ths: 1 to 4094. It never reaches 0 or 4095, since from 1 the largest rate moves it by
    /// less than a half, which is rounded to nothing.
    #[inline(always)]
    pub(crate) fn zero(self) -> u32 {
        u32::from(self.0 >> 4)
    }

    /// A `bit` was seen.
    #[inline(always)]
    pub(crate) fn see(&mut self, bit: bool) {
        let (p, seen) = (u32::from(self.0 >> 4), self.0 & 15);
        let kept = u32::from(KEPT[usize::from(seen)]);
        // What moves towards 0 is the probability of the other bit, which for a 0 is 4095 - p. Bits that are worth coding
        // are hard to foresee for a processor, too: nothing branches on them.
        let other = if bit { 0 } else { 4095 };
        let q = p ^ other;
        // The part that it moves is rounded, halves up.
        let p = ((q * kept + 32767) >> 16) ^ other;
        // At most 15.
        let seen = seen + 1 - ((seen + 1) >> 4);
        self.0 = (p as u16) << 4 | seen;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_what_the_format_leaves() {
        for (rate, kept) in RATES.iter().zip(KEPT) {
            let (rate, kept) = (u32::from(*rate), u32::from(kept));
            for q in (0..4096).step_by(if cfg!(miri) { 61 } else { 1 }) {
                assert_eq!((q * kept + 32767) >> 16, q - ((q * rate + 32768) >> 16), "{q} by {rate}");
            }
        }
    }

    #[test]
    fn no_bits_make_either_bit_impossible() {
        for start in [Prob::EVEN, Prob::SELDOM] {
            for bits in [0_u32, u32::MAX, 0x5555_5555, 0x8000_0001] {
                let mut prob = start;
                for at in 0..2000 {
                    prob.see(bits.rotate_left(at % 32) & 1 == 1);
                    assert!((1..=4094).contains(&prob.zero()), "{} after {at} of {bits:x}", prob.zero());
                }
            }
        }
    }
}
