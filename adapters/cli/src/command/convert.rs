//! `plimsoll convert` and `plimsoll thumbnail`: the same job, with steps of the user's or one of ours.

use super::args::{ConvertArgs, Jp2Args, ThumbnailArgs};
use super::session::{Session, print, print_plan, settings, write_receipt};
use crate::failure::Failure;
use crate::job::{ConvertJob, Input};
use crate::report;
use crate::stages::Step;
use plimsoll_formats::{Compression, Wanted};
use serde_json::json;
use std::path::{Path, PathBuf};

/// `plimsoll convert`
pub(crate) fn convert(args: &ConvertArgs, session: &Session) -> Result<(), Failure> {
    let input = Input::open(&args.input, args.run.io.into())?;
    for job in jobs(args, &input)? {
        run("convert", &job, &input, args, session)?;
    }
    Ok(())
}

/// `plimsoll thumbnail`
pub(crate) fn thumbnail(args: &ThumbnailArgs, session: &Session) -> Result<(), Failure> {
    let args = as_convert(args);
    let input = Input::open(&args.input, args.run.io.into())?;
    for job in jobs(&args, &input)? {
        run("thumbnail", &job, &input, &args, session)?;
    }
    Ok(())
}

/// `plimsoll plan convert`
pub(crate) fn plan_convert(args: &ConvertArgs, json: bool) -> Result<(), Failure> {
    let input = Input::open(&args.input, args.run.io.into())?;
    jobs(args, &input)?.iter().try_for_each(|job| print_plan(job.job_plan(), json))
}

/// `plimsoll plan thumbnail`
pub(crate) fn plan_thumbnail(args: &ThumbnailArgs, json: bool) -> Result<(), Failure> {
    plan_convert(&as_convert(args), json)
}

/// A thumbnail is a conversion by one step.
fn as_convert(args: &ThumbnailArgs) -> ConvertArgs {
    ConvertArgs {
        input: args.input.clone(),
        write: args.write.clone(),
        steps: vec![Step::new("thumbnail", &format!("{},{}", args.size, args.kernel))],
        pages: Some(crate::job::PageList::one(args.page)),
        compression: None,
        tile: None,
        jp2: Jp2Args::default(),
        run: args.run.clone(),
    }
}

/// One job for each page. All are planned before the first one runs: what does not fit is refused before any output
/// exists.
fn jobs(args: &ConvertArgs, input: &Input) -> Result<Vec<ConvertJob>, Failure> {
    let wanted = Wanted {
        compression: args.compression.map_or(Compression::Usual, Compression::from),
        tile: args.tile,
        jp2: (&args.jp2).into(),
        ..Wanted::default()
    };
    let job = |page: u32, output: &Path| {
        let settings = settings(&args.run, Some(&args.write));
        ConvertJob::plan(input, page, args.steps.clone(), output, wanted, settings)
    };
    let output = &args.write.output;
    let Some(pages) = &args.pages else {
        let first = job(1, &for_page(output, 1).unwrap_or_else(|| output.clone()))?;
        if input.find_page(2)?.is_some() {
            tracing::warn!("{} has more pages: --pages names others", input.path().display());
        }
        return Ok(vec![first]);
    };
    let several = pages.numbers().nth(1).is_some();
    if several && for_page(output, 1).is_none() {
        let line = "several pages need an output name with {page} in it, for example -o out-{page}.tif";
        return Err(Failure::Usage(line.to_owned()));
    }
    pages.numbers().map(|page| job(page, &for_page(output, page).unwrap_or_else(|| output.clone()))).collect()
}

/// The output's name for one page, if the name leaves room for its number.
fn for_page(output: &Path, page: u32) -> Option<PathBuf> {
    let text = output.to_str().filter(|text| text.contains("{page}"))?;
    Some(PathBuf::from(text.replace("{page}", &page.to_string())))
}

/// Runs one job, and says what was planned and what happened.
fn run(
    command: &str,
    job: &ConvertJob,
    input: &Input,
    args: &ConvertArgs,
    session: &Session,
) -> Result<(), Failure> {
    let plan = job.job_plan();
    if !args.write.quiet {
        print(&report::plan_text(plan))?;
    }
    let control = session.control(args.run.progress);
    let done = job.run(&control)?;
    let actual = session.actual(&[input], done.seconds.clone(), &control);
    let shape = done.shape;
    let output = json!({
        "path": report::path_text(&done.path),
        "rows": shape.rows,
        "cols": shape.cols,
        "bands": shape.bands,
        "kind": shape.kind.name(),
        "stored": done.stored,
        "sha256_pixels": done.sha256_pixels,
    });
    write_receipt(args.run.receipt.as_deref(), &report::receipt_json(command, plan, &actual, output))?;
    if !args.write.quiet {
        print(&report::receipt_text(plan, &actual))?;
        print(&format!("  wrote {} ({shape}; {})\n", done.path.display(), done.stored))?;
    }
    Ok(())
}
