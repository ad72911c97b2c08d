//! The decorator that measures: it stands around a stage, source or sink and changes nothing else.

use super::Stopwatch;
use plimsoll_core::pipeline::{Sink, Source, Stage, StageError, View};
use plimsoll_core::shape::{Region, Shape};
use plimsoll_core::strip::{Strip, StripMut};

/// What it holds, with the time spent in it: `process` (and `begin`) of a [`Stage`], `read` of a [`Source`], `write`
/// and `finish` of a [`Sink`]. Time that a source or sink waits counts. With a [`Dispatched`](crate::cpu::Dispatched)
/// stage or sink, this stands around that.
#[derive(Clone, Debug)]
pub struct Timed<T> {
    inner: T,
    watch: Stopwatch,
}

impl<T> Timed<T> {
    /// Adds the time spent in `inner` to `watch`.
    pub fn new(inner: T, watch: Stopwatch) -> Self {
        Self { inner, watch }
    }

    /// What it holds.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: Stage> Stage for Timed<S> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        self.inner.output(input)
    }

    fn input(&self, output: Region, input: Shape) -> Region {
        self.inner.input(output, input)
    }

    fn reach(&self, input: Shape) -> u32 {
        self.inner.reach(input)
    }

    fn part(&self) -> Option<(u32, u32)> {
        self.inner.part()
    }

    fn absorbs(&self) -> bool {
        self.inner.absorbs()
    }

    fn vectorises(&self) -> bool {
        self.inner.vectorises()
    }

    fn memory(&self, view: &View) -> u64 {
        self.inner.memory(view)
    }

    fn begin(&self, view: &View, memory: &mut [u8]) -> Result<(), StageError> {
        self.watch.time(|| self.inner.begin(view, memory))
    }

    #[inline(always)]
    fn process(
        &self,
        view: &View,
        memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        self.watch.time(
            #[inline(always)]
            || self.inner.process(view, memory, input, output),
        )
    }
}

#[deny(clippy::missing_trait_methods)]
impl<S: Source> Source for Timed<S> {
    type Error = S::Error;

    fn shape(&self) -> Shape {
        self.inner.shape()
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), S::Error> {
        self.watch.time(|| self.inner.read(strip))
    }
}

#[deny(clippy::missing_trait_methods)]
impl<K: Sink> Sink for Timed<K> {
    type Error = K::Error;

    #[inline(always)]
    fn write(&mut self, strip: &Strip<'_>) -> Result<(), K::Error> {
        self.watch.time(
            #[inline(always)]
            || self.inner.write(strip),
        )
    }

    fn finish(&mut self) -> Result<(), K::Error> {
        self.watch.time(|| self.inner.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::shape::{Rows, SampleKind};
    use plimsoll_core::transform::invert::Invert;
    use std::time::Duration;

    struct Slow;

    impl Source for Slow {
        type Error = ();
        fn shape(&self) -> Shape {
            Shape::new(1, 1, 1, SampleKind::U8)
        }
        fn read(&mut self, _strip: &mut StripMut<'_>) -> Result<(), ()> {
            std::thread::sleep(Duration::from_millis(20));
            Err(())
        }
    }

    impl Sink for Slow {
        type Error = ();
        fn write(&mut self, _strip: &Strip<'_>) -> Result<(), ()> {
            std::thread::sleep(Duration::from_millis(20));
            Ok(())
        }
        fn finish(&mut self) -> Result<(), ()> {
            std::thread::sleep(Duration::from_millis(20));
            Err(())
        }
    }

    #[test]
    fn time_is_summed_for_failures_too_and_results_pass() {
        let watch = Stopwatch::new();
        let shape = Slow.shape();
        let mut byte = [7];
        let mut source = Timed::new(Slow, watch.clone());
        assert!(source.read(&mut StripMut::new(&mut byte, shape.region(), shape).unwrap()).is_err());
        let read = watch.seconds();
        assert!(read >= 0.020, "{read}");
        let mut sink = Timed::new(Slow, watch.clone());
        assert!(sink.write(&Strip::new(&byte, shape.region(), shape).unwrap()).is_ok());
        assert!(sink.finish().is_err());
        assert!(watch.seconds() >= read + 0.040);
    }

    #[test]
    fn a_stage_does_what_it_did() {
        let watch = Stopwatch::new();
        let stage: Box<dyn Stage> = Box::new(Timed::new(Invert::<u8>::new(), watch.clone()));
        let shape = Shape::new(1, 3, 1, SampleKind::U8);
        let region = shape.region().with_rows(Rows::one(0));
        let view = View { input_shape: shape, output_shape: shape, input: region, output: region };
        let (from, mut to) = ([0, 1, 255], [0; 3]);
        let input = Strip::new(&from, region, shape).unwrap();
        stage.process(&view, &mut [], &input, &mut StripMut::new(&mut to, region, shape).unwrap()).unwrap();
        assert_eq!(to, [255, 254, 0]);
        assert_eq!(stage.name(), "invert");
        assert!(watch.nanoseconds() > 0);
    }
}
