//! Logs: defmt frames to the host's standard output, on every architecture that the emulator has.

use core::cell::{Cell, RefCell};
use critical_section::{Mutex, RestoreState};
use semihosting::io::{Write, stdout};

#[defmt::global_logger]
struct ToHost;

static ENCODER: Mutex<RefCell<defmt::Encoder>> = Mutex::new(RefCell::new(defmt::Encoder::new()));
static RESTORE: Mutex<Cell<RestoreState>> = Mutex::new(Cell::new(RestoreState::invalid()));

fn send(bytes: &[u8]) {
    // There is nobody to be told that logging failed.
    let _ = stdout().and_then(|mut out| out.write_all(bytes));
}

fn encode(work: impl FnOnce(&mut defmt::Encoder)) {
    critical_section::with(|section| {
        if let Ok(mut encoder) = ENCODER.borrow(section).try_borrow_mut() {
            work(&mut encoder);
        }
    });
}

// SAFETY: `acquire` enters a critical section that `release` leaves, so that frames never mix.
unsafe impl defmt::Logger for ToHost {
    fn acquire() {
        // SAFETY: `release` restores this state, and defmt calls it once after each `acquire`.
        let state = unsafe { critical_section::acquire() };
        critical_section::with(|section| RESTORE.borrow(section).set(state));
        encode(|encoder| encoder.start_frame(send));
    }

    unsafe fn flush() {}

    unsafe fn release() {
        encode(|encoder| encoder.end_frame(send));
        let state = critical_section::with(|section| RESTORE.borrow(section).get());
        // SAFETY: it is the state of the `acquire` before.
        unsafe { critical_section::release(state) };
    }

    unsafe fn write(bytes: &[u8]) {
        encode(|encoder| encoder.write(bytes, send));
    }
}
