//! A page through a chain of steps into a new file.

use super::budget::Budgeted;
use super::control::Control;
use super::hash::{Boxed, Hashing, Nowhere};
use super::measure::{find_ranges, plan_ranges};
use super::pages::Input;
use super::pass::Pass;
use super::plan::{JobPlan, PassPlan, PassRequest, plan_pass, refuse};
use super::route::Route;
use super::settings::{Io, Settings};
use super::tiles::{Tiled, Tiling};
use crate::failure::Failure;
use crate::stages::{Stages, Step};
use plimsoll_core::measure::RangeOf;
use plimsoll_core::pipeline::{Chain, Need};
use plimsoll_core::shape::Shape;
use plimsoll_formats::{Format, FormatError, Output, Page, Target, Wanted};
use plimsoll_os::output::AtomicOutput;
use plimsoll_os::probe::Probe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A conversion, planned and ready to run.
pub struct ConvertJob {
    page: Arc<dyn Page>,
    /// The page that the writing pass reads: the same, or its tiles one after the other.
    written_page: Arc<dyn Page>,
    input_path: PathBuf,
    steps: Vec<Step>,
    asked: Vec<(usize, RangeOf)>,
    output_path: PathBuf,
    output_shape: Shape,
    format: &'static dyn Format,
    wanted: Wanted,
    settings: Settings,
    plan: JobPlan,
}

/// What a conversion did.
#[derive(Clone, Debug)]
pub struct Converted {
    /// The output.
    pub path: PathBuf,
    /// Its shape.
    pub shape: Shape,
    /// How it is stored.
    pub stored: String,
    /// SHA-256 of its pixels, if it was asked for.
    pub sha256_pixels: Option<String>,
    /// Seconds spent in each stage, source and sink, over all workers and passes.
    pub seconds: Vec<(String, f64)>,
}

impl ConvertJob {
    /// Plans the conversion of one page of `input` into the file `output`.
    ///
    /// # Errors
    /// [`Failure::Usage`] for steps or outputs that make no sense, [`Failure::Refused`] if it does not fit.
    pub fn plan(
        input: &Input,
        page: u32,
        steps: Vec<Step>,
        output: &Path,
        wanted: Wanted,
        settings: Settings,
    ) -> Result<Self, Failure> {
        let page = input.page(page)?;
        let source = page.facts().shape;
        let stages = Stages::build(&steps, source, &[])?;
        let format = format_of(output)?;
        check_output(input, output, &settings)?;
        let target = |wanted: Wanted| format.target(stages.output(), wanted);
        let ordered = target(wanted).map_err(|error| Failure::output(output, &error))?.ordered();
        let budget = Budgeted::resolve(&settings);
        let refs = stages.refs();
        let mut passes = plan_ranges(&stages, &*page, &budget, &settings)?;
        let tiling = Tiling { page: &page, stages: &refs, output: stages.output(), wanted, target: &target };
        let (writing, written_page, wanted) = match tiling.plan(&budget, &settings)? {
            Some(Tiled { pass, page, wanted }) => (pass, page, wanted),
            None => {
                let needs = |compressors: u32| {
                    let target = target(Wanted { compressors, ..wanted });
                    target.map_or_else(|_| Vec::new(), |target| target.needs())
                };
                let request = PassRequest {
                    purpose: "write the output",
                    stages: &refs,
                    page: &*page,
                    files: 1,
                    sink_needs: &needs,
                    ordered,
                };
                let pass = plan_pass(&request, budget.bytes, &settings)?
                    .map_err(|refusal| refuse(&refusal, &budget))?;
                (pass, Arc::clone(&page), wanted)
            }
        };
        passes.push(writing);
        let whole_image_bytes =
            source.image_bytes().saturating_mul(2).saturating_add(stages.output().image_bytes());
        Ok(Self {
            asked: stages.asked().to_vec(),
            output_shape: stages.output(),
            plan: JobPlan { budget, passes, whole_image_bytes },
            page,
            written_page,
            input_path: input.path().to_owned(),
            steps,
            output_path: output.to_owned(),
            format,
            wanted,
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

    /// Runs it. The output appears whole, or not at all.
    ///
    /// # Errors
    /// [`Failure`] by culprit; nothing is left behind then.
    pub fn run(&self, control: &Control) -> Result<Converted, Failure> {
        let source = self.page.facts().shape;
        let mut seconds = Vec::new();
        let ranges = find_ranges(
            &self.steps,
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
        let stages = Stages::build(&self.steps, source, &ranges)?;
        let wanted = Wanted { compressors: writing.compressors, ..self.wanted };
        let failed = |error: FormatError| Failure::output(&self.output_path, &error);
        let target = self.format.target(stages.output(), wanted).map_err(failed)?;
        let file = AtomicOutput::create(&self.output_path, self.settings.overwrite)
            .map_err(|error| Failure::Io(error.to_string()))?;
        check_disk(file.folder(), &*target)?;
        let file = Arc::new(file);
        let sha256_pixels =
            self.write(writing, &stages, &*target, Arc::clone(&file) as Output, control, &mut seconds)?;
        let sha256_pixels = match (sha256_pixels, self.settings.hash) {
            // Tiles came in an order of their own, and what is lost of them would be hashed with them.
            (None, true) if self.wanted.tile_order => None,
            (None, true) => Some(self.hash_back(file.temporary(), writing)?),
            (hash, _) => hash,
        };
        let file = Arc::into_inner(file)
            .ok_or_else(|| Failure::Io(format!("{}: still in use", self.output_path.display())))?;
        if control.is_cancelled() {
            return Err(Failure::Cancelled);
        }
        file.commit(self.settings.sync).map_err(|error| Failure::Io(error.to_string()))?;
        stages.add_seconds(&mut seconds);
        Ok(Converted {
            path: self.output_path.clone(),
            shape: stages.output(),
            stored: target.describe(),
            sha256_pixels,
            seconds,
        })
    }

    /// The pass that writes. Gives the hash where rows came in order and it is wanted.
    fn write(
        &self,
        writing: &PassPlan,
        stages: &Stages,
        target: &dyn Target,
        output: Output,
        control: &Control,
        seconds: &mut Vec<(String, f64)>,
    ) -> Result<Option<String>, Failure> {
        let failed = |error: FormatError| Failure::output(&self.output_path, &error);
        let refs = stages.refs();
        let route = Route::of(writing, &*self.written_page, &refs)?;
        let chain = route.chain()?;
        let writer = target.create(output).map_err(failed)?;
        let passes = self.plan.passes.len();
        let pass = Pass::new(&chain, writing, route.page(), (passes, passes), &self.plan, control);
        let pass = pass.between(&self.input_path, &self.output_path).watched(route.watch());
        let mut arena = writing.arena()?;
        let in_order = writing.plan.workers == 1 && !self.wanted.tile_order;
        let hash = if self.settings.hash && in_order {
            let sinks = pass.run(arena.as_mut(), &|_, rows, budget| {
                writer.sink(rows, budget).map(|sink| Hashing::new(Boxed(sink)))
            })?;
            sinks.into_iter().next().map(Hashing::hex)
        } else {
            pass.run(arena.as_mut(), &|_, rows, budget| writer.sink(rows, budget).map(Boxed))?;
            None
        };
        pass.add_seconds(seconds);
        drop(pass);
        drop(arena);
        writer.finish().map_err(failed)?;
        Ok(hash)
    }

    /// Hashes what several workers wrote side by side, by reading it once more within what the plan allows.
    fn hash_back(&self, path: &Path, writing: &PassPlan) -> Result<String, Failure> {
        // A mapping would come on top of the input's.
        let written = Input::open(path, Io::Read)?;
        let page = written.page(1)?;
        let mut settings = Settings { workers: Some(1), io: Io::Read, ..self.settings.clone() };
        let request = PassRequest {
            purpose: "hash the output",
            stages: &[],
            page: &*page,
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
        let pass = Pass::new(&chain, &pass_plan, &*page, (1, 1), &self.plan, &control);
        let mut arena = pass_plan.arena()?;
        let sinks = pass.run(arena.as_mut(), &|_, _, _| Ok(Hashing::new(Nowhere)))?;
        sinks.into_iter().next().map(Hashing::hex).ok_or(Failure::Cancelled)
    }
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
fn check_output(input: &Input, output: &Path, settings: &Settings) -> Result<(), Failure> {
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
