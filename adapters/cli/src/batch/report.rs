//! What became of each file of a batch, as JSON and as a page for a browser. Both are written an entry at a time.

use super::entry::{Entry, Status, title};
use super::flights::Flown;
use super::html;
use super::plan::BatchPlan;
use super::survey::Job;
use crate::failure::Failure;
use crate::job::Decision;
use crate::number;
use crate::report::{Actual, decision_json, path_text};
use crate::side::Side;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What a report is about.
pub(crate) struct About<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) plan: &'a BatchPlan,
    pub(super) actual: &'a Actual,
    pub(super) flown: &'a Flown,
}

impl About<'_> {
    /// How the pace of an entry's job was changed.
    pub(super) fn decisions_of(&self, number: usize) -> impl Iterator<Item = &Decision> {
        self.flown.decisions.iter().filter(move |(entry, _)| *entry == number).map(|(_, decision)| decision)
    }
}

/// Sums over all entries.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) done: usize,
    pub(super) skipped: usize,
    pub(super) refused: usize,
    pub(super) failed: usize,
    pub(super) not_begun: usize,
    pub(super) bytes_read: u64,
    pub(super) bytes_written: u64,
    pub(super) pixels: u64,
}

impl Totals {
    pub(super) fn of(plan: &BatchPlan) -> Self {
        let mut totals = Self::default();
        for entry in &plan.entries {
            match &entry.status {
                Status::Waiting => totals.not_begun += 1,
                Status::Skipped => totals.skipped += 1,
                Status::Refused(_) => totals.refused += 1,
                Status::Failed(_) => totals.failed += 1,
                Status::Done(outcome) => {
                    totals.done += 1;
                    totals.bytes_read += outcome.bytes_read;
                    totals.bytes_written += outcome.bytes_written;
                    totals.pixels += u64::from(outcome.rows) * u64::from(outcome.cols);
                }
            }
        }
        totals
    }
}

/// The reports that were asked for, and the receipt, which is the JSON.
pub(crate) struct Reports(Vec<(Form, Side)>);

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Page,
}

impl Reports {
    /// Makes room for reports in the forms that their names' endings say, and for the receipt.
    ///
    /// # Errors
    /// [`Failure::Usage`] for another ending, [`Failure::Io`] if one cannot be written.
    pub(crate) fn create(paths: &[PathBuf], receipt: Option<Side>) -> Result<Self, Failure> {
        let mut sides = Vec::with_capacity(paths.len() + 1);
        for path in paths {
            sides.push((form(path)?, Side::create("the report", path)?));
        }
        sides.extend(receipt.map(|receipt| (Form::Json, receipt)));
        Ok(Self(sides))
    }

    /// Writes them.
    ///
    /// # Errors
    /// [`Failure::Io`] if one cannot be written.
    pub(crate) fn write(
        self,
        (job, plan): (&Job<'_>, &BatchPlan),
        (actual, flown): (&Actual, &Flown),
    ) -> Result<(), Failure> {
        let about = About { job, plan, actual, flown };
        self.0.into_iter().try_for_each(|(form, side)| {
            side.write(true, |mut to| match form {
                Form::Json => write_json(&mut to, &about),
                Form::Page => html::write(&mut to, &about),
            })
        })
    }
}

fn form(path: &Path) -> Result<Form, Failure> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "json" => Ok(Form::Json),
        "html" | "htm" => Ok(Form::Page),
        _ => Err(Failure::Usage(format!("--report {}: its name ends in .json or .html", path.display()))),
    }
}

fn write_json(file: &mut impl Write, about: &About<'_>) -> io::Result<()> {
    let totals = Totals::of(about.plan);
    let actual = about.actual;
    writeln!(file, "{{")?;
    writeln!(file, "\"plimsoll\": {},", json!(env!("CARGO_PKG_VERSION")))?;
    writeln!(file, "\"command\": \"convert\",")?;
    writeln!(file, "\"plan\": {},", about.plan.to_json())?;
    let totals = json!({
        "done": totals.done,
        "skipped": totals.skipped,
        "refused": totals.refused,
        "failed": totals.failed,
        "not_begun": totals.not_begun,
        "bytes_read": totals.bytes_read,
        "bytes_written": totals.bytes_written,
        "pixels": totals.pixels,
        "seconds": actual.seconds,
    });
    writeln!(file, "\"totals\": {totals},")?;
    let actual = json!({
        "peak_resident_bytes": actual.peak_resident_bytes,
        "peak_heap_bytes": actual.peak_heap_bytes,
        "adaptations": actual.adaptations,
        "retries": plimsoll_os::retry::count(),
        "instructions": plimsoll_os::cpu::level(),
    });
    writeln!(file, "\"actual\": {actual},")?;
    writeln!(file, "\"files\": [")?;
    for (number, entry) in about.plan.entries.iter().enumerate() {
        let comma = if number + 1 < about.plan.entries.len() { "," } else { "" };
        writeln!(file, "{}{comma}", entry_json(about, number, entry))?;
    }
    writeln!(file, "]\n}}")
}

/// What was found when an output was read back.
pub(crate) fn checked_json(checked: &crate::job::Checked) -> Value {
    json!({
        "identical": checked.identical,
        "mse": number::json(checked.mse),
        "psnr": number::json(checked.psnr),
        "ssim": checked.ssim.map(number::json),
        "max_difference": number::json(checked.max_difference),
        "missed": checked.missed,
        "written_again": checked.before.is_some(),
        "psnr_before": checked.before.map(|(psnr, _)| number::json(psnr)),
        "ssim_before": checked.before.and_then(|(_, ssim)| ssim).map(number::json),
    })
}

fn entry_json(about: &About<'_>, number: usize, entry: &Entry) -> Value {
    let Some(found) = about.plan.files.get(entry.file as usize) else { return Value::Null };
    let decisions: Vec<Value> = about.decisions_of(number).map(decision_json).collect();
    let mut value = json!({
        "input": path_text(&found.path),
        "page": entry.page.to_string(),
        "output": path_text(&about.job.outputs.of(found, entry)),
        "status": entry.status.name(),
        "why": entry.status.why(),
        "smallest_bytes": entry.smallest_bytes,
        "decisions": decisions,
    });
    if let (Status::Done(outcome), Some(fields)) = (&entry.status, value.as_object_mut()) {
        let mut add = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        add("rows", json!(outcome.rows));
        add("cols", json!(outcome.cols));
        add("bytes_read", json!(outcome.bytes_read));
        add("bytes_written", json!(outcome.bytes_written));
        add("own_bytes", json!(outcome.own_bytes));
        add("workers", json!(outcome.workers));
        add("strip_rows", json!(outcome.strip_rows));
        add("seconds", json!(outcome.seconds));
        add("stored", json!(outcome.stored));
        add("sha256_pixels", json!(outcome.sha256_pixels));
        add("quality", outcome.checked.as_ref().map_or(Value::Null, checked_json));
    }
    value
}

/// An entry's name in a table.
pub(super) fn name(about: &About<'_>, entry: &Entry) -> String {
    about.plan.files.get(entry.file as usize).map_or(String::new(), |found| title(&found.path, entry))
}
