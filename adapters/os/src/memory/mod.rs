//! The memory of a job: its one [`Arena`], and a [`CountingAllocator`] that knows the heap's exact peak. What several
//! threads share by a [`SharedBudget`](plimsoll_core::budget::SharedBudget) is held as [`LeasedBytes`].

mod arena;
mod blocks;
mod counting;
mod leased;
#[cfg(target_os = "linux")]
mod lone;
mod program;

pub use arena::Arena;
pub use blocks::return_free_blocks;
pub use counting::{CountingAllocator, HeapUse};
pub use leased::LeasedBytes;
pub(crate) use leased::zeroed;
pub use program::{divide_code, release_code};
