//! The memory of a job: its one [`Arena`], and a [`CountingAllocator`] that knows the heap's exact peak.

mod arena;
mod counting;

pub use arena::Arena;
pub use counting::{CountingAllocator, HeapUse};
