//! What the process itself costs, whatever the work: the part of every plan that is not buffers.

use plimsoll_core::pipeline::Need;
use plimsoll_core::pipeline::plan::{Each, Place};

/// What the process holds at its peak while it starts: reading the command line touches most of the program. Measured
/// for release builds of this command, as all here, and held by the tests that compare plans with the system's peak.
///
/// Most runs need 4.2 MiB. A copy of the program may hold 0.3 MiB more than what the linker wrote, because the system
/// caches its file in larger pieces; and the system counts pages for each processor and adds them up with an error of
/// up to 31 pages each, so that a process that changed processors may be said to hold 0.3 MiB more than it did.
pub(crate) const START_BYTES: u64 = 5 << 20;

/// The heap's peak of that: parsed arguments, settings and help.
pub(crate) const START_HEAP_BYTES: u64 = 448 << 10;

/// Program, libraries and the main thread's stack as touched while the work runs: code that only the start needed has
/// been let go.
pub(crate) const PROCESS_BYTES: u64 = 2240 << 10;

/// The name of that in plans.
pub(super) const PROGRAM: &str = "program and libraries";

/// A worker's stack as touched, and what the allocator keeps for its thread.
pub(super) const WORKER_BYTES: u64 = 224 << 10;

/// Heap that the command holds beside the work: arguments, names, headers, messages, the receipt.
pub const HEAP_BASE_BYTES: u64 = 192 << 10;

/// What every job needs.
pub(super) fn process_needs() -> Vec<Need> {
    vec![
        Need::fixed(PROGRAM, PROCESS_BYTES, Each::Job, Place::Process),
        Need::fixed("stack of a worker", WORKER_BYTES, Each::Worker, Place::Process),
        Need::fixed("arguments and headers", HEAP_BASE_BYTES, Each::Job, Place::Heap),
    ]
}
