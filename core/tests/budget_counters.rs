//! Promise: the three ways to keep a shared budget's numbers are one to whoever draws from it.
//!
//! Their files are taken here as they are: each target builds one of them only.

#![allow(unreachable_pub)]

#[path = "../src/budget/counters/atomic.rs"]
mod atomic;
#[path = "../src/budget/counters/guarded.rs"]
mod guarded;
#[path = "../src/budget/counters/single.rs"]
mod single;

use proptest::prelude::*;

/// What the numbers must be: the slow, obvious way.
#[derive(Debug, Default)]
struct Model {
    granted: Vec<usize>,
    peak: usize,
    leases: u32,
    failed: u32,
}

impl Model {
    fn used(&self) -> usize {
        self.granted.iter().sum()
    }

    fn take(&mut self, bytes: usize, limit: usize) -> Result<(), usize> {
        let used = self.used();
        if bytes > limit - used {
            self.failed += 1;
            return Err(used);
        }
        self.granted.push(bytes);
        self.peak = self.peak.max(used + bytes);
        self.leases += 1;
        Ok(())
    }
}

proptest! {
    #[test]
    fn they_count_alike(limit in 0usize..5000, steps in prop::collection::vec((0usize..2000, any::<bool>(), any::<u8>()), 1..40)) {
        let (atomic, guarded, single) = (atomic::Counters::new(), guarded::Counters::new(), single::Counters::new());
        let mut model = Model::default();
        for (bytes, gives, huge) in steps {
            if gives && let Some(bytes) = model.granted.pop() {
                atomic.give(bytes);
                guarded.give(bytes);
                single.give(bytes);
            } else {
                // Now and then a size whose sum with anything is more than there are numbers.
                let bytes = if huge == 0 { usize::MAX } else { bytes };
                let granted = model.take(bytes, limit);
                prop_assert_eq!(atomic.take(bytes, limit), granted);
                prop_assert_eq!(guarded.take(bytes, limit), granted);
                prop_assert_eq!(single.take(bytes, limit), granted);
            }
            let numbers = (model.used(), model.peak, model.leases, model.failed);
            prop_assert_eq!([atomic.read(), guarded.read(), single.read()], [numbers; 3]);
        }
    }
}
