//! Statistics against slow obvious twins, with every cut and every order of merging; counts and comparisons in files of their own.

use super::*;
use crate::budget::{ALIGN, Budget};
use crate::harness::{self, Image};
use crate::pipeline::{Chain, Stage, StageError};
use crate::shape::{Sample, SampleKind, Shape};
use crate::transform::invert::{Invert, Negative};
use core::sync::atomic::AtomicPtr;
use proptest::prelude::*;
use std::boxed::Box;
use std::sync::Mutex;
use std::vec;
use std::vec::Vec;

mod compare;
mod counts;
mod ssim;

/// What budgets lie in: kept in sight, so that a search for leaks finds those of others only.
static ARENAS: Mutex<Vec<AtomicPtr<u8>>> = Mutex::new(Vec::new());

/// A budget of exactly `bytes` dirty bytes that lives as long as the test program.
fn budget(bytes: u64) -> Budget<'static> {
    let arena = Box::leak(vec![0xa5u8; bytes as usize + ALIGN].into_boxed_slice());
    ARENAS.lock().expect("no test panics here").push(AtomicPtr::new(arena.as_mut_ptr()));
    let skip = arena.as_ptr().align_offset(ALIGN);
    Budget::new(&mut arena[skip..skip + bytes as usize])
}

fn statistics(shape: Shape, histogram: bool) -> Statistics<'static> {
    let mut budget = budget(Statistics::bytes(shape, histogram));
    let statistics = Statistics::new(shape, histogram, &mut budget).expect("planned");
    assert_eq!(budget.stats().free, 0, "the stated bytes are exact");
    statistics
}

fn difference(shape: Shape) -> Difference<'static> {
    let mut budget = budget(Difference::bytes(shape));
    let difference = Difference::new(shape, &mut budget).expect("planned");
    assert_eq!(budget.stats().free, 0, "the stated bytes are exact");
    difference
}

/// Every number of a summary as bits, so that NaN equals itself and zeroes differ.
fn bits(summary: Summary) -> [u64; 7] {
    let Summary { count, nans, min, max, exact: _, mean, deviation, sample_deviation } = summary;
    let [min, max, mean, deviation, sample_deviation] =
        [min, max, mean, deviation, sample_deviation].map(f64::to_bits);
    [count, nans, min, max, mean, deviation, sample_deviation]
}

fn all_bits(statistics: &Statistics<'_>) -> Vec<[u64; 7]> {
    let bands = (0..statistics.bands()).map(|band| bits(statistics.band(band).expect("a band")));
    bands.chain([bits(statistics.overall())]).collect()
}

/// Measures a chain's output with every cut and every order of merging, and demands the same bits.
fn measure<A: Sample>(stages: &[&dyn Stage], image: &Image<A>, histogram: bool) -> Statistics<'static> {
    let shape = Chain::new(stages, image.shape).expect("fits").output_shape();
    let mut all = harness::every_split(
        stages,
        image,
        || statistics(shape, histogram),
        |sum, other| sum.merge(other).expect("alike"),
    );
    let first = all.remove(0);
    for (at, other) in all.iter().enumerate() {
        assert_eq!(all_bits(other), all_bits(&first), "cut {at}");
        assert_eq!(other.overall().exact, first.overall().exact, "cut {at}");
        let percentiles = |of: &Statistics<'_>| [1.0, 97.3].map(|p| of.percentile(p));
        assert_eq!(percentiles(other), percentiles(&first), "cut {at}");
    }
    first
}

/// The twin: two passes over all samples in doubles.
fn naive(samples: impl Iterator<Item = f64> + Clone) -> Summary {
    let numbers = samples.clone().filter(|x| !x.is_nan());
    let count = numbers.clone().count() as u64;
    let nans = samples.count() as u64 - count;
    let mean = numbers.clone().sum::<f64>() / count as f64;
    let spread = numbers.clone().map(|x| (x - mean) * (x - mean)).sum::<f64>();
    Summary {
        count,
        nans,
        min: numbers.clone().fold(f64::INFINITY, f64::min),
        max: numbers.clone().fold(f64::NEG_INFINITY, f64::max),
        exact: None,
        mean,
        deviation: (spread / count as f64).sqrt(),
        sample_deviation: (spread / (count as f64 - 1.0)).sqrt(),
    }
}

fn close(found: Summary, expected: Summary, scale: f64) {
    let exact = |s: Summary| (s.count, s.nans, s.min, s.max);
    assert_eq!(exact(found), exact(expected));
    let pairs = [
        (found.mean, expected.mean),
        (found.deviation, expected.deviation),
        (found.sample_deviation, expected.sample_deviation),
    ];
    for (found, expected) in pairs {
        assert!((found - expected).abs() <= 1e-12 * scale, "{found} is not {expected}");
    }
}

fn agrees_with_naive<T: Measured>(image: &Image<T>, histogram: bool, scale: f64) {
    let found = measure::<T>(&[], image, histogram);
    let bands = image.shape.bands;
    for band in 0..bands {
        let own = image.samples.iter().skip(band.into()).step_by(bands.into()).map(|x| x.to_f64());
        close(found.band(band).expect("a band"), naive(own), scale);
    }
    close(found.overall(), naive(image.samples.iter().map(|x| x.to_f64())), scale);
    assert_eq!(found.band(bands), None);
}

#[test]
fn every_kind_and_number_of_bands_agrees_with_the_twin() {
    fn check<T: Measured>() {
        for (bands, histogram) in (1..=5).chain([17]).flat_map(|bands| [(bands, false), (bands, true)]) {
            if histogram && bands > 3 || cfg!(miri) && (histogram || ![1, 3].contains(&bands)) {
                continue;
            }
            let (rows, cols) = if cfg!(miri) { (2, 5) } else { (7, 45) };
            agrees_with_naive(&Image::<T>::noise(rows, cols, bands, 3), histogram, T::KIND.white());
        }
    }
    check::<u8>();
    check::<u16>();
    check::<i16>();
    check::<u32>();
    check::<i32>();
    check::<u64>();
    check::<i64>();
    check::<f32>();
    check::<f64>();
}

#[test]
fn rows_longer_than_a_segment_are_whole() {
    let rows = if cfg!(miri) { 1 } else { 2 };
    agrees_with_naive(&Image::<u16>::noise(rows, 9001, 1, 5), false, 65535.0);
    if cfg!(miri) {
        return;
    }
    agrees_with_naive(&Image::<u8>::noise(2, 9001, 3, 5), true, 255.0);
    agrees_with_naive(&Image::<f32>::noise(2, 9001, 3, 5), true, 1.0);
}

#[test]
fn what_comes_out_of_a_chain_is_measured_alike() {
    fn check<T: Negative + Measured>() {
        let image = Image::<T>::noise(11, if cfg!(miri) { 3 } else { 31 }, 3, 9);
        let plain = measure::<T>(&[], &image, true).overall();
        let inverted = measure::<T>(&[&Invert::<T>::new()], &image, true).overall();
        let white = T::KIND.white();
        assert_eq!((inverted.min, inverted.max), (white - plain.max, white - plain.min));
        assert!((inverted.deviation - plain.deviation).abs() < 1e-9 * white);
    }
    check::<u8>();
    if !cfg!(miri) {
        check::<u16>();
        check::<f64>();
    }
}

#[test]
#[cfg_attr(miri, ignore = "tables of 65536 bins take minutes")]
fn both_ways_to_measure_16_bits_give_the_same_bits() {
    let image = Image::<i16>::noise(9, 501, 3, 4);
    assert_eq!(all_bits(&measure::<i16>(&[], &image, true)), all_bits(&measure::<i16>(&[], &image, false)));
    let image = Image::<u8>::noise(9, 501, 2, 4);
    assert_eq!(all_bits(&measure::<u8>(&[], &image, true)), all_bits(&measure::<u8>(&[], &image, false)));
}

#[test]
fn small_known_values() {
    // The usual textbook set: mean 5, population deviation 2; drawn from a population: sqrt(32/7).
    let set = [2u8, 4, 4, 4, 5, 5, 7, 9];
    for histogram in [false, true] {
        let found = measure::<u8>(&[], &Image::new(2, 4, 1, |y, x, _| set[(4 * y + x) as usize]), histogram)
            .overall();
        assert_eq!((found.count, found.min, found.max, found.mean, found.deviation), (8, 2.0, 9.0, 5.0, 2.0));
        assert!((found.sample_deviation - 2.138089935299395).abs() < 1e-15);
    }
    let one = measure::<u16>(&[], &Image::new(1, 1, 1, |_, _, _| 77), false).overall();
    assert_eq!((one.mean, one.deviation, one.sample_deviation), (77.0, 0.0, 0.0));
    // Where doubles alone would cancel: the largest integers, one of them by one smaller.
    let large = measure::<u32>(&[], &Image::new(2, 2, 1, |y, x, _| u32::MAX - (y * x)), false).overall();
    assert_eq!((large.mean, large.deviation), (4294967294.75, 0.1875f64.sqrt()));
    let longest =
        measure::<u64>(&[], &Image::new(2, 2, 1, |y, x, _| u64::MAX - u64::from(y * x)), false).overall();
    assert_eq!(longest.exact, Some([i128::from(u64::MAX) - 1, i128::from(u64::MAX)]));
    assert_eq!((longest.mean, longest.deviation), (18446744073709551616.0, 0.1875f64.sqrt()));
    // Half of them at each end: the mean is -1/2, and all are 2^63 - 1/2 from it.
    let ends = measure::<i64>(
        &[],
        &Image::new(2, 2, 1, |y, _, _| if y == 0 { i64::MIN } else { i64::MAX }),
        !cfg!(miri),
    );
    assert_eq!((ends.overall().mean, ends.overall().deviation), (-0.5, 9223372036854775808.0));
    assert_eq!(ends.overall().exact, Some([i64::MIN.into(), i64::MAX.into()]));
    let constant = measure::<f32>(&[], &Image::new(3, 50, 2, |_, _, _| 0.1f32), false).overall();
    assert_eq!((constant.mean, constant.deviation), (f64::from(0.1f32), 0.0));
}

#[test]
fn nothing_is_said_of_nothing() {
    let none = statistics(Shape::new(0, 0, 3, SampleKind::F32), true);
    let all = none.overall();
    assert_eq!((all.count, all.nans), (0, 0));
    assert!([all.min, all.max, all.mean, all.deviation, all.sample_deviation].iter().all(|x| x.is_nan()));
    assert_eq!(none.percentile(50.0), None);
    assert_eq!(none.range(RangeOf::MinMax), Some(Range { low: 0.0, high: 0.0 }));
    let bandless = statistics(Shape::new(5, 5, 0, SampleKind::U8), true);
    assert_eq!(bandless.overall().count, 0);
}

#[test]
fn nan_is_counted_and_left_out() {
    let mut image = Image::<f32>::noise(6, if cfg!(miri) { 5 } else { 40 }, 3, 8);
    for (at, sample) in image.samples.iter_mut().enumerate() {
        if at % 7 == 0 {
            *sample = if at % 2 == 0 { f32::NAN } else { -f32::NAN };
        }
    }
    agrees_with_naive(&image, false, 1.0);
    if cfg!(miri) {
        return;
    }
    agrees_with_naive(&image, true, 1.0);
    let none = measure::<f64>(&[], &Image::new(2, 3, 1, |_, _, _| f64::NAN), true);
    assert_eq!((none.overall().count, none.overall().nans, none.percentile(50.0)), (0, 6, None));
}

#[test]
fn infinities_count_as_the_ends() {
    let image = |other: f64| Image::new(3, 20, 1, move |y, x, _| if (y, x) == (1, 7) { other } else { 1.0 });
    let up = measure::<f64>(&[], &image(f64::INFINITY), !cfg!(miri)).overall();
    assert_eq!((up.count, up.min, up.max, up.mean), (60, 1.0, f64::INFINITY, f64::INFINITY));
    assert!(up.deviation.is_nan());
    if cfg!(miri) {
        return;
    }
    let down = measure::<f64>(&[], &image(f64::NEG_INFINITY), true);
    assert_eq!((down.overall().min, down.overall().mean), (f64::NEG_INFINITY, f64::NEG_INFINITY));
    assert_eq!((down.percentile(0.0), down.percentile(100.0)), (Some(f64::NEG_INFINITY), Some(1.0)));
}

#[test]
fn zero_has_no_sign() {
    let image = Image::<f64>::new(4, 9, 1, |y, x, _| if (y + x) % 2 == 0 { -0.0 } else { 0.0 });
    let found = measure::<f64>(&[], &image, false).overall();
    assert_eq!((found.min.to_bits(), found.max.to_bits(), found.mean.to_bits()), (0, 0, 0));
}

#[test]
fn what_does_not_go_together_is_refused() {
    let shape = Shape::new(1, 1, 2, SampleKind::U8);
    let mut one = statistics(shape, true);
    let refused = |result: Result<(), StageError>| assert!(result.is_err(), "{result:?}");
    refused(one.merge(&statistics(shape, false)));
    refused(one.merge(&statistics(shape.with_bands(1), true)));
    refused(one.merge(&statistics(shape.with_kind(SampleKind::U16), true)));
    let mut pair = difference(shape);
    refused(pair.merge(&difference(shape.with_bands(4))));
    refused(pair.merge(&difference(shape.with_kind(SampleKind::F32))));
    let odd = Difference::new(shape.with_bands(3), &mut budget(1024));
    assert!(matches!(odd, Err(StageError::Bands { bands: 3, .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 40 }))]
    #[test]
    fn integers_are_summed_exactly(
        rows in 1u32..6, cols in 1u32..80, bands in 1u16..7, seed in any::<u32>(), offset in any::<u32>(),
    ) {
        // Close to each other and far from zero: the variance would drown in rounding.
        let image = Image::<u32>::new(rows, cols, bands, |y, x, b| {
            let noise = (y ^ x.wrapping_mul(31) ^ u32::from(b) << 3 ^ seed).wrapping_mul(2654435761) >> 24;
            offset.saturating_add(noise)
        });
        let found = measure::<u32>(&[], &image, false).overall();
        let n = image.samples.len() as u128;
        let sum: u128 = image.samples.iter().map(|x| u128::from(*x)).sum();
        let squares: u128 = image.samples.iter().map(|x| u128::from(*x) * u128::from(*x)).sum();
        // n^2 times the variance, as an integer.
        let spread = n * squares - sum * sum;
        let expected = (spread as f64).sqrt() / n as f64;
        prop_assert!((found.deviation - expected).abs() <= 1e-15 * expected);
        prop_assert!((found.mean - sum as f64 / n as f64).abs() <= sum as f64 / n as f64 * 1e-15);
    }

    #[test]
    fn integers_of_64_bits_are_summed_exactly(
        rows in 1u32..6, cols in 1u32..80, bands in 1u16..5, seed in any::<u64>(), offset in any::<u64>(), shift in 0u32..64,
    ) {
        // From close to each other and far from zero to all over the range.
        let place = |y: u32, x: u32, b: u16| {
            let noise = (u64::from(y * 997 + x * 31 + u32::from(b)) ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            offset.saturating_add(noise >> shift)
        };
        let unsigned = Image::<u64>::new(rows, cols, bands, place);
        let signed = Image::<i64>::new(rows, cols, bands, |y, x, b| place(y, x, b).wrapping_sub(1 << 63).cast_signed());
        let found = [measure::<u64>(&[], &unsigned, false), measure::<i64>(&[], &signed, false)];
        let n = unsigned.samples.len() as i128;
        let wholes: [Vec<i128>; 2] = [
            unsigned.samples.iter().map(|x| i128::from(*x)).collect(),
            signed.samples.iter().map(|x| i128::from(*x)).collect(),
        ];
        for (found, samples) in found.iter().zip(&wholes) {
            let found = found.overall();
            let (least, largest) = (*samples.iter().min().expect("some"), *samples.iter().max().expect("some"));
            prop_assert_eq!(found.exact, Some([least, largest]));
            prop_assert_eq!((found.min, found.max), (least as f64, largest as f64));
            let sum: i128 = samples.iter().sum();
            let mean = sum as f64 / n as f64;
            prop_assert!((found.mean - mean).abs() <= 1e-15 * mean.abs(), "{} {mean}", found.mean);
            // Distances from the whole number next to the mean, as doubles: each exact to 2^-53, none of a sign.
            let middle = sum.div_euclid(n);
            let far = |x: &i128| (x - middle) as f64;
            let shift = (sum - middle * n) as f64 / n as f64;
            let spread = samples.iter().map(|x| far(x) * far(x)).sum::<f64>() / n as f64 - shift * shift;
            prop_assert!(
                (found.deviation - spread.max(0.0).sqrt()).abs() <= 1e-7 + 1e-13 * spread.sqrt(),
                "{} {}", found.deviation, spread.sqrt()
            );
        }
    }

    #[test]
    fn float_rows_add_up_exactly(rows in prop::collection::vec(-1e300f64..1e300, 1..12)) {
        // One sample a row: nothing is rounded but the final sum, so the oracle is an integer sum.
        let rows: Vec<f64> = rows.iter().map(|x| (x / 1e290).trunc() * 4096.0).collect();
        let exact: i128 = rows.iter().map(|x| *x as i128).sum();
        let image = Image::new(rows.len() as u32, 1, 1, |y, _, _| rows[y as usize]);
        let found = measure::<f64>(&[], &image, false).overall();
        let mean = if found.min == found.max { found.min } else { exact as f64 / rows.len() as f64 };
        prop_assert_eq!(found.mean, mean);
    }
}
