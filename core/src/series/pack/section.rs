//! One column of one group: a tag, widths, residuals, and what does not fit the lattice.

use super::super::bits::BitWriter;
use super::super::lane::Lane;
use super::words;
use super::{BLOCK, GROUP};

/// What a column's residuals are counted from.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trail {
    pub(super) last: i64,
    /// The last difference.
    pub(super) moved: i64,
}

/// The tag of a section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tag {
    /// How often indices are differenced: 0 to 2.
    pub(super) order: u8,
    pub(super) widths: Widths,
    pub(super) corrected: bool,
    pub(super) escaped: bool,
}

/// How the widths of a section are stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Widths {
    /// All residuals are 0.
    #[default]
    None,
    /// 4 bits for each eight residuals.
    Nibbles,
    /// 8 bits for each eight residuals.
    Bytes,
}

impl Tag {
    pub(super) fn byte(self) -> u8 {
        let widths = match self.widths {
            Widths::None => 0,
            Widths::Nibbles => 1,
            Widths::Bytes => 2,
        };
        self.order | widths << 2 | u8::from(self.corrected) << 4 | u8::from(self.escaped) << 5
    }

    pub(super) fn of(byte: u8) -> Option<Tag> {
        let widths = match byte >> 2 & 3 {
            0 => Widths::None,
            1 => Widths::Nibbles,
            2 => Widths::Bytes,
            _ => return None,
        };
        let order = byte & 3;
        (order < 3 && byte < 64).then_some(Tag {
            order,
            widths,
            corrected: byte & 16 != 0,
            escaped: byte & 32 != 0,
        })
    }

    /// Bytes that the widths of `count` residuals take.
    pub(super) fn width_bytes(self, count: usize) -> usize {
        match self.widths {
            Widths::None => 0,
            Widths::Nibbles => count.div_ceil(BLOCK).div_ceil(2),
            Widths::Bytes => count.div_ceil(BLOCK),
        }
    }
}

#[inline(always)]
fn fold(residual: i64) -> u64 {
    ((residual << 1) ^ (residual >> 63)) as u64
}

#[inline(always)]
pub(super) fn unfold(folded: u64) -> i64 {
    (folded >> 1) as i64 ^ -((folded & 1) as i64)
}

/// The residuals of up to eight `indices`; the others are 0.
#[inline(always)]
fn residuals(order: u8, trail: &mut Trail, indices: &[i64]) -> [u64; BLOCK] {
    let Trail { mut last, mut moved } = *trail;
    let mut residuals = [0; BLOCK];
    for (index, residual) in indices.iter().zip(&mut residuals) {
        let now = index.wrapping_sub(last);
        *residual = fold(match order {
            0 => *index,
            1 => now,
            _ => now.wrapping_sub(moved),
        });
        (last, moved) = (*index, now);
    }
    *trail = Trail { last, moved };
    residuals
}

/// How wide the residuals of each eight `indices` are, and all widths together.
#[inline(always)]
fn widths(order: u8, mut trail: Trail, indices: &[i64]) -> ([u8; GROUP / BLOCK], u32) {
    let (mut widths, mut total) = ([0; GROUP / BLOCK], 0);
    for (indices, width) in indices.chunks(BLOCK).zip(&mut widths) {
        let all = residuals(order, &mut trail, indices).iter().fold(0, |all, residual| all | residual);
        *width = (64 - all.leading_zeros()) as u8;
        total += u32::from(*width);
    }
    (widths, total)
}

/// Writes the tag, widths and residuals of `indices` (1 to 64 of them).
pub(super) fn write(out: &mut BitWriter<'_>, trail: &mut Trail, indices: &[i64], tag: Tag) {
    let one = widths(1, *trail, indices);
    let two = if one.1 == 0 { one } else { widths(2, *trail, indices) };
    let (mut order, mut best) = if two.1 < one.1 { (2_u8, two) } else { (1, one) };
    // Counting from 0 pays where there is no order in the values: seldom, so not every group is tried.
    let spread = indices.first().map_or(0, |first| first.magnitude_bits());
    if best.1 > 0 && spread <= u32::from(best.0[0]) {
        let zero = widths(0, *trail, indices);
        if zero.1 < best.1 {
            (order, best) = (0, zero);
        }
    }
    let (widths, total) = best;
    let blocks = indices.len().div_ceil(BLOCK);
    let most = widths.iter().max().copied().unwrap_or(0);
    let form = match (total, most) {
        (0, _) => Widths::None,
        (_, ..16) => Widths::Nibbles,
        _ => Widths::Bytes,
    };
    out.bytes(&[Tag { order, widths: form, ..tag }.byte()]);
    match form {
        Widths::None => {}
        Widths::Nibbles => {
            for pair in widths.as_chunks::<2>().0.iter().take(blocks.div_ceil(2)) {
                out.bytes(&[pair[0] | pair[1] << 4]);
            }
        }
        Widths::Bytes => out.bytes(widths.get(..blocks).unwrap_or_default()),
    }
    for (indices, width) in indices.chunks(BLOCK).zip(widths) {
        let residuals = residuals(order, trail, indices);
        if width > 0 {
            words::write(out, &residuals, u32::from(width));
        }
    }
}

/// Where reading is in a section.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    pub(super) tag: Tag,
    pub(super) trail: Trail,
    /// Where the widths are, and the residuals of the next eight.
    pub(super) widths_at: u32,
    pub(super) residuals_at: u32,
    /// Where the corrections are, the mask of escapes, and the next escape.
    pub(super) corrections_at: u32,
    pub(super) mask_at: u32,
    pub(super) escapes_at: u32,
}

impl Cursor {
    /// Width of the `block`th eight.
    #[inline(always)]
    pub(super) fn width(&self, payload: &[u8], block: usize) -> u32 {
        let byte = |at: usize| payload.get(self.widths_at as usize + at).copied().unwrap_or(0);
        let width = match self.tag.widths {
            Widths::None => 0,
            Widths::Nibbles => byte(block / 2) >> (4 * (block % 2)) & 15,
            Widths::Bytes => byte(block),
        };
        u32::from(width.min(64))
    }

    /// Residuals become the indices that they lead to.
    #[inline(always)]
    fn follow(&mut self, numbers: &mut [i64]) {
        let Trail { mut last, mut moved } = self.trail;
        match self.tag.order {
            0 => {
                for number in numbers {
                    moved = number.wrapping_sub(last);
                    last = *number;
                }
            }
            1 => {
                for number in numbers {
                    moved = *number;
                    last = last.wrapping_add(moved);
                    *number = last;
                }
            }
            _ => {
                for number in numbers {
                    moved = moved.wrapping_add(*number);
                    last = last.wrapping_add(moved);
                    *number = last;
                }
            }
        }
        self.trail = Trail { last, moved };
    }

    /// Reads the next indices of a group, from the `from`th on; `to` gets up to eight at a time, and the number of the
    /// first of them within the group.
    #[inline(always)]
    pub(super) fn indices(
        &mut self,
        payload: &[u8],
        from: usize,
        count: usize,
        mut to: impl FnMut(usize, &[i64]),
    ) {
        let (mut at, end) = (from, from + count);
        while at < end {
            let (block, skip) = (at / BLOCK, at % BLOCK);
            let width = self.width(payload, block);
            let mut numbers = [0; BLOCK];
            if width > 0 {
                numbers = words::read(payload, self.residuals_at as usize, width).map(unfold);
            }
            let stop = (end - at).min(BLOCK - skip);
            if let Some(numbers) = numbers.get_mut(skip..skip + stop) {
                self.follow(numbers);
                to(at, numbers);
            }
            at += stop;
            if at % BLOCK == 0 {
                self.residuals_at += width;
            }
        }
    }
}
