//! Where the samples of a picture lie.

use super::{MOST_COMPONENTS, Picture};

/// Groups of rows of samples of a component that are held: the eight of a row of blocks and two from before, so that
/// colour can be interpolated over the border.
pub(super) const GROUPS_HELD: usize = 10;

/// Where the samples of a picture lie in one buffer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    /// For each component: where its samples begin, and the bytes of a row of them.
    pub(super) components: [(usize, usize); MOST_COMPONENTS as usize],
    /// Where its rows that are as wide as the picture begin, one for each component, and their bytes.
    pub(super) wide: (usize, usize),
    pub(super) bytes: u64,
}

impl Parts {
    pub(super) fn of(picture: &Picture) -> Self {
        let mut parts = Self::default();
        let blocks = u64::from(picture.groups_across()) * 8;
        for (component, part) in picture.used().iter().zip(&mut parts.components) {
            let stride = blocks * u64::from(component.sampling.across);
            *part = (parts.bytes as usize, stride as usize);
            parts.bytes += stride * GROUPS_HELD as u64 * u64::from(component.sampling.down);
        }
        let wide = blocks * u64::from(picture.most().across);
        parts.wide = (parts.bytes as usize, wide as usize);
        parts.bytes += wide * picture.count as u64;
        parts
    }
}
