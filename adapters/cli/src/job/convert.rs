//! A page through a chain of steps into a new file.

use super::budget::Budgeted;
use super::control::Control;
use super::hash::{Boxed, Hashing, hex};
use super::hash_back::hash_back;
use super::kept::{Circumstances, Kept};
use super::mapping::Effect;
use super::measure::{find_ranges, plan_ranges};
use super::output::{check_disk, check_output, commit, format_of, target_of};
use super::pages::{Input, PageName};
use super::pass::Pass;
use super::plan::{JobPlan, PassPlan, PassRequest, plan_pass, refuse};
use super::route::Route;
use super::settings::Settings;
use super::smaller::{purpose, smaller_version};
use super::tiles::{Tiled, Tiling};
use super::verify::Checked;
use crate::failure::Failure;
use crate::stages::{Stages, Step};
use plimsoll_core::measure::{Range, RangeOf};
use plimsoll_core::pipeline::{Chain, Stage};
use plimsoll_core::shape::Shape;
use plimsoll_formats::{
    Format, FormatError, Metadata, Output, Page, Tail, Target, UprightPage, Wanted, Writer,
};
use plimsoll_os::output::AtomicOutput;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The most bytes of a picture that are held to set it upright, where fewer would do.
const MOST_BAND_BYTES: u64 = 16 << 20;

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

/// A page of an output that is being written.
pub(super) struct Written {
    pub(super) stored: String,
    /// Where the next page may begin.
    pub(super) tail: Tail,
    pub(super) hasher: Option<Sha256>,
    /// Bytes of the input that were read once more for it.
    pub(super) bytes_hashed: u64,
    /// The ranges that steps asked for.
    pub(super) ranges: Vec<Range>,
    pub(super) seconds: Vec<(String, f64)>,
}

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
    pub(super) fn plan_within(
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
    pub(super) fn plan_page(
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
        let whole_image_bytes =
            source.image_bytes().saturating_mul(2).saturating_add(stages.output().image_bytes());
        Ok(Self {
            asked: stages.asked().to_vec(),
            output_shape: stages.output(),
            plan: JobPlan {
                budget,
                passes,
                pages: 1,
                most_heap_bytes: 0,
                smallest: None,
                whole_image_bytes,
                thrice_bytes: source.image_bytes().saturating_mul(3),
                layers: Arc::clone(&settings.layers),
            },
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

    /// The most bytes that the output has.
    pub(super) fn file_bytes(&self) -> Result<u64, Failure> {
        Ok(self.target(0)?.file_bytes())
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

    /// Runs it. The output appears whole, or not at all.
    ///
    /// # Errors
    /// [`Failure`] by culprit; nothing is left behind then.
    pub fn run(&self, control: &Control) -> Result<Converted, Failure> {
        self.run_checked(control, |_, _| Ok(None))
    }

    /// The same, and the output appears only if `check` finds it good: it is given the finished file's path, which is
    /// not yet the output's, and the ranges that steps asked for.
    pub(super) fn run_checked(
        &self,
        control: &Control,
        check: impl FnOnce(&Path, &[Range]) -> Result<Option<Checked>, Failure>,
    ) -> Result<Converted, Failure> {
        let output = &self.request.output;
        let file = AtomicOutput::create(output, self.settings.overwrite)
            .map_err(|error| Failure::Io(error.to_string()))?;
        check_disk(file.folder(), &*self.target(0)?)?;
        let file = Arc::new(file);
        let hasher = self.settings.hash.then(Sha256::new);
        let written = self.write(&file, (1, Tail::default()), hasher, control)?;
        let checked = check(file.temporary(), &written.ranges)?;
        commit(file, output, &self.settings, control)?;
        Ok(Converted {
            path: output.clone(),
            shape: self.output_shape,
            pages: 1,
            stored: written.stored,
            sha256_pixels: written.hasher.map(hex),
            bytes_hashed: written.bytes_hashed,
            checked,
            seconds: written.seconds,
        })
    }

    /// Runs it into page `number`, counted from 1, of a file whose other pages end at `after`.
    pub(super) fn write(
        &self,
        file: &Arc<AtomicOutput>,
        (number, after): (u32, Tail),
        hasher: Option<Sha256>,
        control: &Control,
    ) -> Result<Written, Failure> {
        let source = self.page.facts().shape;
        let mut seconds = Vec::new();
        let ranges = find_ranges(
            &self.request.steps,
            &self.asked,
            &*self.page,
            &self.input_path,
            &self.plan,
            control,
            &mut seconds,
        )?;
        let Some(writing) = self.plan.passes.last() else {
            return Err(Failure::Usage("nothing to do".to_owned()));
        };
        let stages = Stages::build(&self.request.steps, source, &ranges)?;
        let target = self.target(writing.compressors)?;
        let output = Arc::clone(file) as Output;
        let writer = match number {
            1 => target.create(output),
            _ => target.append(output, after),
        };
        let writer = writer.map_err(|error| self.failed(&error))?;
        // Tiles come in an order of their own: what they were made of is hashed by rows.
        let tile_order = self.request.wanted.tile_order;
        let inline = writing.plan.workers == 1 && !tile_order;
        let (mut hasher, later) = if inline { (hasher, None) } else { (None, hasher) };
        hasher = self.write_rows(writing, &stages, &*writer, hasher, control, &mut seconds)?;
        let tail = writer.tail();
        writer.finish().map_err(|error| self.failed(&error))?;
        let mut bytes_hashed = 0;
        if let Some(later) = later {
            let hash = |path: &Path, page, hasher| {
                hash_back(path, page, writing, &self.plan, &self.settings, hasher)
            };
            hasher = if tile_order {
                self.by_rows(hash(&self.input_path, self.page_name, later))?.map(|(hasher, bytes)| {
                    bytes_hashed = bytes;
                    hasher
                })
            } else {
                Some(hash(file.temporary(), number.into(), later)?.0)
            };
        }
        stages.add_seconds(&mut seconds);
        Ok(Written { stored: target.describe(), tail, hasher, bytes_hashed, ranges, seconds })
    }

    /// The hash of the rows that tiles were made of; none where a row of them needs more than the plan allows.
    fn by_rows(&self, hashed: Result<(Sha256, u64), Failure>) -> Result<Option<(Sha256, u64)>, Failure> {
        match hashed {
            Err(Failure::Refused(why)) => {
                tracing::warn!("{}: its pixels are not hashed: {why}", self.request.output.display());
                Ok(None)
            }
            hashed => hashed.map(Some),
        }
    }

    /// What went wrong with the writer: it reads metadata from the input.
    fn failed(&self, error: &FormatError) -> Failure {
        match error {
            FormatError::Io { operation: "read", .. } | FormatError::Malformed { .. } => {
                Failure::input(&self.input_path, error)
            }
            _ => Failure::output(&self.request.output, error),
        }
    }

    /// The pass that writes. Goes on with the hash, where rows come in order.
    fn write_rows(
        &self,
        writing: &PassPlan,
        stages: &Stages,
        writer: &dyn Writer,
        hasher: Option<Sha256>,
        control: &Control,
        seconds: &mut Vec<(String, f64)>,
    ) -> Result<Option<Sha256>, Failure> {
        let refs = stages.refs();
        let route = Route::of(writing, &*self.written_page, &refs)?;
        let chain = route.chain()?;
        let passes = self.plan.passes.len();
        let pass = Pass::new(&chain, writing, route.page(), (passes, passes), &self.plan, control);
        let pass = pass.between(&self.input_path, &self.request.output).watched(route.watch());
        let mut arena = writing.arena()?;
        let hasher = match hasher {
            Some(hasher) => {
                let sinks = pass.run(arena.as_mut(), &|_, rows, budget| {
                    writer.sink(rows, budget).map(|sink| Hashing::new(Boxed(sink), hasher.clone()))
                })?;
                sinks.into_iter().next().map(Hashing::into_hasher)
            }
            None => {
                pass.run(arena.as_mut(), &|_, rows, budget| writer.sink(rows, budget).map(Boxed))?;
                None
            }
        };
        pass.add_seconds(seconds);
        Ok(hasher)
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
