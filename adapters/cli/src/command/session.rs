//! One run of the command: when it began, who cancels it, and what it has used.

use super::args::{RunArgs, WriteArgs};
use crate::failure::Failure;
use crate::job::{Control, Input, JobPlan, Settings};
use crate::profile::Profile;
use crate::progress::ProgressArg;
use crate::report::{self, Actual};
use plimsoll_os::FileError;
use plimsoll_os::memory::{CountingAllocator, release_code};
use plimsoll_os::output::AtomicOutput;
use plimsoll_os::probe::Probe;
use serde_json::Value;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// What all subcommands have in common.
pub(crate) struct Session {
    heap: &'static CountingAllocator,
    cancelled: Arc<AtomicBool>,
    began: Instant,
    profile: Option<Profile>,
}

impl Session {
    /// A session that begins now.
    pub(crate) fn new(heap: &'static CountingAllocator, cancelled: Arc<AtomicBool>) -> Self {
        Self { heap, cancelled, began: Instant::now(), profile: None }
    }

    /// The same with a memory profile, if a page for it is named.
    pub(crate) fn profiled(self, page: Option<&Path>) -> Result<Self, Failure> {
        let profile = page.map(|page| Profile::begin(page, self.heap)).transpose()?;
        Ok(Self { profile, ..self })
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
        Control::new(Arc::clone(&self.cancelled), watcher)
    }

    /// What has happened so far.
    pub(crate) fn actual(&self, inputs: &[&Input], stages: Vec<(String, f64)>, control: &Control) -> Actual {
        let inputs = inputs
            .iter()
            .map(|input| (report::path_text(input.path()), input.bytes(), input.bytes_read()))
            .collect();
        Actual {
            peak_resident_bytes: Probe::system().process_memory().peak_resident_bytes,
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

/// Writes the receipt where the user wants it: whole or not at all, unless that is a pipe or device.
pub(crate) fn write_receipt(path: Option<&Path>, receipt: &Value) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let text = format!("{receipt:#}\n");
    let failed = |error: &std::io::Error| Failure::io("write the receipt", path, error);
    if path.metadata().is_ok_and(|facts| !facts.is_file()) {
        return std::fs::write(path, text).map_err(|error| failed(&error));
    }
    let in_file = |error: FileError| Failure::Io(format!("cannot write the receipt: {error}"));
    let file = AtomicOutput::create(path, true).map_err(in_file)?;
    file.write_at(0, text.as_bytes()).map_err(|error| failed(&error))?;
    file.commit(true).map_err(in_file)
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
