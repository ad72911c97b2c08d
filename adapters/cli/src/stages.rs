//! From the words after `--do` to a row of stages, built for this machine's processor and measured.

use crate::failure::Failure;
use plimsoll_core::measure::{Range, RangeOf};
use plimsoll_core::pipeline::{Stage, StageError};
use plimsoll_core::shape::Shape;
use plimsoll_core::transform;
use plimsoll_os::cpu;
use plimsoll_os::timing::Stopwatch;
use std::str::FromStr;

/// One step of a chain as a user writes it: `resize:0.9,linear`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    text: String,
}

impl Step {
    /// The step called `name` with the settings `args`.
    pub fn new(name: &str, args: &str) -> Self {
        Self { text: if args.is_empty() { name.to_owned() } else { format!("{name}:{args}") } }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.text.split_once(':').map_or(self.text.as_str(), |(name, _)| name).trim()
    }

    /// Its settings.
    pub fn args(&self) -> &str {
        self.text.split_once(':').map_or("", |(_, args)| args)
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let step = Self { text: text.trim().to_owned() };
        if transform::WORDS.iter().any(|words| words.name == step.name()) {
            return Ok(step);
        }
        let names: Vec<&str> = transform::WORDS.iter().map(|words| words.name).collect();
        Err(format!("`{}` is no transform: there are {}", step.name(), names.join(", ")))
    }
}

/// A chain of stages, and what it asks of earlier passes.
pub struct Stages {
    stages: Vec<Box<dyn Stage>>,
    /// How many stages there are up to the end of each step.
    ends: Vec<usize>,
    watches: Vec<(String, Stopwatch)>,
    asked: Vec<(usize, RangeOf)>,
    output: Shape,
}

impl Stages {
    /// Builds the steps for an input of shape `input`. `known` are the ranges that earlier passes found, in the order
    /// in which the steps ask for them.
    ///
    /// # Errors
    /// [`Failure::Usage`] that names the step.
    pub fn build(steps: &[Step], input: Shape, known: &[Range]) -> Result<Self, Failure> {
        let mut stages: Vec<Box<dyn Stage>> = Vec::with_capacity(steps.len());
        let mut ends = Vec::with_capacity(steps.len());
        let mut watches = Vec::with_capacity(steps.len());
        let mut shape = input;
        let mut asked: Vec<(usize, RangeOf)> = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let known = known.get(asked.len()..).unwrap_or_default();
            let built =
                cpu::build(step.name(), step.args(), shape, known).map_err(|error| explain(step, &error))?;
            for stage in built.stages {
                shape = stage.output(shape).map_err(|error| explain(step, &error))?;
                stages.push(stage);
            }
            asked.extend(built.asked.into_iter().map(|of| (at, of)));
            ends.push(stages.len());
            watches.push((step.name().to_owned(), built.watch));
        }
        Ok(Self { stages, ends, watches, asked, output: shape })
    }

    /// The stages, to lay a chain out of.
    pub fn refs(&self) -> Vec<&dyn Stage> {
        self.stages.iter().map(|stage| &**stage).collect()
    }

    /// The stages of the steps before step `step`.
    pub fn refs_before(&self, step: usize) -> Vec<&dyn Stage> {
        let count = step.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or(0);
        self.stages.iter().take(count).map(|stage| &**stage).collect()
    }

    /// The ranges that steps ask for: the place of the step, and which range.
    pub fn asked(&self) -> &[(usize, RangeOf)] {
        &self.asked
    }

    /// The shape of what comes out.
    pub fn output(&self) -> Shape {
        self.output
    }

    /// Adds the seconds spent in each step so far, over all workers, to a list by name.
    pub fn add_seconds(&self, seconds: &mut Vec<(String, f64)>) {
        seconds.extend(self.watches.iter().map(|(name, watch)| (name.clone(), watch.seconds())));
    }
}

/// Says what is wrong with a step, and how it is written.
fn explain(step: &Step, error: &StageError) -> Failure {
    let failure = Failure::stage(step.text(), error);
    let words = transform::WORDS.iter().find(|words| words.name == step.name());
    match (failure, words, error) {
        (Failure::Usage(line), Some(words), StageError::Setting { .. }) => {
            let colon = if words.settings.is_empty() { "" } else { ":" };
            let form = format!("{}{colon}{}", words.name, words.settings);
            Failure::Usage(format!("{line}; write {form}, for example {}", words.example))
        }
        (failure, _, _) => failure,
    }
}
