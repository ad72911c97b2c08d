//! Against a naive whole-image twin in double precision, over every cut.

mod halves;
mod twin;

use super::*;
use crate::harness::{self, Image};
use crate::pipeline::Stage;
use crate::shape::Sample;
use crate::transform::built::built;
use proptest::prelude::*;
use std::boxed::Box;
use std::string::ToString;
use twin::naive;

/// What the op builds of these settings.
fn stage(settings: &str, input: Shape) -> Result<Box<dyn Stage>, StageError> {
    built(&std::format!("resize:{settings}"), input)
}

/// The largest difference from the twin, results cut to the range of integers.
fn difference<T: Sample>(settings: &str, factors: Option<f64>, kernel: Kernel, image: &Image<T>) -> f64 {
    let stage = stage(settings, image.shape).expect("valid settings");
    let result = harness::every_cut::<T, T>(&[&*stage], image);
    let input = image.shape;
    let output = stage.output(input).expect("valid settings");
    assert_eq!(result.samples.len() as u64, u64::from(output.rows) * output.row_samples());
    let factors = match factors {
        Some(factor) => [factor, factor],
        None => {
            [f64::from(output.rows) / f64::from(input.rows), f64::from(output.cols) / f64::from(input.cols)]
        }
    };
    let shrinks = factors.iter().any(|factor| *factor < 0.5);
    let exact_area = kernel == Kernel::Box && shrinks && output.rows <= input.rows;
    let blocks =
        factors.map(|factor| if exact_area { 1 } else { ((1.0 / factor / 3.0 + 1e-9) as u32).max(1) });
    let (low, high) = match T::KIND.is_float() {
        true => (f64::MIN, f64::MAX),
        false => (T::from_f64(f64::MIN).to_f64(), T::from_f64(f64::MAX).to_f64()),
    };
    let expected = naive(image, output, factors, blocks, kernel);
    let differences =
        result.samples.iter().zip(&expected).map(|(a, b)| (a.to_f64() - b.clamp(low, high)).abs());
    differences.fold(0.0, f64::max)
}

/// Half a step of rounding and what the arithmetic of [`Scale`] may add.
fn check(settings: &str, factor: Option<f64>, kernel: Kernel, rows: u32, cols: u32, bands: u16) {
    let words = std::format!("{settings} of {cols} x {rows} x {bands}");
    let worst = difference(settings, factor, kernel, &Image::<u8>::noise(rows, cols, bands, 5));
    assert!(worst <= 0.6, "u8 {words}: off by {worst}");
    let worst = difference(settings, factor, kernel, &Image::<u16>::noise(rows, cols, bands, 5));
    assert!(worst <= 0.8, "u16 {words}: off by {worst}");
    let worst = difference(settings, factor, kernel, &Image::<i16>::noise(rows, cols, bands, 5));
    assert!(worst <= 0.8, "i16 {words}: off by {worst}");
    let worst = difference(settings, factor, kernel, &Image::<f32>::noise(rows, cols, bands, 5));
    assert!(worst <= 1.0 / f64::from(1 << 16), "f32 {words}: off by {worst}");
}

fn kernels() -> impl Strategy<Value = Kernel> {
    prop::sample::select(&Kernel::ALL[..])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 96 }))]

    #[test]
    #[cfg_attr(miri, ignore = "many sizes: minutes under the interpreter")]
    fn any_factor_is_as_defined(
        rows in 1u32..50, cols in 1u32..50, bands in 1u16..6, millis in 30u32..8000, kernel in kernels(),
    ) {
        let cap = 8000 * 30 / rows.max(cols);
        let millis = millis.min(cap.max(900));
        let settings = std::format!("{}.{:03},{}", millis / 1000, millis % 1000, kernel.name());
        check(&settings, Some(f64::from(millis) / 1000.0), kernel, rows, cols, bands);
    }

    #[test]
    #[cfg_attr(miri, ignore = "many sizes: minutes under the interpreter")]
    fn small_factors_are_as_defined(
        rows in 1u32..90, cols in 1u32..90, bands in 1u16..5, millis in 30u32..600, kernel in kernels(),
    ) {
        let settings = std::format!("0.{millis:03},{}", kernel.name());
        check(&settings, Some(f64::from(millis) / 1000.0), kernel, rows, cols, bands);
    }

    #[test]
    #[cfg_attr(miri, ignore = "many sizes: minutes under the interpreter")]
    fn three_positive_weights_are_closer_still(
        rows in 1u32..40, cols in 1u32..120, bands in 1u16..6, millis in 667u32..3000, linear in any::<bool>(), seed in any::<u32>(),
    ) {
        // The 16-bit arithmetic, with the samples at which its sums are largest.
        let kernel = if linear { Kernel::Linear } else { Kernel::Box };
        let settings = std::format!("{}.{:03},{}", millis / 1000, millis % 1000, kernel.name());
        let noise = Image::<u8>::noise(rows, cols, bands, seed);
        let extreme = Image::<u8>::new(rows, cols, bands, |y, x, b| if noise.at(y.into(), x.into(), b) < 128 { 0 } else { 255 });
        for image in [noise, extreme] {
            let worst = difference(&settings, Some(f64::from(millis) / 1000.0), kernel, &image);
            prop_assert!(worst <= 0.55, "{settings}: off by {worst}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "many sizes: minutes under the interpreter")]
    fn any_size_is_as_defined(
        rows in 1u32..50, cols in 1u32..50, bands in 1u16..5, to_rows in 1u32..70, to_cols in 1u32..70, kernel in kernels(),
    ) {
        // A box whose columns shrink while its rows grow averages blocks first, like the other kernels.
        let settings = std::format!("{to_cols}x{to_rows},{}", kernel.name());
        check(&settings, None, kernel, rows, cols, bands);
    }

    #[test]
    #[cfg_attr(miri, ignore = "many sizes: minutes under the interpreter")]
    fn a_flat_picture_stays_flat(
        rows in 1u32..40, cols in 1u32..40, bands in 1u16..5, millis in 30u32..3000, kernel in kernels(), level in any::<u16>(),
    ) {
        fn flat<T: Sample>(value: T, rows: u32, cols: u32, bands: u16, settings: &str) {
            let image = Image::<T>::new(rows, cols, bands, |_, _, _| value);
            let stage = stage(settings, image.shape).expect("valid settings");
            let result = harness::every_cut::<T, T>(&[&*stage], &image);
            assert!(result.samples.iter().all(|sample| *sample == value), "{settings}: {value:?} changed");
        }
        let settings = std::format!("{}.{:03},{}", millis / 1000, millis % 1000, kernel.name());
        flat((level >> 8) as u8, rows, cols, bands, &settings);
        flat(level, rows, cols, bands, &settings);
        flat(level as i16, rows, cols, bands, &settings);
        flat(f32::from(level) / 7.0, rows, cols, bands, &settings);
    }

    #[test]
    fn positions_are_exact_for_the_largest_pictures(
        input in 1u32..=1 << 30, output in 1u32..=1 << 30, at in any::<u32>(), kernel in kernels(),
    ) {
        prop_assume!(u64::from(input) <= 32768 * u64::from(output) && u64::from(output) <= 32768 * u64::from(input));
        let at = at % output;
        let axis = axis::Axis::new(input, output, output, input);
        let blocks = axis.blocks(kernel, at);
        // The centre lies in the middle of what is looked at, in 128 bits.
        let centre = (2 * i128::from(at) + 1) * i128::from(input) - i128::from(output);
        prop_assert_eq!(i128::from(axis.centre(at)), centre);
        prop_assert!(blocks.len() <= axis.most_blocks(kernel) && blocks.end() <= input && !blocks.is_empty());
        let near = centre.div_euclid(2 * i128::from(output)).clamp(0, i128::from(input) - 1) as u32;
        prop_assert!(blocks.start() <= near + 1 && near <= blocks.end());
    }
}

#[test]
#[cfg_attr(miri, ignore = "many sizes: minutes under the interpreter")]
fn wide_rows_use_shared_and_plain_weights() {
    // Periods of many and of few blocks, bands with and without vectors, tables too large for vectors.
    for (cols, bands, settings) in [
        (1000, 3, "0.9,linear"),
        (1000, 1, "0.9,cubic"),
        (997, 4, "0.731"),
        (600, 2, "1.5"),
        (700, 1, "0.7001"),
    ] {
        let (factor, kernel) = settings.split_once(',').unwrap_or((settings, "lanczos3"));
        check(settings, factor.parse().ok(), kernel.parse().expect("a kernel"), 3, cols, bands);
    }
    let image = Image::<u16>::noise(2, 50_000, 3, 1);
    assert!(difference("49999x2,linear", None, Kernel::Linear, &image) <= 0.8);
}

#[test]
fn the_kernel_may_be_wider_than_the_picture() {
    for kernel in Kernel::ALL {
        // Under the interpreter a few must do.
        let (sizes, factors, bands) = if cfg!(miri) { (1, 2, 1) } else { (4, 5, 3) };
        for (rows, cols) in [(2, 3), (1, 1), (1, 2), (4, 1)].into_iter().take(sizes) {
            for factor in [0.3, 1.2, 0.9, 3.75, 7.9].into_iter().take(factors) {
                check(&std::format!("{factor},{}", kernel.name()), Some(factor), kernel, rows, cols, bands);
            }
        }
    }
}

#[test]
fn factor_one_changes_nothing() {
    let image = Image::<u8>::noise(if cfg!(miri) { 3 } else { 20 }, 33, 3, 2);
    for kernel in Kernel::ALL {
        let stage = stage(&std::format!("1,{}", kernel.name()), image.shape).expect("valid settings");
        assert_eq!(harness::every_cut::<u8, u8>(&[&*stage], &image).samples, image.samples);
    }
}

#[test]
fn an_integer_box_is_a_shrink() {
    let (rows, cols) = if cfg!(miri) { (8, 12) } else { (40, 60) };
    let image = Image::<u16>::noise(rows, cols, 3, 2);
    let by_factor = stage("0.25,box", image.shape).expect("valid settings");
    let shrink = crate::transform::shrink::Shrink::<u16>::new(4);
    assert_eq!(
        harness::every_cut::<u16, u16>(&[&*by_factor], &image).samples,
        harness::every_cut::<u16, u16>(&[&shrink], &image).samples
    );
}

#[test]
#[cfg_attr(miri, ignore = "many sizes: minutes under the interpreter")]
fn resize_and_sharpen_stay_within_three_of_doubles() {
    // The benchmark's chain: 0.9 linear, then 16 times the middle less its neighbours, over 8, in exact integers.
    fn worst<T: Sample>() -> f64 {
        let image = Image::<T>::noise(60, 70, 3, 9);
        let stage = stage("0.9,linear", image.shape).expect("valid settings");
        let output = stage.output(image.shape).expect("valid settings");
        let small = harness::every_cut::<T, T>(&[&*stage], &image);
        let exact = naive(&image, output, [0.9; 2], [1; 2], Kernel::Linear);
        let width = output.row_samples() as usize;
        let mut worst = 0.0f64;
        for y in 1..output.rows as usize - 1 {
            for x in 3..width - 3 {
                let sharpen = |sample: &dyn Fn(usize) -> f64| {
                    let around = [y - 1, y, y + 1].map(|y| [x - 3, x, x + 3].map(|x| sample(y * width + x)));
                    let sum: f64 = around.iter().flatten().sum();
                    ((17.0 * sample(y * width + x) - sum) / 8.0).clamp(0.0, T::KIND.white())
                };
                let ours = (sharpen(&|at| small.samples[at].to_f64()) + 0.5).floor();
                worst = worst.max((ours.min(T::KIND.white()) - sharpen(&|at| exact[at])).abs());
            }
        }
        worst
    }
    assert!(worst::<u8>() <= 3.0, "{}", worst::<u8>());
    assert!(worst::<u16>() <= 3.0, "{}", worst::<u16>());
}

#[test]
#[cfg_attr(miri, ignore = "many sizes: minutes under the interpreter")]
fn nan_stays_where_the_kernel_reaches_it() {
    let image = Image::<f32>::new(30, 60, 3, |y, x, _| if (y, x) == (10, 20) { f32::NAN } else { 1.0 });
    for (settings, reach) in [("0.9,linear", 2), ("1.5,cubic", 4), ("0.3,lanczos3", 4), ("0.3,box", 1)] {
        let factor: f64 =
            settings.split_once(',').and_then(|(factor, _)| factor.parse().ok()).expect("a factor");
        let stage = stage(settings, image.shape).expect("valid settings");
        let result = harness::every_cut::<f32, f32>(&[&*stage], &image);
        let width = stage.output(image.shape).expect("valid settings").cols as usize;
        let pixels =
            result.samples.iter().enumerate().filter(|(_, sample)| sample.is_nan()).map(|(at, _)| at / 3);
        for pixel in pixels {
            let (y, x) = ((pixel / width) as f64, (pixel % width) as f64);
            let near = |at: f64, nan: f64| (at - nan * factor).abs() <= f64::from(reach) + 1.0;
            assert!(near(y, 10.5) && near(x, 20.5), "{settings}: NaN at {y}, {x}");
        }
    }
}

#[test]
fn a_thumbnail_needs_little_memory() {
    use crate::pipeline::Chain;
    let input = Shape::new(20_000, 20_000, 3, SampleKind::U8);
    for (settings, most) in [("512x512", 600 << 10), ("512x512,box", 400 << 10)] {
        let stage = stage(settings, input).expect("valid settings");
        let stages = [&*stage];
        let chain = Chain::new(&stages, input).expect("it fits");
        assert!(chain.stage_bytes(0) <= most, "{settings}: {} bytes", chain.stage_bytes(0));
    }
    let wide = Shape::new(500, 200_000, 3, SampleKind::U8);
    for (settings, most) in [("0.9,linear", 2 << 20), ("123457x400,linear", 4 << 20)] {
        let stage = stage(settings, wide).expect("valid settings");
        let stages = [&*stage];
        let chain = Chain::new(&stages, wide).expect("it fits");
        assert!(chain.stage_bytes(0) <= most, "{settings}: {} bytes", chain.stage_bytes(0));
    }
}

#[test]
fn sizes_follow_the_factor() {
    let shape = |rows, cols| Shape::new(rows, cols, 1, SampleKind::U8);
    for (settings, input, expected) in [
        ("0.9,linear", shape(4800, 4801), shape(4320, 4321)),
        ("0.5", shape(1, 5), shape(1, 3)),
        ("0.0001", shape(9, 9), shape(1, 1)),
        ("2.25", shape(3, 2), shape(7, 5)),
        ("7x11,box", shape(3, 2), shape(11, 7)),
    ] {
        let output = stage(settings, input).and_then(|stage| stage.output(input));
        assert_eq!(output, Ok(expected), "{settings}");
    }
}

#[test]
fn settings_are_read_strictly() {
    let input = Shape::new(10, 10, 3, SampleKind::U8);
    for wrong in
        ["", "0", "-1", "0.00001", "20000", "1e3", "0.1234567", ".", "x5", "5x", "0x5", "half", "nan"]
    {
        let error = stage(wrong, input).err().map(|error| error.to_string());
        assert!(error.is_some_and(|error| error.contains("the size must be")), "{wrong} was taken");
    }
    for wrong in ["0.5,sinc", "0.5,linear,1", "4x4,"] {
        assert!(matches!(stage(wrong, input), Err(StageError::Setting { .. })), "{wrong} was taken");
    }
    for right in ["0.5", ".5", "2.", "4x4", "4 x 4", "1.25,cubic", "10000,box"] {
        assert!(stage(right, input).is_ok(), "{right} was refused");
    }
    let double = Shape::new(10, 10, 3, SampleKind::F64);
    assert!(matches!(stage("0.5", double), Err(StageError::Kind { stage: "resize", kind: SampleKind::F64 })));
    assert!(matches!(stage("0.5", Shape::new(0, 10, 3, SampleKind::U8)), Err(StageError::Geometry { .. })));
    assert!(matches!(
        stage("10000", Shape::new(1 << 20, 10, 3, SampleKind::U8)),
        Err(StageError::Geometry { .. })
    ));
}
