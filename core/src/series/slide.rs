//! Moving bytes within a buffer, where `copy_within` would have to be trusted not to panic.

use core::ops::Range;

/// Moves the bytes at `from` so that they begin at `to`, by a few bytes up or down: in steps of the way, so that what is
/// copied never overlaps where it goes. `None`, and nothing is moved, if either place is outside.
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
        while let Some((low, high)) = rest.split_at_mut_checked(way) {
            low.iter_mut().zip(&*high).for_each(|(to, from)| *to = *from);
            rest = high;
        }
    } else {
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
        for len in 0..12 {
            for (start, to) in (0..=12 - len).flat_map(|start| (0..=12 - len).map(move |to| (start, to))) {
                let mut bytes: [u8; 12] = core::array::from_fn(|at| at as u8);
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
