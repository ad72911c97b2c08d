//! The points of a file, all of them or those of a range of time.

use super::index::{Entry, Index};
pub use super::scan::Damaged;
use super::scan::{Input, Item, Scanner, Seeking};
use crate::FormatError;
use crate::series::codec::BlockPoints;
use crate::series::schema::Schema;
use plimsoll_core::bytes::ReadAt;
use plimsoll_core::series::{Header, MAX_COLUMNS, Word};
use std::io;

/// Timestamps from `from` on and before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// The first that is wanted.
    pub from: i64,
    /// The first that is not; `None` if all are.
    pub to: Option<i64>,
}

impl TimeRange {
    /// All of them.
    pub const ALL: Self = Self { from: i64::MIN, to: None };

    /// Whether `time` is one.
    pub fn contains(&self, time: i64) -> bool {
        self.from <= time && self.to.is_none_or(|to| time < to)
    }

    /// Whether any between `min` and `max` is.
    fn touches(&self, min: i64, max: i64) -> bool {
        self.from <= max && self.to.is_none_or(|to| min < to)
    }
}

/// What happens while points are read.
#[derive(Clone, Copy, Debug)]
pub enum PlsEvent<'e> {
    /// Points from here on are of this schema.
    Schema(&'e Schema),
    /// A block begins.
    Block(&'e Header),
    /// A point.
    Point(i64, &'e [Word]),
    /// Points may be missing here.
    Damaged(&'e Damaged),
}

/// What is wanted of a block that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlsWanted {
    /// Its points.
    Points,
    /// Nothing more: its header said enough.
    Nothing,
}

/// Reads the points of a file in order.
#[derive(Debug)]
pub struct PlsPoints<I> {
    scanner: Scanner<I>,
    schema: Option<Schema>,
    /// Whether the sink was told of the schema.
    told: bool,
    /// Where the head begins that is in force.
    head: Option<u64>,
    /// Runs of blocks from the index that may have what is wanted, and where the one ends that is being read.
    runs: Option<(std::vec::IntoIter<Run>, u64)>,
}

/// A run of blocks in the index: where it begins and ends, and where its head begins.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: u64,
    end: u64,
    head: u64,
}

impl<I: Input> PlsPoints<I> {
    /// Heap bytes of a reader: the scanner's buffer, the index, and decoders of eight columns.
    pub const HEAP_BYTES: usize = super::scan::SCAN_BYTES
        + 2 * Index::HEAP_BYTES
        + super::layout::MOST_HEAD_BYTES
        + BlockPoints::HEAP_BYTES;

    /// Points of `input` from its start.
    pub fn new(input: I) -> Self {
        Self { scanner: Scanner::new(input), schema: None, told: true, head: None, runs: None }
    }

    /// The first schema of the file, before any point is read; `None` if there is none.
    ///
    /// # Errors
    /// The device's.
    pub fn schema(&mut self) -> Result<Option<&Schema>, FormatError> {
        if self.schema.is_none()
            && let Some(Item::Schema(schema)) = self.scanner.next_item(|_| true)?
        {
            (self.schema, self.head, self.told) = (Some(schema), Some(self.scanner.given_offset()), false);
        }
        Ok(self.schema.as_ref())
    }

    /// Gives every point within `range` to `sink`, block by block: blocks outside are skipped by their headers. `sink`
    /// ends the reading with an error of its own.
    ///
    /// # Errors
    /// The sink's; the device's; [`FormatError::Malformed`] if a block comes before any head.
    pub fn read<E: From<FormatError>>(
        &mut self,
        range: TimeRange,
        mut sink: impl FnMut(PlsEvent<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.read_wanted(range, |event| sink(event).map(|()| PlsWanted::Points))
    }

    /// The same for a `sink` that may pass over the points of a block when it sees its header; what it returns of
    /// anything else is of no effect.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn read_wanted<E: From<FormatError>>(
        &mut self,
        range: TimeRange,
        mut sink: impl FnMut(PlsEvent<'_>) -> Result<PlsWanted, E>,
    ) -> Result<(), E> {
        let mut values = [Word::default(); MAX_COLUMNS];
        if let Some(schema) = self.schema.as_ref().filter(|_| !self.told) {
            self.told = true;
            sink(PlsEvent::Schema(schema))?;
        }
        loop {
            if !self.in_run(&mut sink)? {
                return Ok(());
            }
            let wants = |header: &Header| range.touches(header.min_time, header.max_time);
            let Some(item) = self.scanner.next_item(wants)? else { return Ok(()) };
            match item {
                Item::Schema(schema) => {
                    sink(PlsEvent::Schema(&schema))?;
                    (self.schema, self.head) = (Some(schema), Some(self.scanner.given_offset()));
                }
                Item::Damaged(damaged) => {
                    sink(PlsEvent::Damaged(&damaged))?;
                }
                Item::Skipped(_) | Item::Index(_) => {}
                Item::Block(header, block) => {
                    let Some(schema) = &self.schema else {
                        let problem = "there is a block before any head: this is no series file".to_owned();
                        return Err(malformed(problem).into());
                    };
                    let kinds = schema.columns.iter().map(|column| column.kind);
                    if !kinds.eq(header.kinds().iter().copied()) || header.unit != schema.unit {
                        let problem = "a block's columns or unit are not those of its head".to_owned();
                        let damaged = of_block(&header, self.scanner.given_offset(), problem);
                        sink(PlsEvent::Damaged(&damaged))?;
                        continue;
                    }
                    if sink(PlsEvent::Block(&header))? == PlsWanted::Nothing {
                        continue;
                    }
                    let values = &mut values[..header.columns];
                    if let Err(damage) = decode(&header, block, range, values, &mut sink)? {
                        let damaged = of_block(&header, self.scanner.given_offset(), damage);
                        sink(PlsEvent::Damaged(&damaged))?;
                    }
                }
            }
        }
    }
}

impl<R: ReadAt<Error = io::Error>> PlsPoints<Seeking<R>> {
    /// Reads of the file only what its index says may be within `range`. Without a sound index, and for times that go
    /// back, it is the same and takes longer.
    ///
    /// # Errors
    /// The device's.
    pub fn with_index(input: Seeking<R>, range: TimeRange) -> Result<Self, FormatError> {
        let mut points = Self::new(input);
        points.narrow(range)?;
        Ok(points)
    }

    /// The same for a reader that has read no more than the first schema.
    ///
    /// # Errors
    /// The device's.
    pub fn narrow(&mut self, range: TimeRange) -> Result<(), FormatError> {
        let file = self.scanner.input().file();
        let found = Index::find(file).map_err(|error| FormatError::read(file.len(), error))?;
        if let Some((index, end)) = found {
            let entries = index.entries();
            let ends = entries.iter().skip(1).map(|entry| entry.offset).chain([end]);
            let wanted =
                entries.iter().zip(ends).filter(|(entry, _)| range.touches(entry.min_time, entry.max_time));
            let run = |(entry, end): (&Entry, u64)| Run { start: entry.offset, end, head: entry.head };
            let mut runs: Vec<Run> = wanted.map(run).collect();
            if runs.is_empty() {
                // The head alone tells what the file would have.
                runs.extend(entries.first().map(|entry| Run { start: end, end, head: entry.head }));
            }
            self.runs = Some((runs.into_iter(), 0));
        }
        Ok(())
    }
}

impl<I: Input> PlsPoints<I> {
    /// Goes to the next run when one is done; false at the end of all.
    fn in_run<E: From<FormatError>>(
        &mut self,
        sink: &mut impl FnMut(PlsEvent<'_>) -> Result<PlsWanted, E>,
    ) -> Result<bool, E> {
        let Some((runs, end)) = &mut self.runs else { return Ok(true) };
        while self.scanner.offset() >= *end {
            let Some(run) = runs.next() else { return Ok(false) };
            *end = run.end;
            if self.head != Some(run.head) {
                let wrong = || malformed("the index points to a head that is not there".to_owned());
                if !self.scanner.seek(run.head) {
                    return Err(wrong().into());
                }
                let Some(Item::Schema(schema)) = self.scanner.next_item(|_| false)? else {
                    return Err(wrong().into());
                };
                sink(PlsEvent::Schema(&schema))?;
                (self.schema, self.head) = (Some(schema), Some(run.head));
            }
            self.scanner.seek(run.start);
        }
        Ok(true)
    }
}

/// Gives the points of a block; the inner error is what is wrong with it.
fn decode<E>(
    header: &Header,
    block: &[u8],
    range: TimeRange,
    values: &mut [Word],
    sink: &mut impl FnMut(PlsEvent<'_>) -> Result<PlsWanted, E>,
) -> Result<Result<(), String>, E> {
    let mut points = match BlockPoints::new(header.columns, block) {
        Ok(points) => points,
        Err(damage) => return Ok(Err(damage.to_string())),
    };
    loop {
        match points.next_into(values) {
            Ok(Some(time)) if range.contains(time) => {
                sink(PlsEvent::Point(time, values))?;
            }
            Ok(Some(_)) => {}
            Ok(None) => return Ok(Ok(())),
            Err(damage) => return Ok(Err(damage.to_string())),
        }
    }
}

fn of_block(header: &Header, offset: u64, problem: String) -> Damaged {
    Damaged { offset, bytes: header.block_bytes() as u64, problem, unfinished: false }
}

fn malformed(problem: String) -> FormatError {
    FormatError::Malformed { format: "series", problem, offset: None }
}
