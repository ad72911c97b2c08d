//! What the times of other points mean for the header, whose length is kept free beside those that wait.

use super::super::back::WriteSide;
use super::super::bound::GROUP_SLACK;
use super::super::header::{CHECK_BYTES, number_room};
use super::super::profile::Profile;
use super::Encoder;

impl<P: Profile, const COLUMNS: usize> Encoder<'_, P, COLUMNS> {
    /// Whether points of these times may wait beside those that do without a look at the header. `even` says that all of
    /// them go on as of late.
    #[inline(always)]
    pub(super) fn near(&mut self, times: &[i64], even: bool) -> bool {
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
    pub(super) fn stretch(&mut self, times: &[i64]) -> bool {
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
    pub(super) fn room(&self, header: usize) -> usize {
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
    pub(super) fn span(&self, times: &[i64]) -> [i64; 3] {
        let [first, mut min, mut max] = self.times;
        for time in times {
            min = if *time < min { *time } else { min };
            max = if *time > max { *time } else { max };
        }
        [first, min, max]
    }
}

/// Whether `number` has at most so many bits; for 0 bits, none has. A shift of 64 bits is a call on small cores.
#[inline(always)]
pub(super) fn is_within(number: u64, bits: u8) -> bool {
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
pub(super) fn go_on(mut last: i64, step: i64, times: &[i64]) -> bool {
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
