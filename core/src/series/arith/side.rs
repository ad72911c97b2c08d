//! The two ends of the `arith` back end: points through the model into the range coder, and back.

use super::super::back::{ReadSide, Waiting, WriteSide};
use super::super::beat;
use super::super::choose::choose;
use super::super::column::Indices;
use super::super::header::Header;
use super::super::heads::Head;
use super::super::points::Points;
use super::super::settings::Column;
use super::super::summary::Summary;
use super::super::word::Word;
use super::range::{ReadState, Reader, WriteState, Writer};

/// Writes with the predictors and models of `I`.
#[derive(Clone, Copy, Debug)]
pub struct ArithWrite<I, const COLUMNS: usize> {
    points: Points<I, COLUMNS>,
    writer: WriteState,
}

#[allow(private_bounds)]
impl<I: Indices, const COLUMNS: usize> WriteSide<COLUMNS> for ArithWrite<I, COLUMNS> {
    fn new(columns: &[Column; COLUMNS], used: usize) -> Option<Self> {
        Some(ArithWrite { points: Points::new(0, columns, used)?, writer: WriteState::at(0) })
    }

    fn start(&mut self, first: i64, at: usize, columns: &[Column]) {
        // Units and lattices stay: they are where the search for the new block's starts.
        self.points.start(first, columns);
        self.writer = WriteState::at(at as u32);
    }

    fn end_bound(&self) -> usize {
        self.writer.end_bound()
    }

    fn code(
        &mut self,
        buffer: &mut [u8],
        waiting: &Waiting<'_>,
        first: bool,
        mut summary: Option<&mut [Summary; COLUMNS]>,
    ) -> bool {
        let columns = waiting.columns;
        let mut head = self.points.unchanged(waiting.count());
        head.unit = beat::unit_of(head.unit, !first, self.points.beat.last, waiting.times());
        let mut at = 8;
        for (front, column) in head.fronts.iter_mut().zip(columns) {
            *front = choose(column, *front, !first, waiting.words(at, column.kind.bits()));
            at += column.kind.bits() as usize / 8;
        }
        if first {
            self.points.unlearn(columns);
        }
        let mut writer = Writer::new(self.writer, buffer);
        if self.points.head(&mut writer, columns, &head).is_none() {
            return false;
        }
        let mut words = [Word(0); COLUMNS];
        for (index, point) in waiting.bytes.chunks_exact(waiting.size).enumerate() {
            let time = Waiting::point(point, columns, &mut words);
            self.points.point(&mut writer, columns, time, &mut words);
            if let Some(summary) = summary.as_deref_mut() {
                for ((summary, word), column) in summary.iter_mut().zip(words).zip(columns) {
                    summary.see(column.kind, word, first && index == 0);
                }
            }
        }
        self.writer = writer.state;
        !writer.overflow
    }

    fn store(&mut self, buffer: &mut [u8], count: usize, columns: &[Column], first: bool) {
        let head = Head { stored: true, ..self.points.unchanged(count) };
        if first {
            self.points.unlearn(columns);
        }
        let mut writer = Writer::new(self.writer, buffer);
        let _ = self.points.head(&mut writer, columns, &head);
        self.writer = writer.state;
    }

    fn store_point(&mut self, buffer: &mut [u8], columns: &[Column], time: i64, words: &[Word]) {
        let mut writer = Writer::new(self.writer, buffer);
        let mut same = [Word(0); COLUMNS];
        for (same, word) in same.iter_mut().zip(words) {
            *same = *word;
        }
        self.points.stored_point(&mut writer, columns, time, &mut same);
        self.writer = writer.state;
    }

    fn finish(self, buffer: &mut [u8], start: usize) -> Option<usize> {
        Writer::new(self.writer, buffer).finish(start)
    }
}

/// Reads with the predictors and models of `I`.
#[derive(Clone, Copy, Debug)]
pub struct ArithRead<I, const COLUMNS: usize> {
    points: Points<I, COLUMNS>,
    reader: ReadState,
    stored: bool,
}

#[allow(private_bounds)]
impl<I: Indices, const COLUMNS: usize> ReadSide<COLUMNS> for ArithRead<I, COLUMNS> {
    fn new(header: &Header, payload: &[u8], columns: &[Column; COLUMNS]) -> Option<Self> {
        let points = Points::new(header.first, columns, header.columns)?;
        Some(ArithRead { points, reader: ReadState::new(payload), stored: false })
    }

    fn head(&mut self, payload: &[u8], columns: &[Column]) -> Option<u32> {
        let mut reader = Reader::new(self.reader, payload);
        let head = self.points.unchanged(0);
        let (points, stored) = self.points.head(&mut reader, columns, &head)?;
        (self.reader, self.stored) = (reader.state, stored);
        Some(points as u32)
    }

    #[inline]
    fn point(&mut self, payload: &[u8], columns: &[Column], values: &mut [Word]) -> Option<i64> {
        let mut reader = Reader::new(self.reader, payload);
        let time = match self.stored {
            false => self.points.point(&mut reader, columns, 0, values),
            true => self.points.stored_point(&mut reader, columns, 0, values),
        };
        self.reader = reader.state;
        Some(time)
    }
}
