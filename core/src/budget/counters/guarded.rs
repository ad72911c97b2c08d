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
pub(crate) struct Counters(Mutex<Cell<Marks>>);

impl Counters {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Cell::new(Marks { used: 0, peak: 0, leases: 0, failed: 0 })))
    }

    pub(crate) fn take(&self, bytes: usize, limit: usize) -> Result<(), usize> {
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

    pub(crate) fn give(&self, bytes: usize) {
        critical_section::with(|token| {
            let cell = self.0.borrow(token);
            let mut marks = cell.get();
            marks.used -= bytes;
            cell.set(marks);
        });
    }

    pub(crate) fn read(&self) -> (usize, usize, u32, u32) {
        critical_section::with(|token| {
            let marks = self.0.borrow(token).get();
            (marks.used, marks.peak, marks.leases, marks.failed)
        })
    }
}
