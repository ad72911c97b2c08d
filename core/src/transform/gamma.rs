//! Gamma: brightens or darkens the middle and leaves black and white where they are.

use super::curve::{Curve, Real};
use super::{Args, Host, Words, table};
use crate::pipeline::StageError;
use crate::shape::Shape;

/// `white * (x / white) ^ (1 / G)`: a `G` above 1 brightens, as with ImageMagick's `-gamma` and libvips' `exponent`.
///
/// Samples below zero (of signed and float kinds) stay as they are. Integers are computed in double precision and
/// rounded to the nearest, ties to even: by table for 8 and 16 bits (a table of 128 KiB for these), else each on its
/// own; those of 64 bits are rounded to a double first, and white is what it saturates to. Floats are computed to
/// within one unit in the last place, white is 1.0, and values above it are not clamped. The power is [`libm`]'s, for
/// f32 a series that vectorises: the same on every target.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gamma {
    exponent: f64,
}

/// What a gamma must be.
pub(super) const NEEDED: &str = "a number from 0.01 to 100";

/// Whether it is one.
pub(super) fn is_gamma(gamma: &f64) -> bool {
    (0.01..=100.0).contains(gamma)
}

impl Gamma {
    /// The curve of `gamma`, 0.01 to 100.
    ///
    /// # Errors
    /// [`StageError::Setting`] if it is not in that range.
    pub fn try_new(gamma: f64) -> Result<Self, StageError> {
        if is_gamma(&gamma) {
            Ok(Self { exponent: 1.0 / gamma })
        } else {
            Err(StageError::Setting { stage: Self::NAME, setting: "G", needed: NEEDED })
        }
    }
}

impl Curve for Gamma {
    const NAME: &'static str = "gamma";

    #[inline(always)]
    fn at<R: Real>(&self, x: R, white: R) -> R {
        if x > R::from(0) { white * (x / white).power(self.exponent) } else { x }
    }
}

/// `gamma:G`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: Gamma::NAME,
        settings: "G",
        about: "white * (x / white) ^ (1 / G) of each sample: above 1 brightens",
        example: "gamma:2.2",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of(Gamma::NAME);
        let curve = Gamma::try_new(args.required("G", NEEDED, is_gamma)?)?;
        args.end()?;
        Ok(table::accept(curve, input.kind, host))
    }
}

#[cfg(test)]
mod tests {
    use super::super::built::{built, every_cut, refuses};
    use super::super::table::Tabled;
    use crate::harness::Image;
    use crate::shape::{Sample, SampleKind, Shape};
    use std::{format, vec::Vec};

    /// By the standard library's power, in double precision.
    fn naive(x: f64, white: f64, gamma: f64) -> f64 {
        if x > 0.0 { white * (x / white).powf(1.0 / gamma) } else { x }
    }

    fn all_values<T: Tabled>() {
        let image =
            Image::<T>::new(T::VALUES as u32 / 64, 64, 1, |y, x, _| T::at_place((y * 64 + x) as usize));
        for gamma in [0.45, 1.0, 1.8, 2.2, 2.4] {
            let made = every_cut::<T, T>(&format!("gamma:{gamma}"), &image);
            let expected =
                image.samples.iter().map(|x| T::from_f64(naive(x.to_f64(), T::KIND.white(), gamma)));
            assert_eq!(made.samples, expected.collect::<Vec<T>>(), "gamma {gamma} of {}", T::KIND);
        }
    }

    fn within<T: Sample>(tolerance: f64) {
        let image = Image::<T>::noise(9, 7, 3, 5);
        for gamma in [0.45, 1.0, 2.2] {
            let made = every_cut::<T, T>(&format!("gamma:{gamma}"), &image);
            for (made, from) in made.samples.iter().zip(&image.samples) {
                let expected = naive(from.to_f64(), T::KIND.white(), gamma);
                let error = (made.to_f64() - expected).abs();
                assert!(
                    error <= tolerance * expected.abs().max(1e-30),
                    "{made:?} for {expected:e}, gamma {gamma}"
                );
            }
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "every value: minutes under the interpreter")]
    fn small_kinds_equal_the_naive_twin_for_every_value() {
        all_values::<u8>();
        all_values::<u16>();
        all_values::<i16>();
    }

    #[test]
    fn wide_kinds_are_within_their_precision() {
        within::<f64>(4e-16);
        within::<f32>(6.1e-8);
        // The square root of a quarter of white is a half of it.
        let quarter = Image::<u32>::new(1, 3, 1, |_, x, _| [0, u32::MAX / 4, u32::MAX][x as usize]);
        let half = every_cut::<u32, u32>("gamma:2", &quarter).samples;
        assert_eq!(half, [0, naive(f64::from(u32::MAX / 4), 4294967295.0, 2.0).round() as u32, u32::MAX]);
        assert!(half[1].abs_diff(u32::MAX / 2) <= 1);
    }

    #[test]
    fn above_one_brightens_and_below_zero_stays() {
        // 255 * (128 / 255) ^ (1 / 2.2) = 186.4
        let grey = Image::<u8>::new(1, 1, 1, |_, _, _| 128);
        assert_eq!(every_cut::<u8, u8>("gamma:2.2", &grey).samples, [186]);
        let floats = Image::<f32>::new(1, 4, 1, |_, x, _| [-0.5, 0.0, 0.25, 4.0][x as usize]);
        assert_eq!(every_cut::<f32, f32>("gamma:2", &floats).samples, [-0.5, 0.0, 0.5, 2.0]);
    }

    #[test]
    fn wrong_settings_are_named() {
        let shape = Shape::new(4, 4, 1, SampleKind::U16);
        for words in ["gamma", "gamma:0", "gamma:-1", "gamma:nan", "gamma:101", "gamma:dark"] {
            refuses(words, shape, "G");
        }
        refuses("gamma:2,2", shape, "the number of settings");
        assert!(super::Gamma::try_new(0.0).is_err());
        assert!(built("gamma:0.01", shape).is_ok());
    }
}
