//! The `plimsoll` program: the command over an allocator that keeps exact books.

use plimsoll_os::memory::CountingAllocator;
use std::process::ExitCode;

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();

fn main() -> ExitCode {
    plimsoll::main(&HEAP)
}
