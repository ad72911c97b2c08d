//! Least, largest, sum and sum of squares of each band, without a histogram.
//!
//! A row is cut into lanes: sample `i` of a row goes to lane `i % N`, whatever its band, so that the loop is one of
//! whole vectors for any number of bands. A pattern of bands and lanes that only repeats after several vectors is run
//! over once for each of them, with all its sums in registers.

use super::measured::Measured;
use super::totals::{Amount, Totals};
use crate::budget::{Budget, Exhausted, Layout};
use crate::shape::{SampleKind, Shape};

/// What the bands of an image sum up to.
#[derive(Debug)]
pub(super) struct Moments<'a> {
    /// Least and largest of each band.
    extremes: &'a mut [[f64; 2]],
    /// The same for integers of 64 bits; for other kinds there is nothing here.
    exact: &'a mut [[i128; 2]],
    /// Samples of each band that are no numbers.
    nans: &'a mut [u64],
    /// Sum and sum of squares of each band.
    totals: Totals<'a>,
    kind: SampleKind,
}

/// What some samples of one band sum up to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sums {
    pub(super) min: f64,
    pub(super) max: f64,
    /// Both, of integers of 64 bits.
    pub(super) exact: Option<[i128; 2]>,
    pub(super) nans: u64,
    pub(super) sum: Amount,
    pub(super) squares: Amount,
}

impl<'a> Moments<'a> {
    pub(super) const fn layout(layout: Layout, shape: Shape) -> Layout {
        let bands = shape.bands as u64;
        let exact = if shape.kind.is_long() { bands } else { 0 };
        let layout = layout.with::<[f64; 2]>(bands).with::<[i128; 2]>(exact).with::<u64>(bands);
        Totals::layout(layout, shape.kind, 2 * bands)
    }

    pub(super) fn new(shape: Shape, budget: &mut Budget<'a>) -> Result<Self, Exhausted> {
        let bands = usize::from(shape.bands);
        let extremes = budget.lease("extremes", bands)?;
        let exact = budget.lease("extremes", if shape.kind.is_long() { bands } else { 0 })?;
        let nans = budget.lease("not numbers", bands)?;
        extremes.fill([f64::INFINITY, f64::NEG_INFINITY]);
        exact.fill(NOTHING);
        nans.fill(0);
        let totals = Totals::new(shape.kind, bands.saturating_mul(2), "moments", budget)?;
        Ok(Self { extremes, exact, nans, totals, kind: shape.kind })
    }

    /// Takes whole pixels of one row, at most 2^12 of them.
    #[inline(always)]
    pub(super) fn take<T: Measured>(&mut self, samples: &[T]) {
        match size_of::<T>() {
            1 => self.take_in_lanes::<T, 32>(samples),
            2 | 4 => self.take_in_lanes::<T, 16>(samples),
            // Sums of 128 bits and more do not become vectors.
            _ if T::KIND.is_long() => self.take_in_lanes::<T, 1>(samples),
            _ => self.take_in_lanes::<T, 8>(samples),
        }
        self.totals.settle();
    }

    #[inline(always)]
    fn take_in_lanes<T: Measured, const N: usize>(&mut self, samples: &[T]) {
        let bands = self.nans.len().max(1);
        let period = least_common_multiple(bands, N).max(1);
        let whole = samples.len() - samples.len() % period;
        let Some((body, rest)) = samples.split_at_checked(whole) else { return };
        if !body.is_empty() {
            for phase in (0..period).step_by(N) {
                let lanes = Lanes::<T, N>::of(body, period, phase);
                for lane in 0..N {
                    self.add((phase + lane) % bands, lanes.get(lane));
                }
            }
        }
        for (at, sample) in rest.iter().enumerate() {
            let one = Lanes::<T, 1>::of(core::slice::from_ref(sample), 1, 0);
            self.add(at % bands, one.get(0));
        }
    }

    #[inline(always)]
    fn add(&mut self, band: usize, sums: Sums) {
        if let (Some([min, max]), Some(nans)) = (self.extremes.get_mut(band), self.nans.get_mut(band)) {
            *min = if sums.min < *min { sums.min } else { *min };
            *max = if sums.max > *max { sums.max } else { *max };
            *nans = nans.saturating_add(sums.nans);
        }
        if let (Some(exact), Some(own)) = (self.exact.get_mut(band), sums.exact) {
            *exact = extended(*exact, own);
        }
        self.totals.add(2 * band, sums.sum);
        self.totals.add(2 * band + 1, sums.squares);
    }

    /// Adds what `other`, of the same kind and bands, has taken.
    pub(super) fn merge(&mut self, other: &Moments<'_>) {
        for ([min, max], [other_min, other_max]) in self.extremes.iter_mut().zip(other.extremes.iter()) {
            *min = if other_min < min { *other_min } else { *min };
            *max = if other_max > max { *other_max } else { *max };
        }
        for (exact, other) in self.exact.iter_mut().zip(other.exact.iter()) {
            *exact = extended(*exact, *other);
        }
        for (nans, other) in self.nans.iter_mut().zip(other.nans.iter()) {
            *nans = nans.saturating_add(*other);
        }
        self.totals.merge(&other.totals);
    }

    /// What `band` sums up to.
    pub(super) fn get(&self, band: usize) -> Sums {
        let Some((&[min, max], &nans)) = self.extremes.get(band).zip(self.nans.get(band)) else {
            return Sums::nothing(self.kind);
        };
        let (sum, squares) = (self.totals.get(2 * band), self.totals.get(2 * band + 1));
        // Zeroes of both signs are equal, and which one comes first depends on the cut: -0.0 becomes 0.0.
        Sums { min: min + 0.0, max: max + 0.0, exact: self.exact.get(band).copied(), nans, sum, squares }
    }
}

impl Sums {
    /// Of no samples.
    pub(super) const fn nothing(kind: SampleKind) -> Self {
        let zero = Amount::zero(kind);
        let exact = if kind.is_long() { Some(NOTHING) } else { None };
        Self { min: f64::INFINITY, max: f64::NEG_INFINITY, exact, nans: 0, sum: zero, squares: zero }
    }

    /// Of both together.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            exact: self.exact.zip(other.exact).map(|(own, other)| extended(own, other)),
            nans: self.nans.saturating_add(other.nans),
            sum: self.sum.plus(other.sum),
            squares: self.squares.plus(other.squares),
        }
    }
}

/// The least and the largest of no integers.
const NOTHING: [i128; 2] = [i128::MAX, i128::MIN];

/// The least and the largest of both.
fn extended([min, max]: [i128; 2], [other_min, other_max]: [i128; 2]) -> [i128; 2] {
    [min.min(other_min), max.max(other_max)]
}

/// Sums of the samples that stand at the same place in a vector.
struct Lanes<T: Measured, const N: usize> {
    min: [T; N],
    max: [T; N],
    nans: [u32; N],
    sum: [T::Sum; N],
    squares: [T::Squares; N],
}

impl<T: Measured, const N: usize> Lanes<T, N> {
    /// The vector that starts at `phase` in every `period` of samples.
    #[inline(always)]
    fn of(samples: &[T], period: usize, phase: usize) -> Self {
        // One thing at a time, over samples that are in the first cache: together they would need more registers than
        // there are, and be of too many widths for the compiler to make whole vectors of them.
        let [min, max] = extremes(samples, period, phase);
        let sum = sums(samples, period, phase, T::add);
        let squares = sums(samples, period, phase, T::add_square);
        let nans = match T::KIND.is_float() {
            true => sums(samples, period, phase, |x: T, nans: u32| nans + u32::from(x.is_nan())),
            false => [0; N],
        };
        Self { min, max, nans, sum, squares }
    }

    #[inline(always)]
    fn get(&self, lane: usize) -> Sums {
        Sums {
            min: self.min[lane].to_f64(),
            max: self.max[lane].to_f64(),
            exact: self.min[lane].long().zip(self.max[lane].long()).map(|(min, max)| [min, max]),
            nans: u64::from(self.nans[lane]),
            sum: T::sum(self.sum[lane]),
            squares: T::squares(self.squares[lane]),
        }
    }
}

/// Least and largest of each lane of the vector that starts at `phase` in every `period` of samples.
#[inline(always)]
fn extremes<T: Measured, const N: usize>(samples: &[T], period: usize, phase: usize) -> [[T; N]; 2] {
    let (mut min, mut max) = ([T::HIGHEST; N], [T::LOWEST; N]);
    for samples in samples.chunks_exact(period) {
        let Some(vector) = samples.get(phase..).and_then(|samples| samples.first_chunk::<N>()) else { break };
        for i in 0..N {
            min[i] = if vector[i] < min[i] { vector[i] } else { min[i] };
            max[i] = if vector[i] > max[i] { vector[i] } else { max[i] };
        }
    }
    [min, max]
}

/// Sum of each lane.
#[inline(always)]
fn sums<T: Measured, S: Copy + Default, const N: usize>(
    samples: &[T],
    period: usize,
    phase: usize,
    add: impl Fn(T, S) -> S,
) -> [S; N] {
    let mut sums = [S::default(); N];
    for samples in samples.chunks_exact(period) {
        let Some(vector) = samples.get(phase..).and_then(|samples| samples.first_chunk::<N>()) else { break };
        for i in 0..N {
            sums[i] = add(vector[i], sums[i]);
        }
    }
    sums
}

/// Of a number of bands and a power of two: at most 2^16 * 2^5.
const fn least_common_multiple(bands: usize, lanes: usize) -> usize {
    let shared = bands.trailing_zeros();
    let lanes_left = if shared < usize::BITS { lanes >> shared } else { lanes };
    bands * if lanes_left == 0 { 1 } else { lanes_left }
}
