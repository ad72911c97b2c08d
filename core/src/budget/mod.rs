//! The budget: an arena over the caller's bytes, and typed leases out of it.
//!
//! A lease *is* the slice it grants, so what is accounted and what is used cannot drift apart.
//! [`SharedBudget`] is the counterpart for several threads or interrupts.

mod arena;
mod counters;
mod layout;
mod shared;

pub use arena::{Budget, Stats};
pub use layout::Layout;
pub use shared::{SharedBudget, SharedLease};

/// Every lease starts on a multiple of this many bytes: a cache line, and enough for every sample kind.
pub const ALIGN: usize = 64;

/// A lease that did not fit. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Exhausted {
    /// Who asked.
    pub consumer: &'static str,
    /// Bytes asked for, with what alignment adds; saturated at `usize::MAX` where they do not even fit that.
    pub requested: usize,
    /// Bytes that were free.
    pub available: usize,
}

impl core::fmt::Display for Exhausted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "budget exhausted: {} asked for {} bytes, {} are free",
            self.consumer, self.requested, self.available
        )
    }
}

impl core::error::Error for Exhausted {}
