//! The memory of a job: its one [`Arena`], and a [`CountingAllocator`] that knows the heap's exact peak.

mod arena;
mod blocks;
mod counting;
mod program;

pub use arena::Arena;
pub use blocks::return_large_blocks;
pub use counting::{CountingAllocator, HeapUse};
pub use program::{divide_code, release_code};
