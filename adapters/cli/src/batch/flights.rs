//! Runs a batch: what needs more than a share first and alone, then the others, several at once.
//!
//! Invariant: what the files in flight hold beside the process is leased from one [`SharedBudget`], so the total is
//! never over; each output appears complete or not at all, whatever ends the batch.

use super::entry::{Entry, Outcome, Status, title};
use super::plan::BatchPlan;
use super::survey::Job;
use crate::command::Session;
use crate::failure::Failure;
use crate::job::{Budgeted, Control, Decision, MOST_DECISIONS};
use crate::size::Bytes;
use plimsoll_core::budget::SharedBudget;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Stack of a flight's thread; what is touched of it is that of a worker.
const STACK_BYTES: usize = 1 << 20;

/// Names in the last line; the reports have all.
const MOST_NAMES: usize = 10;

/// Heap that the changes of a pace take that are kept one by one.
pub(super) const DECISIONS_BYTES: u64 = (MOST_DECISIONS * size_of::<(usize, Decision)>()) as u64;

/// How a batch talks.
#[derive(Clone, Copy)]
pub(crate) struct Talk {
    /// A line on the standard output for each output.
    pub(crate) lines: bool,
    /// A line of JSON on the standard error for each output.
    pub(crate) json: bool,
}

/// Flights that share a queue.
struct Flights<'a> {
    job: &'a Job<'a>,
    files: &'a [super::inputs::Found],
    budget: &'a Budgeted,
    session: &'a Session,
    shared: SharedBudget,
    /// What each is planned with.
    within: u64,
    workers: u32,
    talk: Talk,
    adaptations: AtomicU32,
    decisions: Mutex<Vec<(usize, Decision)>>,
    state: Mutex<State<'a>>,
}

struct State<'a> {
    entries: &'a mut [Entry],
    queue: std::vec::IntoIter<usize>,
    /// Outputs that are complete or were there, and all that are meant.
    count: (usize, usize),
    /// Nothing more is begun.
    stop: Option<Failure>,
}

/// What a batch came to, beside what the list says.
pub(crate) struct Flown {
    /// How it ended.
    pub(crate) result: Result<(), Failure>,
    /// How often a pace was changed.
    pub(crate) adaptations: u32,
    /// The first of these changes, each with the number of its entry in the list.
    pub(crate) decisions: Vec<(usize, Decision)>,
}

/// Runs what waits in the list.
pub(crate) fn run(job: &Job<'_>, plan: &mut BatchPlan, session: &Session, talk: Talk) -> Flown {
    let workers = job.settings.most_workers();
    let room = plan.budget.bytes.saturating_sub(plan.list_bytes);
    let each = (workers / plan.in_flight.max(1)).max(1);
    let waits = |plan: &BatchPlan, alone: bool| -> Vec<usize> {
        let entries = plan.entries.iter().enumerate();
        let waiting = entries.filter(|(_, entry)| matches!(entry.status, Status::Waiting));
        waiting.filter(|(_, entry)| plan.is_alone(entry) == alone).map(|(index, _)| index).collect()
    };
    let phases = [
        (waits(plan, true), 1, room, workers, plan.shared_bytes(1)),
        (waits(plan, false), plan.in_flight, plan.share_bytes, each, plan.shared_bytes(plan.in_flight)),
    ];
    let all = phases.iter().map(|phase| phase.0.len()).sum();
    let mut done = 0;
    let (mut adaptations, mut decisions) = (0, Vec::with_capacity(MOST_DECISIONS));
    let mut stop = None;
    for (queue, in_flight, within, workers, shared) in phases {
        if stop.is_some() {
            break;
        }
        let flights = Flights {
            job,
            files: &plan.files,
            budget: &plan.budget,
            session,
            shared: SharedBudget::new(usize::try_from(shared).unwrap_or(usize::MAX)),
            within,
            workers,
            talk,
            adaptations: AtomicU32::new(0),
            decisions: Mutex::new(decisions),
            state: Mutex::new(State {
                entries: &mut plan.entries,
                queue: queue.into_iter(),
                count: (done, all),
                stop: None,
            }),
        };
        std::thread::scope(|scope| {
            for number in 1..in_flight {
                let builder = std::thread::Builder::new().name("file".to_owned()).stack_size(STACK_BYTES);
                if let Err(error) = builder.spawn_scoped(scope, || flights.fly()) {
                    // The others do its work.
                    tracing::warn!("flight {number} cannot start: {error}");
                }
            }
            flights.fly();
        });
        adaptations += flights.adaptations.load(Relaxed);
        decisions = flights.decisions.into_inner().unwrap_or_else(PoisonError::into_inner);
        let state = flights.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        (done, stop) = (state.count.0, state.stop);
    }
    Flown { result: verdict(plan, stop), adaptations, decisions }
}

impl Flights<'_> {
    /// Takes one entry after the other until there is none.
    fn fly(&self) {
        loop {
            let control = self.session.control(crate::progress::ProgressArg::Never);
            let (index, entry) = {
                let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
                if control.is_cancelled() {
                    state.stop.get_or_insert(Failure::Cancelled);
                }
                if state.stop.is_some() {
                    return;
                }
                let Some(index) = state.queue.next() else { return };
                let Some(entry) = state.entries.get(index).cloned() else { continue };
                (index, entry)
            };
            let Some(found) = self.files.get(entry.file as usize) else { continue };
            let result = self.one(found, &entry, &control);
            self.decided(index, &control);
            self.note(index, found, result);
        }
    }

    /// Writes down how the pace of an entry's job was changed.
    fn decided(&self, index: usize, control: &Control) {
        self.adaptations.fetch_add(control.adaptations(), Relaxed);
        let mut decisions = self.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST_DECISIONS.saturating_sub(decisions.len());
        decisions.extend(control.decisions().into_iter().take(room).map(|decision| (index, decision)));
    }

    /// Makes one output.
    fn one(
        &self,
        found: &super::inputs::Found,
        entry: &Entry,
        control: &Control,
    ) -> Result<Outcome, Failure> {
        let began = Instant::now();
        let output = self.job.outputs.of(found, entry);
        if let Some(folder) = output.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| Failure::io("make the folder", folder, &error))?;
        }
        let (input, mut job) = self.job.plan(found, entry, self.within, self.workers)?;
        let own = job.job_plan().beside_process_bytes();
        let lease = self.shared.lease("file", usize::try_from(own).unwrap_or(usize::MAX));
        let _lease = lease.map_err(|exhausted| Failure::Refused(exhausted.to_string()))?;
        // The governor looks at the whole process.
        job.within_a_larger(self.budget);
        plimsoll_os::memory::release_code();
        let done = job.run(control)?;
        let shape = done.shape;
        let dominant = job.job_plan().dominant();
        Ok(Outcome {
            rows: shape.rows,
            cols: shape.cols,
            bytes_read: input.bytes_read(),
            bytes_written: done.path.metadata().map_or(0, |facts| facts.len()),
            own_bytes: own,
            workers: dominant.map_or(0, |pass| pass.plan.workers + pass.compressors),
            strip_rows: dominant.map_or(0, |pass| pass.plan.strip_rows),
            seconds: began.elapsed().as_secs_f64(),
            stored: done.stored,
            sha256_pixels: done.sha256_pixels,
            checked: done.checked,
        })
    }

    /// Writes down what became of an entry, and says it.
    fn note(&self, index: usize, found: &super::inputs::Found, result: Result<Outcome, Failure>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { entries, count, stop, .. } = &mut *state;
        let Some(entry) = entries.get_mut(index) else { return };
        let name = title(&found.path, entry);
        let output = self.job.outputs.of(found, entry);
        match result {
            Ok(outcome) => {
                count.0 += 1;
                crate::log::tell(|| line(*count, &name, &output, &outcome));
                if self.talk.lines {
                    // Nobody listening is no reason to end a batch.
                    let _ = crate::command::print(&line(*count, &name, &output, &outcome));
                }
                entry.status = Status::Done(Box::new(outcome));
            }
            Err(Failure::Cancelled) => {
                stop.get_or_insert(Failure::Cancelled);
            }
            Err(failure) => {
                count.0 += 1;
                if self.talk.lines {
                    let _ = crate::command::print(&format!("[{}/{}] {name}: failed\n", count.0, count.1));
                }
                entry.status = Status::Failed(failure.to_string());
                if self.job.keep_going {
                    let line = failure.to_string();
                    let named = line.contains(&*found.path.to_string_lossy());
                    eprintln!("plimsoll: {}{line}", if named { String::new() } else { format!("{name}: ") });
                } else {
                    stop.get_or_insert(failure);
                }
            }
        }
        if self.talk.json {
            let (done, all) = *count;
            eprintln!(
                "{}",
                serde_json::json!({ "output": crate::report::path_text(&output), "status": entry.status.name(), "done": done, "in_all": all })
            );
        }
    }
}

/// What is said of a complete output.
fn line((done, all): (usize, usize), name: &str, output: &Path, outcome: &Outcome) -> String {
    let checked = match &outcome.checked {
        None => String::new(),
        Some(checked) if checked.before.is_some() => "; written once more without loss, identical".to_owned(),
        Some(checked) if checked.identical => "; read back: identical".to_owned(),
        Some(checked) => {
            let ssim = checked.ssim.map_or(String::new(), |ssim| format!(", SSIM {ssim:.4}"));
            let missed = if checked.missed { ", less than asked for" } else { "" };
            format!("; read back: PSNR {:.2} dB{ssim}{missed}", checked.psnr)
        }
    };
    format!(
        "[{done}/{all}] {name} -> {} ({} x {}; {}; {}{checked}; {:.2} s)\n",
        output.display(),
        outcome.cols,
        outcome.rows,
        outcome.stored,
        Bytes(outcome.bytes_written),
        outcome.seconds,
    )
}

/// How a batch ended.
fn verdict(plan: &BatchPlan, stop: Option<Failure>) -> Result<(), Failure> {
    let all = plan.entries.len();
    let done = plan.count(|status| matches!(status, Status::Done(_)));
    let left = plan.count(|status| matches!(status, Status::Waiting));
    match stop {
        Some(Failure::Cancelled) => {
            return Err(Failure::Interrupted(format!(
                "cancelled: {done} of {all} outputs were made, are complete and stay; {left} were not begun or left \
                 nothing behind: --skip-existing goes on from here"
            )));
        }
        Some(failure) => {
            let rest = format!(
                "; {done} of {all} outputs were made, are complete and stay; {left} were not begun: --keep-going goes on \
                 after a failure"
            );
            return Err(failure.and_then_say(&rest));
        }
        None => {}
    }
    let failed = names(plan, |status| matches!(status, Status::Failed(_)));
    let refused = names(plan, |status| matches!(status, Status::Refused(_)));
    match (failed, refused) {
        (None, None) => Ok(()),
        (None, Some((count, names))) => Err(Failure::Refused(format!(
            "{count} of {all} do not fit the budget of {} bytes and were left out: {names}",
            plan.budget.bytes
        ))),
        (Some((count, names)), None) => Err(Failure::Input(format!("{count} of {all} failed: {names}"))),
        (Some((failed, names)), Some((refused, others))) => Err(Failure::Input(format!(
            "{failed} of {all} failed: {names}; {refused} do not fit the budget of {} bytes and were left out: {others}",
            plan.budget.bytes
        ))),
    }
}

/// How many entries are so, and the first of their names.
fn names(plan: &BatchPlan, is: impl Fn(&Status) -> bool) -> Option<(usize, String)> {
    let count = plan.count(&is);
    let such = plan.entries.iter().filter(|entry| is(&entry.status));
    let name = |entry: &Entry| plan.files.get(entry.file as usize).map(|found| title(&found.path, entry));
    let mut text = such.filter_map(name).take(MOST_NAMES).collect::<Vec<_>>().join(", ");
    if count > MOST_NAMES {
        text.push_str(&format!(" and {} more (--report lists them)", count - MOST_NAMES));
    }
    (count > 0).then_some((count, text))
}
