//! Samples of resident memory and heap, at most so many: when there is no room, each two become one that keeps the
//! higher figures, and samples are taken half as often.

use crate::job::PassPlan;
use plimsoll_core::pipeline::plan::{Consumer, MAX_CONSUMERS};
use plimsoll_os::memory::CountingAllocator;
use plimsoll_os::probe::Probe;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most samples; even.
const MOST_SAMPLES: usize = 512;

/// The most passes with a plan of their own in the record.
const MOST_PASSES: usize = 8;

/// Time between samples at first.
const FIRST_EVERY: Duration = Duration::from_millis(2);

/// Memory at one time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    /// Seconds since the record began.
    pub(super) at: f64,
    pub(super) resident_bytes: u64,
    pub(super) heap_bytes: u64,
}

impl Sample {
    /// One sample for two: the time of the later, the higher figures.
    fn over(self, later: Self) -> Self {
        Self {
            at: later.at,
            resident_bytes: self.resident_bytes.max(later.resident_bytes),
            heap_bytes: self.heap_bytes.max(later.heap_bytes),
        }
    }
}

/// A pass that was run, with its plan.
#[derive(Clone, Debug)]
pub(super) struct PassRecord {
    /// Seconds since the record began.
    pub(super) at: f64,
    pub(super) purpose: &'static str,
    pub(super) strip_rows: u32,
    pub(super) workers: u32,
    pub(super) peak_bytes: u64,
    pub(super) budget_bytes: u64,
    pub(super) consumers: Vec<Consumer>,
    /// Later passes that stand in this record, too, which is of the one that needs the most.
    pub(super) more: u64,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub(super) samples: Vec<Sample>,
    pub(super) passes: Vec<PassRecord>,
    /// Seconds in all.
    pub(super) seconds: f64,
    /// The process's own peak, as the system reports it.
    pub(super) peak_resident_bytes: Option<u64>,
    pub(super) peak_heap_bytes: u64,
}

/// Takes the record.
pub(super) struct Sampler {
    began: Instant,
    probe: Probe,
    heap: &'static CountingAllocator,
    stopped: AtomicBool,
    state: Mutex<State>,
}

struct State {
    record: Record,
    every: Duration,
}

impl Sampler {
    /// The most heap that a record takes, and its copy for the page.
    pub(super) const MOST_BYTES: u64 = {
        let consumers = MAX_CONSUMERS * size_of::<Consumer>();
        let passes = MOST_PASSES * (size_of::<PassRecord>() + consumers);
        2 * (MOST_SAMPLES * size_of::<Sample>() + passes) as u64
    };

    pub(super) fn new(heap: &'static CountingAllocator) -> Self {
        let record = Record {
            samples: Vec::with_capacity(MOST_SAMPLES),
            passes: Vec::with_capacity(MOST_PASSES),
            ..Record::default()
        };
        let state = Mutex::new(State { record, every: FIRST_EVERY });
        let (began, stopped) = (Instant::now(), AtomicBool::new(false));
        Self { began, probe: Probe::system(), heap, stopped, state }
    }

    /// Takes a sample whenever it is time for one, from the first pass on. Allocates nothing.
    pub(super) fn look_until_stopped(&self) {
        while !self.stopped.load(Relaxed) {
            let every = self.state().every;
            std::thread::park_timeout(every);
            let runs = !self.state().record.passes.is_empty();
            if let Some(sample) = runs.then(|| self.look()).flatten() {
                self.state().add(sample);
            }
        }
    }

    /// Has the thread that looks end when it is woken.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Memory now; `None` where the system does not say.
    fn look(&self) -> Option<Sample> {
        Some(Sample {
            at: self.began.elapsed().as_secs_f64(),
            resident_bytes: self.probe.process_memory().resident_bytes?,
            heap_bytes: self.heap.snapshot().current_bytes as u64,
        })
    }

    /// A pass begins.
    pub(super) fn begin_pass(&self, pass: &PassPlan, budget_bytes: u64) {
        let record = PassRecord {
            at: self.began.elapsed().as_secs_f64(),
            purpose: pass.purpose,
            strip_rows: pass.strip_rows(),
            workers: pass.plan.workers + pass.compressors,
            peak_bytes: pass.plan.peak_bytes,
            budget_bytes,
            consumers: pass.plan.consumers.to_vec(),
            more: 0,
        };
        let sample = self.look();
        let mut state = self.state();
        state.record.begin(record);
        if let Some(sample) = sample {
            state.add(sample);
        }
    }

    /// The record, if a pass has begun.
    pub(super) fn finish(&self) -> Option<Record> {
        let sample = self.look();
        let mut state = self.state();
        if state.record.passes.is_empty() {
            return None;
        }
        if let Some(sample) = sample {
            state.add(sample);
        }
        Some(Record {
            seconds: self.began.elapsed().as_secs_f64(),
            peak_resident_bytes: self.probe.process_memory().peak_resident_bytes,
            peak_heap_bytes: self.heap.snapshot().peak_bytes as u64,
            ..state.record.clone()
        })
    }
}

impl State {
    fn add(&mut self, sample: Sample) {
        if self.record.samples.len() >= MOST_SAMPLES {
            self.record.thin_out();
            self.every = self.every.saturating_mul(2);
        }
        // Threads that look at once may come here in another order.
        let before = self.record.samples.iter().rposition(|other| other.at <= sample.at);
        self.record.samples.insert(before.map_or(0, |index| index + 1), sample);
    }
}

impl Record {
    fn begin(&mut self, pass: PassRecord) {
        let full = self.passes.len() >= MOST_PASSES;
        match self.passes.last_mut().filter(|_| full) {
            Some(last) => {
                let (at, more) = (last.at, last.more + 1);
                if pass.peak_bytes > last.peak_bytes {
                    *last = PassRecord { at, ..pass };
                }
                last.more = more;
            }
            None => self.passes.push(pass),
        }
    }

    /// Half as many samples, in place, and nothing of their height lost.
    fn thin_out(&mut self) {
        let half = self.samples.len() / 2;
        for index in 0..half {
            let (first, second) = (self.samples[2 * index], self.samples[2 * index + 1]);
            self.samples[index] = first.over(second);
        }
        self.samples.truncate(half);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_stand_in_the_order_of_time() {
        let mut state = State { record: Record::default(), every: FIRST_EVERY };
        for at in [2.0, 1.0, 3.0, 2.5, 0.5] {
            state.add(Sample { at, resident_bytes: 1, heap_bytes: 1 });
        }
        let times: Vec<f64> = state.record.samples.iter().map(|sample| sample.at).collect();
        assert_eq!(times, [0.5, 1.0, 2.0, 2.5, 3.0]);
    }

    #[test]
    fn any_number_of_samples_keeps_its_bound_and_its_peak() {
        let record = Record { samples: Vec::with_capacity(MOST_SAMPLES), ..Record::default() };
        let mut state = State { record, every: FIRST_EVERY };
        let (most, mut now) = (100_000u32, Duration::ZERO);
        let (mut taken, mut spike_at) = (0u32, 0.0);
        // One spike, and one that ends at the very end.
        while now < FIRST_EVERY * most {
            now += state.every;
            taken += 1;
            let spike = taken == 317;
            spike_at = if spike { now.as_secs_f64() } else { spike_at };
            let resident_bytes = if spike { 1 << 30 } else { u64::from(taken) };
            state.add(Sample { at: now.as_secs_f64(), resident_bytes, heap_bytes: u64::from(most - taken) });
        }
        let samples = &state.record.samples;
        assert!(samples.len() <= MOST_SAMPLES && samples.len() >= MOST_SAMPLES / 2);
        assert_eq!(samples.capacity(), MOST_SAMPLES);
        assert!(taken < most / 20, "they become rarer: {taken}");
        let spike = samples.iter().find(|sample| sample.resident_bytes == 1 << 30).unwrap();
        let late = spike.at - spike_at;
        assert!((0.0..=state.every.as_secs_f64()).contains(&late), "{late}");
        assert!(samples.is_sorted_by(|a, b| a.at < b.at));
        assert_eq!(samples[0].heap_bytes, u64::from(most - 1));
        assert_eq!(samples.last().unwrap().resident_bytes, u64::from(taken));
    }

    /// Nobody reports a strip, as while a tile is coded.
    #[test]
    fn the_thread_looks_though_nothing_happens() {
        static HEAP: CountingAllocator = CountingAllocator::new();
        let sampler = Sampler::new(&HEAP);
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| sampler.look_until_stopped());
            std::thread::sleep(FIRST_EVERY * 5);
            assert!(sampler.finish().is_none(), "no pass has begun");
            sampler.state().record.begin(pass(0, 1));
            std::thread::sleep(Duration::from_millis(300));
            sampler.stop();
            thread.thread().unpark();
        });
        let record = sampler.finish().unwrap();
        assert!((10..=MOST_SAMPLES).contains(&record.samples.len()), "{} samples", record.samples.len());
        assert!(record.samples.iter().all(|sample| sample.resident_bytes > 1 << 16));
    }

    fn pass(number: u64, peak_bytes: u64) -> PassRecord {
        PassRecord {
            at: number as f64,
            purpose: "test",
            strip_rows: 1,
            workers: 1,
            peak_bytes,
            budget_bytes: 0,
            consumers: Vec::new(),
            more: 0,
        }
    }

    #[test]
    fn any_number_of_passes_keeps_the_largest() {
        let mut record = Record::default();
        for number in 0..1000u64 {
            let peak_bytes = if number == 500 { 9999 } else { number };
            record.begin(pass(number, peak_bytes));
        }
        assert_eq!(record.passes.len(), MOST_PASSES);
        let last = record.passes.last().unwrap();
        assert_eq!((last.at, last.peak_bytes, last.more), (7.0, 9999, 992));
    }
}
