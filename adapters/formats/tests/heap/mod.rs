//! A heap that counts what each thread takes of it, so that tests do not see each other.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's heap, counted for each thread. A block that moves as it grows counts twice while it does.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; the counters are plain cells without destructors.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.set(HELD.get() + layout.size() as isize);
        PEAK.set(PEAK.get().max(HELD.get()));
        CALLS.set(CALLS.get() + 1);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.set(HELD.get() - layout.size() as isize);
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

/// What happened on this thread's heap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heap {
    pub(crate) peak: u64,
    pub(crate) calls: usize,
}

/// Runs `work` and says what it took from the heap.
pub(crate) fn heap<R>(work: impl FnOnce() -> R) -> (R, Heap) {
    let (held, calls, before) = (HELD.get(), CALLS.get(), PEAK.get());
    PEAK.set(held);
    let result = work();
    let peak = PEAK.get();
    PEAK.set(peak.max(before));
    (result, Heap { peak: (peak - held) as u64, calls: CALLS.get() - calls })
}

/// Gives `work` what `take` takes, and does not count it.
pub(crate) fn uncounted<T, R>(take: impl FnOnce() -> T, work: impl FnOnce(&mut T) -> R) -> R {
    let (held, peak) = (HELD.get(), PEAK.get());
    let mut taken = take();
    let bytes = HELD.get() - held;
    HELD.set(held);
    PEAK.set(peak);
    let result = work(&mut taken);
    HELD.set(HELD.get() + bytes);
    result
}
