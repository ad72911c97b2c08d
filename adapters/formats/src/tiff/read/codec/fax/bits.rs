//! Rows of bits: where a colour begins, and runs of black.

/// The first column from `from` on with the colour; `end` if there is none.
pub(super) fn find(row: &[u8], from: u32, end: u32, black: bool) -> u32 {
    let flip = if black { 0 } else { 0xff };
    let mut bytes = row.iter().enumerate().skip(from as usize / 8);
    let mut mask = 0xff >> (from % 8);
    if from < end {
        for (at, byte) in &mut bytes {
            let found = (byte ^ flip) & mask;
            if found != 0 {
                return (at as u32 * 8 + found.leading_zeros()).min(end);
            }
            mask = 0xff;
        }
    }
    end
}

/// Sets the bits from `from` to before `to`, which are not the same.
pub(super) fn blacken(row: &mut [u8], from: u32, to: u32) {
    let (first, last) = (from as usize / 8, (to - 1) as usize / 8);
    let head = 0xff >> (from % 8);
    let tail = 0xff << (7 - (to - 1) % 8);
    match row.get_mut(first..=last) {
        Some([only]) => *only |= head & tail,
        Some([start, middle @ .., end]) => {
            *start |= head;
            middle.fill(0xff);
            *end |= tail;
        }
        _ => {}
    }
}
