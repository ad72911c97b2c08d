//! The `plimsoll` command as the tests run it: the same few lines as the program itself.

use plimsoll_os::memory::CountingAllocator;
use std::process::ExitCode;

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();

fn main() -> ExitCode {
    plimsoll::main(&HEAP)
}
