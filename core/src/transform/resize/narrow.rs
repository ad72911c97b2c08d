//! The arithmetic of u8 in 16 bits: for the kernels that weigh at most three pixels, none of them negatively. A vector
//! holds twice as many lanes as with 32-bit sums.
//!
//! The invariant: no sum leaves 16 bits, and equal samples stay exactly so.

use super::geometry::Axes;
use super::kernel::Kernel;
use super::pass::Pass;

/// u8 with at most [`MOST_TAPS`] weights, none negative: linear by 2/3 and more, the box by 1/2 and more. The largest
/// error of a resize is 0.5 + 0.05.
///
/// Weights are 1/2^15, samples between the passes 1/2^8, sums of the second pass 1/2^7.
#[derive(Clone, Copy, Debug)]
pub(super) struct Narrow;

/// Three weights that sum to 2^15 have low parts of 7 bits that sum to at most 2^8, which times 255 fits 16 bits.
const MOST_TAPS: u32 = 3;

/// Bits of the low part of a weight; the high part counts what a sample has behind the point between the passes.
const LOW_BITS: u32 = 7;

/// Bits behind the point of a sum of the second pass.
const SUM_BITS: u32 = 7;

impl Narrow {
    /// Whether this arithmetic is enough.
    pub(super) fn suits(kernel: Kernel, axes: &Axes) -> bool {
        let is_positive = matches!(kernel, Kernel::Box | Kernel::Linear);
        is_positive && [axes.rows, axes.cols].iter().all(|axis| axis.kernel_blocks(kernel) <= MOST_TAPS)
    }
}

/// The upper half of a product. Each product loses less than one unit.
#[inline(always)]
fn upper(mid: u16, weight: u16) -> u16 {
    ((u32::from(mid) * u32::from(weight)) >> 16) as u16
}

impl Pass for Narrow {
    type Sample = u8;
    type Weight = u16;
    type Mid = u16;
    type Sum = u16;
    const WEIGHT_BITS: u32 = 15;

    #[inline(always)]
    fn weight(units: i32) -> u16 {
        units as u16
    }

    // Both parts of a weight have a sum of their own: together they are the whole product.
    #[inline(always)]
    fn down<const LANES: usize, const TAPS: usize>(
        source: [&[u8; LANES]; TAPS],
        weights: [u16; TAPS],
    ) -> [u16; LANES] {
        let parts = weights.map(|weight| [weight >> LOW_BITS, weight & ((1 << LOW_BITS) - 1)]);
        let mut result = [0; LANES];
        for lane in 0..LANES {
            let (mut high, mut low) = (0u16, 1u16 << (LOW_BITS - 1));
            for tap in 0..TAPS {
                let sample = u16::from(source[tap][lane]);
                high = high.wrapping_add(sample.wrapping_mul(parts[tap][0]));
                low = low.wrapping_add(sample.wrapping_mul(parts[tap][1]));
            }
            result[lane] = high.wrapping_add(low >> LOW_BITS);
        }
        result
    }

    // A loop for each step: the multiplication alone then stays as wide as its operands.
    #[inline(always)]
    fn across<O: Copy + Default, const LANES: usize, const TAPS: usize>(
        source: [&[u16; LANES]; TAPS],
        weights: &[[u16; LANES]; TAPS],
        store: impl Fn(u16) -> O,
    ) -> [O; LANES] {
        let mut sums = [0u16; LANES];
        for tap in 0..TAPS {
            let mut products = [0; LANES];
            for lane in 0..LANES {
                products[lane] = upper(source[tap][lane], weights[tap][lane]);
            }
            for lane in 0..LANES {
                sums[lane] = sums[lane].wrapping_add(products[lane]);
            }
        }
        let mut result = [O::default(); LANES];
        for lane in 0..LANES {
            result[lane] = store(sums[lane]);
        }
        result
    }

    #[inline(always)]
    fn add_mid(sum: u16, mid: u16, weight: u16) -> u16 {
        sum.wrapping_add(upper(mid, weight))
    }

    // Half a step, and one unit more for what the products lost. At most 255 * 2^7 comes in: it needs no clamp.
    #[inline(always)]
    fn finish(sum: u16) -> u8 {
        (sum.wrapping_add((1 << (SUM_BITS - 1)) + 1) >> SUM_BITS) as u8
    }

    #[inline(always)]
    fn mean(run: &[u16], band: usize, bands: usize) -> u16 {
        let (mut sum, mut count) = (0u64, 0u64);
        for mid in run.iter().skip(band).step_by(bands.max(1)) {
            sum += u64::from(*mid);
            count += 1;
        }
        (2 * sum + count).checked_div(2 * count).unwrap_or(0) as u16
    }
}
