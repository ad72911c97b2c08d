//! The `rice` back end: Golomb-Rice codes whose parameter follows the residuals (R. F. Rice, "Some practical universal
//! noiseless coding techniques", 1979). No probabilities, no multiplications in the coding.

use super::coder::{Coder, Residuals};
use super::lane::{Lane, bits_wide};

/// Ones before the zero at most; so many say that the residual follows as it is.
const MOST_ONES: u32 = 20;

/// How large residuals are of late.
#[derive(Clone, Copy, Debug)]
pub struct Rice {
    /// Sixteen times the mean of what is coded.
    mean: u64,
}

impl Residuals for Rice {
    type Times = Rice;

    const NEW: Self = Rice { mean: 16 };

    #[inline]
    fn code<L: Lane, C: Coder>(&mut self, coder: &mut C, residual: L) -> L {
        // 2^bits is about the mean.
        let bits = bits_wide(self.mean >> 4).saturating_sub(1).min(L::BITS - 1);
        let wide = residual.wide();
        let folded = ((wide << 1) ^ (wide >> 63)) as u64;
        let (ones, mut count) = (folded >> bits, 0);
        while count < MOST_ONES && coder.raw(u32::from(ones > u64::from(count)), 1) == 1 {
            count += 1;
        }
        let folded = match count {
            MOST_ONES => coder.number(folded),
            _ => u64::from(count) << bits | coder.raw_long(folded, bits),
        };
        self.mean = self.mean - (self.mean >> 4) + folded.min(1 << 59);
        L::from_wide((folded >> 1) as i64 ^ -((folded & 1) as i64))
    }
}
