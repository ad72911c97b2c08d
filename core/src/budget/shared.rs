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
use super::counters::Counters;

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
