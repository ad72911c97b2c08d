//! Change of kind: every sample as a number of another kind, rescaled from white to white or with its value kept.

mod convert;
mod rare;

pub use convert::Convert;

use super::{Args, Host, Words};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Sample, SampleKind, Shape, by_kind};
use crate::strip::{Strip, StripMut};
use convert::change;
use rare::Rare;

/// What a change of kind keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The brightness: white stays white, so values are rescaled.
    #[default]
    White,
    /// The value: what the new kind does not hold saturates.
    Value,
}

/// Changes samples of kind `A` to kind `B`. Needs no memory.
///
/// Keeping [white](Keep::White), which is the largest value of an integer kind and 1.0 for floats:
/// * integer to integer: `x * white of B / white of A`, to the nearest integer (a tie cannot occur, as every white is
///   odd), in integer arithmetic. From u8 to u16 that is `x * 257`. Below zero, sign and size are rescaled each, and
///   saturate; unsigned kinds get 0.
/// * integer to float: `x / white of A`, rounded to the float once.
/// * float to integer: `x * white of B`, a product in single precision from f32 to 8 and 16 bits, in double precision
///   otherwise (where white of 64 bits is the nearest double, one more); then as below.
///
/// Keeping the [value](Keep::Value): float to integer gives the nearest, ties to even. In both, integers saturate, NaN
/// becomes 0, and a number goes to a narrower float as the nearest one, ties to even (to infinity beyond its range).
#[derive(Clone, Copy, Debug, Default)]
pub struct To<A, B> {
    keep: Keep,
    kinds: core::marker::PhantomData<fn(A) -> B>,
}

impl<A: Convert<B>, B: Sample> To<A, B> {
    /// A change that keeps white or the value.
    pub const fn new(keep: Keep) -> Self {
        Self { keep, kinds: core::marker::PhantomData }
    }
}

impl<A: Convert<B>, B: Sample> Stage for To<A, B> {
    fn name(&self) -> &'static str {
        "to"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind == A::KIND {
            Ok(input.with_kind(B::KIND))
        } else {
            Err(StageError::Kind { stage: "to", kind: input.kind })
        }
    }

    fn input(&self, output: Region, _input: Shape) -> Region {
        output
    }

    #[inline(always)]
    fn process(
        &self,
        _view: &View,
        _memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        change::<A, B>(self.keep, input, output);
        Ok(())
    }
}

/// `to:KIND[,cast]`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "to",
        settings: "KIND[,cast]",
        about: "change the kind of sample: u8, u16, i16, u32, i32, u64, i64, f32 or f64; rescaled from white to white, \
                or cast (values kept)",
        example: "to:u8",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of("to");
        let kind = args.next_word().and_then(SampleKind::from_name);
        let kind = kind.ok_or(args.wrong("KIND", "u8, u16, i16, u32, i32, u64, i64, f32 or f64"))?;
        let keep = match args.next_word() {
            None => Keep::White,
            Some("cast") => Keep::Value,
            Some(_) => return Err(args.wrong("the setting after KIND", "cast")),
        };
        args.end()?;
        Ok(by_kind!(
            input.kind,
            A => by_kind!(
                kind,
                B => host.accept(To::<A, B>::new(keep)),
                else host.accept(Rare::long(input.kind, kind, keep))
            ),
            else host.accept(Rare::long(input.kind, kind, keep))
        ))
    }
}

#[cfg(test)]
mod tests;
