//! Promise: a cache stays inside its budget whatever is asked of it, and loads each key once.

use plimsoll_core::budget::SharedBudget;
use plimsoll_os::cache::{Ahead, Cache, CacheError, LoadNeed, Loader};
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

/// Content that can be told from the key; counts the loads of each key, and how many run at once.
struct Counted {
    loads: Vec<AtomicU64>,
    scratch_bytes: usize,
    pause: Duration,
    failures: AtomicUsize,
}

impl Counted {
    fn new(keys: usize, scratch_bytes: usize) -> Self {
        let loads = (0..keys).map(|_| AtomicU64::new(0)).collect();
        Self { loads, scratch_bytes, pause: Duration::ZERO, failures: AtomicUsize::new(0) }
    }
}

fn length(key: usize) -> usize {
    key * 7919 % 1000 + 1
}

impl Loader<usize> for Counted {
    type Error = String;

    fn need(&self, key: &usize) -> Result<LoadNeed, String> {
        match key < &self.loads.len() {
            true => Ok(LoadNeed { content_bytes: length(*key) + 3, scratch_bytes: self.scratch_bytes }),
            false => Err(format!("no key {key}")),
        }
    }

    fn load_into(&self, key: &usize, content: &mut [u8], scratch: &mut [u8]) -> Result<usize, String> {
        assert_eq!((content.len(), scratch.len()), (length(*key) + 3, self.scratch_bytes));
        self.loads[*key].fetch_add(1, SeqCst);
        std::thread::sleep(self.pause);
        if self.failures.load(SeqCst) > 0 {
            self.failures.fetch_sub(1, SeqCst);
            return Err("the device is gone".to_owned());
        }
        content[..length(*key)].fill(*key as u8);
        Ok(length(*key))
    }
}

/// Numbers without a pattern, the same in every run.
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    *state >> 33
}

#[test]
fn many_threads_get_the_right_content_and_the_budget_holds() {
    for limit in [40 << 10, 64 << 10, 1 << 20] {
        let budget = SharedBudget::new(limit);
        let cache = Cache::new(&budget, 100, Counted::new(300, 500)).unwrap();
        let refused = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (cache, refused) = (&cache, &refused);
                scope.spawn(move || {
                    let mut state = thread;
                    for _ in 0..3000 {
                        // Half of the gets want a tenth of the keys.
                        let wide = random(&mut state) < 1 << 30;
                        let key = random(&mut state) as usize % if wide { 300 } else { 30 };
                        match cache.get(&key) {
                            Ok(entry) => {
                                assert_eq!(entry.content().len(), length(key));
                                assert!(entry.content().iter().all(|byte| *byte == key as u8));
                            }
                            Err(CacheError::Memory(_)) => {
                                refused.fetch_add(1, SeqCst);
                            }
                            Err(CacheError::Load(error)) => panic!("{error}"),
                        }
                    }
                });
            }
        });
        let (stats, used) = (cache.stats(), budget.stats());
        assert!(used.peak <= limit);
        assert_eq!(stats.hits + stats.loads + stats.refused, 12_000);
        assert_eq!(stats.refused, refused.load(SeqCst));
        assert!(stats.refused < 120, "{} of 12000 refused", stats.refused);
        if limit == 1 << 20 {
            assert_eq!(stats.refused, 0);
            assert!(stats.hits > 5_000, "{stats:?}");
        }
        drop(cache);
        assert_eq!(budget.stats().used, 0);
    }
}

#[test]
fn a_key_is_loaded_once_for_all_who_want_it() {
    let budget = SharedBudget::new(1 << 20);
    let loader = Counted { pause: Duration::from_millis(20), ..Counted::new(10, 0) };
    let cache = Cache::new(&budget, 10, loader).unwrap();
    let barrier = Barrier::new(8);
    let loads = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                assert_eq!(cache.get(&4).unwrap().content(), vec![4; length(4)]);
                loads.fetch_add(1, SeqCst);
            });
        }
    });
    assert_eq!((cache.stats().loads, cache.stats().hits, loads.load(SeqCst)), (1, 7, 8));
}

#[test]
fn a_failed_load_keeps_nothing_and_the_next_one_tries_again() {
    let budget = SharedBudget::new(1 << 20);
    let loader = Counted { pause: Duration::from_millis(5), ..Counted::new(10, 100) };
    loader.failures.store(3, SeqCst);
    let cache = Cache::new(&budget, 10, loader).unwrap();
    let before = budget.stats().used;
    let failed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| match cache.get(&1) {
                Ok(entry) => assert_eq!(entry.content(), vec![1; length(1)]),
                Err(error) => {
                    assert_eq!(error, CacheError::Load("the device is gone".to_owned()));
                    failed.fetch_add(1, SeqCst);
                }
            });
        }
    });
    assert_eq!((failed.load(SeqCst), cache.stats().loads), (3, 4));
    let entry = cache.get(&1).unwrap();
    assert_eq!(budget.stats().used, before + entry.leased_bytes());
    assert_eq!(cache.get(&77).unwrap_err(), CacheError::Load("no key 77".to_owned()));
}

#[test]
fn what_is_held_stays_and_a_refusal_has_numbers() {
    let table = Cache::<usize, Counted>::table_bytes(20);
    let each = |key| length(key) + 3 + Cache::<usize, Counted>::ENTRY_BYTES;
    let budget = SharedBudget::new(table + each(1) + each(2) + 50);
    assert_eq!(
        Cache::new(&SharedBudget::new(table - 1), 20, Counted::new(1, 0)).err().unwrap().requested,
        table
    );
    let cache = Cache::new(&budget, 20, Counted::new(20, 50)).unwrap();
    let (one, two) = (cache.get(&1).unwrap(), cache.get(&2).unwrap());
    match cache.get(&3) {
        Err(CacheError::Memory(exhausted)) => {
            assert_eq!((exhausted.requested, exhausted.available), (each(3) + 50, 50));
        }
        other => panic!("{other:?}"),
    }
    // Evicted or not, it is counted while it is held, and can go right after.
    cache.give_back(usize::MAX);
    assert_eq!(budget.stats().free, 50);
    drop(one);
    assert!(cache.get(&3).is_ok() && !cache.contains(&1) && cache.contains(&2));
    assert_eq!(two.content(), vec![2; length(2)]);
    drop(two);
    cache.give_back(usize::MAX);
    assert_eq!(budget.stats().used, table);
}

#[test]
fn what_was_loaded_ahead_is_there() {
    let budget = SharedBudget::new(1 << 20);
    let loader = Counted { pause: Duration::from_millis(1), ..Counted::new(50, 0) };
    let cache = Cache::new(&budget, 50, loader).unwrap();
    std::thread::scope(|scope| {
        let ahead = Ahead::start(scope, &cache, 4);
        let mut asked = 0;
        for key in (0..60).chain(0..60) {
            asked += u64::from(ahead.request(key));
        }
        while {
            let stats = ahead.stats();
            stats.done + stats.failed < asked
        } {
            std::thread::sleep(Duration::from_millis(1));
        }
        let stats = ahead.stats();
        assert!(asked >= 4 && stats.dropped == 120 - asked && stats.refused == 0);
        // Now slowly, so that nothing is dropped.
        for key in 40..60 {
            while !ahead.request(key) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        while ahead.stats().failed < stats.failed + 10 {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(ahead.take_failure(), Some("no key 59".to_owned()));
        assert_eq!(ahead.take_failure(), None);
        let loads = cache.stats().loads;
        for key in 40..50 {
            assert_eq!(cache.get(&key).unwrap().content(), vec![key as u8; length(key)]);
        }
        assert_eq!(cache.stats().loads, loads, "loaded again");
        assert_eq!(loads, cache.stats().loads);
    });
}
