//! Spreads the values that a picture uses over all that its kind can show.

use super::{Args, Host, Words};
use crate::budget::{Budget, Layout};
use crate::measure::{Range, RangeOf};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Sample, Shape, by_kind};
use crate::strip::{Strip, StripMut};

/// Maps a range, found by an earlier pass, to black..white: `low` to 0, `high` to white (the largest integer of the
/// kind, or 1.0), everything outside to the nearer end.
///
/// Worked out in doubles as `(x - low) / (high - low) * white`, with one rounding to the kind, to the nearest, ties to
/// even. Samples of 64 bits, and the ends of their range, become the nearest doubles first. A range of no width, or of
/// no finite width, makes everything 0. NaN stays NaN. 8 and 16-bit unsigned samples are looked up in a table: 256
/// bytes, 128 KiB.
#[derive(Clone, Copy, Debug)]
pub struct Normalize<T> {
    range: Option<Range>,
    kind: core::marker::PhantomData<fn(T)>,
}

/// A sample that can be normalized.
pub trait Spread: Sample {
    /// Values of the kind that are looked up in a table; 0 if they are worked out.
    const TABLE: usize;

    /// Its place in the table.
    fn place(self) -> usize;

    /// The nearest sample to a value from 0 to white, ties to even.
    fn nearest(value: f64) -> Self;
}

macro_rules! spread {
    ($($t:ty: $table:expr, $x:ident => $place:expr, $value:ident => $nearest:expr;)*) => {$(
        impl Spread for $t {
            const TABLE: usize = $table;
            #[inline(always)]
            fn place(self) -> usize {
                let $x = self;
                $place
            }
            #[inline(always)]
            fn nearest($value: f64) -> Self {
                $nearest
            }
        }
    )*};
}

/// Added to a double below 2^32 it leaves the nearest integer in the low bits, ties to even, without a conversion
/// (those of floats to integers do not become vectors).
const ROUND: f64 = 6_755_399_441_055_744.0;

spread! {
    u8: 256, x => usize::from(x), value => (value + ROUND).to_bits() as u8;
    u16: 65536, x => usize::from(x), value => (value + ROUND).to_bits() as u16;
    i16: 0, _x => 0, value => (value + ROUND).to_bits() as i16;
    u32: 0, _x => 0, value => (value + ROUND).to_bits() as u32;
    i32: 0, _x => 0, value => (value + ROUND).to_bits() as i32;
    u64: 0, _x => 0, value => Self::from_f64(value);
    i64: 0, _x => 0, value => Self::from_f64(value);
    f32: 0, _x => 0, value => value as f32;
    f64: 0, _x => 0, value => value;
}

/// What is done to each value.
#[derive(Clone, Copy, Debug)]
struct Scale {
    low: f64,
    width: f64,
    white: f64,
}

impl Scale {
    /// `None` where everything becomes 0.
    fn new(range: Option<Range>, white: f64) -> Option<Self> {
        let Range { low, high } = range?;
        let width = high - low;
        (width > 0.0 && width.is_finite()).then_some(Self { low, width, white })
    }

    #[inline(always)]
    fn of(&self, value: f64) -> f64 {
        let value = (value - self.low) / self.width * self.white;
        // In this form NaN passes, and the two comparisons become vector instructions.
        let value = if value < 0.0 { 0.0 } else { value };
        if value > self.white { self.white } else { value }
    }
}

impl<T: Spread> Normalize<T> {
    /// Spreads `range`; `None` to be planned before the range is known (everything becomes 0).
    pub const fn new(range: Option<Range>) -> Self {
        Self { range, kind: core::marker::PhantomData }
    }

    fn scale(&self) -> Option<Scale> {
        Scale::new(self.range, T::KIND.white())
    }
}

impl<T: Spread> Stage for Normalize<T> {
    fn name(&self) -> &'static str {
        "normalize"
    }

    fn vectorises(&self) -> bool {
        !T::KIND.is_long()
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind == T::KIND {
            Ok(input)
        } else {
            Err(StageError::Kind { stage: "normalize", kind: input.kind })
        }
    }

    fn input(&self, output: Region, _input: Shape) -> Region {
        output
    }

    fn memory(&self, _view: &View) -> u64 {
        Layout::new().with::<T>(T::TABLE as u64).bytes()
    }

    fn begin(&self, _view: &View, memory: &mut [u8]) -> Result<(), StageError> {
        let table = Budget::new(memory).lease::<T>("normalize", T::TABLE)?;
        if let Some(scale) = self.scale() {
            for (value, entry) in table.iter_mut().enumerate() {
                *entry = T::nearest(scale.of(value as f64));
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn process(
        &self,
        _view: &View,
        memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        let table = &*Budget::new(memory).lease::<T>("normalize", T::TABLE)?;
        let scale = self.scale();
        for row in output.rows().iter() {
            let (from, to) = (input.row::<T>(row), output.row_mut::<T>(row));
            match (T::TABLE, scale) {
                (0, Some(scale)) => work_out(scale, from, to),
                (0, None) => to.fill(T::default()),
                _ => look_up(table, from, to),
            }
        }
        Ok(())
    }
}

#[inline(always)]
fn look_up<T: Spread>(table: &[T], from: &[T], to: &mut [T]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = table.get(from.place()).copied().unwrap_or_default();
    }
}

#[inline(always)]
fn work_out<T: Spread>(scale: Scale, from: &[T], to: &mut [T]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = T::nearest(scale.of(from.to_f64()));
    }
}

/// `normalize[:minmax | percentiles,LOW,HIGH | deviations,K]`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "normalize",
        settings: "[minmax | percentiles,LOW,HIGH | deviations,K]",
        about: "spread the used values over black to white: from least to largest (default), between two \
                percentiles, or K deviations around the mean",
        example: "normalize:percentiles,0.5,99.5",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of("normalize");
        let of = match args.next_word() {
            None | Some("minmax") => RangeOf::MinMax,
            Some("percentiles") => {
                let low = args.required("the lower percentile", "from 0 to less than 100", |low: &f64| {
                    (0.0..100.0).contains(low)
                })?;
                let high = args.required(
                    "the higher percentile",
                    "more than the lower one, at most 100",
                    |high: &f64| low < *high && *high <= 100.0,
                )?;
                RangeOf::Percentiles { low, high }
            }
            Some("deviations") => {
                RangeOf::Deviations(args.required("the number of deviations", "more than 0", |n: &f64| {
                    *n > 0.0 && n.is_finite()
                })?)
            }
            Some(_) => return Err(args.wrong("the range", "minmax, percentiles,LOW,HIGH or deviations,K")),
        };
        args.end()?;
        let range = host.range(of);
        Ok(by_kind!(input.kind, T => host.accept(Normalize::<T>::new(range))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{self, Image};
    use crate::shape::SampleKind;
    use proptest::prelude::*;
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    fn range(low: f64, high: f64) -> Option<Range> {
        Some(Range { low, high })
    }

    /// The twin: rounds with the library's own function, one sample at a time.
    fn naive<T: Spread>(image: &Image<T>, Range { low, high }: Range) -> Vec<T> {
        let white = T::KIND.white();
        let one = |x: &T| T::from_f64(((x.to_f64() - low) / (high - low)).clamp(0.0, 1.0) * white);
        image.samples.iter().map(one).collect()
    }

    #[test]
    fn every_kind_is_spread_whatever_the_cut() {
        fn check<T: Spread>() {
            if cfg!(miri) && T::TABLE > 256 {
                return;
            }
            let image = Image::<T>::noise(if cfg!(miri) { 2 } else { 13 }, 21, 3, 7);
            let white = T::KIND.white();
            // Inside, beyond, and down to less than nothing.
            for (low, high) in [
                (0.0, white),
                (0.2, 0.7 * white),
                (-0.5 * white, 1.5 * white),
                (0.4 * white, 0.4 * white + f64::max(1.0, 1e-12 * white)),
            ] {
                let found = harness::every_cut::<T, T>(&[&Normalize::<T>::new(range(low, high))], &image);
                assert_eq!(found.samples, naive(&image, Range { low, high }), "{low}..{high}");
            }
        }
        check::<u8>();
        check::<u16>();
        check::<i16>();
        check::<u32>();
        check::<i32>();
        check::<u64>();
        check::<i64>();
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn the_ends_become_black_and_white() {
        fn check<T: Spread>() {
            if cfg!(miri) && T::TABLE > 256 {
                return;
            }
            let image = Image::<T>::noise(9, 11, 2, 3);
            let values = || image.samples.iter().map(|x| x.to_f64());
            let (low, high) = (values().fold(f64::MAX, f64::min), values().fold(f64::MIN, f64::max));
            let found = harness::every_cut::<T, T>(&[&Normalize::<T>::new(range(low, high))], &image);
            for (from, to) in values().zip(&found.samples) {
                let to = to.to_f64();
                assert!(from != low || to == 0.0);
                assert!(from != high || to == T::KIND.white(), "{to}");
            }
        }
        check::<u8>();
        check::<u16>();
        check::<i16>();
        check::<u32>();
        check::<i32>();
        check::<u64>();
        check::<i64>();
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn a_range_without_width_gives_zeroes() {
        let eight = Image::<u8>::noise(3, 4, 1, 1);
        let real = Image::<f32>::noise(3, 4, 1, 1);
        let infinite = range(0.0, f64::INFINITY);
        for range in [None, range(7.0, 7.0), range(8.0, 7.0), infinite, range(f64::NAN, 1.0)] {
            assert!(
                harness::every_cut::<u8, u8>(&[&Normalize::<u8>::new(range)], &eight)
                    .samples
                    .iter()
                    .all(|x| *x == 0)
            );
            let found = harness::every_cut::<f32, f32>(&[&Normalize::<f32>::new(range)], &real);
            assert!(found.samples.iter().all(|x| *x == 0.0));
        }
    }

    #[test]
    fn nan_stays_nan_and_infinities_become_the_ends() {
        let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3.0];
        let image = Image::<f32>::new(1, 4, 1, |_, x, _| values[x as usize]);
        let found =
            harness::every_cut::<f32, f32>(&[&Normalize::<f32>::new(range(2.0, 4.0))], &image).samples;
        assert!(found[0].is_nan());
        assert_eq!(found[1..], [1.0, 0.0, 0.5]);
    }

    #[test]
    fn what_is_planned_without_the_range_is_enough_with_it() {
        let shape = Shape::new(4, 4, 1, SampleKind::U16);
        let view =
            View { input_shape: shape, output_shape: shape, input: shape.region(), output: shape.region() };
        let bytes = Normalize::<u16>::new(None).memory(&view);
        assert_eq!(bytes, 131_072);
        assert_eq!(Normalize::<u16>::new(range(1.0, 2.0)).memory(&view), bytes);
    }

    proptest! {
        #[test]
        #[cfg_attr(miri, ignore = "tables of 65536 values take minutes")]
        fn rounding_is_to_the_nearest(low in 0.0f64..60000.0, width in 0.001f64..70000.0, seed in any::<u32>()) {
            let image = Image::<u16>::noise(2, 20, 1, seed);
            let range = Range { low, high: low + width };
            let found = harness::region::<u16, u16>(&[&Normalize::<u16>::new(Some(range))], &image, 1, None);
            prop_assert_eq!(found.samples, naive(&image, range));
        }
    }

    /// A host that notes what it is asked for and given.
    struct Notes(Option<RangeOf>);

    impl Host for Notes {
        type Built = String;
        fn range(&mut self, of: RangeOf) -> Option<Range> {
            self.0 = Some(of);
            range(10.0, 20.0)
        }
        fn accept<S: Stage + 'static>(&mut self, stage: S) -> String {
            String::from(stage.name())
        }
    }

    fn asked(settings: &str) -> Result<Option<RangeOf>, String> {
        let mut host = Notes(None);
        let shape = Shape::new(4, 4, 1, SampleKind::U8);
        let args = Args::new("normalize", settings);
        crate::transform::build("normalize", args, shape, &mut host).map_err(|error| format!("{error}"))?;
        Ok(host.0)
    }

    #[test]
    fn settings_say_which_range() {
        assert_eq!(asked(""), Ok(Some(RangeOf::MinMax)));
        assert_eq!(asked("minmax"), Ok(Some(RangeOf::MinMax)));
        assert_eq!(asked("percentiles,0.5, 99.5"), Ok(Some(RangeOf::Percentiles { low: 0.5, high: 99.5 })));
        assert_eq!(asked("deviations,3"), Ok(Some(RangeOf::Deviations(3.0))));
        let wrong =
            ["max", "minmax,1", "percentiles", "percentiles,5", "percentiles,5,5", "percentiles,-1,5"];
        for settings in
            wrong.into_iter().chain(["percentiles,5,101", "deviations", "deviations,0", "deviations,inf"])
        {
            assert!(asked(settings).is_err(), "{settings}");
        }
    }
}
