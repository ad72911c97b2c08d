//! The values of one column of one group: where they lie on the lattice, and what does not fit it.

use super::super::back::Waiting;
use super::super::bits::BitWriter;
use super::super::lattice::{Front, MOST_ULPS, Place, moved};
use super::super::settings::{Column, Tolerance};
use super::super::summary::Summary;
use super::super::word::{Kind, Word};
use super::section::{self, Cursor, Tag, Trail};
use super::{BLOCK, GROUP, SMALL, narrow};

/// Writes the values of a column of 32-bit integers that are multiples of 1: always all of them.
#[inline(never)]
pub(super) fn write_ones(out: &mut BitWriter<'_>, trail: &mut Trail, waiting: &Waiting<'_>, at: usize) {
    let (count, tag) = (waiting.count().min(GROUP), Tag::default());
    // The only column of a point stands behind its two units of time.
    const ONLY: usize = 3;
    let only = waiting.size == ONLY;
    if SMALL && only && narrow::write::<ONLY, { ONLY * BLOCK }>(out, trail, waiting.units, count, tag) {
        return;
    }
    let mut indices = [0; GROUP];
    for (index, word) in indices.iter_mut().zip(waiting.words(at, 32)) {
        *index = word.i32();
    }
    let indices = indices.get(..count).unwrap_or_default();
    let units = bytemuck::try_cast_slice(indices).unwrap_or_default();
    if SMALL && !only && narrow::write::<1, BLOCK>(out, trail, units, count, tag) {
        return;
    }
    section::write_narrow(out, trail, indices, tag);
}

/// Writes the values of one column; whether all of them are on the lattice.
#[allow(clippy::too_many_arguments)] // Of one caller, for the sake of its length.
#[inline(always)]
pub(super) fn write(
    out: &mut BitWriter<'_>,
    front: Front,
    column: &Column,
    trail: &mut Trail,
    waiting: &Waiting<'_>,
    at: usize,
    first: bool,
    summary: Option<&mut Summary>,
) -> bool {
    // Corrections as they are written: so many are none.
    const NONE: u8 = MOST_ULPS as u8;
    let count = waiting.count().min(GROUP);
    let (mut words, mut indices, mut ulps) = ([Word(0); GROUP], [0; GROUP], [NONE; GROUP]);
    let words = words.get_mut(..count).unwrap_or_default();
    let indices = indices.get_mut(..count).unwrap_or_default();
    waiting.gather(at, column.kind.bits(), words);
    let words = &*words;
    let mut mask = 0_u64;
    let exact = column.tolerance == Tolerance::Lossless || !matches!(front, Front::Grid { .. });
    if !exact || !front.split_all(column.kind, words, indices, &mut ulps) {
        let mut last = trail.last;
        for (at, ((index, word), ulps)) in indices.iter_mut().zip(words).zip(&mut ulps).enumerate() {
            let place = front.fit(column, *word);
            mask |= u64::from(place.is_none()) << at;
            let place = place.unwrap_or(Place { index: last, ulps: 0 });
            last = place.index;
            (*index, *ulps) = (last, (place.ulps + MOST_ULPS) as u8);
        }
    }
    let corrected = ulps.iter().fold(0, |all, ulps| all | (ulps ^ NONE)) != 0;
    let tag = Tag { corrected, escaped: mask != 0, ..Tag::default() };
    section::write(out, trail, indices, tag);
    if tag.corrected {
        for pair in ulps.as_chunks::<2>().0.iter().take(indices.len().div_ceil(2)) {
            out.bytes(&[pair[0] | pair[1] << 4]);
        }
    }
    if tag.escaped {
        out.bytes(mask.to_le_bytes().get(..indices.len().div_ceil(8)).unwrap_or_default());
        for (at, word) in words.iter().enumerate() {
            if mask >> at & 1 == 1 {
                let bytes = word.0.to_le_bytes();
                out.bytes(bytes.get(..column.kind.bits() as usize / 8).unwrap_or_default());
            }
        }
    }
    if let Some(summary) = summary {
        for (at, ((index, word), ulps)) in indices.iter().zip(words).zip(ulps).enumerate() {
            let decoded = match mask >> at & 1 == 1 {
                true => *word,
                false => front.join(column.kind, *index, i32::from(ulps) - MOST_ULPS),
            };
            summary.see(column.kind, decoded, first && at == 0);
        }
    }
    mask == 0
}

/// Reads values of one column: from the `from`th of the group on, to every `step`th of `values`.
#[allow(clippy::too_many_arguments)] // Of one caller, for the sake of its length.
#[inline(always)]
pub(super) fn read(
    cursor: &mut Cursor,
    payload: &[u8],
    front: Front,
    kind: Kind,
    from: usize,
    count: usize,
    step: usize,
    values: &mut [Word],
) -> Option<()> {
    let tag = cursor.tag;
    let corrections = payload.get(cursor.corrections_at as usize..)?;
    let ones = kind == Kind::I32 && front == Front::Integer { unit: 1, offset: 0 };
    // Of a column of 32 bits, the low 32 bits of the indices decide.
    if SMALL && ones && !tag.corrected {
        narrow::read(cursor, payload, from, count, step, values);
    } else if kind == Kind::I32 && !tag.corrected {
        cursor.indices::<i32>(payload, from, count, |at, indices| {
            let values = values.get_mut((at - from) * step..).unwrap_or_default();
            for (index, value) in indices.iter().zip(values.iter_mut().step_by(step.max(1))) {
                *value = match front {
                    Front::Integer { unit: 1, offset: 0 } => Word::from(*index),
                    _ => front.join(kind, i64::from(*index), 0),
                };
            }
        });
    } else {
        cursor.indices::<i64>(payload, from, count, |at, indices| {
            let values = values.get_mut((at - from) * step..).unwrap_or_default();
            match step {
                1 => front.join_all(kind, indices, values.iter_mut()),
                _ => front.join_all(kind, indices, values.iter_mut().step_by(step.max(1))),
            }
            if tag.corrected {
                for (at, value) in (at..at + indices.len()).zip(values.iter_mut().step_by(step.max(1))) {
                    let byte = corrections.get(at / 2).copied().unwrap_or(0);
                    *value = moved(*value, kind, i32::from(byte >> (4 * (at % 2)) & 15) - MOST_ULPS);
                }
            }
        });
    }
    if tag.escaped {
        let mask = payload.get(cursor.mask_at as usize..)?;
        for at in from..from + count {
            if mask.get(at / 8)? >> (at % 8) & 1 == 1 {
                let bytes = kind.bits() as usize / 8;
                let mut word = [0; 8];
                let escape = payload.get(cursor.escapes_at as usize..)?.get(..bytes)?;
                for (to, from) in word.iter_mut().zip(escape) {
                    *to = *from;
                }
                cursor.escapes_at += bytes as u32;
                *values.get_mut((at - from) * step)? = Word(u64::from_le_bytes(word));
            }
        }
    }
    Some(())
}
