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

impl Prob {
    /// Both bits equally likely, nothing seen.
    pub(crate) const EVEN: Prob = Prob(2048 << 4);

    /// A 1 is seldom: of what is as it mostly is nothing needs to be learnt.
    pub(crate) const SELDOM: Prob = Prob(4000 << 4 | 6);

    /// Probability of a 0 in 4096ths: 1 to 4095.
    #[inline(always)]
    pub(crate) fn zero(self) -> u32 {
        u32::from(self.0 >> 4).max(1)
    }

    /// A `bit` was seen.
    #[inline(always)]
    pub(crate) fn see(&mut self, bit: bool) {
        let (p, seen) = (u32::from(self.0 >> 4), self.0 & 15);
        let rate = u32::from(RATES[usize::from(seen)]);
        let p = if bit { p - ((p * rate + 32768) >> 16) } else { p + (((4095 - p) * rate + 32768) >> 16) };
        self.0 = (p as u16) << 4 | (seen + 1).min(15);
    }
}
