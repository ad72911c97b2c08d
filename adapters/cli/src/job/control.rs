//! The hand on a running job: cancel it, watch it, slow it down. Nothing here changes the result.

use super::plan::PassPlan;
use plimsoll_core::pipeline::governor::{Cause, Governor, Pace};
use plimsoll_os::probe::{CpuMeter, Probe};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the machine is looked at while a job runs.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The most decisions that are kept one by one; later ones are counted.
pub(crate) const MOST_DECISIONS: usize = 64;

/// One change of the pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The pass that ran, from 1, and the source rows that it had read.
    pub pass: u32,
    /// Source rows that it had read.
    pub rows: u64,
    /// The pace before.
    pub from: Pace,
    /// The pace from then on.
    pub to: Pace,
    /// Why.
    pub cause: Cause,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// The pass that runs, from 1.
    pub pass: u32,
    /// Passes in all.
    pub passes: u32,
    /// Source rows read in this pass.
    pub rows: u64,
    /// Source rows that this pass will read.
    pub rows_in_all: u64,
}

/// Is told how far a job is, after each strip, from any worker.
pub trait Watcher: Send + Sync {
    /// The job is this far.
    fn at(&self, moment: Moment);

    /// A pass begins, in a job with this budget.
    fn begins(&self, _pass: &PassPlan, _budget_bytes: u64) {}
}

/// What may be changed in a running job, and what it says of itself.
pub struct Control {
    probe: Probe,
    look_every: Duration,
    cancelled: Arc<AtomicBool>,
    watcher: Option<Box<dyn Watcher>>,
    pass: AtomicU32,
    passes: AtomicU32,
    rows: AtomicU64,
    rows_in_all: AtomicU64,
    strip_rows: AtomicU32,
    workers: AtomicU32,
    bands: AtomicU32,
    active: AtomicU32,
    adaptations: AtomicU32,
    decisions: Mutex<Vec<Decision>>,
    regulator: Mutex<Option<Regulator>>,
}

impl Default for Control {
    fn default() -> Self {
        Self::new(Arc::default(), None)
    }
}

/// Looks at the machine now and then, and decides the pace.
struct Regulator {
    governor: Governor,
    meter: CpuMeter,
    looked: Instant,
    pace: Pace,
}

impl Control {
    /// A control that ends its job soon after `cancelled` becomes true.
    pub fn new(cancelled: Arc<AtomicBool>, watcher: Option<Box<dyn Watcher>>) -> Self {
        Self {
            probe: Probe::system(),
            look_every: LOOK_EVERY,
            cancelled,
            watcher,
            pass: AtomicU32::default(),
            passes: AtomicU32::default(),
            rows: AtomicU64::default(),
            rows_in_all: AtomicU64::default(),
            strip_rows: AtomicU32::default(),
            workers: AtomicU32::default(),
            bands: AtomicU32::default(),
            active: AtomicU32::default(),
            adaptations: AtomicU32::default(),
            decisions: Mutex::new(Vec::with_capacity(MOST_DECISIONS)),
            regulator: Mutex::default(),
        }
    }

    /// The same, looking at the machine that `probe` sees, as often as that.
    pub fn looking_at(self, probe: Probe, every: Duration) -> Self {
        Self { probe, look_every: every, ..self }
    }

    /// Whether the job is to end.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Relaxed)
    }

    /// How often the pace was changed.
    pub fn adaptations(&self) -> u32 {
        self.adaptations.load(Relaxed)
    }

    /// These changes, one by one: the first 64.
    pub fn decisions(&self) -> Vec<Decision> {
        self.decisions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Shows the plan of a pass that begins.
    pub(crate) fn show(&self, pass: &PassPlan, budget_bytes: u64) {
        let (workers, rows) = (pass.plan.workers + pass.compressors, pass.strip_rows());
        tracing::debug!("{}: {workers} worker(s), strips of {rows} rows", pass.purpose);
        if let Some(watcher) = &self.watcher {
            watcher.begins(pass, budget_bytes);
        }
    }

    /// The pass of this number of so many begins: over `rows` source rows, in so many bands, each with a worker of its
    /// own; further workers of the pace compress.
    pub(crate) fn begin_pass(
        &self,
        (pass, passes): (usize, usize),
        rows: u64,
        bands: u32,
        planned: Pace,
        budget_bytes: u64,
    ) {
        self.pass.store(pass as u32, Relaxed);
        self.passes.store(passes as u32, Relaxed);
        self.rows.store(0, Relaxed);
        self.rows_in_all.store(rows, Relaxed);
        self.strip_rows.store(planned.strip_rows, Relaxed);
        self.workers.store(planned.workers, Relaxed);
        self.bands.store(bands, Relaxed);
        self.active.store(bands, Relaxed);
        let governor = Governor::new(planned, budget_bytes);
        let regulator = Regulator { governor, meter: CpuMeter::new(), looked: Instant::now(), pace: planned };
        *self.regulator.lock().unwrap_or_else(PoisonError::into_inner) = Some(regulator);
    }

    /// A worker has read `rows` more rows.
    pub(crate) fn advanced(&self, rows: u64) {
        let rows = self.rows.fetch_add(rows, Relaxed) + rows;
        if let Some(watcher) = &self.watcher {
            watcher.at(Moment {
                pass: self.pass.load(Relaxed),
                passes: self.passes.load(Relaxed),
                rows,
                rows_in_all: self.rows_in_all.load(Relaxed),
            });
        }
        // Whoever comes by looks; nobody waits for it.
        let Ok(mut regulator) = self.regulator.try_lock() else { return };
        let due = |regulator: &&mut Regulator| regulator.looked.elapsed() >= self.look_every;
        let Some(regulator) = regulator.as_mut().filter(due) else { return };
        regulator.looked = Instant::now();
        let readings = self.probe.readings(&mut regulator.meter, None);
        let (from, to) = (regulator.pace, regulator.governor.decide(&readings, regulator.pace));
        if to != from {
            regulator.pace = to;
            self.strip_rows.store(to.strip_rows, Relaxed);
            self.workers.store(to.workers, Relaxed);
            self.adaptations.fetch_add(1, Relaxed);
            let cause = regulator.governor.cause(&readings).unwrap_or(Cause::Calm);
            let mut decisions = self.decisions.lock().unwrap_or_else(PoisonError::into_inner);
            if decisions.len() < decisions.capacity() {
                // Others may have read on since this worker counted.
                let (pass, rows) = (self.pass.load(Relaxed), self.rows.load(Relaxed));
                decisions.push(Decision { pass, rows, from, to, cause });
            }
        }
    }

    /// Rows to read at once from now on.
    pub(crate) fn strip_rows(&self) -> u32 {
        self.strip_rows.load(Relaxed)
    }

    /// Threads that may compress from now on: of a pace that is lowered they go first.
    pub(crate) fn compressors(&self) -> u32 {
        self.workers.load(Relaxed).saturating_sub(self.bands.load(Relaxed))
    }

    /// Waits while the pace has no room for this worker beside those that work. Only to be called between strips, and
    /// not before the worker has handed its seam over: its neighbour may be waiting for it.
    pub(crate) fn wait_for_turn(&self) {
        if self.active.load(Relaxed) <= self.workers.load(Relaxed) {
            return;
        }
        // One goes aside; the last one that works never does, so somebody always goes on.
        let aside = |active: u32| (active > self.workers.load(Relaxed).max(1)).then(|| active - 1);
        if self.active.fetch_update(Relaxed, Relaxed, aside).is_err() {
            return;
        }
        while self.active.load(Relaxed) >= self.workers.load(Relaxed).max(1) && !self.is_cancelled() {
            std::thread::sleep(Duration::from_millis(5));
            self.advanced(0);
        }
        self.active.fetch_add(1, Relaxed);
    }

    /// A worker has come to its end, whatever that is.
    pub(crate) fn worker_ended(&self) {
        self.active.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paused workers go on when those that work have ended, even if the pace is never raised again.
    #[test]
    fn nobody_waits_for_ever() {
        let control = Control::default();
        let pace = Pace { strip_rows: 8, workers: 3 };
        control.begin_pass((1, 1), 1000, 3, pace, 1 << 20);
        *control.regulator.lock().unwrap() = None;
        control.workers.store(1, Relaxed);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        control.wait_for_turn();
                    }
                    control.worker_ended();
                });
            }
        });
        assert_eq!(control.active.load(Relaxed), 0);
    }
}
