//! A page through a chain of steps into a new file.

use super::budget::Budgeted;
use super::control::Control;
use super::hash::{Boxed, Hashing, Nowhere, hex};
use super::kept::{Circumstances, Kept};
use super::mapping::Effect;
use super::measure::{find_ranges, plan_ranges};
use super::pages::{Input, PageName};
use super::pass::Pass;
use super::plan::{JobPlan, PassPlan, PassRequest, plan_pass, refuse};
use super::route::Route;
use super::settings::{Io, Settings};
use super::tiles::{Tiled, Tiling};
use super::verify::Checked;
use crate::failure::Failure;
use crate::stages::{Stages, Step};
use plimsoll_core::measure::{Range, RangeOf};
use plimsoll_core::pipeline::{Chain, Need, Stage};
use plimsoll_core::shape::Shape;
use plimsoll_formats::{Format, FormatError, Metadata, Output, Page, Tail, Target, Wanted, Writer};
use plimsoll_os::output::AtomicOutput;
use plimsoll_os::probe::Probe;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many times smaller, as a power of two, a version may be that a thumbnail is made from.
const MOST_HALVINGS: u8 = 5;

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
        let request = Request { steps, output: output.to_owned(), wanted, format: None, metadata: true };
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
        check_output(input, &request.output, &settings)?;
        let only = page == PageName::from(1) && request.metadata && input.find_page(2)?.is_none();
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
        let (page_name, whole) = (page, input.page(page)?);
        let source = whole.facts().shape;
        let (settings, budget) = settings.for_picture(source, &budget);
        let (page, levels) = smaller_version(&request.steps, &whole)?;
        let stages = Stages::build(&request.steps, page.facts().shape, &[])?;
        let output = &request.output;
        let format = request.format.map_or_else(|| format_of(output), Ok)?;
        let (kept, left_out) = match request.metadata {
            true => keep(input.path(), &*whole, &request.steps, stages.output(), all_pages)?,
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
                whole_image_bytes,
                thrice_bytes: source.image_bytes().saturating_mul(3),
                layers: Arc::clone(&settings.layers),
            },
            page,
            written_page,
            input_path: input.path().to_owned(),
            page_name,
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

    /// Runs it into page `number` of a file whose other pages end at `after`.
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
        let writer = match after.bytes {
            0 => target.create(output),
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
        match later {
            Some(later) if tile_order => (hasher, bytes_hashed) = self.hash_source(writing, later)?,
            Some(later) => hasher = Some(self.hash_back(file.temporary(), number, writing, later)?),
            None => {}
        }
        stages.add_seconds(&mut seconds);
        Ok(Written { stored: target.describe(), tail, hasher, bytes_hashed, ranges, seconds })
    }

    /// Hashes the rows that tiles were made of; none where a row of them needs more than the plan allows. Gives the bytes
    /// that were read for it.
    fn hash_source(&self, writing: &PassPlan, hasher: Sha256) -> Result<(Option<Sha256>, u64), Failure> {
        let input = Input::open(&self.input_path, Io::Read)?;
        let page = input.page(self.page_name)?;
        match self.hash_by_rows(&*page, writing, hasher) {
            Ok(hasher) => Ok((Some(hasher), input.bytes_read())),
            Err(Failure::Refused(why)) => {
                tracing::warn!("{}: its pixels are not hashed: {why}", self.request.output.display());
                Ok((None, input.bytes_read()))
            }
            Err(other) => Err(other),
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

    /// Hashes what several workers wrote side by side, by reading it once more within what the plan allows.
    fn hash_back(
        &self,
        path: &Path,
        number: u32,
        writing: &PassPlan,
        hasher: Sha256,
    ) -> Result<Sha256, Failure> {
        // A mapping would come on top of the input's.
        let written = Input::open(path, Io::Read)?;
        let page = written.page(number)?;
        self.hash_by_rows(&*page, writing, hasher)
    }

    /// Hashes a page's rows in order, within what the plan allows.
    fn hash_by_rows(&self, page: &dyn Page, writing: &PassPlan, hasher: Sha256) -> Result<Sha256, Failure> {
        let mut settings = Settings { workers: Some(1), io: Io::Read, ..self.settings.clone() };
        let request = PassRequest {
            purpose: "hash the output",
            stages: &[],
            page,
            files: 1,
            sink_needs: &|_| Vec::<Need>::new(),
            ordered: true,
        };
        let budget = Budgeted { bytes: writing.plan.peak_bytes, reason: "the plan".to_owned() };
        // The plan's peak may be that of the process's start, when there was little heap yet: its heap counts as well.
        let pass_plan = loop {
            let pass =
                plan_pass(&request, budget.bytes, &settings)?.map_err(|refusal| refuse(&refusal, &budget))?;
            if pass.heap_bytes() <= self.plan.heap_bytes() || pass.plan.strip_rows == 1 {
                break pass;
            }
            settings.strip_rows = Some(pass.plan.strip_rows / 2);
        };
        let chain = Chain::new(&[], page.facts().shape).map_err(|error| Failure::Usage(error.to_string()))?;
        let control = Control::default();
        let pass = Pass::new(&chain, &pass_plan, page, (1, 1), &self.plan, &control);
        let mut arena = pass_plan.arena()?;
        let sinks = pass.run(arena.as_mut(), &|_, _, _| Ok(Hashing::new(Nowhere, hasher.clone())))?;
        sinks.into_iter().next().map(Hashing::into_hasher).ok_or(Failure::Cancelled)
    }
}

/// The page, or the smallest version of it in the file that makes the same thumbnail and is twice as large at least, so
/// that the kernel still has what it averages; and how many times it was halved.
fn smaller_version(steps: &[Step], page: &Arc<dyn Page>) -> Result<(Arc<dyn Page>, u8), Failure> {
    let whole = (Arc::clone(page), 0);
    let Some(first) = steps.first().filter(|step| step.name() == "thumbnail") else { return Ok(whole) };
    let first = std::slice::from_ref(first);
    let output = Stages::build(first, page.facts().shape, &[])?.output();
    for levels in (1..=MOST_HALVINGS).rev() {
        let Some(small) = page.reduced(levels) else { continue };
        let shape = small.facts().shape;
        let enough = shape.rows / 2 >= output.rows && shape.cols / 2 >= output.cols;
        if enough && Stages::build(first, shape, &[])?.output() == output {
            return Ok((small, levels));
        }
    }
    Ok(whole)
}

/// What the pass does, for the plan.
fn purpose(levels: u8) -> &'static str {
    match levels {
        0 => "write the output",
        1 => "write the output from the file's version at 1/2",
        2 => "write the output from the file's version at 1/4",
        3 => "write the output from the file's version at 1/8",
        4 => "write the output from the file's version at 1/16",
        _ => "write the output from the file's version at 1/32",
    }
}

/// How an output is stored.
fn target_of(
    format: &dyn Format,
    shape: Shape,
    wanted: Wanted,
    kept: Option<&Arc<dyn Metadata>>,
) -> Result<Box<dyn Target>, FormatError> {
    let target = format.target(shape, wanted)?;
    Ok(kept.and_then(|kept| target.carry(kept)).unwrap_or(target))
}

/// What of a page's metadata goes along, and what does not.
#[allow(clippy::type_complexity, reason = "two lists of one kind of thing")]
fn keep(
    path: &Path,
    page: &dyn Page,
    steps: &[Step],
    output: Shape,
    all_pages: bool,
) -> Result<(Option<Arc<dyn Metadata>>, Vec<&'static str>), Failure> {
    let failed = |error: FormatError| Failure::input(path, &error);
    let Some(metadata) = page.metadata().map_err(failed)? else { return Ok((None, Vec::new())) };
    let source = page.facts().shape;
    let effect = Effect::of(steps, source)?;
    let now = Circumstances { source, output, effect, all_pages };
    let (kept, left_out) = Kept::new(metadata, page, &now).map_err(failed)?;
    Ok((Some(Arc::new(kept)), left_out))
}

/// The bytes of pixels that a chain reads, if it reads a part of the page.
fn region_bytes(path: &Path, page: &dyn Page, stages: &[&dyn Stage]) -> Result<Option<u64>, Failure> {
    let shape = page.facts().shape;
    let chain = Chain::new(stages, shape).map_err(|error| Failure::Usage(error.to_string()))?;
    if chain.input() == shape.region() {
        return Ok(None);
    }
    page.reads(chain.input()).map_err(|error| Failure::input(path, &error))
}

/// Gives the finished output its name.
pub(super) fn commit(
    file: Arc<AtomicOutput>,
    output: &Path,
    settings: &Settings,
    control: &Control,
) -> Result<(), Failure> {
    let file =
        Arc::into_inner(file).ok_or_else(|| Failure::Io(format!("{}: still in use", output.display())))?;
    if control.is_cancelled() {
        return Err(Failure::Cancelled);
    }
    file.commit(settings.sync).map_err(|error| Failure::Io(error.to_string()))
}

/// The format that an output's name asks for.
fn format_of(output: &Path) -> Result<&'static dyn Format, Failure> {
    let extension = output.extension().and_then(|extension| extension.to_str()).unwrap_or("");
    plimsoll_formats::by_extension(extension).ok_or_else(|| {
        let known: Vec<&str> =
            plimsoll_formats::FORMATS.iter().flat_map(|format| format.extensions()).copied().collect();
        Failure::Usage(format!(
            "{}: no format has this ending: write one of {}",
            output.display(),
            known.join(", ")
        ))
    })
}

/// An output never replaces its own input, and another file only if the user says so.
pub(super) fn check_output(input: &Input, output: &Path, settings: &Settings) -> Result<(), Failure> {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    if real(output).is_some_and(|output| real(input.path()) == Some(output)) {
        return Err(Failure::Usage(format!("{}: the output would replace the input", output.display())));
    }
    if output.exists() && !settings.overwrite {
        return Err(Failure::Usage(format!("{}: exists already: --overwrite replaces it", output.display())));
    }
    Ok(())
}

/// An output whose size is known must fit the disk.
fn check_disk(folder: &Path, target: &dyn Target) -> Result<(), Failure> {
    let needed = target.file_bytes();
    match Probe::system().disk_free_bytes(folder) {
        Some(free) if !target.ordered() && free < needed => Err(Failure::Io(format!(
            "{}: the output needs {needed} bytes of disk, {free} are free: free some or write somewhere else",
            folder.display()
        ))),
        _ => Ok(()),
    }
}
