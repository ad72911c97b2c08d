//! The heap of a cache, by a counting allocator: a program of its own without a test harness, whose threads would
//! allocate in between.

use plimsoll_core::budget::SharedBudget;
use plimsoll_os::cache::{Cache, LoadNeed, Loader};
use plimsoll_os::memory::CountingAllocator;
use std::convert::Infallible;

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();

struct Pages;

impl Loader<u64> for Pages {
    type Error = Infallible;

    fn need(&self, key: &u64) -> Result<LoadNeed, Infallible> {
        Ok(LoadNeed { content_bytes: 1000 + (key * 7919 % 60_000) as usize, scratch_bytes: 30_000 })
    }

    fn load_into(&self, _: &u64, content: &mut [u8], scratch: &mut [u8]) -> Result<usize, Infallible> {
        scratch.fill(1);
        content.fill(1);
        Ok(content.len())
    }
}

fn main() {
    for (limit, threads) in [(256usize << 10, 1u64), (2 << 20, 1), (2 << 20, 4)] {
        let budget = SharedBudget::new(limit);
        let before = HEAP.snapshot().current_bytes;
        HEAP.reset_peak();
        let cache = Cache::new(&budget, 200, Pages).expect("the table fits");
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let cache = &cache;
                scope.spawn(move || {
                    (0..5000u64).for_each(|i| drop(cache.get(&(i * i % (thread + 3) * i % 97 * (i % 11)))))
                });
            }
        });
        let peak = HEAP.snapshot().peak_bytes - before;
        // Names and handles of threads, and waiters' places, are not the cache's own.
        let threads_bytes = 2048 * threads as usize;
        let stats = cache.stats();
        assert!(peak <= limit + threads_bytes, "{peak} bytes of {limit}");
        assert!(budget.stats().peak <= limit);
        assert!(stats.loads > 100 && stats.hits > 0, "{stats:?}");
        println!("cache_heap: {peak} of {limit} bytes with {threads} thread(s): {stats:?}");
    }
}
