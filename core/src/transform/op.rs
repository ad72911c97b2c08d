//! How a transform is named, described, and built from the words of a user.

use super::args::Args;
use crate::measure::{Range, RangeOf};
use crate::pipeline::{Stage, StageError};
use crate::shape::Shape;

/// What a user reads about a transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// Its name.
    pub name: &'static str,
    /// Its settings, as in `LEFT,TOP,COLS,ROWS`; empty if it has none; optional ones in brackets.
    pub settings: &'static str,
    /// What it does, in one line.
    pub about: &'static str,
    /// An example, as after `--do`.
    pub example: &'static str,
}

/// Reads settings and picks the kernel for the kind of sample.
pub trait Op {
    /// What a user reads.
    const WORDS: Words;

    /// Builds the stage for an input of shape `input` and gives it to `host`.
    ///
    /// # Errors
    /// [`StageError`] that says which setting is wrong, or that there is no kernel for the kind.
    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError>;
}

/// Takes built stages: boxes them, wraps them for faster processors, measures them. It is generic, so that a program
/// pays only for the sample kinds it uses.
pub trait Host {
    /// What it makes of a stage.
    type Built;

    /// The range of the samples that arrive at the stage being built, over all bands, from an earlier pass; `None` if
    /// no such pass has run yet. A stage that asks is built twice: first without, to be planned, then with the range.
    fn range(&mut self, _of: RangeOf) -> Option<Range> {
        None
    }

    /// Takes one.
    fn accept<S: Stage + 'static>(&mut self, stage: S) -> Self::Built;

    /// Takes one that may stand as two, one after the other, which together give the same bits; no two output rows of
    /// the first share an input row. A host whose workers can meet between the two takes those; others take `whole`.
    fn accept_parts<W, A, B>(&mut self, whole: W, _first: A, _second: B) -> Self::Built
    where
        W: Stage + 'static,
        A: Stage + 'static,
        B: Stage + 'static,
    {
        self.accept(whole)
    }
}
