//! Sections whose residuals have 32 bits, on cores of 32 bits: straight on, eight indices at a time. The loops of
//! [`section`](super::section), which hosts make vectors of, take such cores twice the instructions.

use super::super::back::Unit;
use super::super::bits::BitWriter;
use super::super::lane::{self, Lane};
use super::super::straight::straight;
use super::super::word::Word;
use super::section::{Cursor, Sizes, Tag, Tail, Trail, start, unfold};
use super::{BLOCK, GROUP, words};

/// Trails below these have residuals of 32 bits where all differences are below `NEAR`: no index of a group is then as
/// far as 2^31.
const LAST: i64 = 1 << 30;
const MOVED: i64 = 1 << 29;
/// As bits of the folded number: of magnitudes below 2^23, 64 of which are 2^29.
const NEAR: u32 = 24;

/// The last of each `STEP` of `ALL` units: eight indices.
#[inline(always)]
fn indices<const STEP: usize, const ALL: usize>(block: &[Unit; ALL]) -> [i32; BLOCK] {
    let index = |at: usize| block.get(at * STEP + STEP - 1).map_or(0, |unit| *unit as i32);
    [index(0), index(1), index(2), index(3), index(4), index(5), index(6), index(7)]
}

/// What has as many bits as `number` folded, and so has all of many together.
#[inline(always)]
fn spread(number: i32) -> u32 {
    (number ^ (number << 1)) as u32
}

/// How many bits a number has: mostly it is a short one.
#[inline(always)]
fn bits(number: u32) -> u32 {
    static OF: [u8; 128] = {
        let mut of = [0; 128];
        let mut number = 1;
        while number < 128 {
            of[number] = number.ilog2() as u8 + 1;
            number += 1;
        }
        of
    };
    OF.get(number as usize).map_or_else(|| long_bits(number), |bits| u32::from(*bits))
}

#[inline(never)]
fn long_bits(number: u32) -> u32 {
    lane::bits(number)
}

/// What becomes of each of eight.
macro_rules! eight {
    ($indices:expr, $index:ident => $each:expr) => {{
        let [a, b, c, d, e, f, g, h] = $indices;
        straight!([a, b, c, d, e, f, g, h] => $index => $each)
    }};
}

/// How wide the residuals of each eight are, differenced once, and twice; none where indices are too far apart.
#[inline(always)]
fn sizes<const STEP: usize, const ALL: usize>(mut tail: Tail<i32>, units: &[Unit]) -> Option<(Sizes, Sizes)> {
    let (mut once, mut twice) = (Sizes::default(), Sizes::default());
    let (mut left, mut far) = (units, 0);
    for at in 0..GROUP / BLOCK {
        let (mut all_once, mut all_twice) = (0, 0);
        if let Some((block, rest)) = left.split_first_chunk() {
            eight!(indices::<STEP, ALL>(block), index => {
                let (once, twice) = tail.step(index);
                all_once |= spread(once);
                all_twice |= spread(twice);
            });
            left = rest;
        } else if left.is_empty() {
            break;
        } else {
            while let Some((point, rest)) = left.split_first_chunk::<STEP>() {
                let (once, twice) = tail.step(point.last().map_or(0, |unit| *unit as i32));
                all_once |= spread(once);
                all_twice |= spread(twice);
                left = rest;
            }
        }
        far |= all_once;
        once.add(at, bits(all_once));
        twice.add(at, bits(all_twice));
    }
    (far >> NEAR == 0).then_some((once, twice))
}

/// Of the indices as they are.
#[inline(never)]
fn sizes_as_they_are<const STEP: usize, const ALL: usize>(units: &[Unit]) -> Sizes {
    let (mut sizes, mut left) = (Sizes::default(), units);
    for at in 0..GROUP / BLOCK {
        let mut all = 0;
        if let Some((block, rest)) = left.split_first_chunk() {
            eight!(indices::<STEP, ALL>(block), index => all |= spread(index));
            left = rest;
        } else {
            while let Some((point, rest)) = left.split_first_chunk::<STEP>() {
                all |= spread(point.last().map_or(0, |unit| *unit as i32));
                left = rest;
            }
        }
        sizes.add(at, bits(all));
    }
    sizes
}

/// Writes the tag, widths and residuals of the last of each `STEP` of `units`, where `ALL` are eight of these: `count`
/// signed numbers. If some may have residuals of more bits, it writes nothing and gives false.
#[inline(never)]
pub(super) fn write<const STEP: usize, const ALL: usize>(
    out: &mut BitWriter<'_>,
    trail: &mut Trail,
    units: &[Unit],
    count: usize,
    tag: Tag,
) -> bool {
    if !(-LAST..LAST).contains(&trail.last) || !(-MOVED..MOVED).contains(&trail.moved) {
        return false;
    }
    let mut tail = Tail::<i32>::of(trail);
    let Some((mut sizes, twice)) = sizes::<STEP, ALL>(tail, units) else { return false };
    let first = units.get(STEP - 1).map_or(0, |unit| *unit as i32);
    let zero = || sizes_as_they_are::<STEP, ALL>(units);
    let order = start(out, count, &mut sizes, &twice, bits(first.unsigned_abs()), zero, tag);
    let mut left = units;
    for width in &sizes.widths {
        let residuals = if let Some((block, rest)) = left.split_first_chunk() {
            left = rest;
            let indices = indices::<STEP, ALL>(block);
            match order {
                0 => eight!(indices, index => {
                    tail.step(index);
                    index.fold()
                }),
                1 => eight!(indices, index => tail.step(index).0.fold()),
                _ => eight!(indices, index => tail.step(index).1.fold()),
            }
        } else if left.is_empty() {
            break;
        } else {
            let mut residuals = [0; BLOCK];
            for residual in &mut residuals {
                let Some((point, rest)) = left.split_first_chunk::<STEP>() else { break };
                left = rest;
                let index = point.last().map_or(0, |unit| *unit as i32);
                let (once, twice) = tail.step(index);
                *residual = match order {
                    0 => index,
                    1 => once,
                    _ => twice,
                }
                .fold();
            }
            residuals
        };
        if *width > 0 {
            words::write::<i32>(out, &residuals, u32::from(*width));
        }
    }
    *trail = Trail { last: i64::from(tail.last), moved: i64::from(tail.moved) };
    true
}

/// Reads the next indices of a group, from the `from`th on, into every `step`th of `values`: as many as there are places.
#[inline(never)]
pub(super) fn read(
    cursor: &mut Cursor,
    payload: &[u8],
    from: usize,
    count: usize,
    step: usize,
    values: &mut [Word],
) {
    let mut tail = Tail::of(&cursor.trail);
    let (mut at, end) = (from, from + count);
    while at < end {
        let (width, skip) = (cursor.width(payload, at / BLOCK), at % BLOCK);
        let residuals_at = cursor.residuals_at as usize;
        let residuals = match width {
            0 => [0; BLOCK],
            1..=24 => words::read_small(payload, residuals_at, width),
            _ => words::read::<i32>(payload, residuals_at, width, unfold).map(Lane::fold),
        };
        let stop = (end - at).min(BLOCK - skip);
        let residuals = residuals.get(skip..skip + stop).unwrap_or_default();
        let places = values.get_mut((at - from) * step..).unwrap_or_default().iter_mut();
        let order = cursor.tag.order;
        match step {
            1 => follow(&mut tail, order, residuals, places),
            _ => follow(&mut tail, order, residuals, places.step_by(step.max(1))),
        }
        at += stop;
        if at % BLOCK == 0 {
            cursor.residuals_at += width;
        }
    }
    cursor.trail = Trail { last: i64::from(tail.last), moved: i64::from(tail.moved) };
}

/// Residuals become the values that they lead to.
#[inline(never)]
fn follow<'v>(
    tail: &mut Tail<i32>,
    order: u8,
    residuals: &[u32],
    values: impl Iterator<Item = &'v mut Word>,
) {
    let places = residuals.iter().map(|folded| (folded >> 1) as i32 ^ -((folded & 1) as i32)).zip(values);
    let Tail { mut last, mut moved } = *tail;
    match order {
        0 => places.for_each(|(residual, value)| {
            (moved, last) = (residual.wrapping_sub(last), residual);
            *value = Word::from(last);
        }),
        1 => places.for_each(|(residual, value)| {
            (moved, last) = (residual, last.wrapping_add(residual));
            *value = Word::from(last);
        }),
        _ => places.for_each(|(residual, value)| {
            moved = moved.wrapping_add(residual);
            last = last.wrapping_add(moved);
            *value = Word::from(last);
        }),
    }
    *tail = Tail { last, moved };
}

#[cfg(test)]
mod tests {
    use super::super::super::bits::BitState;
    use super::super::section;
    use super::*;

    /// Numbers that wander, jump, rest or are of all bits.
    fn series(seed: u32) -> [i32; GROUP] {
        let (mut noise, mut last) = (seed.wrapping_mul(0x9E37_79B9) | 1, 0_i32);
        core::array::from_fn(|_| {
            for (shift, left) in [(13, true), (17, false), (5, true)] {
                noise ^= if left { noise << shift } else { noise >> shift };
            }
            let by = noise as i32 >> (seed % 32);
            last = match seed % 5 {
                0 => by,
                1 => last.wrapping_add(by),
                2 if noise.is_multiple_of(16) => by,
                3 => last.wrapping_add(100),
                4 => (noise % 7) as i32,
                _ => last,
            };
            last
        })
    }

    #[test]
    fn it_writes_what_the_loops_write_and_reads_it_back() {
        let mut written = 0;
        // The interpreter is slow: it gets a few of them.
        let seeds = (0..4000).step_by(if cfg!(miri) { 101 } else { 1 });
        let cases = seeds.len() as u32;
        for seed in seeds {
            let count = 1 + seed as usize % GROUP;
            let (all, start) = (series(seed), series(seed / 7 + 1));
            let indices = &all[..count];
            let trail =
                Trail { last: i64::from(start[0] >> (seed % 9)), moved: i64::from(start[1] >> (seed % 11)) };
            let wide = indices.iter().map(|index| i64::from(*index)).collect::<std::vec::Vec<_>>();
            let (mut expected, mut expected_trail) = ([0; 700], trail);
            let mut out = BitWriter::new(BitState::at(0), &mut expected);
            section::lanes::<i64>(&mut out, &mut expected_trail, &wide, Tag::default());
            let end = out.state.at as usize;

            // Alone, and as the last of three units.
            let alone = indices.iter().map(|index| *index as Unit).collect::<std::vec::Vec<_>>();
            let third = alone.iter().flat_map(|index| [7, 8, *index]).collect::<std::vec::Vec<_>>();
            for step in [1, 3] {
                let (mut bytes, mut now) = ([0; 700], trail);
                let mut out = BitWriter::new(BitState::at(0), &mut bytes);
                let done = match step {
                    1 => write::<1, BLOCK>(&mut out, &mut now, &alone, count, Tag::default()),
                    _ => write::<3, { 3 * BLOCK }>(&mut out, &mut now, &third, count, Tag::default()),
                };
                written += u32::from(done);
                if done {
                    assert_eq!((out.state.at as usize, out.state.over), (end, false), "{seed}");
                    assert_eq!(bytes[..end], expected[..end], "{seed}");
                    assert_eq!((now.last, now.moved), (expected_trail.last, expected_trail.moved), "{seed}");
                } else {
                    assert_eq!((out.state.at, now.last, now.moved), (0, trail.last, trail.moved), "{seed}");
                }
            }

            // Back, in one go and in two, with nothing behind the bytes and with more.
            let tag = Tag::of(expected[0]).expect("a tag");
            let residuals_at = 1 + tag.width_bytes(count) as u32;
            for (cut, room) in [(count, end), (count / 3, end), (count / 2, 700)] {
                let mut cursor = Cursor { tag, trail, widths_at: 1, residuals_at, ..Cursor::default() };
                let mut values = [Word(0); 2 * GROUP];
                let (first, second) = values.split_at_mut(2 * cut);
                read(&mut cursor, &expected[..room], 0, cut, 2, first);
                read(&mut cursor, &expected[..room], cut, count - cut, 2, second);
                let found = values.iter().step_by(2).take(count).map(|value| value.i32());
                assert!(found.eq(indices.iter().copied()), "{seed}");
                assert!(values.iter().skip(1).step_by(2).all(|value| *value == Word(0)), "{seed}");
            }
        }
        assert!(written > cases / 2, "{written} of {} are near enough", 2 * cases);
    }
}
