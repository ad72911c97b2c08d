//! Groups: points that wait at the end of the buffer, until they are coded to its front.

use super::super::back::{Coded, UNIT, Waiting, WriteSide};
use super::super::bound::GROUP_SLACK;
use super::super::profile::Profile;
use super::super::word::Word;
use super::Encoder;
use super::times::is_within;

impl<P: Profile, const COLUMNS: usize> Encoder<'_, P, COLUMNS> {
    /// Makes room for points to wait, of which the first has this time; whether there is any.
    pub(super) fn open(&mut self, time: i64) -> bool {
        if self.coded >= self.settings.block_points {
            return false;
        }
        if self.coded == 0 {
            self.start(time);
        }
        let mut header = usize::from(self.header_bytes);
        let near = is_within(time.wrapping_sub(self.times[0]) as u64, self.near_bits);
        if !near {
            header = self.header_bytes_at_most(self.span(&[time]));
        }
        let (size, room) = (self.point_bytes(), self.room(header));
        if room < size {
            return false;
        }
        // Beside the points there must be room to code them.
        let free = self.buffer.len().saturating_sub(self.write.end_bound() + GROUP_SLACK);
        let most = if self.coded == 0 { P::GROUP } else { usize::from(self.wait_room) };
        let mut points = most.min((self.settings.block_points - self.coded) as usize);
        // Counted down from what it was, for some cores have no divider; there never is more of it than before.
        while points > 1 && points * (size + 4) > free {
            points -= 1;
        }
        self.wait_room = points as u8;
        // They begin where their units can.
        self.wait_at = self.buffer.len().saturating_sub(points * size + (UNIT - 1)) as u32;
        if !near || points * size > room {
            self.near_bits = 0;
        }
        self.even = true;
        true
    }

    /// Puts points where they may wait.
    #[inline(always)]
    pub(super) fn put(&mut self, times: &[i64], values: &[Word]) {
        let at = self.wait_at as usize + usize::from(self.waiting) * self.point_bytes();
        let columns = self.columns.get(..self.used()).unwrap_or_default();
        let places = Waiting::units_mut(self.buffer.get_mut(at..).unwrap_or_default());
        Waiting::put(places, columns, times, values);
    }

    /// Codes all points that wait.
    pub(super) fn flush(&mut self) {
        let (size, used) = (self.point_bytes(), self.used());
        let mut at = self.wait_at as usize;
        while self.waiting > 0 {
            let mut count = usize::from(self.waiting);
            let room = self.write.end_bound() + count * size + 8;
            loop {
                match self.code(at, count, size, used, room) {
                    Coded::Fits => break,
                    Coded::Cut if count > 8 => count /= 2,
                    _ => {
                        self.store(at, count, size, used);
                        break;
                    }
                }
            }
            at += count * size;
            self.coded += count as u32;
            self.waiting -= count as u8;
        }
    }

    /// Codes `count` points that wait at `at`, if they fit before them and before `room`.
    fn code(&mut self, at: usize, count: usize, size: usize, used: usize, room: usize) -> Coded {
        let Some((front, bytes)) = self.buffer.split_at_mut_checked(at) else { return Coded::Cut };
        let size = size / UNIT;
        let Some(units) = Waiting::units(bytes).get(..count * size) else { return Coded::Cut };
        let Some(columns) = self.columns.get(..used) else { return Coded::Cut };
        let step = self.even.then_some(self.step);
        let waiting = Waiting { units, size, count, columns, step };
        if !self.settings.ranges {
            return self.write.code(front, &waiting, self.coded == 0, room, None);
        }
        let mut summary = self.summary;
        let coded = self.write.code(front, &waiting, self.coded == 0, room, Some(&mut summary));
        if coded == Coded::Fits {
            self.summary = summary;
        }
        coded
    }

    /// Stores `count` points that wait at `at` as they are: never more than was reserved for them.
    fn store(&mut self, at: usize, count: usize, size: usize, used: usize) {
        let Some(columns) = self.columns.get(..used) else { return };
        self.write.store(self.buffer, count, columns, self.coded == 0);
        let mut words = [Word(0); COLUMNS];
        for index in 0..count {
            let point = Waiting::units(self.buffer.get(at + index * size..).unwrap_or_default());
            let time = Waiting::point(point, columns, &mut words);
            self.write.store_point(self.buffer, columns, time, words.get(..used).unwrap_or_default());
            for ((summary, word), column) in self.summary.iter_mut().zip(words).zip(columns) {
                summary.see(column.kind, word, self.coded == 0 && index == 0);
            }
        }
    }
}
