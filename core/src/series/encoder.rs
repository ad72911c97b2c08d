//! Points in, blocks out: groups of points wait as they are at the end of the block buffer until their lattices are
//! chosen, and are then coded to its front.

use super::back::{UNIT, Waiting, WriteSide};
use super::bound::{GROUP_SLACK, point_bytes};
use super::error::{Misuse, Unsealed};
use super::header::{CHECK_BYTES, Header, MAX_HEADER_BYTES, POINTS_PER_BYTE, header_bytes, number_room};
use super::profile::{Profile, Small};
use super::settings::{Column, Lattice, MAX_BLOCK_BYTES, MAX_COLUMNS, MAX_POINTS, Settings, Tolerance};
use super::slide::slide;
use super::summary::Summary;
use super::word::{Kind, Word};

/// What became of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use]
pub enum Pushed {
    /// It is in the block.
    Taken,
    /// The block is full and does not have it: seal, then push it again.
    Full,
}

/// Writes points into blocks in the caller's buffer.
///
/// It never allocates and keeps no more than `size_of::<Self>()` bytes beside the buffer; pushing needs about as many
/// again on the stack for a moment. [`bound::block_bytes`](super::bound::block_bytes) says how long a buffer must be for a
/// number of points to be sure to fit.
///
/// Within a [`Tolerance`] it chooses group by group, and cannot know what the points after a group will cost: where a
/// tolerance is near to the data's own step, or data are all but incompressible, a block may have some bytes more than a
/// lossless one. [`NeverLonger`](super::NeverLonger) costs twice as much and rules it out.
///
/// ```
/// use plimsoll_core::series::*;
/// let mut buffer = [0; 512];
/// let settings = Settings::new(TimeUnit::Seconds, [Column::new(Kind::F64)]);
/// let mut encoder = Encoder::<Small, 1>::try_new(settings, &mut buffer)?;
/// for i in 0..100 {
///     let pushed = encoder.push(1_700_000_000 + 60 * i, &[Word::from(20.0 + 0.1 * i as f64)])?;
///     assert_eq!(pushed, Pushed::Taken);
/// }
/// let block = encoder.seal().expect("it has points");
/// assert!(block.len() < 100);
/// # Ok::<(), Misuse>(())
/// ```
#[derive(Debug)]
pub struct Encoder<'b, P: Profile = Small, const COLUMNS: usize = 1> {
    buffer: &'b mut [u8],
    columns: [Column; COLUMNS],
    settings: Facts,
    write: P::Write<COLUMNS>,
    times: [i64; 3],
    summary: [Summary; COLUMNS],
    /// Points coded.
    coded: u32,
    /// Where waiting points start, how many there are, and how many there may be.
    wait_at: u32,
    waiting: u8,
    wait_room: u8,
    payload_at: u8,
    /// Bytes that the header has at most. Points whose times are less than 2^`near_bits` after the first one of the block
    /// leave it at that, and as many of them as may wait are sure to fit; 0 if it is not known of any.
    header_bytes: u8,
    near_bits: u8,
    /// Bytes of a point as it is.
    point_bytes: u8,
    /// The last timestamp, the way to it from the one before as of late, and whether all that wait went as far.
    even: bool,
    last: i64,
    step: i64,
}

/// The settings that are no columns.
#[derive(Clone, Copy, Debug)]
struct Facts {
    unit: super::settings::TimeUnit,
    used: u8,
    ranges: bool,
    block_points: u32,
}

impl<'b, P: Profile, const COLUMNS: usize> Encoder<'b, P, COLUMNS> {
    /// Bytes of state, without the buffer.
    pub const STATE_BYTES: usize = size_of::<Self>();

    /// Blocks of `settings` in `buffer`: its length (up to [`MAX_BLOCK_BYTES`]) is what a block has at most.
    ///
    /// # Errors
    /// [`Misuse`] where the settings contradict themselves or not even one point is sure to fit.
    pub fn try_new(settings: Settings<COLUMNS>, buffer: &'b mut [u8]) -> Result<Self, Misuse> {
        const { assert!(P::GROUP <= u8::MAX as usize && MAX_HEADER_BYTES <= u8::MAX as usize) };
        let used = settings.columns_used;
        if used == 0 || used > COLUMNS.min(MAX_COLUMNS) {
            return Err(Misuse::Columns { columns: used, room: COLUMNS });
        }
        if settings.block_points == 0 || settings.block_points > MAX_POINTS {
            return Err(Misuse::BlockPoints(settings.block_points));
        }
        let columns = settings.columns;
        for column in columns.iter().take(used) {
            match column.tolerance {
                Tolerance::Absolute(most) if !(most > 0.0 && most < f64::INFINITY) => {
                    return Err(Misuse::Tolerance(most));
                }
                Tolerance::Relative(most) if !(most > 0.0 && most < 1.0) => {
                    return Err(Misuse::Tolerance(most));
                }
                _ => {}
            }
            if let Lattice::Decimal(digits) = column.lattice
                && digits > super::lattice::MOST_DIGITS
            {
                return Err(Misuse::Digits(digits));
            }
        }
        let length = buffer.len().min(MAX_BLOCK_BYTES);
        let needed = super::bound::block_bytes(1, columns.get(..used).unwrap_or_default(), settings.ranges);
        if length < needed {
            return Err(Misuse::Buffer { bytes: length, needed });
        }
        let write = P::Write::new(&columns, used);
        let wrong = || columns.iter().position(|column| column.kind != Kind::I32).unwrap_or(0);
        let write = write.ok_or_else(|| Misuse::Kind { column: wrong() })?;
        let buffer = buffer.get_mut(..length).unwrap_or_default();
        Ok(Encoder {
            buffer,
            columns,
            settings: Facts {
                unit: settings.unit,
                used: used as u8,
                ranges: settings.ranges,
                block_points: settings.block_points,
            },
            write,
            times: [0; 3],
            summary: [Summary::NONE; COLUMNS],
            coded: 0,
            wait_at: 0,
            waiting: 0,
            wait_room: 0,
            payload_at: 0,
            header_bytes: 0,
            near_bits: 0,
            point_bytes: point_bytes(columns.get(..used).unwrap_or_default()) as u8,
            even: true,
            last: 0,
            step: 0,
        })
    }

    /// Points in the block so far.
    pub fn points(&self) -> u32 {
        self.coded + u32::from(self.waiting)
    }

    /// Adds a point. Timestamps may repeat and go back.
    ///
    /// # Errors
    /// [`Misuse::Values`] where there are not as many values as columns; nothing is changed.
    pub fn push(&mut self, time: i64, values: &[Word]) -> Result<Pushed, Misuse> {
        let used = self.used();
        if values.len() != used {
            return Err(Misuse::Values { values: values.len(), columns: used });
        }
        Ok(if self.add(&[time], values) == 1 { Pushed::Taken } else { Pushed::Full })
    }

    /// Adds points, as many as the block takes; returns how many. `values` are those of the first point, then those of
    /// the second, and so on. If it is not all of them, the block is full.
    ///
    /// # Errors
    /// [`Misuse::Values`] where there are not as many values for each timestamp as columns; nothing is changed.
    pub fn push_slice(&mut self, times: &[i64], values: &[Word]) -> Result<usize, Misuse> {
        let used = self.used();
        if Some(values.len()) != times.len().checked_mul(used) {
            return Err(Misuse::Values { values: values.len(), columns: used });
        }
        Ok(self.add(times, values))
    }

    fn add(&mut self, times: &[i64], values: &[Word]) -> usize {
        let (used, mut taken) = (self.used(), 0);
        while let (Some(times), Some(values)) = (times.get(taken..), values.get(taken * used..))
            && let Some(first) = times.first()
        {
            if self.waiting == 0 && !self.open(*first) {
                break;
            }
            // As many at once as there is room for, if their times do not make the header too long.
            let mut now = times.len().min(usize::from(self.wait_room.saturating_sub(self.waiting)));
            let mut times = times.get(..now).unwrap_or_default();
            self.put(times, values);
            let mut even = go_on(self.last, self.step, times);
            if !self.near(times, even) && !self.stretch(times) {
                (now, times) = (1, times.get(..1).unwrap_or_default());
                even = go_on(self.last, self.step, times);
                if !self.stretch(times) {
                    // If coding what waits makes no room, it does not wait any more.
                    self.flush();
                    continue;
                }
            }
            if let Some(last) = times.last() {
                if !even {
                    let before = times.len().checked_sub(2).and_then(|at| times.get(at));
                    (self.step, self.even) = (last.wrapping_sub(*before.unwrap_or(&self.last)), false);
                }
                self.last = *last;
            }
            self.waiting += now as u8;
            taken += now;
            if self.waiting >= self.wait_room {
                self.flush();
            }
        }
        taken
    }

    /// Whether points of these times may wait beside those that do without a look at the header. `even` says that all of
    /// them go on as of late.
    #[inline(always)]
    fn near(&mut self, times: &[i64], even: bool) -> bool {
        let [first, _, max] = &mut self.times;
        let after = |time: &i64| time.wrapping_sub(*first) as u64;
        let farthest = match times {
            // So short a way leads back to where it began in no group.
            [start, .., end] if even && (0..=i64::from(u32::MAX)).contains(&self.step) => {
                after(start).max(after(end))
            }
            _ => times.iter().map(after).fold(0, |farthest, after| farthest.max(after)),
        };
        if !is_within(farthest, self.near_bits) {
            return false;
        }
        *max = (*max).max(first.wrapping_add_unsigned(farthest));
        true
    }

    /// Stretches the block's times to these, if points of these times are sure to fit beside those that wait.
    fn stretch(&mut self, times: &[i64]) -> bool {
        let span = self.span(times);
        let header = self.header_bytes_at_most(span);
        let size = self.point_bytes();
        let room = self.room(header);
        let fits = (usize::from(self.waiting) + times.len()) * size <= room;
        if fits {
            self.times = span;
            self.stay_near(header, size, room);
        }
        fits
    }

    /// Bytes of points that are sure to fit if the header has so many bytes.
    fn room(&self, header: usize) -> usize {
        let grown = header.saturating_sub(usize::from(self.payload_at));
        self.buffer.len().saturating_sub(self.write.end_bound() + GROUP_SLACK + grown + CHECK_BYTES)
    }

    /// The block's times are such that its header has so many bytes at most: what other times change nothing about that.
    fn stay_near(&mut self, header: usize, size: usize, room: usize) {
        let [first, _, max] = self.times;
        self.header_bytes = header as u8;
        self.near_bits = 0;
        if usize::from(self.wait_room) * size <= room {
            // Not where times that much later begin again from the least ones.
            let near_bits = number_room(max.abs_diff(first));
            let last = 1_u64.checked_shl(near_bits).and_then(|near| first.checked_add_unsigned(near));
            self.near_bits = if last.is_some() { near_bits as u8 } else { 0 };
        }
    }

    /// First, least and largest timestamp of the block if it had these, too.
    #[inline(always)]
    fn span(&self, times: &[i64]) -> [i64; 3] {
        let [first, mut min, mut max] = self.times;
        for time in times {
            min = if *time < min { *time } else { min };
            max = if *time > max { *time } else { max };
        }
        [first, min, max]
    }

    /// Ends the block and gives its bytes. The next push starts another one, whatever this gives.
    ///
    /// # Errors
    /// [`Unsealed::Empty`] where no point was pushed since the last block.
    pub fn seal(&mut self) -> Result<&[u8], Unsealed> {
        self.flush();
        let points = self.coded;
        if points == 0 {
            return Err(Unsealed::Empty);
        }
        let end = self.end_block();
        (self.coded, self.waiting) = (0, 0);
        end.and_then(|end| self.buffer.get(..end)).ok_or(Unsealed::Overrun { points })
    }

    /// Puts header and check sum around the payload; gives where the block ends.
    fn end_block(&mut self) -> Option<usize> {
        let start = usize::from(self.payload_at);
        let mut end = self.write.finish(self.buffer, start)?;
        // Zeros at the end need not be written, except that so many points must have so many bytes.
        let least = start + self.coded.div_ceil(POINTS_PER_BYTE) as usize;
        if end < least {
            self.buffer.get_mut(end..least)?.fill(0);
            end = least;
        }
        let header = self.header(end - start);
        let header_bytes =
            header_bytes(self.used(), self.settings.ranges, end - start, self.coded, self.times);
        slide(self.buffer, start..end, header_bytes)?;
        header.write(self.buffer)?;
        let end = header_bytes + (end - start);
        let check = super::crc::crc32c(self.buffer.get(..end)?);
        self.buffer.get_mut(end..end + CHECK_BYTES)?.copy_from_slice(&check.to_le_bytes());
        Some(end + CHECK_BYTES)
    }

    /// The buffer, for an encoder of other settings; points that were not sealed are lost.
    pub fn into_buffer(self) -> &'b mut [u8] {
        self.buffer
    }

    fn used(&self) -> usize {
        usize::from(self.settings.used).min(COLUMNS)
    }

    fn point_bytes(&self) -> usize {
        usize::from(self.point_bytes)
    }

    /// Starts a block whose first timestamp is `time`.
    fn start(&mut self, time: i64) {
        self.times = [time; 3];
        (self.near_bits, self.last, self.step) = (0, time, 0);
        self.summary = [Summary::NONE; COLUMNS];
        // The payload is moved when the header's length is known: near to there costs no room.
        let start = self.header_bytes_at_most(self.times);
        self.payload_at = start as u8;
        let columns = self.columns.get(..self.used()).unwrap_or_default();
        self.write.start(time, start, columns);
    }

    fn header(&self, payload_bytes: usize) -> Header {
        let mut header = Header {
            coding: P::CODING,
            unit: self.settings.unit,
            columns: self.used(),
            points: self.coded,
            first: self.times[0],
            min_time: self.times[1],
            max_time: self.times[2],
            header_bytes: 0,
            payload_bytes,
            kinds: [Kind::I32; MAX_COLUMNS],
            lossy: 0,
            ranges: None,
        };
        for (at, (kind, column)) in header.kinds.iter_mut().zip(&self.columns).enumerate().take(self.used()) {
            *kind = column.kind;
            header.lossy |= u8::from(column.tolerance != Tolerance::Lossless) << at;
        }
        if self.settings.ranges {
            let mut ranges = [Summary::NONE.range(); MAX_COLUMNS];
            for (range, summary) in ranges.iter_mut().zip(&self.summary) {
                *range = summary.range();
            }
            header.ranges = Some(ranges);
        }
        header
    }

    fn header_bytes_at_most(&self, times: [i64; 3]) -> usize {
        let points = self.settings.block_points;
        header_bytes(self.used(), self.settings.ranges, self.buffer.len(), points, times)
    }

    /// Makes room for points to wait, of which the first has this time; whether there is any.
    fn open(&mut self, time: i64) -> bool {
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
    fn put(&mut self, times: &[i64], values: &[Word]) {
        let at = self.wait_at as usize + usize::from(self.waiting) * self.point_bytes();
        let columns = self.columns.get(..self.used()).unwrap_or_default();
        let places = Waiting::units_mut(self.buffer.get_mut(at..).unwrap_or_default());
        Waiting::put(places, columns, times, values);
    }

    /// Codes all points that wait.
    fn flush(&mut self) {
        let (size, used) = (self.point_bytes(), self.used());
        let mut at = self.wait_at as usize;
        while self.waiting > 0 {
            let mut count = usize::from(self.waiting);
            let before = self.write;
            let room = before.end_bound() + count * size + 8;
            loop {
                if self.code(at, count, size, used, room) {
                    break;
                }
                let done = self.write.end_bound() > room;
                self.write = before;
                if !done && count > 8 {
                    count /= 2;
                } else {
                    self.store(at, count, size, used);
                    break;
                }
            }
            at += count * size;
            self.coded += count as u32;
            self.waiting -= count as u8;
        }
    }

    /// Codes `count` points that wait at `at`; whether they fit before them and before `room`.
    fn code(&mut self, at: usize, count: usize, size: usize, used: usize, room: usize) -> bool {
        let Some((front, bytes)) = self.buffer.split_at_mut_checked(at) else { return false };
        let size = size / UNIT;
        let Some(units) = Waiting::units(bytes).get(..count * size) else { return false };
        let Some(columns) = self.columns.get(..used) else { return false };
        let step = self.even.then_some(self.step);
        let waiting = Waiting { units, size, count, columns, step };
        let mut summary = self.summary;
        let done =
            self.write.code(front, &waiting, self.coded == 0, self.settings.ranges.then_some(&mut summary));
        let done = done && self.write.end_bound() <= room;
        if done {
            self.summary = summary;
        }
        done
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

/// Whether `number` has at most so many bits; for 0 bits, none has. A shift of 64 bits is a call on small cores.
#[inline(always)]
fn is_within(number: u64, bits: u8) -> bool {
    let (high, low, bits) = ((number >> 32) as u32, number as u32, u32::from(bits));
    match bits {
        0 => false,
        1..32 => high == 0 && low >> bits == 0,
        _ => high.checked_shr(bits - 32) == Some(0),
    }
}

/// Whether each of `times` is `step` after the one before, the first one after `last`. Of its own, for small cores have
/// few registers.
#[inline(never)]
fn go_on(mut last: i64, step: i64, times: &[i64]) -> bool {
    let mut off = 0;
    let mut see = |time: &i64| {
        last = last.wrapping_add(step);
        let other = *time ^ last;
        off |= other as u32 | (other >> 32) as u32;
    };
    // Four a round, for small cores have no cheap loops either.
    let (fours, rest) = times.as_chunks::<4>();
    for [a, b, c, d] in fours {
        see(a);
        see(b);
        see(c);
        see(d);
    }
    rest.iter().for_each(see);
    off == 0
}
