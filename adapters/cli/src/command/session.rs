//! One run of the command: when it began, who cancels it, and what it has used.

use super::args::{RunArgs, WriteArgs};
use crate::failure::Failure;
use crate::job::{Control, Input, JobPlan, LOOK_EVERY, Settings};
use crate::profile::Profile;
use crate::progress::ProgressArg;
use crate::report::{self, Actual};
use crate::side::Side;
use plimsoll_os::memory::{CountingAllocator, release_code};
use plimsoll_os::probe::Probe;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What all subcommands have in common.
pub(crate) struct Session {
    heap: &'static CountingAllocator,
    cancelled: Arc<AtomicBool>,
    began: Instant,
    profile: Option<Profile>,
    /// The receipt that is to be written first.
    receipt: Mutex<Option<Side>>,
    /// The machine that jobs look at, and how often.
    machine: (Probe, Duration),
}

impl Session {
    /// A session that begins now.
    pub(crate) fn new(heap: &'static CountingAllocator, cancelled: Arc<AtomicBool>) -> Self {
        Self {
            heap,
            cancelled,
            began: Instant::now(),
            profile: None,
            receipt: Mutex::default(),
            machine: (Probe::system(), LOOK_EVERY),
        }
    }

    /// The same with the memory profile and the receipt that the options name: that they can be written is known before
    /// any work is done.
    ///
    /// # Errors
    /// [`Failure::Io`] if one of them cannot be, [`Failure::Usage`] for a name that is none of a page.
    pub(crate) fn beside(self, run: &RunArgs) -> Result<Self, Failure> {
        let profile =
            run.profile_memory.as_deref().map(|page| Profile::begin(page, self.heap)).transpose()?;
        let receipt = run.receipt.as_deref().map(receipt).transpose()?;
        Ok(Self { profile, receipt: Mutex::new(receipt), ..self })
    }

    /// The receipt that `path` asks for; the first was made room for at the start.
    ///
    /// # Errors
    /// [`Failure::Io`] if it cannot be written.
    pub(crate) fn receipt(&self, path: Option<&Path>) -> Result<Option<Side>, Failure> {
        let Some(path) = path else { return Ok(None) };
        let first = self.receipt.lock().unwrap_or_else(PoisonError::into_inner).take();
        first.map_or_else(|| receipt(path), Ok).map(Some)
    }

    /// Writes the receipt where the user wants it.
    ///
    /// # Errors
    /// [`Failure::Io`]
    pub(crate) fn write_receipt(&self, path: Option<&Path>, text: &Value) -> Result<(), Failure> {
        let Some(side) = self.receipt(path)? else { return Ok(()) };
        side.write(true, |to| writeln!(to, "{text:#}"))
    }

    /// Writes the page of the memory profile, if one was asked for and a job has run.
    pub(crate) fn finish_profile(&self) -> Result<(), Failure> {
        self.profile.as_ref().map_or(Ok(()), Profile::finish)
    }

    /// Whether the user wants it to end.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// A control for one job, with the progress that the user wants. The job begins now: code that only the command
    /// line and the planning needed makes room for its windows.
    pub(crate) fn control(&self, progress: ProgressArg) -> Control {
        release_code();
        let shown = crate::progress::watcher(progress);
        let watcher = match &self.profile {
            Some(profile) => Some(profile.watcher(shown)),
            None => shown,
        };
        let (probe, every) = self.machine.clone();
        Control::new(Arc::clone(&self.cancelled), watcher).looking_at(probe, every)
    }

    /// The same on the machine whose files lie under `root`, which is looked at after every strip.
    #[cfg(test)]
    pub(crate) fn on(self, root: &Path) -> Self {
        Self { machine: (Probe::at(root), Duration::ZERO), ..self }
    }

    /// What has happened so far.
    pub(crate) fn actual(&self, inputs: &[&Input], stages: Vec<(String, f64)>, control: &Control) -> Actual {
        let inputs = inputs
            .iter()
            .map(|input| (report::path_text(input.path()), input.bytes(), input.bytes_read()))
            .collect();
        Actual {
            peak_resident_bytes: self.machine.0.process_memory().peak_resident_bytes,
            peak_heap_bytes: self.heap.snapshot().peak_bytes as u64,
            inputs,
            seconds: self.began.elapsed().as_secs_f64(),
            stages,
            adaptations: control.adaptations(),
            decisions: control.decisions(),
        }
    }
}

/// The settings that the options mean.
pub(crate) fn settings(run: &RunArgs, write: Option<&WriteArgs>) -> Settings {
    Settings {
        within: run.within,
        workers: run.workers,
        io: run.io.into(),
        strip_rows: run.strip_rows,
        strip_pixels: run.strip_pixels,
        overwrite: write.is_some_and(|write| write.overwrite),
        sync: write.is_none_or(|write| !write.no_sync),
        hash: run.receipt.is_some() && write.is_some(),
        profile: run.profile_memory.is_some(),
        layers: Arc::clone(&run.layers),
    }
}

/// Makes room for a receipt.
fn receipt(path: &Path) -> Result<Side, Failure> {
    Side::create("the receipt", path)
}

/// Prints to the standard output. A reader that has gone away is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::io("write to", Path::new("the standard output"), &error))
        }
        _ => Ok(()),
    }
}

/// Prints a plan.
pub(crate) fn print_plan(plan: &JobPlan, json: bool) -> Result<(), Failure> {
    match json {
        true => print(&format!("{:#}\n", report::plan_json(plan))),
        false => print(&report::plan_text(plan)),
    }
}
