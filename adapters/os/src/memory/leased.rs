//! Bytes of the heap that a [`SharedBudget`] has granted: the lease comes first, the allocation after it.
//!
//! Invariant: the lease holds at least as many bytes as the allocation, from before it is made until it is freed.

use plimsoll_core::budget::{Exhausted, SharedBudget, SharedLease};

/// Zeroed bytes whose lease lives as long as they do.
///
/// ```
/// use plimsoll_core::budget::SharedBudget;
/// use plimsoll_os::memory::LeasedBytes;
/// let budget = SharedBudget::new(1000);
/// let bytes = LeasedBytes::new(&budget, "lines", 600)?;
/// assert_eq!((bytes.as_ref().len(), budget.stats().used), (600, 600));
/// assert!(LeasedBytes::new(&budget, "more lines", 600).is_err());
/// drop(bytes);
/// assert_eq!(budget.stats().used, 0);
/// # Ok::<(), plimsoll_core::budget::Exhausted>(())
/// ```
#[derive(Debug)]
pub struct LeasedBytes<'b> {
    // Fields are dropped in this order: the bytes are free before the budget says so.
    bytes: Box<[u8]>,
    lease: SharedLease<'b>,
}

impl<'b> LeasedBytes<'b> {
    /// `len` bytes for `consumer`.
    ///
    /// # Errors
    /// [`Exhausted`] if the budget does not grant them, or the allocator has none (`available` is 0 then).
    pub fn new(budget: &'b SharedBudget, consumer: &'static str, len: usize) -> Result<Self, Exhausted> {
        let lease = budget.lease(consumer, len)?;
        Ok(Self { bytes: zeroed(consumer, len)?, lease })
    }

    /// Bytes that the budget counts for it.
    pub fn leased_bytes(&self) -> usize {
        self.lease.bytes()
    }
}

impl AsRef<[u8]> for LeasedBytes<'_> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for LeasedBytes<'_> {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

/// `len` zeroed bytes, or the refusal of the allocator.
pub(crate) fn zeroed(consumer: &'static str, len: usize) -> Result<Box<[u8]>, Exhausted> {
    let mut bytes = Vec::new();
    let refused = |_| Exhausted { consumer, requested: len, available: 0 };
    bytes.try_reserve_exact(len).map_err(refused)?;
    bytes.resize(len, 0);
    Ok(bytes.into_boxed_slice())
}
