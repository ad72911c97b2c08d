//! Which units of a mapping may be resident: the bookkeeping of `MappedFile`, without the mapping.
//!
//! Invariant: at most `UNITS` units are held at any time. A unit is entered before its bytes are touched and left
//! afterwards; only one that nobody is in is given up, the one left longest ago first.

use std::thread::ThreadId;

/// How many units may be resident.
pub(super) const UNITS: usize = 8;

#[derive(Clone, Copy, Debug)]
struct Held {
    unit: usize,
    /// How many readers copy from it at this moment.
    readers: u32,
    /// Who entered it last.
    owner: ThreadId,
    /// When it was entered last.
    entered: u64,
}

/// The units that are held.
#[derive(Debug, Default)]
pub(super) struct Window {
    held: [Option<Held>; UNITS],
    clock: u64,
}

/// What to do before a unit is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Nothing: there was room, or it is held already.
    Free,
    /// Let this one go first.
    Evict(usize),
    /// Wait: readers are in all of them.
    Full,
}

impl Window {
    /// A reader on thread `owner` is about to touch `unit`. It is in, unless the answer is [`Entry::Full`].
    pub(super) fn enter(&mut self, unit: usize, owner: ThreadId) -> Entry {
        self.clock += 1;
        let entered = self.clock;
        if let Some(held) = self.held.iter_mut().flatten().find(|held| held.unit == unit) {
            *held = Held { readers: held.readers + 1, owner, entered, ..*held };
            return Entry::Free;
        }
        let idle = |slot: &&mut Option<Held>| slot.is_none_or(|held| held.readers == 0);
        let oldest = self.held.iter_mut().filter(idle).min_by_key(|slot| slot.map_or(0, |held| held.entered));
        let Some(slot) = oldest else { return Entry::Full };
        let before = slot.replace(Held { unit, readers: 1, owner, entered });
        before.map_or(Entry::Free, |held| Entry::Evict(held.unit))
    }

    /// The reader that entered `unit` has copied what it wanted.
    pub(super) fn leave(&mut self, unit: usize) {
        if let Some(held) = self.held.iter_mut().flatten().find(|held| held.unit == unit) {
            held.readers = held.readers.saturating_sub(1);
        }
    }

    /// Takes out one idle unit below `unit` that `owner` was the last to enter, to be let go.
    pub(super) fn take_below(&mut self, unit: usize, owner: ThreadId) -> Option<usize> {
        let done = |held: Held| held.readers == 0 && held.owner == owner && held.unit < unit;
        let slot = self.held.iter_mut().find(|slot| slot.is_some_and(done))?;
        slot.take().map(|held| held.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_idle_unit_entered_longest_ago_goes_first() {
        let me = std::thread::current().id();
        let mut window = Window::default();
        for unit in 0..UNITS {
            assert_eq!(window.enter(unit, me), Entry::Free);
        }
        assert_eq!(window.enter(100, me), Entry::Full);
        for unit in 0..UNITS {
            window.leave(unit);
        }
        // 0 is entered once more, so 1 is the oldest; 1 has a reader, so 2 goes.
        assert_eq!(window.enter(0, me), Entry::Free);
        window.leave(0);
        window.enter(1, me);
        assert_eq!(window.enter(100, me), Entry::Evict(2));
    }

    #[test]
    fn only_units_of_the_own_thread_behind_the_offset_are_taken() {
        let me = std::thread::current().id();
        let other = std::thread::spawn(|| std::thread::current().id()).join().unwrap();
        let mut window = Window::default();
        for (unit, owner) in [(1, me), (2, other), (3, me), (9, me)] {
            window.enter(unit, owner);
            if unit != 3 {
                window.leave(unit);
            }
        }
        assert_eq!(window.take_below(5, me), Some(1));
        assert_eq!(window.take_below(5, me), None);
    }
}
