//! What points come to in equal steps of time: one step in memory at a time.

use super::reading::Taker;
use plimsoll_core::series::{Header, Kind, MAX_COLUMNS, Range, Word};
use plimsoll_formats::series::{PlsWanted, Schema, TimeRange, write_name, write_time};
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
    /// The sum of magnitudes: up to 2^53 sums of whole numbers are exact in whatever order.
    magnitudes: f64,
}

/// Whole numbers up to this are exact in binary64.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Sum {
    /// Whether `points` values of `range` add the same as one by one, as far as `wanted` goes.
    fn takes(&self, kind: Kind, wanted: &[Aggregate], points: u32, range: &Range) -> bool {
        let most = range.min.number(kind).abs().max(range.max.number(kind).abs());
        let exact = !kind.is_float() && self.magnitudes + most * f64::from(points) <= EXACT;
        wanted.iter().all(|aggregate| match aggregate {
            Aggregate::Min | Aggregate::Max => true,
            // Of floats it is not said how many are NaN, and their sums depend on the order.
            Aggregate::Mean | Aggregate::Count => exact,
            Aggregate::First | Aggregate::Last => false,
        })
    }

    /// Adds `points` values at once.
    fn add_range(&mut self, kind: Kind, points: u32, range: &Range) {
        // All are NaN then.
        if range.min.number(kind).is_nan() {
            return;
        }
        let most = range.min.number(kind).abs().max(range.max.number(kind).abs());
        self.extremes(kind, range.min, range.max);
        self.sum += range.sum;
        self.magnitudes += most * f64::from(points);
        self.count += u64::from(points);
    }

    fn extremes(&mut self, kind: Kind, min: Word, max: Word) {
        if self.count == 0 || less(kind, min, self.min) {
            self.min = min;
        }
        if self.count == 0 || less(kind, self.max, max) {
            self.max = max;
        }
    }

    fn add(&mut self, kind: Kind, value: Word) {
        let number = value.number(kind);
        if number.is_nan() {
            return;
        }
        if self.count == 0 {
            self.first = value;
        }
        self.extremes(kind, value, value);
        self.last = value;
        self.sum += number;
        self.magnitudes += number.abs();
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
    range: TimeRange,
    wanted: &'a [Aggregate],
    out: &'a mut W,
    begun: bool,
    start: Option<i64>,
    sums: [Sum; MAX_COLUMNS],
}

impl<'a, W: Write> Steps<'a, W> {
    /// Steps of `every` units, which begin at multiples of it, of the points in `range`.
    pub(super) fn new(every: i64, range: TimeRange, wanted: &'a [Aggregate], out: &'a mut W) -> Self {
        Self { every, range, wanted, out, begun: false, start: None, sums: [Sum::default(); MAX_COLUMNS] }
    }

    /// Turns to the step that `time` is in. A clock that goes back to an earlier step begins that one again.
    fn turn(&mut self, schema: &Schema, time: i64) -> io::Result<()> {
        let start = self.start_of(time);
        if self.start != Some(start) {
            self.end(schema)?;
            self.start = Some(start);
        }
        Ok(())
    }

    fn start_of(&self, time: i64) -> i64 {
        time.saturating_sub(time.rem_euclid(self.every))
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

impl<W: Write> Taker for Steps<'_, W> {
    /// The line of names, once.
    fn begin(&mut self, schema: &Schema, before: Option<&Schema>) -> io::Result<()> {
        let kinds = |schema: &Schema| schema.columns.iter().map(|column| column.kind).collect::<Vec<_>>();
        if let Some(before) = before.filter(|before| kinds(before) != kinds(schema)) {
            // Sums of one kind are not those of another.
            self.end(before)?;
        }
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        let delimiter = [schema.delimiter];
        write_name(schema.time.as_ref().map_or("point", |time| &time.name), schema.delimiter, self.out)?;
        for column in &schema.columns {
            for aggregate in self.wanted {
                self.out.write_all(&delimiter)?;
                let name = format!("{}_{}", column.name, aggregate.name());
                write_name(&name, schema.delimiter, self.out)?;
            }
        }
        self.out.write_all(b"\n")
    }

    /// A block that lies inside one step need not be decoded where its header says enough.
    fn block(&mut self, schema: &Schema, header: &Header) -> io::Result<PlsWanted> {
        let (min, max) = (header.min_time, header.max_time);
        let inside =
            self.range.contains(min) && self.range.contains(max) && self.start_of(min) == self.start_of(max);
        let Some(ranges) = header.ranges().filter(|_| inside) else { return Ok(PlsWanted::Points) };
        let empty = Sum::default();
        let same = self.start == Some(self.start_of(min));
        let takes = self.sums.iter().zip(&schema.columns).zip(ranges).all(|((sum, column), range)| {
            let sum = if same { sum } else { &empty };
            sum.takes(column.kind, self.wanted, header.points, range)
        });
        if !takes {
            return Ok(PlsWanted::Points);
        }
        self.turn(schema, min)?;
        for ((sum, column), range) in self.sums.iter_mut().zip(&schema.columns).zip(ranges) {
            sum.add_range(column.kind, header.points, range);
        }
        Ok(PlsWanted::Nothing)
    }

    fn point(&mut self, schema: &Schema, time: i64, values: &[Word]) -> io::Result<()> {
        self.turn(schema, time)?;
        for ((sum, column), value) in self.sums.iter_mut().zip(&schema.columns).zip(values) {
            sum.add(column.kind, *value);
        }
        Ok(())
    }
}
