//! The table under a cache: `quick_cache`, told what weighs how much and what may not go.
//!
//! The weight of an entry is what the budget counts for it, and at least the table's capacity divided by the most
//! entries it was sized for: so neither the bytes nor the number of entries can pass their limit.
//!
//! To make room, a *weight* is put in that is heavier than what is free and cannot be evicted: the crate evicts what
//! its policy likes least, and the weight is taken out again.

use super::entry::Entry;
use quick_cache::sync::{Cache, GuardResult, PlaceholderGuard};
use quick_cache::{Lifecycle, OptionsBuilder, Weighter};
use std::hash::{Hash, RandomState};
use std::sync::Arc;

/// Loads that run at once, beyond the entries a table is sized for, plus the weight.
const IN_FLIGHT: usize = 15;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Slot<K> {
    Entry(K),
    /// The only one of its kind: squeezes are one at a time.
    Weight,
}

#[derive(Clone)]
enum Held<'b> {
    Entry(Arc<Entry<'b>>),
    Weight(u64),
}

#[derive(Clone)]
struct ByLease {
    least: u64,
}

impl<K> Weighter<Slot<K>, Held<'_>> for ByLease {
    fn weight(&self, _: &Slot<K>, held: &Held<'_>) -> u64 {
        match held {
            Held::Entry(entry) => (entry.leased_bytes() as u64).max(self.least),
            Held::Weight(weight) => *weight,
        }
    }
}

#[derive(Clone)]
struct Pins;

impl<K> Lifecycle<Slot<K>, Held<'_>> for Pins {
    /// Bytes that the budget counts for what was evicted.
    type RequestState = u64;

    fn is_pinned(&self, _: &Slot<K>, held: &Held<'_>) -> bool {
        match held {
            Held::Entry(entry) => entry.is_held(),
            Held::Weight(_) => true,
        }
    }

    fn on_evict(&self, evicted: &mut u64, _: Slot<K>, held: Held<'_>) {
        if let Held::Entry(entry) = held {
            *evicted += entry.leased_bytes() as u64;
        }
    }
}

type Inner<'b, K> = Cache<Slot<K>, Held<'b>, ByLease, RandomState, Pins>;

pub(super) struct Table<'b, K> {
    inner: Inner<'b, K>,
}

/// What the table has for a key.
pub(super) enum Found<'t, 'b, K: Copy + Eq + Hash> {
    /// The entry.
    Entry(Arc<Entry<'b>>),
    /// Nothing: whoever has the place fills it, and all others wait for that.
    Place(Place<'t, 'b, K>),
}

pub(super) struct Place<'t, 'b, K: Copy + Eq + Hash>(
    PlaceholderGuard<'t, Slot<K>, Held<'b>, ByLease, RandomState, Pins>,
);

impl<'b, K: Copy + Eq + Hash> Place<'_, 'b, K> {
    pub(super) fn fill(self, entry: &Arc<Entry<'b>>) {
        // Refused only if the key was removed meanwhile, which nobody does.
        let _ = self.0.insert(Held::Entry(Arc::clone(entry)));
    }
}

impl<'b, K: Copy + Eq + Hash> Table<'b, K> {
    /// A table that evicts above `capacity` bytes or `most_entries` entries.
    pub(super) fn new(capacity: usize, most_entries: usize) -> Self {
        let (capacity, most_entries) = (capacity.max(1) as u64, most_entries.max(1));
        let options = OptionsBuilder::new()
            .shards(1)
            .weight_capacity(capacity)
            .estimated_items_capacity(most_entries + IN_FLIGHT + 1)
            // All of it may be hot: what is larger than the hot share would never be kept.
            .hot_allocation(1.0)
            .build()
            .expect("capacities are given, shares are in 0 to 1");
        let weighter = ByLease { least: capacity.div_ceil(most_entries as u64) };
        Self { inner: Cache::with_options(options, weighter, RandomState::new(), Pins) }
    }

    /// The most heap bytes of a table for `most_entries`, by the crate's own formula: half as many places again
    /// are for the keys that it remembers after eviction.
    pub(super) const fn bytes(most_entries: usize) -> usize {
        let entries = most_entries + IN_FLIGHT + 1;
        let each = size_of::<Slot<K>>() + size_of::<Held<'static>>() + 21;
        (entries + entries / 2).next_power_of_two() * each
    }

    pub(super) fn find<'t>(&'t self, key: &K) -> Found<'t, 'b, K> {
        loop {
            match self.inner.get_value_or_guard(&Slot::Entry(*key), None) {
                GuardResult::Value(Held::Entry(entry)) => return Found::Entry(entry),
                GuardResult::Guard(guard) => return Found::Place(Place(guard)),
                // Neither happens: no time limit was given, and weights stand under a key of their own.
                GuardResult::Value(Held::Weight(_)) | GuardResult::Timeout => {}
            }
        }
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.inner.contains_key(&Slot::Entry(*key))
    }

    /// Evicts entries of at least `bytes` in all, or all that may go; false if none did.
    pub(super) fn evict(&self, bytes: usize) -> bool {
        let free = self.inner.capacity().saturating_sub(self.inner.weight());
        // The crate adds weights without looking for overflow.
        let weight = free + (bytes as u64).clamp(1, self.inner.capacity());
        let mut evicted = 0;
        self.inner.insert_with_lifecycle(Slot::Weight, Held::Weight(weight), &mut evicted);
        self.inner.remove(&Slot::Weight);
        evicted > 0
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.inner.memory_used().total()
    }

    #[cfg(test)]
    pub(super) fn entries(&self) -> usize {
        self.inner.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::budget::SharedBudget;

    #[test]
    fn it_stays_within_its_stated_bytes_and_entries() {
        for most_entries in [1usize, 10, 100, 1000] {
            let budget = SharedBudget::new(1 << 30);
            let table = Table::<u64>::new(budget.limit(), most_entries);
            let stated = Table::<u64>::bytes(most_entries);
            for key in 0..20 * most_entries as u64 + 100 {
                let Found::Place(place) = table.find(&key) else { panic!("{key} is new") };
                let lease = budget.lease("entry", 100).unwrap();
                place.fill(&Arc::new(Entry::new(Box::new([0; 8]), 8, lease)));
                assert!(table.entries() <= most_entries, "{} entries", table.entries());
                assert!(table.heap_bytes() <= stated, "{} bytes of {stated}", table.heap_bytes());
            }
            assert_eq!(budget.stats().used, 100 * table.entries());
            assert!(table.entries() >= most_entries.div_ceil(2), "{} entries", table.entries());
        }
    }

    #[test]
    fn what_is_held_is_not_evicted() {
        let budget = SharedBudget::new(1000);
        let table = Table::<u64>::new(1000, 10);
        let mut held = Vec::new();
        for key in 0..10 {
            let Found::Place(place) = table.find(&key) else { panic!("{key} is new") };
            let entry = Arc::new(Entry::new(Box::new([0; 8]), 8, budget.lease("entry", 100).unwrap()));
            place.fill(&entry);
            if key % 2 == 0 {
                held.push(entry);
            }
        }
        assert!(table.evict(1));
        assert!(budget.stats().used <= 900);
        while table.evict(1) {}
        assert_eq!(budget.stats().used, 500);
        assert!((0..10).all(|key| table.contains(&key) == (key % 2 == 0)));
        held.clear();
        assert!(table.evict(500));
        assert_eq!(budget.stats().used, 0);
    }
}
