//! Convolution against a naive twin in 128-bit integers and against its definition for floats.

use super::*;
use crate::harness::{self, Image};
use crate::transform::sharpen::{SCALE, WEIGHTS, sharpen};
use std::vec::Vec;

/// Repeatable weights within `most`.
fn weights<const N: usize>(seed: u32, most: i16) -> [[i16; N]; N] {
    let noise = Image::<u16>::noise(N as u32, N as u32, 1, seed);
    let mut values = noise.samples.iter().map(|x| (x % (2 * most as u16 + 1)) as i16 - most);
    [(); N].map(|_| [(); N].map(|_| values.next().unwrap()))
}

/// The definition, one sample at a time.
fn naive<T: Sample, const N: usize>(
    image: &Image<T>,
    weights: &[[i16; N]; N],
    scale: u32,
    offset: i64,
) -> Vec<T> {
    let halo = N as i64 / 2;
    let (low, high) = (T::from_f64(f64::MIN).to_f64() as i128, T::KIND.white() as i128);
    Image::<T>::new(image.shape.rows, image.shape.cols, image.shape.bands, |y, x, b| {
        let mut sum = 0i128;
        for (dy, weights) in weights.iter().enumerate() {
            for (dx, weight) in weights.iter().enumerate() {
                let sample = image.at(i64::from(y) + dy as i64 - halo, i64::from(x) + dx as i64 - halo, b);
                sum += sample.to_f64() as i128 * i128::from(*weight);
            }
        }
        let quotient = (sum + i128::from(scale / 2)).div_euclid(i128::from(scale)) + i128::from(offset);
        T::from_f64(quotient.clamp(low, high) as f64)
    })
    .samples
}

const SHAPES: &[(u32, u32, u16)] = if cfg!(miri) {
    &[(3, 4, 1)]
} else {
    &[(1, 1, 1), (2, 3, 3), (3, 1, 4), (1, 9, 1), (5, 4, 3), (11, 7, 1), (9, 300, 1), (7, 120, 4)]
};

fn check_integer<T: Convolved, const N: usize>(weights: [[i16; N]; N], scale: u32, offset: i64) {
    for (rows, cols, bands) in SHAPES.iter().copied() {
        let image = Image::<T>::noise(rows, cols, bands, rows * 31 + cols);
        let conv = Conv::<T, N>::new(weights, scale, offset as f64).unwrap();
        assert_eq!(
            harness::every_cut::<T, T>(&[&conv], &image).samples,
            naive(&image, &weights, scale, offset),
            "{rows} x {cols} x {bands}, {weights:?} / {scale} + {offset}"
        );
    }
}

fn check_kind<T: Convolved>() {
    check_integer::<T, 3>([[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16, 0);
    check_integer::<T, 3>([[1; 3]; 3], 9, 0);
    check_integer::<T, 3>([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], 1, 128);
    check_integer::<T, 5>([[1; 5]; 5], 25, -7);
    check_integer::<T, 3>([[1024; 3]; 3], 9 * 1024, 0);
    check_integer::<T, 5>([[-1024; 5]; 5], 1, 65);
    if cfg!(miri) {
        return;
    }
    for seed in 0..4 {
        check_integer::<T, 3>(weights(seed, 1024), 1 + seed * 700, i64::from(seed) * 40);
        check_integer::<T, 5>(weights(seed, 40), 64 << seed, 3);
        check_integer::<T, 5>(weights(seed, 1024), 1031, 0);
    }
}

#[test]
fn integers_are_exact_whatever_the_cut() {
    check_kind::<u8>();
    check_kind::<u16>();
    check_kind::<i16>();
}

#[test]
fn sharpen_is_its_convolution() {
    fn check<T: Convolved>() {
        for (rows, cols, bands) in SHAPES.iter().copied() {
            let image = Image::<T>::noise(rows, cols, bands, 5);
            let sharp = harness::every_cut::<T, T>(&[&sharpen::<T>().unwrap()], &image);
            assert_eq!(sharp.samples, naive(&image, &WEIGHTS, SCALE, 0));
        }
    }
    check::<u8>();
    check::<u16>();
    check::<i16>();
}

#[test]
fn floats_keep_their_precision_whatever_the_cut() {
    fn check<T: Convolved, const N: usize>(tolerance: f64) {
        for (rows, cols, bands) in SHAPES.iter().copied() {
            let image = Image::<T>::noise(rows, cols, bands, 9);
            let weights = weights::<N>(3, 50);
            let conv = Conv::<T, N>::new(weights, 7, 0.25).unwrap();
            let made = harness::every_cut::<T, T>(&[&conv], &image);
            let halo = N as i64 / 2;
            let wanted = Image::<f64>::new(rows, cols, bands, |y, x, b| {
                let mut sum = 0.0;
                for (dy, weights) in weights.iter().enumerate() {
                    for (dx, weight) in weights.iter().enumerate() {
                        let (y, x) = (i64::from(y) + dy as i64 - halo, i64::from(x) + dx as i64 - halo);
                        sum += image.at(y, x, b).to_f64() * f64::from(*weight);
                    }
                }
                sum / 7.0 + 0.25
            });
            for (made, wanted) in made.samples.iter().zip(&wanted.samples) {
                assert!((made.to_f64() - wanted).abs() <= tolerance, "{made:?} is not {wanted}");
            }
        }
    }
    check::<f32, 3>(1e-4);
    check::<f32, 5>(1e-4);
    check::<f64, 3>(1e-12);
    check::<f64, 5>(1e-12);
}

struct Accepted;

impl Host for Accepted {
    type Built = std::string::String;
    fn accept<S: Stage + 'static>(&mut self, stage: S) -> Self::Built {
        stage.name().into()
    }
}

#[test]
fn settings_are_read_and_refused() {
    let build = |name: &'static str, text: &'static str, kind| {
        let shape = Shape::new(4, 4, 1, kind);
        crate::transform::build(name, Args::new(name, text), shape, &mut Accepted)
    };
    use SampleKind::{F32, U8, U16, U32};
    let nine = "conv:3,16,1,2,1,2,4,2,1,2,1".split_once(':').unwrap().1;
    assert_eq!(build("conv", nine, U8).as_deref(), Ok("conv"));
    assert_eq!(build("conv", "3,1,0,0,0,0,1,0,0,0,0,-5", U16).as_deref(), Ok("conv"));
    assert_eq!(build("conv", "3,1,0,0,0,0,1,0,0,0,0,0.5", F32).as_deref(), Ok("conv"));
    assert_eq!(build("sharpen", "", U8).as_deref(), Ok("sharpen"));
    let setting = |text, kind| match build("conv", text, kind) {
        Err(StageError::Setting { stage: "conv", setting, .. }) => setting,
        other => panic!("{text}: {other:?}"),
    };
    assert_eq!(setting("", U8), "SIZE");
    assert_eq!(setting("4,1", U8), "SIZE");
    assert_eq!(setting("3,0,1,1,1,1,1,1,1,1,1", U8), "SCALE");
    assert_eq!(setting("3,1048577,1,1,1,1,1,1,1,1,1", U8), "SCALE");
    assert_eq!(setting("3,1,1,1,1,1,1,1,1,1", U8), "WEIGHT");
    assert_eq!(setting("3,1,1,1,1,1,1,1,1,1,1025", U8), "WEIGHT");
    assert_eq!(setting("3,1,1,1,1,1,1,1,1,1,-32768", U8), "WEIGHT");
    assert_eq!(setting("3,1,1,1,1,1,1,1,1,1,1.5", U8), "WEIGHT");
    assert_eq!(setting("3,1,1,1,1,1,1,1,1,1,1,0.5", U8), "OFFSET");
    assert_eq!(setting("3,1048576,1,1,1,1,1,1,1,1,1,60000", U8), "OFFSET");
    assert_eq!(setting("3,1,1,1,1,1,1,1,1,1,1,nan", F32), "OFFSET");
    assert_eq!(setting("3,1,1,1,1,1,1,1,1,1,1,0,0", U8), "the number of settings");
    assert_eq!(build("conv", nine, U32), Err(StageError::Kind { stage: "conv", kind: U32 }));
    assert!(build("sharpen", "1", U8).is_err());
    assert_eq!(build("sharpen", "", U32), Err(StageError::Kind { stage: "sharpen", kind: U32 }));
}
