//! The seam between blocks and back ends: what a back end keeps, codes and reads. Everything outside it, waiting,
//! headers, check sums, sizes, is the same for all.

use super::header::{Coding, Header};
use super::settings::Column;
use super::summary::Summary;
use super::word::Word;

/// A back end with its size of model, as a type: firmware pays for the ones it names.
pub trait Back: Copy + core::fmt::Debug {
    /// What a block says of it.
    const CODING: Coding;
    /// Points in a whole group.
    const GROUP: usize;
    /// What writing keeps.
    type Write<const COLUMNS: usize>: WriteSide<COLUMNS>;
    /// What reading keeps.
    type Read<const COLUMNS: usize>: ReadSide<COLUMNS>;
}

/// Writes groups of points into the front of a block buffer.
pub trait WriteSide<const COLUMNS: usize>: Copy + core::fmt::Debug {
    /// For columns of kinds that the back end has.
    fn new(columns: &[Column; COLUMNS], used: usize) -> Option<Self>;

    /// Starts a block: the first timestamp, and where its payload starts. What was found out about the last block's
    /// data may be tried first.
    fn start(&mut self, first: i64, at: usize, columns: &[Column]);

    /// Where the payload would end at most if nothing more came.
    fn end_bound(&self) -> usize;

    /// Codes the points that wait into `buffer`, up to `room`, the `first` group of a block or another, and adds what
    /// they decode to to `sums`. If they do not fit, it is as if it had not tried, except for `buffer` and `sums`.
    fn code(
        &mut self,
        buffer: &mut [u8],
        waiting: &Waiting<'_>,
        first: bool,
        room: usize,
        sums: Sums<'_, COLUMNS>,
    ) -> Coded;

    /// Says that `count` points follow as they are.
    fn store(&mut self, buffer: &mut [u8], count: usize, columns: &[Column], first: bool);

    /// One of them.
    fn store_point(&mut self, buffer: &mut [u8], columns: &[Column], time: i64, words: &[Word]);

    /// Ends the payload; returns where, if all of it fitted.
    fn finish(self, buffer: &mut [u8], start: usize) -> Option<usize>;
}

/// What became of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coded {
    /// It is in the buffer.
    Fits,
    /// It would end behind the room for it.
    Longer,
    /// It would end before, but not in the buffer.
    Cut,
}

impl Coded {
    /// Of one that would end at `end`, `whole` or not.
    #[inline(always)]
    pub(crate) fn of(whole: bool, end: usize, room: usize) -> Self {
        match (end > room, whole) {
            (true, _) => Coded::Longer,
            (false, true) => Coded::Fits,
            (false, false) => Coded::Cut,
        }
    }
}

/// Reads groups of points from a payload.
pub trait ReadSide<const COLUMNS: usize>: Clone + core::fmt::Debug {
    /// At the start of the payload of a block that has these `columns`.
    fn new(header: &Header, payload: &[u8], columns: &[Column; COLUMNS]) -> Option<Self>;

    /// Reads the head of a group: how many points it has; none where it is none.
    fn head(&mut self, payload: &[u8], columns: &[Column]) -> Option<u32>;

    /// The next point of the group.
    fn point(&mut self, payload: &[u8], columns: &[Column], values: &mut [Word]) -> Option<i64>;

    /// The next points of the group, as many as there are places for.
    fn points(&mut self, payload: &[u8], columns: &[Column], into: Places<'_>) -> Option<()> {
        for (time, values) in into.times.iter_mut().zip(into.values.chunks_exact_mut(columns.len().max(1))) {
            *time = self.point(payload, columns, values)?;
        }
        Some(())
    }
}

/// What the columns of a block come to, where it is to say so.
pub(crate) type Sums<'s, const COLUMNS: usize> = Option<&'s mut [Summary; COLUMNS]>;

/// Where points go that are read: `values` are those of the first point, then those of the second.
#[derive(Debug)]
pub struct Places<'v> {
    pub(crate) times: &'v mut [i64],
    pub(crate) values: &'v mut [Word],
}

/// Bytes of a [`Unit`].
pub(crate) const UNIT: usize = size_of::<Unit>();

/// What points wait in: cores that load no word from any address take a word in one go all the same. A number of 64
/// bits is two of them, in the core's own order.
pub(crate) type Unit = u32;

/// Points that wait to be coded, as they are.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    pub(crate) units: &'a [Unit],
    /// Units of one point.
    pub(crate) size: usize,
    /// Points.
    pub(crate) count: usize,
    pub(crate) columns: &'a [Column],
    /// By how much each timestamp goes on from the one before, the first one from the last one before these points, if
    /// that is the same for all.
    pub(crate) step: Option<i64>,
}

/// Points one after the other. Not `chunks_exact`: it divides, which takes cores without a divider a hundred instructions.
#[derive(Clone, Debug)]
pub(crate) struct Points<'a> {
    units: &'a [Unit],
    size: usize,
}

impl<'a> Iterator for Points<'a> {
    type Item = &'a [Unit];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [Unit]> {
        let (point, rest) = self.units.split_at_checked(self.size)?;
        self.units = rest;
        Some(point)
    }
}

impl<'a> Waiting<'a> {
    /// The units at the start of `bytes`, which begin where they can: at most `UNIT - 1` bytes later.
    #[inline(always)]
    pub(crate) fn units(bytes: &[u8]) -> &[Unit] {
        let places = places(bytes);
        bytemuck::try_cast_slice(bytes.get(places).unwrap_or_default()).unwrap_or_default()
    }

    /// The same, to write to.
    #[inline(always)]
    pub(crate) fn units_mut(bytes: &mut [u8]) -> &mut [Unit] {
        let places = places(bytes);
        bytemuck::try_cast_slice_mut(bytes.get_mut(places).unwrap_or_default()).unwrap_or_default()
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The points, unit by unit.
    #[inline(always)]
    pub(crate) fn points(&self) -> Points<'a> {
        Points { units: self.units, size: self.size.max(1) }
    }

    /// Their timestamps.
    #[inline(always)]
    pub(crate) fn times(&self) -> impl Iterator<Item = i64> + Clone + use<'a> {
        self.points().map(time_of)
    }

    /// Their timestamps up to where nothing new comes: where all go on from `last` by as much, the first one.
    #[inline(always)]
    pub(crate) fn turns(&self, last: i64) -> impl Iterator<Item = i64> + Clone + use<'a> {
        // None that come around to the least ones.
        let same = self.step.is_some_and(|step| (0..=i64::from(u32::MAX)).contains(&step));
        let units = match same && last <= self.last_time() {
            true => self.units.get(..self.size).unwrap_or_default(),
            false => self.units,
        };
        Points { units, size: self.size.max(1) }.map(time_of)
    }

    /// The last of them.
    #[inline(always)]
    pub(crate) fn last_time(&self) -> i64 {
        let last = self.units.len().checked_sub(self.size).and_then(|at| self.units.get(at..));
        last.map_or(0, time_of)
    }

    /// The values of a column of `bits` that starts `at` a byte of each point.
    #[inline(always)]
    pub(crate) fn words(&self, at: usize, bits: u32) -> impl Iterator<Item = Word> + Clone + use<'a> {
        let (at, wide) = (at / UNIT, bits == 64);
        self.points().map(move |point| word_of(point.get(at..).unwrap_or_default(), wide))
    }

    /// The same into `words`.
    #[inline(always)]
    pub(crate) fn gather(&self, at: usize, bits: u32, words: &mut [Word]) {
        let points = self.points().map(|point| point.get(at / UNIT..).unwrap_or_default());
        match bits {
            64 => words.iter_mut().zip(points).for_each(|(word, units)| *word = word_of(units, true)),
            _ => words.iter_mut().zip(points).for_each(|(word, units)| *word = word_of(units, false)),
        }
    }

    /// All of one point after the other: gives the timestamps, leaves the values in `words`.
    pub(crate) fn point(point: &[Unit], columns: &[Column], words: &mut [Word]) -> i64 {
        let mut units = point.get(8 / UNIT..).unwrap_or_default();
        for (word, column) in words.iter_mut().zip(columns) {
            let wide = column.kind.bits() == 64;
            *word = word_of(units, wide);
            units = units.get(if wide { 2 } else { 1 }..).unwrap_or_default();
        }
        time_of(point)
    }

    /// Writes points one after the other from the start of `places` on, no more than 255. Of its own, for small cores
    /// have few registers.
    #[inline(never)]
    pub(crate) fn put(places: &mut [Unit], columns: &[Column], times: &[i64], values: &[Word]) {
        let (mut places, mut values) = (places, values);
        // The usual ones get a loop of their own, which decides nothing inside.
        if let [column] = columns
            && column.kind.bits() == 32
        {
            let count = times.len().min(values.len()).min(255);
            let places = places.get_mut(..count * 3).unwrap_or_default().as_chunks_mut::<3>().0;
            for ((into, time), word) in places.iter_mut().zip(times).zip(values) {
                let [low, high] = bytemuck::cast::<_, [Unit; 2]>(*time);
                *into = [low, high, word.0 as Unit];
            }
            return;
        }
        for time in times {
            let Some((words, others)) = values.split_at_checked(columns.len()) else { return };
            let Some((into, mut rest)) = places.split_first_chunk_mut() else { return };
            *into = bytemuck::cast::<_, [Unit; 2]>(*time);
            for (column, word) in columns.iter().zip(words) {
                if column.kind.bits() == 64 {
                    let Some((into, after)) = rest.split_first_chunk_mut() else { return };
                    *into = bytemuck::cast::<_, [Unit; 2]>(word.0);
                    rest = after;
                } else {
                    let Some((into, after)) = rest.split_first_mut() else { return };
                    *into = word.0 as Unit;
                    rest = after;
                }
            }
            (places, values) = (rest, others);
        }
    }
}

/// Where in `bytes` units can be.
#[inline(always)]
fn places(bytes: &[u8]) -> core::ops::Range<usize> {
    let first = bytes.as_ptr().addr().wrapping_neg() % UNIT;
    first..first + bytes.len().saturating_sub(first) / UNIT * UNIT
}

#[inline(always)]
fn time_of(point: &[Unit]) -> i64 {
    point.first_chunk::<2>().map_or(0, |units| bytemuck::cast(*units))
}

#[inline(always)]
fn word_of(units: &[Unit], wide: bool) -> Word {
    Word(match wide {
        true => units.first_chunk::<2>().map_or(0, |units| bytemuck::cast(*units)),
        false => units.first().map_or(0, |unit| u64::from(*unit)),
    })
}
