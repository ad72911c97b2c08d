//! A budget that several threads or interrupts draw from at once.
//!
//! It grants amounts, not bytes: each holder backs its grant with its own arena (a worker's windows, a job's
//! buffers). With the feature `critical-section` the counters sit behind a critical section, for cores without
//! compare-and-swap; otherwise they are atomics.
//!
//! Invariant: `used <= limit` at every instant, and `used` is exactly the sum of the leases alive. A lease gives
//! back what it holds when dropped and nothing else can, so the counter cannot underflow.

use super::Exhausted;
use super::Stats;
use counters::Counters;

/// A limit in bytes, shared.
///
/// ```
/// use plimsoll_core::budget::SharedBudget;
/// static BUDGET: SharedBudget = SharedBudget::new(1024);
/// let lease = BUDGET.lease("job", 1000)?;
/// assert_eq!(BUDGET.lease("other", 25).unwrap_err().available, 24);
/// drop(lease);
/// assert_eq!(BUDGET.stats().used, 0);
/// # Ok::<(), plimsoll_core::budget::Exhausted>(())
/// ```
#[derive(Debug)]
pub struct SharedBudget {
    limit: usize,
    counters: Counters,
}

/// Bytes granted by a [`SharedBudget`], given back on drop.
#[derive(Debug)]
#[must_use = "a lease that is dropped at once holds nothing"]
pub struct SharedLease<'a> {
    budget: &'a SharedBudget,
    bytes: usize,
}

impl SharedBudget {
    /// A budget of `limit` bytes, all free.
    pub const fn new(limit: usize) -> Self {
        Self { limit, counters: Counters::new() }
    }

    /// The limit in bytes.
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Grants `bytes` to `consumer`.
    ///
    /// # Errors
    /// [`Exhausted`] if fewer are free at this instant; nothing is granted then.
    pub fn lease(&self, consumer: &'static str, bytes: usize) -> Result<SharedLease<'_>, Exhausted> {
        match self.counters.take(bytes, self.limit) {
            Ok(()) => Ok(SharedLease { budget: self, bytes }),
            Err(used) => Err(Exhausted { consumer, requested: bytes, available: self.limit - used }),
        }
    }

    /// What is granted now, and the marks so far.
    pub fn stats(&self) -> Stats {
        let (used, peak, leases, failed) = self.counters.read();
        Stats { used, free: self.limit - used, peak, leases, failed }
    }
}

impl SharedLease<'_> {
    /// Bytes held.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives back all but `bytes`; asking for more than it holds changes nothing.
    pub fn shrink_to(&mut self, bytes: usize) {
        if let Some(surplus) = self.bytes.checked_sub(bytes) {
            self.budget.counters.give(surplus);
            self.bytes = bytes;
        }
    }
}

impl Drop for SharedLease<'_> {
    fn drop(&mut self) {
        self.budget.counters.give(self.bytes);
    }
}

#[cfg(feature = "critical-section")]
mod counters {
    //! Four numbers that change together, with interrupts held off.
    use core::cell::Cell;
    use critical_section::Mutex;

    #[derive(Clone, Copy, Debug, Default)]
    struct Marks {
        used: usize,
        peak: usize,
        leases: u32,
        failed: u32,
    }

    #[derive(Debug)]
    pub(super) struct Counters(Mutex<Cell<Marks>>);

    impl Counters {
        pub(super) const fn new() -> Self {
            Self(Mutex::new(Cell::new(Marks { used: 0, peak: 0, leases: 0, failed: 0 })))
        }

        pub(super) fn take(&self, bytes: usize, limit: usize) -> Result<(), usize> {
            critical_section::with(|token| {
                let cell = self.0.borrow(token);
                let mut marks = cell.get();
                let used = marks.used;
                let granted = used.checked_add(bytes).filter(|sum| *sum <= limit);
                if let Some(sum) = granted {
                    marks.used = sum;
                    marks.peak = marks.peak.max(sum);
                    marks.leases = marks.leases.saturating_add(1);
                } else {
                    marks.failed = marks.failed.saturating_add(1);
                }
                cell.set(marks);
                granted.map(|_| ()).ok_or(used)
            })
        }

        pub(super) fn give(&self, bytes: usize) {
            critical_section::with(|token| {
                let cell = self.0.borrow(token);
                let mut marks = cell.get();
                marks.used -= bytes;
                cell.set(marks);
            });
        }

        pub(super) fn read(&self) -> (usize, usize, u32, u32) {
            critical_section::with(|token| {
                let marks = self.0.borrow(token).get();
                (marks.used, marks.peak, marks.leases, marks.failed)
            })
        }
    }
}

#[cfg(all(not(feature = "critical-section"), target_has_atomic = "ptr", target_has_atomic = "32"))]
mod counters {
    //! Lock-free: the only number that grants memory is `used`, and it moves by compare-and-swap.
    use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

    #[derive(Debug)]
    pub(super) struct Counters {
        used: AtomicUsize,
        peak: AtomicUsize,
        leases: AtomicU32,
        failed: AtomicU32,
    }

    impl Counters {
        pub(super) const fn new() -> Self {
            Self {
                used: AtomicUsize::new(0),
                peak: AtomicUsize::new(0),
                leases: AtomicU32::new(0),
                failed: AtomicU32::new(0),
            }
        }

        // Relaxed throughout: the counters guard no memory of their own, only amounts.
        pub(super) fn take(&self, bytes: usize, limit: usize) -> Result<(), usize> {
            let granted = self
                .used
                .fetch_update(Relaxed, Relaxed, |used| used.checked_add(bytes).filter(|sum| *sum <= limit));
            match granted {
                Ok(before) => {
                    self.peak.fetch_max(before + bytes, Relaxed);
                    self.leases.fetch_add(1, Relaxed);
                    Ok(())
                }
                Err(used) => {
                    self.failed.fetch_add(1, Relaxed);
                    Err(used)
                }
            }
        }

        pub(super) fn give(&self, bytes: usize) {
            self.used.fetch_sub(bytes, Relaxed);
        }

        pub(super) fn read(&self) -> (usize, usize, u32, u32) {
            (
                self.used.load(Relaxed),
                self.peak.load(Relaxed),
                self.leases.load(Relaxed),
                self.failed.load(Relaxed),
            )
        }
    }
}

#[cfg(all(not(feature = "critical-section"), not(all(target_has_atomic = "ptr", target_has_atomic = "32"))))]
mod counters {
    //! This target has no compare-and-swap: one thread only, until the feature `critical-section` is on.
    //! `Cell` makes the type `!Sync`, so the compiler refuses to share it.
    use core::cell::Cell;

    #[derive(Debug)]
    pub(super) struct Counters {
        used: Cell<usize>,
        peak: Cell<usize>,
        leases: Cell<u32>,
        failed: Cell<u32>,
    }

    impl Counters {
        pub(super) const fn new() -> Self {
            Self { used: Cell::new(0), peak: Cell::new(0), leases: Cell::new(0), failed: Cell::new(0) }
        }

        pub(super) fn take(&self, bytes: usize, limit: usize) -> Result<(), usize> {
            let used = self.used.get();
            match used.checked_add(bytes).filter(|sum| *sum <= limit) {
                Some(sum) => {
                    self.used.set(sum);
                    self.peak.set(self.peak.get().max(sum));
                    self.leases.set(self.leases.get().saturating_add(1));
                    Ok(())
                }
                None => {
                    self.failed.set(self.failed.get().saturating_add(1));
                    Err(used)
                }
            }
        }

        pub(super) fn give(&self, bytes: usize) {
            self.used.set(self.used.get() - bytes);
        }

        pub(super) fn read(&self) -> (usize, usize, u32, u32) {
            (self.used.get(), self.peak.get(), self.leases.get(), self.failed.get())
        }
    }
}
