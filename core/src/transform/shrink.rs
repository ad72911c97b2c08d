//! Shrinks a picture by a whole number: each output pixel is the average of a square block.

use super::resize::average::{Average, Count, add_blocks, add_rows};
use super::{Args, Host, Words};
use crate::budget::{Budget, Layout};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Rows, Shape, Span, by_kind};
use crate::strip::{Strip, StripMut};
use core::num::NonZeroU32;

/// Averages blocks of `N x N` pixels. The output has `ceil(size / N)` pixels on each side: where the last block of a
/// row or column is cut by the edge, it is the average of the pixels that there are, so none is lost.
///
/// Integers: exact, halves round up (32-bit kinds: while a block has at most 2^20 samples, otherwise within 1). Floats:
/// sums in double precision, in the order of the rows and then of the columns.
///
/// Takes each input row once, as it comes. Memory: one sum for each sample of an input row (4 bytes for 8 and 16-bit
/// kinds, 16 for 64-bit integers, 8 for others).
#[derive(Clone, Copy, Debug)]
pub struct Shrink<T> {
    block: NonZeroU32,
    kind: core::marker::PhantomData<fn(T)>,
}

impl<T: Average> Shrink<T> {
    /// Shrinks by `block` (0 counts as 1).
    pub fn new(block: u16) -> Self {
        let block = NonZeroU32::new(u32::from(block)).unwrap_or(NonZeroU32::MIN);
        Self { block, kind: core::marker::PhantomData }
    }

    fn span(&self, output: Span, limit: u32) -> Span {
        let at = |pixel: u32| pixel.saturating_mul(self.block.get()).min(limit);
        Span::new(at(output.start()), at(output.end()))
    }
}

impl<T: Average> Stage for Shrink<T> {
    fn name(&self) -> &'static str {
        "shrink"
    }

    fn vectorises(&self) -> bool {
        !T::KIND.is_long()
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind != T::KIND {
            return Err(StageError::Kind { stage: "shrink", kind: input.kind });
        }
        let block = self.block.get();
        Ok(Shape { rows: input.rows.div_ceil(block), cols: input.cols.div_ceil(block), ..input })
    }

    fn input(&self, output: Region, input: Shape) -> Region {
        Region::new(self.span(output.rows, input.rows), self.span(output.cols, input.cols))
    }

    fn reach(&self, input: Shape) -> u32 {
        self.block.get().min(input.rows.max(1))
    }

    fn absorbs(&self) -> bool {
        true
    }

    fn memory(&self, view: &View) -> u64 {
        let samples = u64::from(view.input.cols.len()) * u64::from(view.input_shape.bands);
        Layout::new().with::<T::Column>(samples).bytes()
    }

    #[inline(always)]
    fn process(
        &self,
        view: &View,
        memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        let bands = usize::from(view.input_shape.bands);
        let columns = Budget::new(memory).lease::<T::Column>("shrink", input.row_samples())?;
        let block = self.block.get() as usize;
        let mut row = input.rows().start();
        while row < input.rows().end() {
            let at = row / self.block;
            let rows = self.span(Rows::one(at), view.input_shape.rows);
            let here = Rows::new(row, rows.end().min(input.rows().end()));
            add_rows::<T>(columns, input, here, here.start() == rows.start());
            row = here.end();
            if row == rows.end() && output.rows().contains(at) {
                let count = |pixels: usize| Count::new(pixels as u64 * u64::from(rows.len()));
                let (whole, cut) = (count(block), count(last_block(view.input.cols.len() as usize, block)));
                let target = output.row_mut::<T>(at);
                add_blocks::<T>(columns, bands, block, |total, pixels, index| {
                    if let Some(target) = target.get_mut(index) {
                        *target = T::mean(total, if pixels == block { &whole } else { &cut });
                    }
                });
            }
        }
        Ok(())
    }
}

/// Pixels in the last of the blocks that `pixels` are cut into.
pub(super) fn last_block(pixels: usize, block: usize) -> usize {
    match pixels.checked_rem(block).unwrap_or(0) {
        0 => block,
        rest => rest,
    }
}

/// `shrink`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "shrink",
        settings: "N",
        about: "averages blocks of N x N pixels (1 to 65535)",
        example: "shrink:4",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of("shrink");
        let block = args.required("N", "a whole number from 1 to 65535", |n: &u16| *n > 0)?;
        args.end()?;
        Ok(by_kind!(input.kind, T => host.accept(Shrink::<T>::new(block))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{self, Image};
    use crate::shape::SampleKind;
    use proptest::prelude::*;

    /// The average of the pixels that there are, with exact sums.
    fn naive<T: Average>(
        image: &Image<T>,
        block: u32,
        divide: impl Fn(std::vec::Vec<T>) -> T,
    ) -> std::vec::Vec<T> {
        let Shape { rows, cols, bands, .. } = image.shape;
        let mut out = std::vec::Vec::new();
        for y in 0..rows.div_ceil(block) {
            for x in 0..cols.div_ceil(block) {
                for b in 0..bands {
                    let ys = y * block..((y + 1) * block).min(rows);
                    let inside =
                        ys.flat_map(|y| (x * block..((x + 1) * block).min(cols)).map(move |x| (y, x)));
                    out.push(divide(inside.map(|(y, x)| image.at(y.into(), x.into(), b)).collect()));
                }
            }
        }
        out
    }

    fn check<T: Average>(rows: u32, cols: u32, bands: u16, block: u16) {
        let image = Image::<T>::noise(rows, cols, bands, 7);
        let expected = naive(&image, u32::from(block), |samples| {
            let sum: i128 = samples.iter().map(|x| x.to_f64() as i128).sum();
            let count = samples.len() as i128;
            T::from_f64((2 * sum + count).div_euclid(2 * count) as f64)
        });
        let result = harness::every_cut::<T, T>(&[&Shrink::<T>::new(block)], &image);
        assert_eq!(result.samples, expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 40 }))]
        #[test]
        fn integers_are_exact(rows in 1u32..50, cols in 1u32..50, bands in 1u16..6, block in 1u16..60) {
            let (rows, cols) = if cfg!(miri) { (rows % 6 + 1, cols % 6 + 1) } else { (rows, cols) };
            check::<u8>(rows, cols, bands, block);
            check::<u16>(rows, cols, bands, block);
            check::<i16>(rows, cols, bands, block);
            check::<u32>(rows, cols, bands, block);
            check::<i32>(rows, cols, bands, block);
        }

        #[test]
        fn every_mean_is_rounded_as_by_division(count in 1u64..70_000, share in 0.0f64..=1.0) {
            let total = (share * 65535.0 * count as f64) as u64;
            let expected = (2 * total + count) / (2 * count);
            prop_assert_eq!(u64::from(u16::mean(total as i64, &Count::new(count))), expected);
        }
    }

    #[test]
    fn integers_of_64_bits_are_exact_for_any_block() {
        fn check<T: Average + Into<i128>>(rows: u32, cols: u32, bands: u16, block: u16) {
            let image = Image::<T>::noise(rows, cols, bands, 7);
            let means = |samples: std::vec::Vec<T>| {
                let sum: i128 = samples.iter().map(|x| (*x).into()).sum();
                let count = samples.len() as i128;
                let mean = (2 * sum + count).div_euclid(2 * count);
                // The sample that is this number.
                let bytes: [u8; 8] = if T::KIND == SampleKind::U64 {
                    (mean as u64).to_ne_bytes()
                } else {
                    (mean as i64).to_ne_bytes()
                };
                bytemuck::pod_read_unaligned(&bytes)
            };
            let expected = naive(&image, u32::from(block), means);
            let result = harness::every_cut::<T, T>(&[&Shrink::<T>::new(block)], &image);
            assert_eq!(result.samples, expected);
        }
        let cases = [(9, 11, 3, 2), (17, 5, 1, 9), (4, 4, 2, 1), (40, 33, 4, 40)];
        for (rows, cols, bands, block) in cases.into_iter().take(if cfg!(miri) { 1 } else { 4 }) {
            check::<u64>(rows, cols, bands, block);
            check::<i64>(rows, cols, bands, block);
        }
        let white = Image::<u64>::new(300, 3, 1, |_, _, _| u64::MAX);
        let made = harness::region::<u64, u64>(&[&Shrink::<u64>::new(u16::MAX)], &white, 7, None);
        assert_eq!(made.samples, [u64::MAX]);
    }

    #[test]
    fn floats_are_added_in_order() {
        let image = Image::<f32>::noise(23, 31, 3, 3);
        let expected = naive(&image, 5, |samples| {
            // Down each column first, then along the row.
            let height = (samples.len() / if samples.len() % 5 == 0 { 5 } else { 1 }).max(1);
            let width = samples.len() / height;
            let column = |x: usize| (0..height).fold(0.0, |sum, y| sum + f64::from(samples[y * width + x]));
            ((0..width).fold(0.0, |sum, x| sum + column(x)) / samples.len() as f64) as f32
        });
        let result = harness::every_cut::<f32, f32>(&[&Shrink::<f32>::new(5)], &image);
        for (a, b) in result.samples.iter().zip(&expected) {
            assert!((a - b).abs() <= f32::EPSILON, "{a} {b}");
        }
    }

    #[test]
    fn the_whitest_picture_does_not_overflow() {
        let white = Image::<u16>::new(300, 3, 1, |_, _, _| u16::MAX);
        assert_eq!(
            harness::region::<u16, u16>(&[&Shrink::<u16>::new(u16::MAX)], &white, 7, None).samples,
            [u16::MAX]
        );
        assert_eq!(u32::from(u16::MAX) * u32::from(u16::MAX), u16::add(4_294_836_225 - 65535, [u16::MAX]));
    }

    struct Names;

    impl Host for Names {
        type Built = Result<Shape, StageError>;
        fn accept<S: Stage + 'static>(&mut self, stage: S) -> Self::Built {
            stage.output(Shape::new(10, 7, 3, SampleKind::U8))
        }
    }

    #[test]
    fn settings_are_read_strictly() {
        let input = Shape::new(10, 7, 3, SampleKind::U8);
        let build =
            |settings| crate::transform::build("shrink", Args::new("shrink", settings), input, &mut Names);
        for wrong in ["", "0", "-2", "65536", "2.5", "2,2", "two"] {
            assert!(
                matches!(build(wrong), Err(StageError::Setting { stage: "shrink", .. })),
                "{wrong} was taken"
            );
        }
        assert_eq!(build("4"), Ok(Ok(Shape::new(3, 2, 3, SampleKind::U8))));
        let other = Shape { kind: SampleKind::U16, ..input };
        assert!(matches!(Shrink::<u8>::new(2).output(other), Err(StageError::Kind { stage: "shrink", .. })));
    }
}
