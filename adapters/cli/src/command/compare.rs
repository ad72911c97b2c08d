//! `plimsoll compare`: how far two pictures differ.

use super::args::CompareArgs;
use super::session::{Session, print, print_plan, settings};
use crate::failure::Failure;
use crate::job::{CompareJob, Comparison, Input};
use crate::log;
use crate::number;
use crate::report;
use plimsoll_core::measure::{Distance, SsimWindow};
use serde_json::{Value, json};

/// `plimsoll compare`
pub(crate) fn compare(args: &CompareArgs, session: &Session) -> Result<(), Failure> {
    let (a, b) = open(args)?;
    let job = job(args, &a, &b)?;
    log::tell(|| report::plan_text(job.job_plan()));
    let control = session.control(args.run.progress);
    let comparison = job.run(&control)?;
    let actual = session.actual(&[&a, &b], comparison.seconds.clone(), &control);
    log::tell(|| report::receipt_text(job.job_plan(), &actual));
    let result = to_json(&comparison);
    let receipt = report::receipt_json("compare", job.job_plan(), &actual, result.clone());
    session.write_receipt(args.run.receipt.as_deref(), &receipt)?;
    if args.json { print(&format!("{result}\n")) } else { print(&to_text(&comparison)) }
}

/// `plimsoll plan compare`
pub(crate) fn plan(args: &CompareArgs, json: bool) -> Result<(), Failure> {
    let (a, b) = open(args)?;
    print_plan(job(args, &a, &b)?.job_plan(), json)
}

fn open(args: &CompareArgs) -> Result<(Input, Input), Failure> {
    Ok((Input::open(&args.a, args.run.io.into())?, Input::open(&args.b, args.run.io.into())?))
}

fn job(args: &CompareArgs, a: &Input, b: &Input) -> Result<CompareJob, Failure> {
    let window = match args.ssim {
        0 => None,
        8 => Some(SsimWindow::Uniform8),
        11 => Some(SsimWindow::Gaussian11),
        other => return Err(Failure::Usage(format!("--ssim {other}: write 8, 11, or 0 for none"))),
    };
    CompareJob::plan(a, b, args.page, window, &settings(&args.run, None))
}

fn distance_json(distance: &Distance) -> Value {
    json!({
        "mse": number::json(distance.mse),
        "psnr": number::json(distance.psnr),
        "max_difference": number::exact_json(distance.exact_max.map(i128::from), distance.max),
        "differing": distance.differing,
        "nans": distance.nans,
        "count": distance.count,
    })
}

fn to_json(comparison: &Comparison) -> Value {
    json!({
        "overall": distance_json(&comparison.overall),
        "by_band": comparison.bands.iter().map(distance_json).collect::<Vec<_>>(),
        "ssim": comparison.ssim.as_ref().map(|(overall, _)| number::json(*overall)),
        "ssim_by_band": comparison.ssim.as_ref().map(|(_, bands)| {
            bands.iter().map(|band| number::json(*band)).collect::<Vec<_>>()
        }),
    })
}

fn to_text(comparison: &Comparison) -> String {
    let line = |name: &str, distance: &Distance| {
        let Distance { mse, psnr, max, exact_max, differing, count, .. } = distance;
        let max = number::exact_text(exact_max.map(i128::from), *max);
        format!(
            "{name:8} mse {mse} psnr {psnr:.4} dB max difference {max} differing {differing} of {count}\n"
        )
    };
    let mut text = line("all", &comparison.overall);
    for (number, band) in comparison.bands.iter().enumerate() {
        text.push_str(&line(&format!("band {number}"), band));
    }
    if let Some((overall, bands)) = &comparison.ssim {
        let bands: Vec<String> = bands.iter().map(|band| format!("{band:.6}")).collect();
        text.push_str(&format!("ssim     {overall:.6} (bands {})\n", bands.join(", ")));
    }
    text
}
