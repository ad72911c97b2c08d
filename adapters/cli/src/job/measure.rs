//! Statistics of a page after a chain of steps, and the ranges that steps ask of earlier passes.

use super::budget::Budgeted;
use super::control::Control;
use super::measuring::Measuring;
use super::pages::{Input, PageName};
use super::pass::Pass;
use super::plan::{JobPlan, PassPlan, PassRequest, plan_pass, refuse};
use super::route::Route;
use super::settings::Settings;
use crate::failure::Failure;
use crate::stages::{Stages, Step};
use plimsoll_core::measure::{Range, RangeOf, Statistics, Summary};
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Chain, Need, Stage};
use plimsoll_core::shape::Shape;
use plimsoll_formats::Page;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A measurement, planned and ready to run.
pub struct MeasureJob {
    page: Arc<dyn Page>,
    path: PathBuf,
    steps: Vec<Step>,
    asked: Vec<(usize, RangeOf)>,
    histogram: bool,
    shape: Shape,
    plan: JobPlan,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Shape of what was measured.
    pub shape: Shape,
    /// Over all bands.
    pub overall: Summary,
    /// Band by band.
    pub bands: Vec<Summary>,
    /// Seconds spent in each stage, source and sink, over all workers and passes.
    pub seconds: Vec<(String, f64)>,
}

impl MeasureJob {
    /// Plans the statistics of one page of `input` after `steps`.
    ///
    /// # Errors
    /// [`Failure::Usage`] for steps that make no sense, [`Failure::Refused`] if it does not fit.
    pub fn plan(
        input: &Input,
        page: impl Into<PageName>,
        steps: Vec<Step>,
        histogram: bool,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let page = page.into();
        let plan = |settings: &Settings| Self::plan_within(input, page, steps.clone(), histogram, settings);
        plan(settings)
            .map_err(|failure| settings.explain(failure, input, page, &|settings| Ok(plan(&settings)?.plan)))
    }

    /// The same; a refusal is that of the first pass that does not fit.
    fn plan_within(
        input: &Input,
        page: PageName,
        steps: Vec<Step>,
        histogram: bool,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let page = input.page(page)?;
        let source = page.facts().shape;
        let stages = Stages::build(&steps, source, &[])?;
        let (settings, budget) = settings.for_picture(source, &Budgeted::resolve(settings));
        let settings = &settings;
        let mut passes = plan_ranges(&stages, &*page, &budget, settings)?;
        let refs = stages.refs();
        passes.push(plan_statistics("measure", &refs, &*page, histogram, &budget, settings)?);
        Ok(Self {
            path: input.path().to_owned(),
            asked: stages.asked().to_vec(),
            shape: stages.output(),
            plan: JobPlan::new(budget, passes, (source, 0), &settings.layers),
            page,
            steps,
            histogram,
        })
    }

    /// The plan.
    pub fn job_plan(&self) -> &JobPlan {
        &self.plan
    }

    /// Runs it, and shows the statistics to `read` while they stand: a histogram has too many counts to be copied.
    ///
    /// # Errors
    /// [`Failure`] by culprit, that of `read` among them.
    pub fn run(
        &self,
        control: &Control,
        read: impl FnOnce(&Measured, &Statistics<'_>) -> Result<(), Failure>,
    ) -> Result<Measured, Failure> {
        let mut seconds = Vec::new();
        let ranges = find_ranges(
            &self.steps,
            &self.asked,
            &*self.page,
            &self.path,
            &self.plan,
            control,
            &mut seconds,
        )?;
        let stages = Stages::build(&self.steps, self.page.facts().shape, &ranges)?;
        let passes = self.plan.passes.len();
        let Some(pass) = self.plan.passes.last() else { return Err(Failure::Cancelled) };
        let run = Measurement {
            stages: &stages,
            page: &*self.page,
            path: &self.path,
            pass,
            histogram: self.histogram,
        };
        let mut measured = run.run((passes, passes), &self.plan, control, &mut seconds, |statistics| {
            let measured = Measured {
                shape: self.shape,
                overall: statistics.overall(),
                bands: (0..statistics.bands()).filter_map(|band| statistics.band(band)).collect(),
                seconds: Vec::new(),
            };
            read(&measured, statistics)?;
            Ok(measured)
        })?;
        stages.add_seconds(&mut seconds);
        measured.seconds = seconds;
        Ok(measured)
    }
}

/// Plans one pass for each range that the stages ask for.
pub(crate) fn plan_ranges(
    stages: &Stages,
    page: &dyn Page,
    budget: &Budgeted,
    settings: &Settings,
) -> Result<Vec<PassPlan>, Failure> {
    let mut passes = Vec::with_capacity(stages.asked().len() + 1);
    for (at, of) in stages.asked() {
        let before = stages.refs_before(*at);
        passes.push(plan_statistics(
            "find the range",
            &before,
            page,
            of.needs_histogram(),
            budget,
            settings,
        )?);
    }
    Ok(passes)
}

/// Runs those passes.
pub(crate) fn find_ranges(
    steps: &[Step],
    asked: &[(usize, RangeOf)],
    page: &dyn Page,
    path: &Path,
    plan: &JobPlan,
    control: &Control,
    seconds: &mut Vec<(String, f64)>,
) -> Result<Vec<Range>, Failure> {
    let mut ranges = Vec::with_capacity(asked.len());
    for (number, ((at, of), pass)) in asked.iter().zip(&plan.passes).enumerate() {
        let stages = Stages::build(steps.get(..*at).unwrap_or_default(), page.facts().shape, &ranges)?;
        let run = Measurement { stages: &stages, page, path, pass, histogram: of.needs_histogram() };
        let range = run.run((number + 1, plan.passes.len()), plan, control, seconds, |statistics| {
            let line = || format!("{}: no sample is a number, so there is no range", path.display());
            statistics.range(*of).ok_or_else(|| Failure::Input(line()))
        })?;
        ranges.push(range);
        stages.add_seconds(seconds);
    }
    Ok(ranges)
}

/// Plans one pass that measures what comes out of `stages`.
fn plan_statistics(
    purpose: &'static str,
    stages: &[&dyn Stage],
    page: &dyn Page,
    histogram: bool,
    budget: &Budgeted,
    settings: &Settings,
) -> Result<PassPlan, Failure> {
    let chain = Chain::new(stages, page.facts().shape).map_err(|error| Failure::Usage(error.to_string()))?;
    let bytes = Statistics::bytes(chain.output_shape(), histogram);
    let needs = |_| vec![Need::fixed("statistics", bytes, Each::Worker, Place::Arena)];
    let request = PassRequest { purpose, stages, page, files: 1, sink_needs: &needs, ordered: false };
    plan_pass(&request, budget.bytes, settings)?.map_err(|refusal| refuse(&refusal, budget))
}

/// One pass that measures.
struct Measurement<'a> {
    stages: &'a Stages,
    page: &'a dyn Page,
    path: &'a Path,
    pass: &'a PassPlan,
    histogram: bool,
}

impl Measurement<'_> {
    /// Measures, and lets `read` take what it needs out of the statistics of all workers together.
    fn run<R>(
        &self,
        number: (usize, usize),
        plan: &JobPlan,
        control: &Control,
        seconds: &mut Vec<(String, f64)>,
        read: impl FnOnce(&Statistics<'_>) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let refs = self.stages.refs();
        let route = Route::of(self.pass, self.page, &refs)?;
        let chain = route.chain()?;
        let shape = chain.output_shape();
        let pass = Pass::new(&chain, self.pass, route.page(), number, plan, control);
        let pass = pass.between(self.path, self.path).watched(route.watch());
        let mut arena = self.pass.arena()?;
        let sinks = pass.run(arena.as_mut(), &|_, _, budget| {
            Ok(Measuring::new(Statistics::new(shape, self.histogram, budget)?))
        })?;
        pass.add_seconds(seconds);
        let mut sinks = sinks.into_iter().map(Measuring::into_inner);
        let mut all = sinks.next().ok_or(Failure::Cancelled)?;
        for other in sinks {
            all.merge(&other).map_err(|error| Failure::Usage(error.to_string()))?;
        }
        read(&all)
    }
}
