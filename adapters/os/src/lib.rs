//! Plimsoll on an operating system: everything that the core must not know about.
//!
//! ```text
//!  input  --ReadAt-->  formats' sources --> workers::SeamSource --> stages --> sinks --write_at--> output
//!                                              |                      |
//!  probe: what machine and container can give  |   cpu: Dispatched picks the vector width, timing: Timed counts
//!  memory: the one arena of a job, and the heap's exact use             seconds; both stand around stages and sinks
//! ```
//!
//! Made for Unix; what only Linux tells (`/proc`, control groups) is optional everywhere. Unsafe code is confined to
//! the files that say so: the mapping, the arena, the allocator, and what `multiversion` writes in `cpu`.
#![deny(unsafe_code)]

pub mod cache;
pub mod cpu;
mod error;
pub mod input;
mod journal_file;
pub mod memory;
pub mod output;
pub mod probe;
pub mod retry;
pub mod timing;
pub mod workers;

pub use error::FileError;
pub use journal_file::FileFlash;
