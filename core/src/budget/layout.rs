//! Adds up what a run of leases will cost, before there is an arena to take them from.

use super::ALIGN;

/// The bytes that a sequence of leases takes from an aligned arena: the planner's side of [`Budget::lease`].
///
/// A stage states its memory as a `Layout` and takes the same leases in the same order.
///
/// [`Budget::lease`]: super::Budget::lease
///
/// ```
/// use plimsoll_core::budget::{Budget, Layout};
/// let bytes = Layout::new().with::<u16>(100).with::<f32>(3).bytes();
/// assert_eq!(bytes, 256 + 64);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    bytes: u64,
}

impl Layout {
    /// No leases.
    pub const fn new() -> Self {
        Self { bytes: 0 }
    }

    /// One more lease of `n` values of `T`. Saturates, and so is refused, where 64 bits do not hold it.
    pub const fn with<T>(self, n: u64) -> Self {
        let bytes = n.saturating_mul(size_of::<T>() as u64);
        let lines = bytes.saturating_add(ALIGN as u64 - 1) / ALIGN as u64;
        Self { bytes: self.bytes.saturating_add(lines.saturating_mul(ALIGN as u64)) }
    }

    /// The sum in bytes: a multiple of [`ALIGN`] (unless saturated).
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }
}
