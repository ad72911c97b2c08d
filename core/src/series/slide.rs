//! Moving bytes within a buffer, where `copy_within` would have to be trusted not to panic.

use core::ops::Range;

/// Bytes that move at once, by way of registers. Mostly the way is a byte or two.
const AT_ONCE: usize = if cfg!(target_pointer_width = "64") { 64 } else { 8 };

/// Moves the bytes at `from` so that they begin at `to`, by a few bytes up or down: in steps of the way, so that what is
/// copied never overlaps where it goes. `None`, and nothing is moved, if either place is outside.
#[inline(never)]
pub(super) fn slide(bytes: &mut [u8], from: Range<usize>, to: usize) -> Option<()> {
    let (way, end) = (from.start.abs_diff(to), to.checked_add(from.len())?);
    if end > bytes.len() || from.end > bytes.len() {
        return None;
    }
    if way == 0 {
        return Some(());
    }
    let mut rest = bytes.get_mut(from.start.min(to)..from.end.max(end))?;
    if to < from.start {
        let mut done = 0;
        while let Some(high) = rest.get(done + way..).and_then(|high| high.first_chunk::<AT_ONCE>()).copied()
            && let Some(low) = rest.get_mut(done..).and_then(|low| low.first_chunk_mut())
        {
            *low = high;
            done += AT_ONCE;
        }
        rest = rest.get_mut(done..)?;
        while let Some((low, high)) = rest.split_at_mut_checked(way) {
            low.iter_mut().zip(&*high).for_each(|(to, from)| *to = *from);
            rest = high;
        }
    } else {
        let mut left = rest.len();
        while let Some(at) = left.checked_sub(way + AT_ONCE)
            && let Some(low) = rest.get(at..).and_then(|low| low.first_chunk::<AT_ONCE>()).copied()
            && let Some(high) = rest.get_mut(at + way..).and_then(|high| high.first_chunk_mut())
        {
            *high = low;
            left -= AT_ONCE;
        }
        rest = rest.get_mut(..left)?;
        while let Some((low, high)) = rest.len().checked_sub(way).and_then(|at| rest.split_at_mut_checked(at))
        {
            high.iter_mut().rev().zip(low.iter().rev()).for_each(|(to, from)| *to = *from);
            rest = low;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::slide;

    #[test]
    fn it_is_copy_within() {
        const ROOM: usize = 12 + 2 * 64;
        for len in (0..12).chain([64, 67, 128, 130]) {
            let places = move || 0..=(ROOM - len).min(12);
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
