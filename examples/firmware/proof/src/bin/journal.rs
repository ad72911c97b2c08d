//! Every entry point of `journal`, on a flash in memory.
#![no_std]
#![no_main]

use plimsoll_core::journal::{Flash, From, Geometry, Journal, Layout, Policy, RamFlash, identify};
use proof::black_box;

proof::prove!(all);

fn all() {
    let mut bytes = black_box([0u8; 4096]);
    let flash = RamFlash::new(&mut bytes, black_box(1024), black_box(4)).erased(black_box(0xFF));
    if let Ok(journal) = Journal::format(flash, black_box(Policy::Keep)) {
        work(journal);
    }
    let mut flash = RamFlash::new(&mut bytes, black_box(1024), black_box(4));
    if let Ok(journal) = Journal::mount(&mut flash, black_box(Policy::Keep)) {
        work(journal);
    }
    if let Ok(journal) = Journal::inspect(&mut flash, black_box(Policy::Keep)) {
        work(journal);
    }
    black_box(identify(&bytes));
    let geometry =
        black_box(Geometry { capacity_bytes: 4096, sector_bytes: 1024, word_bytes: 4, erased: 0xFF });
    if let Ok(layout) = black_box(Layout::new(geometry)) {
        let sizes = (layout.page_bytes(), layout.pages(), layout.sectors(), layout.max_record_bytes());
        black_box((layout.geometry(), sizes));
    }
}

fn work<F: Flash>(mut journal: Journal<F>) {
    let record = black_box([0u8; 128]);
    let record = record.get(..black_box(128)).unwrap_or_default();
    let _ = black_box(journal.append(black_box(1), black_box(0)..=black_box(9), record).is_ok());
    let mut buffer = black_box([0u8; 128]);
    for from in [From::Sequence(0), From::Time(0)] {
        let mut records = journal.iterate(black_box(from));
        while let Ok(Some(record)) = records.next(&mut buffer) {
            black_box(record);
        }
    }
    let _ = black_box(journal.discard(black_box(1)).is_ok());
    black_box((journal.stats(), journal.layout()));
    let _ = journal.into_flash();
}
