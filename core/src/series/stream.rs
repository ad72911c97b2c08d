//! The two ends of the back ends `arith` and `rice`: points through predictors and models into a coder, and back.

// What sides are made of stays inside: only their names go out, by way of `Back`.
#![allow(private_bounds)]

use super::back::{Coded, Places, ReadSide, Sums, Waiting, WriteSide};
use super::beat;
use super::choose::choose;
use super::coder::{Coder, Ends};
use super::column::Indices;
use super::header::Header;
use super::heads::Head;
use super::points::Points;
use super::settings::Column;
use super::word::Word;

/// Writes with the predictors and models of `I`.
#[derive(Clone, Copy, Debug)]
pub struct StreamWrite<E: Ends, I: Indices, const COLUMNS: usize> {
    points: Points<I, COLUMNS>,
    writer: E::WriteState,
}

impl<E: Ends, I: Indices, const COLUMNS: usize> StreamWrite<E, I, COLUMNS> {
    /// Codes a group; whether all of it had room.
    fn write(
        &mut self,
        buffer: &mut [u8],
        waiting: &Waiting<'_>,
        first: bool,
        mut sums: Sums<'_, COLUMNS>,
    ) -> bool {
        let columns = waiting.columns;
        let mut head = self.points.unchanged(waiting.count());
        let last = self.points.beat.last;
        head.unit = beat::unit_of(head.unit, !first, last, waiting.turns(last));
        let mut at = 8;
        for (front, column) in head.fronts.iter_mut().zip(columns) {
            *front = choose(column, *front, !first, waiting.words(at, column.kind.bits()));
            at += column.kind.bits() as usize / 8;
        }
        if first {
            self.points.unlearn(columns);
        }
        let mut writer = E::writer(self.writer, buffer);
        if self.points.head(&mut writer, columns, &head).is_none() {
            return false;
        }
        let mut at = 8;
        for (state, column) in self.points.columns.iter_mut().zip(columns) {
            let mut words = waiting.words(at, column.kind.bits());
            at += column.kind.bits() as usize / 8;
            if <E::Writer<'_> as Coder>::PLAIN {
                let plain = |word| state.front.fit(column, word).is_some_and(|place| place.ulps == 0);
                state.flags = !words.all(plain);
                let _ = writer.raw(u32::from(state.flags), 1);
            }
        }
        let mut words = [Word(0); COLUMNS];
        for (index, point) in waiting.points().enumerate() {
            let time = Waiting::point(point, columns, &mut words);
            self.points.point(&mut writer, columns, time, &mut words);
            if let Some(sums) = sums.as_deref_mut() {
                for ((summary, word), column) in sums.iter_mut().zip(words).zip(columns) {
                    summary.see(column.kind, word, first && index == 0);
                }
            }
        }
        let done;
        (self.writer, done) = E::written(&writer);
        done
    }
}

impl<E: Ends, I: Indices, const COLUMNS: usize> WriteSide<COLUMNS> for StreamWrite<E, I, COLUMNS> {
    fn new(columns: &[Column; COLUMNS], used: usize) -> Option<Self> {
        Some(StreamWrite { points: Points::new(0, columns, used)?, writer: E::write_at(0) })
    }

    fn start(&mut self, first: i64, at: usize, columns: &[Column]) {
        // Units and lattices stay: they are where the search for the new block's starts.
        self.points.start(first, columns);
        self.writer = E::write_at(at);
    }

    fn end_bound(&self) -> usize {
        E::end_bound(&self.writer)
    }

    fn code(
        &mut self,
        buffer: &mut [u8],
        waiting: &Waiting<'_>,
        first: bool,
        room: usize,
        sums: Sums<'_, COLUMNS>,
    ) -> Coded {
        let before = *self;
        let whole = self.write(buffer, waiting, first, sums);
        let coded = Coded::of(whole, self.end_bound(), room);
        if coded != Coded::Fits {
            *self = before;
        }
        coded
    }

    fn store(&mut self, buffer: &mut [u8], count: usize, columns: &[Column], first: bool) {
        let head = Head { stored: true, ..self.points.unchanged(count) };
        if first {
            self.points.unlearn(columns);
        }
        let mut writer = E::writer(self.writer, buffer);
        let _ = self.points.head(&mut writer, columns, &head);
        self.writer = E::written(&writer).0;
    }

    fn store_point(&mut self, buffer: &mut [u8], columns: &[Column], time: i64, words: &[Word]) {
        let mut writer = E::writer(self.writer, buffer);
        let mut same = [Word(0); COLUMNS];
        for (same, word) in same.iter_mut().zip(words) {
            *same = *word;
        }
        self.points.stored_point(&mut writer, columns, time, &mut same);
        self.writer = E::written(&writer).0;
    }

    fn finish(self, buffer: &mut [u8], start: usize) -> Option<usize> {
        E::finish(E::writer(self.writer, buffer), start)
    }
}

/// Reads with the predictors and models of `I`.
#[derive(Clone, Copy, Debug)]
pub struct StreamRead<E: Ends, I: Indices, const COLUMNS: usize> {
    points: Points<I, COLUMNS>,
    reader: E::ReadState,
    stored: bool,
}

impl<E: Ends, I: Indices, const COLUMNS: usize> ReadSide<COLUMNS> for StreamRead<E, I, COLUMNS> {
    fn new(header: &Header, payload: &[u8], columns: &[Column; COLUMNS]) -> Option<Self> {
        let points = Points::new(header.first, columns, header.columns)?;
        Some(StreamRead { points, reader: E::read(payload), stored: false })
    }

    fn head(&mut self, payload: &[u8], columns: &[Column]) -> Option<u32> {
        let mut reader = E::reader(self.reader, payload);
        let head = self.points.unchanged(0);
        let (points, stored) = self.points.head(&mut reader, columns, &head)?;
        if <E::Reader<'_> as Coder>::PLAIN && !stored {
            for state in self.points.columns.iter_mut().take(columns.len()) {
                state.flags = reader.raw(0, 1) == 1;
            }
        }
        (self.reader, self.stored) = (E::read_so_far(&reader), stored);
        Some(points as u32)
    }

    #[inline]
    fn point(&mut self, payload: &[u8], columns: &[Column], values: &mut [Word]) -> Option<i64> {
        let mut reader = E::reader(self.reader, payload);
        let time = match self.stored {
            false => self.points.point(&mut reader, columns, 0, values),
            true => self.points.stored_point(&mut reader, columns, 0, values),
        };
        self.reader = E::read_so_far(&reader);
        Some(time)
    }

    fn points(&mut self, payload: &[u8], columns: &[Column], into: Places<'_>) -> Option<()> {
        let mut reader = E::reader(self.reader, payload);
        for (time, values) in into.times.iter_mut().zip(into.values.chunks_exact_mut(columns.len().max(1))) {
            *time = match self.stored {
                false => self.points.point(&mut reader, columns, 0, values),
                true => self.points.stored_point(&mut reader, columns, 0, values),
            };
        }
        self.reader = E::read_so_far(&reader);
        Some(())
    }
}
