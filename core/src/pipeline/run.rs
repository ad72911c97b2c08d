//! The only loop: it reads a strip and pushes it as far as it goes. It decides nothing and allocates nothing.
//!
//! A strip is read into the first window. Then the deepest stage that can make rows makes at most one batch, and the
//! stages after it drain that batch before it makes the next: so a window never holds more than one batch and the
//! rows its stage still looks at, however deep the chain is and however much a stage enlarges.

use core::borrow::Borrow;

use super::chain::{Chain, MAX_WINDOWS};
use super::sink::Sink;
use super::source::Source;
use super::stage::{Stage, StageError, View};
use crate::budget::{Budget, Exhausted};
use crate::shape::{Region, Rows, Shape};
use crate::strip::{Strip, StripMut};

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

/// Rows on their way to a stage or to the sink, in a ring, and what the stage remembers. All that a job keeps of a stage:
/// the chain knows the rest.
#[derive(Debug)]
struct Lane<'a> {
    bytes: &'a mut [u8],
    /// Rows that are in it.
    rows: Rows,
    /// The memory of the stage; none before the sink.
    memory: &'a mut [u8],
    /// The next output row to make.
    next: u32,
}

/// A lane's ring of rows, for one step.
struct Window<'w, 'a> {
    lane: &'w mut Lane<'a>,
    image: Shape,
    region: Region,
    /// The most rows that are put in at once.
    batch: u32,
}

impl<'w, 'a> Window<'w, 'a> {
    fn new(lane: &'w mut Lane<'a>, chain: &Chain<'_>, index: usize, planned_rows: u32) -> Self {
        let (image, region) = chain.through(index);
        Self { lane, image, region, batch: chain.batch_rows(index, planned_rows) }
    }

    /// Makes room for the rows up to `end`, which follow those that are in, and gives them to be filled.
    fn push(&mut self, end: u32) -> StripMut<'_> {
        let fresh = Rows::new(self.lane.rows.end(), end);
        self.lane.rows = Rows::new(self.lane.rows.start(), fresh.end());
        let whole = self.region.with_rows(self.lane.rows);
        let strip = StripMut::new(&mut *self.lane.bytes, whole, self.image);
        debug_assert!(strip.is_some(), "window overrun by rows {}", self.lane.rows);
        narrow(strip, fresh)
    }
}

impl Lane<'_> {
    /// Rows before `row` are no longer needed.
    fn release(&mut self, row: u32) {
        self.rows = Rows::new(self.rows.start().max(row).min(self.rows.end()), self.rows.end());
    }
}

/// The strip cut to `rows`; without rows where the window was overrun, which a planned run never sees.
fn narrow(strip: Option<StripMut<'_>>, rows: Rows) -> StripMut<'_> {
    match strip {
        Some(strip) => strip.into_narrowed(rows),
        None => StripMut::empty(),
    }
}

/// A stage at work: what it sees, and the lane before it.
struct Link<'w, 'a> {
    stage: &'a dyn Stage,
    view: View,
    lane: &'w mut Lane<'a>,
}

impl Link<'_, '_> {
    /// The input rows that output row `row` needs.
    fn needs(&self, row: u32) -> Rows {
        self.stage.input(self.view.output.with_rows(Rows::one(row)), self.view.input_shape).rows
    }

    /// How far the output can be made from the rows in the window, at most to `limit`.
    fn ready(&self, limit: u32) -> u32 {
        let have = self.lane.rows.end();
        let mut row = self.lane.next;
        while row < limit && self.needs(row).end() <= have {
            row += 1;
        }
        row
    }

    /// Gives the stage those of the window's rows that are in `rows`, to make the rows of `out` up to `end`.
    fn process(&mut self, rows: Rows, out: &mut Window<'_, '_>, end: u32) -> Result<(), StageError> {
        let region = self.view.input.with_rows(self.lane.rows);
        let Some(input) = Strip::new(&*self.lane.bytes, region, self.view.input_shape) else { return Ok(()) };
        self.stage.process(&self.view, self.lane.memory, &input.narrowed(rows), &mut out.push(end))
    }

    /// Makes at most one batch of rows into `out`. Returns how many.
    fn advance(&mut self, out: &mut Window<'_, '_>) -> Result<u32, StageError> {
        let end = self.view.output.rows.end();
        let limit = end.min(self.lane.next.saturating_add(out.batch));
        let row = self.ready(limit);
        let made = row - self.lane.next;
        let have = self.lane.rows;
        if self.stage.absorbs() {
            // Rows beyond the batch wait in the window until there is room for what they complete.
            let stop =
                if row == limit && row < end && made > 0 { self.needs(row - 1).end() } else { have.end() };
            let fresh = Rows::new(have.start(), stop.max(have.start()));
            if fresh.is_empty() && made == 0 {
                return Ok(0);
            }
            self.process(fresh, out, row)?;
            self.lane.release(fresh.end());
        } else {
            if made == 0 {
                // A stage may look at some rows only: the others must not fill the window.
                if row < end {
                    self.lane.release(self.needs(row).start());
                }
                return Ok(0);
            }
            self.process(have, out, row)?;
            let needed = if row < end { self.needs(row).start() } else { have.end() };
            self.lane.release(needed);
        }
        self.lane.next = row;
        Ok(made)
    }
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
        let Some(first) = self.lanes.first_mut() else { return Ok(()) };
        let start = first.rows.end();
        let end = start.saturating_add(self.strip_rows).min(chain.input().rows.end());
        if end > start {
            let mut window = Window::new(first, chain, 0, self.planned_rows);
            self.source.read(&mut window.push(end)).map_err(RunError::Source)?;
            self.progress.rows_read += end - start;
        }
        Ok(())
    }

    /// Lets every stage make what it can, the deepest first.
    fn drain(&mut self) -> Result<(), RunError<S::Error, K::Error>> {
        let mut at = 0;
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
            } else if at == 0 {
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

/// Leases the window before each stage and before the sink.
#[inline(never)]
fn lease_windows<'a>(
    lanes: &mut heapless::Vec<Lane<'a>, MAX_WINDOWS>,
    chain: &Chain<'a>,
    strip_rows: u32,
    budget: &mut Budget<'a>,
) -> Result<(), Exhausted> {
    for index in 0..chain.windows() {
        let rows = u64::from(chain.window_rows(index, strip_rows));
        let bytes = usize::try_from(rows.saturating_mul(chain.window_row_bytes(index))).unwrap_or(usize::MAX);
        let start = chain.through(index).1.rows.start();
        let bytes = budget.lease("window", bytes)?;
        let lane = Lane { bytes, rows: Rows::new(start, start), memory: &mut [], next: 0 };
        // A chain has at most MAX_WINDOWS windows.
        let _ = lanes.push(lane);
    }
    Ok(())
}

/// Leases the memory of each stage, and lets them begin.
#[inline(never)]
fn begin_stages<'a>(
    lanes: &mut heapless::Vec<Lane<'a>, MAX_WINDOWS>,
    chain: &Chain<'a>,
    budget: &mut Budget<'a>,
) -> Result<(), StageError> {
    for (index, (lane, stage)) in lanes.iter_mut().zip(chain.stages()).enumerate() {
        let Some(view) = chain.view(index) else { break };
        let bytes = usize::try_from(stage.memory(&view)).unwrap_or(usize::MAX);
        lane.memory = budget.lease(stage.name(), bytes)?;
        lane.memory.fill(0);
        stage.begin(&view, lane.memory)?;
        lane.next = view.output.rows.start();
    }
    Ok(())
}
