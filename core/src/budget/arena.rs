//! The arena. Leases are cut off its front in order and given back all at once, when their scope ends.
//!
//! Invariant: `used + free.len()` is constant, and `peak` is the largest `used` there ever was, nested
//! scopes included.

use super::{ALIGN, Exhausted};
use bytemuck::Pod;

/// What an arena has granted so far, in bytes and in numbers of leases. Exact, not sampled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stats {
    /// Bytes in leases, with what alignment cost.
    pub used: usize,
    /// Bytes that a next lease could still have.
    pub free: usize,
    /// The largest `used` there was, in nested scopes too.
    pub peak: usize,
    /// Leases granted, in nested scopes too.
    pub leases: u32,
    /// Leases refused, in nested scopes too.
    pub failed: u32,
}

/// An arena over bytes that the caller owns.
///
/// ```
/// use plimsoll_core::budget::Budget;
/// let mut bytes = [0u8; 1024];
/// let mut budget = Budget::new(&mut bytes);
/// let row = budget.lease::<u16>("row", 100)?;
/// assert_eq!(row.len(), 100);
/// // The lease is the slice: it can be used while the budget lives on.
/// row[99] = 7;
/// assert!(budget.lease::<u8>("too much", 1024).is_err());
/// # Ok::<(), plimsoll_core::budget::Exhausted>(())
/// ```
#[derive(Debug)]
pub struct Budget<'a> {
    free: &'a mut [u8],
    used: usize,
    peak: usize,
    leases: u32,
    failed: u32,
}

impl<'a> Budget<'a> {
    /// A budget of exactly these bytes. A start on a multiple of [`ALIGN`] wastes none of them.
    pub fn new(bytes: &'a mut [u8]) -> Self {
        Self { free: bytes, used: 0, peak: 0, leases: 0, failed: 0 }
    }

    /// `n` values of `T` for `consumer`, aligned to [`ALIGN`] bytes, for as long as the arena's bytes live.
    /// They hold whatever bytes were there, so that a stage can take its leases anew for every strip and find what it
    /// left.
    ///
    /// Costs `n * size_of::<T>()` bytes rounded up to a multiple of [`ALIGN`] (the arena's last lease is not
    /// rounded up if the bytes end there), and the bytes up to the first aligned one if the arena starts in between.
    ///
    /// # Errors
    /// [`Exhausted`] if they do not fit; nothing is granted then.
    pub fn lease<T: Pod>(&mut self, consumer: &'static str, n: usize) -> Result<&'a mut [T], Exhausted> {
        if n == 0 {
            // Nothing needs no alignment.
            self.leases = self.leases.saturating_add(1);
            return Ok(&mut []);
        }
        let skip = self.free.as_ptr().align_offset(ALIGN);
        let bytes = n.checked_mul(size_of::<T>());
        let wanted = bytes.and_then(|bytes| bytes.checked_add(skip));
        let (Some(bytes), Some(wanted)) = (bytes, wanted.filter(|wanted| *wanted <= self.free.len())) else {
            self.failed = self.failed.saturating_add(1);
            return Err(Exhausted {
                consumer,
                requested: wanted.unwrap_or(usize::MAX),
                available: self.free.len(),
            });
        };
        // A whole number of lines, so that the next lease starts aligned; the arena's end may cut the last one short.
        let taken = (skip + bytes.next_multiple_of(ALIGN)).min(self.free.len());
        let (line, rest) = core::mem::take(&mut self.free).split_at_mut(taken);
        self.free = rest;
        self.used += taken;
        self.peak = self.peak.max(self.used);
        self.leases = self.leases.saturating_add(1);
        let granted = line.get_mut(skip..skip + bytes).unwrap_or_default();
        bytemuck::try_cast_slice_mut(granted).map_err(|_| Exhausted {
            consumer,
            requested: wanted,
            available: self.free.len(),
        })
    }

    /// Runs `work` with a budget of what is free now; everything leased inside is given back when it returns.
    ///
    /// ```
    /// # use plimsoll_core::budget::Budget;
    /// # let mut bytes = [0u8; 1024];
    /// let mut budget = Budget::new(&mut bytes);
    /// let used = budget.stats().used;
    /// budget.scope(|inner| inner.lease::<u8>("page", 512).map(|page| page.len()))?;
    /// assert_eq!(budget.stats().used, used);
    /// assert!(budget.stats().peak >= 512);
    /// # Ok::<(), plimsoll_core::budget::Exhausted>(())
    /// ```
    pub fn scope<R>(&mut self, work: impl FnOnce(&mut Budget<'_>) -> R) -> R {
        let mut inner =
            Budget { free: &mut *self.free, used: self.used, peak: self.peak, leases: 0, failed: 0 };
        let result = work(&mut inner);
        let Budget { peak, leases, failed, .. } = inner;
        self.peak = peak;
        self.leases = self.leases.saturating_add(leases);
        self.failed = self.failed.saturating_add(failed);
        result
    }

    /// What was granted so far.
    pub fn stats(&self) -> Stats {
        Stats {
            used: self.used,
            free: self.free.len(),
            peak: self.peak,
            leases: self.leases,
            failed: self.failed,
        }
    }
}
