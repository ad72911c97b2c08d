//! `plimsoll series unpack`: a file of blocks becomes the table of text that it was.

use super::input::{Packed, name, warn};
use super::memory::buffers;
use super::output::OutputArgs;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::size::Within;
use clap::Args;
use plimsoll_formats::FormatError;
use plimsoll_formats::series::{CsvOutput, PlsEvent, PlsInput, PlsPoints, Schema, TimeRange};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// `series unpack`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll series unpack log.pls -o log.csv\n  plimsoll series unpack log.pls | head"
)]
pub(super) struct UnpackArgs {
    /// The packed file; the standard input if absent or `-`
    #[arg(value_name = "IN", default_value = "-", hide_default_value = true)]
    pub input: PathBuf,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Peak resident memory of the whole process: 16MiB, 1GB, 60%
    #[arg(long, value_name = "SIZE")]
    pub within: Option<Within>,
}

/// `plimsoll series unpack`
pub(super) fn unpack(args: &UnpackArgs, session: &Session) -> Result<(), Failure> {
    let sizes = buffers(args.within, |sizes| PlsPoints::<Packed>::HEAP_BYTES + sizes.output)?;
    let points = PlsPoints::new(Packed::open(&args.input)?);
    let mut out = CsvOutput::new(args.output.begin(sizes.output)?);
    match to_text(points, &args.input, TimeRange::ALL, &mut out, session) {
        Ok(()) => {}
        Err(Ended::Write(error)) => return args.output.failed(error),
        Err(Ended::Failed(failure)) => return Err(failure),
    }
    match out.finish() {
        Ok(out) => args.output.finish(out),
        Err(error) => args.output.failed(error),
    }
}

/// Why reading ended before its end.
pub(super) enum Ended {
    /// The output failed.
    Write(io::Error),
    /// Anything else.
    Failed(Failure),
}

/// Writes the points of `range` as text.
pub(super) fn to_text<I: PlsInput, W: Write>(
    mut points: PlsPoints<I>,
    path: &Path,
    range: TimeRange,
    out: &mut CsvOutput<W>,
    session: &Session,
) -> Result<(), Ended> {
    let path = name(path);
    let mut now: Option<Schema> = None;
    let result = points.read(range, |event| {
        match event {
            PlsEvent::Schema(schema) => {
                if let Some(before) = now.as_ref().filter(|before| !before.is_like(schema)) {
                    return Err(Source::Ended(Ended::Failed(unlike(&path, before, schema))));
                }
                now = Some(schema.clone());
                out.begin(schema).map_err(Ended::Write)?;
            }
            PlsEvent::Block(_) if session.is_cancelled() => {
                return Err(Ended::Failed(Failure::Cancelled).into());
            }
            PlsEvent::Block(_) => {}
            PlsEvent::Point(time, values) => {
                if let Some(schema) = &now {
                    out.point(schema, time, values).map_err(Ended::Write)?;
                }
            }
            // Without a head there is one failure for all of it.
            PlsEvent::Damaged(_) if now.is_none() => {}
            PlsEvent::Damaged(damaged) => warn(&path, damaged),
        }
        Ok(())
    });
    result.map_err(|source| match source {
        Source::Ended(ended) => ended,
        Source::Input(error) => Ended::Failed(Failure::input(&path, &error)),
    })?;
    match now {
        Some(_) => Ok(()),
        None => Err(Ended::Failed(no_head(&path))),
    }
}

/// Who ended the reading.
pub(super) enum Source {
    /// Who takes the points.
    Ended(Ended),
    /// The input.
    Input(FormatError),
}

impl From<FormatError> for Source {
    fn from(error: FormatError) -> Self {
        Self::Input(error)
    }
}

impl From<Ended> for Source {
    fn from(ended: Ended) -> Self {
        Self::Ended(ended)
    }
}

/// The failure of a file without a head.
pub(super) fn no_head(path: &Path) -> Failure {
    Failure::Input(format!(
        "{}: malformed series: there is no head, so this is no series file",
        path.display()
    ))
}

/// The failure of points that cannot stand in one table.
pub(super) fn unlike(path: &Path, before: &Schema, after: &Schema) -> Failure {
    let names = |schema: &Schema| {
        let names: Vec<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
        names.join(",")
    };
    Failure::Input(format!(
        "{}: points with the columns {} follow points with the columns {}, or their units differ: they make no one table",
        path.display(),
        names(after),
        names(before)
    ))
}
