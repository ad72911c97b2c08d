//! One column of one group: a tag, widths, residuals, and what does not fit the lattice.

use super::super::bits::BitWriter;
use super::super::lane::Lane;
use super::{BLOCK, GROUP, SMALL, narrow, words};

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
pub(super) fn unfold(folded: u64) -> i64 {
    (folded >> 1) as i64 ^ -((folded & 1) as i64)
}

/// Indices and trails below this magnitude have residuals of 32 bits, however often they are differenced.
const NARROW: u32 = 28;

/// The trail in the lanes of the indices.
#[derive(Clone, Copy)]
pub(super) struct Tail<L> {
    pub(super) last: L,
    pub(super) moved: L,
}

impl<L: Lane> Tail<L> {
    pub(super) fn of(trail: &Trail) -> Self {
        Tail { last: L::from_wide(trail.last), moved: L::from_wide(trail.moved) }
    }

    /// The differences to the index before, once and twice; the next step starts from here.
    #[inline(always)]
    pub(super) fn step(&mut self, index: L) -> (L, L) {
        let once = index.minus(self.last);
        let twice = once.minus(self.moved);
        *self = Tail { last: index, moved: once };
        (once, twice)
    }
}

/// How wide the residuals of each eight are.
#[derive(Clone, Copy, Default)]
pub(super) struct Sizes {
    pub(super) widths: [u8; GROUP / BLOCK],
}

impl Sizes {
    /// Residuals that have so many bits are the next eight.
    #[inline(always)]
    pub(super) fn add(&mut self, at: usize, bits: u32) {
        if let Some(width) = self.widths.get_mut(at) {
            *width = bits as u8;
        }
    }

    /// Four widths each.
    #[inline(always)]
    fn halves(&self) -> [u32; 2] {
        bytemuck::cast(self.widths)
    }

    /// All widths together.
    #[inline(always)]
    fn total(&self) -> u32 {
        // Two at a time, in 16 bits each: a width is at most 64.
        let pairs = |four: u32| (four & 0xFF_00FF) + (four >> 8 & 0xFF_00FF);
        let [low, high] = self.halves();
        let sums = pairs(low) + pairs(high);
        (sums & 0xFFFF) + (sums >> 16)
    }

    /// Whether all widths are below 16.
    #[inline(always)]
    fn are_nibbles(&self) -> bool {
        let [low, high] = self.halves();
        (low | high) & 0xF0F0_F0F0 == 0
    }
}

/// Of `indices` differenced once, and twice.
#[inline(always)]
fn sizes<L: Lane>(mut tail: Tail<L>, indices: &[L]) -> (Sizes, Sizes) {
    let (mut once, mut twice) = (Sizes::default(), Sizes::default());
    let (blocks, rest) = indices.as_chunks::<BLOCK>();
    let mut of = |block: &[L], at: usize| {
        let (mut all_once, mut all_twice) = (L::LEAST, L::LEAST);
        for index in block {
            let residuals = tail.step(*index);
            all_once = all_once | residuals.0.fold();
            all_twice = all_twice | residuals.1.fold();
        }
        once.add(at, L::bits_of(all_once));
        twice.add(at, L::bits_of(all_twice));
    };
    // Whole ones have a length that the compiler knows: on hosts they become vectors.
    for (at, block) in blocks.iter().enumerate() {
        of(block, at);
    }
    if !rest.is_empty() {
        of(rest, blocks.len());
    }
    (once, twice)
}

/// Of `indices` as they are.
#[inline(never)]
fn sizes_as_they_are<L: Lane>(indices: &[L]) -> Sizes {
    let mut sizes = Sizes::default();
    for (at, block) in indices.chunks(BLOCK).enumerate() {
        sizes.add(at, L::bits_of(block.iter().fold(L::LEAST, |all, index| all | index.fold())));
    }
    sizes
}

/// Writes the tag, widths and residuals of `indices` (1 to 64 of them).
pub(super) fn write(out: &mut BitWriter<'_>, trail: &mut Trail, indices: &[i64], tag: Tag) {
    let far = |number: i64| (number ^ (number >> 63)) as u64;
    let all = indices.iter().fold(far(trail.last) | far(trail.moved), |all, index| all | far(*index));
    if all >> NARROW != 0 {
        return lanes::<i64>(out, trail, indices, tag);
    }
    let mut narrow = [0; GROUP];
    for (to, index) in narrow.iter_mut().zip(indices) {
        *to = *index as i32;
    }
    let narrow = narrow.get(..indices.len()).unwrap_or_default();
    match SMALL {
        false => lanes::<i32>(out, trail, narrow, tag),
        true => {
            let units = bytemuck::try_cast_slice(narrow).unwrap_or_default();
            if !narrow::write::<1, BLOCK>(out, trail, units, narrow.len(), tag) {
                lanes::<i64>(out, trail, indices, tag);
            }
        }
    }
}

/// The same of indices that have 32 bits.
pub(super) fn write_narrow(out: &mut BitWriter<'_>, trail: &mut Trail, indices: &[i32], tag: Tag) {
    let far = |number: i32| (number ^ (number >> 31)) as u32;
    let trails =
        [trail.last, trail.moved].iter().all(|number| (-(1 << NARROW)..1 << NARROW).contains(number));
    if !SMALL && trails && indices.iter().fold(0, |all, index| all | far(*index)) >> NARROW == 0 {
        return lanes::<i32>(out, trail, indices, tag);
    }
    let mut wide = [0; GROUP];
    for (to, index) in wide.iter_mut().zip(indices) {
        *to = i64::from(*index);
    }
    lanes::<i64>(out, trail, wide.get(..indices.len()).unwrap_or_default(), tag);
}

/// Writes the tag and widths of a section of `count` indices: gives how often to difference them, and leaves how wide
/// they are then in `once`. The first has `spread` bits, and all are as wide as `zero` says if they are not differenced.
#[inline(always)]
pub(super) fn start(
    out: &mut BitWriter<'_>,
    count: usize,
    once: &mut Sizes,
    twice: &Sizes,
    spread: u32,
    zero: impl FnOnce() -> Sizes,
    tag: Tag,
) -> u8 {
    let (mut order, best) = (1, once);
    let (mut total, others) = (best.total(), twice.total());
    if others < total {
        (order, total, *best) = (2, others, *twice);
    }
    // Counting from 0 pays where there is no order in the values: seldom, so not every group is tried.
    if total > 0 && spread <= u32::from(best.widths[0]) {
        let zero = zero();
        let others = zero.total();
        if others < total {
            (order, total, *best) = (0, others, zero);
        }
    }
    let (widths, blocks) = (&best.widths, count.div_ceil(BLOCK));
    let form = match (total, best.are_nibbles()) {
        (0, _) => Widths::None,
        (_, true) => Widths::Nibbles,
        (_, false) => Widths::Bytes,
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
    order
}

#[inline(never)]
pub(super) fn lanes<L: Lane>(out: &mut BitWriter<'_>, trail: &mut Trail, indices: &[L], tag: Tag) {
    let mut tail = Tail::of(trail);
    let (mut sizes, twice) = sizes(tail, indices);
    let spread = indices.first().map_or(0, |first| first.magnitude_bits());
    let zero = || sizes_as_they_are(indices);
    let order = start(out, indices.len(), &mut sizes, &twice, spread, zero, tag);
    for (indices, width) in indices.chunks(BLOCK).zip(sizes.widths) {
        let mut residuals = [L::LEAST; BLOCK];
        for (index, residual) in indices.iter().zip(&mut residuals) {
            let (once, twice) = tail.step(*index);
            *residual = match order {
                0 => *index,
                1 => once,
                _ => twice,
            }
            .fold();
        }
        if width > 0 {
            words::write::<L>(out, &residuals, u32::from(width));
        }
    }
    *trail = Trail { last: tail.last.wide(), moved: tail.moved.wide() };
}

/// Writes a section whose indices go on by as much as of late; where they come to is the caller's to note.
pub(super) fn write_steady(out: &mut BitWriter<'_>, trail: &Trail) {
    let order = if trail.moved == 0 { 1 } else { 2 };
    out.bytes(&[Tag { order, ..Tag::default() }.byte()]);
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

    /// Whether the next index is as far from the last one as that is from the one before, and so on: how far.
    #[inline(always)]
    pub(super) fn steady(&self) -> Option<i64> {
        match (self.tag.widths, self.tag.order) {
            (Widths::None, 1) => Some(0),
            (Widths::None, 2) => Some(self.trail.moved),
            _ => None,
        }
    }

    /// Residuals become the indices that they lead to.
    #[inline(always)]
    fn follow<L: Lane>(&self, tail: &mut Tail<L>, numbers: &mut [L]) {
        let Tail { mut last, mut moved } = *tail;
        match self.tag.order {
            0 => {
                for number in numbers {
                    moved = number.minus(last);
                    last = *number;
                }
            }
            1 => {
                for number in numbers {
                    moved = *number;
                    last = last.plus(moved);
                    *number = last;
                }
            }
            _ => {
                for number in numbers {
                    moved = moved.plus(*number);
                    last = last.plus(moved);
                    *number = last;
                }
            }
        }
        *tail = Tail { last, moved };
    }

    /// Reads the next indices of a group, from the `from`th on; `to` gets up to eight at a time, and the number of the
    /// first of them within the group. Of indices in lanes of 32 bits these are the low ones.
    #[inline(always)]
    pub(super) fn indices<L: Lane>(
        &mut self,
        payload: &[u8],
        from: usize,
        count: usize,
        mut to: impl FnMut(usize, &[L]),
    ) {
        let mut tail = Tail::of(&self.trail);
        let (mut at, end) = (from, from + count);
        while at < end {
            let (block, skip) = (at / BLOCK, at % BLOCK);
            let width = self.width(payload, block);
            let mut numbers = [L::default(); BLOCK];
            if width > 0 {
                numbers = words::read(payload, self.residuals_at as usize, width, unfold);
            }
            let stop = (end - at).min(BLOCK - skip);
            if let Some(numbers) = numbers.get_mut(skip..skip + stop) {
                self.follow(&mut tail, numbers);
                to(at, numbers);
            }
            at += stop;
            if at % BLOCK == 0 {
                self.residuals_at += width;
            }
        }
        self.trail = Trail { last: tail.last.wide(), moved: tail.moved.wide() };
    }
}
