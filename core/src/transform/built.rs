//! For tests: a transform built from the words of a user, as the command does it.

use super::{Args, Host, build};
use crate::harness::{self, Image};
use crate::measure::{Range, RangeOf};
use crate::pipeline::{Stage, StageError};
use crate::shape::{Sample, Shape};
use std::boxed::Box;

/// Boxes what is built; knows a range for what asks for one.
struct Boxes;

impl Host for Boxes {
    type Built = Box<dyn Stage>;

    fn range(&mut self, _: RangeOf) -> Option<Range> {
        Some(Range { low: 3.0, high: 200.0 })
    }

    fn accept<S: Stage + 'static>(&mut self, stage: S) -> Box<dyn Stage> {
        Box::new(stage)
    }
}

/// The stage that `words` (`name` or `name:settings`) stand for, on an input of shape `input`.
pub(super) fn built(words: &str, input: Shape) -> Result<Box<dyn Stage>, StageError> {
    let (name, settings) = words.split_once(':').unwrap_or((words, ""));
    build(name, Args::new("", settings), input, &mut Boxes)
}

/// What that stage makes of `image`, whatever the cut.
pub(super) fn every_cut<A: Sample, B: Sample>(words: &str, image: &Image<A>) -> Image<B> {
    let stage = built(words, image.shape).expect(words);
    harness::every_cut(&[&*stage], image)
}

/// Asserts that `words` are refused for the setting called `setting`.
pub(super) fn refuses(words: &str, input: Shape, setting: &str) {
    match built(words, input) {
        Err(StageError::Setting { stage, setting: wrong, .. }) => {
            assert_eq!((stage, wrong), (words.split(':').next().unwrap_or(words), setting), "{words}");
        }
        Err(other) => panic!("{words}: {other}"),
        Ok(_) => panic!("{words} was not refused"),
    }
}

#[test]
fn every_example_of_the_list_can_be_built() {
    let shape = Shape::new(10_000, 10_000, 3, crate::shape::SampleKind::U8);
    for words in super::WORDS {
        let stage = built(words.example, shape).expect(words.example);
        // A thumbnail is a resize: what a plan shows is a name of the list.
        assert!(super::WORDS.iter().any(|words| words.name == stage.name()), "{}", stage.name());
        assert!(stage.output(shape).is_ok(), "{}", words.example);
    }
    for nobody in ["no-such-thing", "sharpenn"] {
        assert_eq!(built(nobody, shape).unwrap_err(), StageError::Unknown);
    }
}
