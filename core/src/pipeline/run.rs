//! The only loop: it reads a strip and pushes it as far as it goes. It decides nothing and allocates nothing.
//!
//! A strip is read into the first window. Then the deepest stage that can make rows makes at most one batch, and the
//! stages after it drain that batch before it makes the next: so a window never holds more than one batch and the
//! rows its stage still looks at, however deep the chain is and however much a stage enlarges.

use super::chain::{Chain, MAX_STAGES};
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

/// Rows on their way from one stage to the next, in a ring.
#[derive(Debug)]
struct Window<'a> {
    bytes: &'a mut [u8],
    image: Shape,
    region: Region,
    /// Rows that are in it.
    rows: Rows,
    /// The most rows that are put in at once.
    batch: u32,
}

impl Window<'_> {
    /// Makes room for the rows up to `end`, which follow those that are in, and gives them to be filled.
    fn push(&mut self, end: u32) -> StripMut<'_> {
        let fresh = Rows::new(self.rows.end(), end);
        self.rows = Rows::new(self.rows.start(), fresh.end());
        let image = self.image;
        let whole = self.region.with_rows(self.rows);
        let strip = StripMut::new(&mut *self.bytes, whole, image);
        debug_assert!(strip.is_some(), "window overrun by rows {}", self.rows);
        narrow(strip, fresh)
    }

    fn strip(&self, rows: Rows) -> Option<Strip<'_>> {
        Strip::new(&*self.bytes, self.region.with_rows(self.rows), self.image)
            .map(|strip| strip.narrowed(rows))
    }

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

/// A stage with its memory and the window before it.
struct Link<'a> {
    stage: &'a dyn Stage,
    view: View,
    memory: &'a mut [u8],
    window: Window<'a>,
    /// The next output row to make.
    next: u32,
}

impl Link<'_> {
    /// The input rows that output row `row` needs.
    fn needs(&self, row: u32) -> Rows {
        self.stage.input(self.view.output.with_rows(Rows::one(row)), self.view.input_shape).rows
    }

    /// How far the output can be made from the rows in the window, at most to `limit`.
    fn ready(&self, limit: u32) -> u32 {
        let have = self.window.rows.end();
        let mut row = self.next;
        while row < limit && self.needs(row).end() <= have {
            row += 1;
        }
        row
    }

    /// Makes at most one batch of rows into `out`. Returns how many.
    fn advance(&mut self, out: &mut Window<'_>) -> Result<u32, StageError> {
        let end = self.view.output.rows.end();
        let limit = end.min(self.next.saturating_add(out.batch));
        let row = self.ready(limit);
        let made = row - self.next;
        let have = self.window.rows;
        if self.stage.absorbs() {
            // Rows beyond the batch wait in the window until there is room for what they complete.
            let stop =
                if row == limit && row < end && made > 0 { self.needs(row - 1).end() } else { have.end() };
            let fresh = Rows::new(have.start(), stop.max(have.start()));
            if fresh.is_empty() && made == 0 {
                return Ok(0);
            }
            if let Some(input) = self.window.strip(fresh) {
                self.stage.process(&self.view, self.memory, &input, &mut out.push(row))?;
            }
            self.window.release(fresh.end());
        } else {
            if made == 0 {
                // A stage may look at some rows only: the others must not fill the window.
                if row < end {
                    self.window.release(self.needs(row).start());
                }
                return Ok(0);
            }
            if let Some(input) = self.window.strip(have) {
                self.stage.process(&self.view, self.memory, &input, &mut out.push(row))?;
            }
            let needed = if row < end { self.needs(row).start() } else { have.end() };
            self.window.release(needed);
        }
        self.next = row;
        Ok(made)
    }
}

/// A planned run over one region of a chain's output. Each [`step`](Job::step) does one strip and returns, so a main
/// loop, a progress bar, cancelling (drop the job) and a [governor](super::governor) all hook in at the same place.
pub struct Job<'a, S, K> {
    source: S,
    sink: K,
    links: heapless::Vec<Link<'a>, MAX_STAGES>,
    out: Window<'a>,
    input: Rows,
    strip_rows: u32,
    planned_rows: u32,
    progress: Progress,
    finished: bool,
}

impl<'a, S: Source, K: Sink> Job<'a, S, K> {
    /// Leases all memory that the run will use: exactly [`Chain::bytes`] of `strip_rows`, from an aligned arena.
    ///
    /// # Errors
    /// [`RunError::Budget`] if the arena is smaller, [`RunError::Stage`] if a stage cannot begin.
    pub fn new(
        chain: &Chain<'a>,
        strip_rows: u32,
        budget: &mut Budget<'a>,
        source: S,
        sink: K,
    ) -> Result<Self, RunError<S::Error, K::Error>> {
        let strip_rows = strip_rows.max(1);
        let mut lease = |index: usize, image: Shape, region: Region| -> Result<Window<'a>, Exhausted> {
            let rows = u64::from(chain.window_rows(index, strip_rows));
            let bytes =
                usize::try_from(rows.saturating_mul(chain.window_row_bytes(index))).unwrap_or(usize::MAX);
            Ok(Window {
                bytes: budget.lease("window", bytes)?,
                image,
                region,
                rows: Rows::new(region.rows.start(), region.rows.start()),
                batch: chain.batch_rows(index, strip_rows),
            })
        };
        let mut windows = heapless::Vec::<Window<'a>, MAX_STAGES>::new();
        for (index, view) in chain.views().iter().enumerate() {
            let window = lease(index, view.input_shape, view.input).map_err(RunError::Budget)?;
            // A chain holds at most MAX_STAGES views.
            let _ = windows.push(window);
        }
        let out =
            lease(chain.views().len(), chain.output_shape(), chain.output()).map_err(RunError::Budget)?;
        let mut links = heapless::Vec::<Link<'a>, MAX_STAGES>::new();
        for ((window, stage), view) in windows.into_iter().zip(chain.stages()).zip(chain.views()) {
            let bytes = usize::try_from(stage.memory(view)).unwrap_or(usize::MAX);
            let memory: &mut [u8] = budget.lease(stage.name(), bytes).map_err(RunError::Budget)?;
            memory.fill(0);
            stage.begin(view, memory).map_err(RunError::Stage)?;
            let link = Link { stage: *stage, view: *view, memory, window, next: view.output.rows.start() };
            let _ = links.push(link);
        }
        let input = chain.input().rows;
        let progress = Progress {
            rows_to_read: input.len(),
            rows_to_write: chain.output().rows.len(),
            ..Progress::default()
        };
        Ok(Self {
            source,
            sink,
            links,
            out,
            input,
            strip_rows,
            planned_rows: strip_rows,
            progress,
            finished: false,
        })
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
        self.strip_rows = rows.clamp(1, self.planned_rows);
    }

    /// Rows read at once now.
    pub fn strip_rows(&self) -> u32 {
        self.strip_rows
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
        let first = match self.links.first_mut() {
            Some(link) => &mut link.window,
            None => &mut self.out,
        };
        let end = first.rows.end().saturating_add(self.strip_rows).min(self.input.end());
        let rows = end - first.rows.end();
        if rows > 0 {
            self.source.read(&mut first.push(end)).map_err(RunError::Source)?;
            self.progress.rows_read += rows;
        }
        Ok(())
    }

    /// Lets every stage make what it can, the deepest first.
    fn drain(&mut self) -> Result<(), RunError<S::Error, K::Error>> {
        let mut at = 0;
        loop {
            let Some((head, tail)) = self.links.split_at_mut_checked(at + 1) else {
                // Behind the last stage: all rows there go to the sink.
                self.write()?;
                if at == 0 {
                    return Ok(());
                }
                at -= 1;
                continue;
            };
            let Some(link) = head.last_mut() else { return Ok(()) };
            let out = match tail.first_mut() {
                Some(next) => &mut next.window,
                None => &mut self.out,
            };
            if link.advance(out).map_err(RunError::Stage)? > 0 {
                at += 1;
            } else if at == 0 {
                return Ok(());
            } else {
                at -= 1;
            }
        }
    }

    fn write(&mut self) -> Result<(), RunError<S::Error, K::Error>> {
        let rows = self.out.rows;
        if let Some(strip) = self.out.strip(rows)
            && !rows.is_empty()
        {
            self.sink.write(&strip).map_err(RunError::Sink)?;
            self.progress.rows_written += rows.len();
        }
        self.out.release(rows.end());
        Ok(())
    }
}
