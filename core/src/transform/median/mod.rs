//! Median of 3 x 3 or 5 x 5 samples.
//!
//! For each block of an output row the columns of input samples are sorted into rows of memory, lowest first; the ends
//! get the missing columns, and the network takes each median from its sorted columns. Nothing is kept from row to
//! row, so the cut cannot show.

mod kernel;
mod network;
mod rank;

pub use rank::Ranked;

use super::edge::{Part, neighbour};
use super::{Args, Host, Words};
use crate::budget::{Budget, Layout};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Cols, Region, Shape, by_kind};
use crate::strip::{Strip, StripMut};
use kernel::block;

/// Replaces each sample by the median of the `N` x `N` (3 or 5) samples of its band around it. Beyond the borders the
/// edge sample is repeated. Exact: every output sample is one of the input's.
///
/// Floats are in their total order, -0 below +0, except that NaN of either sign is above everything: so it goes where
/// fewer than half of the samples are NaN, and comes out as the standard quiet NaN elsewhere.
///
/// Memory: `N` rows of at most 4 KiB and two halos.
#[derive(Clone, Copy, Debug, Default)]
pub struct Median<T, const N: usize>(core::marker::PhantomData<fn(T)>);

/// Bytes of one row of sorted columns: five of them fit a first-level cache.
const BLOCK_BYTES: usize = 4 << 10;

/// A multiple of every number of samples that a loop takes at once.
const VECTORS: u32 = 128;

impl<T: Ranked, const N: usize> Median<T, N> {
    const HALO: u32 = N as u32 / 2;

    /// The median filter of `N` x `N`.
    pub const fn new() -> Self {
        const { assert!(N == 3 || N == 5, "3 x 3 or 5 x 5") };
        Self(core::marker::PhantomData)
    }

    /// Output columns of one block: where they can be, a whole number of vectors, however wide.
    fn block_cols(view: &View) -> u32 {
        let pixel = size_of::<T::Rank>() * usize::from(view.input_shape.bands).max(1);
        match (BLOCK_BYTES / pixel) as u32 {
            few @ ..VECTORS => few.max(1),
            many => many - many % VECTORS,
        }
    }

    /// Samples of one block with its halo.
    fn block_samples(view: &View) -> u64 {
        let cols = Self::block_cols(view).min(view.output.cols.len());
        (u64::from(cols) + u64::from(2 * Self::HALO)) * u64::from(view.input_shape.bands)
    }
}

impl<T: Ranked, const N: usize> Stage for Median<T, N> {
    fn name(&self) -> &'static str {
        "median"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind == T::KIND {
            Ok(input)
        } else {
            Err(StageError::Kind { stage: "median", kind: input.kind })
        }
    }

    fn input(&self, output: Region, input: Shape) -> Region {
        output.grown(Self::HALO, &input)
    }

    fn reach(&self, _input: Shape) -> u32 {
        N as u32
    }

    fn memory(&self, view: &View) -> u64 {
        Layout::new().with::<T::Rank>(N as u64 * Self::block_samples(view)).bytes()
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
        let samples = Self::block_samples(view) as usize;
        let sorted = Budget::new(memory).lease::<T::Rank>("sorted columns of a median", N * samples)?;
        for row in output.rows().iter() {
            let rows: [&[T]; N] =
                core::array::from_fn(|index| neighbour(input, row, index as i32 - Self::HALO as i32));
            let out = output.row_mut::<T>(row);
            let mut cols = view.output.cols;
            while !cols.is_empty() {
                let end = cols.start().saturating_add(Self::block_cols(view)).min(cols.end());
                let part = Part::new(view, Self::HALO, Cols::new(cols.start(), end));
                cols = Cols::new(end, cols.end());
                let under = rows.map(|row| row.get(part.input.clone()).unwrap_or_default());
                let mut lines = sorted.chunks_exact_mut(samples.max(1));
                let mut lines: [&mut [T::Rank]; N] =
                    core::array::from_fn(|_| lines.next().unwrap_or_default());
                let out = out.get_mut(part.out.clone()).unwrap_or_default();
                block(&under, &mut lines, &part, bands, out);
            }
        }
        Ok(())
    }
}

/// `median`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "median",
        settings: "3|5",
        about: "median of the 3 x 3 or 5 x 5 samples around each",
        example: "median:3",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of("median");
        let size = args.required("SIZE", "3 or 5", |size| [3u8, 5].contains(size))?;
        args.end()?;
        Ok(by_kind!(input.kind, T => match size {
            3 => host.accept(Median::<T, 3>::new()),
            _ => host.accept(Median::<T, 5>::new()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::{self, Image};
    use crate::shape::{Sample, SampleKind};
    use std::vec::Vec;

    const SHAPES: &[(u32, u32, u16)] = if cfg!(miri) {
        &[(3, 4, 1)]
    } else {
        &[(1, 1, 1), (2, 3, 3), (3, 1, 4), (1, 9, 1), (4, 4, 1), (11, 7, 3), (5, 1400, 3), (3, 5000, 1)]
    };

    /// Sorts all samples around, by an order given from outside.
    fn naive<T: Sample>(image: &Image<T>, size: i64, order: fn(&T, &T) -> core::cmp::Ordering) -> Image<T> {
        let Shape { rows, cols, bands, .. } = image.shape;
        Image::new(rows, cols, bands, |y, x, b| {
            let steps = || -size / 2..=size / 2;
            let mut around: Vec<T> = steps()
                .flat_map(|dy| steps().map(move |dx| (i64::from(y) + dy, i64::from(x) + dx)))
                .map(|(y, x)| image.at(y, x, b))
                .collect();
            around.sort_by(order);
            around[around.len() / 2]
        })
    }

    fn check<T: Ranked>(image: &Image<T>, order: fn(&T, &T) -> core::cmp::Ordering) {
        let made = harness::every_cut::<T, T>(&[&Median::<T, 3>::new()], image);
        assert!(bits(&made) == bits(&naive(image, 3, order)), "median 3 of {}", image.shape);
        let made = harness::every_cut::<T, T>(&[&Median::<T, 5>::new()], image);
        assert!(bits(&made) == bits(&naive(image, 5, order)), "median 5 of {}", image.shape);
    }

    fn bits<T: Sample>(image: &Image<T>) -> &[u8] {
        bytemuck::cast_slice(&image.samples)
    }

    #[test]
    fn integers_are_exact_whatever_the_cut() {
        fn kind<T: Ranked + Ord>() {
            for (rows, cols, bands) in SHAPES.iter().copied() {
                check(&Image::<T>::noise(rows, cols, bands, rows + 7 * cols), T::cmp);
            }
        }
        kind::<u8>();
        kind::<u16>();
        kind::<i16>();
        kind::<u32>();
        kind::<i32>();
        kind::<u64>();
        kind::<i64>();
    }

    #[test]
    fn floats_are_exact_and_nan_is_above_everything_whatever_the_cut() {
        macro_rules! kind {
            ($t:ty) => {
                for (rows, cols, bands) in SHAPES.iter().copied() {
                    let special = [<$t>::NAN, -<$t>::NAN, <$t>::INFINITY, -<$t>::INFINITY, -0.0, 0.0, -1e-40];
                    for one_in in [2, 3, 9] {
                        let pick = Image::<u16>::noise(rows, cols, bands, 5);
                        let noise = Image::<$t>::noise(rows, cols, bands, 6);
                        let image = Image::<$t>::new(rows, cols, bands, |y, x, b| {
                            let (y, x) = (i64::from(y), i64::from(x));
                            let pick = usize::from(pick.at(y, x, b));
                            match pick % one_in {
                                0 => special[pick / one_in % special.len()],
                                _ => noise.at(y, x, b) - 0.5,
                            }
                        });
                        let plain = |x: &$t| if x.is_nan() { <$t>::NAN } else { *x };
                        let quiet =
                            Image { samples: image.samples.iter().map(plain).collect(), ..image.clone() };
                        let wanted = |size| naive(&quiet, size, <$t>::total_cmp);
                        let made = harness::every_cut::<$t, $t>(&[&Median::<$t, 3>::new()], &image);
                        assert!(bits(&made) == bits(&wanted(3)), "median 3 of {}", image.shape);
                        let made = harness::every_cut::<$t, $t>(&[&Median::<$t, 5>::new()], &image);
                        assert!(bits(&made) == bits(&wanted(5)), "median 5 of {}", image.shape);
                    }
                }
            };
        }
        kind!(f32);
        kind!(f64);
    }

    struct Accepted;

    impl Host for Accepted {
        type Built = (SampleKind, u32);
        fn accept<S: Stage + 'static>(&mut self, stage: S) -> (SampleKind, u32) {
            let shape = |kind| Shape::new(1, 1, 1, kind);
            let kind = SampleKind::ALL.into_iter().find(|kind| stage.output(shape(*kind)).is_ok()).unwrap();
            (kind, stage.reach(shape(kind)))
        }
    }

    #[test]
    fn settings_are_read_and_refused() {
        let build = |text: &'static str, kind| {
            crate::transform::build(
                "median",
                Args::new("median", text),
                Shape::new(4, 4, 1, kind),
                &mut Accepted,
            )
        };
        for kind in SampleKind::ALL {
            assert_eq!(build("3", kind), Ok((kind, 3)));
            assert_eq!(build("5", kind), Ok((kind, 5)));
        }
        let wrong = Err(StageError::Setting { stage: "median", setting: "SIZE", needed: "3 or 5" });
        for text in ["", "1", "4", "7", "three", "-3"] {
            assert_eq!(build(text, SampleKind::U8), wrong, "{text}");
        }
        assert!(matches!(build("3,3", SampleKind::U8), Err(StageError::Setting { .. })));
    }
}
