//! Gain and offset: `A * x + B` for every sample.

use super::curve::{Curve, Direct, Real};
use super::table::Lookup;
use super::{Args, Host, Words};
use crate::pipeline::StageError;
use crate::shape::{SampleKind, Shape, by_kind};

/// A straight line, in the sample's units.
///
/// Integers: product and sum in double precision, each rounded to a double, then the nearest integer, ties to even,
/// saturated (a sample of 64 bits is the nearest double first); bytes by a table of 256 of these. Floats: product and
/// sum in their own precision, with `A` and `B` rounded to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear {
    gain: f64,
    offset: f64,
}

impl Linear {
    /// `gain * x + offset`.
    pub const fn new(gain: f64, offset: f64) -> Self {
        Self { gain, offset }
    }
}

impl Curve for Linear {
    const NAME: &'static str = "linear";

    #[inline(always)]
    fn at<R: Real>(&self, x: R, _white: R) -> R {
        R::of(self.gain) * x + R::of(self.offset)
    }
}

/// `linear:A,B`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: Linear::NAME,
        settings: "A,B",
        about: "gain and offset: A * x + B of each sample, in its units",
        example: "linear:1.5,-20",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of(Linear::NAME);
        let number = "a finite number of single precision";
        let finite = |value: &f64| (*value as f32).is_finite();
        let line = Linear::new(args.required("A", number, finite)?, args.required("B", number, finite)?);
        args.end()?;
        Ok(match input.kind {
            // A byte is looked up faster than it is widened to a double; a wider sample is not.
            SampleKind::U8 => host.accept(Lookup::<_, u8>::new(line)),
            kind => by_kind!(kind, T => host.accept(Direct::<_, T>::new(line))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::built::{built, every_cut, refuses};
    use super::super::curve::Tone;
    use crate::harness::Image;
    use crate::shape::{SampleKind, Shape};
    use std::{format, vec::Vec};

    const LINES: [(f64, f64); 7] =
        [(1.0, 0.0), (1.5, -20.0), (-1.0, 255.0), (0.5, 0.5), (0.37, 1e4), (1e30, -1e30), (0.0, 0.3)];

    fn check<T: Tone>(naive: fn(f64, f64, f64) -> f64) {
        for (gain, offset) in LINES.into_iter().skip(if cfg!(miri) { 5 } else { 0 }) {
            let image = Image::<T>::noise(if cfg!(miri) { 2 } else { 11 }, 9, 2, 3);
            let expected: Vec<T> =
                image.samples.iter().map(|x| T::from_f64(naive(gain, x.to_f64(), offset))).collect();
            let made = every_cut::<T, T>(&format!("linear:{gain},{offset}"), &image);
            assert_eq!(made.samples, expected, "{gain} * x + {offset} of {}", T::KIND);
        }
    }

    #[test]
    fn every_kind_equals_its_naive_twin() {
        let double = |gain: f64, x: f64, offset: f64| gain * x + offset;
        check::<u8>(double);
        check::<u16>(double);
        check::<i16>(double);
        check::<u32>(double);
        check::<i32>(double);
        check::<u64>(double);
        check::<i64>(double);
        check::<f64>(double);
        check::<f32>(|gain, x, offset| f64::from(gain as f32 * x as f32 + offset as f32));
    }

    #[test]
    fn ties_go_to_the_even_neighbour_and_ends_saturate() {
        let bytes = Image::<u8>::new(1, 5, 1, |_, x, _| [1, 3, 5, 254, 255][x as usize]);
        assert_eq!(every_cut::<u8, u8>("linear:0.5,0", &bytes).samples, [0, 2, 2, 127, 128]);
        assert_eq!(every_cut::<u8, u8>("linear:2,-10", &bytes).samples, [0, 0, 0, 255, 255]);
        let words = Image::<u16>::new(1, 5, 1, |_, x, _| [1, 3, 5, 65534, 65535][x as usize]);
        assert_eq!(every_cut::<u16, u16>("linear:0.5,0", &words).samples, [0, 2, 2, 32767, 32768]);
        assert_eq!(every_cut::<u16, u16>("linear:2,-10", &words).samples, [0, 0, 0, 65535, 65535]);
    }

    #[test]
    fn wrong_settings_are_named() {
        let shape = Shape::new(4, 4, 1, SampleKind::U8);
        refuses("linear", shape, "A");
        refuses("linear:nan,1", shape, "A");
        refuses("linear:1", shape, "B");
        refuses("linear:1,1e39", shape, "B");
        refuses("linear:1,inf", shape, "B");
        refuses("linear:1,2,3", shape, "the number of settings");
        assert!(built("linear:1,2", shape).unwrap().output(shape.with_kind(SampleKind::U16)).is_err());
    }
}
