//! Core's transforms by name, each behind the processor's best instructions and a clock.
//!
//! All kernels for all kinds of samples are compiled here, twice each: where this is called, nothing of it is.

use super::Dispatched;
use crate::timing::{Stopwatch, Timed};
use plimsoll_core::measure::{Range, RangeOf};
use plimsoll_core::pipeline::{Stage, StageError};
use plimsoll_core::shape::Shape;
use plimsoll_core::transform::{self, Args, Host};

/// A transform, ready for a chain.
pub struct Built {
    /// Its stages, in order: one, or the parts of one that other stages may come to stand between.
    pub stages: Vec<Box<dyn Stage>>,
    /// The ranges of samples that it asks earlier passes for.
    pub asked: Vec<RangeOf>,
    /// The time that its stages take, over all workers.
    pub watch: Stopwatch,
}

/// Builds the transform called `name` with `settings`, as a user writes them, for an image of shape `input`. `known`
/// are the ranges that earlier passes found, in the order in which this transform asks for them.
///
/// # Errors
/// [`StageError`] for a name or settings that mean nothing, or an image that the transform cannot work on.
pub fn build(name: &str, settings: &str, input: Shape, known: &[Range]) -> Result<Built, StageError> {
    let mut host = Boxes { known, asked: Vec::new(), watch: Stopwatch::new() };
    let stages = transform::build(name, Args::new("", settings), input, &mut host)?;
    Ok(Built { stages, asked: host.asked, watch: host.watch })
}

/// Boxes each stage of a transform, with one clock for all.
struct Boxes<'r> {
    known: &'r [Range],
    asked: Vec<RangeOf>,
    watch: Stopwatch,
}

impl Host for Boxes<'_> {
    type Built = Vec<Box<dyn Stage>>;

    fn range(&mut self, of: RangeOf) -> Option<Range> {
        self.asked.push(of);
        self.known.get(self.asked.len() - 1).copied()
    }

    fn accept<S: Stage + 'static>(&mut self, stage: S) -> Self::Built {
        vec![self.boxed(stage)]
    }

    fn accept_parts<W, A, B>(&mut self, _whole: W, first: A, second: B) -> Self::Built
    where
        W: Stage + 'static,
        A: Stage + 'static,
        B: Stage + 'static,
    {
        vec![self.boxed(first), self.boxed(second)]
    }
}

impl Boxes<'_> {
    fn boxed<S: Stage + 'static>(&self, stage: S) -> Box<dyn Stage> {
        Box::new(Timed::new(Dispatched::new(stage), self.watch.clone()))
    }
}
