//! An output is read back before it gets its name, and held against the rows that it was made of: strip by strip, in a
//! second pass whose memory is part of the plan.
//!
//! What a format stores without loss must come back bit for bit. What it stores with loss is measured (mean squared
//! error, PSNR, and SSIM where that is asked for), and held against the least that is good enough.
//!
//! The second pass is planned before there is a file to read back: as if reading took what writing took. Readers take
//! less than writers of the same format; the pass that runs is planned anew with the file at hand, within the first
//! plan, and a file that cannot be read back within it never appears.

use super::budget::Budgeted;
use super::compare::Pair;
use super::control::Control;
use super::convert::{ConvertJob, Converted, Request};
use super::pages::{Input, PageName};
use super::pass::Pass;
use super::plan::{JobPlan, PassPlan, PassRequest, plan_pass, refuse};
use super::prefix::PrefixedPage;
use super::settings::{Io, Settings};
use crate::failure::Failure;
use crate::stages::Stages;
use plimsoll_core::budget::Budget;
use plimsoll_core::measure::{Range, SsimWindow};
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Chain, Need, Sink, Stage};
use plimsoll_core::shape::{Region, Shape};
use plimsoll_core::strip::Strip;
use plimsoll_formats::{Facts, FormatError, GroupPage, Page, RowSource, Target, TileGrid};
use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

/// What the second pass is for, in plans.
const PURPOSE: &str = "read the output back";

/// Rows that steps before the comparison take at once: the first of these with which it fits.
const STRIP_ROWS: [u32; 3] = [32, 8, 1];

/// Beside what writing takes: buffers that readers have and writers have not.
const READER_BYTES: u64 = 64 << 10;

/// What a reader remembers of a tile's place.
const TILE_PLACE_BYTES: u64 = 64;

/// How good an output must be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Checks {
    /// The least peak signal-to-noise ratio in decibels, over all bands.
    pub min_psnr: Option<f64>,
    /// The least mean structural similarity, over all bands (uniform windows of 8 x 8).
    pub min_ssim: Option<f64>,
    /// What becomes of an output that is not good enough.
    pub on_miss: OnMiss,
}

/// What becomes of an output that is not good enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnMiss {
    /// It is written once more, without loss.
    Lossless,
    /// It never appears.
    #[default]
    Fail,
    /// It is kept, and the receipt says so.
    Keep,
}

/// What was found when an output was read back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checked {
    /// Whether every sample came back bit for bit; of lossy outputs, whether every sample has the same value.
    pub identical: bool,
    /// Mean squared error over all bands.
    pub mse: f64,
    /// Peak signal-to-noise ratio over all bands, in decibels: infinite if nothing differs.
    pub psnr: f64,
    /// Mean structural similarity over all bands, if it was asked for.
    pub ssim: Option<f64>,
    /// The largest difference of two samples.
    pub max_difference: f64,
    /// Whether it is less than was asked for, and kept all the same.
    pub missed: bool,
    /// PSNR and SSIM of the lossy output that was written once more without loss, as they were not enough.
    pub before: Option<(f64, Option<f64>)>,
}

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
        let job = ConvertJob::plan_request(input, page, request.clone(), settings.clone())?;
        let mut plan = job.job_plan().clone();
        let Some(checks) = checks else {
            return Ok(Self { job, check: None, again: None, settings, plan });
        };
        let target = job.target(0)?;
        let lossless = target.lossless();
        let expected = Expected::new(job.output_shape(), &*target);
        let pass =
            plan_check(&job, Arc::new(expected), (lossless, checks), &[], &plan.budget, &settings)?.pass;
        plan.passes.push(pass.clone());
        let misses = checks.min_psnr.is_some() || checks.min_ssim.is_some();
        let again = if !lossless && misses && checks.on_miss == OnMiss::Lossless {
            let mut request = request;
            request.wanted.lossless = true;
            let again = Self::plan(input, page, request, settings.clone(), Some(checks))?;
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
            Err(Failure::Quality(format!("{}: {why}", self.job.request().output.display())))
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
        let budget = Budgeted { bytes: check.pass.plan.peak_bytes, reason: "the plan".to_owned() };
        let what = (check.lossless, check.checks);
        let mut settings = self.settings.clone();
        // The plan's peak may be that of the process's start, when there was little heap yet: its heap counts as well.
        let ready = loop {
            let ready = plan_check(&self.job, Arc::clone(&page), what, ranges, &budget, &settings)?;
            if ready.pass.heap_bytes() <= self.plan.heap_bytes() {
                break ready;
            }
            match (ready.pass.plan.workers, ready.pass.plan.strip_rows) {
                (1, 1) => break ready,
                (1, rows) => settings.strip_rows = Some(rows / 2),
                (workers, _) => settings.workers = Some(workers - 1),
            }
        };
        // Whoever reads this pair's rows reads the input and the output: an error of either is the output's, as the
        // input was read through just now.
        let found = ready.run(&self.job, page, ranges, what, (&self.plan, control));
        found.map_err(|error| match error {
            Failure::Input(line) => bad(format!("cannot be read back: {line}")),
            other => other,
        })
    }
}

impl Checks {
    /// Why an output is not good enough, if it is not.
    fn missed(&self, found: &Checked) -> Option<String> {
        let psnr = self.min_psnr.filter(|least| found.psnr.is_nan() || found.psnr < *least);
        let ssim = self.min_ssim.zip(found.ssim).filter(|(least, ssim)| ssim.is_nan() || ssim < least);
        match (psnr, ssim) {
            (Some(least), _) => Some(format!("its PSNR is {:.3} dB, {least} dB is the least", found.psnr)),
            (None, Some((least, ssim))) => Some(format!("its SSIM is {ssim:.6}, {least} is the least")),
            (None, None) => None,
        }
    }
}

/// A pass that reads back, planned.
struct Ready {
    pass: PassPlan,
    /// Rows that the steps take at once.
    step_rows: u32,
}

/// Plans the pass over what `job` made its output of and over `written`.
fn plan_check(
    job: &ConvertJob,
    written: Arc<dyn Page>,
    (lossless, checks): (bool, Checks),
    ranges: &[Range],
    budget: &Budgeted,
    settings: &Settings,
) -> Result<Ready, Failure> {
    let steps = &job.request().steps;
    let stages = Stages::build(steps, job.page().facts().shape, ranges)?;
    let refs = stages.refs();
    let mut settings = settings.clone();
    if !refs.is_empty() {
        // Steps that look at neighbours would read the rows at each seam twice.
        settings.workers = Some(1);
    }
    let plan = |step_rows: u32| {
        let pair = pair(job, &refs, step_rows, Arc::clone(&written))?;
        if !lossless {
            return Pair { page: &pair, ssim: window(checks) }.plan(PURPOSE, 1, budget, &settings);
        }
        let request = PassRequest {
            purpose: PURPOSE,
            stages: &[],
            page: &pair,
            files: 1,
            sink_needs: &|_| Vec::<Need>::new(),
            ordered: false,
        };
        plan_pass(&request, budget.bytes, &settings)?.map_err(|refusal| refuse(&refusal, budget))
    };
    let tries = if refs.is_empty() { &[1][..] } else { &STRIP_ROWS[..] };
    let smallest = plan(1)?;
    for step_rows in tries {
        if let Ok(mut pass) = plan(*step_rows) {
            pass.plan.smallest_bytes = smallest.plan.smallest_bytes;
            return Ok(Ready { pass, step_rows: *step_rows });
        }
    }
    Ok(Ready { pass: smallest, step_rows: 1 })
}

impl Ready {
    fn run(
        &self,
        job: &ConvertJob,
        written: Arc<dyn Page>,
        ranges: &[Range],
        (lossless, checks): (bool, Checks),
        (plan, control): (&JobPlan, &Control),
    ) -> Result<Checked, Failure> {
        let stages = Stages::build(&job.request().steps, job.page().facts().shape, ranges)?;
        let refs = stages.refs();
        let pair = pair(job, &refs, self.step_rows, written)?;
        if !lossless {
            let window = window(checks);
            let found =
                Pair { page: &pair, ssim: window }.run(&self.pass, plan, job.input_path(), control)?;
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
        let sinks = pass.run(arena.as_mut(), &|_, _, _| Ok(Identical::default()))?;
        let differing: u64 = sinks.iter().map(|sink| sink.differing).sum();
        // The bands are in order, and so is what they found.
        if let Some([row, col, band]) = sinks.iter().find_map(|sink| sink.first) {
            return Err(Failure::Quality(format!(
                "{}: what was written is not what was computed: {differing} samples differ, the first in row {row}, \
                 column {col}, band {band}",
                output.display()
            )));
        }
        let ssim = checks.min_ssim.map(|_| 1.0);
        Ok(Checked {
            identical: true,
            mse: 0.0,
            psnr: f64::INFINITY,
            ssim,
            max_difference: 0.0,
            missed: false,
            before: None,
        })
    }
}

/// The window of SSIM, where it is asked for.
fn window(checks: Checks) -> Option<SsimWindow> {
    checks.min_ssim.map(|_| SsimWindow::Uniform8)
}

/// The input behind the steps, and the output, as one page.
fn pair<'a>(
    job: &'a ConvertJob,
    refs: &'a [&'a dyn Stage],
    step_rows: u32,
    written: Arc<dyn Page>,
) -> Result<GroupPage<'a>, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let source: Arc<dyn Page + 'a> = match refs {
        [] => Arc::clone(job.page()) as Arc<dyn Page + 'a>,
        refs => {
            let page = PrefixedPage::new(&**job.page(), refs, step_rows).map_err(|error| usage(&error))?;
            Arc::new(page)
        }
    };
    GroupPage::new(vec![source, written as Arc<dyn Page + 'a>]).map_err(|error| usage(&error))
}

/// The page of an output that is not written yet: what reading it will take at most.
struct Expected {
    facts: Facts,
    needs: Vec<Need>,
}

impl Expected {
    fn new(shape: Shape, target: &dyn Target) -> Self {
        let writing = target.needs();
        let sum = |place: Place| {
            let of_place = writing.iter().filter(move |need| need.place == place);
            let bytes = of_place.clone().map(|need| need.one(0)).fold(0, u64::saturating_add);
            let per_strip_row = of_place.map(|need| need.per_strip_row).fold(0, u64::saturating_add);
            Need { consumer: "reader of the output", bytes, per_strip_row, each: Each::Worker, place }
        };
        let more = READER_BYTES.saturating_add(shape.row_bytes());
        // Tiles that a codec holds whole are written one after the other, and read a row of them at a time: one decoded
        // tile, the rows that it is part of, and the list of all of them.
        let tiles = target.tile_order().map_or([0; 2], |side| {
            let tile = u64::from(side.min(shape.rows)) * u64::from(side.min(shape.cols));
            let tile = tile.saturating_mul(shape.pixel_bytes() as u64);
            let band = u64::from(side.min(shape.rows)).saturating_mul(shape.row_bytes());
            [tile.saturating_add(band), TileGrid { shape, side }.tiles().saturating_mul(TILE_PLACE_BYTES)]
        });
        let needs = [(Place::Arena, tiles[0]), (Place::Heap, tiles[1])].map(|(place, tiles)| {
            let need = sum(place);
            Need { bytes: need.bytes.saturating_add(more).saturating_add(tiles), ..need }
        });
        let facts =
            Facts { shape, compression: "several", colour: "several", unit_rows: 1, more: Vec::new() };
        Self { facts, needs: needs.to_vec() }
    }
}

impl Page for Expected {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn needs(&self, _region: Region) -> Vec<Need> {
        self.needs.clone()
    }

    fn source<'a>(&'a self, _region: Region, _budget: &mut Budget<'a>) -> Result<RowSource<'a>, FormatError> {
        Err(FormatError::Usage { format: "output", problem: "it is not written yet".to_owned() })
    }
}

/// Compares the first half of the bands with the second, bit for bit.
#[derive(Default)]
struct Identical {
    differing: u64,
    /// Row, column and band of the first sample that differs.
    first: Option<[u64; 3]>,
}

impl Sink for Identical {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        let image = strip.image();
        let (sample, pixel) = (image.kind.bytes(), image.pixel_bytes());
        for row in strip.rows().iter() {
            for (pixel, col) in strip.row_bytes(row).chunks_exact(pixel.max(1)).zip(0u64..) {
                let Some((a, b)) = pixel.split_at_checked(pixel.len() / 2).filter(|(a, b)| a != b) else {
                    continue;
                };
                let samples = a.chunks_exact(sample.max(1)).zip(b.chunks_exact(sample.max(1)));
                for (band, _) in (0u64..).zip(samples).filter(|(_, (a, b))| a != b) {
                    self.differing += 1;
                    self.first.get_or_insert([u64::from(row), col, band]);
                }
            }
        }
        Ok(())
    }
}
