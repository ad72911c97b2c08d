//! This target has no compare-and-swap: one thread only, until the feature `critical-section` is on.
//! `Cell` makes the type `!Sync`, so the compiler refuses to share it.

use core::cell::Cell;

#[derive(Debug)]
pub(crate) struct Counters {
    used: Cell<usize>,
    peak: Cell<usize>,
    leases: Cell<u32>,
    failed: Cell<u32>,
}

impl Counters {
    pub(crate) const fn new() -> Self {
        Self { used: Cell::new(0), peak: Cell::new(0), leases: Cell::new(0), failed: Cell::new(0) }
    }

    pub(crate) fn take(&self, bytes: usize, limit: usize) -> Result<(), usize> {
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

    pub(crate) fn give(&self, bytes: usize) {
        self.used.set(self.used.get() - bytes);
    }

    pub(crate) fn read(&self) -> (usize, usize, u32, u32) {
        (self.used.get(), self.peak.get(), self.leases.get(), self.failed.get())
    }
}
