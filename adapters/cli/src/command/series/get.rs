//! `plimsoll series get`: the points of a range of time, as they are or summed up step by step.

use super::aggregate::{Aggregate, Steps};
use super::input::{Packed, name};
use super::memory::buffers;
use super::output::OutputArgs;
use super::reading::{Ended, feed, no_head};
use super::unpack::Lines;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::size::Within;
use clap::Args;
use plimsoll_core::series::TimeUnit;
use plimsoll_formats::series::{CsvOutput, PlsPoints, Schema, TimeRange, unit_digits, unit_name};
use plimsoll_formats::text::{TimeText, parse_decimal, parse_iso};
use std::io::Write;
use std::path::PathBuf;

/// `series get`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Times are written as in the file: 2014-04-01, 2014-04-01T12:00:00Z, or numbers. Blocks outside the range are not read, and of blocks\n\
that state the range and sum of their columns (`pack --ranges`) and lie inside one step no more than that is used,\n\
where it gives the same to the bit: min and max; mean and count of whole numbers.\n\
Steps begin at multiples of their length since 1970 (days at midnight UTC); steps without points are left out.\n\n\
Examples:\n  \
plimsoll series get log.pls --from 2014-04-01 --to 2014-04-08\n  \
plimsoll series get log.pls --from 1396310400 --every 1h --agg min,mean,max,count")]
pub(super) struct GetArgs {
    /// The packed file; the standard input if absent or `-`
    #[arg(value_name = "IN", default_value = "-", hide_default_value = true)]
    pub input: PathBuf,
    #[command(flatten)]
    pub output: OutputArgs,
    /// The first time that is wanted
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// The first time that is not wanted any more
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// Sum up steps of this length: 1h, 5m, 30s, 100ms, 1d, or a number of the file's units
    #[arg(long, value_name = "STEP", requires = "agg")]
    pub every: Option<String>,
    /// What each step's values come to
    #[arg(long, value_name = "LIST", value_delimiter = ',', requires = "every")]
    pub agg: Vec<Aggregate>,
    /// Peak resident memory of the whole process: 16MiB, 1GB, 60%
    #[arg(long, value_name = "SIZE")]
    pub within: Option<Within>,
}

/// `plimsoll series get`
pub(super) fn get(args: &GetArgs, session: &Session) -> Result<(), Failure> {
    let sizes = buffers(args.within, |sizes| PlsPoints::<Packed>::HEAP_BYTES + sizes.output)?;
    let path = name(&args.input);
    let fail = |error| Failure::input(&path, &error);
    match Packed::open(&args.input)? {
        Packed::File(file) => {
            let mut points = PlsPoints::new(file);
            let schema = points.schema().map_err(fail)?.cloned().ok_or_else(|| no_head(&path))?;
            let range = range(args, &schema)?;
            points.narrow(range).map_err(fail)?;
            write(args, points, &schema, range, sizes.output, session)
        }
        Packed::Stream(stream) => {
            let mut points = PlsPoints::new(stream);
            let schema = points.schema().map_err(fail)?.cloned().ok_or_else(|| no_head(&path))?;
            write(args, points, &schema, range(args, &schema)?, sizes.output, session)
        }
    }
}

fn write<I: plimsoll_formats::series::PlsInput>(
    args: &GetArgs,
    points: PlsPoints<I>,
    schema: &Schema,
    range: TimeRange,
    buffer_bytes: usize,
    session: &Session,
) -> Result<(), Failure> {
    let every = args.every.as_deref().map(|every| step(every, schema.unit)).transpose()?;
    let mut out = args.output.begin(buffer_bytes)?;
    let result = match every {
        None => {
            let mut text = CsvOutput::new(&mut out);
            feed(points, &args.input, range, &mut Lines(&mut text), session).map(drop)
        }
        Some(every) => {
            let mut steps = Steps::new(every, range, &args.agg, &mut out);
            feed(points, &args.input, range, &mut steps, session)
                .and_then(|schema| steps.end(&schema).map_err(Ended::Write))
        }
    };
    match result {
        Ok(()) => {}
        Err(Ended::Write(error)) => return args.output.failed(error),
        Err(Ended::Failed(failure)) => return Err(failure),
    }
    match out.flush() {
        Ok(()) => args.output.finish(out),
        Err(error) => args.output.failed(error),
    }
}

fn range(args: &GetArgs, schema: &Schema) -> Result<TimeRange, Failure> {
    let parse = |option: &str, text: &Option<String>| {
        text.as_deref().map(|text| time(option, text, schema)).transpose()
    };
    let from = parse("--from", &args.from)?.unwrap_or(i64::MIN);
    Ok(TimeRange { from, to: parse("--to", &args.to)? })
}

fn time(option: &str, text: &str, schema: &Schema) -> Result<i64, Failure> {
    let wrong = |problem: &dyn std::fmt::Display| Failure::Usage(format!("{option} {text}: {problem}"));
    let shift = match schema.time.as_ref().map(|time| time.text) {
        Some(TimeText::Decimal(shift)) => shift,
        _ => 0,
    };
    if let Ok(time) = parse_decimal(text, shift) {
        return Ok(time);
    }
    if schema.unit == TimeUnit::Ticks {
        return Err(wrong(&"times of this file are numbers"));
    }
    parse_iso(text, unit_digits(schema.unit)).map_err(|error| wrong(&error))
}

const STEPS: [(&str, u64); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// A length of time in units of the file.
fn step(text: &str, unit: TimeUnit) -> Result<i64, Failure> {
    let wrong = |problem: String| Failure::Usage(format!("--every {text}: {problem}"));
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, name) = text.split_at(digits);
    let number = number.parse::<i64>().ok().filter(|number| *number > 0);
    let number =
        number.ok_or_else(|| wrong("write a length of time such as 1h, 5m, 30s or 100ms".to_owned()))?;
    if name.is_empty() {
        return Ok(number);
    }
    let known = STEPS.iter().find(|(known, _)| *known == name);
    let (_, nanos) =
        known.ok_or_else(|| wrong(format!("`{name}` is no unit: write ns, us, ms, s, m, h, d or w")))?;
    let Some(per_second) = unit.per_second() else {
        return Err(wrong("times of this file are ticks: write a number of them".to_owned()));
    };
    let one = i128::from(1_000_000_000 / per_second);
    let all = i128::from(number) * i128::from(*nanos);
    if all % one != 0 {
        return Err(wrong(format!("it is no whole number of the file's units ({})", unit_name(unit))));
    }
    i64::try_from(all / one).map_err(|_| wrong("it is too long".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_whole_units() {
        assert_eq!(step("1h", TimeUnit::Seconds).unwrap(), 3600);
        assert_eq!(step("100ms", TimeUnit::Microseconds).unwrap(), 100_000);
        assert_eq!(step("7", TimeUnit::Ticks).unwrap(), 7);
        for (text, unit) in [
            ("100ms", TimeUnit::Seconds),
            ("1h", TimeUnit::Ticks),
            ("0s", TimeUnit::Seconds),
            ("h", TimeUnit::Seconds),
            ("1fortnight", TimeUnit::Seconds),
            ("9223372036854775807w", TimeUnit::Nanoseconds),
        ] {
            assert!(step(text, unit).is_err(), "{text} of {}", unit_name(unit));
        }
    }
}
