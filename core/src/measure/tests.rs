//! Statistics and comparisons against slow obvious twins, with every cut and every order of merging.

use super::*;
use crate::budget::{ALIGN, Budget};
use crate::harness::{self, Image};
use crate::pipeline::{Chain, Stage, StageError};
use crate::shape::{Sample, SampleKind, Shape};
use crate::transform::invert::{Invert, Negative};
use proptest::prelude::*;
use std::boxed::Box;
use std::vec;
use std::vec::Vec;

/// A budget of exactly `bytes` dirty bytes that lives as long as the test program.
fn budget(bytes: u64) -> Budget<'static> {
    let arena = Box::leak(vec![0xa5u8; bytes as usize + ALIGN].into_boxed_slice());
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
    let Summary { count, nans, min, max, mean, deviation, sample_deviation } = summary;
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
            if histogram && bands > 3 {
                continue;
            }
            agrees_with_naive(&Image::<T>::noise(7, 45, bands, 3), histogram, T::KIND.white());
        }
    }
    check::<u8>();
    check::<u16>();
    check::<i16>();
    check::<u32>();
    check::<i32>();
    check::<f32>();
    check::<f64>();
}

#[test]
fn rows_longer_than_a_segment_are_whole() {
    agrees_with_naive(&Image::<u16>::noise(2, 9001, 1, 5), false, 65535.0);
    agrees_with_naive(&Image::<u8>::noise(2, 9001, 3, 5), true, 255.0);
    agrees_with_naive(&Image::<f32>::noise(2, 9001, 3, 5), true, 1.0);
}

#[test]
fn what_comes_out_of_a_chain_is_measured_alike() {
    fn check<T: Negative + Measured>() {
        let image = Image::<T>::noise(11, 31, 3, 9);
        let plain = measure::<T>(&[], &image, true).overall();
        let inverted = measure::<T>(&[&Invert::<T>::new()], &image, true).overall();
        let white = T::KIND.white();
        assert_eq!((inverted.min, inverted.max), (white - plain.max, white - plain.min));
        assert!((inverted.deviation - plain.deviation).abs() < 1e-9 * white);
    }
    check::<u8>();
    check::<u16>();
    check::<f64>();
}

#[test]
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
    let mut image = Image::<f32>::noise(6, 40, 3, 8);
    for (at, sample) in image.samples.iter_mut().enumerate() {
        if at % 7 == 0 {
            *sample = if at % 2 == 0 { f32::NAN } else { -f32::NAN };
        }
    }
    agrees_with_naive(&image, false, 1.0);
    agrees_with_naive(&image, true, 1.0);
    let none = measure::<f64>(&[], &Image::new(2, 3, 1, |_, _, _| f64::NAN), true);
    assert_eq!((none.overall().count, none.overall().nans, none.percentile(50.0)), (0, 6, None));
}

#[test]
fn infinities_count_as_the_ends() {
    let image = |other: f64| Image::new(3, 20, 1, move |y, x, _| if (y, x) == (1, 7) { other } else { 1.0 });
    let up = measure::<f64>(&[], &image(f64::INFINITY), true).overall();
    assert_eq!((up.count, up.min, up.max, up.mean), (60, 1.0, f64::INFINITY, f64::INFINITY));
    assert!(up.deviation.is_nan());
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
fn occurrences_are_those_of_a_count() {
    fn check<T: Measured>(value: impl Fn(i32) -> T, values: impl Iterator<Item = i32>) {
        let image =
            Image::<T>::new(20, 33, 3, |y, x, b| value((y * x / 5) as i32 * (1 - 2 * (i32::from(b) % 2))));
        let found = measure::<T>(&[], &image, true);
        for wanted in values {
            for band in 0..3 {
                let own = image.samples.iter().skip(band.into()).step_by(3);
                let expected = own.filter(|x| x.to_f64() == f64::from(wanted)).count() as u64;
                assert_eq!(found.occurrences(band, wanted), Some(expected), "{wanted} in band {band}");
            }
        }
        assert_eq!(found.occurrences(3, 0), None);
    }
    check::<u8>(|x| x as u8, -1..257);
    check::<u16>(|x| x as u16, (-1..200).chain(65400..65537));
    check::<i16>(|x| x as i16, (-200..200).chain([-40000, 40000]));
    let wide = measure::<f32>(&[], &Image::noise(2, 2, 1, 1), true);
    assert_eq!((wide.bins(), wide.occurrences(0, 0)), (None, None));
    let without = measure::<u8>(&[], &Image::noise(2, 2, 1, 1), false);
    assert_eq!((without.bins(), without.occurrences(0, 0), without.percentile(5.0)), (None, None, None));
    assert_eq!(without.range(RangeOf::Percentiles { low: 1.0, high: 2.0 }), None);
}

/// The twin: the nearest rank among all samples in order.
fn ranked<T: Measured>(image: &Image<T>, percent: f64) -> f64 {
    let mut all: Vec<f64> = image.samples.iter().map(|x| x.to_f64()).filter(|x| !x.is_nan()).collect();
    all.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * all.len() as f64).ceil() as usize;
    all[rank.clamp(1, all.len()) - 1]
}

#[test]
fn percentiles_are_those_of_a_sort() {
    fn check<T: Measured>(share: f64) {
        let noise = Image::<T>::noise(13, 77, 3, 6);
        // Small numbers too, where classes of a fixed width would hold everything.
        let small = Image::<T>::new(9, 30, 2, |y, x, b| T::from_f64(f64::from(y * x + u32::from(b))));
        for image in [noise, small] {
            let found = measure::<T>(&[], &image, true);
            for percent in [0.0, 0.05, 1.0, 12.5, 50.0, 66.6, 99.0, 100.0] {
                let (exact, expected) =
                    (found.percentile(percent).expect("counted"), ranked(&image, percent));
                assert!(
                    (exact - expected).abs() <= share * expected.abs(),
                    "{percent} %: {exact}, {expected}"
                );
            }
        }
    }
    check::<u8>(0.0);
    check::<u16>(0.0);
    check::<i16>(0.0);
    check::<u32>(1.0 / 1024.0);
    check::<i32>(1.0 / 1024.0);
    check::<f32>(1.0 / 128.0);
    check::<f64>(1.0 / 128.0);
}

#[test]
fn ranges_are_what_was_asked_for() {
    let image = Image::<u16>::noise(30, 30, 1, 2);
    let found = measure::<u16>(&[], &image, true);
    let all = found.overall();
    assert_eq!(found.range(RangeOf::MinMax), Some(Range { low: all.min, high: all.max }));
    let between = found.range(RangeOf::Percentiles { low: 2.0, high: 98.0 });
    assert_eq!(between, Some(Range { low: ranked(&image, 2.0), high: ranked(&image, 98.0) }));
    let (low, high) = (all.mean - 2.0 * all.deviation, all.mean + 2.0 * all.deviation);
    assert_eq!(found.range(RangeOf::Deviations(2.0)), Some(Range { low, high }));
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
    #![proptest_config(ProptestConfig::with_cases(40))]
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

/// Compares with every cut and every order of merging.
fn compare<T: Measured>(image: &Image<T>) -> Difference<'static> {
    let mut all = harness::every_split(
        &[],
        image,
        || difference(image.shape),
        |sum, other| sum.merge(other).expect("alike"),
    );
    let first = all.remove(0);
    let bits = |of: &Difference<'_>| {
        let bands = (0..of.bands()).map(|band| of.band(band).expect("a band"));
        let number = |d: Distance| (d.count, d.nans, d.differing, [d.max, d.mse, d.psnr].map(f64::to_bits));
        bands.chain([of.overall()]).map(number).collect::<Vec<_>>()
    };
    for (at, other) in all.iter().enumerate() {
        assert_eq!(bits(other), bits(&first), "cut {at}");
    }
    first
}

#[test]
fn differences_agree_with_the_twin() {
    fn check<T: Measured>() {
        for bands in 1..=4u16 {
            let mut image = Image::<T>::noise(8, 37, 2 * bands, 11);
            // Half of the pixels are equal.
            for pixel in image.samples.chunks_exact_mut(4 * usize::from(bands)) {
                let (first, second) = pixel[..2 * usize::from(bands)].split_at_mut(bands.into());
                second.copy_from_slice(first);
            }
            let found = compare(&image);
            let twin = |band: usize| {
                let pixels = image.samples.chunks_exact(2 * usize::from(bands));
                pixels.map(move |p| (p[band].to_f64() - p[band + usize::from(bands)].to_f64()).abs())
            };
            let distance = |all: &[f64]| {
                let mse = all.iter().map(|d| d * d).sum::<f64>() / all.len() as f64;
                let max = all.iter().copied().fold(0.0, f64::max);
                (all.len() as u64, all.iter().filter(|d| **d != 0.0).count() as u64, max, mse)
            };
            let mut all = Vec::new();
            let agree = |found: Distance, (count, differing, max, mse): (u64, u64, f64, f64)| {
                assert_eq!((found.count, found.nans, found.differing, found.max), (count, 0, differing, max));
                assert!((found.mse - mse).abs() <= 1e-13 * mse);
                let psnr = 20.0 * (T::KIND.white() / mse.sqrt()).log10();
                assert!((found.psnr - psnr).abs() < 1e-10);
            };
            for band in 0..bands {
                let own: Vec<f64> = twin(band.into()).collect();
                agree(found.band(band).expect("a band"), distance(&own));
                all.extend(own);
            }
            agree(found.overall(), distance(&all));
        }
    }
    check::<u8>();
    check::<u16>();
    check::<i16>();
    check::<u32>();
    check::<i32>();
    check::<f32>();
    check::<f64>();
}

#[test]
fn known_differences() {
    let equal = compare(&Image::<u8>::new(3, 5, 2, |y, x, _| (y * x) as u8)).overall();
    assert_eq!((equal.mse, equal.psnr, equal.max, equal.differing), (0.0, f64::INFINITY, 0.0, 0));
    // Black against white: 0 dB. Off by one everywhere: 20 log10(255) = 48.1308 dB, the usual figure.
    let white = compare(&Image::<u8>::new(3, 5, 2, |_, _, b| b as u8 * 255)).overall();
    assert_eq!((white.mse, white.psnr, white.max, white.differing), (65025.0, 0.0, 255.0, 15));
    let one = compare(&Image::<u8>::new(3, 5, 2, |_, _, b| 100 + b as u8)).overall();
    assert!((one.psnr - 48.130_803_608_679_1).abs() < 1e-12, "{}", one.psnr);
    let widest =
        compare(&Image::<i32>::new(4, 4, 2, |_, _, b| if b == 0 { i32::MIN } else { i32::MAX })).overall();
    assert_eq!((widest.max, widest.mse), (4294967295.0, 4294967295.0f64 * 4294967295.0));
}

#[test]
fn a_nan_differs_from_a_number_only() {
    let pairs =
        [(f32::NAN, f32::NAN), (f32::NAN, 1.0), (1.0, f32::NAN), (f32::INFINITY, f32::INFINITY), (3.0, 1.0)];
    let image = Image::<f32>::new(5, 1, 2, |y, _, b| {
        let (a, b_) = pairs[y as usize];
        if b == 0 { a } else { b_ }
    });
    let found = compare(&image).overall();
    assert_eq!((found.count, found.nans, found.differing, found.max), (3, 2, 3, 2.0));
    assert!((found.mse - 4.0 / 3.0).abs() < 1e-15);
    let infinite =
        compare(&Image::<f64>::new(2, 2, 2, |_, _, b| if b == 0 { 1.0 } else { f64::INFINITY })).overall();
    assert_eq!(
        (infinite.max, infinite.mse, infinite.psnr),
        (f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY)
    );
}

/// The twin: each window by itself, deviations from the mean squared.
fn naive_ssim<T: Sample>(image: &Image<T>, window: SsimWindow) -> Image<f64> {
    let bands = image.shape.bands / 2;
    let size = i64::from(window.size());
    let weight = |at: i64| match window {
        SsimWindow::Uniform8 => 1.0,
        SsimWindow::Gaussian11 => (-((at - 5) * (at - 5)) as f64 / 4.5).exp(),
    };
    let total: f64 = (0..size).flat_map(|y| (0..size).map(move |x| weight(y) * weight(x))).sum();
    let rows = image.shape.rows + 1 - window.size();
    let cols = image.shape.cols + 1 - window.size();
    Image::new(rows, cols, bands, |row, col, band| {
        let places = || (0..size).flat_map(move |y| (0..size).map(move |x| (y, x)));
        let at = |(y, x): (i64, i64), band| image.at(i64::from(row) + y, i64::from(col) + x, band).to_f64();
        let mean = |f: &dyn Fn((i64, i64)) -> f64| {
            places().map(|(y, x)| weight(y) * weight(x) * f((y, x))).sum::<f64>() / total
        };
        let (a, b) = (mean(&|p| at(p, band)), mean(&|p| at(p, bands + band)));
        let aa = mean(&|p| (at(p, band) - a).powi(2));
        let bb = mean(&|p| (at(p, bands + band) - b).powi(2));
        let ab = mean(&|p| (at(p, band) - a) * (at(p, bands + band) - b));
        let (c1, c2) = ((0.01 * T::KIND.white()).powi(2), (0.03 * T::KIND.white()).powi(2));
        (2.0 * a * b + c1) * (2.0 * ab + c2) / ((a * a + b * b + c1) * (aa + bb + c2))
    })
}

const WINDOWS: [SsimWindow; 2] = [SsimWindow::Uniform8, SsimWindow::Gaussian11];

#[test]
fn similarity_agrees_with_the_twin_whatever_the_cut() {
    fn check<T: Sample>(rows: u32, cols: u32, bands: u16) {
        for window in WINDOWS {
            // The second picture: the first with some noise.
            let noise = Image::<T>::noise(rows, cols, 2 * bands, 21);
            let image = Image::<T>::new(rows, cols, 2 * bands, |y, x, b| {
                let first = noise.at(y.into(), x.into(), b % bands).to_f64();
                let other = noise.at(y.into(), x.into(), b).to_f64();
                T::from_f64(first * 0.75 + other * 0.25)
            });
            let found = harness::every_cut::<T, f64>(&[&Ssim::<T>::new(window)], &image);
            let expected = naive_ssim(&image, window);
            assert_eq!(found.shape, expected.shape);
            for (found, expected) in found.samples.iter().zip(&expected.samples) {
                assert!((found - expected).abs() < 1e-10, "{found} is not {expected}");
            }
        }
    }
    check::<u8>(19, 23, 1);
    check::<u16>(17, 19, 3);
    check::<i16>(12, 30, 1);
    check::<u32>(13, 14, 1);
    check::<f32>(18, 17, 2);
    check::<f64>(11, 11, 1);
    // Wider than one block.
    check::<u8>(12, 300, 1);
}

#[test]
fn known_similarities() {
    for window in WINDOWS {
        let noise = Image::<u16>::noise(20, 25, 1, 5);
        let same = Image::<u16>::new(20, 25, 2, |y, x, _| noise.at(y.into(), x.into(), 0));
        let map = measure::<u16>(&[&Ssim::<u16>::new(window)], &same, false).overall();
        assert_eq!((map.min, map.max, map.mean, map.deviation), (1.0, 1.0, 1.0, 0.0));
        // Of constants c and d only the term of luminance is left: (2cd + C1) / (c^2 + d^2 + C1).
        let flat = Image::<u8>::new(16, 16, 2, |_, _, b| if b == 0 { 100 } else { 50 });
        let map = measure::<u8>(&[&Ssim::<u8>::new(window)], &flat, false).overall();
        let expected = (2.0 * 100.0 * 50.0 + 6.5025) / (100.0 * 100.0 + 50.0 * 50.0 + 6.5025);
        assert!((map.mean - expected).abs() < 1e-9, "{} is not {expected}", map.mean);
        // Black and white turned around: means, variances as they were, the covariance negated.
        let board = |y: u32, x: u32| if (y + x).is_multiple_of(2) { 1.0f32 } else { 0.0 };
        let turned = Image::<f32>::new(16, 16, 2, |y, x, b| board(y + u32::from(b), x));
        let map = measure::<f32>(&[&Ssim::<f32>::new(window)], &turned, false).overall();
        let expected = (-0.5 + 9e-4) / (0.5 + 9e-4);
        assert!((map.mean - expected).abs() < 1e-4, "{} is not {expected}", map.mean);
    }
}

#[test]
fn a_picture_smaller_than_the_window_is_refused() {
    for window in WINDOWS {
        let size = window.size();
        let ssim = Ssim::<u8>::new(window);
        let shape = |rows, cols, bands| Shape::new(rows, cols, bands, SampleKind::U8);
        assert_eq!(ssim.output(shape(size, size, 2)), Ok(shape(1, 1, 1).with_kind(SampleKind::F64)));
        for (rows, cols) in [(size - 1, size), (size, size - 1), (0, 0)] {
            assert!(matches!(ssim.output(shape(rows, cols, 2)), Err(StageError::Geometry { .. })));
        }
        assert!(matches!(ssim.output(shape(20, 20, 3)), Err(StageError::Bands { .. })));
        let wide = shape(20, 20, 2).with_kind(SampleKind::U16);
        assert!(matches!(ssim.output(wide), Err(StageError::Kind { .. })));
    }
}

#[test]
fn one_pass_gives_difference_and_similarity() {
    let image = Image::<u16>::noise(23, 31, 6, 3);
    let ssim = Ssim::<u16>::new(SsimWindow::Gaussian11);
    let stages: [&dyn Stage; 1] = [&ssim];
    let apart = (measure(&stages, &image, false).overall(), compare(&image).overall());
    for strip_rows in [1, 4, 23] {
        let chain = Chain::new(&stages, image.shape).expect("fits");
        let mut map = statistics(chain.output_shape(), false);
        let mut raw = difference(image.shape);
        harness::tapped(&stages, &image, strip_rows, &mut raw, &mut map);
        assert_eq!((map.overall(), raw.overall()), apart, "strips of {strip_rows} rows");
    }
}
