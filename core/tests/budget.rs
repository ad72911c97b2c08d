//! Promise: a budget is exact and never passed, alone and shared.

use plimsoll_core::budget::{ALIGN, Budget, Layout, SharedBudget};
use proptest::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// A 64-byte aligned block of memory.
#[repr(align(64))]
struct Aligned([u8; 4096]);

#[test]
fn the_limit_is_exact() {
    let mut memory = Aligned([0; 4096]);
    let mut budget = Budget::new(&mut memory.0);
    assert_eq!(budget.lease::<u8>("all", 4096).map(|bytes| bytes.len()), Ok(4096));
    let refused = budget.lease::<u8>("more", 1).unwrap_err();
    assert_eq!((refused.consumer, refused.requested, refused.available), ("more", 1, 0));
    let stats = budget.stats();
    assert_eq!((stats.used, stats.free, stats.peak, stats.leases, stats.failed), (4096, 0, 4096, 1, 1));
}

/// Whole lines of [`ALIGN`] bytes and not one more, for every size around a line's end.
#[test]
fn a_layout_is_what_an_aligned_arena_grants() {
    for n in 0..4 * ALIGN {
        let mut memory = Aligned([0; 4096]);
        let mut budget = Budget::new(&mut memory.0);
        budget.lease::<u8>("bytes", n).unwrap();
        budget.lease::<u16>("words", n).unwrap();
        let bytes = Layout::new().with::<u8>(n as u64).with::<u16>(n as u64).bytes();
        assert_eq!(
            (bytes, bytes),
            (budget.stats().used as u64, (n.div_ceil(64) + n.div_ceil(32)) as u64 * 64),
            "{n}"
        );
    }
    assert_eq!(Layout::new().with::<u64>(u64::MAX / 8).with::<u8>(1).bytes(), u64::MAX, "it saturates");
}

#[test]
fn a_refusal_says_who_wanted_how_much_of_what() {
    let mut memory = Aligned([0; 4096]);
    let refused = Budget::new(&mut memory.0[..64]).lease::<u16>("window", 33).unwrap_err();
    assert_eq!(refused.to_string(), "budget exhausted: window asked for 66 bytes, 64 are free");
    let shared = SharedBudget::new(1000);
    assert_eq!(shared.limit(), 1000);
    let held = shared.lease("job", 900).unwrap();
    let refused = shared.lease("other", 101).unwrap_err();
    assert_eq!(refused.to_string(), "budget exhausted: other asked for 101 bytes, 100 are free");
    let stats = shared.stats();
    assert_eq!((stats.used, stats.free, stats.peak, stats.leases, stats.failed), (900, 100, 900, 1, 1));
    drop(held);
    assert_eq!((shared.stats().used, shared.stats().peak), (0, 900));
}

#[test]
fn a_shared_lease_gives_back_what_it_no_longer_holds() {
    let shared = SharedBudget::new(1000);
    let mut lease = shared.lease("job", 1000).unwrap();
    assert_eq!((lease.bytes(), shared.stats().free), (1000, 0));
    lease.shrink_to(300);
    assert_eq!((lease.bytes(), shared.stats().free), (300, 700));
    lease.shrink_to(301);
    assert_eq!((lease.bytes(), shared.stats().free), (300, 700), "it never grows");
    let other = shared.lease("other", 700).unwrap();
    drop(lease);
    assert_eq!((other.bytes(), shared.stats().used), (700, 700));
}

#[test]
fn sizes_that_overflow_are_refused() {
    let mut memory = Aligned([0; 4096]);
    let mut budget = Budget::new(&mut memory.0);
    for n in [usize::MAX, usize::MAX / 8 + 1, usize::MAX / 8, 513] {
        assert!(budget.lease::<u64>("huge", n).is_err(), "{n}");
    }
    assert_eq!(budget.stats().used, 0);
}

#[test]
fn scopes_nest_and_give_everything_back() {
    let mut memory = Aligned([0; 4096]);
    let mut budget = Budget::new(&mut memory.0);
    budget.lease::<u8>("kept", 64).unwrap();
    let inner_peak = budget.scope(|inner| {
        inner.lease::<u8>("one", 128).unwrap();
        inner.scope(|deeper| deeper.lease::<u8>("two", 1024).map(|_| ())).unwrap();
        assert!(inner.lease::<u8>("three", 8192).is_err());
        inner.lease::<u8>("four", 64).unwrap();
        inner.stats().peak
    });
    let stats = budget.stats();
    assert_eq!((stats.used, stats.peak, stats.leases, stats.failed), (64, 64 + 128 + 1024, 4, 1));
    assert_eq!(inner_peak, stats.peak);
    assert_eq!(stats.used + stats.free, 4096);
}

proptest! {
    /// Whatever is leased: aligned, disjoint, of the right length, exactly accounted, and as `Layout` foretold.
    #[test]
    fn leases_are_what_they_say(sizes in prop::collection::vec((0usize..700, 0u8..4), 0..12), skew in 0usize..64) {
        let mut memory = Aligned([0; 4096]);
        let mut budget = Budget::new(&mut memory.0[skew..]);
        let mut spans: Vec<(usize, usize)> = Vec::new();
        let mut layout = Layout::new();
        let mut lossless = skew == 0;
        for (n, kind) in sizes {
            let before = budget.stats();
            let lease = match kind {
                0 => budget.lease::<u8>("a", n).map(|x| (x.as_ptr() as usize, x.len())),
                1 => budget.lease::<u16>("b", n).map(|x| (x.as_ptr() as usize, x.len() * 2)),
                2 => budget.lease::<f32>("c", n).map(|x| (x.as_ptr() as usize, x.len() * 4)),
                _ => budget.lease::<u64>("d", n).map(|x| (x.as_ptr() as usize, x.len() * 8)),
            };
            let size = [1, 2, 4, 8][kind as usize] * n;
            let after = budget.stats();
            prop_assert_eq!(after.used + after.free, 4096 - skew);
            prop_assert!(after.peak >= after.used);
            match lease {
                Ok((start, bytes)) => {
                    prop_assert_eq!(bytes, size);
                    prop_assert!(bytes == 0 || start % ALIGN == 0);
                    for (a, b) in &spans {
                        prop_assert!(bytes == 0 || start >= *b || start + bytes <= *a, "overlap");
                    }
                    spans.push((start, start + bytes));
                    layout = layout.with::<u8>(size as u64);
                    if lossless {
                        prop_assert_eq!(after.used as u64, layout.bytes());
                    }
                }
                Err(refused) => {
                    lossless = false;
                    prop_assert_eq!(refused.available, before.free);
                    prop_assert!(refused.requested > before.free);
                    prop_assert_eq!(after.used, before.used);
                    prop_assert_eq!(after.failed, before.failed + 1);
                }
            }
        }
    }
}

/// Eight threads, a million random leases each: the limit holds at every instant that anyone looks.
#[test]
fn a_shared_budget_is_never_passed() {
    const LIMIT: usize = 10_000;
    const LEASES: u32 = if cfg!(miri) { 200 } else { 1_000_000 };
    static BUDGET: SharedBudget = SharedBudget::new(LIMIT);
    static DONE: AtomicBool = AtomicBool::new(false);
    let (granted, refused) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..8u64)
            .map(|seed| {
                scope.spawn(move || {
                    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
                    let mut held = Vec::new();
                    let (mut granted, mut refused) = (0u32, 0u32);
                    for _ in 0..LEASES {
                        x ^= x << 13;
                        x ^= x >> 7;
                        x ^= x << 17;
                        if x & 1 == 0 || held.len() > 8 {
                            held.pop();
                        }
                        match BUDGET.lease("worker", (x >> 32) as usize % 3000) {
                            Ok(lease) => {
                                granted += 1;
                                held.push(lease);
                            }
                            Err(error) => {
                                refused += 1;
                                assert!(error.available < error.requested);
                            }
                        }
                        if x & 7 == 0
                            && let Some(lease) = held.last_mut()
                        {
                            lease.shrink_to((x >> 40) as usize % 3000);
                        }
                        let own: usize = held.iter().map(|lease| lease.bytes()).sum();
                        assert!(own <= LIMIT);
                    }
                    (granted, refused)
                })
            })
            .collect();
        let watcher = scope.spawn(|| {
            while !DONE.load(Ordering::Relaxed) {
                let stats = BUDGET.stats();
                assert!(stats.used <= LIMIT && stats.free <= LIMIT && stats.peak <= LIMIT);
            }
        });
        let sums = workers.into_iter().map(|worker| worker.join().expect("no assertion failed"));
        let sums = sums.fold((0, 0), |sum, (granted, refused)| (sum.0 + granted, sum.1 + refused));
        DONE.store(true, Ordering::Relaxed);
        watcher.join().expect("the limit held");
        sums
    });
    let stats = BUDGET.stats();
    assert_eq!((stats.used, stats.leases, stats.failed), (0, granted, refused));
    assert!(refused > 0 && stats.peak > LIMIT / 2, "the test did press against the limit");
}
