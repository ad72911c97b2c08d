//! Memory that is lent once, to whoever asks first.

use core::cell::UnsafeCell;
use critical_section::Mutex;

/// A static value that can be taken once, mutably, for the rest of the run.
pub struct Once<T> {
    taken: Mutex<core::cell::Cell<bool>>,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through `take` only, which gives it once.
unsafe impl<T: Send> Sync for Once<T> {}

impl<T> Once<T> {
    /// Nobody has it.
    pub const fn new(value: T) -> Self {
        Self { taken: Mutex::new(core::cell::Cell::new(false)), value: UnsafeCell::new(value) }
    }

    /// The value, for the first who asks.
    #[allow(clippy::mut_from_ref)] // That is its purpose, and `taken` makes it sound.
    pub fn take(&'static self) -> Option<&'static mut T> {
        if critical_section::with(|section| self.taken.borrow(section).replace(true)) {
            return None;
        }
        // SAFETY: nobody else ever gets here.
        Some(unsafe { &mut *self.value.get() })
    }
}
