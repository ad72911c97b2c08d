//! The reading side of `pack`.

use super::super::back::{Places, ReadSide};
use super::super::bits::{BitReader, BitState};
use super::super::header::Header;
use super::super::heads::Heads;
use super::super::settings::Column;
use super::super::word::Word;
use super::before::Before;
use super::section::{Cursor, Tag, Trail};
use super::{GROUP_BITS, column, head};

/// Reads groups.
#[derive(Clone, Copy, Debug)]
pub struct PackRead<const COLUMNS: usize> {
    at: u32,
    before: Before<COLUMNS>,
    time: Cursor,
    cursors: [Cursor; COLUMNS],
    /// Points of the group that are read, and that it has.
    done: u8,
    count: u8,
    stored: bool,
}

impl<const COLUMNS: usize> PackRead<COLUMNS> {
    /// Finds the parts of the section at `at`; gives where it ends, none if the payload ends before.
    fn section(payload: &[u8], at: usize, count: usize, bytes: usize, cursor: &mut Cursor) -> Option<usize> {
        let tag = Tag::of(*payload.get(at)?)?;
        let widths_at = at + 1;
        let residuals_at = widths_at + tag.width_bytes(count);
        *cursor = Cursor {
            tag,
            trail: cursor.trail,
            widths_at: widths_at as u32,
            residuals_at: residuals_at as u32,
            ..Cursor::default()
        };
        let mut end = residuals_at;
        for block in 0..count.div_ceil(8) {
            end += cursor.width(payload, block) as usize;
        }
        cursor.corrections_at = end as u32;
        end += if tag.corrected { count.div_ceil(2) } else { 0 };
        cursor.mask_at = end as u32;
        if tag.escaped {
            let mask = payload.get(end..)?.get(..count.div_ceil(8))?;
            let escapes: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
            end += mask.len();
            cursor.escapes_at = end as u32;
            end += escapes as usize * bytes;
        }
        (end <= payload.len()).then_some(end)
    }

    /// Finds the sections of a group of so many points, of which the first is at `at`.
    fn sections(&mut self, payload: &[u8], columns: &[Column], points: usize, at: usize) -> Option<u32> {
        (self.count, self.done, self.stored) = (points as u8, 0, false);
        let mut at = Self::section(payload, at, points, 8, &mut self.time)?;
        for (cursor, column) in self.cursors.iter_mut().zip(columns) {
            at = Self::section(payload, at, points, column.kind.bits() as usize / 8, cursor)?;
        }
        self.at = at as u32;
        Some(points as u32)
    }

    fn stored_points(&mut self, payload: &[u8], columns: &[Column], into: Places<'_>) -> Option<()> {
        let mut left = payload.get(self.at as usize..)?;
        for (time, values) in into.times.iter_mut().zip(into.values.chunks_exact_mut(columns.len().max(1))) {
            let (first, rest) = left.split_first_chunk()?;
            (*time, left) = (i64::from_le_bytes(*first), rest);
            for (value, column) in values.iter_mut().zip(columns) {
                if column.kind.bits() == 64 {
                    let (first, rest) = left.split_first_chunk()?;
                    (*value, left) = (Word(u64::from_le_bytes(*first)), rest);
                } else {
                    let (first, rest) = left.split_first_chunk()?;
                    (*value, left) = (Word(u64::from(u32::from_le_bytes(*first))), rest);
                }
            }
            self.before.last = *time;
        }
        self.at = (payload.len() - left.len()) as u32;
        Some(())
    }
}

impl<const COLUMNS: usize> ReadSide<COLUMNS> for PackRead<COLUMNS> {
    fn new(header: &Header, _: &[u8], columns: &[Column; COLUMNS]) -> Option<Self> {
        Some(PackRead {
            at: 0,
            before: Before::block(header.first, columns),
            time: Cursor::default(),
            cursors: [Cursor::default(); COLUMNS],
            done: 0,
            count: 0,
            stored: false,
        })
    }

    fn head(&mut self, payload: &[u8], columns: &[Column]) -> Option<u32> {
        if let Some((points, at)) = head::read_same(payload, self.at as usize) {
            return self.sections(payload, columns, points, at);
        }
        let mut reader = BitReader::new(BitState::at(self.at as usize), payload);
        let now = self.before.head(0);
        let mut heads = Heads::NEW;
        let head = heads.code(&mut reader, GROUP_BITS, columns, &now, &now)?;
        reader.align();
        if reader.state.over {
            return None;
        }
        (self.count, self.done, self.stored) = (head.points as u8, 0, head.stored);
        if !head.stored {
            if head.unit != now.unit {
                self.time.trail = Trail::default();
            }
            for ((cursor, front), before) in self.cursors.iter_mut().zip(&head.fronts).zip(&now.fronts) {
                if front != before {
                    cursor.trail = Trail::default();
                }
            }
            (self.before.unit, self.before.fronts) = (head.unit, head.fronts);
            return self.sections(payload, columns, head.points, reader.state.at as usize);
        }
        self.at = reader.state.at;
        Some(head.points as u32)
    }

    #[inline]
    fn point(&mut self, payload: &[u8], columns: &[Column], values: &mut [Word]) -> Option<i64> {
        let mut time = [0];
        self.points(payload, columns, Places { times: &mut time, values })?;
        Some(time[0])
    }

    fn points(&mut self, payload: &[u8], columns: &[Column], into: Places<'_>) -> Option<()> {
        if self.stored {
            return self.stored_points(payload, columns, into);
        }
        let Places { times, values } = into;
        let (from, count) = (usize::from(self.done), times.len());
        let unit = self.before.unit as i64;
        let (mut last, mut index) = (self.before.last, self.time.trail.last);
        if let Some(moved) = self.time.steady() {
            let step = moved.wrapping_mul(unit);
            last = go_on(last, step, times);
            self.time.trail = Trail { last: index.wrapping_add(moved.wrapping_mul(count as i64)), moved };
        } else {
            self.time.indices::<i64>(payload, from, count, |at, indices| {
                for (time, now) in times.iter_mut().skip(at - from).zip(indices) {
                    last = last.wrapping_add(now.wrapping_sub(index).wrapping_mul(unit));
                    index = *now;
                    *time = last;
                }
            });
        }
        self.before.last = last;
        let step = columns.len().max(1);
        for (column, (cursor, (front, kind))) in
            self.cursors.iter_mut().zip(self.before.fronts.iter().zip(columns)).enumerate()
        {
            let values = values.get_mut(column..).unwrap_or_default();
            column::read(cursor, payload, *front, kind.kind, from, count, step, values)?;
        }
        self.done += count as u8;
        Some(())
    }
}

/// Timestamps `step` after each other, the first one after `last`; gives the last one. Of its own, for small cores have
/// few registers.
#[inline(never)]
fn go_on(mut last: i64, step: i64, times: &mut [i64]) -> i64 {
    for time in times {
        last = last.wrapping_add(step);
        *time = last;
    }
    last
}
