//! Plans a conversion: the passes that find ranges, and the one that writes.

use super::{ConvertJob, Request};
use crate::failure::Failure;
use crate::job::budget::Budgeted;
use crate::job::kept::{Circumstances, Kept};
use crate::job::mapping::Effect;
use crate::job::measure::plan_ranges;
use crate::job::output::{check_output, format_of, target_of};
use crate::job::pages::{Input, PageName};
use crate::job::plan::{JobPlan, PassRequest, plan_pass, refuse};
use crate::job::settings::Settings;
use crate::job::smaller::{purpose, smaller_version};
use crate::job::tiles::{Tiled, Tiling};
use crate::stages::{Stages, Step};
use plimsoll_core::pipeline::{Chain, Stage};
use plimsoll_core::shape::Shape;
use plimsoll_formats::{FormatError, Metadata, Page, UprightPage, Wanted};
use std::path::Path;
use std::sync::Arc;

/// The most bytes of a picture that are held to set it upright, where fewer would do.
const MOST_BAND_BYTES: u64 = 16 << 20;

impl ConvertJob {
    /// Plans the conversion of one page of `input` into the file `output`.
    ///
    /// # Errors
    /// [`Failure::Usage`] for steps or outputs that make no sense, [`Failure::Refused`] if it does not fit.
    pub fn plan(
        input: &Input,
        page: impl Into<PageName>,
        steps: Vec<Step>,
        output: &Path,
        wanted: Wanted,
        settings: Settings,
    ) -> Result<Self, Failure> {
        let output = output.to_owned();
        let request = Request { steps, output, wanted, format: None, metadata: true, upright: false };
        Self::plan_request(input, page, request, settings)
    }

    /// The same with everything that can be asked for.
    ///
    /// # Errors
    /// As [`ConvertJob::plan`].
    pub fn plan_request(
        input: &Input,
        page: impl Into<PageName>,
        request: Request,
        settings: Settings,
    ) -> Result<Self, Failure> {
        let page = page.into();
        let plan = |settings| Self::plan_within(input, page, request.clone(), settings);
        plan(settings.clone())
            .map_err(|failure| settings.explain(failure, input, page, &|settings| Ok(plan(settings)?.plan)))
    }

    /// The same; a refusal is that of the first pass that does not fit.
    pub(in crate::job) fn plan_within(
        input: &Input,
        page: PageName,
        request: Request,
        settings: Settings,
    ) -> Result<Self, Failure> {
        check_output(input, &request.output, &settings)?;
        let only = page == PageName::from(1) && request.metadata && input.ends_before(2)?;
        let budget = Budgeted::resolve(&settings);
        Self::plan_page(input, page, request, settings, budget, only)
    }

    /// Plans one page, which may be one of several of the output.
    pub(in crate::job) fn plan_page(
        input: &Input,
        page: PageName,
        request: Request,
        settings: Settings,
        budget: Budgeted,
        all_pages: bool,
    ) -> Result<Self, Failure> {
        let stored = input.page(page)?;
        if !request.upright || stored.orientation().is_upright() {
            let job = Self::plan_over(input, &stored, request, settings, budget, all_pages)?;
            return Ok(Self { page_name: page, ..job });
        }
        // The smallest plan decides whether it fits; then bands are as high as the budget allows, for fewer reads.
        let plan = |band_bytes: u64| {
            let whole: Arc<dyn Page> = Arc::new(UprightPage::new(Arc::clone(&stored), band_bytes));
            Self::plan_over(input, &whole, request.clone(), settings.clone(), budget.clone(), all_pages)
        };
        let mut chosen = plan(0)?;
        for part in [4, 8, 16, 32] {
            if let Ok(higher) = plan((budget.bytes / part).min(MOST_BAND_BYTES)) {
                let least = std::mem::replace(&mut chosen, higher);
                chosen.plan.take_smallest(&least.plan);
                break;
            }
        }
        Ok(chosen)
    }

    /// The same over a page as it is, or as it should be seen.
    fn plan_over(
        input: &Input,
        whole: &Arc<dyn Page>,
        request: Request,
        settings: Settings,
        budget: Budgeted,
        all_pages: bool,
    ) -> Result<Self, Failure> {
        let source = whole.facts().shape;
        let (settings, budget) = settings.for_picture(source, &budget);
        let (page, levels) = smaller_version(input.path(), &request.steps, whole)?;
        let stages = Stages::build(&request.steps, page.facts().shape, &[])?;
        let output = &request.output;
        let format = request.format.map_or_else(|| format_of(output), Ok)?;
        let (kept, left_out) = match request.metadata {
            true => keep(input.path(), &**whole, &request, stages.output(), all_pages)?,
            false => (None, Vec::new()),
        };
        let target = |wanted: Wanted| target_of(format, stages.output(), wanted, kept.as_ref());
        let alone = format.target(stages.output(), request.wanted);
        let alone = alone.map_err(|error| Failure::output(output, &error))?;
        // A format that holds none of it has nothing to be false.
        let carries = kept.as_ref().is_some_and(|kept| alone.carry(kept).is_some());
        let left_out = if carries { left_out } else { Vec::new() };
        let ordered = alone.ordered();
        let refs = stages.refs();
        let mut passes = plan_ranges(&stages, &*page, &budget, &settings)?;
        let wanted = request.wanted;
        let tiling = Tiling { page: &page, stages: &refs, output: stages.output(), wanted, target: &target };
        let (mut writing, written_page, wanted) = match tiling.plan(&budget, &settings)? {
            Some(Tiled { pass, page, wanted }) => (pass, page, wanted),
            None => {
                let needs = |compressors: u32| {
                    let target = target(Wanted { compressors, ..wanted });
                    target.map_or_else(|_| Vec::new(), |target| target.needs())
                };
                let pass = PassRequest {
                    purpose: purpose(levels),
                    stages: &refs,
                    page: &*page,
                    files: 1,
                    sink_needs: &needs,
                    ordered,
                };
                let pass = plan_pass(&pass, budget.bytes, &settings)?
                    .map_err(|refusal| refuse(&refusal, &budget))?;
                (pass, Arc::clone(&page), wanted)
            }
        };
        writing.region_bytes = region_bytes(input.path(), &*page, &refs)?;
        let request = Request { wanted, ..request };
        passes.push(writing);
        // The source and the result, and one copy.
        let beside = source.image_bytes().saturating_add(stages.output().image_bytes());
        Ok(Self {
            asked: stages.asked().to_vec(),
            output_shape: stages.output(),
            plan: JobPlan::new(budget, passes, (source, beside), &settings.layers),
            page,
            written_page,
            input_path: input.path().to_owned(),
            page_name: PageName::from(1),
            request,
            format,
            kept,
            left_out,
            settings,
        })
    }
}

/// What of a page's metadata goes along, and what does not.
#[allow(clippy::type_complexity, reason = "two lists of one kind of thing")]
fn keep(
    path: &Path,
    page: &dyn Page,
    request: &Request,
    output: Shape,
    all_pages: bool,
) -> Result<(Option<Arc<dyn Metadata>>, Vec<&'static str>), Failure> {
    let failed = |error: FormatError| Failure::input(path, &error);
    let Some(metadata) = page.metadata().map_err(failed)? else { return Ok((None, Vec::new())) };
    let source = page.facts().shape;
    let effect = Effect::of(&request.steps, source)?;
    let turned = request.upright && page.was_turned();
    let now = Circumstances { source, output, effect, all_pages, turned };
    let (kept, left_out) = Kept::new(metadata, page, &now).map_err(failed)?;
    Ok((Some(Arc::new(kept)), left_out))
}

/// The bytes of pixels that a chain reads, if it reads a part of the page.
fn region_bytes(path: &Path, page: &dyn Page, stages: &[&dyn Stage]) -> Result<Option<u64>, Failure> {
    let shape = page.facts().shape;
    let chain = Chain::new(stages, shape).map_err(|error| Failure::Usage(error.to_string()))?;
    // A picture that is set upright may be read more than once.
    if chain.input() == shape.region() && !page.was_turned() {
        return Ok(None);
    }
    page.reads(chain.input()).map_err(|error| Failure::input(path, &error))
}
