//! The system's allocator with exact books: what the heap holds, what it held at most, and how often it was asked.
//!
//! Invariant: `current` is the sum of the sizes of all living blocks, in the bytes that were asked for, and never
//! above the cap.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What the heap was used for, exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapUse {
    /// Bytes in living blocks.
    pub current_bytes: usize,
    /// The most bytes in living blocks since the start or the last [`CountingAllocator::reset_peak`].
    pub peak_bytes: usize,
    /// Blocks given out since the start; one that was grown or shrunk counts again.
    pub allocations: u64,
}

/// A global allocator that counts, and refuses what would pass its cap.
///
/// A few nanoseconds for each call. Where the cap refuses, code that can fail (`try_reserve`,
/// [`Arena::new`](super::Arena::new)) fails, and other code aborts the process.
///
/// ```
/// use plimsoll_os::memory::CountingAllocator;
///
/// #[global_allocator]
/// static HEAP: CountingAllocator = CountingAllocator::new();
///
/// let before = HEAP.snapshot();
/// let bytes = vec![0u8; 1000];
/// assert_eq!(HEAP.snapshot().current_bytes - before.current_bytes, bytes.len());
/// ```
#[derive(Debug)]
pub struct CountingAllocator {
    current: AtomicUsize,
    peak: AtomicUsize,
    allocations: AtomicU64,
    cap: AtomicUsize,
}

impl CountingAllocator {
    /// Without a cap.
    pub const fn new() -> Self {
        Self::with_cap(usize::MAX)
    }

    /// Refuses what would bring the living blocks above `cap` bytes.
    pub const fn with_cap(cap: usize) -> Self {
        Self {
            current: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            allocations: AtomicU64::new(0),
            cap: AtomicUsize::new(cap),
        }
    }

    /// Sets the cap in bytes; `usize::MAX` for none. What is held already stays.
    pub fn set_cap(&self, cap: usize) {
        self.cap.store(cap, Ordering::Relaxed);
    }

    /// The books at this instant.
    pub fn snapshot(&self) -> HeapUse {
        HeapUse {
            current_bytes: self.current.load(Ordering::Relaxed),
            peak_bytes: self.peak.load(Ordering::Relaxed),
            allocations: self.allocations.load(Ordering::Relaxed),
        }
    }

    /// From now on the peak is the most since now.
    pub fn reset_peak(&self) {
        self.peak.store(self.current.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn give_back(&self, bytes: usize) {
        self.current.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Books `bytes` more for a block that `get` asks the system for, unless the cap forbids it or there is none.
    fn block(&self, bytes: usize, get: impl FnOnce() -> *mut u8) -> *mut u8 {
        let cap = self.cap.load(Ordering::Relaxed);
        let sum = |current: usize| current.checked_add(bytes).filter(|sum| *sum <= cap);
        let Ok(before) = self.current.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum) else {
            return std::ptr::null_mut();
        };
        let block = get();
        if block.is_null() {
            self.give_back(bytes);
        } else {
            self.peak.fetch_max(before + bytes, Ordering::Relaxed);
            self.allocations.fetch_add(1, Ordering::Relaxed);
        }
        block
    }
}

impl Default for CountingAllocator {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: every block comes from `System` and goes back to it with the layout it came with; the books touch no block.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc`.
        self.block(layout.size(), || unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of `GlobalAlloc::alloc_zeroed`.
        self.block(layout.size(), || unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller gives a block of ours, which is one of `System`, with its layout.
        unsafe { System.dealloc(block, layout) };
        self.give_back(layout.size());
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let grows = new_size.saturating_sub(layout.size());
        // SAFETY: the caller keeps the contract of `GlobalAlloc::realloc`, and the block is one of `System`.
        let moved = self.block(grows, || unsafe { System.realloc(block, layout, new_size) });
        if !moved.is_null() {
            self.give_back(layout.size().saturating_sub(new_size));
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn books_are_exact_and_the_cap_holds() {
        let heap = CountingAllocator::with_cap(1000);
        let layout = |size| Layout::from_size_align(size, 8).unwrap();
        // SAFETY: sizes are not zero, and each block goes back with its own layout.
        unsafe {
            let a = heap.alloc(layout(600));
            assert!(!a.is_null());
            assert!(heap.alloc(layout(401)).is_null());
            let b = heap.alloc_zeroed(layout(400));
            assert!(!b.is_null());
            assert_eq!(*b, 0);
            assert!(heap.realloc(b, layout(400), 401).is_null());
            let b = heap.realloc(b, layout(400), 100);
            assert_eq!(heap.snapshot(), HeapUse { current_bytes: 700, peak_bytes: 1000, allocations: 3 });
            heap.reset_peak();
            let b = heap.realloc(b, layout(100), 300);
            assert_eq!(heap.snapshot(), HeapUse { current_bytes: 900, peak_bytes: 900, allocations: 4 });
            heap.dealloc(a, layout(600));
            heap.dealloc(b, layout(300));
        }
        assert_eq!(heap.snapshot(), HeapUse { current_bytes: 0, peak_bytes: 900, allocations: 4 });
        heap.set_cap(0);
        // SAFETY: as above.
        assert!(unsafe { heap.alloc(layout(1)) }.is_null());
    }

    #[test]
    fn threads_do_not_confuse_the_books() {
        let heap = CountingAllocator::with_cap(5000);
        std::thread::scope(|scope| {
            for seed in 1..5usize {
                let heap = &heap;
                scope.spawn(move || {
                    for i in 0..20_000 {
                        let layout = Layout::from_size_align(1 + (i * seed) % 2000, 1).unwrap();
                        // SAFETY: the size is not zero, and the block goes back with its layout.
                        unsafe {
                            let block = heap.alloc(layout);
                            if !block.is_null() {
                                heap.dealloc(block, layout);
                            }
                        }
                    }
                });
            }
        });
        let HeapUse { current_bytes, peak_bytes, .. } = heap.snapshot();
        assert_eq!(current_bytes, 0);
        assert!((2000..=5000).contains(&peak_bytes), "{peak_bytes}");
    }
}
