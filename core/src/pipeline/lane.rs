//! What a run keeps between two steps: a ring of rows before each stage and before the sink, and how far each stage is.

use super::chain::{Chain, MAX_WINDOWS};
use super::stage::{Stage, StageError, View};
use crate::budget::{Budget, Exhausted};
use crate::shape::{Region, Rows, Shape};
use crate::strip::{Strip, StripMut};

/// Rows on their way to a stage or to the sink, in a ring, and what the stage remembers. All that a job keeps of a
/// stage: the chain knows the rest.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    pub(super) bytes: &'a mut [u8],
    /// Rows that are in it.
    pub(super) rows: Rows,
    /// The memory of the stage; none before the sink.
    memory: &'a mut [u8],
    /// The next output row to make.
    next: u32,
}

/// A lane's ring of rows, for one step.
pub(super) struct Window<'w, 'a> {
    lane: &'w mut Lane<'a>,
    image: Shape,
    region: Region,
    /// The most rows that are put in at once.
    batch: u32,
}

impl<'w, 'a> Window<'w, 'a> {
    pub(super) fn new(lane: &'w mut Lane<'a>, chain: &Chain<'_>, index: usize, planned_rows: u32) -> Self {
        let (image, region) = chain.through(index);
        Self { lane, image, region, batch: chain.batch_rows(index, planned_rows) }
    }

    /// Makes room for the rows up to `end`, which follow those that are in, and gives them to be filled.
    pub(super) fn push(&mut self, end: u32) -> StripMut<'_> {
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
    pub(super) fn release(&mut self, row: u32) {
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
pub(super) struct Link<'w, 'a> {
    pub(super) stage: &'a dyn Stage,
    pub(super) view: View,
    pub(super) lane: &'w mut Lane<'a>,
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
    pub(super) fn advance(&mut self, out: &mut Window<'_, '_>) -> Result<u32, StageError> {
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

/// Leases the window before each stage and before the sink.
#[inline(never)]
pub(super) fn lease_windows<'a>(
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
pub(super) fn begin_stages<'a>(
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
