//! The only loop: it reads a strip and pushes it as far as it goes. It decides nothing and allocates nothing.
//!
//! A strip is read into the first window. Then the deepest stage that can make rows makes at most one batch, and the
//! stages after it drain that batch before it makes the next: so a window never holds more than one batch and the
//! rows its stage still looks at, however deep the chain is and however much a stage enlarges.

use core::borrow::Borrow;

use super::chain::{Chain, MAX_WINDOWS};
use super::lane::{Lane, Link, Window, begin_stages, lease_windows};
use super::sink::Sink;
use super::source::Source;
use super::stage::StageError;
use crate::budget::{Budget, Exhausted};
use crate::strip::Strip;

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Progress {
    /// Rows read from the source.
    pub rows_read: u32,
    /// Rows that will be read in all.
    pub rows_to_read: u32,
    /// Rows given to the sink.
    pub rows_written: u32,
    /// Rows that will be written in all.
    pub rows_to_write: u32,
}

/// What a call of [`Job::step`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Step {
    /// A strip was read and worked on; there are more.
    More(Progress),
    /// All rows were written.
    Done(Progress),
}

/// Why a run ended early, by owner.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RunError<S, K> {
    /// The source failed.
    Source(S),
    /// A stage failed.
    Stage(StageError),
    /// The sink failed.
    Sink(K),
    /// The arena is smaller than planned.
    Budget(Exhausted),
}

impl<S: core::fmt::Display, K: core::fmt::Display> core::fmt::Display for RunError<S, K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Source(error) => error.fmt(f),
            Self::Stage(error) => error.fmt(f),
            Self::Sink(error) => error.fmt(f),
            Self::Budget(error) => error.fmt(f),
        }
    }
}

impl<S, K> core::error::Error for RunError<S, K>
where
    S: core::fmt::Debug + core::fmt::Display,
    K: core::fmt::Debug + core::fmt::Display,
{
}

/// A planned run over one region of a chain's output. Each [`step`](Job::step) does one strip and returns, so a main
/// loop, a progress bar, cancelling (drop the job) and a [governor](super::governor) all hook in at the same place.
///
/// `C` is the chain or a reference to it: one that is borrowed costs the job nothing.
pub struct Job<'a, S, K, C = Chain<'a>> {
    chain: C,
    source: S,
    sink: K,
    lanes: heapless::Vec<Lane<'a>, MAX_WINDOWS>,
    strip_rows: u32,
    planned_rows: u32,
    progress: Progress,
    finished: bool,
}

impl<'a, S: Source, K: Sink, C: Borrow<Chain<'a>>> Job<'a, S, K, C> {
    /// Leases all memory that the run will use: exactly [`Chain::bytes`] of `strip_rows`, from an aligned arena.
    ///
    /// # Errors
    /// [`RunError::Budget`] if the arena is smaller, [`RunError::Stage`] if a stage cannot begin.
    pub fn new(
        chain: C,
        strip_rows: u32,
        budget: &mut Budget<'a>,
        source: S,
        sink: K,
    ) -> Result<Self, RunError<S::Error, K::Error>> {
        let strip_rows = strip_rows.max(1);
        let whole = chain.borrow();
        let progress = Progress {
            rows_to_read: whole.input().rows.len(),
            rows_to_write: whole.output().rows.len(),
            ..Progress::default()
        };
        // Its lanes are filled where they stay: they are most of it.
        let mut job = Self {
            chain,
            source,
            sink,
            lanes: heapless::Vec::new(),
            strip_rows,
            planned_rows: strip_rows,
            progress,
            finished: false,
        };
        lease_windows(&mut job.lanes, job.chain.borrow(), strip_rows, budget).map_err(RunError::Budget)?;
        begin_stages(&mut job.lanes, job.chain.borrow(), budget).map_err(|error| match error {
            StageError::Memory(exhausted) => RunError::Budget(exhausted),
            error => RunError::Stage(error),
        })?;
        Ok(job)
    }

    /// Reads one strip and pushes it as far as it goes.
    ///
    /// # Errors
    /// [`RunError`] by owner. The job must be dropped then.
    pub fn step(&mut self) -> Result<Step, RunError<S::Error, K::Error>> {
        if self.finished {
            return Ok(Step::Done(self.progress));
        }
        self.read()?;
        self.drain()?;
        if self.progress.rows_read < self.progress.rows_to_read {
            return Ok(Step::More(self.progress));
        }
        self.finished = true;
        Ok(Step::Done(self.progress))
    }

    /// Steps until all rows are written.
    ///
    /// # Errors
    /// As [`Job::step`].
    pub fn run(&mut self) -> Result<Progress, RunError<S::Error, K::Error>> {
        loop {
            if let Step::Done(progress) = self.step()? {
                return Ok(progress);
            }
        }
    }

    /// How far the job is.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// From the next strip on reads this many rows at once, at least one and at most what was planned. The answer
    /// does not change.
    pub fn set_strip_rows(&mut self, rows: u32) {
        self.strip_rows = rows.min(self.planned_rows).max(1);
    }

    /// Rows read at once now.
    pub fn strip_rows(&self) -> u32 {
        self.strip_rows
    }

    /// The chain.
    pub fn chain(&self) -> &Chain<'a> {
        self.chain.borrow()
    }

    /// The sink, between two steps.
    pub fn sink_mut(&mut self) -> &mut K {
        &mut self.sink
    }

    /// Completes the output and gives source and sink back.
    ///
    /// # Errors
    /// [`RunError::Sink`] if the sink cannot complete its output.
    pub fn finish(mut self) -> Result<(S, K), RunError<S::Error, K::Error>> {
        self.sink.finish().map_err(RunError::Sink)?;
        Ok((self.source, self.sink))
    }

    /// Fills the first window with the next strip.
    fn read(&mut self) -> Result<(), RunError<S::Error, K::Error>> {
        let chain = self.chain.borrow();
        let at = chain.first_window();
        let Some(first) = self.lanes.get_mut(at) else { return Ok(()) };
        let start = first.rows.end();
        let end = start.saturating_add(self.strip_rows).min(chain.through(at).1.rows.end());
        if end > start {
            let mut window = Window::new(first, chain, at, self.planned_rows);
            let (top, left) = chain.origin();
            let mut strip = window.push(end);
            self.source.read(&mut strip.part_of(chain.source(), top, left)).map_err(RunError::Source)?;
            self.progress.rows_read += end - start;
        }
        Ok(())
    }

    /// Lets every stage make what it can, the deepest first.
    fn drain(&mut self) -> Result<(), RunError<S::Error, K::Error>> {
        let first = self.chain.borrow().first_window();
        let mut at = first;
        loop {
            let made = match self.link(at) {
                Some((mut link, mut out)) => link.advance(&mut out).map_err(RunError::Stage)?,
                None => {
                    self.write()?;
                    0
                }
            };
            if made > 0 {
                at += 1;
            } else if at == first {
                return Ok(());
            } else {
                at -= 1;
            }
        }
    }

    /// Stage `at` and the window behind it; none behind the last stage, where all rows there go to the sink.
    fn link(&mut self, at: usize) -> Option<(Link<'_, 'a>, Window<'_, 'a>)> {
        let chain = self.chain.borrow();
        let (head, tail) = self.lanes.split_at_mut_checked(at + 1)?;
        let (lane, next) = (head.last_mut()?, tail.first_mut()?);
        let stage = *chain.stages().get(at)?;
        let out = Window::new(next, chain, at + 1, self.planned_rows);
        Some((Link { stage, view: chain.view(at)?, lane }, out))
    }

    fn write(&mut self) -> Result<(), RunError<S::Error, K::Error>> {
        let chain = self.chain.borrow();
        let Some(lane) = self.lanes.last_mut() else { return Ok(()) };
        let rows = lane.rows;
        if let Some(strip) = Strip::new(&*lane.bytes, chain.output().with_rows(rows), chain.output_shape())
            && !rows.is_empty()
        {
            self.sink.write(&strip).map_err(RunError::Sink)?;
            self.progress.rows_written += rows.len();
        }
        lane.release(rows.end());
        Ok(())
    }
}
