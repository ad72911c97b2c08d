//! Images of any bytes: mounting gives a journal or an error, and whatever is mounted reads to an end and goes on.

use crate::flash::Dice;
use plimsoll_core::journal::{From, Journal, JournalError, Policy, RamFlash, RamFlashError};
use proptest::prelude::*;

const SECTOR: usize = 1024;

/// An image of a journal that has been round its ring.
fn image(erased: u8) -> Vec<u8> {
    let mut bytes = vec![0u8; 4 * SECTOR];
    let flash = RamFlash::new(&mut bytes, SECTOR as u32, 4).erased(erased);
    let mut journal = Journal::format(flash, Policy::Overwrite).expect("it fits");
    for number in 0..60 {
        journal.append(number, number.into()..=number.into(), &[number; 90]).expect("there is room");
        if number % 9 == 0 {
            journal = Journal::mount(journal.into_flash(), Policy::Overwrite).expect("it is there");
        }
    }
    bytes
}

/// Whatever the bytes are: ends, with records in order, and then takes a new one and gives it back.
fn exercise(bytes: &mut [u8], policy: Policy) -> Result<usize, JournalError<RamFlashError>> {
    let mut journal = Journal::mount(RamFlash::new(bytes, SECTOR as u32, 4), policy)?;
    let mut buffer = [0u8; SECTOR];
    let (mut count, mut above) = (0, None);
    for from in [From::Sequence(0), From::Time(30), From::Sequence(40)] {
        let mut records = journal.iterate(from);
        (count, above) = (0, None);
        while let Some(record) = records.next(&mut buffer).expect("no record is longer than a sector") {
            assert!(above < Some(record.sequence), "in order");
            above = Some(record.sequence);
            count += 1;
        }
    }
    match journal.append(1, 0..=1, b"after all that") {
        Ok(sequence) => {
            assert!(above < Some(sequence));
            let mut records = journal.iterate(From::Sequence(sequence));
            let record = records.next(&mut buffer).expect("it reads").expect("it is there");
            // A forged header may have hidden a record of that number, which then comes first.
            assert_eq!(record.sequence, sequence);
        }
        Err(JournalError::Full { .. } | JournalError::UsedUp) => {}
        Err(error) => panic!("{error}"),
    }
    match journal.discard(u32::MAX) {
        Ok(()) => assert_eq!(journal.iterate(From::Sequence(0)).next(&mut buffer), Ok(None)),
        Err(JournalError::Full { .. } | JournalError::UsedUp) => {}
        Err(error) => panic!("{error}"),
    }
    Ok(count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_mount_or_err(mut bytes in proptest::collection::vec(any::<u8>(), 0..5 * SECTOR)) {
        let _ = exercise(&mut bytes, Policy::Keep);
    }

    #[test]
    fn a_header_before_any_bytes_mounts_or_errs(
        seed in any::<u64>(),
        fields in proptest::collection::vec((0usize..4, 8usize..64, any::<u8>()), 0..12),
        overwrite in any::<bool>(),
    ) {
        // Headers whose checksum is right, whatever they say.
        let mut bytes = image(0xFF);
        let mut dice = Dice(seed);
        for (sector, at, value) in fields {
            // Often a neighbour of what was there, and never the geometry alone, which ends every mount at once.
            let at = if at < 14 { at + 14 } else { at };
            let byte = &mut bytes[sector * SECTOR + at];
            *byte = if dice.one_in(2) { byte.wrapping_add(value % 3) } else { value };
        }
        for sector in 0..4 {
            let start = sector * SECTOR;
            let crc = crc32(&bytes[start + 4..start + 64]);
            bytes[start..start + 4].copy_from_slice(&crc.to_le_bytes());
        }
        let _ = exercise(&mut bytes, if overwrite { Policy::Overwrite } else { Policy::Keep });
    }
}

/// Bit by bit, from the definition.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 })
    })
}

#[test]
fn a_mutated_image_loses_no_more_than_was_hit() {
    let valid = image(0xFF);
    let whole = exercise(&mut valid.clone(), Policy::Overwrite).expect("it is valid");
    let mut dice = Dice(99);
    for _ in 0..20_000 {
        let mut bytes = valid.clone();
        let hits = 1 + dice.below(3) as usize;
        for _ in 0..hits {
            let at = dice.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << dice.below(8);
        }
        match exercise(&mut bytes, Policy::Overwrite) {
            // A sector of this size holds at most 5 such records; a bit costs one of them, or a header and all.
            Ok(count) => assert!(count + 6 * hits >= whole, "{count} of {whole} after {hits} bits"),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_truncated_or_shifted_image_mounts_or_errs() {
    let valid = image(0xFF);
    for len in (0..valid.len()).step_by(64) {
        let _ = exercise(&mut valid[..len].to_vec(), Policy::Keep);
        let mut shifted = valid.clone();
        shifted.rotate_left(len);
        let _ = exercise(&mut shifted, Policy::Keep);
    }
}
