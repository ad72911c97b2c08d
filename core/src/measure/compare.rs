//! The sink that compares two pictures sample by sample: mean squared error, PSNR, largest difference.
//!
//! It takes the two as one image whose bands are the first picture's, then the second's. Invariant: as for
//! [`Statistics`](super::Statistics), the outcome depends on the pictures alone, never on the cut.

use super::int256;
use super::measured::Measured;
use super::totals::{Amount, Totals};
use crate::budget::{Budget, Exhausted, Layout};
use crate::pipeline::{Sink, StageError};
use crate::shape::{SampleKind, Shape, by_kind};
use crate::strip::Strip;

/// Pixels of a row that are summed at once.
const SEGMENT_PIXELS: usize = 4096;

/// How far two bands, or two pictures, are from each other.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Distance {
    /// Pairs of samples that are two numbers, or two that are none (which are equal).
    pub count: u64,
    /// Pairs of which just one is a number: they are among `differing`, and left out of all that follows.
    pub nans: u64,
    /// Pairs that are not equal. Zeroes of both signs are.
    pub differing: u64,
    /// The largest difference of a pair, without its sign.
    pub max: f64,
    /// The same of 64-bit integers, of which `max` is the nearest double. `None` for other kinds.
    pub exact_max: Option<u64>,
    /// The mean of the squared differences: NaN if `count` is zero. Integers: the nearest double but for one rounding;
    /// floats: to within `2^-40`.
    pub mse: f64,
    /// The peak signal-to-noise ratio in decibels, `10 log10(white^2 / mse)`, where white is the largest integer of
    /// the kind, or 1.0: infinite for equal pictures.
    pub psnr: f64,
}

/// Compares the first half of the bands with the second, band by band. For any kind.
///
/// Of two floats the difference is taken as doubles, so that equal infinities are equal, and an infinite sample
/// beside a finite one makes the mean squared error infinite.
#[derive(Debug)]
pub struct Difference<'a> {
    kind: SampleKind,
    /// Pixels taken.
    pixels: u64,
    /// Largest difference of each pair of bands, as [`Measured::difference`] says it.
    largest: &'a mut [u64],
    /// Pairs not equal, and of those the ones of which just one is a number.
    unequal: &'a mut [[u64; 2]],
    /// Sum of the squared differences of each pair of bands.
    squares: Totals<'a>,
}

impl<'a> Difference<'a> {
    /// Bytes that [`Difference::new`] leases from an aligned arena for images of this shape, both pictures' bands in
    /// it: some 40 for each band of a picture of integers, 60 of 64-bit ones, 600 for each of floats.
    pub const fn bytes(shape: Shape) -> u64 {
        let pairs = shape.bands as u64 / 2;
        let layout = Layout::new().with::<u64>(pairs).with::<[u64; 2]>(pairs);
        Totals::layout(layout, shape.kind, pairs).bytes()
    }

    /// A comparison of nothing yet, for images of the bands and kind of `shape`.
    ///
    /// # Errors
    /// [`StageError::Bands`] if the number of bands is not even, [`StageError::Memory`] if the budget has fewer than
    /// [`Difference::bytes`].
    pub fn new(shape: Shape, budget: &mut Budget<'a>) -> Result<Self, StageError> {
        if !shape.bands.is_multiple_of(2) {
            return Err(StageError::Bands {
                stage: "difference",
                bands: shape.bands,
                needed: "an even number of",
            });
        }
        Self::lease(shape.kind, usize::from(shape.bands / 2), budget).map_err(StageError::Memory)
    }

    fn lease(kind: SampleKind, pairs: usize, budget: &mut Budget<'a>) -> Result<Self, Exhausted> {
        let largest = budget.lease("difference", pairs)?;
        let unequal = budget.lease("difference", pairs)?;
        largest.fill(0);
        unequal.fill([0; 2]);
        let squares = Totals::new(kind, pairs, "difference", budget)?;
        Ok(Self { kind, pixels: 0, largest, unequal, squares })
    }

    /// Takes the rows of a strip of `T`. [`Sink::write`] picks `T`; a program that compares one kind only calls this
    /// and links no kernels for the others.
    ///
    /// # Errors
    /// [`StageError::Kind`] and [`StageError::Bands`] if the strip is of another kind or has other bands.
    #[inline(always)]
    pub fn write_as<T: Measured>(&mut self, strip: &Strip<'_>) -> Result<(), StageError> {
        self.same(T::KIND, self.bands())?;
        let Shape { bands, kind, .. } = strip.image();
        self.same(kind, bands / 2)?;
        let segment = SEGMENT_PIXELS.saturating_mul(bands.into()).max(1);
        for row in strip.rows().iter() {
            for samples in strip.row::<T>(row).chunks(segment) {
                self.take(samples);
            }
            self.pixels = self.pixels.saturating_add(u64::from(strip.cols().len()));
        }
        Ok(())
    }

    #[inline(always)]
    fn take<T: Measured>(&mut self, samples: &[T]) {
        let pairs = self.largest.len();
        let bands = (2 * pairs).max(1);
        for (band, (largest, [unequal, nans])) in
            self.largest.iter_mut().zip(self.unequal.iter_mut()).enumerate()
        {
            let first = samples.iter().skip(band).step_by(bands);
            let second = samples.iter().skip(pairs + band).step_by(bands);
            let mut squares = Amount::zero(T::KIND);
            for (a, b) in first.zip(second) {
                match a.difference(*b) {
                    Some((square, distance)) => {
                        squares = squares.plus(square);
                        *largest = if distance > *largest { distance } else { *largest };
                        *unequal += u64::from(distance > 0);
                    }
                    None => {
                        *unequal += 1;
                        *nans += 1;
                    }
                }
            }
            self.squares.add(band, squares);
        }
        self.squares.settle();
    }

    /// Adds all that `other` has taken: exactly, and with the same outcome in any order.
    ///
    /// # Errors
    /// [`StageError`] if `other` is of another kind or has other bands; nothing is changed then.
    pub fn merge(&mut self, other: &Difference<'_>) -> Result<(), StageError> {
        self.same(other.kind, other.bands())?;
        self.pixels = self.pixels.saturating_add(other.pixels);
        for (largest, other) in self.largest.iter_mut().zip(other.largest.iter()) {
            *largest = (*largest).max(*other);
        }
        for (counts, others) in self.unequal.iter_mut().zip(other.unequal.iter()) {
            for (count, other) in counts.iter_mut().zip(others) {
                *count = count.saturating_add(*other);
            }
        }
        self.squares.merge(&other.squares);
        Ok(())
    }

    fn same(&self, kind: SampleKind, pairs: u16) -> Result<(), StageError> {
        if kind != self.kind {
            return Err(StageError::Kind { stage: "difference", kind });
        }
        if pairs != self.bands() {
            let bands = pairs.saturating_mul(2);
            return Err(StageError::Bands { stage: "difference", bands, needed: "always the same" });
        }
        Ok(())
    }

    /// Bands of one of the two pictures.
    pub fn bands(&self) -> u16 {
        // Made from half of a u16.
        self.largest.len() as u16
    }

    /// One band of both pictures; `None` if there is no such band.
    pub fn band(&self, band: u16) -> Option<Distance> {
        let (pair, squares) = self.pair(band.into())?;
        Some(self.distance(pair, squares, self.pixels))
    }

    /// All bands together.
    pub fn overall(&self) -> Distance {
        let none = ((0, [0u64; 2]), Amount::zero(self.kind));
        let pairs = (0..self.largest.len()).filter_map(|band| self.pair(band));
        let (pair, squares) = pairs.fold(none, |(all, squares), (pair, more)| {
            let largest = pair.0.max(all.0);
            let [unequal, nans] = all.1;
            let [more_unequal, more_nans] = pair.1;
            let counts = [unequal.saturating_add(more_unequal), nans.saturating_add(more_nans)];
            ((largest, counts), squares.plus(more))
        });
        self.distance(pair, squares, self.pixels.saturating_mul(self.bands().into()))
    }

    /// Largest difference, pairs not equal, and the sum of squares of one band.
    fn pair(&self, band: usize) -> Option<((u64, [u64; 2]), Amount)> {
        let (largest, unequal) = self.largest.get(band).zip(self.unequal.get(band))?;
        Some(((*largest, *unequal), self.squares.get(band)))
    }

    fn distance(&self, pair: (u64, [u64; 2]), squares: Amount, samples: u64) -> Distance {
        let (largest, [differing, nans]) = pair;
        let max = if self.kind.is_float() { f64::from_bits(largest) } else { largest as f64 };
        let exact_max = self.kind.is_long().then_some(largest);
        let count = samples.saturating_sub(nans);
        let squares = match squares {
            Amount::Integer(squares) => squares as f64,
            Amount::Long(squares) => int256::value(squares),
            Amount::Real(squares) => squares,
        };
        let mse = squares / count as f64;
        let white = self.kind.white();
        // Equal pictures divide by zero, which is the infinity that is promised.
        let psnr = 10.0 * libm::log10(white * white / mse);
        Distance { count, nans, differing, max, exact_max, mse, psnr }
    }
}

impl Sink for Difference<'_> {
    type Error = StageError;

    #[inline(always)]
    fn write(&mut self, strip: &Strip<'_>) -> Result<(), StageError> {
        by_kind!(strip.image().kind, T => self.write_as::<T>(strip))
    }
}
