//! The one allocation that a job's budget is an arena over.
//!
//! Invariant: the block is `len + SLACK_BYTES` bytes of zeroes from the allocator until somebody writes to it, and
//! what is given out is the `len` bytes of it from the first multiple of 64 on.
#![allow(unsafe_code)]

use plimsoll_core::budget::{ALIGN, Exhausted};
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr::NonNull;

/// The alignment that the system's own zeroed allocation gives. For a larger one the standard library takes a block
/// and overwrites it, which would make all of it resident; so the block is aligned within.
const SYSTEM_ALIGN: usize = 2 * size_of::<usize>();

/// Zeroed bytes, aligned to 64, freed on drop. Large ones come from the system page by page: what is never touched is
/// never resident.
#[derive(Debug)]
pub struct Arena {
    block: NonNull<u8>,
    layout: Layout,
    skip: usize,
    len: usize,
}

// SAFETY: it owns its block alone, and gives it out through `&mut self` only.
unsafe impl Send for Arena {}
// SAFETY: as above; `&self` reads two numbers.
unsafe impl Sync for Arena {}

impl Arena {
    /// Heap bytes that an arena takes beside its length, for the alignment.
    pub const SLACK_BYTES: usize = ALIGN - SYSTEM_ALIGN;

    /// An arena of `len` bytes.
    ///
    /// # Errors
    /// [`Exhausted`] if the allocator has no `len + SLACK_BYTES` bytes (`available` is not known then: 0).
    pub fn new(len: usize) -> Result<Self, Exhausted> {
        let refused = Exhausted { consumer: "arena", requested: len, available: 0 };
        let bytes = len.checked_add(Self::SLACK_BYTES).ok_or(refused)?;
        let layout = Layout::from_size_align(bytes, SYSTEM_ALIGN).map_err(|_| refused)?;
        // SAFETY: the layout is not of size zero, as the slack is not.
        let block = NonNull::new(unsafe { alloc_zeroed(layout) }).ok_or(refused)?;
        let skip = (block.as_ptr() as usize).next_multiple_of(ALIGN) - block.as_ptr() as usize;
        Ok(Self { block, layout, skip, len })
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl AsMut<[u8]> for Arena {
    /// Its bytes.
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: the block begins at a multiple of SYSTEM_ALIGN, so `skip` is at most SLACK_BYTES and `skip + len`
        // inside it; all of it was initialised (to zeroes); `&mut self` makes the reference the only one.
        unsafe { std::slice::from_raw_parts_mut(self.block.as_ptr().add(self.skip), self.len) }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: the block came from `alloc_zeroed` with this layout and is freed once.
        unsafe { dealloc(self.block.as_ptr(), self.layout) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::budget::Budget;

    #[test]
    fn it_is_aligned_zeroed_and_of_the_length_asked_for() {
        for len in [0, 1, 63, 64, 4097, 1 << 20] {
            let mut arena = Arena::new(len).unwrap();
            assert_eq!(arena.len(), len);
            let bytes = arena.as_mut();
            assert_eq!(bytes.len(), len);
            assert_eq!(bytes.as_ptr().align_offset(ALIGN), 0);
            assert!(bytes.iter().all(|byte| *byte == 0));
            bytes.fill(0xff);
            let rows = Budget::new(arena.as_mut()).lease::<u64>("row", len / 8).map(|row| row.len());
            assert_eq!(rows, Ok(len / 8));
        }
    }

    #[test]
    fn what_cannot_be_had_is_refused() {
        for len in [usize::MAX, isize::MAX as usize, 1 << 60] {
            assert_eq!(Arena::new(len).unwrap_err().requested, len);
        }
    }
}
