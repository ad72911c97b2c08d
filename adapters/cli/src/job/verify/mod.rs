//! An output is read back before it gets its name, and held against the rows that it was made of: strip by strip, in a
//! second pass whose memory is part of the plan.
//!
//! What a format stores without loss must come back bit for bit. What it stores with loss is measured (mean squared
//! error, PSNR, and SSIM where that is asked for), and held against the least that is good enough.
//!
//! The second pass is planned before there is a file to read back, as formats say what reading will take
//! ([`Target::reading`](plimsoll_formats::Target::reading)), or as if it took what writing took. The pass that runs is
//! planned anew with the file at hand, within the first plan, and a file that cannot be read back within it never
//! appears. An output of tiles that was written tile after tile is read so, too, but for SSIM, whose windows lie across
//! tiles: that takes a row of them.

mod checks;
mod expected;
mod identical;
mod pass;

use super::budget::Budgeted;
use super::control::Control;
use super::convert::{ConvertJob, Converted, Request};
use super::edge::smallest;
use super::pages::{Input, PageName};
use super::plan::{JobPlan, PassPlan};
use super::settings::{Io, Settings};
use crate::failure::Failure;
use expected::Expected;
use pass::Reading;
use plimsoll_core::measure::Range;
use plimsoll_core::shape::Shape;
use plimsoll_formats::in_tile_order;
use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

pub use checks::{Checked, Checks, OnMiss};

/// Sides of tiles that are tried, the best first, if the output can be written but not read back with its own.
const SMALLER_SIDES: [u32; 4] = [512, 256, 128, 64];

/// A conversion whose output is read back before it appears, if that is asked for.
pub struct VerifiedJob {
    job: ConvertJob,
    check: Option<Check>,
    /// The same without loss, for outputs that are not good enough.
    again: Option<Box<VerifiedJob>>,
    settings: Settings,
    plan: JobPlan,
}

struct Check {
    checks: Checks,
    lossless: bool,
    pass: PassPlan,
}

impl VerifiedJob {
    /// Plans the conversion of one page of `input` and, with `checks`, the pass that reads the output back. Where a
    /// lossy output may have to be written once more, that is planned, too.
    ///
    /// # Errors
    /// As [`ConvertJob::plan_request`].
    pub fn plan(
        input: &Input,
        page: impl Into<PageName>,
        request: Request,
        settings: Settings,
        checks: Option<Checks>,
    ) -> Result<Self, Failure> {
        let page = page.into();
        let plan = |settings| Self::plan_within(input, page, request.clone(), settings, checks);
        let job = plan(settings.clone()).map_err(|failure| {
            settings.explain(failure, input, page, &|settings| Ok(plan(settings)?.plan))
        })?;
        job.with_smallest(&|bytes| Ok(plan(settings.within_bytes(bytes))?.plan))
    }

    /// The same with the smallest budget that works, where that is not the one of the passes: how an output is written
    /// decides what reading it back needs, and in less memory it is written in another way.
    pub(crate) fn with_smallest(
        mut self,
        within: &dyn Fn(u64) -> Result<JobPlan, Failure>,
    ) -> Result<Self, Failure> {
        if self.check.is_some() {
            self.plan.smallest = Some(smallest(within)?);
        }
        Ok(self)
    }

    /// The same; a refusal is that of the first pass that does not fit, and the smallest budget that of the passes.
    pub(crate) fn plan_within(
        input: &Input,
        page: PageName,
        request: Request,
        settings: Settings,
        checks: Option<Checks>,
    ) -> Result<Self, Failure> {
        let chosen = Self::plan_once(input, page, request.clone(), settings.clone(), checks);
        let refused = matches!(chosen, Err(Failure::Refused(_)));
        if !refused || checks.is_none() || request.wanted.tile.is_some() {
            return chosen;
        }
        // Reading back may need more than writing did: smaller tiles help both.
        let smaller = SMALLER_SIDES.into_iter().find_map(|side| {
            let mut request = request.clone();
            request.wanted.tile = Some(side);
            Self::plan_once(input, page, request, settings.clone(), checks).ok()
        });
        smaller.map_or(chosen, Ok)
    }

    fn plan_once(
        input: &Input,
        page: PageName,
        request: Request,
        settings: Settings,
        checks: Option<Checks>,
    ) -> Result<Self, Failure> {
        let job = ConvertJob::plan_within(input, page, request.clone(), settings.clone())?;
        let mut plan = job.job_plan().clone();
        let Some(checks) = checks else {
            return Ok(Self { job, check: None, again: None, settings, plan });
        };
        let target = job.target(0)?;
        let reading = Reading::new(&job, target.lossless(), checks);
        let lossless = reading.lossless;
        let expected = Expected::new(reading.shape(), &*target, reading.grid.is_some());
        let pass = reading.plan(Arc::new(expected), &[], (&plan.budget, u64::MAX), &settings)?.pass;
        plan.passes.push(pass.clone());
        let misses = checks.min_psnr.is_some() || checks.min_ssim.is_some();
        let again = if !lossless && misses && checks.on_miss == OnMiss::Lossless {
            let mut request = request;
            request.wanted.lossless = true;
            let again = Self::plan_within(input, page, request, settings.clone(), Some(checks))?;
            plan.passes.extend(again.plan.passes.iter().cloned());
            Some(Box::new(again))
        } else {
            None
        };
        Ok(Self { job, check: Some(Check { checks, lossless, pass }), again, settings, plan })
    }

    /// The plan: the passes of the conversion, then the one that reads back, then those that write once more.
    pub fn job_plan(&self) -> &JobPlan {
        &self.plan
    }

    /// Shape of what will be written.
    pub fn output_shape(&self) -> Shape {
        self.job.output_shape()
    }

    /// Side of the output's tiles, where its format has tiles that a codec holds whole.
    pub(crate) fn tile(&self) -> Option<u32> {
        self.job.request().wanted.tile
    }

    /// What the input says beside its pixels and cannot go along, as it would be false.
    pub fn left_out(&self) -> &[&'static str] {
        self.job.left_out()
    }

    /// The same in a process whose budget is larger than what it was planned with: other work has the rest.
    pub(crate) fn within_a_larger(&mut self, budget: &Budgeted) {
        self.plan.budget = budget.clone();
        self.job.within_a_larger(budget);
        if let Some(again) = &mut self.again {
            again.within_a_larger(budget);
        }
    }

    /// Runs it. The output appears whole and good enough, or not at all.
    ///
    /// # Errors
    /// [`Failure`] by culprit, [`Failure::Quality`] for an output that was written and is not what it should be;
    /// nothing is left behind then.
    pub fn run(&self, control: &Control) -> Result<Converted, Failure> {
        let Some(check) = &self.check else { return self.job.run(control) };
        let missed = Cell::new(None);
        let done = self.job.run_checked(control, |written, ranges| {
            let found = self.check(check, written, ranges, control)?;
            let Some(why) = check.checks.missed(&found) else { return Ok(Some(found)) };
            if check.checks.on_miss == OnMiss::Keep && !check.lossless {
                tracing::warn!("{}: {why}", self.job.request().output.display());
                return Ok(Some(Checked { missed: true, ..found }));
            }
            missed.set(Some((found.psnr, found.ssim)));
            let output = self.job.request().output.display();
            let others = "--on-miss lossless writes it without loss then, --on-miss keep as it is";
            Err(Failure::Quality(format!("{output}: {why}: {others}")))
        });
        match (done, &self.again, missed.get()) {
            (Err(Failure::Quality(_)), Some(again), before @ Some(_)) => {
                let mut done = again.run(control)?;
                if let Some(checked) = &mut done.checked {
                    checked.before = before;
                }
                Ok(done)
            }
            (done, ..) => done,
        }
    }

    /// Reads back what was written under the name `path`.
    fn check(
        &self,
        check: &Check,
        path: &Path,
        ranges: &[Range],
        control: &Control,
    ) -> Result<Checked, Failure> {
        let output = &self.job.request().output;
        let bad = |why: String| Failure::Quality(format!("{}: what was written {why}", output.display()));
        // A mapping would come on top of the input's.
        let written = Input::open(path, Io::Read).map_err(|error| bad(format!("cannot be read: {error}")))?;
        let page = written.page(1).map_err(|error| bad(format!("cannot be read: {error}")))?;
        let shape = self.job.output_shape();
        if page.facts().shape != shape {
            return Err(bad(format!("has {} where {shape} was to be", page.facts().shape)));
        }
        let reading = Reading::new(&self.job, check.lossless, check.checks);
        let page = match reading.grid {
            Some(grid) => in_tile_order(&page, grid.side).ok_or_else(|| bad("has other tiles".to_owned()))?,
            None => page,
        };
        let budget = Budgeted { bytes: check.pass.plan.peak_bytes, reason: "the plan".to_owned() };
        // The plan's peak may be that of the process's start, when there was little heap yet: its heap counts as well.
        let within = (&budget, self.plan.heap_bytes());
        let ready = reading.plan(Arc::clone(&page), ranges, within, &self.settings)?;
        // Whoever reads this pair's rows reads the input and the output: an error of either is the output's, as the
        // input was read through just now.
        let found = ready.run(&reading, page, ranges, (&self.plan, control));
        found.map_err(|error| match error {
            Failure::Input(line) => bad(format!("cannot be read back: {line}")),
            other => other,
        })
    }
}
