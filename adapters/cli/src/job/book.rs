//! Several pages of an input into one file: each page is a job of its own, one after the other in the same memory.
//!
//! Nothing is held for a page but while it is worked on: pages are planned twice, once to know the largest and once to
//! run, so a file of any number of pages costs what its largest page costs.

use super::budget::Budgeted;
use super::control::Control;
use super::convert::{ConvertJob, Converted, Request};
use super::hash::hex;
use super::output::{FileSize, begin, check_output, commit, format_of};
use super::pages::{Input, PageList, PageName};
use super::plan::JobPlan;
use super::settings::Settings;
use crate::failure::Failure;
use crate::size::Within;
use plimsoll_core::shape::Shape;
use plimsoll_formats::{Pyramid, Tail, Wanted};
use sha2::{Digest, Sha256};

/// A conversion of several pages into one file, planned and ready to run.
pub struct BookJob {
    pages: PageList,
    request: Request,
    settings: Settings,
    /// Whether these are all pages of the input.
    all_pages: bool,
    /// The output's, all pages together.
    size: FileSize,
    shape: Shape,
    left_out: Vec<&'static str>,
    plan: JobPlan,
}

impl BookJob {
    /// Plans the conversion of `pages` of `input`: all of them, before anything is written.
    ///
    /// # Errors
    /// As [`ConvertJob::plan_request`]; [`Failure::Usage`] if one file cannot hold them.
    pub fn plan(
        input: &Input,
        pages: PageList,
        request: Request,
        settings: Settings,
    ) -> Result<Self, Failure> {
        let first = pages.names().next().unwrap_or(PageName::from(1));
        let plan = |settings| Self::plan_within(input, pages.clone(), request.clone(), settings);
        plan(settings.clone())
            .map_err(|failure| settings.explain(failure, input, first, &|settings| Ok(plan(settings)?.plan)))
    }

    /// The same; a refusal is that of the first page and pass that does not fit.
    fn plan_within(
        input: &Input,
        pages: PageList,
        request: Request,
        settings: Settings,
    ) -> Result<Self, Failure> {
        check_output(input, &request.output, &settings)?;
        if request.wanted.pyramid == Some(Pyramid::Pages) {
            let line = "a file of several pictures holds their smaller copies as SubIFDs: --pyramid subifd";
            return Err(Failure::Usage(line.to_owned()));
        }
        let format = request.format.map_or_else(|| format_of(&request.output), Ok)?;
        if !format.is_multipage() {
            let ending = request.output.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
            return Err(Failure::Usage(format!(
                "{}: what is written as {} holds one picture a file: write {{page}} into the name, as in page-{{page}}.{ending}",
                request.output.display(),
                format.name(),
            )));
        }
        let budget = Budgeted::resolve(&settings);
        // Whatever is free later: the plan is made for what was free now.
        let settings = Settings { within: Some(Within::Bytes(budget.bytes)), ..settings };
        let mut last = 0;
        let in_order = pages.names().all(|page| {
            last += 1;
            page == PageName::from(last)
        });
        let all_pages = in_order && last < u32::MAX && input.ends_before(last + 1)?;
        let mut largest: Option<JobPlan> = None;
        let mut size = FileSize { bytes: 0, known: true };
        let (mut shape, mut left_out) = (None, Vec::new());
        for number in pages.names() {
            let job = ConvertJob::plan_page(
                input,
                number,
                request.clone(),
                settings.clone(),
                budget.clone(),
                all_pages,
            )?;
            let own = job.file_size()?;
            size = FileSize { bytes: size.bytes.saturating_add(own.bytes), known: size.known && own.known };
            shape = shape.or(Some(job.output_shape()));
            for name in job.left_out() {
                if !left_out.contains(name) {
                    left_out.push(*name);
                }
            }
            let plan = job.job_plan();
            let so_far = largest.as_ref().map_or((0, 0), |plan| (plan.pages, plan.whole_image_bytes));
            let heap = largest.as_ref().map_or(0, JobPlan::heap_bytes);
            let smallest = largest.as_ref().map_or(0, JobPlan::smallest_bytes);
            let is_larger = largest.as_ref().is_none_or(|other| other.peak_bytes() < plan.peak_bytes());
            let mut chosen = if is_larger { plan.clone() } else { largest.unwrap_or_else(|| plan.clone()) };
            chosen.pages = so_far.0 + 1;
            chosen.whole_image_bytes = so_far.1.max(plan.whole_image_bytes);
            chosen.most_heap_bytes = heap.max(plan.heap_bytes());
            chosen.smallest = Some(smallest.max(plan.smallest_bytes()));
            largest = Some(chosen);
        }
        let (Some(plan), Some(shape)) = (largest, shape) else {
            return Err(Failure::Usage("no pages are named".to_owned()));
        };
        Ok(Self { pages, request, settings, all_pages, size, shape, left_out, plan })
    }

    /// The plan: that of the page that needs the most.
    pub fn job_plan(&self) -> &JobPlan {
        &self.plan
    }

    /// What the input says beside its pixels and cannot go along, as it would be false.
    pub fn left_out(&self) -> &[&'static str] {
        &self.left_out
    }

    /// Runs it. The output appears whole, or not at all.
    ///
    /// # Errors
    /// [`Failure`] by culprit; nothing is left behind then.
    pub fn run(&self, input: &Input, control: &Control) -> Result<Converted, Failure> {
        let output = &self.request.output;
        let file = begin(output, self.size, &self.settings)?;
        let mut hasher = self.settings.hash.then(Sha256::new);
        let mut tail = Tail::default();
        let mut stored = String::new();
        let mut seconds: Vec<(String, f64)> = Vec::new();
        for (page, place) in self.pages.names().zip(1..) {
            if control.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            let own = self.plan_again(input, page, 0)?.file_size()?.bytes;
            let job = self.plan_again(input, page, self.size.bytes.saturating_sub(own))?;
            let written = job.write(&file, (place, tail), hasher, control)?;
            (tail, hasher) = (written.tail, written.hasher);
            if place == 1 {
                stored = written.stored;
            }
            for (name, spent) in written.seconds {
                match seconds.iter_mut().find(|(other, _)| *other == name) {
                    Some((_, sum)) => *sum += spent,
                    None => seconds.push((name, spent)),
                }
            }
        }
        commit(file, output, &self.settings, control)?;
        Ok(Converted {
            path: output.clone(),
            shape: self.shape,
            pages: self.plan.pages,
            stored,
            sha256_pixels: hasher.map(hex),
            bytes_hashed: 0,
            checked: None,
            seconds,
        })
    }

    /// The job of one page beside others that take `beside` bytes.
    fn plan_again(&self, input: &Input, page: PageName, beside: u64) -> Result<ConvertJob, Failure> {
        let beside = beside.saturating_add(self.request.wanted.beside);
        let wanted = Wanted { beside, ..self.request.wanted };
        let request = Request { wanted, ..self.request.clone() };
        let (settings, budget) = (self.settings.clone(), self.plan.budget.clone());
        ConvertJob::plan_page(input, page, request, settings, budget, self.all_pages)
    }
}
