//! Which lattice the next points of a column lie on: found by looking at them.

use super::lane::Lane;
use super::lattice::{Front, MOST_DIGITS};
use super::settings::{Column, Lattice, Tolerance};
use super::word::{Kind, Word};

/// Bits that an escape costs about.
const ESCAPE_BITS: u32 = 68;

/// Bits that a change of lattice costs about: its description, the first index as it is, and what the predictors must
/// learn again. Counting the first two for each lattice offered instead makes the lossless blocks of the corpus larger,
/// by 0.1 % (`arith`) and 0.2 % (`pack`): what is learnt again is most of it, and is not known before.
const CHANGE_BITS: u32 = 80;

/// The integers themselves.
const ONES: Front = Front::Integer { unit: 1, offset: 0 };

/// The lattice for a column's next `words`, where `now` is in use (and `started`: known in this block).
pub(crate) fn choose<I: Iterator<Item = Word> + Clone>(
    column: &Column,
    now: Front,
    started: bool,
    words: I,
) -> Front {
    match column.lattice {
        Lattice::Decimal(digits) if column.kind.is_float() => return Front::Decimal { digits },
        Lattice::Bits if column.kind.is_float() => return Front::Bits { shift: 0 },
        Lattice::Ones if !column.kind.is_float() => return ONES,
        _ => {}
    }
    let lossy = lossy(column);
    // What is in use and takes every value is kept: looking for better costs more than it brings.
    if started && lossy.is_none() && !matches!(now, Front::Bits { .. }) {
        let all = now == ONES || words.clone().all(|word| now.fit(column, word).is_some());
        if all {
            return now;
        }
    }
    let (unit, offset) = if column.kind.is_float() { (1, 0) } else { unit_of(column.kind, words.clone()) };
    if !column.kind.is_float() && lossy.is_none() && unit == 1 && now == ONES {
        // There is nothing to choose from.
        return now;
    }
    let mut best = (cost(column, now, words.clone(), u32::MAX), now);
    let penalty = if started { CHANGE_BITS } else { 0 };
    let mut offer = |front: Front| {
        let cost = cost(column, front, words.clone(), best.0.bits.saturating_sub(penalty));
        if cost.bits.saturating_add(penalty) < best.0.bits {
            best = (cost, front);
        }
        cost
    };
    if column.kind.is_float() {
        for digits in 0..=MOST_DIGITS {
            if offer(Front::Decimal { digits }).escapes == 0 {
                break;
            }
        }
        let shift = words.clone().map(|word| trailing_zeros(column.kind, word)).min().unwrap_or(0);
        offer(Front::Bits { shift });
    } else {
        offer(ONES);
        if unit > 1 {
            offer(Front::Integer { unit, offset });
        }
    }
    if let Some(front) = lossy {
        // A grid finer than the data's own step would only add to the errors: like any other it must save bits to be
        // taken. That a block is longer than a lossless one for all that, `NeverLonger` sees.
        offer(front);
    }
    best.1
}

/// The lattice that uses up all that `column` tolerates.
fn lossy(column: &Column) -> Option<Front> {
    match (column.tolerance, column.kind.is_float()) {
        (Tolerance::Absolute(most), true) => {
            let step = 2.0 * most;
            (step < f64::INFINITY).then_some(Front::Grid { step })
        }
        (Tolerance::Absolute(most), false) => {
            let most = if most < 1_073_741_823.0 { most as u64 } else { 1_073_741_823 };
            (most > 0).then_some(Front::Integer { unit: 2 * most + 1, offset: 0 })
        }
        (Tolerance::Relative(most), true) => {
            // Rounding away `shift` of `fraction` bits is an error of at most 2^(shift - 1 - fraction).
            let fraction = if column.kind == Kind::F32 { 23 } else { 52 };
            let (mut shift, mut error) = (0_u8, 0.5 / (1_u64 << fraction) as f64);
            while error * 2.0 <= most && u32::from(shift) < fraction {
                error *= 2.0;
                shift += 1;
            }
            (shift > 0).then_some(Front::Bits { shift })
        }
        _ => None,
    }
}

#[derive(Clone, Copy)]
struct Cost {
    bits: u32,
    escapes: u32,
}

/// What `words` would about cost on `front`, differenced once or twice, whichever is less. Where escapes alone cost as
/// much as `most`, not all of them are looked at.
fn cost<I: Iterator<Item = Word>>(column: &Column, front: Front, words: I, most: u32) -> Cost {
    let mut cost = Cost { bits: 0, escapes: 0 };
    let (mut once, mut twice) = (0, 0);
    let (mut last, mut before) = (None, 0);
    for word in words {
        match front.fit(column, word) {
            None => {
                cost.escapes += 1;
                cost.bits += ESCAPE_BITS;
                if cost.bits >= most {
                    break;
                }
            }
            Some(place) => {
                if let Some(last) = last {
                    let moved = place.index.wrapping_sub(last);
                    once += 1 + moved.magnitude_bits();
                    twice += 1 + moved.wrapping_sub(before).magnitude_bits();
                    before = moved;
                }
                cost.bits += if place.ulps != 0 { 2 } else { 0 };
                last = Some(place.index);
            }
        }
    }
    cost.bits += if once < twice { once } else { twice };
    cost
}

/// Low bits of the magnitude that are zero.
fn trailing_zeros(kind: Kind, word: Word) -> u8 {
    let (fraction, magnitude) = match kind {
        Kind::F32 | Kind::I32 => (23, word.0 & 0x7FFF_FFFF),
        Kind::F64 | Kind::I64 => (52, word.0 & (u64::MAX >> 1)),
    };
    magnitude.trailing_zeros().min(fraction) as u8
}

/// The largest unit that all `words` are whole multiples of, counted from the first.
fn unit_of<I: Iterator<Item = Word>>(kind: Kind, mut words: I) -> (u64, i64) {
    let wide = |word: Word| if kind == Kind::I32 { i64::from(word.i32()) } else { word.i64() };
    let Some(first) = words.next().map(wide) else { return (1, 0) };
    let mut unit = 0;
    for word in words {
        unit = greatest_common_divisor(unit, wide(word).abs_diff(first));
        if unit == 1 {
            return (1, 0);
        }
    }
    let most = if kind == Kind::I32 { i32::MAX as u64 } else { i64::MAX as u64 };
    if unit < 2 || unit > most {
        return (1, 0);
    }
    // A small offset is a short one.
    let rest = first.unsigned_abs() % unit;
    let offset = if first < 0 && rest > 0 { unit - rest } else { rest };
    (unit, offset as i64)
}

/// Of both; of 0 and a number, the number.
pub(crate) fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
