//! `plimsoll series pack`: a table of text becomes a file of blocks.

use super::input::{is_standard, name, open_text};
use super::memory::buffers;
use super::output::OutputArgs;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::size::Within;
use clap::{Args, ValueEnum};
use plimsoll_core::series::{Kind, MAX_BLOCK_BYTES, MAX_COLUMNS, MAX_POINTS, TimeUnit, Tolerance};
use plimsoll_formats::FormatError;
use plimsoll_formats::series::{
    Coder, ColumnWanted, CsvItem, CsvPoints, CsvWanted, PlsOptions, PlsWriter, Schema, TimeWanted, Written,
    kind_of, resume_at, unit_of,
};
use plimsoll_os::input::PositionedFile;
use serde_json::json;
use std::fs::OpenOptions;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// `series pack`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Without --time, the column called time, timestamp, datetime, date or ts is the time, else the first one if it has dates
or whole numbers; else, and if it is finer than nanoseconds, points are numbered. Empty fields and NA are kept as missing and come back as empty fields.\n\n\
Examples:\n  \
plimsoll series pack log.csv -o log.pls\n  \
plimsoll series pack log.csv -o log.pls --time when --unit ms --columns temperature,pressure:f32\n  \
plimsoll series pack log.csv -o log.pls --max-error 0.005\n  \
sensor | plimsoll series pack --time 1 --time-in s --unit ms --append log.pls")]
pub(super) struct PackArgs {
    /// The table: text with delimiters; the standard input if absent or `-`
    #[arg(value_name = "IN", default_value = "-", hide_default_value = true)]
    pub input: PathBuf,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Append to this file instead; it keeps its unit and must have the same columns
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output", "overwrite"])]
    pub append: Option<PathBuf>,
    /// The column of time, by name or number from 1, or none
    #[arg(long, value_name = "COL")]
    pub time: Option<String>,
    /// What timestamps count: s, ms, us, ns or ticks; as fine as the first ones need if absent
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    pub unit: Option<TimeUnit>,
    /// The unit of timestamps that are decimal numbers: s for 0.01 seconds
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    pub time_in: Option<TimeUnit>,
    /// The columns of values, by name or number, with :i32 :i64 :f32 :f64 if it is not to be found out
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = column)]
    pub columns: Option<Vec<ColumnWanted>>,
    /// Between columns: a character, or tab; found out if absent
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    pub delimiter: Option<u8>,
    /// The first line has values, not names
    #[arg(long, conflicts_with = "header")]
    pub no_header: bool,
    /// The first line has names
    #[arg(long)]
    pub header: bool,
    /// The largest error of any value, in its own unit, or rel:R for a part of each value (its first five digits
    /// count); without it, none
    #[arg(long, value_name = "E", value_parser = tolerance)]
    pub max_error: Option<Tolerance>,
    /// Points of a block at most
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_POINTS)))]
    pub block_points: u32,
    /// Bytes of a block at most: 256B to 64KiB
    #[arg(long, value_name = "SIZE", default_value = "64KiB", value_parser = block_bytes)]
    pub block_bytes: usize,
    /// What a reader must remember for each column: small 1 KiB, large 4 KiB; lean 1 KiB, with least work
    #[arg(long, value_enum, default_value_t = ProfileArg::Large)]
    pub profile: ProfileArg,
    /// How points are coded
    #[arg(long, value_enum, default_value_t = BackendArg::Arith)]
    pub backend: BackendArg,
    /// State the range and sum of each column in each block, in 24 bytes a column
    #[arg(long)]
    pub ranges: bool,
    /// Peak resident memory of the whole process: 16MiB, 1GB, 60%
    #[arg(long, value_name = "SIZE")]
    pub within: Option<Within>,
    /// Say what was done as JSON, on the standard error if the output is the standard one
    #[arg(long)]
    pub json: bool,
    /// Print nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// `--profile`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProfileArg {
    /// 1 KiB
    Small,
    /// 4 KiB
    Large,
    /// 1 KiB, half the work; 7 % more bytes than small on noisy series, up to a quarter more on smooth ones
    Lean,
}

/// `--backend`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum BackendArg {
    /// A range coder: smallest
    Arith,
    /// Golomb-Rice codes: no multiplications; the same in all profiles
    Rice,
    /// Bit-packing: fastest; the same in all profiles
    Pack,
}

fn unit(text: &str) -> Result<TimeUnit, String> {
    unit_of(text).ok_or_else(|| "write s, ms, us, ns or ticks".to_owned())
}

fn column(text: &str) -> Result<ColumnWanted, String> {
    let (column, kind) = match text.rsplit_once(':') {
        Some((column, kind)) if kind_of(kind).is_some() => (column, kind_of(kind)),
        _ => (text, None::<Kind>),
    };
    match column.is_empty() {
        true => Err("a column's name or number is missing".to_owned()),
        false => Ok(ColumnWanted { column: column.to_owned(), kind }),
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err("write one character, or tab".to_owned()),
    }
}

fn tolerance(text: &str) -> Result<Tolerance, String> {
    let (relative, number) = match text.strip_prefix("rel:") {
        Some(number) => (true, number),
        None => (false, text),
    };
    let number: f64 = number.parse().map_err(|_| "write a number such as 0.005, or rel:0.001".to_owned())?;
    let number = if number > 0.0 && number.is_finite() { five_digits(number) } else { number };
    match (relative, number) {
        (_, 0.0) => Ok(Tolerance::Lossless),
        (true, part) if part > 0.0 && part < 1.0 => Ok(Tolerance::Relative(part)),
        (false, error) if error > 0.0 && error.is_finite() => Ok(Tolerance::Absolute(error)),
        _ => Err("it must be above 0 and finite, a relative one below 1".to_owned()),
    }
}

/// The number rounded down to five digits: what the file's head says of it stays short, and no error is larger.
fn five_digits(number: f64) -> f64 {
    let text = format!("{number:.4e}");
    let near = text.parse().unwrap_or(number);
    if near <= number {
        return near;
    }
    // Ten-thousandths of the leading digit: one less.
    let down = text.split_once('e').and_then(|(digits, exponent)| {
        let digits: u32 = digits.replace('.', "").parse().ok()?;
        let exponent: i32 = exponent.parse().ok()?;
        format!("{}e{}", digits - 1, exponent - 4).parse().ok()
    });
    down.unwrap_or(number)
}

fn block_bytes(text: &str) -> Result<usize, String> {
    match text.parse::<Within>()? {
        Within::Bytes(bytes) if (256..=MAX_BLOCK_BYTES as u64).contains(&bytes) => Ok(bytes as usize),
        _ => Err("it must be between 256B and 64KiB".to_owned()),
    }
}

/// `plimsoll series pack`
pub(super) fn pack(args: &PackArgs, session: &Session) -> Result<(), Failure> {
    let coder = match (args.backend, args.profile) {
        (BackendArg::Arith, ProfileArg::Small) => Coder::Small,
        (BackendArg::Arith, ProfileArg::Large) => Coder::Large,
        (BackendArg::Arith, ProfileArg::Lean) => Coder::Lean,
        (BackendArg::Rice, _) => Coder::Rice,
        (BackendArg::Pack, _) => Coder::Pack,
    };
    // Within a tolerance, each block is written losslessly, too, and the shorter one kept.
    let tolerant = args.max_error.is_some_and(|tolerance| tolerance != Tolerance::Lossless);
    let block_bytes = if tolerant { 2 * args.block_bytes } else { args.block_bytes };
    let sizes = buffers(args.within, |sizes| {
        CsvPoints::<std::io::Empty>::heap_bytes(sizes.look, sizes.input, sizes.record)
            + PlsWriter::<std::io::Sink>::heap_bytes(coder, MAX_COLUMNS, tolerant)
            + block_bytes
            + sizes.output
    })?;
    let wanted = CsvWanted {
        time: match args.time.as_deref() {
            None => TimeWanted::Found,
            Some("none") => TimeWanted::None,
            Some(column) => TimeWanted::Column(column.to_owned()),
        },
        unit: args.unit,
        time_in: args.time_in,
        columns: args.columns.clone(),
        delimiter: args.delimiter,
        header: (args.header || args.no_header).then_some(args.header),
    };
    let options =
        PlsOptions { coder, block_points: args.block_points, ranges: args.ranges, ..PlsOptions::default() };
    let input = name(&args.input);
    let fail = |error: FormatError| Failure::input(&input, &error);
    if !is_standard(&args.input) && args.append.as_ref() == Some(&args.input) {
        return Err(Failure::Usage(format!("{}: it is input and output at once", input.display())));
    }
    let text = open_text(&args.input)?;
    let mut points = CsvPoints::new(text, &wanted, sizes.look, sizes.input, sizes.record).map_err(fail)?;
    if let Some(tolerance) = args.max_error {
        points.schema_mut().columns.iter_mut().for_each(|column| column.tolerance = tolerance);
    }
    let mut block = vec![0; block_bytes];
    let schema = points.schema().clone();
    let (written, schema) = match &args.append {
        Some(path) => {
            let old = PositionedFile::open(path).map_err(|error| Failure::opening(&error))?;
            let (end, before, index) = resume_at(&old).map_err(|error| Failure::output(path, &error))?;
            if !before.is_like(&schema) {
                return Err(Failure::Usage(format!(
                    "{}: its points have other columns or another unit than {}; choose them with --time, --unit and --columns",
                    path.display(),
                    input.display()
                )));
            }
            points.number_from(index.entries().iter().map(|entry| entry.points).sum());
            let io =
                |operation: &'static str| move |error: std::io::Error| Failure::io(operation, path, &error);
            let mut file = OpenOptions::new().write(true).open(path).map_err(io("open"))?;
            file.set_len(end).map_err(io("cut the index from"))?;
            file.seek(SeekFrom::Start(end)).map_err(io("write"))?;
            let writer = PlsWriter::behind(file, schema, options, &mut block, index, end)
                .map_err(|error| Failure::output(path, &error))?;
            let (file, written, schema) = feed(writer, &mut points, args, session)?;
            if !args.output.no_sync {
                file.sync_all().map_err(io("sync"))?;
            }
            (written, schema)
        }
        None => {
            let out = args.output.begin(sizes.output)?;
            let writer = PlsWriter::new(out, schema, options, &mut block)
                .map_err(|error| Failure::output(args.output.name(), &error))?;
            let (out, written, schema): (BufWriter<_>, _, _) = feed(writer, &mut points, args, session)?;
            args.output.finish(out)?;
            (written, schema)
        }
    };
    say(args, &written, &schema, points.parsed_bytes());
    Ok(())
}

/// All points of a table into a file.
fn feed<W: Write>(
    mut writer: PlsWriter<'_, W>,
    points: &mut CsvPoints<Box<dyn std::io::Read>>,
    args: &PackArgs,
    session: &Session,
) -> Result<(W, Written, Schema), Failure> {
    let input = name(&args.input);
    let target = args.append.as_deref().unwrap_or(args.output.name());
    let mut count = 0_u32;
    let mut each = || {
        while let Some(item) = points.next_item().map_err(|error| Failure::input(&input, &error))? {
            match item {
                CsvItem::Point(time, values) => writer.push(time, values),
                CsvItem::Changed(schema) => writer.change(schema.clone()),
            }
            .map_err(|error| Failure::output(target, &error))?;
            count = count.wrapping_add(1);
            if count.is_multiple_of(4096) && session.is_cancelled() {
                return Err(Failure::Cancelled);
            }
        }
        Ok(())
    };
    if let Err(failure) = each() {
        // A file that is appended to keeps the points up to there; one that appears when it is complete has none. The
        // first failure is the one that is told.
        if args.append.is_some() {
            let _ = writer.finish();
        }
        return Err(failure);
    }
    let schema = writer.schema().clone();
    let (out, written) = writer.finish().map_err(|error| Failure::output(target, &error))?;
    Ok((out, written, schema))
}

fn say(args: &PackArgs, written: &Written, schema: &Schema, text_bytes: u64) {
    if args.quiet {
        return;
    }
    let raw = written.points
        * (8 + schema.columns.iter().map(|column| u64::from(column.kind.bits()) / 8).sum::<u64>());
    let bits = written.bytes as f64 * 8.0 / written.points.max(1) as f64;
    let line = if args.json {
        json!({
            "points": written.points,
            "blocks": written.blocks,
            "bytes": written.bytes,
            "raw_bytes": raw,
            "text_bytes": text_bytes,
            "bits_per_point": bits,
            "ratio": raw as f64 / written.bytes.max(1) as f64,
        })
        .to_string()
    } else {
        format!(
            "{} points in {} blocks, {} bytes: {bits:.2} bits a point, {:.2} times smaller than raw, {:.2} times smaller than the text",
            written.points,
            written.blocks,
            written.bytes,
            raw as f64 / written.bytes.max(1) as f64,
            text_bytes as f64 / written.bytes.max(1) as f64,
        )
    };
    // The table's or the file's own stream is not mixed with it.
    if args.json && (args.append.is_some() || !args.output.is_standard()) {
        println!("{line}");
    } else {
        eprintln!("{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_digits_are_never_more() {
        for (number, expected) in [
            (0.005, 0.005),
            (7.399999999999984e-7, 7.3999e-7),
            (0.1 + 0.2, 0.3),
            (1.23456789, 1.2345),
            (9.99999e9, 9.999e9),
        ] {
            assert_eq!(five_digits(number), expected);
        }
        for bits in (1..u64::MAX >> 1).step_by(1 << 54) {
            let number = f64::from_bits(bits);
            if number.is_finite() {
                let rounded = five_digits(number);
                assert!(rounded <= number && rounded >= number * 0.999, "{number:e} became {rounded:e}");
            }
        }
    }
}
