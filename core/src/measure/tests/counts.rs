//! What is answered from counts of the values: occurrences, percentiles and ranges, against counting and sorting.

use super::*;

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
    check::<u8>(|x| x as u8, -1..if cfg!(miri) { 3 } else { 257 });
    if cfg!(miri) {
        return;
    }
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
        let [(rows, cols), (few_rows, few_cols)] =
            if cfg!(miri) { [(2, 7), (2, 5)] } else { [(13, 77), (9, 30)] };
        let noise = Image::<T>::noise(rows, cols, 3, 6);
        // Small numbers too, where classes of a fixed width would hold everything.
        let small =
            Image::<T>::new(few_rows, few_cols, 2, |y, x, b| T::from_f64(f64::from(y * x + u32::from(b))));
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
    if cfg!(miri) {
        return;
    }
    check::<u16>(0.0);
    check::<i16>(0.0);
    check::<u32>(1.0 / 1024.0);
    check::<i32>(1.0 / 1024.0);
    check::<u64>(1.0 / 512.0);
    check::<i64>(1.0 / 512.0);
    check::<f32>(1.0 / 128.0);
    check::<f64>(1.0 / 128.0);
}

#[test]
#[cfg_attr(miri, ignore = "tables of 65536 bins take minutes")]
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
