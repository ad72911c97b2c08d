//! Where a neighbourhood finds its samples: beyond the borders of the image the edge sample is repeated.
//!
//! A stage that looks `halo` columns to both sides asks for the [`Part`] of a run of output columns: which samples of
//! the strip's row lie under it, and how many are missing because the image ends there. Only the true borders of the
//! image count: where a region ends inside it, the strip holds the halo.

use crate::pipeline::View;
use crate::shape::{Cols, Sample};
use crate::strip::Strip;
use core::ops::Range;

/// A run of output columns and what lies under it; all numbers in samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Where it lies in the strip's output row.
    pub(super) out: Range<usize>,
    /// What there is of it and its halo in the strip's input row.
    pub(super) input: Range<usize>,
    /// How much of the halo is missing before that.
    pub(super) left: usize,
    /// How much of the halo is missing after that.
    pub(super) right: usize,
}

impl Part {
    /// The part of the output columns `cols`, with a halo of `halo` columns on both sides.
    pub(super) fn new(view: &View, halo: u32, cols: Cols) -> Self {
        let bands = usize::from(view.input_shape.bands);
        let samples = |cols: u32| (cols as usize).saturating_mul(bands);
        let there = cols.grown(halo, view.input_shape.cols);
        let out_start = samples(cols.start().saturating_sub(view.output.cols.start()));
        let in_start = samples(there.start().saturating_sub(view.input.cols.start()));
        let before = cols.start().saturating_sub(there.start());
        let after = there.end().saturating_sub(cols.end());
        Self {
            out: out_start..out_start.saturating_add(samples(cols.len())),
            input: in_start..in_start.saturating_add(samples(there.len())),
            left: samples(halo.saturating_sub(before)),
            right: samples(halo.saturating_sub(after)),
        }
    }

    /// The samples of `padded` that are there, between what is missing on both sides.
    #[inline(always)]
    pub(super) fn inside<'a, T>(&self, padded: &'a mut [T]) -> &'a mut [T] {
        padded.get_mut(self.left..self.left.saturating_add(self.input.len())).unwrap_or_default()
    }

    /// Repeats the outermost pixels of [`inside`](Self::inside) in what is missing.
    #[inline(always)]
    pub(super) fn repeat_edges<T: Copy>(&self, padded: &mut [T], bands: usize) {
        if self.left > 0 {
            let (missing, there) = padded.split_at_mut(self.left.min(padded.len()));
            repeat(missing, there.get(..bands).unwrap_or_default());
        }
        if self.right > 0 {
            let end = self.left.saturating_add(self.input.len()).min(padded.len());
            let (there, missing) = padded.split_at_mut(end);
            // Scratch may be longer than this part needs.
            let missing = missing.get_mut(..self.right).unwrap_or_default();
            repeat(missing, there.get(end.saturating_sub(bands)..).unwrap_or_default());
        }
    }
}

/// Fills `missing` with copies of `pixel`.
#[inline(always)]
fn repeat<T: Copy>(missing: &mut [T], pixel: &[T]) {
    for place in missing.chunks_exact_mut(pixel.len().max(1)) {
        for (to, from) in place.iter_mut().zip(pixel) {
            *to = *from;
        }
    }
}

/// The strip's row that lies `offset` rows from `row`, or the image's first or last row if there is none.
#[inline(always)]
pub(super) fn neighbour<'a, T: Sample>(input: &Strip<'a>, row: u32, offset: i32) -> &'a [T] {
    input.row(row.saturating_add_signed(offset).min(input.image().rows.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Region, Rows, SampleKind, Shape};
    use std::vec::Vec;

    #[test]
    fn a_padded_part_is_the_image_with_its_edges_repeated() {
        for (cols, halo) in [(1u32, 1u32), (1, 4), (3, 2), (9, 2), (9, 20)] {
            let shape = Shape::new(1, cols, 2, SampleKind::U8);
            for start in 0..cols {
                for end in start + 1..=cols {
                    let output = Region::new(Rows::one(0), Cols::new(start, end));
                    let input = output.grown(halo, &shape);
                    let view = View { input_shape: shape, output_shape: shape, input, output };
                    let strip: Vec<(u32, u16)> = input.cols.iter().flat_map(|x| [(x, 0), (x, 1)]).collect();
                    let part = Part::new(&view, halo, output.cols);
                    let wanted: Vec<(u32, u16)> = (i64::from(start) - i64::from(halo)
                        ..i64::from(end) + i64::from(halo))
                        .map(|x| x.clamp(0, i64::from(cols) - 1) as u32)
                        .flat_map(|x| [(x, 0), (x, 1)])
                        .collect();
                    let mut padded = std::vec![(99, 9); wanted.len()];
                    part.inside(&mut padded).copy_from_slice(&strip[part.input.clone()]);
                    part.repeat_edges(&mut padded, 2);
                    assert_eq!(padded, wanted, "{cols} columns, halo {halo}, part {start}..{end}");
                    assert_eq!(part.out, 0..(end - start) as usize * 2);
                }
            }
        }
    }
}
