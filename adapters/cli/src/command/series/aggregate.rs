//! What points come to in equal steps of time: one step in memory at a time.

use plimsoll_core::series::{Kind, MAX_COLUMNS, Word};
use plimsoll_formats::series::{Schema, write_time};
use plimsoll_formats::text::{NumberText, Precision, TimeText, write_f32, write_f64};
use std::io::{self, Write};

/// What a step's values come to. Missing values and NaN do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Aggregate {
    /// The least value
    Min,
    /// The largest value
    Max,
    /// Their sum, added in order, divided by their number
    Mean,
    /// The one that came first
    First,
    /// The one that came last
    Last,
    /// Their number
    Count,
}

impl Aggregate {
    fn name(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::First => "first",
            Self::Last => "last",
            Self::Count => "count",
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    count: u64,
    sum: f64,
    first: Word,
    last: Word,
    min: Word,
    max: Word,
}

impl Sum {
    fn add(&mut self, kind: Kind, value: Word) {
        let number = value.number(kind);
        if number.is_nan() {
            return;
        }
        let first = self.count == 0;
        if first {
            self.first = value;
        }
        if first || less(kind, value, self.min) {
            self.min = value;
        }
        if first || less(kind, self.max, value) {
            self.max = value;
        }
        self.last = value;
        self.sum += number;
        self.count += 1;
    }
}

fn less(kind: Kind, a: Word, b: Word) -> bool {
    match kind {
        Kind::I32 => a.i32() < b.i32(),
        Kind::I64 => a.i64() < b.i64(),
        Kind::F32 | Kind::F64 => a.number(kind) < b.number(kind),
    }
}

/// Sums up points step by step and writes a line for each step that has any.
pub(super) struct Steps<'a, W> {
    every: i64,
    wanted: &'a [Aggregate],
    out: &'a mut W,
    begun: bool,
    start: Option<i64>,
    sums: [Sum; MAX_COLUMNS],
}

impl<'a, W: Write> Steps<'a, W> {
    /// Steps of `every` units, which begin at multiples of it.
    pub(super) fn new(every: i64, wanted: &'a [Aggregate], out: &'a mut W) -> Self {
        Self { every, wanted, out, begun: false, start: None, sums: [Sum::default(); MAX_COLUMNS] }
    }

    /// The line of names, once.
    pub(super) fn begin(&mut self, schema: &Schema) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        let delimiter = [schema.delimiter];
        self.out.write_all(schema.time.as_ref().map_or("point", |time| &time.name).as_bytes())?;
        for column in &schema.columns {
            for aggregate in self.wanted {
                self.out.write_all(&delimiter)?;
                write!(self.out, "{}_{}", column.name, aggregate.name())?;
            }
        }
        self.out.write_all(b"\n")
    }

    /// Adds a point. A clock that goes back to an earlier step begins that one again.
    pub(super) fn add(&mut self, schema: &Schema, time: i64, values: &[Word]) -> io::Result<()> {
        let start = time.saturating_sub(time.rem_euclid(self.every));
        if self.start != Some(start) {
            self.end(schema)?;
            self.start = Some(start);
        }
        for ((sum, column), value) in self.sums.iter_mut().zip(&schema.columns).zip(values) {
            sum.add(column.kind, *value);
        }
        Ok(())
    }

    /// Writes the step that is being summed up, if there is one.
    pub(super) fn end(&mut self, schema: &Schema) -> io::Result<()> {
        let Some(start) = self.start.take() else { return Ok(()) };
        let text = match schema.time.as_ref().map(|time| time.text) {
            // Steps may begin between the days or minutes that the points were written in.
            Some(TimeText::Iso(mut iso)) => {
                iso.precision = Precision::Shortest;
                TimeText::Iso(iso)
            }
            Some(text) => text,
            None => TimeText::Whole,
        };
        write_time(start, schema, text, self.out)?;
        for (sum, column) in self.sums.iter_mut().zip(&schema.columns) {
            let sum = std::mem::take(sum);
            for aggregate in self.wanted {
                self.out.write_all(&[schema.delimiter])?;
                let value = match aggregate {
                    Aggregate::Count => {
                        write!(self.out, "{}", sum.count)?;
                        continue;
                    }
                    _ if sum.count == 0 => continue,
                    Aggregate::Mean => {
                        write_f64(sum.sum / sum.count as f64, NumberText::Shortest, self.out)?;
                        continue;
                    }
                    Aggregate::Min => sum.min,
                    Aggregate::Max => sum.max,
                    Aggregate::First => sum.first,
                    Aggregate::Last => sum.last,
                };
                match column.kind {
                    Kind::I32 => write!(self.out, "{}", value.i32())?,
                    Kind::I64 => write!(self.out, "{}", value.i64())?,
                    Kind::F32 => write_f32(value.f32(), column.text, self.out)?,
                    Kind::F64 => write_f64(value.f64(), column.text, self.out)?,
                }
            }
        }
        self.out.write_all(b"\n")
    }
}
