//! Points in, blocks out: groups of points wait as they are at the end of the block buffer until their lattices are
//! chosen, and are then coded to its front.

mod group;
mod seal;
mod times;

use super::back::WriteSide;
use super::bound::point_bytes;
use super::error::Misuse;
use super::header::MAX_HEADER_BYTES;
use super::profile::{Profile, Small};
use super::settings::{
    Column, Lattice, MAX_BLOCK_BYTES, MAX_COLUMNS, MAX_POINTS, Settings, TimeUnit, Tolerance,
};
use super::summary::Summary;
use super::word::{Kind, Word};
use times::go_on;

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
    unit: TimeUnit,
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
}
