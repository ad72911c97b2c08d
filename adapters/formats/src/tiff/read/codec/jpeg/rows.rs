//! From the samples of components to rows of pixels: colour that is stored coarser is interpolated, and YCbCr becomes
//! RGB, both in the arithmetic of libjpeg, whose results everybody else shows.

/// Doubles a row across: each new sample is 3/4 of the nearer and 1/4 of the farther old one.
pub(super) fn twice_across(from: &[u8], into: &mut [u8]) {
    weighted_across(from.len(), |at| i32::from(from[at]), 1, into);
}

/// Doubles two rows across and mixes them 3 to 1: `near` is the nearer one.
pub(super) fn twice_both(near: &[u8], far: &[u8], into: &mut [u8]) {
    let cols = near.len().min(far.len());
    weighted_across(cols, |at| 3 * i32::from(near[at]) + i32::from(far[at]), 4, into);
}

/// Sums of 3/4 and 1/4 of neighbours, each `unit` times its sample's value. Ties go down on the left, up on the right.
fn weighted_across(cols: usize, value: impl Fn(usize) -> i32, unit: i32, into: &mut [u8]) {
    let (left, right) = if unit == 1 { (1, 2) } else { (8, 7) };
    let (pairs, _) = into.as_chunks_mut::<2>();
    for (at, [first, second]) in pairs.iter_mut().enumerate().take(cols) {
        let here = value(at);
        let before = if at == 0 { here } else { value(at - 1) };
        let after = if at + 1 == cols { here } else { value(at + 1) };
        *first = ((3 * here + before + left) / (4 * unit)) as u8;
        *second = ((3 * here + after + right) / (4 * unit)) as u8;
    }
}

/// Mixes two rows 3 to 1.
pub(super) fn mixed(near: &[u8], far: &[u8], rounding: u16, into: &mut [u8]) {
    for ((near, far), into) in near.iter().zip(far).zip(into) {
        *into = ((3 * u16::from(*near) + u16::from(*far) + rounding) >> 2) as u8;
    }
}

/// Repeats each sample.
pub(super) fn repeated(from: &[u8], times: usize, into: &mut [u8]) {
    for (sample, into) in from.iter().zip(into.chunks_mut(times)) {
        into.fill(*sample);
    }
}

/// One pixel of YCbCr (ITU-R BT.601, full range) as RGB, with 16 bits of fraction.
#[inline]
pub(super) fn rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    // 1.402, 1.772, 0.34414 and 0.71414 times 2^16.
    let red = y + ((91_881 * cr + HALF) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    let green = y + ((-22_554 * cb - 46_802 * cr + HALF) >> 16);
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}
