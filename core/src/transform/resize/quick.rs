//! Means of blocks of pixels of two to four bands: the columns of all bands of a block are added up at once, then all
//! sums are divided at once.
//!
//! A register holds four neighbouring columns. With fewer bands than four, what it holds beyond the pixel is the start
//! of the next one: its sum is nonsense, and the sum of the next block is written over it.

/// Samples that a register holds.
const LANES: usize = 4;

/// Adding it leaves the nearest integer of a smaller number in the low bits: `1.5 * 2^52`.
const NEAREST: f64 = 6_755_399_441_055_744.0;

/// Blocks of 8-bit samples with fewer than this many have sums below `2^31`.
const MOST_SAMPLES: u64 = 1 << 23;

/// Whether [`means`] of blocks of `samples` samples are those that are rounded with halves up.
///
/// They are rounded to the nearest, and the two differ at halves alone. A mean of `n` samples with sum `s` has a half
/// where `s * 2^(bits + 1)` is an odd multiple of `n`, so only where `2^(bits + 1)` divides `n`; elsewhere it is
/// `1 / (2 * n)` away from one at least, which is more than doubles are wrong by.
fn suits(samples: u64, bits: u32) -> bool {
    samples < MOST_SAMPLES && !samples.is_multiple_of(1 << (bits + 1))
}

/// The means of 8-bit samples, with `BITS` bits behind the point, of as many whole blocks of `block` columns and `rows`
/// rows as registers can be filled with. Gives how many: none where there is nothing to gain, or where a mean might be
/// rounded otherwise. The columns of these blocks are of no use afterwards.
#[inline(always)]
pub(super) fn means<const BITS: u32>(
    columns: &mut [u32],
    bands: usize,
    block: usize,
    rows: u32,
    target: &mut [i16],
) -> usize {
    let samples = block as u64 * u64::from(rows);
    // Sums take the place of columns that have been read: two columns and two bands are four.
    if block < 2 || !suits(samples, BITS) {
        return 0;
    }
    let blocks = match bands {
        2 => sums_of::<2>(columns, block),
        3 => sums_of::<3>(columns, block),
        4 => sums_of::<4>(columns, block),
        _ => return 0,
    };
    let blocks = blocks.min(target.len().checked_div(bands).unwrap_or(0));
    let scale = f64::from(1 << BITS) / samples as f64;
    let sums = columns.get(..blocks * bands).unwrap_or_default();
    for (mean, sum) in target.iter_mut().zip(sums) {
        *mean = (f64::from(sum.cast_signed()) * scale + NEAREST).to_bits() as i16;
    }
    blocks
}

/// Puts the sums of the columns of each block, band by band, where the blocks begin with. Gives the number of blocks.
#[inline(always)]
fn sums_of<const BANDS: usize>(columns: &mut [u32], block: usize) -> usize {
    // Blocks of a width known beforehand need no loop, and most are narrow.
    match block {
        2 => sums_of_blocks::<BANDS>(columns, 2),
        3 => sums_of_blocks::<BANDS>(columns, 3),
        4 => sums_of_blocks::<BANDS>(columns, 4),
        5 => sums_of_blocks::<BANDS>(columns, 5),
        6 => sums_of_blocks::<BANDS>(columns, 6),
        7 => sums_of_blocks::<BANDS>(columns, 7),
        8 => sums_of_blocks::<BANDS>(columns, 8),
        block => sums_of_blocks::<BANDS>(columns, block),
    }
}

#[inline(always)]
fn sums_of_blocks<const BANDS: usize>(columns: &mut [u32], block: usize) -> usize {
    let (width, beyond) = (block * BANDS, LANES - BANDS);
    let blocks = columns.len().saturating_sub(beyond).checked_div(width).unwrap_or(0);
    for index in 0..blocks {
        let Some(pixels) = columns.get(index * width..index * width + width + beyond) else { return index };
        let mut sums = [0u32; LANES];
        for pixel in 0..block {
            let Some(more) = pixels.get(pixel * BANDS..pixel * BANDS + LANES) else { return index };
            for (sum, column) in sums.iter_mut().zip(more) {
                *sum = sum.wrapping_add(*column);
            }
        }
        let Some(to) = columns.get_mut(index * BANDS..) else { return index };
        let Some(to) = to.first_chunk_mut::<LANES>() else { return index };
        *to = sums;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    proptest! {
        /// The twin divides whole numbers.
        #[test]
        fn means_are_rounded_with_halves_up(
            bands in 1usize..6, block in 1usize..40, rows in 1u32..300, blocks in 1usize..5, spare in 0usize..9, seed: u64,
        ) {
            let mut random = seed | 1;
            let mut columns = Vec::new();
            for _ in 0..blocks * block * bands + spare {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                columns.push((random >> 33) as u32 % (255 * rows + 1));
            }
            let mut target = vec![-1; blocks * bands];
            let done = means::<6>(&mut columns.clone(), bands, block, rows, &mut target);
            let samples = block as u64 * u64::from(rows);
            prop_assert!(done <= blocks);
            prop_assert!(done + 1 >= blocks || block == 1 || !(2..=4).contains(&bands) || samples.is_multiple_of(128));
            for (index, mean) in target.iter().enumerate().take(done * bands) {
                let at = index / bands * block * bands + index % bands;
                let sum: u64 = columns[at..].iter().step_by(bands).take(block).map(|column| u64::from(*column)).sum();
                prop_assert_eq!(*mean as u64, (128 * sum + samples) / (2 * samples));
            }
        }
    }

    #[test]
    fn halves_and_sums_beyond_31_bits_are_left_to_others() {
        let mut target = [-1; 12];
        assert_eq!(means::<6>(&mut [1; 3 * 64], 3, 16, 8, &mut target), 0);
        assert_eq!(means::<6>(&mut [u32::MAX; 3 * 64], 3, 16, 1 << 19, &mut target), 0);
        assert_eq!(target, [-1; 12]);
    }
}
