//! A curve by table: computed once for every value that a sample can have, then looked up.
//!
//! For kinds of 8 and 16 bits. The table lies in the stage's memory, filled before the first strip. Invariant: a
//! looked-up value is the computed one, bit for bit.

use super::curve::{self, Curve, Direct, Tone};
use super::op::Host;
use crate::budget::{Budget, Layout};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, SampleKind, Shape, by_kind};
use crate::strip::{Strip, StripMut};
use core::marker::PhantomData;

/// A sample with few enough values for a table of them.
pub trait Tabled: Tone {
    /// How many values there are.
    const VALUES: usize;

    /// The place of this one: always below `VALUES`.
    fn place(self) -> usize;

    /// The value at a place.
    fn at_place(place: usize) -> Self;
}

macro_rules! tabled {
    ($($t:ty as $unsigned:ty),*) => {$(
        impl Tabled for $t {
            const VALUES: usize = 1 << <$t>::BITS;
            #[inline(always)]
            fn place(self) -> usize {
                usize::from(self as $unsigned)
            }
            #[inline(always)]
            fn at_place(place: usize) -> Self {
                place as $t
            }
        }
    )*};
}
tabled!(u8 as u8, u16 as u16, i16 as u16);

/// Looks every sample up in a table of a curve. Memory: 256 bytes for 8-bit kinds, 128 KiB for 16-bit kinds.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<C, T>(C, PhantomData<fn(T)>);

impl<C: Curve, T: Tabled> Lookup<C, T> {
    /// The stage of `curve`.
    pub const fn new(curve: C) -> Self {
        Self(curve, PhantomData)
    }

    #[inline(always)]
    fn table(memory: &mut [u8]) -> Result<&mut [T], StageError> {
        Ok(Budget::new(memory).lease::<T>("table", T::VALUES)?)
    }
}

/// Samples that are looked up between two turns of the loop.
const UNROLL: usize = 8;

/// `to` is what `table` says of `from`.
#[inline(always)]
fn look_up<T: Tabled>(table: &[T], from: &[T], to: &mut [T]) {
    // A length that the compiler knows, so that no place needs a check.
    let Some(table) = table.get(..T::VALUES) else { return };
    let look = |x: T| table.get(x.place()).copied().unwrap_or_default();
    let (from, from_rest) = from.as_chunks::<UNROLL>();
    let (to, to_rest) = to.as_chunks_mut::<UNROLL>();
    for (to, from) in to.iter_mut().zip(from) {
        *to = from.map(look);
    }
    for (to, from) in to_rest.iter_mut().zip(from_rest) {
        *to = look(*from);
    }
}

impl<C: Curve, T: Tabled> Stage for Lookup<C, T> {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind == T::KIND {
            Ok(input)
        } else {
            Err(StageError::Kind { stage: C::NAME, kind: input.kind })
        }
    }

    fn input(&self, output: Region, _input: Shape) -> Region {
        output
    }

    fn memory(&self, _view: &View) -> u64 {
        Layout::new().with::<T>(T::VALUES as u64).bytes()
    }

    fn begin(&self, _view: &View, memory: &mut [u8]) -> Result<(), StageError> {
        for (place, entry) in Self::table(memory)?.iter_mut().enumerate() {
            *entry = curve::value(&self.0, T::at_place(place));
        }
        Ok(())
    }

    #[inline(always)]
    fn process(
        &self,
        _view: &View,
        memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        let table = Self::table(memory)?;
        for row in output.rows().iter() {
            look_up(table, input.row::<T>(row), output.row_mut::<T>(row));
        }
        Ok(())
    }
}

/// Hands `host` the stage of a curve that is dear to compute: by table for kinds of 8 and 16 bits.
pub(super) fn accept<C: Curve, H: Host>(curve: C, kind: SampleKind, host: &mut H) -> H::Built {
    by_kind!(
        kind,
        short S => host.accept(Lookup::<C, S>::new(curve)),
        T => host.accept(Direct::<C, T>::new(curve))
    )
}

#[cfg(test)]
mod tests {
    use super::super::linear::Linear;
    use super::*;
    use crate::harness::{self, Image};

    #[test]
    #[cfg_attr(miri, ignore = "every value: minutes under the interpreter")]
    fn a_looked_up_value_is_the_computed_one() {
        fn check<T: Tabled>() {
            let cols = T::VALUES as u32 / 128 + 5;
            let image = Image::<T>::new(128, cols, 1, |y, x, _| T::at_place((y * cols + x) as usize));
            let line = Linear::new(-0.731, 9876.5);
            let table = harness::every_cut::<T, T>(&[&Lookup::<_, T>::new(line)], &image);
            assert_eq!(table, harness::every_cut::<T, T>(&[&Direct::<_, T>::new(line)], &image));
        }
        check::<u8>();
        check::<u16>();
        check::<i16>();
    }

    #[test]
    fn too_little_memory_is_an_error() {
        let stage = Lookup::<Linear, u8>::new(Linear::new(1.0, 0.0));
        let shape = Shape::new(1, 1, 1, SampleKind::U8);
        let view =
            View { input_shape: shape, output_shape: shape, input: shape.region(), output: shape.region() };
        assert_eq!(stage.memory(&view), 256);
        assert!(matches!(stage.begin(&view, &mut [0; 255]), Err(StageError::Memory(_))));
    }
}
