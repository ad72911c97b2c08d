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
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 256 }))]

    #[test]
    fn any_bytes_mount_or_err(mut bytes in proptest::collection::vec(any::<u8>(), 0..if cfg!(miri) { 2 } else { 5 } * SECTOR)) {
        let _ = exercise(&mut bytes, Policy::Keep);
    }

    #[test]
    #[cfg_attr(miri, ignore = "whole journals, again and again: hours under the interpreter")]
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
#[cfg_attr(miri, ignore = "whole journals, again and again: hours under the interpreter")]
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
#[cfg_attr(miri, ignore = "whole journals, again and again: hours under the interpreter")]
fn a_truncated_or_shifted_image_mounts_or_errs() {
    let valid = image(0xFF);
    for len in (0..valid.len()).step_by(64) {
        let _ = exercise(&mut valid[..len].to_vec(), Policy::Keep);
        let mut shifted = valid.clone();
        shifted.rotate_left(len);
        let _ = exercise(&mut shifted, Policy::Keep);
    }
}

/// Makes the checksum of every page right for its place, and most of them of this journal.
fn mend(bytes: &mut [u8], dice: &mut Dice) {
    for sector in bytes.chunks_exact_mut(SECTOR) {
        let turn: [u8; 4] = sector[28..32].try_into().expect("four bytes");
        for (number, page) in sector.chunks_exact_mut(64).enumerate() {
            let erased = page.iter().all(|byte| *byte == 0xFF);
            if erased || (number > 0 && dice.one_in(40)) {
                continue;
            }
            let crc = match number {
                0 => crc32(&page[4..]),
                _ => crc32(&[&turn, &(number as u16).to_le_bytes()[..], &page[4..]].concat()),
            };
            page[..4].copy_from_slice(&crc.to_le_bytes());
        }
    }
}

/// What only a forger writes, or a ring whose turns and numbers are used up: behind right checksums anything may stand.
#[test]
#[cfg_attr(miri, ignore = "whole journals, again and again: hours under the interpreter")]
fn forged_pages_mount_or_err_and_what_is_acknowledged_stays() {
    let valid = image(0xFF);
    let mut dice = Dice(7);
    let (mut mounted, mut appended) = (0, 0);
    for round in 0..3000 {
        let mut bytes = valid.clone();
        for _ in 0..=dice.below(6) {
            let page = 64 * if dice.one_in(2) { 16 * dice.below(4) } else { dice.below(64) } as usize;
            // Fields: turns, numbers, floors, lengths. The geometry stays, or every mount would end at once.
            let at = page + 16 + 4 * dice.below(12) as usize;
            let value =
                [0, 1, u32::MAX, u32::MAX - 1, u32::MAX - 2, dice.next() as u32][dice.below(6) as usize];
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        mend(&mut bytes, &mut dice);
        let policy = if dice.one_in(2) { Policy::Keep } else { Policy::Overwrite };
        let mut journal = match Journal::mount(RamFlash::new(&mut bytes, SECTOR as u32, 4), policy) {
            Ok(journal) => journal,
            Err(JournalError::NotFormatted) => continue,
            Err(error) => panic!("round {round}: {error}"),
        };
        mounted += 1;
        let mut buffer = [0; SECTOR];
        match journal.append(1, 0..=1, b"after all that") {
            Ok(sequence) => {
                appended += 1;
                let mut journal = Journal::mount(journal.into_flash(), policy)
                    .unwrap_or_else(|error| panic!("round {round}: it was there: {error}"));
                let mut records = journal.iterate(From::Sequence(sequence));
                let record = records.next(&mut buffer).expect("it reads").map(|record| record.sequence);
                assert_eq!(record, Some(sequence), "round {round}");
            }
            Err(JournalError::Full { .. } | JournalError::UsedUp) => {}
            Err(error) => panic!("round {round}: {error}"),
        }
        let _ = exercise(&mut bytes, policy);
    }
    assert!(mounted > 1500 && appended > 450, "{mounted} mounted, {appended} appended to");
}
