//! Where each output row or column looks in the input: exact integers only, so that the plan and the run, and every
//! target, see the same pixels.
//!
//! The invariant: all positions of an axis are fractions with one denominator, `2 * num`. Output pixel `i` of `m` has
//! its centre at `((2i + 1 - m) * den + (n - 1) * num) / (2 * num)`, counted in input pixels from the centre of the
//! first one; `num / den` is the factor. So the centres of both images coincide, and what rounding the output's size
//! adds or takes is shared by both ends.

use super::kernel::Kernel;
use crate::shape::Span;

/// The longest side of an image that is resampled, in pixels: below it no position overflows 64 bits.
pub(super) const MAX_SIDE: u32 = 1 << 30;

/// What is left for the kernel to shrink, at least, where blocks of pixels are averaged before: the kernel then still
/// decides what the result looks like.
const RESIDUAL: i64 = 3;

/// One axis of a resampling, over blocks of `block` input pixels that are averaged before (1: none).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Axis {
    input: u32,
    output: u32,
    num: i64,
    den: i64,
    block: u32,
}

impl Axis {
    /// An axis from `input` to `output` pixels with the factor `num / den`; all at least 1 and at most [`MAX_SIDE`].
    pub(super) fn new(input: u32, output: u32, num: u32, den: u32) -> Self {
        Self { input, output, num: i64::from(num.max(1)), den: i64::from(den.max(1)), block: 1 }
    }

    /// The same axis over averaged blocks, where it shrinks so much that `RESIDUAL` is left for the kernel.
    pub(super) fn blocked(self) -> Self {
        let block = (self.den / self.num.max(1) / RESIDUAL).clamp(1, i64::from(u16::MAX)) as u32;
        Self { block, ..self }
    }

    /// Pixels that are averaged before, as one.
    pub(super) fn block(&self) -> u32 {
        self.block
    }

    /// Input pixels, where blocks count as one.
    pub(super) fn input(&self) -> u32 {
        self.input.div_ceil(self.block.max(1))
    }

    /// Output pixels.
    pub(super) fn output(&self) -> u32 {
        self.output
    }

    /// Whether the output has more than half of the input's pixels a unit of length: then a window of rows is small.
    pub(super) fn is_mild(&self) -> bool {
        self.den <= 2 * self.num
    }

    /// `(num, den)` of the factor from blocks to output.
    pub(super) fn factor(&self) -> (i64, i64) {
        (self.num * i64::from(self.block), self.den)
    }

    /// The centre of output pixel `at`, in units of `1 / (2 * num)` blocks from the centre of the first block.
    pub(super) fn centre(&self, at: u32) -> i64 {
        let from_middle = 2 * i64::from(at) + 1 - i64::from(self.output);
        from_middle * self.den + (i64::from(self.input) - i64::from(self.block)) * self.num
    }

    /// Where output pixel `at` begins on the input, in units of `1 / (2 * num)` *pixels* (not blocks) from the
    /// outer edge of the first pixel; `at == output` gives the end of the last one. Not cut to the image.
    pub(super) fn edge(&self, at: u32) -> i64 {
        let from_middle = 2 * i64::from(at) - i64::from(self.output);
        from_middle * self.den + i64::from(self.input) * self.num
    }

    /// Half the stretched kernel's width, in units of `1 / (2 * num)` blocks.
    fn radius(&self, kernel: Kernel) -> i64 {
        let (num, den) = self.factor();
        match kernel {
            Kernel::Box => den,
            _ => kernel.diameter() * num.max(den),
        }
    }

    /// The half-open range of blocks that output pixel `at` looks at, also where they lie outside the image.
    pub(super) fn reach(&self, kernel: Kernel, at: u32) -> (i64, i64) {
        let (num, _) = self.factor();
        let (centre, radius, unit) = (self.centre(at), self.radius(kernel), (2 * num).max(1));
        match kernel {
            // Pixel k covers k - 1/2 .. k + 1/2.
            Kernel::Box => {
                let start = (centre - radius + num).div_euclid(unit);
                (start, ceil_div(centre + radius + num, unit))
            }
            // Both ends of the kernel weigh nothing.
            _ => ((centre - radius).div_euclid(unit) + 1, ceil_div(centre + radius, unit)),
        }
    }

    /// The blocks that output pixel `at` looks at: those of the image.
    pub(super) fn blocks(&self, kernel: Kernel, at: u32) -> Span {
        let (start, end) = self.reach(kernel, at);
        let last = i64::from(self.input()) - 1;
        let start = start.clamp(0, last.max(0)) as u32;
        let end = end.min(last.max(0) + 1).max(i64::from(start) + 1) as u32;
        Span::new(start, end)
    }

    /// The blocks that a span of output pixels needs.
    pub(super) fn span(&self, kernel: Kernel, output: Span) -> Span {
        if output.is_empty() {
            return Span::new(0, 0);
        }
        let first = self.blocks(kernel, output.start()).start();
        Span::new(first, self.blocks(kernel, output.end() - 1).end())
    }

    /// The input pixels that a span of output pixels needs.
    pub(super) fn pixels(&self, kernel: Kernel, output: Span) -> Span {
        self.pixels_of(self.span(kernel, output))
    }

    /// The input pixels of a span of blocks.
    pub(super) fn pixels_of(&self, blocks: Span) -> Span {
        let pixel = |block: u32| block.saturating_mul(self.block).min(self.input);
        Span::new(pixel(blocks.start()), pixel(blocks.end()))
    }

    /// The most blocks that a kernel covers, also where they lie outside the image.
    pub(super) fn kernel_blocks(&self, kernel: Kernel) -> u32 {
        let (num, _) = self.factor();
        let most = ceil_div(2 * self.radius(kernel), (2 * num).max(1)) + i64::from(kernel == Kernel::Box);
        u32::try_from(most.max(1)).unwrap_or(u32::MAX)
    }

    /// The most blocks that any output pixel looks at.
    pub(super) fn most_blocks(&self, kernel: Kernel) -> u32 {
        self.kernel_blocks(kernel).min(self.input().max(1))
    }

    /// The most input pixels that any output pixel needs.
    pub(super) fn most_pixels(&self, kernel: Kernel) -> u32 {
        self.most_blocks(kernel).saturating_mul(self.block).min(self.input)
    }

    /// After how many output pixels the positions repeat, relative to the input's pixels.
    pub(super) fn period(&self) -> u64 {
        let (num, den) = self.factor();
        num.unsigned_abs() / common_divisor(num.unsigned_abs(), den.unsigned_abs())
    }

    /// The weights of output pixel `at`.
    pub(super) fn taps(&self, kernel: Kernel, at: u32, bits: u32) -> Taps {
        let (num, den) = self.factor();
        let (centre, radius) = (self.centre(at), self.radius(kernel));
        let (start, end) = self.reach(kernel, at);
        let inside = self.blocks(kernel, at);
        let mut taps = Taps { blocks: inside, units: [0; MAX_TAPS] };
        let mut raw = [0.0f64; MAX_TAPS];
        let stretch = (2 * num.max(den)) as f64;
        for block in start..end {
            let position = 2 * num * block;
            let weight = match kernel {
                Kernel::Box => {
                    let from = (centre - radius).max(position - num);
                    let to = (centre + radius).min(position + num);
                    // What lies outside the image does not count.
                    let outside = block < i64::from(inside.start()) || block >= i64::from(inside.end());
                    if outside { 0.0 } else { (to - from).max(0) as f64 }
                }
                _ => kernel.value((position - centre) as f64 / stretch),
            };
            // Beyond the edge the edge pixel goes on.
            let at = block.min(i64::from(inside.end()) - 1).max(i64::from(inside.start()));
            let slot = (at - i64::from(inside.start())) as usize;
            if let Some(slot) = raw.get_mut(slot) {
                *slot += weight;
            }
        }
        taps.quantise(&raw, bits);
        taps
    }
}

/// The most taps of an output pixel: Lanczos3 stretched by less than twice [`RESIDUAL`].
pub(super) const MAX_TAPS: usize = 40;

/// The weights of one output pixel, in units of `2^-bits`; they sum to exactly one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taps {
    /// The blocks they belong to.
    pub(super) blocks: Span,
    units: [i32; MAX_TAPS],
}

impl Taps {
    /// The weights in order.
    pub(super) fn units(&self) -> &[i32] {
        self.units.get(..self.blocks.len() as usize).unwrap_or(&self.units)
    }

    /// Rounds each weight, and gives what is then missing from one to the largest.
    fn quantise(&mut self, raw: &[f64; MAX_TAPS], bits: u32) {
        let one = 1i32 << bits.min(30);
        let sum: f64 = raw.iter().sum();
        let scale = if sum > 0.0 { f64::from(one) / sum } else { 0.0 };
        let (mut left, mut largest, mut top) = (one, 0, f64::MIN);
        for (index, (units, raw)) in self.units.iter_mut().zip(raw).enumerate() {
            *units = libm::rint(raw * scale) as i32;
            left = left.wrapping_sub(*units);
            if *raw > top {
                (top, largest) = (*raw, index);
            }
        }
        if let Some(units) = self.units.get_mut(largest) {
            *units = units.wrapping_add(left);
        }
    }
}

/// The greatest common divisor, at least 1.
pub(super) fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

fn ceil_div(a: i64, b: i64) -> i64 {
    -(-a).div_euclid(b)
}
