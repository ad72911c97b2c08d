//! Selects, reorders and repeats bands.

use super::{Args, Host, Words};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Shape, by_width};
use crate::strip::{Strip, StripMut};
use bytemuck::Pod;

/// The most bands that can be listed.
pub const MAX_LISTED: usize = 16;

/// Gives each pixel the listed bands in the order of the list: samples that are as wide as `T`, of whatever kind.
/// Exact, needs no memory.
#[derive(Clone, Debug)]
pub struct Bands<T> {
    list: heapless::Vec<u16, MAX_LISTED>,
    kind: core::marker::PhantomData<fn(T)>,
}

impl<T: Pod> Bands<T> {
    /// The bands numbered (from zero) in `list`, 1 to [`MAX_LISTED`] of them.
    ///
    /// # Errors
    /// [`StageError::Setting`] if there are fewer or more.
    pub fn try_new(list: &[u16]) -> Result<Self, StageError> {
        match heapless::Vec::from_slice(list) {
            Ok(list) if !list.is_empty() => Ok(Self { list, kind: core::marker::PhantomData }),
            _ => Err(WRONG_LENGTH),
        }
    }

    /// The first `M` of the list, as places in a pixel of `bands` samples.
    #[inline(always)]
    fn places<const M: usize>(&self, bands: usize) -> [usize; M] {
        // `output` has refused lists beyond the last band; here the compiler learns it, too.
        let last = bands.saturating_sub(1);
        let mut places = [0; M];
        for (place, band) in places.iter_mut().zip(&self.list) {
            *place = usize::from(*band).min(last);
        }
        places
    }
}

const WRONG_LENGTH: StageError =
    StageError::Setting { stage: "bands", setting: "LIST", needed: "1 to 16 band numbers, from zero" };

/// Picks the samples at `places` of each pixel of `bands` samples.
#[inline(always)]
fn pick<T: Pod + Default, const M: usize>(places: [usize; M], bands: usize, from: &[T], to: &mut [T]) {
    let (to, _) = to.as_chunks_mut::<M>();
    for (to, from) in to.iter_mut().zip(from.chunks_exact(bands.max(1))) {
        *to = places.map(|place| from.get(place).copied().unwrap_or_default());
    }
}

/// Picks the samples of all of a long list.
#[inline(always)]
fn pick_any<T: Pod + Default>(places: &[usize], bands: usize, from: &[T], to: &mut [T]) {
    for (to, from) in to.chunks_exact_mut(places.len().max(1)).zip(from.chunks_exact(bands.max(1))) {
        for (to, place) in to.iter_mut().zip(places) {
            *to = from.get(*place).copied().unwrap_or_default();
        }
    }
}

impl<T: Pod + Default> Stage for Bands<T> {
    fn name(&self) -> &'static str {
        "bands"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind.bytes() != size_of::<T>() {
            return Err(StageError::Kind { stage: "bands", kind: input.kind });
        }
        if let Some(band) = self.list.iter().find(|band| **band >= input.bands) {
            return Err(StageError::Geometry {
                stage: "bands",
                problem: "a band of LIST, which counts from zero, is not in the image",
                wanted: u64::from(*band),
                there: u64::from(input.bands),
            });
        }
        Ok(input.with_bands(self.list.len() as u16))
    }

    fn input(&self, output: Region, _input: Shape) -> Region {
        output
    }

    #[inline(always)]
    fn process(
        &self,
        view: &View,
        _memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        let bands = usize::from(view.input_shape.bands);
        for row in output.rows().iter() {
            let (from, to) = (input.row_words::<T>(row), output.row_words_mut::<T>(row));
            match self.list.len() {
                1 => pick(self.places::<1>(bands), bands, from, to),
                2 => pick(self.places::<2>(bands), bands, from, to),
                3 => pick(self.places::<3>(bands), bands, from, to),
                4 => pick(self.places::<4>(bands), bands, from, to),
                listed => {
                    let places = self.places::<MAX_LISTED>(bands);
                    pick_any(places.get(..listed).unwrap_or_default(), bands, from, to);
                }
            }
        }
        Ok(())
    }
}

/// `bands:LIST`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "bands",
        settings: "LIST",
        about: "select, reorder or repeat bands, counted from zero",
        example: "bands:2,1,0",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of("bands");
        let mut list = heapless::Vec::<u16, MAX_LISTED>::new();
        while !args.is_empty() {
            let band = args.required("LIST", "band numbers, from zero", |_| true)?;
            list.push(band).map_err(|_| WRONG_LENGTH)?;
        }
        by_width!(input.kind, T => {
            let bands = Bands::<T>::try_new(&list)?;
            bands.output(input)?;
            Ok(host.accept(bands))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::built::{built, every_cut, refuses};
    use crate::harness::Image;
    use crate::pipeline::StageError;
    use crate::shape::{Sample, SampleKind, Shape};
    use proptest::prelude::*;
    use std::{format, string::String, vec::Vec};

    fn check<T: Sample>(bands: u16, list: &[u16]) {
        let image = Image::<T>::noise(5, 8, bands, 6);
        let at = |y: u32, x: u32, b: u16| image.at(i64::from(y), i64::from(x), list[b as usize]);
        let expected = Image::new(5, 8, list.len() as u16, at);
        let words: Vec<String> = list.iter().map(|band| format!("{band}")).collect();
        assert_eq!(every_cut::<T, T>(&format!("bands:{}", words.join(",")), &image), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 48 }))]
        #[test]
        fn any_list_equals_its_naive_twin(bands in 1..8u16, picks in prop::collection::vec(any::<prop::sample::Index>(), 1..=16)) {
            let list: Vec<u16> = picks.iter().map(|pick| pick.index(bands as usize) as u16).collect();
            check::<u8>(bands, &list);
            check::<u16>(bands, &list);
            check::<f32>(bands, &list);
            check::<i64>(bands, &list);
            check::<f64>(bands, &list);
        }
    }

    #[test]
    fn wrong_lists_are_refused() {
        let shape = Shape::new(4, 4, 3, SampleKind::U8);
        refuses("bands", shape, "LIST");
        refuses("bands:0,", shape, "LIST");
        refuses("bands:-1", shape, "LIST");
        refuses("bands:65536", shape, "LIST");
        refuses("bands:0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0", shape, "LIST");
        let missing = built("bands:2,3", shape).unwrap_err();
        assert!(
            matches!(missing, StageError::Geometry { stage: "bands", wanted: 3, there: 3, .. }),
            "{missing}"
        );
    }
}
