//! `plimsoll stats`: minimum, maximum, mean, deviation and histogram.

use super::args::StatsArgs;
use super::session::{Session, print_plan, settings};
use crate::failure::Failure;
use crate::job::{Input, MeasureJob, Measured};
use crate::log;
use crate::number;
use crate::report;
use plimsoll_core::measure::{Statistics, Summary};
use plimsoll_core::shape::SampleKind;
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::path::Path;

/// `plimsoll stats`
pub(crate) fn stats(args: &StatsArgs, session: &Session) -> Result<(), Failure> {
    let input = Input::open(&args.input, args.run.io.into())?;
    let job = job(args, &input)?;
    log::tell(|| report::plan_text(job.job_plan()));
    let control = session.control(args.run.progress);
    let measured = job.run(&control, |measured, statistics| {
        // The counts go straight out: a histogram of 16 bits is larger than the windows of the work.
        let mut out = BufWriter::with_capacity(8 << 10, std::io::stdout().lock());
        let written = match args.json {
            true => write_json(&mut out, measured, statistics, args.histogram),
            false => write_text(&mut out, measured, statistics, args.histogram),
        };
        written.and_then(|()| out.flush()).or_else(gone)
    })?;
    let actual = session.actual(&[&input], measured.seconds.clone(), &control);
    log::tell(|| report::receipt_text(job.job_plan(), &actual));
    let receipt = report::receipt_json("stats", job.job_plan(), &actual, to_json(&measured));
    session.write_receipt(args.run.receipt.as_deref(), &receipt)
}

/// `plimsoll plan stats`
pub(crate) fn plan(args: &StatsArgs, json: bool) -> Result<(), Failure> {
    let input = Input::open(&args.input, args.run.io.into())?;
    print_plan(job(args, &input)?.job_plan(), json)
}

fn job(args: &StatsArgs, input: &Input) -> Result<MeasureJob, Failure> {
    MeasureJob::plan(input, args.page, args.steps.clone(), args.histogram, &settings(&args.run, None))
}

/// The least and the largest, printed by `shown`.
fn extremes<S>(summary: &Summary, shown: fn(Option<i128>, f64) -> S) -> [S; 2] {
    let [least, largest] = summary.exact.map_or([None; 2], |exact| exact.map(Some));
    [shown(least, summary.min), shown(largest, summary.max)]
}

fn summary_json(summary: &Summary) -> Value {
    let [min, max] = extremes(summary, number::exact_json);
    json!({
        "count": summary.count,
        "nans": summary.nans,
        "min": min,
        "max": max,
        "mean": number::json(summary.mean),
        "deviation": number::json(summary.deviation),
        "sample_deviation": number::json(summary.sample_deviation),
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
    })
}

/// The values of a band that occur, with their counts. Only 8 and 16-bit kinds count single values.
fn occurring<'s>(statistics: &'s Statistics<'_>, band: u16) -> impl Iterator<Item = (i32, u64)> + 's {
    let values = match statistics.kind() {
        SampleKind::U8 => 0..1 << 8,
        SampleKind::U16 => 0..1 << 16,
        SampleKind::I16 => -1 << 15..1 << 15,
        // Wider kinds are counted in classes, not value by value.
        _ => 0..0,
    };
    let count = move |value| statistics.occurrences(band, value).filter(|count| *count > 0);
    values.filter_map(move |value| Some((value, count(value)?)))
}

fn write_json(
    out: &mut impl Write,
    measured: &Measured,
    statistics: &Statistics<'_>,
    histogram: bool,
) -> std::io::Result<()> {
    let summary = to_json(measured).to_string();
    if !histogram {
        return writeln!(out, "{summary}");
    }
    // The counts are put in before the brace that closes the summary.
    write!(out, "{},\"histogram\":[", summary.strip_suffix('}').unwrap_or(&summary))?;
    for band in 0..statistics.bands() {
        write!(out, "{}[", if band > 0 { "," } else { "" })?;
        for (index, (value, count)) in occurring(statistics, band).enumerate() {
            write!(out, "{}[{value},{count}]", if index > 0 { "," } else { "" })?;
        }
        write!(out, "]")?;
    }
    writeln!(out, "]}}")
}

fn write_text(
    out: &mut impl Write,
    measured: &Measured,
    statistics: &Statistics<'_>,
    histogram: bool,
) -> std::io::Result<()> {
    writeln!(out, "{}", measured.shape)?;
    let mut line = |name: &str, summary: &Summary| {
        let Summary { count, nans, mean, deviation, .. } = summary;
        let [min, max] = extremes(summary, number::exact_text);
        write!(out, "{name:8} min {min} max {max} mean {mean:.6} deviation {deviation:.6} count {count}")?;
        if *nans > 0 { writeln!(out, " not a number {nans}") } else { writeln!(out) }
    };
    line("all", &measured.overall)?;
    for (number, band) in measured.bands.iter().enumerate() {
        line(&format!("band {number}"), band)?;
    }
    for band in (0..statistics.bands()).filter(|_| histogram) {
        writeln!(out, "histogram of band {band}, value: count")?;
        for (value, count) in occurring(statistics, band) {
            writeln!(out, "{value}: {count}")?;
        }
    }
    Ok(())
}

/// A reader that has gone away is no failure.
fn gone(error: std::io::Error) -> Result<(), Failure> {
    match error.kind() {
        std::io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(Failure::io("write to", Path::new("the standard output"), &error)),
    }
}
