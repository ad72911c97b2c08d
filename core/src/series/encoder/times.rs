//! What the times of other points mean for the header, whose length is kept free beside those that wait.

use super::super::back::WriteSide;
use super::super::bound::GROUP_SLACK;
use super::super::header::{CHECK_BYTES, number_room};
use super::super::profile::Profile;
use super::Encoder;

/// Whether words of 64 bits are dear.
const SMALL: bool = cfg!(not(target_pointer_width = "64"));

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
pub(super) fn go_on(last: i64, step: i64, times: &[i64]) -> bool {
    match SMALL && high_stays(last, step, times.len()) {
        true => halves_go_on(last, step, times),
        false => all_go_on(last, step, times),
    }
}

#[inline(always)]
fn all_go_on(mut last: i64, step: i64, times: &[i64]) -> bool {
    let mut off = 0;
    for time in times {
        last = last.wrapping_add(step);
        off |= *time ^ last;
    }
    off == 0
}

/// Whether the upper half of `last` stays as it is for so many steps.
#[inline(always)]
fn high_stays(last: i64, step: i64, steps: usize) -> bool {
    // Of so many bits that 255 of them, as many as may be, still have 32.
    let short = (0..1 << 24).contains(&step) && steps <= 255;
    short && (last as u32).checked_add((step as u32).wrapping_mul(steps as u32)).is_some()
}

/// The same as [`all_go_on`] where the upper half stays as it is, by halves.
#[inline(always)]
fn halves_go_on(last: i64, step: i64, times: &[i64]) -> bool {
    let (mut before, high, mut off) = (last as u32, (last >> 32) as u32, 0);
    let mut see = |time: &i64| {
        let low = *time as u32;
        off |= low.wrapping_sub(before) ^ step as u32;
        off |= (*time >> 32) as u32 ^ high;
        before = low;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_on_where_all_do() {
        let (mut random, mut halves) = (1_u64, 0);
        for case in 0..if cfg!(miri) { 100 } else { 20_000_u32 } {
            random = random.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x7F4A_7C15).rotate_left(23);
            let (count, last) = (random as usize % 256, (random as i64) >> (random % 60));
            let step = (random.rotate_left(31) >> (36 + random % 28)) as i64;
            let mut times: std::vec::Vec<i64> =
                (1..=count as i64).map(|at| last.wrapping_add(at.wrapping_mul(step))).collect();
            // One of them may be off, in any bit.
            if case % 2 == 1 && count > 0 {
                times[random as usize / 256 % count] ^= 1 << (random >> 58);
            }
            if high_stays(last, step, count) {
                halves += 1;
                assert_eq!(halves_go_on(last, step, &times), all_go_on(last, step, &times), "{case}");
            }
            assert_eq!(all_go_on(last, step, &times), case % 2 == 0 || count == 0, "{case}");
        }
        assert!(halves > 0);
    }
}
