//! Rows of pixels out of the samples of the components: colour that is stored coarser is interpolated, and YCbCr
//! becomes RGB where the page wants it.

use super::parts::GROUPS_HELD;
use super::{Jpeg, rows};

impl Jpeg {
    /// Makes the next row of pixels.
    pub(super) fn make_row(&mut self) {
        let picture = &self.picture;
        let most = picture.most();
        let (wide_start, wide) = self.parts.wide;
        let (samples, rows_out) = self.samples.split_at_mut(wide_start);
        for (index, component) in picture.used().iter().enumerate() {
            let (start, stride) = self.parts.components[index];
            let (across, down) = (component.sampling.across, component.sampling.down);
            let cols =
                (u64::from(picture.cols) * u64::from(across)).div_ceil(u64::from(most.across)) as usize;
            let rows = (u64::from(picture.rows) * u64::from(down)).div_ceil(u64::from(most.down)) as i64;
            // The first row that is held.
            let first = (i64::from(self.down) * 8 - GROUPS_HELD as i64) * i64::from(down);
            let row = |at: i64| {
                let place = (at.clamp(0, rows - 1) - first).max(0) as usize;
                samples.get(start + place * stride..).and_then(|row| row.get(..cols)).unwrap_or_default()
            };
            let (times_across, times_down) = (usize::from(most.across / across), i64::from(most.down / down));
            let at = i64::from(self.next) / times_down;
            let lower = i64::from(self.next) % times_down == 1;
            let beside = if lower { at + 1 } else { at - 1 };
            let into = rows_out.get_mut(index * wide..(index + 1) * wide).unwrap_or_default();
            match (times_across, times_down) {
                (1, 1) => into[..cols].copy_from_slice(row(at)),
                (2, 1) if cols > 2 => rows::twice_across(row(at), into),
                (2, 2) if cols > 2 => rows::twice_both(row(at), row(beside), into),
                (1, 2) => rows::mixed(row(at), row(beside), if lower { 2 } else { 1 }, into),
                _ => rows::repeated(row(at), times_across, into),
            }
        }
        let bands = usize::from(self.bands);
        match self.frame.to_rgb && bands == 3 {
            true => {
                let (luma, colour) = rows_out.split_at(wide);
                let (cb, cr) = colour.split_at(wide);
                let (pixels, _) = self.row.as_chunks_mut::<3>();
                for (((pixel, y), cb), cr) in pixels.iter_mut().zip(luma).zip(cb).zip(cr) {
                    *pixel = rows::rgb([*y, *cb, *cr]);
                }
            }
            false => {
                for (band, samples) in rows_out.chunks(wide.max(1)).take(bands).enumerate() {
                    for (pixel, sample) in self.row.chunks_exact_mut(bands).zip(samples) {
                        pixel[band] = *sample;
                    }
                }
            }
        }
        self.next += 1;
        self.given = 0;
    }
}
