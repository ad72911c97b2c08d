//! A page through a chain of steps into a new file.
//!
//! `Request -> plan -> run -> Converted`

mod plan;
mod run;

use super::budget::Budgeted;
use super::output::{FileSize, target_of};
use super::pages::PageName;
use super::plan::JobPlan;
use super::settings::Settings;
use super::verify::Checked;
use crate::failure::Failure;
use crate::stages::Step;
use plimsoll_core::measure::RangeOf;
use plimsoll_core::shape::Shape;
use plimsoll_formats::{Format, Metadata, Page, Target, Wanted};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is to be made of a page, and how it is stored.
#[derive(Clone, Debug)]
pub struct Request {
    /// What is done to it, in order.
    pub steps: Vec<Step>,
    /// The output; its ending names the format.
    pub output: PathBuf,
    /// How it is stored.
    pub wanted: Wanted,
    /// Its format, if not that of its ending.
    pub format: Option<&'static dyn Format>,
    /// Whether what the input says beside its pixels goes along.
    pub metadata: bool,
    /// Whether the orientation that the input names is undone before the first step.
    pub upright: bool,
}

/// A conversion, planned and ready to run.
pub struct ConvertJob {
    page: Arc<dyn Page>,
    /// The page that the writing pass reads: the same, or its tiles one after the other.
    written_page: Arc<dyn Page>,
    input_path: PathBuf,
    page_name: PageName,
    request: Request,
    asked: Vec<(usize, RangeOf)>,
    output_shape: Shape,
    format: &'static dyn Format,
    kept: Option<Arc<dyn Metadata>>,
    left_out: Vec<&'static str>,
    settings: Settings,
    plan: JobPlan,
}

/// What a conversion did.
#[derive(Clone, Debug)]
pub struct Converted {
    /// The output.
    pub path: PathBuf,
    /// Its shape; that of its first page if it has several.
    pub shape: Shape,
    /// Pages in it.
    pub pages: u64,
    /// How it is stored.
    pub stored: String,
    /// SHA-256 of its pixels, page after page, if it was asked for.
    pub sha256_pixels: Option<String>,
    /// Bytes of the input that were read once more for it: an output that is written tile after tile is hashed by the
    /// rows that it was made of.
    pub bytes_hashed: u64,
    /// What was found when it was read back, if that was asked for.
    pub checked: Option<Checked>,
    /// Seconds spent in each stage, source and sink, over all workers and passes.
    pub seconds: Vec<(String, f64)>,
}

impl ConvertJob {
    /// The plan.
    pub fn job_plan(&self) -> &JobPlan {
        &self.plan
    }

    /// Shape of what will be written.
    pub fn output_shape(&self) -> Shape {
        self.output_shape
    }

    /// What the input says beside its pixels and cannot go along, as it would be false.
    pub fn left_out(&self) -> &[&'static str] {
        &self.left_out
    }

    /// The output's size.
    pub(super) fn file_size(&self) -> Result<FileSize, Failure> {
        let target = self.target(0)?;
        Ok(FileSize { bytes: target.file_bytes(), known: !target.is_compressed() })
    }

    /// The same in a process whose budget is larger than what it was planned with.
    pub(super) fn within_a_larger(&mut self, budget: &Budgeted) {
        self.plan.budget = budget.clone();
    }

    /// The page that it reads.
    pub(super) fn page(&self) -> &Arc<dyn Page> {
        &self.page
    }

    /// The page whose rows are written: the same, or its tiles one after the other.
    pub(super) fn written_page(&self) -> &Arc<dyn Page> {
        &self.written_page
    }

    /// What it was asked.
    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    /// The input's path.
    pub(super) fn input_path(&self) -> &Path {
        &self.input_path
    }

    /// How the output is stored.
    pub(super) fn target(&self, compressors: u32) -> Result<Box<dyn Target>, Failure> {
        let wanted = Wanted { compressors, ..self.request.wanted };
        target_of(self.format, self.output_shape, wanted, self.kept.as_ref())
            .map_err(|error| Failure::output(&self.request.output, &error))
    }
}
