//! `plimsoll convert` and `plimsoll thumbnail`: the same job, with steps of the user's or one of ours.

use super::args::{ConvertArgs, Jp2Args, MetadataArg, RegionArg, StoreArgs, ThumbnailArgs};
use super::session::{Session, print, print_plan, settings};
use crate::batch::{self, BatchArgs, CheckArgs};
use crate::failure::Failure;
use crate::job::{
    BookJob, Control, Converted, Input, JobPlan, PageList, PageName, Request, VerifiedJob, by_ending,
};
use crate::log;
use crate::progress::ProgressArg;
use crate::report;
use crate::stages::Step;
use plimsoll_formats::{Pyramid, Wanted};
use serde_json::json;
use std::path::{Path, PathBuf};

/// What one run of the command does: a file from one page, or one from several.
enum Work {
    Page(Box<VerifiedJob>),
    Book(Box<BookJob>),
}

impl Work {
    fn job_plan(&self) -> &JobPlan {
        match self {
            Self::Page(job) => job.job_plan(),
            Self::Book(job) => job.job_plan(),
        }
    }

    fn left_out(&self) -> &[&'static str] {
        match self {
            Self::Page(job) => job.left_out(),
            Self::Book(job) => job.left_out(),
        }
    }

    fn run(&self, input: &Input, control: &Control) -> Result<Converted, Failure> {
        match self {
            Self::Page(job) => job.run(control),
            Self::Book(job) => job.run(input, control),
        }
    }
}

/// `plimsoll convert`
pub(crate) fn convert(args: &ConvertArgs, session: &Session) -> Result<(), Failure> {
    run_all("convert", args, session)
}

/// `plimsoll thumbnail`
pub(crate) fn thumbnail(args: &ThumbnailArgs, session: &Session) -> Result<(), Failure> {
    run_all("thumbnail", &as_convert(args), session)
}

fn run_all(command: &str, args: &ConvertArgs, session: &Session) -> Result<(), Failure> {
    if let Some(folder) = folder(args)? {
        return run_batch(args, folder, session);
    }
    let input = Input::open(one(args)?, args.run.io.into())?;
    let works = works(args, &input)?;
    let more = args.pages.is_none() && !input.ends_before(2)?;
    for work in works {
        let left_out = work.left_out();
        if !left_out.is_empty() {
            tracing::warn!(
                "{}: left out, as no longer true: {}",
                input.path().display(),
                left_out.join(", ")
            );
        }
        run(command, &work, &input, args, session)?;
    }
    if more {
        tracing::warn!("{} has more pages: --pages names others", input.path().display());
    }
    Ok(())
}

/// `plimsoll plan convert`
pub(crate) fn plan_convert(args: &ConvertArgs, json: bool) -> Result<(), Failure> {
    if let Some(folder) = folder(args)? {
        let plan = batch::survey(&batch_of(args, folder)?)?;
        for entry in &plan.entries {
            if let Some(why) = entry.status.why() {
                eprintln!("plimsoll: {}", plan.named(entry, why));
            }
        }
        return print(&if json { format!("{:#}\n", plan.to_json()) } else { plan.to_text() });
    }
    let input = Input::open(one(args)?, args.run.io.into())?;
    works(args, &input)?.iter().try_for_each(|work| print_plan(work.job_plan(), json))
}

/// `plimsoll plan thumbnail`
pub(crate) fn plan_thumbnail(args: &ThumbnailArgs, json: bool) -> Result<(), Failure> {
    plan_convert(&as_convert(args), json)
}

/// A thumbnail is a conversion by one step.
fn as_convert(args: &ThumbnailArgs) -> ConvertArgs {
    ConvertArgs {
        inputs: vec![args.input.clone()],
        write: args.write.clone(),
        steps: vec![Step::new("thumbnail", &format!("{},{}", args.size, args.kernel))],
        pages: Some(PageList::one(args.page)),
        region: None,
        upright: args.upright,
        store: StoreArgs::default(),
        pyramid: None,
        bigtiff: false,
        metadata: MetadataArg::Keep,
        check: CheckArgs::default(),
        batch: BatchArgs::default(),
        jp2: Jp2Args::default(),
        run: args.run.clone(),
    }
}

/// The one input of a command that is no batch.
fn one(args: &ConvertArgs) -> Result<&Path, Failure> {
    match &args.inputs[..] {
        [input] => Ok(input),
        _ => Err(Failure::Usage("several inputs need a folder as OUT: -o FOLDER/".to_owned())),
    }
}

/// The folder of outputs, if they go into one.
fn folder(args: &ConvertArgs) -> Result<Option<&Path>, Failure> {
    let BatchArgs { to, template, recursive, keep_going, skip_existing, report } = &args.batch;
    let output = &args.write.output;
    if output.as_os_str().as_encoded_bytes().ends_with(b"/") || output.is_dir() {
        return Ok(Some(output));
    }
    let for_folders = [
        (to.is_some(), "--to"),
        (template.is_some(), "--template"),
        (*recursive, "--recursive"),
        (*keep_going, "--keep-going"),
        (*skip_existing, "--skip-existing"),
        (!report.is_empty(), "--report"),
    ];
    match for_folders.iter().find(|(given, _)| *given) {
        Some((_, name)) => {
            Err(Failure::Usage(format!("{name} is for outputs in a folder: write -o {}/", output.display())))
        }
        None => Ok(None),
    }
}

/// What is to be made of each page.
fn request(args: &ConvertArgs) -> Result<Request, Failure> {
    let wanted = Wanted {
        pyramid: args.pyramid.map(Pyramid::from),
        // A classic file would have no room beside so much.
        beside: if args.bigtiff { 1 << 32 } else { 0 },
        jp2: (&args.jp2).into(),
        ..Wanted::from(args.store)
    };
    let steps = args.region.map(RegionArg::step).into_iter().chain(args.steps.iter().cloned()).collect();
    let ending = args.batch.to.as_deref().map(|ending| ending.trim_start_matches('.'));
    let format = ending.map(|ending| by_ending(ending, &format!("--to {ending}"))).transpose()?;
    if let Some(words) = args.check.without_use() {
        return Err(Failure::Usage(words.to_owned()));
    }
    // Outputs in a folder may have several formats, and what is about one of them is for that.
    let ending = args.write.output.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if let Some(format) = format.or_else(|| plimsoll_formats::by_extension(ending)) {
        let about = [
            (args.jp2.given(), "JPEG 2000", "jp2 j2k"),
            (args.bigtiff.then_some("--bigtiff"), "TIFF", "tif"),
        ];
        let is = |endings: &str| endings.split(' ').any(|ending| format.extensions().contains(&ending));
        for (option, of, endings) in about {
            if let Some(option) = option.filter(|_| !is(endings)) {
                let (output, name) = (args.write.output.display(), format.name());
                return Err(Failure::Usage(format!(
                    "{option} is for {of}, and {output} is written as {name}"
                )));
            }
        }
    }
    Ok(Request {
        steps,
        output: args.write.output.clone(),
        wanted,
        format,
        metadata: args.metadata == MetadataArg::Keep,
        upright: args.upright,
    })
}

/// The batch that the options mean.
fn batch_of<'a>(args: &'a ConvertArgs, folder: &Path) -> Result<batch::Job<'a>, Failure> {
    let ending = args.batch.to.as_deref().map(|ending| ending.trim_start_matches('.').to_owned());
    Ok(batch::Job {
        words: &args.inputs,
        recursive: args.batch.recursive,
        pages: args.pages.as_ref(),
        outputs: batch::Outputs { folder: folder.to_owned(), ending, template: args.batch.template.clone() },
        request: request(args)?,
        settings: settings(&args.run, Some(&args.write)),
        checks: args.check.checks(),
        keep_going: args.batch.keep_going,
        skip_existing: args.batch.skip_existing,
    })
}

/// Many outputs in a folder.
fn run_batch(args: &ConvertArgs, folder: &Path, session: &Session) -> Result<(), Failure> {
    let job = batch_of(args, folder)?;
    let reports = batch::Reports::create(&args.batch.report, session.receipt(args.run.receipt.as_deref())?)?;
    let mut plan = batch::survey(&job)?;
    let talk = batch::Talk { lines: !args.write.quiet, json: args.run.progress == ProgressArg::Json };
    for entry in &plan.entries {
        if let Some(why) = entry.status.why() {
            eprintln!("plimsoll: {}", plan.named(entry, why));
        }
    }
    if talk.lines {
        print(&plan.to_text())?;
    }
    log::tell(|| plan.to_text());
    let flown = batch::run(&job, &mut plan, session, talk);
    let control = session.control(ProgressArg::Never);
    let mut actual = session.actual(&[], Vec::new(), &control);
    actual.adaptations = flown.adaptations;
    reports.write((&job, &plan), (&actual, &flown))?;
    log::tell(|| plan.summary(&actual));
    if talk.lines {
        print(&plan.summary(&actual))?;
    }
    flown.result
}

/// One job for each file. All are planned before the first one runs: what does not fit is refused before any output
/// exists.
fn works(args: &ConvertArgs, input: &Input) -> Result<Vec<Work>, Failure> {
    let asked = request(args)?;
    let request = |output: &Path| Request { output: output.to_owned(), ..asked.clone() };
    let settings = || settings(&args.run, Some(&args.write));
    let job = |page: PageName, output: &Path| {
        let job = VerifiedJob::plan(input, page, request(output), settings(), args.check.checks())?;
        Ok(Work::Page(Box::new(job)))
    };
    let output = &args.write.output;
    let Some(pages) = &args.pages else {
        let first = PageName::from(1);
        let first = job(first, &for_page(output, first).unwrap_or_else(|| output.clone()))?;
        return Ok(vec![first]);
    };
    let several = pages.names().nth(1).is_some();
    if several && for_page(output, PageName::from(1)).is_none() {
        if args.check.checks().is_some() {
            let line = "several pages in one file are not read back: write one file a page, into a folder";
            return Err(Failure::Usage(line.to_owned()));
        }
        let book = BookJob::plan(input, pages.clone(), request(output), settings())?;
        return Ok(vec![Work::Book(Box::new(book))]);
    }
    let name = |page: PageName| for_page(output, page).unwrap_or_else(|| output.clone());
    let works: Result<Vec<Work>, Failure> = pages.names().map(|page| job(page, &name(page))).collect();
    works.map_err(|failure| {
        // What was said is true of the page that was planned first.
        let first = pages.names().next().unwrap_or(PageName::from(1));
        settings().explain(failure, input, first, &|settings| {
            let plan = |page: PageName| {
                let request = request(&name(page));
                let checks = args.check.checks();
                let job = VerifiedJob::plan_within(input, page, request, settings.clone(), checks)?;
                Ok(job.job_plan().clone())
            };
            let mut largest: Option<JobPlan> = None;
            for page in pages.names() {
                let plan = plan(page)?;
                if largest.as_ref().is_none_or(|largest| largest.smallest_bytes() < plan.smallest_bytes()) {
                    largest = Some(plan);
                }
            }
            largest.ok_or_else(|| Failure::Usage("no pages are named".to_owned()))
        })
    })
}

/// The output's name for one page, if the name leaves room for its number; `3/1` is written `3-1`.
fn for_page(output: &Path, page: PageName) -> Option<PathBuf> {
    let text = output.to_str().filter(|text| text.contains("{page}"))?;
    Some(PathBuf::from(text.replace("{page}", &page.to_string().replace('/', "-"))))
}

/// Runs one job, and says what was planned and what happened.
fn run(
    command: &str,
    work: &Work,
    input: &Input,
    args: &ConvertArgs,
    session: &Session,
) -> Result<(), Failure> {
    let plan = work.job_plan();
    if !args.write.quiet {
        print(&report::plan_text(plan))?;
    }
    log::tell(|| report::plan_text(plan));
    let control = session.control(args.run.progress);
    let done = work.run(input, &control)?;
    let actual = session.actual(&[input], done.seconds.clone(), &control);
    let shape = done.shape;
    let output = json!({
        "path": report::path_text(&done.path),
        "rows": shape.rows,
        "cols": shape.cols,
        "bands": shape.bands,
        "kind": shape.kind.name(),
        "pages": done.pages,
        "stored": done.stored,
        "sha256_pixels": done.sha256_pixels,
        "bytes_hashed": done.bytes_hashed,
        "quality": done.checked.as_ref().map(batch::checked_json),
    });
    session
        .write_receipt(args.run.receipt.as_deref(), &report::receipt_json(command, plan, &actual, output))?;
    log::tell(|| report::receipt_text(plan, &actual));
    tracing::info!("wrote {}: {shape}; {}", done.path.display(), done.stored);
    if !args.write.quiet {
        print(&report::receipt_text(plan, &actual))?;
        let pages =
            if done.pages == 1 { String::new() } else { format!("{} pages, the first: ", done.pages) };
        print(&format!("  wrote {} ({pages}{shape}; {})\n", done.path.display(), done.stored))?;
    }
    Ok(())
}
