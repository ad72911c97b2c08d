//! Lock-free: the only number that grants memory is `used`, and it moves by compare-and-swap.

use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

#[derive(Debug)]
pub(crate) struct Counters {
    used: AtomicUsize,
    peak: AtomicUsize,
    leases: AtomicU32,
    failed: AtomicU32,
}

impl Counters {
    pub(crate) const fn new() -> Self {
        Self {
            used: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            leases: AtomicU32::new(0),
            failed: AtomicU32::new(0),
        }
    }

    // Relaxed throughout: the counters guard no memory of their own, only amounts.
    pub(crate) fn take(&self, bytes: usize, limit: usize) -> Result<(), usize> {
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

    pub(crate) fn give(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Relaxed);
    }

    pub(crate) fn read(&self) -> (usize, usize, u32, u32) {
        (
            self.used.load(Relaxed),
            self.peak.load(Relaxed),
            self.leases.load(Relaxed),
            self.failed.load(Relaxed),
        )
    }
}
