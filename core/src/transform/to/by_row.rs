//! The change of kind for pairs that are rare: one stage for all of them.

use super::Keep;
use super::convert::{Convert, cast_row, rescale_row};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Sample, SampleKind, Shape, by_kind};
use crate::strip::{Strip, StripMut};

/// The change of any kind to any other by a function for whole rows: one stage for all pairs that are rare. Each pair then
/// costs a program its loop, and not a stage of its own. Needs no memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByRow {
    from: SampleKind,
    to: SampleKind,
    row: fn(&[u8], &mut [u8]),
}

impl ByRow {
    fn new<A: Convert<B>, B: Sample>(keep: Keep) -> Self {
        let row: fn(&[u8], &mut [u8]) = match keep {
            Keep::White => |from: &[u8], to: &mut [u8]| rescale_row::<A, B>(samples(from), samples_mut(to)),
            Keep::Value => |from: &[u8], to: &mut [u8]| cast_row::<A, B>(samples(from), samples_mut(to)),
        };
        Self { from: A::KIND, to: B::KIND, row }
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

/// The samples of a row, which is aligned to them.
fn samples<T: Sample>(row: &[u8]) -> &[T] {
    bytemuck::try_cast_slice(row).unwrap_or(&[])
}

/// The same, to be written.
fn samples_mut<T: Sample>(row: &mut [u8]) -> &mut [T] {
    bytemuck::try_cast_slice_mut(row).unwrap_or(&mut [])
}

impl Stage for ByRow {
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
        for row in output.rows().iter() {
            (self.row)(input.row_bytes(row), output.row_bytes_mut(row));
        }
        Ok(())
    }
}
