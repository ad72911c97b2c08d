//! The points of a packed file, for whoever takes them: what all commands that read points have in common.

use super::input::{name, warn};
use crate::command::session::Session;
use crate::failure::Failure;
use plimsoll_core::series::{Header, Word};
use plimsoll_formats::FormatError;
use plimsoll_formats::series::{PlsEvent, PlsInput, PlsPoints, PlsWanted, Schema, TimeRange};
use std::io;
use std::path::Path;

/// Takes the points of a file.
pub(super) trait Taker {
    /// Points from here on are of `schema`, those so far were of `before`.
    fn begin(&mut self, schema: &Schema, before: Option<&Schema>) -> io::Result<()>;

    /// A block begins: what is wanted of it.
    fn block(&mut self, _: &Schema, _: &Header) -> io::Result<PlsWanted> {
        Ok(PlsWanted::Points)
    }

    /// A point.
    fn point(&mut self, schema: &Schema, time: i64, values: &[Word]) -> io::Result<()>;
}

/// Gives the points of `range` to `taker`; returns the schema of the last ones.
pub(super) fn feed<I: PlsInput>(
    mut points: PlsPoints<I>,
    path: &Path,
    range: TimeRange,
    taker: &mut impl Taker,
    session: &Session,
) -> Result<Schema, Ended> {
    let path = name(path);
    let mut now: Option<Schema> = None;
    let result = points.read_wanted(range, |event| {
        match event {
            PlsEvent::Schema(schema) => {
                if let Some(before) = now.as_ref().filter(|before| !before.is_like(schema)) {
                    return Err(Source::Ended(Ended::Failed(unlike(&path, before, schema))));
                }
                taker.begin(schema, now.as_ref()).map_err(Ended::Write)?;
                now = Some(schema.clone());
            }
            PlsEvent::Block(_) if session.is_cancelled() => {
                return Err(Ended::Failed(Failure::Cancelled).into());
            }
            PlsEvent::Block(header) => {
                if let Some(schema) = &now {
                    return Ok(taker.block(schema, header).map_err(Ended::Write)?);
                }
            }
            PlsEvent::Point(time, values) => {
                if let Some(schema) = &now {
                    taker.point(schema, time, values).map_err(Ended::Write)?;
                }
            }
            // Without a head there is one failure for all of it.
            PlsEvent::Damaged(_) if now.is_none() => {}
            PlsEvent::Damaged(damaged) => warn(&path, damaged),
        }
        Ok(PlsWanted::Points)
    });
    match result {
        Ok(()) => now.ok_or_else(|| Ended::Failed(no_head(&path))),
        Err(Source::Ended(ended)) => Err(ended),
        Err(Source::Input(error)) => Err(Ended::Failed(Failure::input(&path, &error))),
    }
}

/// Why reading ended before its end.
pub(super) enum Ended {
    /// The output failed.
    Write(io::Error),
    /// Anything else.
    Failed(Failure),
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
