//! Runs one planned pass: a thread for each band, each in its share of the arena, and nothing allocated once they run.

use super::control::Control;
use super::plan::{JobPlan, PassPlan};
use crate::failure::Failure;
use plimsoll_core::budget::{Budget, Exhausted};
use plimsoll_core::pipeline::governor::Pace;
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Band, Chain, Job, RunError, Sink, Step};
use plimsoll_core::shape::{Region, Rows};
use plimsoll_formats::{FormatError, Page};
use plimsoll_os::timing::{Clock, Timed};
use plimsoll_os::workers::{SeamError, SeamSource, Seams};
use std::sync::Arc;

/// A worker's stack: kernels keep their rows in the arena.
const STACK_BYTES: usize = 256 << 10;

/// One pass, ready to run.
pub(crate) struct Pass<'a> {
    chain: &'a Chain<'a>,
    pass: &'a PassPlan,
    page: &'a dyn Page,
    control: &'a Control,
    source_clock: Arc<Clock>,
    sink_clock: Arc<Clock>,
}

/// Makes the sink of worker number `usize` for its output rows, out of its budget.
pub(crate) type MakeSink<'f, 'm, K> =
    &'f (dyn Fn(usize, Rows, &mut Budget<'m>) -> Result<K, FormatError> + Sync);

impl<'a> Pass<'a> {
    /// The pass `number` of `passes` of a job.
    pub(crate) fn new(
        chain: &'a Chain<'a>,
        pass: &'a PassPlan,
        page: &'a dyn Page,
        (number, passes): (usize, usize),
        job: &JobPlan,
        control: &'a Control,
    ) -> Self {
        let rows = pass.plan.bands.iter().map(|band| u64::from(band.input.len())).sum();
        let pace = Pace { strip_rows: pass.plan.strip_rows, workers: pass.plan.workers };
        control.begin_pass(number, passes, rows, pace, job.budget.bytes);
        Self { chain, pass, page, control, source_clock: Arc::default(), sink_clock: Arc::default() }
    }

    /// Adds the time spent in source and sink.
    pub(crate) fn add_seconds(&self, seconds: &mut Vec<(String, f64)>) {
        seconds.push(("source".to_owned(), self.source_clock.seconds()));
        seconds.push(("sink".to_owned(), self.sink_clock.seconds()));
    }

    /// Runs it in `arena` (as many bytes as the plan has in arenas) into sinks, one for each band in order. Gives
    /// the sinks back, finished.
    pub(crate) fn run<'m, K>(&self, arena: &'m mut [u8], sink: MakeSink<'_, 'm, K>) -> Result<Vec<K>, Failure>
    where
        'a: 'm,
        K: Sink<Error = FormatError> + Send,
    {
        let mut whole = Budget::new(arena);
        let bands = &self.pass.plan.bands;
        let shape = self.chain.source();
        let seams = Seams::new(bands, shape, self.chain.input().cols, &mut whole).map_err(short)?;
        let mut arenas = Vec::with_capacity(bands.len());
        for index in 0..bands.len() {
            let bytes = usize::try_from(self.worker_bytes(index)).unwrap_or(usize::MAX);
            arenas.push(whole.lease::<u8>("worker", bytes).map_err(short)?);
        }
        let mut work = bands.iter().zip(arenas).enumerate().map(|(index, (band, arena))| Worker {
            pass: self,
            index,
            band: *band,
            arena,
            seams: &seams,
            sink,
        });
        let first = work.next().ok_or_else(|| Failure::Usage("there is nothing to work on".to_owned()))?;
        std::thread::scope(|scope| {
            let mut others = Vec::with_capacity(bands.len());
            for worker in work {
                let builder = std::thread::Builder::new().name("worker".to_owned()).stack_size(STACK_BYTES);
                let spawned = builder.spawn_scoped(scope, move || worker.run());
                others.push(spawned);
            }
            let mut results = Vec::with_capacity(bands.len());
            results.push(if others.iter().all(Result::is_ok) { first.run() } else { Err(Failure::Cancelled) });
            for thread in others {
                results.push(match thread {
                    Ok(thread) => {
                        thread.join().unwrap_or_else(|_| Err(Failure::Io("a worker panicked".to_owned())))
                    }
                    Err(error) => {
                        seams.abandon();
                        Err(Failure::Io(format!("cannot start a worker: {error}")))
                    }
                });
            }
            settle(results)
        })
    }

    /// Bytes of the arena of worker `index`.
    fn worker_bytes(&self, index: usize) -> u64 {
        let strip_rows = self.pass.plan.strip_rows;
        let arena_needs = self.pass.needs.iter().filter(|need| need.place == Place::Arena);
        let own = arena_needs.filter(|need| need.each == Each::Worker || index == 0);
        own.map(|need| need.one(strip_rows)).fold(self.chain.bytes(strip_rows), u64::saturating_add)
    }
}

/// All sinks, or the failure that caused the others: one worker's own before that of a neighbour it let down.
fn settle<K>(results: Vec<Result<K, Failure>>) -> Result<Vec<K>, Failure> {
    let mut sinks = Vec::with_capacity(results.len());
    let mut failure = None;
    for result in results {
        match (result, &failure) {
            (Ok(sink), _) => sinks.push(sink),
            (Err(error), None | Some(Failure::Cancelled)) => failure = Some(error),
            (Err(_), Some(_)) => {}
        }
    }
    failure.map_or(Ok(sinks), Err)
}

/// The arena is smaller than planned: a plan that is not kept is our fault, and ends the run in order.
fn short(exhausted: Exhausted) -> Failure {
    Failure::Refused(exhausted.to_string())
}

/// One worker with its band.
struct Worker<'w, 'm, K> {
    pass: &'w Pass<'w>,
    index: usize,
    band: Band,
    arena: &'m mut [u8],
    seams: &'w Seams<'m>,
    sink: MakeSink<'w, 'm, K>,
}
