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

    fn part(&self) -> Option<(u32, u32)> {
        self.0.part()
    }

    fn absorbs(&self) -> bool {
        self.0.absorbs()
    }

    fn vectorises(&self) -> bool {
        self.0.vectorises()
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
        // All kernels take minutes to build under a sanitizer, and nothing that it watches runs one.
        if cfg!(fuzzing) {
            unreachable!("fuzz targets plan stages and run none");
        }
        if self.0.vectorises() {
            process(&self.0, view, memory, input, output)
        } else {
            self.0.process(view, memory, input, output)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::shape::{Rows, SampleKind};

    /// Answers every question in a way of its own, and copies what it is given.
    struct Odd;

    impl Stage for Odd {
        fn name(&self) -> &'static str {
            "odd"
        }
        fn output(&self, input: Shape) -> Result<Shape, StageError> {
            Ok(input.with_bands(5))
        }
        fn input(&self, _output: Region, input: Shape) -> Region {
            input.region().with_rows(Rows::new(1, 2))
        }
        fn reach(&self, input: Shape) -> u32 {
            input.rows + 7
        }
        fn part(&self) -> Option<(u32, u32)> {
            Some((3, 4))
        }
        fn absorbs(&self) -> bool {
            true
        }
        fn vectorises(&self) -> bool {
            false
        }
        fn memory(&self, view: &View) -> u64 {
            u64::from(view.input.rows.len()) + 40
        }
        fn begin(&self, _view: &View, memory: &mut [u8]) -> Result<(), StageError> {
            memory.fill(9);
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
            memory.fill(8);
            output.row_mut::<u8>(0).copy_from_slice(input.row::<u8>(0));
            Err(StageError::Unknown)
        }
    }

    #[test]
    fn every_answer_is_the_inner_stages() {
        let shape = Shape::new(1, 4, 1, SampleKind::U8);
        let region = shape.region();
        let view = View { input_shape: shape, output_shape: shape, input: region, output: region };
        let stage: &dyn Stage = &Dispatched::new(Odd);
        assert_eq!(stage.name(), Odd.name());
        assert_eq!(stage.output(shape), Odd.output(shape));
        assert_eq!(stage.input(region, shape), Odd.input(region, shape));
        assert_eq!((stage.reach(shape), stage.absorbs(), stage.memory(&view)), (8, true, 41));
        assert_eq!((stage.part(), stage.vectorises()), (Some((3, 4)), false));
        let mut memory = [0; 3];
        stage.begin(&view, &mut memory).unwrap();
        assert_eq!(memory, [9; 3]);
        let (from, mut to) = ([1, 2, 3, 4], [0; 4]);
        let input = Strip::new(&from, region, shape).unwrap();
        let mut output = StripMut::new(&mut to, region, shape).unwrap();
        assert_eq!(stage.process(&view, &mut memory, &input, &mut output), Err(StageError::Unknown));
        assert_eq!((memory, to), ([8; 3], from));
    }
}
