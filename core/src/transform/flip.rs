//! Left-right mirror: whole pixels, their bands in order.

use super::{Args, Host, Words};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Shape, Span, by_width};
use crate::strip::{Strip, StripMut};
use bytemuck::Pod;

/// Mirrors left and right samples that are as wide as `T`, of whatever kind. Exact, needs no memory.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flip<T>(core::marker::PhantomData<fn(T)>);

impl<T: Pod> Flip<T> {
    /// A mirror.
    pub const fn new() -> Self {
        Self(core::marker::PhantomData)
    }
}

/// Pixels that are mirrored at once: two vectors of bytes or more.
const BLOCK: usize = 32;

/// Mirrors a row of pixels by whole vectors: for pixels whose size is a power of two.
#[inline(always)]
fn mirror_blocks<P: Copy>(from: &[P], to: &mut [P]) {
    let (from_rest, from) = from.as_rchunks::<BLOCK>();
    let (to, to_rest) = to.as_chunks_mut::<BLOCK>();
    for (to, from) in to.iter_mut().zip(from.iter().rev()) {
        let mut block = *from;
        block.reverse();
        *to = block;
    }
    mirror_each(from_rest, to_rest);
}

/// Mirrors a row of pixels one by one: faster for pixels of three samples, which vectors do not hold evenly.
#[inline(always)]
fn mirror_each<P: Copy>(from: &[P], to: &mut [P]) {
    for (to, from) in to.iter_mut().zip(from.iter().rev()) {
        *to = *from;
    }
}

/// Mirrors a row of pixels of any number of samples.
#[inline(always)]
fn mirror_any<T: Pod>(bands: usize, from: &[T], to: &mut [T]) {
    for (to, from) in to.chunks_exact_mut(bands.max(1)).zip(from.chunks_exact(bands.max(1)).rev()) {
        to.copy_from_slice(from);
    }
}

impl<T: Pod> Stage for Flip<T> {
    fn name(&self) -> &'static str {
        "flip"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind.bytes() == size_of::<T>() {
            Ok(input)
        } else {
            Err(StageError::Kind { stage: "flip", kind: input.kind })
        }
    }

    fn input(&self, output: Region, input: Shape) -> Region {
        let mirrored = |col: u32| input.cols.saturating_sub(col);
        Region::new(output.rows, Span::new(mirrored(output.cols.end()), mirrored(output.cols.start())))
    }

    #[inline(always)]
    fn process(
        &self,
        view: &View,
        _memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        for row in output.rows().iter() {
            let (from, to) = (input.row_words::<T>(row), output.row_words_mut::<T>(row));
            match view.input_shape.bands {
                1 => mirror_blocks(from, to),
                2 => mirror_blocks(from.as_chunks::<2>().0, to.as_chunks_mut::<2>().0),
                3 => mirror_each(from.as_chunks::<3>().0, to.as_chunks_mut::<3>().0),
                4 => mirror_blocks(from.as_chunks::<4>().0, to.as_chunks_mut::<4>().0),
                bands => mirror_any(usize::from(bands), from, to),
            }
        }
        Ok(())
    }
}

/// `flip`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words =
        Words { name: "flip", settings: "", about: "mirror left and right", example: "flip" };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        args.of("flip").end()?;
        Ok(by_width!(input.kind, T => host.accept(Flip::<T>::new())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::built::{every_cut, refuses};
    use crate::harness::Image;
    use crate::shape::{Sample, SampleKind, Shape};
    use proptest::prelude::*;

    fn check<T: Sample>(rows: u32, cols: u32, bands: u16) {
        let image = Image::<T>::noise(rows, cols, bands, 4);
        let at = |y, x, b| image.at(i64::from(y), i64::from(cols - 1 - x), b);
        let expected = Image::new(rows, cols, bands, at);
        let flipped = every_cut::<T, T>("flip", &image);
        assert_eq!(flipped, expected);
        assert_eq!(every_cut::<T, T>("flip", &flipped), image, "twice is not at all");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 24 }))]
        #[test]
        fn any_shape_equals_its_naive_twin(rows in 1..9u32, cols in 1..140u32, bands in 1..7u16) {
            let cols = if cfg!(miri) { cols % 7 + 1 } else { cols };
            check::<u8>(rows, cols, bands);
            check::<u16>(rows, cols, bands);
            check::<f32>(rows, cols, bands);
            check::<i64>(rows, cols, bands);
            check::<f64>(rows, cols, bands);
        }
    }

    #[test]
    fn settings_are_refused() {
        refuses("flip:1", Shape::new(4, 4, 1, SampleKind::U8), "the number of settings");
    }
}
