//! Looks at everything before anything is written: which pages there are, what their outputs are called, what each
//! needs. What can never be done is named here; the rest is to run.

use super::entry::{Entry, Outcome, Outputs, Status, title};
use super::flights::DECISIONS_BYTES;
use super::inputs::{Found, find, names_several};
use super::plan::BatchPlan;
use crate::failure::Failure;
use crate::job::{
    Budgeted, Checks, Input, JobPlan, PROCESS_BYTES, PageList, PageName, Request, START_BYTES, Settings,
    VerifiedJob, price,
};
use crate::size::Within;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Texts of an entry: how it is stored, its hash, or why it was not done.
const TEXT_BYTES: u64 = 320;

/// What a batch is asked for.
pub(crate) struct Job<'a> {
    /// Files, folders and patterns.
    pub(crate) words: &'a [PathBuf],
    pub(crate) recursive: bool,
    /// The pages of each input; all if absent.
    pub(crate) pages: Option<&'a PageList>,
    pub(crate) outputs: Outputs,
    /// What is made of each page; its output's name is replaced.
    pub(crate) request: Request,
    pub(crate) settings: Settings,
    pub(crate) checks: Option<Checks>,
    pub(crate) keep_going: bool,
    pub(crate) skip_existing: bool,
}

impl Job<'_> {
    /// Whether all outputs are of one input: then nothing is done if one of them cannot be.
    fn is_one_input(&self) -> bool {
        matches!(self.words, [word] if !names_several(word))
    }

    /// Plans an entry within `bytes` with at most `workers`; its smallest budget is that of the passes.
    pub(crate) fn plan(
        &self,
        found: &Found,
        entry: &Entry,
        bytes: u64,
        workers: u32,
    ) -> Result<(Input, VerifiedJob), Failure> {
        let input = Input::open(&found.path, self.settings.io)?;
        let output = self.outputs.of(found, entry);
        let mut request = Request { output, ..self.request.clone() };
        request.wanted.tile = request.wanted.tile.or(entry.tile);
        let within = Some(Within::Bytes(bytes));
        let settings = Settings { within, workers: Some(workers), ..self.settings.clone() };
        let job = VerifiedJob::plan_within(&input, entry.page, request, settings, self.checks)?;
        Ok((input, job))
    }
}

/// Finds and plans all of it. Writes nothing.
///
/// # Errors
/// [`Failure::Usage`] for inputs that are not there and names that collide or exist; where no going on was asked for,
/// whatever is wrong with one of the inputs and, if there is one input only, that a page of it does not fit.
pub(crate) fn survey(job: &Job<'_>) -> Result<BatchPlan, Failure> {
    let files = find(job.words, job.recursive, &job.outputs.folder)?;
    let mut entries = Vec::new();
    for (file, found) in (0u32..).zip(&files) {
        list_pages(job, file, found, &mut entries)?;
    }
    check_names(job, &files, &mut entries)?;
    let mut plan = BatchPlan {
        list_bytes: list_bytes(job, &files, &entries),
        budget: Budgeted::resolve(&job.settings),
        files,
        entries,
        ..BatchPlan::default()
    };
    let workers = job.settings.most_workers();
    let room = plan.budget.bytes.saturating_sub(plan.list_bytes);
    // All entries count, those that are there already, too: what is left of a batch is cut as the whole was.
    let most = workers.min(u32::try_from(plan.entries.len()).unwrap_or(u32::MAX));
    let shares: Vec<_> = (2..=most).rev().map(|number| (plan.share_of(number), workers / number)).collect();
    // The largest that fits alone is known before anything runs; the plans themselves are not kept.
    for entry in plan.entries.iter_mut().filter(|entry| matches!(entry.status, Status::Waiting)) {
        let Some(found) = plan.files.get(entry.file as usize) else { continue };
        let within = |bytes: u64| Ok(job.plan(found, entry, bytes, workers)?.1.job_plan().clone());
        let planned = job.plan(found, entry, room, workers);
        match planned.and_then(|(_, planned)| planned.with_smallest(&within)) {
            Ok(planned) => {
                entry.smallest_bytes = planned.job_plan().smallest_bytes();
                note(entry, planned.job_plan());
                decide_tile(job, found, entry, planned.tile(), &shares, (room, workers));
            }
            Err(Failure::Refused(line)) => {
                // What the planner said stands if no budget is enough.
                let (smallest, why) = price(&plan.budget, plan.list_bytes, &within).unwrap_or((0, line));
                if job.is_one_input() && !job.keep_going {
                    return Err(Failure::Refused(format!("{}: {why}", title(&found.path, entry))));
                }
                entry.smallest_bytes = smallest;
                entry.status = Status::Refused(why);
            }
            Err(error) if !job.keep_going => return Err(error),
            Err(error) => entry.status = Status::Failed(error.to_string()),
        }
    }
    plan.share_out(workers);
    // Those that run beside others are planned anew, in their share.
    if plan.in_flight > 1 {
        let within = plan.share_bytes;
        let each = (workers / plan.in_flight).max(1);
        let BatchPlan { files, entries, .. } = &mut plan;
        let waiting = entries.iter_mut().filter(|entry| matches!(entry.status, Status::Waiting));
        for entry in waiting.filter(|entry| entry.smallest_bytes <= within) {
            let Some(found) = files.get(entry.file as usize) else { continue };
            match job.plan(found, entry, within, each) {
                Ok((_, planned)) => note(entry, planned.job_plan()),
                Err(error) => entry.status = Status::Failed(error.to_string()),
            }
        }
    }
    Ok(plan)
}

/// The side of an entry's tiles: that of its plan in the share that it has when as many as possible run at once, or
/// else of its plan `alone`. `shares` are the budget and the workers of one of so many, the most first.
fn decide_tile(
    job: &Job<'_>,
    found: &Found,
    entry: &mut Entry,
    alone: Option<u32>,
    shares: &[(u64, u32)],
    (room, workers): (u64, u32),
) {
    if job.request.wanted.tile.is_some() || alone.is_none() {
        return;
    }
    let fits = shares.iter().find(|(share, _)| entry.smallest_bytes <= *share);
    let beside = fits.and_then(|(share, each)| job.plan(found, entry, *share, *each).ok());
    entry.tile = beside.map_or(alone, |(_, planned)| planned.tile());
    if entry.tile != alone
        && let Ok((_, planned)) = job.plan(found, entry, room, workers)
    {
        note(entry, planned.job_plan());
    }
}

/// What a plan says, in the list.
fn note(entry: &mut Entry, plan: &JobPlan) {
    entry.own_bytes = plan.beside_process_bytes();
    entry.heap_bytes = plan.heap_bytes();
}

/// Adds an entry for each page of an input that is meant.
fn list_pages(job: &Job<'_>, file: u32, found: &Found, entries: &mut Vec<Entry>) -> Result<(), Failure> {
    let entry = |page: PageName, several: bool, status: Status| Entry {
        file,
        page,
        several,
        tile: None,
        smallest_bytes: 0,
        own_bytes: 0,
        heap_bytes: 0,
        status,
    };
    let first_of_file = entries.len();
    let failed = |page: u32, error: Failure| match job.keep_going {
        false => Err(error),
        true => Ok(entry(PageName::from(page), page > 1, Status::Failed(error.to_string()))),
    };
    let input = match Input::open(&found.path, job.settings.io) {
        Ok(input) => input,
        Err(error) => {
            entries.push(failed(1, error)?);
            return Ok(());
        }
    };
    if let Some(pages) = job.pages {
        let several = pages.names().nth(1).is_some();
        // A page that is not there is found when it is planned.
        entries.extend(pages.names().map(|page| entry(page, several, Status::Waiting)));
        return Ok(());
    }
    for number in 1u32.. {
        let page = match number {
            // A file that is cut off before it has room for one has none: that is said of it.
            1 => input.page(number).map(Some),
            _ if u64::from(number) > input.most_pages() => break,
            _ => input.find_page(number),
        };
        match page {
            Ok(Some(_)) => entries.push(entry(PageName::from(number), number > 1, Status::Waiting)),
            Ok(None) => break,
            Err(error) => {
                entries.push(failed(number, error)?);
                // The way to the pages behind it is in its header.
                break;
            }
        }
    }
    let own = entries.get_mut(first_of_file..).unwrap_or_default();
    if let [first, _, ..] = own {
        first.several = true;
    }
    Ok(())
}

/// Outputs have names of their own, replace no input, and nothing else unless that was asked for.
fn check_names(job: &Job<'_>, files: &[Found], entries: &mut [Entry]) -> Result<(), Failure> {
    let identity = |path: &Path| path.metadata().ok().map(|facts| (facts.dev(), facts.ino()));
    let mut inputs: Vec<(u64, u64)> = files.iter().filter_map(|found| identity(&found.path)).collect();
    inputs.sort_unstable();
    let mut outputs: Vec<(PathBuf, u32)> = Vec::with_capacity(entries.len());
    let mut existing = 0u64;
    let mut one_existing = None;
    for (index, entry) in (0u32..).zip(entries.iter_mut()) {
        let Some(found) = files.get(entry.file as usize) else { continue };
        let output = job.outputs.of(found, entry);
        let is_input = |it: (u64, u64)| inputs.binary_search(&it).is_ok();
        let there = identity(&output);
        if there.is_some_and(is_input) {
            let line = format!("{}: the output would replace an input", output.display());
            return Err(Failure::Usage(line));
        }
        if there.is_some() && matches!(entry.status, Status::Waiting) {
            if job.skip_existing {
                entry.status = Status::Skipped;
            } else if !job.settings.overwrite {
                existing += 1;
                one_existing.get_or_insert_with(|| output.clone());
            }
        }
        outputs.push((output, index));
    }
    outputs.sort();
    for pair in outputs.windows(2) {
        if let [(one, a), (other, b)] = pair
            && one == other
        {
            let name = |index: &u32| {
                let entry = entries.get(*index as usize)?;
                Some(title(&files.get(entry.file as usize)?.path, entry))
            };
            let (a, b) = (name(a).unwrap_or_default(), name(b).unwrap_or_default());
            return Err(Failure::Usage(format!(
                "{a} and {b} would both become {}: --template makes names that differ",
                one.display()
            )));
        }
    }
    match one_existing {
        Some(output) => Err(Failure::Usage(format!(
            "{}: exists already, as {existing} of {} outputs do: --skip-existing leaves them, --overwrite replaces them",
            output.display(),
            entries.len()
        ))),
        None => Ok(()),
    }
}

/// The most heap that the list takes, with what is held beside it while it is made.
fn list_bytes(job: &Job<'_>, files: &[Found], entries: &[Entry]) -> u64 {
    let len = |path: &Path| path.as_os_str().len() as u64;
    let of_file =
        |found: &Found| size_of::<Found>() as u64 + 2 * (len(&found.path) + len(&found.folder)) + 64;
    // A list that grows is held twice, and names are held in order once.
    let of_entry = 2 * size_of::<Entry>() + size_of::<Outcome>() + size_of::<(PathBuf, u32)>();
    let name = len(&job.outputs.folder) + files.iter().map(|found| len(&found.path)).max().unwrap_or(0) + 64;
    let each = of_entry as u64 + TEXT_BYTES + 2 * name;
    files.iter().map(of_file).sum::<u64>() + each * entries.len() as u64 + DECISIONS_BYTES
}

/// What the process itself takes while `in_flight` files run: code that planning touches is let go before a file runs,
/// but not while another one does.
pub(super) fn process_bytes(in_flight: u32) -> u64 {
    if in_flight > 1 { START_BYTES } else { PROCESS_BYTES }
}
