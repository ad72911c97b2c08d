//! Output files that appear complete or not at all.
//!
//! An [`AtomicOutput`] is written under a temporary name beside its target and renamed over it by `commit`. Dropped
//! before, it leaves nothing; what a killed process left is removed by the next run with the same target.

mod atomic;
mod name;
mod sequential;
mod temporary;

pub use atomic::AtomicOutput;
pub use sequential::Sequential;
