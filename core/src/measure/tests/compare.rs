//! Differences of two pictures against a slow obvious twin, with every cut and every order of merging.

use super::*;

/// Compares with every cut and every order of merging.
pub(super) fn compare<T: Measured>(image: &Image<T>) -> Difference<'static> {
    let mut all = harness::every_split(
        &[],
        image,
        || difference(image.shape),
        |sum, other| sum.merge(other).expect("alike"),
    );
    let first = all.remove(0);
    let bits = |of: &Difference<'_>| {
        let bands = (0..of.bands()).map(|band| of.band(band).expect("a band"));
        let number = |d: Distance| {
            (d.count, d.nans, d.differing, d.exact_max, [d.max, d.mse, d.psnr].map(f64::to_bits))
        };
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
        for bands in 1..=if cfg!(miri) { 1 } else { 4u16 } {
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
fn differences_of_64_bit_integers_are_exact() {
    let place = |y: u32, x: u32, b: u16| {
        u64::from(y * 977 + x * 31 + u32::from(b)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    };
    let unsigned =
        Image::<u64>::new(7, 23, 6, |y, x, b| if x % 3 == 0 { place(y, x, b % 3) } else { place(y, x, b) });
    let signed = Image::<i64>::new(7, 23, 6, |y, x, b| unsigned.at(y.into(), x.into(), b).cast_signed());
    fn check<T: Measured + Into<i128>>(image: &Image<T>) {
        let found = compare(image);
        for band in 0..3u16 {
            let pixels = image.samples.chunks_exact(6);
            let [first, second] = [band, band + 3].map(usize::from);
            let apart: Vec<u128> =
                pixels.map(|p| (p[first].into() - p[second].into()).unsigned_abs()).collect();
            let found = found.band(band).expect("a band");
            assert_eq!(found.exact_max.map(u128::from), apart.iter().copied().max());
            assert_eq!(found.max, apart.iter().copied().max().expect("some") as f64);
            assert_eq!(found.differing, apart.iter().filter(|d| **d > 0).count() as u64);
            let mse = apart.iter().map(|d| *d as f64 * *d as f64).sum::<f64>() / apart.len() as f64;
            assert!((found.mse - mse).abs() <= 1e-13 * mse, "{} {mse}", found.mse);
            let psnr = 20.0 * (T::KIND.white() / mse.sqrt()).log10();
            assert!((found.psnr - psnr).abs() < 1e-10);
        }
    }
    check(&unsigned);
    check(&signed);
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
    let widest =
        compare(&Image::<i64>::new(4, 4, 2, |_, _, b| if b == 0 { i64::MIN } else { i64::MAX })).overall();
    assert_eq!((widest.exact_max, widest.mse), (Some(u64::MAX), libm::scalbn(1.0, 128)));
    let nearest =
        compare(&Image::<u64>::new(1, 2, 2, |_, x, b| u64::MAX - u64::from(x) * u64::from(b))).overall();
    assert_eq!((nearest.exact_max, nearest.differing, nearest.mse), (Some(1), 1, 0.5));
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
