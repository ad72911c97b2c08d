//! Moving bytes within a buffer, where `copy_within` would have to be trusted not to panic.

use core::ops::Range;
use core::slice::IterMut;

/// What bytes move in: cores load and store it in one go.
type Word = usize;

const WORD: usize = size_of::<Word>();

/// Moves the bytes at `from` so that they begin at `to`, mostly by a byte or two up or down. `None`, and nothing is moved,
/// if either place is outside.
#[inline(never)]
pub(super) fn slide(bytes: &mut [u8], from: Range<usize>, to: usize) -> Option<()> {
    let (way, end) = (from.start.abs_diff(to), to.checked_add(from.len())?);
    if end > bytes.len() || from.end > bytes.len() {
        return None;
    }
    if way == 0 {
        return Some(());
    }
    let all = bytes.get_mut(from.start.min(to)..from.end.max(end))?;
    match (to < from.start, way < WORD) {
        (true, true) => words_down(all, way),
        (false, true) => words_up(all, way),
        (true, false) => bytes_down(all, way),
        (false, false) => bytes_up(all, way),
    }
    Some(())
}

/// Moves all but the first `way` of `bytes` down by so many: in steps of the way, so that what is copied never overlaps
/// where it goes.
fn bytes_down(mut bytes: &mut [u8], way: usize) {
    while let Some((low, high)) = bytes.split_at_mut_checked(way) {
        low.iter_mut().zip(&*high).for_each(|(to, from)| *to = *from);
        bytes = high;
    }
}

/// Moves all but the last `way` of `bytes` up by so many.
fn bytes_up(mut bytes: &mut [u8], way: usize) {
    while let Some((low, high)) = bytes.len().checked_sub(way).and_then(|at| bytes.split_at_mut_checked(at)) {
        high.iter_mut().rev().zip(low.iter().rev()).for_each(|(to, from)| *to = *from);
        bytes = low;
    }
}

/// What to do by the bits of a way, which the compiler knows of the usual ones: small cores shift by those in one go.
macro_rules! by_bits {
    ($way:expr, |$by:ident| $do:expr) => {
        match $way {
            1 => {
                let $by = 8;
                $do
            }
            2 => {
                let $by = 16;
                $do
            }
            way => {
                let $by = 8 * way as u32;
                $do
            }
        }
    };
}

/// Where in `bytes` words can be.
fn places(bytes: &[u8]) -> Range<usize> {
    let first = (bytes.as_ptr().addr().wrapping_neg() % WORD).min(bytes.len());
    first..first + (bytes.len() - first) / WORD * WORD
}

fn words<'b>(bytes: &'b mut [u8], places: &Range<usize>) -> IterMut<'b, Word> {
    let words = bytemuck::try_cast_slice_mut(bytes.get_mut(places.clone()).unwrap_or_default());
    words.unwrap_or_default().iter_mut()
}

/// As [`bytes_down`], by less than a word: a word is the rest of its bytes and the first ones of the next.
fn words_down(bytes: &mut [u8], way: usize) {
    let places = places(bytes);
    if places.is_empty() {
        return bytes_down(bytes, way);
    }
    bytes_down(bytes.get_mut(..places.start + way).unwrap_or_default(), way);
    let words = words(bytes, &places);
    by_bits!(way, |by| blend(words, |word, next| word >> by | next << (Word::BITS - by)));
    bytes_down(bytes.get_mut(places.end - WORD..).unwrap_or_default(), way);
}

/// As [`bytes_up`], by less than a word: a word is the last bytes of the one before and the first ones of its own.
fn words_up(bytes: &mut [u8], way: usize) {
    let places = places(bytes);
    if places.is_empty() {
        return bytes_up(bytes, way);
    }
    bytes_up(bytes.get_mut(places.end - way..).unwrap_or_default(), way);
    let words = words(bytes, &places).rev();
    by_bits!(way, |by| blend(words, |word, before| word << by | before >> (Word::BITS - by)));
    bytes_up(bytes.get_mut(..places.start + WORD).unwrap_or_default(), way);
}

/// Each of `words` but the last becomes what `of` makes of it and the next one.
#[inline(always)]
fn blend<'b>(mut words: impl Iterator<Item = &'b mut Word>, of: impl Fn(Word, Word) -> Word) {
    let Some(mut word) = words.next() else { return };
    for next in words {
        *word = of(Word::from_le(*word), Word::from_le(*next)).to_le();
        word = next;
    }
}

#[cfg(test)]
mod tests {
    use super::slide;

    #[test]
    fn it_is_copy_within() {
        const ROOM: usize = 12 + 2 * 64;
        for len in (0..12).chain([64, 67, 128, 130]) {
            // The interpreter takes minutes for all of them.
            let places = move || (0..=(ROOM - len).min(12)).step_by(if cfg!(miri) { 6 } else { 1 });
            for (start, to) in places().flat_map(|start| places().map(move |to| (start, to))) {
                let mut bytes: [u8; ROOM] = core::array::from_fn(|at| at as u8);
                let mut expected = bytes;
                expected.copy_within(start..start + len, to);
                assert_eq!(slide(&mut bytes, start..start + len, to), Some(()));
                assert_eq!(bytes[to..to + len], expected[to..to + len], "{len} bytes from {start} to {to}");
            }
        }
        assert_eq!(slide(&mut [0; 4], 2..5, 0), None);
        assert_eq!(slide(&mut [0; 4], 0..3, 2), None);
    }
}
