//! The program of USE.md.
#![no_std]
#![no_main]
use cortex_m as _; // the critical sections
use plimsoll_core::journal::{Journal, JournalError, Policy, RamFlash};
use plimsoll_core::series::{Column, Encoder, Kind, Pushed, Rice, Settings, TimeUnit, Word};

/// Your driver here: `impl journal::Flash`, or `journal::Nor` around one of `embedded-storage`.
fn flash(region: &mut [u8]) -> RamFlash<'_> {
    RamFlash::new(region, 1024, 4)
}

/// Your sensor here: milliseconds and a reading.
fn sample(n: i64) -> (i64, i32) {
    (n * 250, 1800 + (n % 50) as i32)
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let (mut region, mut buffer) = ([0; 4096], [0; 216]);
    let mut journal = match Journal::mount(flash(&mut region), Policy::Overwrite) {
        Err(JournalError::NotFormatted) => Journal::format(flash(&mut region), Policy::Overwrite),
        mounted => mounted,
    };
    let settings = Settings::new(TimeUnit::Milliseconds, [Column::new(Kind::I32)]);
    let encoder = Encoder::<Rice, 1>::try_new(settings, &mut buffer);
    if let (Ok(journal), Ok(mut encoder)) = (&mut journal, encoder) {
        let (mut first, mut last) = (0, 0);
        for (time, value) in (0..).map(sample) {
            while let Ok(Pushed::Full) = encoder.push(time, &[Word::from(value)]) {
                // From here on the block survives any power cut.
                if let Ok(block) = encoder.seal() {
                    let _acknowledged = journal.append(1, first..=last, block).is_ok();
                }
                first = time;
            }
            last = time;
        }
    }
    loop {}
}

#[panic_handler]
fn panicked(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
