//! The decorator for sinks: for those that measure rows or change them on their way out.
// The attribute writes one call of a function with a target feature, behind its run-time check.
#![allow(unsafe_code)]

#[cfg(not(fuzzing))]
use multiversion::multiversion;
use plimsoll_core::pipeline::Sink;
use plimsoll_core::strip::Strip;

/// A sink whose `write`, if it is `#[inline(always)]`, runs at the best level of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct DispatchedSink<K>(K);

impl<K: Sink> DispatchedSink<K> {
    /// Takes the concrete sink, never a `Box<dyn Sink>`.
    pub const fn new(sink: K) -> Self {
        Self(sink)
    }

    /// The sink, for what it measured.
    pub fn into_inner(self) -> K {
        self.0
    }
}

#[cfg_attr(not(fuzzing), multiversion(targets("x86_64+avx+avx2+bmi1+bmi2"), dispatcher = "direct"))]
fn write<K: Sink>(sink: &mut K, strip: &Strip<'_>) -> Result<(), K::Error> {
    sink.write(strip)
}

#[deny(clippy::missing_trait_methods)]
impl<K: Sink> Sink for DispatchedSink<K> {
    type Error = K::Error;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), K::Error> {
        write(&mut self.0, strip)
    }

    fn finish(&mut self) -> Result<(), K::Error> {
        self.0.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::shape::{SampleKind, Shape};

    /// Adds up bytes; refuses a sum of more than 100.
    struct Sum(u32);

    impl Sink for Sum {
        type Error = u32;
        #[inline(always)]
        fn write(&mut self, strip: &Strip<'_>) -> Result<(), u32> {
            self.0 += strip.row::<u8>(0).iter().map(|byte| u32::from(*byte)).sum::<u32>();
            if self.0 > 100 { Err(self.0) } else { Ok(()) }
        }
        fn finish(&mut self) -> Result<(), u32> {
            Err(self.0 + 1000)
        }
    }

    #[test]
    fn rows_errors_and_the_end_pass() {
        let shape = Shape::new(1, 3, 1, SampleKind::U8);
        let strip = Strip::new(&[10, 20, 30], shape.region(), shape).unwrap();
        let mut sink = DispatchedSink::new(Sum(0));
        assert_eq!(sink.write(&strip), Ok(()));
        assert_eq!(sink.write(&strip), Err(120));
        assert_eq!(sink.finish(), Err(1120));
        assert_eq!(sink.into_inner().0, 120);
    }
}
