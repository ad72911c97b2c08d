//! Which units of a file are mapped: the bookkeeping of `MappedFile`, without the mappings.
//!
//! Invariant: each slot holds one unit, and each unit is in one slot at most. A unit is entered before its bytes are
//! touched and left afterwards; only one that nobody is in is given up, the one entered longest ago first.

use std::thread::ThreadId;

/// How many units may be mapped at the same time.
pub(super) const UNITS: usize = 4;

#[derive(Clone, Copy, Debug)]
struct Held {
    unit: u64,
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

impl Window {
    /// A reader on thread `owner` is about to touch `unit`. Gives the slot for it, which holds it already or whose
    /// old unit goes; `None` if readers are in all slots.
    pub(super) fn enter(&mut self, unit: u64, owner: ThreadId) -> Option<usize> {
        self.clock += 1;
        let entered = self.clock;
        let known = self.held.iter().position(|slot| slot.is_some_and(|held| held.unit == unit));
        let (slot, readers) = match known {
            Some(slot) => (slot, self.held[slot].map_or(0, |held| held.readers)),
            None => {
                let idle = self
                    .held
                    .iter()
                    .enumerate()
                    .filter(|(_, slot)| slot.is_none_or(|held| held.readers == 0));
                (idle.min_by_key(|(_, slot)| slot.map_or(0, |held| held.entered))?.0, 0)
            }
        };
        self.held[slot] = Some(Held { unit, readers: readers + 1, owner, entered });
        Some(slot)
    }

    /// The reader that entered this slot has copied what it wanted.
    pub(super) fn leave(&mut self, slot: usize) {
        if let Some(held) = &mut self.held[slot] {
            held.readers = held.readers.saturating_sub(1);
        }
    }

    /// Empties one idle slot whose unit is below `unit` and was entered last by `owner`.
    pub(super) fn take_below(&mut self, unit: u64, owner: ThreadId) -> Option<usize> {
        let done = |held: Held| held.readers == 0 && held.owner == owner && held.unit < unit;
        let slot = self.held.iter().position(|slot| slot.is_some_and(done))?;
        self.held[slot] = None;
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_idle_unit_entered_longest_ago_goes_first() {
        let me = std::thread::current().id();
        let mut window = Window::default();
        let slots: Vec<_> = (0..UNITS as u64).map(|unit| window.enter(unit, me).unwrap()).collect();
        assert_eq!(slots, (0..UNITS).collect::<Vec<_>>());
        assert_eq!(window.enter(100, me), None);
        slots.iter().for_each(|slot| window.leave(*slot));
        // Unit 0 is entered once more, so 1 is the oldest; 1 has a reader, so 2 goes.
        assert_eq!(window.enter(0, me), Some(0));
        window.leave(0);
        assert_eq!(window.enter(1, me), Some(1));
        assert_eq!(window.enter(100, me), Some(2));
        // Two readers in one unit: it stays until both have left.
        assert_eq!(window.enter(100, me), Some(2));
        window.leave(2);
        assert_eq!(window.enter(200, me), Some(3));
        assert_eq!(window.enter(300, me), Some(0));
        assert_eq!(window.enter(400, me), None);
        window.leave(2);
        assert_eq!(window.enter(400, me), Some(2));
    }

    #[test]
    fn only_units_of_the_own_thread_behind_the_offset_are_taken() {
        let me = std::thread::current().id();
        let other = std::thread::spawn(|| std::thread::current().id()).join().unwrap();
        let mut window = Window::default();
        for (unit, owner) in [(1, me), (2, other), (3, me), (9, me)] {
            let slot = window.enter(unit, owner).unwrap();
            if unit != 3 {
                window.leave(slot);
            }
        }
        assert_eq!(window.take_below(5, me), Some(0));
        assert_eq!(window.take_below(5, me), None);
    }
}
