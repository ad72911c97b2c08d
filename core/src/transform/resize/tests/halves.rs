//! A reduction is the same as one stage and as two.

use super::super::*;
use crate::harness::{self, Image};
use crate::pipeline::Stage;
use crate::shape::{Sample, Span};
use proptest::prelude::*;

/// A reduction as one stage, as two, and with the first of them in the source: all cuts of all three agree.
fn halves<T: Scale + Average>(rows: u32, cols: u32, bands: u16, geometry: Geometry, seed: u32) {
    let image = Image::<T>::noise(rows, cols, bands, seed);
    let means = geometry.means(image.shape).expect("a large reduction");
    let (whole, first, second) =
        (Reduce::<T>::new(geometry), Means::<T>::new(geometry), Reduce::<T>::of_means(geometry, image.shape));
    let expected = harness::every_cut::<T, T>(&[&whole], &image);
    let parts: [&dyn Stage; 2] = [&first, &second];
    assert_eq!(first.output(image.shape), Ok(Shape { kind: T::Mid::KIND, ..means }));
    assert_eq!(harness::every_cut::<T, T>(&parts, &image).samples, expected.samples);
    let height = expected.shape.rows;
    let heights = [(17, 64), (1, 1), (3, 2), (64, 1)];
    for heights in heights.into_iter().take(if cfg!(miri) { 1 } else { 4 }) {
        let staged = |rows| harness::staged::<T, T>(&parts, 1, &image, heights, rows);
        assert_eq!(staged(None), expected.samples, "strips of {heights:?} rows");
        let lower = Span::new(height / 2, height);
        let start = lower.start() as usize * expected.shape.row_samples() as usize;
        assert_eq!(staged(Some(lower)), &expected.samples[start..], "lower half by {heights:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 12 }))]
    #[test]
    #[cfg_attr(miri, ignore = "many sizes: minutes under the interpreter")]
    fn two_stages_give_the_bits_of_one(
        (rows, cols) in (60u32..260, 60u32..200),
        bands in 1u16..5,
        (width, height) in (1u32..9, 1u32..9),
        kernel in 0usize..3,
        seed: u32,
    ) {
        let kernel = [Kernel::Linear, Kernel::Cubic, Kernel::Lanczos3][kernel];
        let geometry = Geometry::new(Target::Size { cols: width, rows: height }, kernel);
        halves::<u8>(rows, cols, bands, geometry, seed);
        halves::<u16>(rows, cols, bands, geometry, seed);
        halves::<i16>(rows, cols, bands, geometry, seed);
        halves::<f32>(rows, cols, bands, geometry, seed);
    }
}

#[test]
fn blocks_of_one_axis_alone_are_means_too() {
    // A factor of 2.5 down and of 30 across.
    let (rows, cols) = if cfg!(miri) { (4, 2) } else { (20, 5) };
    let geometry = Geometry::new(Target::Size { cols, rows }, Kernel::Lanczos3);
    let bands = if cfg!(miri) { 1 } else { 3 };
    halves::<u8>(rows * 5 / 2, cols * 30, bands, geometry, 5);
    if !cfg!(miri) {
        halves::<f32>(rows * 5 / 2, cols * 30, bands, geometry, 5);
    }
}

#[test]
fn only_means_of_the_picture_are_taken_for_them() {
    let picture = Shape::new(200, 300, 3, SampleKind::U8);
    let geometry = Geometry::new(Target::Size { cols: 10, rows: 10 }, Kernel::Lanczos3);
    let reduce = Reduce::<u8>::of_means(geometry, picture);
    let means = Means::<u8>::new(geometry).output(picture).expect("it fits");
    assert_eq!(means, Shape::new(34, 30, 3, SampleKind::I16));
    assert_eq!(reduce.output(means), Ok(Shape::new(10, 10, 3, SampleKind::U8)));
    for wrong in [picture, Shape { rows: 33, ..means }, Shape { cols: 31, ..means }] {
        assert!(reduce.output(wrong).is_err(), "{wrong} was taken");
    }
}
