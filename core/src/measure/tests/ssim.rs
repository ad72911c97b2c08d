//! The map of similarity against a twin that looks at each window by itself, and against known values.

use super::*;

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
    check::<f64>(11, 11, 1);
    if cfg!(miri) {
        return;
    }
    check::<u8>(19, 23, 1);
    check::<u16>(17, 19, 3);
    check::<i16>(12, 30, 1);
    check::<u32>(13, 14, 1);
    check::<f32>(18, 17, 2);
    // Wider than one block.
    check::<u8>(12, 300, 1);
}

#[test]
fn known_similarities() {
    let (rows, cols, side) = if cfg!(miri) { (11, 12, 11) } else { (20, 25, 16) };
    for window in WINDOWS {
        let noise = Image::<u16>::noise(rows, cols, 1, 5);
        let same = Image::<u16>::new(rows, cols, 2, |y, x, _| noise.at(y.into(), x.into(), 0));
        let map = measure::<u16>(&[&Ssim::<u16>::new(window)], &same, false).overall();
        assert_eq!((map.min, map.max, map.mean, map.deviation), (1.0, 1.0, 1.0, 0.0));
        // Of constants c and d only the term of luminance is left: (2cd + C1) / (c^2 + d^2 + C1).
        let flat = Image::<u8>::new(side, side, 2, |_, _, b| if b == 0 { 100 } else { 50 });
        let map = measure::<u8>(&[&Ssim::<u8>::new(window)], &flat, false).overall();
        let expected = (2.0 * 100.0 * 50.0 + 6.5025) / (100.0 * 100.0 + 50.0 * 50.0 + 6.5025);
        assert!((map.mean - expected).abs() < 1e-9, "{} is not {expected}", map.mean);
        // Black and white turned around: means, variances as they were, the covariance negated.
        let board = |y: u32, x: u32| if (y + x).is_multiple_of(2) { 1.0f32 } else { 0.0 };
        let turned = Image::<f32>::new(side, side, 2, |y, x, b| board(y + u32::from(b), x));
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
    let (rows, cols, bands) = if cfg!(miri) { (11, 12, 2) } else { (23, 31, 6) };
    let image = Image::<u16>::noise(rows, cols, bands, 3);
    let ssim = Ssim::<u16>::new(SsimWindow::Gaussian11);
    let stages: [&dyn Stage; 1] = [&ssim];
    let apart = (measure(&stages, &image, false).overall(), compare::compare(&image).overall());
    for strip_rows in [1, 4, rows] {
        let chain = Chain::new(&stages, image.shape).expect("fits");
        let mut map = statistics(chain.output_shape(), false);
        let mut raw = difference(image.shape);
        harness::tapped(&stages, &image, strip_rows, &mut raw, &mut map);
        assert_eq!((map.overall(), raw.overall()), apart, "strips of {strip_rows} rows");
    }
}
