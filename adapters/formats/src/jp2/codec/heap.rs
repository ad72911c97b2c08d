//! Gives pages that no tile uses back to the system.
//!
//! The library takes thousands of blocks for a tile and touches a part of each. As tiles follow each other the parts
//! differ, until all pages of all blocks are resident: a third more than any tile touches.
#![allow(unsafe_code)]

/// After a tile: what was freed is no longer resident. Costs a millisecond, of a tile's second.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn give_back() {
    unsafe extern "C" {
        /// Releases free memory of all arenas (glibc, `malloc.h`).
        fn malloc_trim(pad: usize) -> i32;
    }
    // SAFETY: takes a number, may be called at any time from any thread.
    unsafe { malloc_trim(0) };
}

/// Elsewhere allocators have their own ways.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn give_back() {}
