//! How a batch shares its budget: the process once, the list once, and a share for each file in flight.

use super::entry::{Entry, Status, title};
use super::inputs::Found;
use super::survey::process_bytes;
use crate::job::{Budgeted, PROCESS_BYTES, START_BYTES, START_HEAP_BYTES};
use crate::report::Actual;
use crate::size::Bytes;
use serde_json::{Value, json};

/// Everything that is known before a batch runs.
#[derive(Debug, Default)]
pub(crate) struct BatchPlan {
    pub(crate) budget: Budgeted,
    pub(crate) files: Vec<Found>,
    pub(crate) entries: Vec<Entry>,
    /// Heap of the list.
    pub(crate) list_bytes: u64,
    /// Files that run at once.
    pub(crate) in_flight: u32,
    /// The budget that each of them is planned with, the process included.
    pub(crate) share_bytes: u64,
}

impl BatchPlan {
    /// Decides how many files run at once: as many as there are workers, as long as so many of them fit a share each.
    pub(super) fn share_out(&mut self, workers: u32) {
        for in_flight in (1..=workers.max(1)).rev() {
            let share = self.share_of(in_flight);
            let fitting = self.waiting().filter(|entry| entry.smallest_bytes <= share).count();
            (self.in_flight, self.share_bytes) = (in_flight, share);
            if fitting >= in_flight as usize {
                break;
            }
        }
    }

    /// What each file in flight is planned with, when there are so many.
    pub(super) fn share_of(&self, in_flight: u32) -> u64 {
        PROCESS_BYTES + self.shared_bytes(in_flight) / u64::from(in_flight.max(1))
    }

    /// What all files in flight share, when there are so many.
    pub(super) fn shared_bytes(&self, in_flight: u32) -> u64 {
        self.budget.bytes.saturating_sub(self.list_bytes).saturating_sub(process_bytes(in_flight))
    }

    /// Entries that are to be done.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| matches!(entry.status, Status::Waiting))
    }

    /// Whether an entry needs more than a share.
    pub(super) fn is_alone(&self, entry: &Entry) -> bool {
        self.in_flight == 1 || entry.smallest_bytes > self.share_bytes
    }

    /// The most of a figure that is held at once: of one that runs alone, or of as many as run at once.
    fn most(&self, figure: impl Fn(&Entry) -> u64) -> (u64, u64) {
        let alone = self.entries.iter().filter(|entry| self.is_alone(entry)).map(&figure).max();
        let mut beside: Vec<u64> =
            self.entries.iter().filter(|entry| !self.is_alone(entry)).map(&figure).collect();
        beside.sort_unstable_by(|a, b| b.cmp(a));
        (alone.unwrap_or(0), beside.iter().take(self.in_flight as usize).sum())
    }

    /// The peak of the whole process.
    pub(crate) fn peak_bytes(&self) -> u64 {
        let (alone, beside) = self.most(|entry| entry.own_bytes);
        let beside = if beside == 0 { 0 } else { process_bytes(self.in_flight) + beside };
        (PROCESS_BYTES + alone).max(beside).max(START_BYTES) + self.list_bytes
    }

    /// The most heap.
    pub(crate) fn heap_bytes(&self) -> u64 {
        let (alone, beside) = self.most(|entry| entry.heap_bytes);
        alone.max(beside).max(START_HEAP_BYTES) + self.list_bytes
    }

    /// How many entries are so.
    pub(crate) fn count(&self, is: impl Fn(&Status) -> bool) -> usize {
        self.entries.iter().filter(|entry| is(&entry.status)).count()
    }

    /// As JSON. Asked for before the batch runs and after: the figures stay.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "peak_bytes": self.peak_bytes(),
            "heap_bytes": self.heap_bytes(),
            "budget_bytes": self.budget.bytes,
            "budget_from": self.budget.reason,
            "inputs": self.files.len(),
            "outputs": self.entries.len(),
            "in_flight": self.in_flight,
            "share_bytes": self.share_bytes,
            "alone": self.entries.iter().filter(|entry| entry.own_bytes > 0 && self.is_alone(entry)).count(),
            "list_bytes": self.list_bytes,
        })
    }

    /// What is wrong with an entry, which begins with the file's name.
    pub(crate) fn named(&self, entry: &Entry, why: &str) -> String {
        let path = self.files.get(entry.file as usize).map(|found| found.path.as_path());
        let path = path.unwrap_or(std::path::Path::new(""));
        if why.contains(&*path.to_string_lossy()) {
            why.to_owned()
        } else {
            format!("{}: {why}", title(path, entry))
        }
    }

    /// How it went, for people.
    pub(crate) fn summary(&self, actual: &Actual) -> String {
        let count = |name: &str| self.count(|status| status.name() == name);
        let mut parts = vec![format!("{} done", count("done"))];
        for name in ["skipped", "refused", "failed", "not begun"] {
            let count = count(name);
            if count > 0 {
                parts.push(format!("{count} {name}"));
            }
        }
        let resident = actual.peak_resident_bytes.map_or(String::new(), |bytes| {
            let (planned, allowed) = (Bytes(self.peak_bytes()), Bytes(self.budget.bytes));
            format!("; peak resident {} of {planned} planned and {allowed} allowed", Bytes(bytes))
        });
        format!("batch: {}{resident}; {:.3} seconds\n", parts.join(", "), actual.seconds)
    }

    /// For people.
    pub(crate) fn to_text(&self) -> String {
        let flights = match self.in_flight {
            1 => "one after the other with all workers".to_owned(),
            n => format!("{n} at once, each within {} with the process", Bytes(self.share_bytes)),
        };
        let skipped = self.count(|status| matches!(status, Status::Skipped));
        let skipped = if skipped == 0 { String::new() } else { format!(", {skipped} are there already") };
        format!(
            "plan: peak {} of {} ({}); {} outputs of {} inputs{skipped}, {} to do: {flights}; the list takes {}\n",
            Bytes(self.peak_bytes()),
            Bytes(self.budget.bytes),
            self.budget.reason,
            self.entries.len(),
            self.files.len(),
            self.waiting().count(),
            Bytes(self.list_bytes),
        )
    }
}
