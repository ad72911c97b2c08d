//! Adaptation: what may change at a strip boundary while a job runs, and when. Never the result.
//!
//! A pure policy: an adapter takes the readings, this decides, the adapter applies. Everything may only go below
//! what was planned and back up to it, so the plan stays true.

/// What a probe read. A source that is not there is `None` and moves nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Readings {
    /// Resident bytes of this process.
    pub resident_bytes: Option<u64>,
    /// Bytes that the machine or container could still give.
    pub available_bytes: Option<u64>,
    /// Share of the last ten seconds in which some task waited for memory, 0.0 to 1.0.
    pub memory_pressure: Option<f32>,
    /// Share of the processors in use by others, 0.0 to 1.0.
    pub foreign_cpu: Option<f32>,
    /// Free bytes on the output's disk.
    pub disk_free_bytes: Option<u64>,
}

/// How hard a job may press on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Pace {
    /// Rows read at once.
    pub strip_rows: u32,
    /// Workers that may run at the same time.
    pub workers: u32,
}

/// Why a pace was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Cause {
    /// Tasks wait for memory.
    Pressure,
    /// The machine or container has little left to give.
    Scarcity,
    /// The process is close to its budget.
    Use,
    /// None of these any more.
    Calm,
}

/// When to slow down.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Governor {
    /// What was planned: the fastest pace.
    pub planned: Pace,
    /// What the process may hold, in bytes.
    pub budget_bytes: u64,
    /// Memory pressure at which the pace is lowered.
    pub high_pressure: f32,
    /// Memory pressure below which the pace is raised again.
    pub low_pressure: f32,
    /// Share of the budget at which the pace is lowered.
    pub high_use: f32,
    /// Bytes that must stay available to the rest of the machine.
    pub reserve_bytes: u64,
}

impl Governor {
    /// A governor with the usual marks: slow down at 10 % pressure, 97 % of the budget, or less than 16 MiB available;
    /// recover below 1 %.
    pub const fn new(planned: Pace, budget_bytes: u64) -> Self {
        Self {
            planned,
            budget_bytes,
            high_pressure: 0.10,
            low_pressure: 0.01,
            high_use: 0.97,
            reserve_bytes: 16 << 20,
        }
    }

    /// What speaks for a slower pace, if anything does.
    pub fn cause(&self, readings: &Readings) -> Option<Cause> {
        let pressure = readings.memory_pressure.is_some_and(|share| share >= self.high_pressure);
        let scarcity = readings.available_bytes.is_some_and(|bytes| bytes < self.reserve_bytes);
        let most = self.budget_bytes as f64 * f64::from(self.high_use);
        let used = readings.resident_bytes.is_some_and(|bytes| bytes as f64 > most);
        [(pressure, Cause::Pressure), (scarcity, Cause::Scarcity), (used, Cause::Use)]
            .into_iter()
            .find_map(|(is, cause)| is.then_some(cause))
    }

    /// The pace to go on with, given the one so far: one worker less, and with one worker half of the rows; back in the
    /// opposite order. Always between one row, one worker and what was planned.
    pub fn decide(&self, readings: &Readings, now: Pace) -> Pace {
        let relaxed = readings.memory_pressure.is_none_or(|share| share <= self.low_pressure);
        // Busy processors and a full disk move nothing: the system shares processors fairly, and a slower job would
        // only hold its memory for longer.
        let next = if self.cause(readings).is_some() {
            match now.workers {
                0 | 1 => Pace { strip_rows: now.strip_rows / 2, ..now },
                workers => Pace { workers: workers - 1, ..now },
            }
        } else if !relaxed {
            now
        } else if now.strip_rows < self.planned.strip_rows {
            Pace { strip_rows: now.strip_rows.saturating_mul(2), ..now }
        } else {
            Pace { workers: now.workers.saturating_add(1), ..now }
        };
        Pace {
            strip_rows: next.strip_rows.clamp(1, self.planned.strip_rows.max(1)),
            workers: next.workers.clamp(1, self.planned.workers.max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANNED: Pace = Pace { strip_rows: 32, workers: 2 };

    #[test]
    fn pressure_takes_workers_and_then_rows_and_calm_gives_them_back() {
        let governor = Governor::new(PLANNED, 8 << 20);
        let pressed = Readings { memory_pressure: Some(0.5), ..Readings::default() };
        let paces = [(32, 1), (16, 1), (8, 1), (4, 1), (2, 1), (1, 1), (1, 1)];
        let mut pace = PLANNED;
        for (strip_rows, workers) in paces {
            pace = governor.decide(&pressed, pace);
            assert_eq!(pace, Pace { strip_rows, workers });
        }
        for (strip_rows, workers) in [(2, 1), (4, 1), (8, 1), (16, 1), (32, 1), (32, 2), (32, 2)] {
            pace = governor.decide(&Readings::default(), pace);
            assert_eq!(pace, Pace { strip_rows, workers });
        }
    }

    #[test]
    fn each_cause_is_named() {
        let governor = Governor::new(PLANNED, 8 << 20);
        let of = |readings: Readings| governor.cause(&readings);
        let none = Readings::default();
        assert_eq!(of(none), None);
        assert_eq!(of(Readings { memory_pressure: Some(0.1), ..none }), Some(Cause::Pressure));
        assert_eq!(of(Readings { available_bytes: Some(15 << 20), ..none }), Some(Cause::Scarcity));
        assert_eq!(of(Readings { resident_bytes: Some(8 << 20), ..none }), Some(Cause::Use));
    }

    #[test]
    fn every_trace_stays_within_the_plan() {
        let governor = Governor::new(PLANNED, 8 << 20);
        let mut pace = PLANNED;
        let mut seed = 1u32;
        for _ in 0..10_000 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let share = (seed >> 24) as f32 / 255.0;
            let readings = Readings {
                memory_pressure: Some(share),
                resident_bytes: Some(u64::from(seed >> 8)),
                ..Readings::default()
            };
            pace = governor.decide(&readings, pace);
            assert!((1..=32).contains(&pace.strip_rows) && (1..=2).contains(&pace.workers));
        }
    }
}
