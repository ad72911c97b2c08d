//! The blur against an f64 Gaussian of ten sigmas, and a bound on its error that holds for every image.

use super::*;
use crate::harness::{self, Image};
use crate::shape::{Sample, SampleKind};
use std::vec::Vec;

/// The Gaussian as it is: ten sigmas wide, in doubles. Rows, then columns, each from the definition.
fn naive<T: Sample>(image: &Image<T>, sigma: f64) -> Vec<f64> {
    let reach = (10.0 * sigma).ceil() as i64 + 1;
    let mut weights: Vec<f64> = (-reach..=reach).map(|k| (-0.5 * (k as f64 / sigma).powi(2)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    let Shape { rows, cols, bands, .. } = image.shape;
    let down = Image::<f64>::new(rows, cols, bands, |y, x, b| {
        let taps = (-reach..=reach).zip(&weights);
        taps.map(|(k, w)| w * image.at(i64::from(y) + k, i64::from(x), b).to_f64()).sum()
    });
    Image::<f64>::new(rows, cols, bands, |y, x, b| {
        let taps = (-reach..=reach).zip(&weights);
        taps.map(|(k, w)| w * down.at(i64::from(y), i64::from(x) + k, b)).sum()
    })
    .samples
}

const SHAPES: &[(u32, u32, u16)] = if cfg!(miri) {
    &[(2, 3, 3)]
} else {
    &[(1, 1, 1), (2, 3, 3), (3, 1, 4), (1, 40, 1), (25, 14, 3), (17, 23, 4)]
};
const SIGMAS: &[f64] = if cfg!(miri) { &[0.5, 2.0] } else { &[0.1, 0.3, 0.5, 0.8, 1.0, 2.0, 3.3, 7.0, 40.0] };

/// Black and white: the hardest there is.
fn hard<T: Sample>(rows: u32, cols: u32, bands: u16) -> Image<T> {
    let noise = Image::<u8>::noise(rows, cols, bands, 77);
    let at = |y: u32, x: u32, b: u16| noise.at(i64::from(y), i64::from(x), b);
    Image::new(rows, cols, bands, |y, x, b| {
        T::from_f64(if at(y, x, b) < 128 { 0.0 } else { T::KIND.white() })
    })
}

#[test]
fn integers_are_within_one_level_whatever_the_cut() {
    fn check<T: Blurred>(most: f64) {
        for (rows, cols, bands) in SHAPES.iter().copied() {
            for sigma in SIGMAS.iter().copied() {
                for image in [Image::<T>::noise(rows, cols, bands, 3), hard(rows, cols, bands)] {
                    let made = harness::every_cut::<T, T>(&[&Blur::<T>::new(sigma).unwrap()], &image);
                    for (made, wanted) in made.samples.iter().zip(naive(&image, sigma)) {
                        let error = (made.to_f64() - wanted).abs();
                        assert!(error <= most, "sigma {sigma}: {made:?} is not {wanted}");
                        assert!((made.to_f64() - wanted.round()).abs() <= 1.0);
                    }
                }
            }
        }
    }
    check::<u8>(0.9);
    check::<u16>(0.9);
}

#[test]
fn floats_are_as_accurate_as_stated_whatever_the_cut() {
    fn check<T: Blurred>(unit: f64) {
        for (rows, cols, bands) in SHAPES.iter().copied() {
            for sigma in SIGMAS.iter().copied() {
                let blur = Blur::<T>::new(sigma).unwrap();
                let image = Image::<T>::noise(rows, cols, bands, 3);
                let made = harness::every_cut::<T, T>(&[&blur], &image);
                let bound = 2f64.powi(-17) + 2.0 * f64::from(blur.radius() + 3) * unit;
                for (made, wanted) in made.samples.iter().zip(naive(&image, sigma)) {
                    assert!(
                        (made.to_f64() - wanted).abs() <= bound,
                        "sigma {sigma}: {made:?} is not {wanted}"
                    );
                }
            }
        }
    }
    check::<f32>(2f64.powi(-24));
    check::<f64>(2f64.powi(-53));
}

/// The weights that one direction really uses, from the middle outwards.
fn held<P: Pass>(gauss: &Gauss, bits: u32) -> Vec<f64> {
    let mut weights = std::vec![P::weight(0.0, bits); gauss.radius as usize + 1];
    fill_weights::<P, 1>(gauss, bits, &mut weights);
    weights.into_iter().map(|weight| P::value(weight, bits)).collect()
}

/// What the weights can be wrong by at most, for samples from 0 to 1: the sum of all that are too large, or too small.
fn worst(held: &[f64], sigma: f64) -> f64 {
    let reach = (12.0 * sigma).ceil() as usize + 1;
    let height = |k: usize| (-0.5 * (k as f64 / sigma).powi(2)).exp();
    let sum = 1.0 + 2.0 * (1..=reach).map(height).sum::<f64>();
    let (mut above, mut below) = (0.0f64, 0.0f64);
    for k in 0..=reach.max(held.len()) {
        let wrong = held.get(k).copied().unwrap_or(0.0) - height(k) / sum;
        let sides = if k == 0 { 1.0 } else { 2.0 };
        above += sides * wrong.max(0.0);
        below += sides * (-wrong).max(0.0);
    }
    above.max(below)
}

/// For all images: what rounding to nearest is applied to is less than one level from the truth, so the result is at
/// most one level from the rounded truth.
#[test]
#[cfg_attr(miri, ignore = "hundreds of radii: minutes under the interpreter")]
fn no_image_is_more_than_one_level_off() {
    // Units of the middle by which one direction can be wrong besides its weights, if all pairs are one group.
    fn check<T: Blurred>(middle_bits: u32, few: fn(radius: u32) -> f64) {
        let white = T::KIND.white();
        let narrow = (10..400).map(|tenth| f64::from(tenth) / 100.0);
        for sigma in narrow.chain((4..=200).map(f64::from)) {
            let blur = Blur::<T>::new(sigma).unwrap();
            let [down, across] = blur.scales.map(|scale| scale.bits);
            let (down, across, rounding) = match blur.is_few() {
                true => (
                    held::<T::DownFew>(&blur.gauss, down),
                    held::<T::AcrossFew>(&blur.gauss, across),
                    few(blur.gauss.radius),
                ),
                false => (held::<T::Down>(&blur.gauss, down), held::<T::Across>(&blur.gauss, across), 0.5),
            };
            for weights in [&down, &across] {
                assert_eq!(weights[0] + 2.0 * weights[1..].iter().sum::<f64>(), 1.0, "sigma {sigma}");
                assert!(weights.iter().all(|weight| *weight >= 0.0));
            }
            let error = white * (worst(&down, sigma) + worst(&across, sigma))
                + rounding / f64::from(1u32 << middle_bits);
            assert!(error < 1.0, "{} sigma {sigma}: {error}", T::KIND);
        }
    }
    // Half a unit for each product of either direction.
    check::<u8>(7, |radius| f64::from(1 + radius));
    check::<u16>(15, |_| 0.5);
}

#[test]
fn sigma_two_in_bytes_needs_a_radius_of_six() {
    assert_eq!(Blur::<u8>::new(2.0).unwrap().radius(), 6);
    assert_eq!(Blur::<u8>::new(0.1).unwrap().radius(), 0);
    assert_eq!(Blur::<u16>::new(2.0).unwrap().radius(), 9);
}

#[test]
fn even_areas_stay_as_they_are() {
    fn check<T: Blurred>() {
        for sigma in [0.1, 0.7, 2.0, 15.0].into_iter().skip(if cfg!(miri) { 3 } else { 0 }) {
            for level in [0.0, 1.0, 77.0, T::KIND.white() - 1.0, T::KIND.white()] {
                let image = Image::<T>::new(5, 6, 3, |_, _, _| T::from_f64(level));
                assert_eq!(harness::every_cut::<T, T>(&[&Blur::<T>::new(sigma).unwrap()], &image), image);
            }
        }
    }
    check::<u8>();
    check::<u16>();
}

#[test]
fn infinity_does_not_reach_beyond_the_radius() {
    let blur = Blur::<f32>::new(0.5).unwrap();
    let radius = blur.radius() as usize;
    let image = Image::<f32>::new(1, 40, 1, |_, x, _| if x == 20 { f32::INFINITY } else { 1.0 });
    let made = harness::every_cut::<f32, f32>(&[&blur], &image).samples;
    for (x, sample) in made.iter().enumerate() {
        assert_eq!(sample.is_infinite(), x.abs_diff(20) <= radius, "{x}: {sample}");
        assert!(!sample.is_nan());
    }
}

struct Accepted;

impl Host for Accepted {
    type Built = SampleKind;
    fn accept<S: Stage + 'static>(&mut self, stage: S) -> SampleKind {
        let mut kinds = SampleKind::ALL.into_iter();
        kinds.find(|kind| stage.output(Shape::new(1, 1, 1, *kind)).is_ok()).unwrap()
    }
}

#[test]
fn settings_are_read_and_refused() {
    let build = |text: &'static str, kind| {
        crate::transform::build("blur", Args::new("blur", text), Shape::new(4, 4, 1, kind), &mut Accepted)
    };
    for kind in [SampleKind::U8, SampleKind::U16, SampleKind::F32, SampleKind::F64] {
        assert_eq!(build("2.5", kind), Ok(kind));
    }
    let wrong = Err(StageError::Setting { stage: "blur", setting: "SIGMA", needed: "from 0.1 to 200" });
    for text in ["", "0", "-1", "0.09", "201", "nan", "inf", "two"] {
        assert_eq!(build(text, SampleKind::U8), wrong, "{text}");
    }
    assert!(matches!(build("2,3", SampleKind::U8), Err(StageError::Setting { .. })));
    assert_eq!(build("2", SampleKind::I32), Err(StageError::Kind { stage: "blur", kind: SampleKind::I32 }));
}
