//! Runs one planned pass: a thread for each band, each in its share of the arena, and nothing allocated once they run.

use super::control::Control;
use super::hash::Nowhere;
use super::plan::{JobPlan, PassPlan};
use crate::failure::Failure;
use plimsoll_core::budget::{Budget, Exhausted};
use plimsoll_core::measure::{Tap, TapError};
use plimsoll_core::pipeline::governor::Pace;
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Chain, Job, RunError, Sink, Step};
use plimsoll_core::shape::{Region, Rows};
use plimsoll_core::strip::Strip;
use plimsoll_formats::{FormatError, Page};
use plimsoll_os::timing::{Stopwatch, Timed};
use plimsoll_os::workers::{Seam, SeamError, SeamSource, seams};
use std::path::Path;

/// A worker's stack: kernels keep their rows in the arena.
const STACK_BYTES: usize = 256 << 10;

/// One pass, ready to run.
pub(crate) struct Pass<'a> {
    chain: &'a Chain<'a>,
    pass: &'a PassPlan,
    page: &'a dyn Page,
    control: &'a Control,
    input: &'a Path,
    output: &'a Path,
    source_watch: Stopwatch,
    sink_watch: Stopwatch,
    /// Of the page's own sources, where stages are part of the source.
    page_watch: Option<Stopwatch>,
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
        let workers = pass.plan.workers + pass.compressors;
        let pace = Pace { strip_rows: pass.plan.strip_rows, workers };
        control.show(pass, job.budget.bytes);
        let bands = pass.plan.workers;
        control.begin_pass((number, passes), rows, bands, pace, job.budget.bytes);
        let nobody = Path::new("the picture");
        let (source_watch, sink_watch) = (Stopwatch::new(), Stopwatch::new());
        Self {
            chain,
            pass,
            page,
            control,
            input: nobody,
            output: nobody,
            source_watch,
            sink_watch,
            page_watch: None,
        }
    }

    /// The same with the files' names, for messages.
    pub(crate) fn between(self, input: &'a Path, output: &'a Path) -> Self {
        Self { input, output, ..self }
    }

    /// The same where stages are part of the source, and the time spent in the page's own sources is in `watch`.
    pub(crate) fn watched(self, watch: Option<&Stopwatch>) -> Self {
        Self { page_watch: watch.cloned(), ..self }
    }

    /// Adds the time spent in source and sink.
    pub(crate) fn add_seconds(&self, seconds: &mut Vec<(String, f64)>) {
        let source = self.page_watch.as_ref().unwrap_or(&self.source_watch);
        seconds.push(("source".to_owned(), source.seconds()));
        seconds.push(("sink".to_owned(), self.sink_watch.seconds()));
    }

    /// Runs it in `arena` (as many bytes as the plan has in arenas) into sinks, one for each band in order. Gives
    /// the sinks back, finished.
    pub(crate) fn run<'m, K>(
        &'m self,
        arena: &'m mut [u8],
        sink: MakeSink<'_, 'm, K>,
    ) -> Result<Vec<K>, Failure>
    where
        K: Sink<Error = FormatError> + Send,
    {
        let both =
            self.run_tapped(arena, &|index, rows, budget| Ok((Some(sink(index, rows, budget)?), Nowhere)))?;
        Ok(both.into_iter().filter_map(|(sink, _)| sink).collect())
    }

    /// The same with a second sink for each worker, a tap: it is shown the source's rows as they are read, each once
    /// over all workers. Without a first sink nothing is done with what comes out of the chain.
    pub(crate) fn run_tapped<'m, K, T>(
        &'m self,
        arena: &'m mut [u8],
        sinks: MakeSink<'_, 'm, (Option<K>, T)>,
    ) -> Result<Vec<(Option<K>, T)>, Failure>
    where
        K: Sink<Error = FormatError> + Send,
        T: Sink<Error = FormatError> + Send,
    {
        let mut whole = Budget::new(arena);
        let bands = &self.pass.plan.bands;
        let seams = seams(bands, self.chain, &mut whole).map_err(short)?;
        let mut workers = Vec::with_capacity(bands.len());
        for index in 0..bands.len() {
            let bytes = usize::try_from(self.worker_bytes(index)).unwrap_or(usize::MAX);
            let arena = whole.lease::<u8>("worker", bytes).map_err(short)?;
            workers.push(Worker { pass: self, index, arena, seams: &seams, sinks });
        }
        let mut results = Vec::with_capacity(bands.len());
        std::thread::scope(|scope| {
            let mut workers = workers.into_iter();
            let first = workers.next();
            let mut threads = Vec::with_capacity(bands.len());
            for (worker, seam) in workers.zip(&seams) {
                let builder = std::thread::Builder::new().name("worker".to_owned()).stack_size(STACK_BYTES);
                let thread = builder.spawn_scoped(scope, move || worker.run());
                if thread.is_err() {
                    // Nobody else would tell its upper neighbour.
                    seam.abandon();
                }
                threads.push(thread);
            }
            results.extend(first.map(Worker::run));
            for thread in threads {
                results.push(match thread {
                    Ok(thread) => {
                        thread.join().unwrap_or_else(|_| Err(Failure::Io("a worker panicked".to_owned())))
                    }
                    Err(error) => Err(Failure::Io(format!("cannot start a worker: {error}"))),
                });
            }
        });
        settle(results)
    }

    /// What went wrong in a job, by culprit.
    fn explain(
        &self,
        error: RunError<SeamError<TapError<FormatError, FormatError>>, FormatError>,
    ) -> Failure {
        match error {
            RunError::Source(SeamError::Source(TapError::Source(error) | TapError::Sink(error))) => {
                self.source_failed(&error)
            }
            // The neighbour's own failure says why.
            RunError::Source(_) => Failure::Cancelled,
            RunError::Sink(error) => self.sink_failed(&error),
            RunError::Budget(exhausted) => short(exhausted),
            other => Failure::Usage(other.to_string()),
        }
    }

    fn source_failed(&self, error: &FormatError) -> Failure {
        Failure::input(self.input, error)
    }

    fn sink_failed(&self, error: &FormatError) -> Failure {
        Failure::output(self.output, error)
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
struct Worker<'w, 'm, K, T> {
    pass: &'m Pass<'m>,
    index: usize,
    arena: &'m mut [u8],
    seams: &'w [Seam<'m>],
    sinks: MakeSink<'w, 'm, (Option<K>, T)>,
}

impl<K: Sink<Error = FormatError>, T: Sink<Error = FormatError>> Worker<'_, '_, K, T> {
    fn run(self) -> Result<(Option<K>, T), Failure> {
        let (index, seams) = (self.index, self.seams);
        let control = self.pass.control;
        let result = self.work();
        control.worker_ended();
        if result.is_err()
            && let Some(above) = index.checked_sub(1).and_then(|above| seams.get(above))
        {
            // Where there never was a source, its drop cannot have told the neighbour.
            above.abandon();
        }
        result
    }

    /// Makes the rows of one band.
    fn work(self) -> Result<(Option<K>, T), Failure> {
        let Self { pass, index, arena, seams, sinks } = self;
        let Pass { chain, page, control, .. } = *pass;
        let plan = &pass.pass.plan;
        let Some(band) = plan.bands.get(index) else { return Err(Failure::Cancelled) };
        let region = Region::new(band.output, chain.output().cols);
        let own = Chain::for_region(chain.stages(), chain.source(), region)
            .map_err(|error| Failure::Usage(error.to_string()))?;
        let mut budget = Budget::new(arena);
        let reads = Region::new(band.reads, chain.input().cols);
        let mut source = page.source(reads, &mut budget).map_err(|error| pass.source_failed(&error))?;
        let (sink, tap) = sinks(index, band.output, &mut budget).map_err(|error| pass.sink_failed(&error))?;
        let source = Timed::new(&mut *source, pass.source_watch.clone());
        let source = SeamSource::new(Tap { source, sink: tap }, index, &plan.bands, seams, plan.strip_rows);
        let sink = Timed::new(Maybe(sink), pass.sink_watch.clone());
        let explain = |error| pass.explain(error);
        let mut job = Job::new(&own, plan.strip_rows, &mut budget, source, sink).map_err(explain)?;
        let mut rows = 0;
        loop {
            if control.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            job.set_strip_rows(control.strip_rows());
            let step = job.step().map_err(explain)?;
            let (Step::More(progress) | Step::Done(progress)) = step;
            control.advanced(u64::from(progress.rows_read - rows));
            rows = progress.rows_read;
            if matches!(step, Step::Done(_)) {
                break;
            }
            // The first step has handed the seam over.
            control.wait_for_turn();
        }
        let (source, sink) = job.finish().map_err(explain)?;
        Ok((sink.into_inner().0, source.into_inner().sink))
    }
}

/// A sink, or nothing that takes rows all the same.
struct Maybe<K>(Option<K>);

impl<K: Sink<Error = FormatError>> Sink for Maybe<K> {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        self.0.as_mut().map_or(Ok(()), |sink| sink.write(strip))
    }

    fn finish(&mut self) -> Result<(), FormatError> {
        self.0.as_mut().map_or(Ok(()), Sink::finish)
    }
}
