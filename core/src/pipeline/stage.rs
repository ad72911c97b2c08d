//! What turns rows into rows.
//!
//! Settings live in `&self`; all memory that a stage needs is handed to it. A stage says which input any region of
//! its output needs, and from that one function the planner knows every window and the job every step. Stages are
//! object safe: one indirect call for a strip costs nothing, and the loops inside are generic over the sample.

use crate::budget::Exhausted;
use crate::shape::{Region, SampleKind, Shape};
use crate::strip::{Strip, StripMut};

/// One step of a chain.
///
/// # How to be fast
/// `process` and every helper of it that holds a loop is `#[inline(always)]`, so that a decorator outside this
/// crate can compile it once more for wider vectors.
///
/// # What every stage keeps
/// * The answer for an output sample depends on the image and the settings alone, never on how the work was cut:
///   same bits for every strip height and every region.
/// * The same bits on every target: integer arithmetic for integers, [`libm`] for functions, no fused multiply-add,
///   float sums in an order that only the settings decide.
/// * `process` touches no memory but its arguments.
pub trait Stage: Send + Sync {
    /// Its name, as in `--do`.
    fn name(&self) -> &'static str;

    /// The shape of the output for an input of this shape.
    ///
    /// # Errors
    /// [`StageError`] if such an input cannot be worked on.
    fn output(&self, input: Shape) -> Result<Shape, StageError>;

    /// Which region of an input of shape `input` this region of the output needs.
    ///
    /// It never leaves the image, and both ends of its rows never go back as the output row grows.
    fn input(&self, output: Region, input: Shape) -> Region;

    /// The most rows that `input` gives for any single output row.
    fn reach(&self, _input: Shape) -> u32 {
        1
    }

    /// The input row and column of the output's first sample, if the output is a part of the input as it is. Where such
    /// a stage comes first the source gives that part, and the stage neither has a window nor runs.
    fn part(&self) -> Option<(u32, u32)> {
        None
    }

    /// Whether the stage takes each input row once, in order, as it comes, and keeps what it needs in its state
    /// (a large reduction does: its window would be huge). Then `process` is given new rows only, also when no
    /// output row is complete yet. Such a stage has at most as many output rows as input rows.
    fn absorbs(&self) -> bool {
        false
    }

    /// Whether wider vectors help: a decorator compiles `process` once more where they do. Integers of 64 bits are
    /// compared and selected in vectors of 256 bits, but neither multiplied nor converted to floats.
    fn vectorises(&self) -> bool {
        true
    }

    /// Bytes of memory for this view: what [`Layout`](crate::budget::Layout) adds up for the leases it takes.
    fn memory(&self, _view: &View) -> u64 {
        0
    }

    /// Prepares the memory (all zeroes, aligned to [`ALIGN`](crate::budget::ALIGN)) before the first strip: tables,
    /// weights, sums.
    ///
    /// # Errors
    /// [`StageError`] if it is less than `memory` said.
    fn begin(&self, _view: &View, _memory: &mut [u8]) -> Result<(), StageError> {
        Ok(())
    }

    /// Makes all rows of `output` from `input`.
    ///
    /// Rows come in order and each once. `input` holds at least the rows that `Stage::input` gives for the rows of
    /// `output`, and exactly the columns of `view.input`; for a stage that absorbs it holds the rows not yet taken.
    ///
    /// # Errors
    /// [`StageError`] if the memory is less than `memory` said.
    fn process(
        &self,
        view: &View,
        memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError>;
}

/// What one run of a stage covers: whole images, and the regions of them that this run reads and makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Shape of the whole input.
    pub input_shape: Shape,
    /// Shape of the whole output.
    pub output_shape: Shape,
    /// The input region this run reads.
    pub input: Region,
    /// The output region this run makes.
    pub output: Region,
}

/// Why a stage cannot do its work.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StageError {
    /// The stage has no kernel for this kind of sample.
    Kind {
        /// The stage.
        stage: &'static str,
        /// What it was given.
        kind: SampleKind,
    },
    /// The image has the wrong number of bands.
    Bands {
        /// The stage.
        stage: &'static str,
        /// What it was given.
        bands: u16,
        /// What it needs.
        needed: &'static str,
    },
    /// The image is too small or too large for the settings, or the region lies outside.
    Geometry {
        /// The stage.
        stage: &'static str,
        /// What is wrong, in a few words.
        problem: &'static str,
        /// The number that the settings ask for.
        wanted: u64,
        /// The number that there is.
        there: u64,
    },
    /// A setting is missing, not a number, or outside its range.
    Setting {
        /// The stage.
        stage: &'static str,
        /// Which setting.
        setting: &'static str,
        /// What it must be.
        needed: &'static str,
    },
    /// The name of no stage.
    Unknown,
    /// A chain longer than [`MAX_STAGES`](super::MAX_STAGES).
    TooLong {
        /// How many stages there may be.
        most: usize,
    },
    /// Less memory than planned.
    Memory(Exhausted),
}

impl From<Exhausted> for StageError {
    fn from(exhausted: Exhausted) -> Self {
        Self::Memory(exhausted)
    }
}

impl core::fmt::Display for StageError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Kind { stage, kind } => write!(f, "{stage} does not work on samples of kind {kind}"),
            Self::Bands { stage, bands, needed } => {
                write!(f, "{stage} needs {needed} band(s), the image has {bands}")
            }
            Self::Geometry { stage, problem, wanted, there } => {
                write!(f, "{stage}: {problem}: {wanted} asked for, {there} there")
            }
            Self::Setting { stage, setting, needed } => write!(f, "{stage}: {setting} must be {needed}"),
            Self::Unknown => f.write_str("no stage has this name"),
            Self::TooLong { most } => write!(f, "a chain may have at most {most} stages"),
            Self::Memory(exhausted) => exhausted.fmt(f),
        }
    }
}

impl core::error::Error for StageError {}

impl core::fmt::Debug for dyn Stage + '_ {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}
