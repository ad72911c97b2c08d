//! The sink that measures a picture: least, largest, mean, deviation and, where asked for, the exact histogram.
//!
//! Invariant: what it says depends on the image alone. Integers are summed exactly; the samples of a float row are
//! summed as doubles in an order that only the columns decide, and those sums are added exactly. So strips of any
//! height, any number of workers merged in any order, and any target give the same bits.

use super::histogram::{self, Histogram};
use super::int256;
use super::measured::{self, Measured};
use super::moments::{Moments, Sums};
use super::range::{Range, RangeOf};
use super::totals::Amount;
use crate::budget::{Budget, Exhausted, Layout};
use crate::pipeline::{Sink, StageError};
use crate::shape::{SampleKind, Shape, by_kind};
use crate::strip::Strip;

/// Pixels of a row that are summed at once: they stay in the first cache for a second look, and narrow sums hold them.
const SEGMENT_PIXELS: usize = 4096;

/// What all samples of a band, or of an image, come to.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Summary {
    /// Samples that are numbers, infinities among them.
    pub count: u64,
    /// Samples that are none: they are left out of everything else.
    pub nans: u64,
    /// The least. NaN, as all that follows, if `count` is zero. A zero is positive.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The least and the largest of 64-bit integers, of which `min` and `max` are the nearest doubles. `None` for other
    /// kinds, or if `count` is zero.
    pub exact: Option<[i128; 2]>,
    /// The mean. Integers: the nearest double but for one rounding (64-bit ones: for two). Floats: within `2^-50` of
    /// the mean magnitude. Infinite if there are infinities of one sign, NaN if there are both.
    pub mean: f64,
    /// The standard deviation of these samples as all there are (divided by `count`), as GDAL gives it. Integers: to
    /// within `2^-50`. Floats: its square is to within `2^-50` of the mean square. NaN if there are infinities
    /// or magnitudes over `2^500`.
    pub deviation: f64,
    /// The standard deviation of what these samples were drawn from (divided by `count - 1`), as libvips gives it; 0
    /// for one sample.
    pub sample_deviation: f64,
}

/// Measures an image of any kind and bands.
///
/// Rows come whole: all columns of the measured region at once, as they do in any job. The sums of a float row are
/// made in an order that its first column decides.
///
/// ```
/// use plimsoll_core::budget::Budget;
/// use plimsoll_core::measure::Statistics;
/// use plimsoll_core::pipeline::Sink;
/// use plimsoll_core::shape::{SampleKind, Shape};
/// use plimsoll_core::strip::Strip;
///
/// let shape = Shape::new(1, 4, 1, SampleKind::U8);
/// let mut arena = [0u8; 8 << 10];
/// let mut statistics = Statistics::new(shape, true, &mut Budget::new(&mut arena))?;
/// let row = Strip::new(&[1, 2, 2, 7], shape.region(), shape).expect("one row of four");
/// statistics.write(&row).expect("of this shape");
/// assert_eq!(statistics.overall().mean, 3.0);
/// assert_eq!(statistics.occurrences(0, 2), Some(2));
/// assert_eq!(statistics.percentile(50.0), Some(2.0));
/// # Ok::<(), plimsoll_core::budget::Exhausted>(())
/// ```
#[derive(Debug)]
pub struct Statistics<'a> {
    kind: SampleKind,
    bands: u16,
    /// Pixels taken.
    pixels: u64,
    histogram: Option<Histogram<'a>>,
    /// Nothing where an exact histogram says it all.
    moments: Option<Moments<'a>>,
}

/// Whether a histogram of this kind holds every value, and not classes of them.
const fn is_exact(kind: SampleKind) -> bool {
    kind.bytes() <= 2
}

impl<'a> Statistics<'a> {
    /// Bytes that [`Statistics::new`] leases from an aligned arena, whatever the number of rows and columns.
    ///
    /// With a histogram, for each band: 5 KiB at the most for 8 bits, 512 KiB for 16, a little more for wider kinds.
    /// Without: some 50 bytes for each band of integers, 120 of 64-bit ones, 1.2 KiB for each of floats.
    pub const fn bytes(shape: Shape, histogram: bool) -> u64 {
        let mut layout = Layout::new();
        if histogram {
            layout = Histogram::layout(layout, shape);
        }
        if !histogram || !is_exact(shape.kind) {
            layout = Moments::layout(layout, shape);
        }
        layout.bytes()
    }

    /// Statistics of nothing yet, for images with the bands and kind of `shape`.
    ///
    /// With `histogram`, 8 and 16-bit kinds are counted exactly, value by value, and everything else is worked out from
    /// the counts; wider kinds are counted in 65536 classes (see [`Statistics::percentile`]) beside their sums.
    ///
    /// # Errors
    /// [`Exhausted`] if the budget has fewer than [`Statistics::bytes`].
    pub fn new(shape: Shape, histogram: bool, budget: &mut Budget<'a>) -> Result<Self, Exhausted> {
        let counts = if histogram { Some(Histogram::new(shape, budget)?) } else { None };
        let sums = !histogram || !is_exact(shape.kind);
        let moments = if sums { Some(Moments::new(shape, budget)?) } else { None };
        Ok(Self { kind: shape.kind, bands: shape.bands, pixels: 0, histogram: counts, moments })
    }

    /// Takes the rows of a strip of `T`. [`Sink::write`] picks `T`; a program that measures one kind only calls this
    /// and links no kernels for the others.
    ///
    /// # Errors
    /// [`StageError::Kind`] and [`StageError::Bands`] if the strip is of another kind, or has other bands, than these
    /// statistics.
    #[inline(always)]
    pub fn write_as<T: Measured>(&mut self, strip: &Strip<'_>) -> Result<(), StageError> {
        self.same(T::KIND, self.bands)?;
        self.same(strip.image().kind, strip.image().bands)?;
        let segment = SEGMENT_PIXELS.saturating_mul(self.bands.into()).max(1);
        for row in strip.rows().iter() {
            for samples in strip.row::<T>(row).chunks(segment) {
                if let Some(histogram) = &mut self.histogram {
                    histogram.count(samples);
                }
                if let Some(moments) = &mut self.moments {
                    moments.take(samples);
                }
            }
            self.pixels = self.pixels.saturating_add(u64::from(strip.cols().len()));
        }
        Ok(())
    }

    /// Adds all that `other` has taken: exactly, and with the same outcome in any order.
    ///
    /// # Errors
    /// [`StageError`] if `other` is of another kind, has other bands, or is without a histogram where this is with one
    /// or the other way around; nothing is changed then.
    pub fn merge(&mut self, other: &Statistics<'_>) -> Result<(), StageError> {
        self.same(other.kind, other.bands)?;
        if self.histogram.is_some() != other.histogram.is_some() {
            return Err(StageError::Setting {
                stage: "statistics",
                setting: "histogram",
                needed: "the same in both",
            });
        }
        self.pixels = self.pixels.saturating_add(other.pixels);
        if let (Some(mine), Some(others)) = (&mut self.histogram, &other.histogram) {
            mine.merge(others);
        }
        if let (Some(mine), Some(others)) = (&mut self.moments, &other.moments) {
            mine.merge(others);
        }
        Ok(())
    }

    fn same(&self, kind: SampleKind, bands: u16) -> Result<(), StageError> {
        if kind != self.kind {
            return Err(StageError::Kind { stage: "statistics", kind });
        }
        if bands != self.bands {
            return Err(StageError::Bands { stage: "statistics", bands, needed: "always the same" });
        }
        Ok(())
    }

    /// Bands of the image.
    pub fn bands(&self) -> u16 {
        self.bands
    }

    /// Kind of the image.
    pub fn kind(&self) -> SampleKind {
        self.kind
    }

    /// One band; `None` if there is no such band. Looks at the whole histogram, if there is one.
    pub fn band(&self, band: u16) -> Option<Summary> {
        (band < self.bands).then(|| Summary::of(self.sums(band.into()), self.pixels))
    }

    /// All bands together.
    pub fn overall(&self) -> Summary {
        let sums = (0..self.bands.into()).map(|band| self.sums(band));
        let samples = self.pixels.saturating_mul(self.bands.into());
        Summary::of(sums.fold(Sums::nothing(self.kind), Sums::plus), samples)
    }

    fn sums(&self, band: usize) -> Sums {
        match (&self.moments, &self.histogram) {
            (Some(moments), _) => moments.get(band),
            (None, Some(histogram)) => counted(histogram, self.kind, band),
            (None, None) => Sums::nothing(self.kind),
        }
    }

    /// Bins of an exact histogram: 256 or 65536. `None` without one, or if the kind is wider than 16 bits.
    pub fn bins(&self) -> Option<usize> {
        (self.histogram.is_some() && is_exact(self.kind)).then(|| histogram::bins(self.kind))
    }

    /// How often `value` occurs in `band`: exact, up to 2^63. `None` where there is no such band or no exact histogram
    /// (see [`Statistics::bins`]); 0 for a value that the kind cannot hold.
    pub fn occurrences(&self, band: u16, value: i32) -> Option<u64> {
        self.bins()?;
        let histogram = self.histogram.as_ref().filter(|_| band < self.bands)?;
        let bin = match self.kind {
            SampleKind::U8 => u8::try_from(value).map(u16::from),
            SampleKind::I16 => i16::try_from(value).map(Measured::bin),
            _ => u16::try_from(value),
        };
        Some(bin.map_or(0, |bin| histogram.get(band.into(), bin)))
    }

    /// The `percent`-th percentile over all bands, 0.0 to 100.0: the least sample that at least so many percent of all
    /// samples do not exceed (the nearest rank).
    ///
    /// Exact for 8 and 16-bit kinds. Others are counted in classes and it is interpolated between the ends of the
    /// class: not more than `2^-10` of the value off for 32-bit integers, none below 2048; `2^-9` for 64-bit ones, none
    /// below 1024; not more than `2^-7` of the value for floats whose magnitude is a normal number of single precision;
    /// smaller ones come out as zero or nearly so.
    ///
    /// `None` without a histogram, or if there are no numbers.
    pub fn percentile(&self, percent: f64) -> Option<f64> {
        let histogram = self.histogram.as_ref()?;
        let all = self.overall();
        if all.count == 0 {
            return None;
        }
        let rank = libm::ceil(percent / 100.0 * all.count as f64).min(all.count as f64).max(1.0);
        // Bin 0 of a float kind holds what is no number.
        let first = u16::from(self.kind.is_float());
        let last = (histogram::bins(self.kind) - 1) as u16;
        let mut before = 0u64;
        for bin in first..=last {
            let counts = (0..histogram.bands()).map(|band| histogram.get(band, bin));
            let here = counts.fold(0, u64::saturating_add);
            let upto = before.saturating_add(here);
            if upto as f64 >= rank {
                let (low, high) = measured::bin_values(self.kind, bin);
                let share = (rank - before as f64 - 0.5) / here as f64;
                let between = if low < high { low + (high - low) * share } else { low };
                return Some(between.max(all.min).min(all.max));
            }
            before = upto;
        }
        Some(all.max)
    }

    /// The range that a stage asks for, over all bands; from 0 to 0 if there are no numbers. `None` if it needs a
    /// histogram ([`RangeOf::needs_histogram`]) and there is none.
    pub fn range(&self, of: RangeOf) -> Option<Range> {
        if of.needs_histogram() && self.histogram.is_none() {
            return None;
        }
        let all = self.overall();
        if all.count == 0 {
            return Some(Range { low: 0.0, high: 0.0 });
        }
        Some(match of {
            RangeOf::MinMax => Range { low: all.min, high: all.max },
            RangeOf::Percentiles { low, high } => {
                Range { low: self.percentile(low)?, high: self.percentile(high)? }
            }
            RangeOf::Deviations(n) => {
                Range { low: all.mean - n * all.deviation, high: all.mean + n * all.deviation }
            }
        })
    }
}

impl Sink for Statistics<'_> {
    type Error = StageError;

    #[inline(always)]
    fn write(&mut self, strip: &Strip<'_>) -> Result<(), StageError> {
        by_kind!(strip.image().kind, T => self.write_as::<T>(strip))
    }
}

/// What an exact histogram of a band sums up to.
fn counted(histogram: &Histogram<'_>, kind: SampleKind, band: usize) -> Sums {
    let (mut sum, mut squares) = (0i128, 0u128);
    let mut sums = Sums::nothing(kind);
    let last = (histogram::bins(kind) - 1) as u16;
    for bin in 0..=last {
        let count = histogram.get(band, bin);
        if count > 0 {
            let (value, _) = measured::bin_values(kind, bin);
            sums.min = sums.min.min(value);
            sums.max = value;
            let value = value as i64;
            sum = sum.wrapping_add(i128::from(count).wrapping_mul(value.into()));
            let square = value.unsigned_abs().wrapping_mul(value.unsigned_abs());
            squares = squares.wrapping_add(u128::from(count).wrapping_mul(square.into()));
        }
    }
    Sums { sum: Amount::Integer(sum as u128), squares: Amount::Integer(squares), ..sums }
}

impl Summary {
    fn of(sums: Sums, samples: u64) -> Self {
        let Sums { min, max, exact, nans, .. } = sums;
        let count = samples.saturating_sub(nans);
        if count == 0 {
            let none = f64::NAN;
            return Self {
                count,
                nans,
                min: none,
                max: none,
                exact: None,
                mean: none,
                deviation: none,
                sample_deviation: none,
            };
        }
        let (mean, spread) = match (sums.sum, sums.squares) {
            (Amount::Integer(sum), Amount::Integer(squares)) => integer_spread(count, sum, squares),
            (Amount::Long([sum, _]), Amount::Long(squares)) => long_spread(count, sum, squares),
            // Of equal samples nothing but rounding would be left.
            _ if min == max && min.is_finite() => (min, 0.0),
            (Amount::Real(sum), Amount::Real(squares)) => {
                let mean = sum / count as f64;
                let spread = squares - sum * mean;
                (mean, if spread < 0.0 { 0.0 } else { spread })
            }
            _ => (f64::NAN, f64::NAN),
        };
        let deviation = libm::sqrt(spread / count as f64);
        let sample_deviation =
            if count == 1 { spread } else { libm::sqrt(spread / count.saturating_sub(1) as f64) };
        Self { count, nans, min, max, exact, mean, deviation, sample_deviation }
    }
}

/// Mean, and sum of the squared distances from it, of `count` integers (not zero).
///
/// Moved to the integer next to the mean, where the difference loses at most one bit. The exact result is less than
/// 2^128, so what wraps on the way is not lost.
fn integer_spread(count: u64, sum: u128, squares: u128) -> (f64, f64) {
    let (n, sum) = (i128::from(count), sum as i128);
    let middle = sum.wrapping_add(n / 2).checked_div_euclid(n).unwrap_or(0);
    let rest = sum.wrapping_sub(middle.wrapping_mul(n));
    // sum of (x - middle)^2 = squares - 2 middle sum + n middle^2
    let moved = squares
        .wrapping_sub(middle.wrapping_mul(2).wrapping_mul(sum) as u128)
        .wrapping_add(middle.wrapping_mul(middle).wrapping_mul(n) as u128);
    let shift = rest as f64 / count as f64;
    (middle as f64 + shift, moved as f64 - rest as f64 * shift)
}

/// The same of integers of 64 bits: their sum fits 128 bits, that of their squares has 256.
fn long_spread(count: u64, sum: u128, squares: [u128; 2]) -> (f64, f64) {
    let (n, sum) = (i128::from(count), sum as i128);
    let middle = sum.wrapping_add(n / 2).checked_div_euclid(n).unwrap_or(0);
    let rest = sum.wrapping_sub(middle.wrapping_mul(n));
    // squares - 2 middle sum + n middle^2, where n middle = sum - rest
    let moved = int256::minus(squares, int256::product(middle, sum.wrapping_add(rest)));
    let shift = rest as f64 / count as f64;
    (middle as f64 + shift, int256::value(moved) - rest as f64 * shift)
}
