//! Undoes the prediction of a row (PNG specification, 9.2). Exact, in place.

/// Turns `row` back into samples. `above` is the row before it, zeroes for the first one; a pixel has `pixel` bytes.
/// `None` if there is no such filter.
pub(super) fn undo(filter: u8, pixel: usize, above: &[u8], row: &mut [u8]) -> Option<()> {
    match filter {
        0 => {}
        2 => {
            for (x, up) in row.iter_mut().zip(above) {
                *x = x.wrapping_add(*up);
            }
        }
        1 | 3 | 4 => match pixel {
            1 => from_left::<1>(filter, above, row),
            2 => from_left::<2>(filter, above, row),
            3 => from_left::<3>(filter, above, row),
            4 => from_left::<4>(filter, above, row),
            6 => from_left::<6>(filter, above, row),
            _ => from_left::<8>(filter, above, row),
        },
        _ => return None,
    }
    Some(())
}

/// The filters that need the pixel to the left, whose bytes stay in registers as an array.
fn from_left<const N: usize>(filter: u8, above: &[u8], row: &mut [u8]) {
    match filter {
        1 => each::<N>(above, row, |left, _, _| left),
        3 => each::<N>(above, row, |left, up, _| ((u16::from(left) + u16::from(up)) / 2) as u8),
        _ => each::<N>(above, row, paeth),
    }
}

/// Adds a prediction from the bytes to the left, above, and above to the left.
#[inline(always)]
fn each<const N: usize>(above: &[u8], row: &mut [u8], predict: impl Fn(u8, u8, u8) -> u8) {
    let (mut left, mut corner) = ([0u8; N], [0u8; N]);
    for (pixel, up) in row.as_chunks_mut::<N>().0.iter_mut().zip(above.as_chunks::<N>().0) {
        for i in 0..N {
            pixel[i] = pixel[i].wrapping_add(predict(left[i], up[i], corner[i]));
        }
        (left, corner) = (*pixel, *up);
    }
}

/// The neighbour nearest to `left + up - corner`; the earlier one of equals.
///
/// Which of them that is depends only on where `3 corner - left - up` lies: from the larger of `left` and `up` on it
/// is the smaller one, up to the smaller one it is the larger, in between it is `corner`. Without branches, and with a
/// shorter way from the pixel before to this one than three distances.
#[inline(always)]
fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let (low, high) = (left.min(up), left.max(up));
    let turn = 3 * i16::from(corner) - i16::from(left) - i16::from(up);
    let inner = if turn >= i16::from(high) { low } else { corner };
    if turn <= i16::from(low) { high } else { inner }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_nearest_neighbour_is_that_of_the_specification_for_all_bytes() {
        for all in 0..1 << 24 {
            let [left, up, corner, _] = i32::to_le_bytes(all);
            let (a, b, c) = (i32::from(left), i32::from(up), i32::from(corner));
            let p = a + b - c;
            let (pa, pb, pc) = ((p - a).abs(), (p - b).abs(), (p - c).abs());
            let nearest = if pa <= pb && pa <= pc {
                left
            } else if pb <= pc {
                up
            } else {
                corner
            };
            assert_eq!(super::paeth(left, up, corner), nearest, "{left} {up} {corner}");
        }
    }
}
