//! The kernels once more for wider vectors, picked when the program runs.
//!
//! Core is compiled for the oldest processor of its target. [`Dispatched`] holds a stage by value and calls its
//! `#[inline(always)]` loops from a function that is compiled for AVX2, too. It must be the object behind the `dyn`,
//! with the concrete stage inside: around a `Box<dyn Stage>` it would call the baseline code and nothing would warn.
//! `tests/wide_instructions.rs` looks at the machine code. Same bits at every level: the wide code may use no fused
//! multiply-add.

// Every kernel for every kind twice: the unit tests, which use none of it, compile without. `tests/transforms.rs` does.
#[cfg(not(test))]
mod build;
mod level;
mod sink;
mod stage;

#[cfg(not(test))]
pub use build::{Built, build};
pub use level::level;
pub use sink::DispatchedSink;
pub use stage::Dispatched;
