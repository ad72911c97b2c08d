//! Gives pages that no tile uses back to the system.
//!
//! The library takes thousands of blocks for a tile and touches a part of each. As tiles follow each other the parts
//! differ, until all pages of all blocks are resident: a third more than any tile touches.

use plimsoll_os::memory::return_free_blocks;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Samples after which it is worth a millisecond: less than they take to code. Smaller tiles are counted together, as
/// they leave less behind.
const ENOUGH_SAMPLES: usize = 1 << 16;

/// After a tile of so many samples: what was freed is no longer resident.
pub(super) fn give_back(samples: usize) {
    static SINCE: AtomicUsize = AtomicUsize::new(0);
    if SINCE.fetch_add(samples, Relaxed).saturating_add(samples) >= ENOUGH_SAMPLES {
        SINCE.store(0, Relaxed);
        return_free_blocks();
    }
}
