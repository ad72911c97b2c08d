//! One component: how deep its samples are, and how far apart.

use plimsoll_core::shape::Span;

/// One component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jp2) struct Component {
    /// Bits of a sample: 1 to 31.
    pub(in crate::jp2) bits: u8,
    /// Whether samples may be negative.
    pub(in crate::jp2) signed: bool,
    /// From one sample to the next on the reference grid, across and down: 1 to 255.
    pub(in crate::jp2) step: [u32; 2],
}

impl Component {
    /// Bytes of one of its decoded samples.
    pub(in crate::jp2) fn bytes(&self) -> usize {
        match self.bits {
            0..=8 => 1,
            9..=16 => 2,
            _ => 4,
        }
    }

    /// The samples that lie at such a span of the reference grid.
    pub(in crate::jp2) fn samples(&self, axis: usize, grid: Span) -> Span {
        Span::new(grid.start().div_ceil(self.step[axis]), grid.end().div_ceil(self.step[axis]))
    }
}
