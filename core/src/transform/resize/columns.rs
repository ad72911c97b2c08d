//! The pass along a row: every output pixel is a weighted sum of pixels of the row before.
//!
//! Neighbours' sums lie at almost the same distance from their own place, so a block of output pixels is computed as
//! one vector: `lane[i] += row[base + i + tap * bands] * weight[tap][i]`, without gathering. A lane whose first pixel
//! is further on has zero weights before it. Blocks whose positions repeat share their weights, so that a factor
//! such as 9/10 needs a table of a few KiB. Where the table would be large, or the bands are unusual, weights are
//! kept once for each pixel and the loop is plain.
//!
//! The invariant: zero weights add nothing, so the result does not depend on how a row was cut into blocks.

use super::axis::{Axis, common_divisor};
use super::kernel::Kernel;
use super::pass::Pass;
use crate::budget::{Budget, Exhausted, Layout};
use crate::shape::Cols;

/// The most bytes of a table of weights for whole vectors.
const MAX_LANE_BYTES: u64 = 1 << 20;

/// Where a block of output pixels starts to look (in pixels of the row with its left halo), and its weights' number.
type Block = [u32; 2];

/// A pass along rows, laid out for a span of output columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    axis: Axis,
    kernel: Kernel,
    bands: usize,
    output: Cols,
    /// First input block of the row.
    first: u32,
    /// Input blocks in the row.
    len: u32,
    /// Output pixels in a vector; 1 for the plain loop.
    step: u32,
    /// Weights for each output pixel.
    taps: u32,
    /// Blocks or pixels with weights of their own.
    distinct: u64,
}

/// The tables of a pass.
#[derive(Debug)]
pub(super) struct Tables<'a, W> {
    blocks: &'a mut [Block],
    weights: &'a mut [W],
}

impl Columns {
    /// A pass from the blocks of `axis` to the columns `output`.
    pub(super) fn new<T: Pass>(axis: Axis, kernel: Kernel, bands: u16, output: Cols) -> Self {
        let first = axis.blocks(kernel, output.start()).start();
        let end = axis.blocks(kernel, output.end().saturating_sub(1).max(output.start())).end();
        let bands = usize::from(bands);
        let plain = Self {
            axis,
            kernel,
            bands,
            output,
            first,
            len: end - first,
            step: 1,
            taps: axis.most_blocks(kernel),
            distinct: u64::from(output.len()),
        };
        let (num, den) = axis.factor();
        let num = num.max(1);
        // Wide vectors pay where input and output keep step.
        let near = 4 * den >= 3 * num && 3 * den <= 4 * num;
        let step = match bands {
            1 if near => 16,
            // Three whole vectors of 16-bit sums.
            3 if near && size_of::<T::Sum>() == 2 => 16,
            1 | 3 | 4 => 8,
            _ => return plain,
        };
        let drift = match den >= num {
            true => ((den - num) * (step - 1) + num - 1) / num,
            false => ((num - den) * (step - 1) + num - 1) / num,
        };
        // Near the edges lanes start where the image does: all that a kernel covers is what bounds their distance.
        let covered = axis.kernel_blocks(kernel);
        let taps = padded(covered.saturating_add(u32::try_from(drift).unwrap_or(u32::MAX)));
        let blocks = u64::from(output.len()).div_ceil(step as u64);
        // Blocks that look beyond the image have weights of their own: about a radius at each end.
        let radius_pixels = (i64::from(covered) + 4) * num / den.max(1) + 4;
        let at_ends = 2 * (radius_pixels / step + 2) as u64 + 2;
        let lanes = Self {
            step: step as u32,
            taps,
            distinct: blocks.min(plain.period(step).saturating_add(at_ends)),
            ..plain
        };
        let bytes = lanes
            .distinct
            .saturating_mul(lanes.block_weights())
            .saturating_mul(size_of::<T::Weight>() as u64);
        if bytes <= MAX_LANE_BYTES { lanes } else { plain }
    }

    /// After how many blocks of `step` output pixels the weights repeat.
    fn period(&self, step: i64) -> u64 {
        let period = self.axis.period();
        period.checked_div(common_divisor(period, step.unsigned_abs())).unwrap_or(period)
    }

    /// Weights of one block.
    fn block_weights(&self) -> u64 {
        let lanes = if self.step == 1 { 1 } else { u64::from(self.step) * self.bands as u64 };
        u64::from(self.taps).saturating_mul(lanes)
    }

    /// Pixels before the first one of a row that a vector may touch, with a weight of zero.
    fn halo(&self) -> u32 {
        if self.step == 1 { 0 } else { self.step }
    }

    /// Samples of a row for this pass, with what vectors touch on both sides.
    pub(super) fn row_samples(&self) -> u64 {
        let right = if self.step == 1 { 0 } else { self.taps.saturating_add(self.step) };
        let pixels = u64::from(self.halo()) + u64::from(self.len) + u64::from(right);
        pixels.saturating_mul(self.bands as u64)
    }

    /// The part of such a row that holds its pixels.
    #[inline(always)]
    pub(super) fn pixels<'r, M>(&self, row: &'r mut [M]) -> &'r mut [M] {
        let start = self.halo() as usize * self.bands;
        row.get_mut(start..start + self.len as usize * self.bands).unwrap_or_default()
    }

    /// Leases of the tables.
    pub(super) fn layout<T: Pass>(&self, layout: Layout) -> Layout {
        layout
            .with::<Block>(self.blocks())
            .with::<T::Weight>(self.distinct.saturating_mul(self.block_weights()))
    }

    fn blocks(&self) -> u64 {
        u64::from(self.output.len().div_ceil(self.step.max(1)))
    }

    /// Takes the leases.
    pub(super) fn lease<'m, T: Pass>(
        &self,
        budget: &mut Budget<'m>,
    ) -> Result<Tables<'m, T::Weight>, Exhausted> {
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Ok(Tables {
            blocks: budget.lease("resize columns", count(self.blocks()))?,
            weights: budget
                .lease("resize weights", count(self.distinct.saturating_mul(self.block_weights())))?,
        })
    }

    /// The first block that the pixels of block `index` look at, less their place in it.
    fn base(&self, index: u32) -> i64 {
        let starts = (0..self.step).filter_map(|lane| {
            let at = self.output.start() + index * self.step + lane;
            let blocks = self.axis.blocks(self.kernel, at.min(self.output.end().saturating_sub(1)));
            (at < self.output.end()).then_some(i64::from(blocks.start()) - i64::from(lane))
        });
        starts.min().unwrap_or(0)
    }

    /// Whether block `index` is whole and looks at nothing outside the image.
    fn is_inside(&self, index: u32) -> bool {
        let from = self.output.start() + index * self.step;
        let Some(last) = from.checked_add(self.step - 1).filter(|last| *last < self.output.end()) else {
            return false;
        };
        let start = self.axis.reach(self.kernel, from).0;
        start >= 0 && self.axis.reach(self.kernel, last).1 <= i64::from(self.axis.input())
    }

    /// Fills the tables.
    pub(super) fn fill<T: Pass>(&self, tables: &mut Tables<'_, T::Weight>) {
        let period = u32::try_from(self.period(i64::from(self.step))).unwrap_or(u32::MAX);
        let size = self.block_weights() as usize;
        let mut fresh = 0u32;
        for index in 0..self.blocks() as u32 {
            let base = self.base(index);
            let start = (base - i64::from(self.first) + i64::from(self.halo())).max(0) as u32;
            let before = index
                .checked_sub(period)
                .filter(|before| self.step > 1 && self.is_inside(*before) && self.is_inside(index));
            let shared = before.and_then(|before| tables.blocks.get(before as usize)).map(|block| block[1]);
            let number = shared.unwrap_or(fresh);
            if let Some(block) = tables.blocks.get_mut(index as usize) {
                *block = [start, number];
            }
            if shared.is_some() {
                continue;
            }
            let weights =
                tables.weights.chunks_exact_mut(size.max(1)).nth(fresh as usize).unwrap_or_default();
            self.fill_block::<T>(index, base, weights);
            fresh += 1;
        }
    }

    /// The weights of one block: for each tap those of all lanes.
    fn fill_block<T: Pass>(&self, index: u32, base: i64, weights: &mut [T::Weight]) {
        let bands = if self.step == 1 { 1 } else { self.bands };
        let lanes = self.step as usize * bands;
        weights.fill(T::weight(0));
        for lane in 0..self.step {
            let at = self.output.start() + index * self.step + lane;
            if at >= self.output.end() {
                break;
            }
            let taps = self.axis.taps(self.kernel, at, T::WEIGHT_BITS);
            let first = i64::from(taps.blocks.start()) - i64::from(lane) - base;
            for (tap, units) in (first.max(0) as usize..).zip(taps.units()) {
                let start = tap * lanes + lane as usize * bands;
                weights.get_mut(start..start + bands).unwrap_or_default().fill(T::weight(*units));
            }
        }
    }

    /// Computes one row: `store` turns sums into what `output` holds.
    #[inline(always)]
    pub(super) fn run<T: Pass, O: Copy + Default>(
        &self,
        tables: &Tables<'_, T::Weight>,
        row: &[T::Mid],
        output: &mut [O],
        store: impl Fn(T::Sum) -> O + Copy,
    ) {
        match (self.step, self.bands) {
            (16, 1) => self.vectors::<T, O, 16>(tables, row, 1, output, store),
            (8, 1) => self.vectors::<T, O, 8>(tables, row, 1, output, store),
            (16, 3) if size_of::<T::Sum>() == 2 => self.vectors::<T, O, 48>(tables, row, 3, output, store),
            (8, 3) => self.vectors::<T, O, 24>(tables, row, 3, output, store),
            (8, 4) => self.vectors::<T, O, 32>(tables, row, 4, output, store),
            _ => self.plain::<T, O>(tables, row, output, store),
        }
    }

    #[inline(always)]
    fn vectors<T: Pass, O: Copy + Default, const LANES: usize>(
        &self,
        tables: &Tables<'_, T::Weight>,
        row: &[T::Mid],
        bands: usize,
        output: &mut [O],
        store: impl Fn(T::Sum) -> O + Copy,
    ) {
        let (blocks, weights) = (&*tables.blocks, &*tables.weights);
        match self.taps {
            2 => fixed::<T, O, LANES, 2>(blocks, weights, row, bands, output, store),
            3 => fixed::<T, O, LANES, 3>(blocks, weights, row, bands, output, store),
            4 => fixed::<T, O, LANES, 4>(blocks, weights, row, bands, output, store),
            5 => fixed::<T, O, LANES, 5>(blocks, weights, row, bands, output, store),
            6 => fixed::<T, O, LANES, 6>(blocks, weights, row, bands, output, store),
            8 => fixed::<T, O, LANES, 8>(blocks, weights, row, bands, output, store),
            _ => many::<T, O, LANES>(blocks, weights, row, bands, self.taps as usize, output, store),
        }
    }

    #[inline(always)]
    fn plain<T: Pass, O: Copy>(
        &self,
        tables: &Tables<'_, T::Weight>,
        row: &[T::Mid],
        output: &mut [O],
        store: impl Fn(T::Sum) -> O,
    ) {
        let bands = self.bands.max(1);
        let weights = tables.weights.chunks_exact((self.taps as usize).max(1));
        for ((output, block), weights) in
            output.chunks_exact_mut(bands).zip(tables.blocks.iter()).zip(weights)
        {
            let source = row.get(block[0] as usize * bands..).unwrap_or_default();
            for (band, output) in output.iter_mut().enumerate() {
                let samples = source.iter().skip(band).step_by(bands);
                let sum = samples
                    .zip(weights)
                    .fold(T::Sum::default(), |sum, (mid, weight)| T::add_mid(sum, *mid, *weight));
                *output = store(sum);
            }
        }
    }
}

/// How many taps are computed where `taps` are needed.
fn padded(taps: u32) -> u32 {
    match taps {
        0..=2 => 2,
        3..=6 => taps,
        7..=8 => 8,
        _ => taps.div_ceil(4).saturating_mul(4),
    }
}

/// `TAPS` slices of `LANES` samples, each one pixel further on. One look at the row's length, not one for each tap.
#[inline(always)]
fn taps<M, const LANES: usize, const TAPS: usize>(
    row: &[M],
    start: usize,
    bands: usize,
) -> Option<[&[M; LANES]; TAPS]> {
    let window = row.get(start..)?.get(..LANES + TAPS * bands)?;
    let mut slices = [window.first_chunk::<LANES>()?; TAPS];
    for (tap, slice) in slices.iter_mut().enumerate() {
        *slice = window.get(tap * bands..)?.first_chunk::<LANES>()?;
    }
    Some(slices)
}

/// Blocks of few taps: the sum of a lane never leaves its register. The last block may be cut.
#[inline(always)]
fn fixed<T: Pass, O: Copy + Default, const LANES: usize, const TAPS: usize>(
    blocks: &[Block],
    weights: &[T::Weight],
    row: &[T::Mid],
    bands: usize,
    output: &mut [O],
    store: impl Fn(T::Sum) -> O + Copy,
) {
    let (weights, _) = weights.as_chunks::<LANES>();
    let (weights, _) = weights.as_chunks::<TAPS>();
    let (whole, cut) = output.as_chunks_mut::<LANES>();
    let mut blocks = blocks.iter();
    // No closure for a block: the compiler may leave it outside, and then compiles it for the baseline.
    for (output, block) in whole.iter_mut().zip(&mut blocks) {
        let Some(weights) = weights.get(block[1] as usize) else { return };
        let Some(source) = taps::<T::Mid, LANES, TAPS>(row, block[0] as usize * bands, bands) else { return };
        *output = T::across(source, weights, store);
    }
    let Some(block) = blocks.next() else { return };
    let Some(weights) = weights.get(block[1] as usize) else { return };
    let Some(source) = taps::<T::Mid, LANES, TAPS>(row, block[0] as usize * bands, bands) else { return };
    for (output, result) in cut.iter_mut().zip(T::across(source, weights, store)) {
        *output = result;
    }
}

/// Blocks of many taps, four at a time.
#[inline(always)]
fn many<T: Pass, O: Copy + Default, const LANES: usize>(
    blocks: &[Block],
    weights: &[T::Weight],
    row: &[T::Mid],
    bands: usize,
    count: usize,
    output: &mut [O],
    store: impl Fn(T::Sum) -> O + Copy,
) {
    let (weights, _) = weights.as_chunks::<LANES>();
    let (fours, _) = weights.as_chunks::<4>();
    let groups = count / 4;
    for (block, output) in blocks.iter().zip(output.chunks_mut(LANES)) {
        let from = block[1] as usize * groups;
        let Some(fours) = fours.get(from..from + groups) else { return };
        let mut sums = [T::Sum::default(); LANES];
        for (group, weights) in fours.iter().enumerate() {
            let start = (block[0] as usize + 4 * group) * bands;
            let Some(source) = taps::<T::Mid, LANES, 4>(row, start, bands) else { return };
            sums = four::<T, LANES>(sums, source, weights);
        }
        let result = stored::<T, O, LANES>(sums, store);
        match output.first_chunk_mut::<LANES>() {
            Some(output) => *output = result,
            None => output.copy_from_slice(result.get(..output.len()).unwrap_or_default()),
        }
    }
}

/// The results of the sums of one block.
#[inline(always)]
fn stored<T: Pass, O: Copy + Default, const LANES: usize>(
    sums: [T::Sum; LANES],
    store: impl Fn(T::Sum) -> O,
) -> [O; LANES] {
    let mut result = [O::default(); LANES];
    for lane in 0..LANES {
        result[lane] = store(sums[lane]);
    }
    result
}

/// Four more taps of one block.
#[inline(always)]
fn four<T: Pass, const LANES: usize>(
    mut sums: [T::Sum; LANES],
    source: [&[T::Mid; LANES]; 4],
    weights: &[[T::Weight; LANES]; 4],
) -> [T::Sum; LANES] {
    for lane in 0..LANES {
        for tap in 0..4 {
            sums[lane] = T::add_mid(sums[lane], source[tap][lane], weights[tap][lane]);
        }
    }
    sums
}
