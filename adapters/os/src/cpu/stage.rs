//! The decorator for stages.
// The attribute writes one call of a function with a target feature, behind its run-time check.
#![allow(unsafe_code)]

use multiversion::multiversion;
use plimsoll_core::pipeline::{Stage, StageError, View};
use plimsoll_core::shape::{Region, Shape};
use plimsoll_core::strip::{Strip, StripMut};

/// A stage whose `process` runs at the best level of this machine. Costs one load and branch for each strip.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dispatched<S>(S);

impl<S: Stage> Dispatched<S> {
    /// Takes the concrete stage, never a `Box<dyn Stage>`.
    pub const fn new(stage: S) -> Self {
        Self(stage)
    }
}

#[multiversion(targets("x86_64+avx+avx2+bmi1+bmi2"), dispatcher = "direct")]
fn process<S: Stage>(
    stage: &S,
    view: &View,
    memory: &mut [u8],
    input: &Strip<'_>,
    output: &mut StripMut<'_>,
) -> Result<(), StageError> {
    stage.process(view, memory, input, output)
}

#[deny(clippy::missing_trait_methods)]
impl<S: Stage> Stage for Dispatched<S> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        self.0.output(input)
    }

    fn input(&self, output: Region, input: Shape) -> Region {
        self.0.input(output, input)
    }

    fn reach(&self, input: Shape) -> u32 {
        self.0.reach(input)
    }

    fn absorbs(&self) -> bool {
        self.0.absorbs()
    }

    fn memory(&self, view: &View) -> u64 {
        self.0.memory(view)
    }

    fn begin(&self, view: &View, memory: &mut [u8]) -> Result<(), StageError> {
        self.0.begin(view, memory)
    }

    fn process(
        &self,
        view: &View,
        memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        process(&self.0, view, memory, input, output)
    }
}
