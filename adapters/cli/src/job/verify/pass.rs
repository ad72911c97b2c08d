//! The pass that reads back.

use super::checks::{Checked, Checks};
use super::identical::Identical;
use crate::failure::Failure;
use crate::job::budget::Budgeted;
use crate::job::compare::Pair;
use crate::job::control::Control;
use crate::job::convert::ConvertJob;
use crate::job::pass::Pass;
use crate::job::placed::Placed;
use crate::job::plan::{JobPlan, PassPlan, PassRequest, plan_pass, refuse};
use crate::job::prefix::{Prefix, PrefixedPage};
use crate::job::settings::Settings;
use crate::stages::Stages;
use plimsoll_core::measure::{Range, SsimWindow};
use plimsoll_core::pipeline::{Chain, Need, Stage};
use plimsoll_core::shape::Shape;
use plimsoll_formats::{GroupPage, Page, TileGrid};
use std::sync::Arc;

/// What the pass is for, in plans.
const PURPOSE: &str = "read the output back";

/// Rows that steps before the comparison take at once: the first of these with which it fits.
const STRIP_ROWS: [u32; 3] = [32, 8, 1];

/// What is read back, and how.
pub(super) struct Reading<'a> {
    job: &'a ConvertJob,
    pub(super) lossless: bool,
    checks: Checks,
    /// The tiles, if rows come in their order.
    pub(super) grid: Option<TileGrid>,
}

/// Such a pass, planned.
pub(super) struct Ready {
    pub(super) pass: PassPlan,
    /// Rows that the steps take at once.
    step_rows: u32,
}

impl<'a> Reading<'a> {
    pub(super) fn new(job: &'a ConvertJob, lossless: bool, checks: Checks) -> Self {
        let wanted = &job.request().wanted;
        let in_order = wanted.tile_order && (lossless || checks.min_ssim.is_none());
        let grid = wanted.tile.filter(|_| in_order).map(|side| TileGrid { shape: job.output_shape(), side });
        Self { job, lossless, checks, grid }
    }

    /// Shape of what is read.
    pub(super) fn shape(&self) -> Shape {
        self.grid.and_then(|grid| grid.order_shape()).unwrap_or(self.job.output_shape())
    }

    /// The window of SSIM, where it is asked for.
    fn window(&self) -> Option<SsimWindow> {
        self.checks.min_ssim.map(|_| SsimWindow::Gaussian11)
    }

    /// Plans the pass over what the job made its output of and over `written`, within a budget and so many bytes of
    /// heap. What needs more heap even with the fewest rows gets that.
    pub(super) fn plan(
        &self,
        written: Arc<dyn Page>,
        ranges: &[Range],
        (budget, most_heap_bytes): (&Budgeted, u64),
        settings: &Settings,
    ) -> Result<Ready, Failure> {
        let stages = Stages::build(&self.job.request().steps, self.job.page().facts().shape, ranges)?;
        let refs = stages.refs();
        let mut settings = settings.clone();
        if !refs.is_empty() {
            // Steps that look at neighbours would read the rows at each seam twice.
            settings.workers = Some(1);
        }
        let plan = |step_rows: u32, settings: &Settings| {
            let pair = self.pair(&refs, step_rows, Arc::clone(&written))?;
            if !self.lossless {
                let pair = Pair { page: &pair, ssim: self.window(), grid: self.grid };
                return pair.plan(PURPOSE, 1, budget, settings);
            }
            let request = PassRequest {
                purpose: PURPOSE,
                stages: &[],
                page: &pair,
                files: 1,
                sink_needs: &|_| Vec::<Need>::new(),
                ordered: false,
            };
            plan_pass(&request, budget.bytes, settings)?.map_err(|refusal| refuse(&refusal, budget))
        };
        let tries = if refs.is_empty() { &[1][..] } else { &STRIP_ROWS[..] };
        let mut least = plan(1, &settings)?;
        let smallest_bytes = least.plan.smallest_bytes;
        for step_rows in tries {
            let mut settings = settings.clone();
            while let Ok(mut pass) = plan(*step_rows, &settings) {
                pass.plan.smallest_bytes = smallest_bytes;
                if pass.heap_bytes() <= most_heap_bytes {
                    return Ok(Ready { pass, step_rows: *step_rows });
                }
                let (workers, rows) = (pass.plan.workers, pass.plan.strip_rows);
                least = pass;
                match (workers, rows) {
                    (1, 1) => break,
                    (1, rows) => settings.strip_rows = Some(rows / 2),
                    (workers, _) => settings.workers = Some(workers - 1),
                }
            }
        }
        Ok(Ready { pass: least, step_rows: 1 })
    }

    /// The input behind the steps, and the output, as one page.
    fn pair<'p>(
        &'p self,
        refs: &'p [&'p dyn Stage],
        step_rows: u32,
        written: Arc<dyn Page>,
    ) -> Result<GroupPage<'p>, Failure> {
        let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
        let source: Arc<dyn Page + 'p> = match (self.grid, refs) {
            (Some(_), _) => Arc::clone(self.job.written_page()) as Arc<dyn Page + 'p>,
            (None, []) => Arc::clone(self.job.page()) as Arc<dyn Page + 'p>,
            (None, refs) => {
                let prefix = Prefix { stages: refs.len(), strip_rows: step_rows, by_columns: false };
                let page = PrefixedPage::new(&**self.job.page(), refs, prefix);
                Arc::new(page.map_err(|error| usage(&error))?)
            }
        };
        GroupPage::new(vec![source, written as Arc<dyn Page + 'p>]).map_err(|error| usage(&error))
    }
}

impl Ready {
    pub(super) fn run(
        &self,
        reading: &Reading<'_>,
        written: Arc<dyn Page>,
        ranges: &[Range],
        (plan, control): (&JobPlan, &Control),
    ) -> Result<Checked, Failure> {
        let job = reading.job;
        let stages = Stages::build(&job.request().steps, job.page().facts().shape, ranges)?;
        let refs = stages.refs();
        let pair = reading.pair(&refs, self.step_rows, written)?;
        if !reading.lossless {
            let pair = Pair { page: &pair, ssim: reading.window(), grid: reading.grid };
            let found = pair.run(&self.pass, plan, job.input_path(), control)?;
            return Ok(Checked {
                identical: found.overall.differing == 0,
                mse: found.overall.mse,
                psnr: found.overall.psnr,
                ssim: found.ssim.map(|(overall, _)| overall),
                max_difference: found.overall.max,
                missed: false,
                before: None,
            });
        }
        let chain = Chain::new(&[], pair.facts().shape).map_err(|error| Failure::Usage(error.to_string()))?;
        let pass = Pass::new(&chain, &self.pass, &pair, (1, 1), plan, control);
        let output = &job.request().output;
        let pass = pass.between(job.input_path(), output);
        let mut arena = self.pass.arena()?;
        let sinks =
            pass.run(arena.as_mut(), &|_, _, _| Ok(Placed::new(Identical::default(), reading.grid)))?;
        let found: Vec<Identical> = sinks.into_iter().map(Placed::into_inner).collect();
        let differing: u64 = found.iter().map(|found| found.differing).sum();
        if let Some([row, col, band]) = found.iter().filter_map(|found| found.first).min() {
            return Err(Failure::Quality(format!(
                "{}: what was written is not what was computed: {differing} samples differ, the first in row {row}, \
                 column {col}, band {band}",
                output.display()
            )));
        }
        Ok(Checked {
            identical: true,
            mse: 0.0,
            psnr: f64::INFINITY,
            ssim: reading.checks.min_ssim.map(|_| 1.0),
            max_difference: 0.0,
            missed: false,
            before: None,
        })
    }
}
