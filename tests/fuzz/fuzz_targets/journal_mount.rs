//! Any bytes as a journal's flash: it mounts or errs, reads to an end in order, and goes on.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_core::journal::{Flash, From, Journal, JournalError, Policy, RamFlash};

/// Bytes a sector and a word.
const SIZES: [(usize, u32); 4] = [(512, 4), (1024, 8), (2048, 256), (1024, 1)];

/// Bit by bit, from the definition.
fn crc32<'b>(bytes: impl Iterator<Item = &'b u8>) -> u32 {
    !bytes.fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    })
}

/// Makes every checksum right, so that what is behind them is reached.
fn mend(bytes: &mut [u8], sector_bytes: usize, page_bytes: usize) {
    let sectors = bytes.len() / sector_bytes;
    for (place, sector) in bytes.chunks_exact_mut(sector_bytes).enumerate() {
        let mut turn = [0; 4];
        for (number, page) in sector.chunks_exact_mut(page_bytes).enumerate() {
            let crc = if number == 0 {
                page[4..8].copy_from_slice(b"PLJ1");
                page[12..14].copy_from_slice(&(sectors as u16).to_le_bytes());
                page[14..16].copy_from_slice(&(place as u16).to_le_bytes());
                turn.copy_from_slice(&page[28..32]);
                crc32(page[4..64].iter())
            } else {
                let number = (number as u16).to_le_bytes();
                crc32(turn.iter().chain(&number).chain(&page[4..]))
            };
            // Some stay wrong.
            if page[4] & 0x20 == 0 || number == 0 {
                page[..4].copy_from_slice(&crc.to_le_bytes());
            }
        }
    }
}

fuzz_target!(|input: (u8, &[u8])| {
    let (how, given) = input;
    let (sector_bytes, word_bytes) = SIZES[usize::from(how) % 4];
    let sectors = (given.len() / sector_bytes).clamp(3, 8);
    let mut bytes = vec![0xFF; sectors * sector_bytes];
    for (byte, given) in bytes.iter_mut().zip(given) {
        *byte = *given;
    }
    let policy = if how & 4 == 0 { Policy::Keep } else { Policy::Overwrite };
    if how & 8 != 0 {
        let page_bytes = (sector_bytes / 32).clamp(64, 256).max(word_bytes as usize);
        for sector in bytes.chunks_exact_mut(sector_bytes) {
            let log2 = |bytes: usize| bytes.ilog2() as u8;
            sector[8..12].copy_from_slice(&[
                log2(page_bytes),
                log2(word_bytes as usize),
                log2(sector_bytes),
                0xFF,
            ]);
        }
        mend(&mut bytes, sector_bytes, page_bytes);
    }
    let flash = RamFlash::new(&mut bytes, sector_bytes as u32, word_bytes);
    assert!(flash.geometry().capacity_bytes > 0);
    let Ok(mut journal) = Journal::mount(flash, policy) else { return };
    let mut buffer = vec![0u8; sector_bytes];
    for from in [From::Sequence(0), From::Time(0)] {
        let mut above = None;
        let mut records = journal.iterate(from);
        while let Some(record) = records.next(&mut buffer).expect("no record is longer than a sector") {
            assert!(above < Some(record.sequence), "in order");
            above = Some(record.sequence);
        }
    }
    match journal.append(1, 0..=1, b"after all that") {
        Ok(sequence) => {
            let mut journal = Journal::mount(journal.into_flash(), policy).expect("it is there");
            let mut records = journal.iterate(From::Sequence(sequence));
            let record = records.next(&mut buffer).expect("it reads").expect("it is there");
            // A forged header may have hidden a record of that number, which then comes first.
            assert_eq!(record.sequence, sequence);
        }
        Err(JournalError::Full { .. } | JournalError::UsedUp) => {}
        Err(error) => panic!("{error}"),
    }
});
