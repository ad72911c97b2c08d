//! The stage that makes a map of structural similarity of two pictures (Wang, Bovik, Sheikh and Simoncelli 2004, "Image
//! quality assessment: from error visibility to structural similarity", IEEE Trans. Image Processing 13(4)).
//!
//! It takes the two as one image whose bands are the first picture's, then the second's. The mean of the map, which
//! [`Statistics`](super::Statistics) finds exactly, is their SSIM.

use crate::budget::{Budget, Layout};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Sample, SampleKind, Shape, Span, by_kind};
use crate::strip::{Strip, StripMut};
use crate::transform::Host;

/// The most rows and columns of a window.
const MOST: usize = 11;

/// Columns of the output that are made at once, in one band: what they need stays in the first cache.
const BLOCK: usize = 256;

/// Columns of the input that a block looks at.
const BLOCK_INPUT: usize = BLOCK + MOST - 1;

/// Weighted sums over the window: of the first picture, the second, both squared, and their product.
const SUMS: usize = 5;

/// Leased values of one block: two rows of samples, column sums, window sums.
const SCRATCH: usize = (2 + SUMS) * BLOCK_INPUT + SUMS * BLOCK;

/// Over which neighbourhood pictures are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SsimWindow {
    /// 8 x 8, all weights the same.
    Uniform8,
    /// 11 x 11, a Gaussian of deviation 1.5: the window of the paper.
    Gaussian11,
}

impl SsimWindow {
    /// Rows, and columns, of the window.
    pub const fn size(self) -> u32 {
        match self {
            Self::Uniform8 => 8,
            Self::Gaussian11 => 11,
        }
    }

    /// Hands `host` the stage that compares samples of `kind` over this window.
    pub fn accept<H: Host>(self, kind: SampleKind, host: &mut H) -> H::Built {
        by_kind!(kind, T => host.accept(Ssim::<T>::new(self)))
    }

    /// The weights of rows, and of columns. They sum up to one.
    fn weights(self) -> [f64; MOST] {
        let mut weights = [0.0; MOST];
        match self {
            // A power of two: sums of 8 and 16-bit samples stay exact.
            Self::Uniform8 => weights.iter_mut().take(8).for_each(|weight| *weight = 0.125),
            Self::Gaussian11 => {
                for (at, weight) in weights.iter_mut().enumerate() {
                    let from_middle = at as f64 - 5.0;
                    *weight = libm::exp(-from_middle * from_middle / (2.0 * 1.5 * 1.5));
                }
                let sum: f64 = weights.iter().sum();
                weights.iter_mut().for_each(|weight| *weight /= sum);
            }
        }
        weights
    }
}

/// Makes a map of similarity: for each window that lies inside, each band of the first picture against the same band
/// of the second, from 1.0 (equal) down to -1.0 at the least. The output is smaller than the input by the window less
/// one, in rows and columns, has half the bands, and is of doubles.
///
/// Means, variances and covariance are those of the weighted window itself, as in the paper (not scaled up to those of
/// a sample); `K1 = 0.01`, `K2 = 0.03`, and `L` is white: the largest integer of the kind, or 1.0. Worked out in
/// doubles, rows before columns, each in order: 8 and 16-bit samples in the uniform window are summed exactly. NaN
/// makes NaN of every window that it is in.
///
/// Costs 25 KiB of memory, and some `10 * window` multiplications a sample.
#[derive(Clone, Copy, Debug)]
pub struct Ssim<T> {
    window: SsimWindow,
    weights: [f64; MOST],
    kind: core::marker::PhantomData<fn(T)>,
}

impl<T: Sample> Ssim<T> {
    /// A comparison over this window.
    pub fn new(window: SsimWindow) -> Self {
        Self { window, weights: window.weights(), kind: core::marker::PhantomData }
    }

    fn grow(&self, span: Span) -> Span {
        let halo = if span.is_empty() { 0 } else { self.window.size() - 1 };
        Span::new(span.start(), span.end().saturating_add(halo))
    }
}

impl<T: Sample> Stage for Ssim<T> {
    fn name(&self) -> &'static str {
        "ssim"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind != T::KIND {
            return Err(StageError::Kind { stage: "ssim", kind: input.kind });
        }
        if !input.bands.is_multiple_of(2) {
            return Err(StageError::Bands { stage: "ssim", bands: input.bands, needed: "an even number of" });
        }
        let inside = |n: u32| n.checked_sub(self.window.size() - 1).filter(|n| *n > 0);
        let (Some(rows), Some(cols)) = (inside(input.rows), inside(input.cols)) else {
            return Err(StageError::Geometry {
                stage: "ssim",
                problem: "the window is larger than the image",
                wanted: u64::from(self.window.size()),
                there: u64::from(input.rows.min(input.cols)),
            });
        };
        Ok(Shape::new(rows, cols, input.bands / 2, SampleKind::F64))
    }

    fn input(&self, output: Region, _input: Shape) -> Region {
        Region::new(self.grow(output.rows), self.grow(output.cols))
    }

    fn reach(&self, _input: Shape) -> u32 {
        self.window.size()
    }

    fn memory(&self, _view: &View) -> u64 {
        Layout::new().with::<f64>(SCRATCH as u64).bytes()
    }

    #[inline(always)]
    fn process(
        &self,
        _view: &View,
        memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        let size = self.window.size();
        let weights = self.weights.get(..size as usize).unwrap_or_default();
        let scratch = Budget::new(memory).lease::<f64>("ssim", SCRATCH)?;
        let (a, scratch) = scratch.split_at_mut(BLOCK_INPUT.min(scratch.len()));
        let (b, scratch) = scratch.split_at_mut(BLOCK_INPUT.min(scratch.len()));
        let (columns, windows) = scratch.split_at_mut((SUMS * BLOCK_INPUT).min(scratch.len()));
        let bands = usize::from(output.image().bands);
        let cols = output.cols().len() as usize;
        for row in output.rows().iter() {
            for band in 0..bands {
                for start in (0..cols).step_by(BLOCK) {
                    let width = BLOCK.min(cols - start);
                    columns.fill(0.0);
                    for (at, weight) in (row..row.saturating_add(size)).zip(weights) {
                        let from = input.row::<T>(at).get(start * 2 * bands..).unwrap_or_default();
                        unravel(from, band, bands, a, b);
                        add_row(*weight, a, b, columns);
                    }
                    sum_windows(weights, columns, windows);
                    let to = output.row_mut::<f64>(row).get_mut(start * bands..).unwrap_or_default();
                    let to = to.iter_mut().skip(band).step_by(bands).take(width);
                    similarities(windows, T::KIND.white(), to);
                }
            }
        }
        Ok(())
    }
}

/// The samples of one band of both pictures: as many as there is room for.
#[inline(always)]
fn unravel<T: Sample>(pixels: &[T], band: usize, bands: usize, a: &mut [f64], b: &mut [f64]) {
    for ((pixel, a), b) in pixels.chunks_exact((2 * bands).max(1)).zip(a).zip(b) {
        if let (Some(first), Some(second)) = (pixel.get(band), pixel.get(bands + band)) {
            (*a, *b) = (first.to_f64(), second.to_f64());
        }
    }
}

/// Adds one row of both pictures to the five column sums.
#[inline(always)]
fn add_row(weight: f64, a: &[f64], b: &[f64], columns: &mut [f64]) {
    let mut sums = columns.chunks_exact_mut(BLOCK_INPUT);
    add_terms(sums.next(), a, b, |a, _| weight * a);
    add_terms(sums.next(), a, b, |_, b| weight * b);
    add_terms(sums.next(), a, b, |a, _| weight * (a * a));
    add_terms(sums.next(), a, b, |_, b| weight * (b * b));
    add_terms(sums.next(), a, b, |a, b| weight * (a * b));
}

#[inline(always)]
fn add_terms(sums: Option<&mut [f64]>, a: &[f64], b: &[f64], term: impl Fn(f64, f64) -> f64) {
    for ((sum, a), b) in sums.unwrap_or_default().iter_mut().zip(a).zip(b) {
        *sum += term(*a, *b);
    }
}

/// From the column sums, the sums over each window.
#[inline(always)]
fn sum_windows(weights: &[f64], columns: &[f64], windows: &mut [f64]) {
    windows.fill(0.0);
    for (sums, columns) in windows.chunks_exact_mut(BLOCK).zip(columns.chunks_exact(BLOCK_INPUT)) {
        for (at, weight) in weights.iter().enumerate() {
            for (sum, column) in sums.iter_mut().zip(columns.get(at..).unwrap_or_default()) {
                *sum += weight * column;
            }
        }
    }
}

/// The formula (13) of the paper.
#[inline(always)]
fn similarities<'a>(windows: &[f64], white: f64, to: impl Iterator<Item = &'a mut f64>) {
    let (c1, c2) = ((0.01 * white) * (0.01 * white), (0.03 * white) * (0.03 * white));
    let mut sums = windows.chunks_exact(BLOCK);
    let mut next = || sums.next().unwrap_or_default().iter();
    let sums = next().zip(next()).zip(next()).zip(next().zip(next()));
    for (to, (((a, b), aa), (bb, ab))) in to.zip(sums) {
        let (means, covariance) = (a * b, ab - a * b);
        let (mean_squares, variances) = (a * a + b * b, (aa - a * a) + (bb - b * b));
        *to = ((2.0 * means + c1) * (2.0 * covariance + c2)) / ((mean_squares + c1) * (variances + c2));
    }
}
