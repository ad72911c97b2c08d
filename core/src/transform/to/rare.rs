//! The change of kind for pairs that are rare: one stage for all of them.

use super::Keep;
use super::convert::{Convert, change};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Sample, SampleKind, Shape, by_kind};
use crate::strip::{Strip, StripMut};

/// The change of any kind to any other by a function for whole strips: one stage for all pairs that are rare. Each pair
/// then costs a program its loops, and not a stage of its own. Needs no memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rare {
    from: SampleKind,
    to: SampleKind,
    keep: Keep,
    change: fn(Keep, &Strip<'_>, &mut StripMut<'_>),
}

impl Rare {
    fn new<A: Convert<B>, B: Sample>(keep: Keep) -> Self {
        Self { from: A::KIND, to: B::KIND, keep, change: change::<A, B> }
    }

    /// A change of which one end, or both, is an integer of 64 bits.
    pub(super) fn long(from: SampleKind, to: SampleKind, keep: Keep) -> Self {
        match (from, to) {
            (SampleKind::U64, _) => by_kind!(to, B => Self::new::<u64, B>(keep)),
            (SampleKind::I64, _) => by_kind!(to, B => Self::new::<i64, B>(keep)),
            (_, SampleKind::U64) => {
                by_kind!(from, A => Self::new::<A, u64>(keep), else Self::new::<u64, u64>(keep))
            }
            _ => by_kind!(from, A => Self::new::<A, i64>(keep), else Self::new::<i64, i64>(keep)),
        }
    }
}

impl Stage for Rare {
    fn name(&self) -> &'static str {
        "to"
    }

    fn vectorises(&self) -> bool {
        false
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind == self.from {
            Ok(input.with_kind(self.to))
        } else {
            Err(StageError::Kind { stage: "to", kind: input.kind })
        }
    }

    fn input(&self, output: Region, _input: Shape) -> Region {
        output
    }

    fn process(
        &self,
        _view: &View,
        _memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        (self.change)(self.keep, input, output);
        Ok(())
    }
}
