//! Shows the rows of a source to a sink as they pass, so that raw rows are measured in the pass that works on them.
//!
//! Each row that the source gives is shown once, in the order in which it is read. Where workers hand the rows around
//! their seams to each other, the tap sits on what really reads, below that.

use crate::pipeline::{Sink, Source};
use crate::shape::Shape;
use crate::strip::StripMut;

/// A source that shows all it gives to a sink. The caller completes the sink.
#[derive(Debug)]
pub struct Tap<S, K> {
    /// Where the rows come from.
    pub source: S,
    /// What sees them.
    pub sink: K,
}

/// Why rows did not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TapError<S, K> {
    /// The source failed.
    Source(S),
    /// The sink failed.
    Sink(K),
}

impl<S: Source, K: Sink> Source for Tap<S, K> {
    type Error = TapError<S::Error, K::Error>;

    fn shape(&self) -> Shape {
        self.source.shape()
    }

    #[inline(always)]
    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Self::Error> {
        self.source.read(strip).map_err(TapError::Source)?;
        self.sink.write(&strip.as_strip()).map_err(TapError::Sink)
    }
}

impl<S: core::fmt::Display, K: core::fmt::Display> core::fmt::Display for TapError<S, K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Sink(error) => error.fmt(f),
        }
    }
}

impl<S, K> core::error::Error for TapError<S, K>
where
    S: core::fmt::Debug + core::fmt::Display,
    K: core::fmt::Debug + core::fmt::Display,
{
}
