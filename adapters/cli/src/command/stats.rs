//! `plimsoll stats`: minimum, maximum, mean, deviation and histogram.

use super::args::StatsArgs;
use super::session::{Session, print, print_plan, settings, write_receipt};
use crate::failure::Failure;
use crate::job::{Input, MeasureJob, Measured};
use crate::report;
use plimsoll_core::measure::Summary;
use serde_json::{Value, json};

/// `plimsoll stats`
pub(crate) fn stats(args: &StatsArgs, session: &Session) -> Result<(), Failure> {
    let input = Input::open(&args.input, args.run.io.into())?;
    let job = job(args, &input)?;
    let control = session.control(args.run.progress);
    let measured = job.run(&control)?;
    let actual = session.actual(&[&input], measured.seconds.clone(), &control);
    let result = to_json(&measured);
    let receipt = report::receipt_json("stats", job.job_plan(), &actual, result.clone());
    write_receipt(args.run.receipt.as_deref(), &receipt)?;
    if args.json { print(&format!("{result}\n")) } else { print(&to_text(&measured)) }
}

/// `plimsoll plan stats`
pub(crate) fn plan(args: &StatsArgs, json: bool) -> Result<(), Failure> {
    let input = Input::open(&args.input, args.run.io.into())?;
    print_plan(job(args, &input)?.job_plan(), json)
}

fn job(args: &StatsArgs, input: &Input) -> Result<MeasureJob, Failure> {
    MeasureJob::plan(input, args.page, args.steps.clone(), args.histogram, &settings(&args.run, None))
}

fn summary_json(summary: &Summary) -> Value {
    json!({
        "count": summary.count,
        "nans": summary.nans,
        "min": summary.min,
        "max": summary.max,
        "mean": summary.mean,
        "deviation": summary.deviation,
        "sample_deviation": summary.sample_deviation,
    })
}

fn to_json(measured: &Measured) -> Value {
    let shape = measured.shape;
    json!({
        "rows": shape.rows,
        "cols": shape.cols,
        "bands": shape.bands,
        "kind": shape.kind.name(),
        "overall": summary_json(&measured.overall),
        "by_band": measured.bands.iter().map(summary_json).collect::<Vec<_>>(),
        "histogram": measured.histogram,
    })
}

fn to_text(measured: &Measured) -> String {
    let mut text = format!("{}\n", measured.shape);
    let mut line = |name: &str, summary: &Summary| {
        let Summary { count, nans, min, max, mean, deviation, .. } = summary;
        text.push_str(&format!(
            "{name:8} min {min} max {max} mean {mean:.6} deviation {deviation:.6} count {count}"
        ));
        text.push_str(&if *nans > 0 { format!(" not a number {nans}\n") } else { "\n".to_owned() });
    };
    line("all", &measured.overall);
    for (number, band) in measured.bands.iter().enumerate() {
        line(&format!("band {number}"), band);
    }
    for (number, histogram) in measured.histogram.iter().flatten().enumerate() {
        text.push_str(&format!("histogram of band {number}, value: count\n"));
        histogram.iter().for_each(|(value, count)| text.push_str(&format!("{value}: {count}\n")));
    }
    text
}
