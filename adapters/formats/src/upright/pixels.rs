//! Pixels of any size, moved as they are.

/// Reverses the order of the pixels of a row.
pub(super) fn reverse(row: &mut [u8], pixel: usize) {
    match pixel {
        1 => row.reverse(),
        2 => reverse_whole::<2>(row),
        3 => reverse_whole::<3>(row),
        4 => reverse_whole::<4>(row),
        6 => reverse_whole::<6>(row),
        8 => reverse_whole::<8>(row),
        _ => {
            // Reversing all bytes and then those of each pixel.
            row.reverse();
            row.chunks_exact_mut(pixel.max(1)).for_each(<[u8]>::reverse);
        }
    }
}

fn reverse_whole<const N: usize>(row: &mut [u8]) {
    row.as_chunks_mut::<N>().0.reverse();
}

/// A run of pixels with as many bytes between their starts as a stored row has.
pub(super) struct Column<'a> {
    pub(super) rows: &'a [u8],
    pub(super) row_bytes: usize,
    /// Where its pixel begins in a row.
    pub(super) skip: usize,
}

impl Column<'_> {
    /// Copies the pixels side by side into `into`, the last one first if `back`.
    pub(super) fn copy(&self, pixel: usize, back: bool, into: &mut [u8]) {
        match pixel {
            1 => self.copy_whole::<1>(back, into),
            2 => self.copy_whole::<2>(back, into),
            3 => self.copy_whole::<3>(back, into),
            4 => self.copy_whole::<4>(back, into),
            6 => self.copy_whole::<6>(back, into),
            8 => self.copy_whole::<8>(back, into),
            _ => {
                let rows = self.rows.chunks_exact(self.row_bytes.max(1));
                let from = rows.filter_map(|row| row.get(self.skip..self.skip + pixel));
                let into = into.chunks_exact_mut(pixel.max(1));
                let copy = |(into, from): (&mut [u8], &[u8])| into.copy_from_slice(from);
                if back { into.rev().zip(from).for_each(copy) } else { into.zip(from).for_each(copy) }
            }
        }
    }

    fn copy_whole<const N: usize>(&self, back: bool, into: &mut [u8]) {
        let rows = self.rows.chunks_exact(self.row_bytes.max(1));
        let from = rows.filter_map(|row| row.get(self.skip..)?.first_chunk::<N>());
        let into = into.as_chunks_mut::<N>().0;
        let copy = |(into, from): (&mut [u8; N], &[u8; N])| *into = *from;
        if back {
            into.iter_mut().rev().zip(from).for_each(copy)
        } else {
            into.iter_mut().zip(from).for_each(copy)
        }
    }
}
