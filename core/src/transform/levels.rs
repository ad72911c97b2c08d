//! Levels: stretches the range between a black and a white point to the whole range, with a gamma if wanted.

use super::curve::{Curve, Real};
use super::gamma::{self, is_gamma};
use super::{Args, Host, Words, table};
use crate::pipeline::StageError;
use crate::shape::Shape;

/// With `t = (x - BLACK) / (WHITE - BLACK)`: `white * t ^ (1 / GAMMA)`, or `white * t` where `t` is not above zero.
///
/// BLACK and WHITE are in the sample's units. Nothing is clamped that the kind can hold: unsigned integers end at 0 and
/// white, signed ones and floats keep what lies below BLACK, floats what lies above WHITE, too. Integers are computed
/// in double precision (of 64 bits: as the nearest double) and rounded to the nearest, ties to even: by table for 8 and
/// 16 bits (a table of 128 KiB for these), else each on its own. Floats are computed in their own precision.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levels {
    black: f64,
    span: f64,
    exponent: f64,
}

const BLACK: &str = "a finite number of single precision";
const WHITE: &str = "a finite number of single precision above BLACK";

fn is_finite(value: &f64) -> bool {
    (*value as f32).is_finite()
}

impl Levels {
    /// The curve that takes `black` to 0 and `white` to the kind's white, with `gamma` (0.01 to 100) in between.
    ///
    /// # Errors
    /// [`StageError::Setting`] unless both are finite, `white` is above `black` by what a normal single-precision
    /// number can say, and `gamma` is in its range.
    pub fn try_new(black: f64, white: f64, gamma: f64) -> Result<Self, StageError> {
        let wrong = |setting, needed| Err(StageError::Setting { stage: Self::NAME, setting, needed });
        let span = white - black;
        if !is_finite(&black) {
            return wrong("BLACK", BLACK);
        }
        if !is_finite(&white) || !(f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&span) {
            return wrong("WHITE", WHITE);
        }
        if !is_gamma(&gamma) {
            return wrong("GAMMA", gamma::NEEDED);
        }
        Ok(Self { black, span, exponent: 1.0 / gamma })
    }
}

impl Curve for Levels {
    const NAME: &'static str = "levels";

    #[inline(always)]
    fn at<R: Real>(&self, x: R, white: R) -> R {
        let t = (x - R::of(self.black)) / R::of(self.span);
        // The power of 1 is dear and changes nothing.
        if self.exponent != 1.0 && t > R::from(0) { white * t.power(self.exponent) } else { white * t }
    }
}

/// `levels:BLACK,WHITE[,GAMMA]`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: Levels::NAME,
        settings: "BLACK,WHITE[,GAMMA]",
        about: "stretch BLACK..WHITE (in the sample's units) to the whole range, with a gamma in between",
        example: "levels:16,235,1.2",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of(Levels::NAME);
        let black = args.required("BLACK", BLACK, is_finite)?;
        let white = args.required("WHITE", WHITE, is_finite)?;
        let gamma = args.optional("GAMMA", gamma::NEEDED, 1.0, is_gamma)?;
        args.end()?;
        Ok(table::accept(Levels::try_new(black, white, gamma)?, input.kind, host))
    }
}

#[cfg(test)]
mod tests {
    use super::super::built::{every_cut, refuses};
    use super::super::curve::Tone;
    use super::Levels;
    use crate::harness::Image;
    use crate::shape::{SampleKind, Shape};
    use std::{format, vec::Vec};

    /// By the standard library's power, in double precision.
    fn naive(x: f64, [black, white, gamma]: [f64; 3], full: f64) -> f64 {
        let t = (x - black) / (white - black);
        full * if t > 0.0 { t.powf(1.0 / gamma) } else { t }
    }

    fn check<T: Tone>(tolerance: f64, settings: &[[f64; 3]]) {
        let image = Image::<T>::noise(23, 17, 3, 7);
        let full = T::KIND.white();
        for &[black, white, gamma] in settings {
            let made = every_cut::<T, T>(&format!("levels:{black},{white},{gamma}"), &image);
            for (made, from) in made.samples.iter().zip(&image.samples) {
                let exact = naive(from.to_f64(), [black, white, gamma], full);
                let expected = T::from_f64(exact).to_f64();
                let allowed = tolerance * exact.abs().max(full);
                let error = (made.to_f64() - expected).abs();
                assert!(
                    error <= allowed,
                    "{made:?} for {expected:e}: {black} {white} {gamma} of {}",
                    T::KIND
                );
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "tables of 65536 values take minutes")]
    fn every_kind_equals_its_naive_twin() {
        check::<u8>(0.0, &[[0.0, 255.0, 1.0], [16.0, 235.0, 1.2], [50.5, 60.25, 0.5], [-20.0, 300.0, 2.2]]);
        check::<u16>(0.0, &[[0.0, 65535.0, 1.0], [4096.0, 60160.0, 1.2], [1000.0, 1001.0, 2.0]]);
        check::<i16>(0.0, &[[0.0, 32767.0, 1.0], [-32768.0, 32767.0, 1.0], [100.0, 20000.0, 1.7]]);
        check::<u32>(0.0, &[[0.0, 4294967295.0, 1.0], [1e6, 2e9, 1.0]]);
        check::<i32>(0.0, &[[0.0, 2147483647.0, 1.0], [-1e9, 1e9, 1.0]]);
        // Both are computed in full here, so they differ by their last places only.
        check::<u32>(1e-9, &[[1e6, 2e9, 2.2]]);
        check::<f32>(4e-7, &[[0.0, 1.0, 1.0], [0.25, 0.75, 1.0], [0.125, 0.875, 2.2], [-1.0, 2.0, 0.45]]);
        check::<f64>(1e-15, &[[0.0, 1.0, 1.0], [0.25, 0.75, 1.0], [0.125, 0.875, 2.2], [-1.0, 2.0, 0.45]]);
    }

    #[test]
    fn the_points_go_to_the_ends_and_gamma_is_optional() {
        let bytes = Image::<u8>::new(1, 5, 1, |_, x, _| [0, 16, 126, 235, 255][x as usize]);
        assert_eq!(every_cut::<u8, u8>("levels:16,235", &bytes).samples, [0, 0, 128, 255, 255]);
        let floats = Image::<f32>::new(1, 5, 1, |_, x, _| [0.0, 0.25, 0.5, 0.75, 1.0][x as usize]);
        assert_eq!(every_cut::<f32, f32>("levels:0.25,0.75", &floats).samples, [-0.5, 0.0, 0.5, 1.0, 1.5]);
        let expected: Vec<f32> = [-0.5, 0.0, 0.25, 1.0, 2.25].to_vec();
        assert_eq!(every_cut::<f32, f32>("levels:0.25,0.75,0.5", &floats).samples, expected);
    }

    #[test]
    fn wrong_settings_are_named() {
        let shape = Shape::new(4, 4, 1, SampleKind::U8);
        refuses("levels", shape, "BLACK");
        refuses("levels:inf,1", shape, "BLACK");
        refuses("levels:1", shape, "WHITE");
        refuses("levels:1,1", shape, "WHITE");
        refuses("levels:2,1", shape, "WHITE");
        refuses("levels:1,nan", shape, "WHITE");
        refuses("levels:-3e38,3e38", shape, "WHITE");
        refuses("levels:1,2,0", shape, "GAMMA");
        refuses("levels:1,2,1,1", shape, "the number of settings");
        assert!(Levels::try_new(f64::NAN, 1.0, 1.0).is_err());
    }
}
