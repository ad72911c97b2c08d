//! Gives pages that no tile uses back to the system.
//!
//! The library takes thousands of blocks for a tile and touches a part of each. As tiles follow each other the parts
//! differ, until all pages of all blocks are resident: a third more than any tile touches.
#![allow(unsafe_code)]

#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Samples after which it is worth a millisecond: less than they take to code. Smaller tiles are counted together, as
/// they leave less behind.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ENOUGH_SAMPLES: usize = 1 << 16;

/// After a tile of so many samples: what was freed is no longer resident.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn give_back(samples: usize) {
    unsafe extern "C" {
        /// Releases free memory of all arenas (glibc, `malloc.h`).
        fn malloc_trim(pad: usize) -> i32;
    }
    static SINCE: AtomicUsize = AtomicUsize::new(0);
    if SINCE.fetch_add(samples, Relaxed).saturating_add(samples) >= ENOUGH_SAMPLES {
        SINCE.store(0, Relaxed);
        // SAFETY: takes a number, may be called at any time from any thread.
        unsafe { malloc_trim(0) };
    }
}

/// Elsewhere allocators have their own ways.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn give_back(_samples: usize) {}
