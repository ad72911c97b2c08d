//! How far two pages differ, in one pass over both.

use super::budget::Budgeted;
use super::control::Control;
use super::measuring::{Measuring, explain};
use super::pages::{Input, PageName};
use super::pass::Pass;
use super::placed::Placed;
use super::plan::{JobPlan, PassPlan, PassRequest, plan_pass, refuse};
use super::settings::Settings;
use crate::failure::Failure;
use plimsoll_core::measure::{Difference, Distance, SsimWindow, Statistics};
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Chain, Need, Stage};
use plimsoll_core::shape::SampleKind;
use plimsoll_core::transform::Host;
use plimsoll_formats::{GroupPage, Page, TileGrid};
use plimsoll_os::cpu::Dispatched;
use std::path::{Path, PathBuf};

/// A comparison, planned and ready to run.
pub struct CompareJob {
    pair: GroupPage<'static>,
    path: PathBuf,
    ssim: Option<SsimWindow>,
    plan: JobPlan,
}

/// How far two pictures differ.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Over all bands.
    pub overall: Distance,
    /// Band by band.
    pub bands: Vec<Distance>,
    /// Mean structural similarity over all bands and windows, and band by band, if it was asked for.
    pub ssim: Option<(f64, Vec<f64>)>,
    /// Seconds spent in each source and sink, over all workers.
    pub seconds: Vec<(String, f64)>,
}

impl CompareJob {
    /// Plans the comparison of one page of `a` with the same page of `b`.
    ///
    /// # Errors
    /// [`Failure::Usage`] if they differ in rows, columns, bands or kind, [`Failure::Refused`] if it does not fit.
    pub fn plan(
        a: &Input,
        b: &Input,
        page: impl Into<PageName>,
        ssim: Option<SsimWindow>,
        settings: &Settings,
    ) -> Result<Self, Failure> {
        let page = page.into();
        let (first, second) = (a.page(page)?, b.page(page)?);
        let (shape, other) = (first.facts().shape, second.facts().shape);
        if shape != other {
            let (a, b) = (a.path().display(), b.path().display());
            return Err(Failure::Usage(format!("{a} has {shape}, {b} has {other}: they cannot be compared")));
        }
        let pair = GroupPage::new(vec![first, second]).map_err(|error| Failure::Usage(error.to_string()))?;
        let source = pair.facts().shape;
        let (settings, budget) = settings.for_picture(source, &Budgeted::resolve(settings));
        let settings = &settings;
        let pass = Pair { page: &pair, ssim, grid: None }.plan("compare", 2, &budget, settings)?;
        let plan = JobPlan::new(budget, vec![pass], (source, 0), &settings.layers);
        Ok(Self { pair, path: a.path().to_owned(), ssim, plan })
    }

    /// The plan.
    pub fn job_plan(&self) -> &JobPlan {
        &self.plan
    }

    /// Runs it.
    ///
    /// # Errors
    /// [`Failure`] by culprit.
    pub fn run(&self, control: &Control) -> Result<Comparison, Failure> {
        let Some(planned) = self.plan.passes.first() else { return Err(Failure::Cancelled) };
        Pair { page: &self.pair, ssim: self.ssim, grid: None }.run(planned, &self.plan, &self.path, control)
    }
}

/// Two pages that are compared, as one.
pub(super) struct Pair<'a> {
    pub(super) page: &'a GroupPage<'a>,
    pub(super) ssim: Option<SsimWindow>,
    /// The tiles, if rows come in their order; not with SSIM.
    pub(super) grid: Option<TileGrid>,
}

impl Pair<'_> {
    /// Plans the pass over both, which are read from `files` files.
    pub(super) fn plan(
        &self,
        purpose: &'static str,
        files: u64,
        budget: &Budgeted,
        settings: &Settings,
    ) -> Result<PassPlan, Failure> {
        let source = self.page.facts().shape;
        let stages = stages(self.ssim, source.kind);
        let refs: Vec<&dyn Stage> = stages.iter().map(|stage| &**stage).collect();
        let chain = Chain::new(&refs, source).map_err(|error| Failure::Usage(error.to_string()))?;
        let output = chain.output_shape();
        let needs = |_| {
            let statistics = if self.ssim.is_some() { Statistics::bytes(output, false) } else { 0 };
            vec![
                Need::fixed("difference", Difference::bytes(source), Each::Worker, Place::Arena),
                Need::fixed("statistics of SSIM", statistics, Each::Worker, Place::Arena),
            ]
        };
        let page = self.page;
        let request = PassRequest { purpose, stages: &refs, page, files, sink_needs: &needs, ordered: false };
        plan_pass(&request, budget.bytes, settings)?.map_err(|refusal| refuse(&refusal, budget))
    }

    /// Runs that pass, which is part of `plan`; `path` stands in messages for both files.
    pub(super) fn run(
        &self,
        planned: &PassPlan,
        plan: &JobPlan,
        path: &Path,
        control: &Control,
    ) -> Result<Comparison, Failure> {
        let source = self.page.facts().shape;
        let stages = stages(self.ssim, source.kind);
        let refs: Vec<&dyn Stage> = stages.iter().map(|stage| &**stage).collect();
        let usage = |error: plimsoll_core::pipeline::StageError| Failure::Usage(error.to_string());
        let chain = Chain::new(&refs, source).map_err(usage)?;
        let output = chain.output_shape();
        let pass = Pass::new(&chain, planned, self.page, (1, 1), plan, control).between(path, path);
        let mut arena = planned.arena()?;
        let with_ssim = self.ssim.is_some();
        // A chain of one stage has no seams but at the source.
        debug_assert!(planned.prefix.is_none());
        // The raw rows are compared as they are read; what comes out of the chain are the rows of the SSIM map.
        let sinks = pass.run_tapped(arena.as_mut(), &|_, _, budget| {
            let difference = Difference::new(source, budget).map_err(explain)?;
            let statistics = match with_ssim {
                true => Some(Measuring::new(Statistics::new(output, false, budget)?)),
                false => None,
            };
            Ok((statistics, Placed::new(Measuring::new(difference), self.grid)))
        })?;
        let mut seconds = Vec::new();
        pass.add_seconds(&mut seconds);
        let mut sinks = sinks.into_iter();
        let (statistics, difference) = sinks.next().ok_or(Failure::Cancelled)?;
        let mut difference = difference.into_inner().into_inner();
        let mut statistics = statistics.map(Measuring::into_inner);
        for (other_statistics, other_difference) in sinks {
            difference.merge(&other_difference.into_inner().into_inner()).map_err(usage)?;
            if let (Some(all), Some(other)) = (&mut statistics, other_statistics) {
                all.merge(&other.into_inner()).map_err(usage)?;
            }
        }
        let bands = 0..output.bands;
        let ssim = statistics.map(|statistics| {
            let of_bands =
                (0..statistics.bands()).filter_map(|band| statistics.band(band)).map(|band| band.mean);
            (statistics.overall().mean, of_bands.collect())
        });
        let bands = if with_ssim { bands } else { 0..source.bands / 2 };
        Ok(Comparison {
            overall: difference.overall(),
            bands: bands.filter_map(|band| difference.band(band)).collect(),
            ssim,
            seconds,
        })
    }
}

/// The chain that makes the SSIM map of samples of `kind`, or none.
fn stages(ssim: Option<SsimWindow>, kind: SampleKind) -> Vec<Box<dyn Stage>> {
    ssim.map(|window| window.accept(kind, &mut Boxes)).into_iter().collect()
}

/// Boxes stages for the processor that this is.
struct Boxes;

impl Host for Boxes {
    type Built = Box<dyn Stage>;

    fn accept<S: Stage + 'static>(&mut self, stage: S) -> Self::Built {
        Box::new(Dispatched::new(stage))
    }
}
