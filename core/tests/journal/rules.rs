//! Everything but power cuts: geometry, errors, order, seeking, wear, bad sectors, reads at mount.

use crate::flash::{Dice, SimFlash};
use crate::model::{Bench, read};
use plimsoll_core::journal::{
    Flash, From, Geometry, GeometryError, Journal, JournalError, Layout, MIN_SECTORS, Policy, RamFlash,
    STATE_BYTES, identify,
};

const GOOD: Geometry = Geometry { capacity_bytes: 8192, sector_bytes: 1024, word_bytes: 4, erased: 0xFF };

#[test]
fn each_rule_of_geometry_is_its_own_error() {
    let error = |geometry| Layout::new(geometry).expect_err("a broken rule");
    assert_eq!(error(Geometry { word_bytes: 0, ..GOOD }), GeometryError::WordBytes(0));
    assert_eq!(error(Geometry { word_bytes: 12, ..GOOD }), GeometryError::WordBytes(12));
    assert_eq!(error(Geometry { word_bytes: 512, ..GOOD }), GeometryError::WordBytes(512));
    assert_eq!(error(Geometry { erased: 0x44, ..GOOD }), GeometryError::Erased(0x44));
    assert_eq!(error(Geometry { sector_bytes: 0, ..GOOD }), GeometryError::SectorBytes(0));
    assert_eq!(error(Geometry { sector_bytes: 1000, ..GOOD }), GeometryError::SectorBytes(1000));
    let small = GeometryError::SectorTooSmall { sector_bytes: 256, least: 512 };
    assert_eq!(error(Geometry { sector_bytes: 256, ..GOOD }), small);
    let small = GeometryError::SectorTooSmall { sector_bytes: 1024, least: 2048 };
    assert_eq!(error(Geometry { word_bytes: 256, ..GOOD }), small);
    let large = Geometry { sector_bytes: 1 << 24, capacity_bytes: 1 << 28, ..GOOD };
    assert_eq!(error(large), GeometryError::SectorTooLarge(1 << 24));
    let part = GeometryError::PartSector { capacity_bytes: 8193, sector_bytes: 1024 };
    assert_eq!(error(Geometry { capacity_bytes: 8193, ..GOOD }), part);
    let few = 1024 * (MIN_SECTORS - 1);
    assert_eq!(
        error(Geometry { capacity_bytes: few, ..GOOD }),
        GeometryError::TooFewSectors(MIN_SECTORS - 1)
    );
    let many = Geometry { capacity_bytes: 512 << 16, sector_bytes: 512, ..GOOD };
    assert_eq!(error(many), GeometryError::TooManySectors(1 << 16));
    assert!(Layout::new(GOOD).is_ok());
    for (sector, word, page) in [(4096, 256, 256), (1024, 4, 64), (128 << 10, 8, 256), (4096, 1, 128)] {
        let geometry =
            Geometry { capacity_bytes: 4 * sector, sector_bytes: sector, word_bytes: word, erased: 0xFF };
        assert_eq!(Layout::new(geometry).map(|layout| layout.page_bytes()), Ok(page));
    }
}

#[test]
fn nothing_but_format_formats() {
    let blank = vec![0xFFu8; 8192];
    let mut bytes = blank.clone();
    let error = Journal::mount(RamFlash::new(&mut bytes, 1024, 4), Policy::Keep).err();
    assert_eq!(error, Some(JournalError::NotFormatted));
    assert_eq!(bytes, blank);

    Journal::format(RamFlash::new(&mut bytes, 1024, 4), Policy::Keep).expect("it fits");
    let formatted = bytes.clone();
    let error = Journal::mount(RamFlash::new(&mut bytes, 2048, 4), Policy::Keep).err();
    let other = JournalError::OtherGeometry { sectors: 8, sector_bytes: 1024, word_bytes: 4, page_bytes: 64 };
    assert_eq!(error, Some(other));
    let error = Journal::mount(RamFlash::new(&mut bytes, 1000, 4), Policy::Keep).err();
    assert_eq!(error, Some(JournalError::Geometry(GeometryError::SectorBytes(1000))));
    assert_eq!(bytes, formatted);
    assert_eq!(identify(&bytes).map(|geometry| geometry.sector_bytes), Some(1024));
    assert_eq!(identify(&bytes[1024..]), None);
}

#[test]
fn a_full_journal_says_so_and_changes_nothing() {
    let mut bytes = vec![0u8; 8192];
    let mut journal = Journal::format(RamFlash::new(&mut bytes, 1024, 4), Policy::Keep).expect("it fits");
    let mut appended = 0;
    let error = loop {
        match journal.append(0, 0..=0, &[7; 200]) {
            Ok(sequence) => {
                assert_eq!(sequence, appended);
                appended += 1;
            }
            Err(error) => break error,
        }
    };
    assert_eq!(error, JournalError::Full { sectors: 8 });
    // 15 pages of data a sector, 5 a record, the first sector's mark; one sector is kept for a recovery.
    assert_eq!(appended, 2 + 6 * 3);
    assert_eq!(journal.append(0, 0..=0, &[7; 200]), Err(error));
    let most = journal.layout().max_record_bytes();
    let long = vec![0; most + 1];
    assert_eq!(journal.append(0, 0..=0, &long), Err(JournalError::TooLong { len: most + 1, most }));
    let range = core::ops::RangeInclusive::new(2, 1);
    assert_eq!(journal.append(0, range, &[]), Err(JournalError::TimeRange { first: 2, last: 1 }));

    // What is discarded makes room, a sector at a time.
    journal.discard(1).expect("a mark fits");
    assert_eq!(journal.append(0, 0..=0, &[7; 200]), Ok(appended));
    let mut buffer = [0; 200];
    let mut records = journal.iterate(From::Sequence(0));
    for sequence in 2..=appended {
        let record = records.next(&mut buffer).expect("it reads").expect("it is there");
        assert_eq!((record.sequence, record.bytes), (sequence, &[7; 200][..]));
    }
    assert_eq!(records.next(&mut buffer), Ok(None));
}

#[test]
fn a_clock_that_goes_back_begins_an_epoch() {
    let mut bytes = vec![0u8; 32 * 1024];
    let mut journal = Journal::format(RamFlash::new(&mut bytes, 1024, 4), Policy::Keep).expect("it fits");
    let times = [(10, 20), (20, 30), (5, 8), (8, 40), (i64::MIN, i64::MIN), (i64::MAX, i64::MAX), (0, 1)];
    let epochs = [0, 0, 1, 1, 2, 2, 3];
    for (first, last) in times {
        journal.append(0, first..=last, &[]).expect("there is room");
        journal = Journal::mount(journal.into_flash(), Policy::Keep).expect("it is there");
        journal = Journal::mount(journal.into_flash(), Policy::Keep).expect("it is there");
    }
    let mut records = journal.iterate(From::Sequence(0));
    for ((first, last), epoch) in times.into_iter().zip(epochs) {
        let record = records.next(&mut []).expect("it reads").expect("it is there");
        assert_eq!((record.first, record.last, record.epoch), (first, last, epoch));
    }
    assert_eq!(records.next(&mut []), Ok(None));
}

#[test]
#[cfg_attr(miri, ignore = "thousands of records: hours under the interpreter")]
fn seeking_gives_what_filtering_gives() {
    for seed in 0..20 {
        let flash = SimFlash::new(12, 1024, 4, 0xFF, seed);
        let mut bench = Bench::format(flash, Policy::Overwrite, seed);
        for _ in 0..200 {
            assert!(bench.append());
        }
        bench.check();
        let all = bench.read();
        let (least, most) = (all[0].sequence, all[all.len() - 1].sequence);
        for from in least.saturating_sub(2)..=most + 2 {
            let wanted: Vec<_> = all.iter().filter(|kept| kept.sequence >= from).cloned().collect();
            assert_eq!(read(bench.journal(), From::Sequence(from)), wanted);
        }
        let latest = all.iter().map(|kept| kept.last).max().expect("some");
        for from in (all[0].first - 3..latest + 3).step_by(5) {
            let wanted: Vec<_> = all.iter().filter(|kept| kept.last >= from).cloned().collect();
            assert_eq!(read(bench.journal(), From::Time(from)), wanted, "from time {from}");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "thousands of records: hours under the interpreter")]
fn a_mount_reads_a_bounded_number_of_pages() {
    for (sectors, sector_bytes, word) in [(8, 1024, 4), (64, 4096, 256), (4, 128 << 10, 8)] {
        let mut bench =
            Bench::format(SimFlash::new(sectors, sector_bytes, word, 0xFF, 1), Policy::Overwrite, 1);
        let pages = u64::from(bench.journal().layout().pages());
        for _ in 0..300 {
            assert!(bench.append_of(200));
            let mut flash = bench.journal.take().expect("it is mounted").into_flash();
            let before = flash.reads.get();
            flash = Journal::inspect(flash, Policy::Overwrite).expect("it is there").into_flash();
            let found = flash.reads.get() - before;
            assert!(found <= 2 * u64::from(sectors) + pages + 4, "{found} reads to find {sectors} sectors");
            let (before, erased) = (flash.reads.get(), flash.erases.iter().sum::<u32>());
            let (programs, journal) = (flash.programs.get(), Journal::mount(flash, Policy::Overwrite));
            let flash = journal.expect("it is there").into_flash();
            let all = flash.reads.get() - before;
            // The recovery reads the head and the sector before again, proves one erased, and reads four pages back.
            assert!(all <= 4 * u64::from(sectors) + 4 * pages + 12, "{all} reads to mount {sectors} sectors");
            assert!(flash.erases.iter().sum::<u32>() - erased <= 1 && flash.programs.get() - programs <= 4);
            let (before, programs) = (flash.reads.get(), flash.programs.get());
            let flash = Journal::mount(flash, Policy::Overwrite).expect("it is there").into_flash();
            let again = flash.reads.get() - before;
            assert!(again <= 3 * u64::from(sectors) + pages + 4, "{again} reads to mount once more");
            assert_eq!(flash.programs.get(), programs, "nothing to do");
            bench.flash = Some(flash);
            bench.mount().expect("it is there");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "thousands of records: hours under the interpreter")]
fn all_sectors_wear_alike() {
    for (policy, mounts) in [(Policy::Keep, false), (Policy::Overwrite, false), (Policy::Overwrite, true)] {
        let mut bench = Bench::format(SimFlash::new(9, 1024, 4, 0xFF, 5), policy, 5);
        for number in 0..3000 {
            assert!(bench.append_of(150));
            if mounts && number % 7 == 0 {
                bench.mount().expect("it is there");
            }
        }
        let turns = bench.journal().stats().turns;
        let flash = bench.journal.take().expect("it is mounted").into_flash();
        let (least, most) = (flash.erases.iter().min(), flash.erases.iter().max());
        let (Some(least), Some(most)) = (least, most) else { panic!("there are sectors") };
        assert!(most - least <= 1, "{:?}", flash.erases);
        assert!(*least > 50 && turns / 9 <= *most);
    }
}

#[test]
#[cfg_attr(miri, ignore = "thousands of records: hours under the interpreter")]
fn a_sector_that_fails_is_passed_over() {
    for seed in 0..40 {
        for policy in [Policy::Keep, Policy::Overwrite] {
            let mut dice = Dice(seed);
            let mut bench = Bench::format(SimFlash::new(8, 1024, 4, 0xFF, seed), policy, seed);
            for round in 0..60 {
                for _ in 0..dice.below(20) {
                    assert!(bench.append());
                }
                if round == 10 || round == 30 {
                    // Sectors wear out in use. What they hold stays readable.
                    let (one, other) = (dice.below(8) as usize, dice.below(8) as usize);
                    bench.bad = 8;
                    bench.with_flash(|flash| {
                        flash.bad_erase[one] = true;
                        flash.bad_program[other] = true;
                    });
                }
                bench.check();
            }
            assert!(bench.journal().stats().turns > 16, "it goes on");
        }
    }
}

#[test]
fn a_sector_that_reads_bad_costs_its_records_only() {
    for bad in 0..8usize {
        let mut bench = Bench::format(SimFlash::new(8, 1024, 4, 0xFF, 3), Policy::Keep, 3);
        while bench.kept.len() < 14 {
            assert!(bench.append_of(200));
        }
        let before = bench.kept.clone();
        let head = bench.journal().stats().turns;
        bench.with_flash(|flash| flash.bad_read[bad] = true);
        let there = bench.read();
        let lost: Vec<_> =
            before.iter().filter(|kept| there.iter().all(|found| found.sequence != kept.sequence)).collect();
        // Turns begin with 1 in sector 0.
        let turn = bad as u32 + 1;
        assert!(lost.iter().all(|kept| kept.turn == turn), "sector {bad} took others with it");
        let in_it = before.iter().filter(|kept| kept.turn == turn).count();
        // The newest record has a copy in the next sector.
        assert!(lost.len() >= in_it.saturating_sub(usize::from(turn == head)));
        // What is given from now on has new numbers.
        let newest = before[before.len() - 1].sequence;
        let next = bench.journal().append(0, 0..=0, b"on it goes").expect("there is room");
        assert!(next > newest || turn == head, "number {next} is given twice");
    }
}

/// A sector that cannot be read at one mount and can at the next: nothing of it is erased in between, nothing is lost.
#[test]
fn a_sector_that_reads_again_is_whole() {
    let (sectors, records) = if cfg!(miri) { (0..2, 6) } else { (0..8, 14) };
    for (bad, policy) in sectors.flat_map(|bad| [(bad, Policy::Keep), (bad, Policy::Overwrite)]) {
        let mut bench = Bench::format(SimFlash::new(12, 1024, 4, 0xFF, 3), policy, 3);
        while bench.kept.len() < records {
            assert!(bench.append_of(200));
        }
        let before = bench.kept.clone();
        bench.with_flash(|flash| flash.bad_read[bad] = true);
        let new = bench.journal().append(0, 0..=0, b"meanwhile").expect("there is room");
        bench.with_flash(|flash| flash.bad_read[bad] = false);
        let there = bench.read();
        let numbers: Vec<u32> = before.iter().map(|kept| kept.sequence).chain([new]).collect();
        let found: Vec<u32> = there.iter().map(|kept| kept.sequence).collect();
        assert_eq!(found, numbers, "sector {bad}");
        // From the middle, too; and what is discarded takes no more with it.
        for from in numbers.iter().copied() {
            let wanted = numbers.iter().filter(|number| **number >= from).count();
            assert_eq!(
                read(bench.journal(), From::Sequence(from)).len(),
                wanted,
                "from {from}, sector {bad}"
            );
        }
        for (at, number) in numbers.iter().enumerate().take(numbers.len() - 1) {
            bench.journal().discard(*number).expect("there is room");
            assert_eq!(
                read(bench.journal(), From::Sequence(0)).len(),
                numbers.len() - 1 - at,
                "sector {bad}"
            );
        }
    }
}

#[test]
fn a_broken_device_is_an_error() {
    let mut bench = Bench::format(SimFlash::new(8, 1024, 4, 0xFF, 3), Policy::Overwrite, 3);
    assert!(bench.append_of(10));
    let mut flash = bench.journal.take().expect("it is mounted").into_flash();
    flash.bad_read.fill(true);
    let error = Journal::mount(flash.clone(), Policy::Overwrite).err();
    assert!(matches!(error, Some(JournalError::Device { operation: "read", offset: 0, .. })), "{error:?}");
    flash.bad_read.fill(false);
    flash.bad_erase.fill(true);
    flash.bad_program.fill(true);
    let mut journal = Journal::mount(flash, Policy::Overwrite).expect("it reads");
    assert!(journal.stats().unsettled && journal.stats().retired == 0, "it is the device, not each sector");
    assert_eq!(read(&mut journal, From::Sequence(0)).len(), 1);
    assert!(matches!(journal.append(0, 0..=0, &[]), Err(JournalError::NoUsableSector { .. })));
}

#[test]
fn formatting_over_a_sector_that_does_not_erase_begins_anew() {
    let mut bench = Bench::format(SimFlash::new(5, 1024, 4, 0xFF, 3), Policy::Overwrite, 3);
    for _ in 0..if cfg!(miri) { 10 } else { 100 } {
        assert!(bench.append_of(100));
    }
    let mut flash = bench.journal.take().expect("it is mounted").into_flash();
    flash.bad_erase[2] = true;
    let mut journal = Journal::format(flash, Policy::Overwrite).expect("four sectors are left");
    assert_eq!(read(&mut journal, From::Sequence(0)), []);
    journal.append(0, 0..=0, b"new").expect("there is room");
    let mut journal = Journal::mount(journal.into_flash(), Policy::Overwrite).expect("it is there");
    assert_eq!(read(&mut journal, From::Sequence(0)).len(), 1);
}

#[test]
fn the_state_is_bounded_and_the_flash_is_given_back() {
    assert!(size_of::<Journal<()>>() <= STATE_BYTES);
    let mut bytes = vec![0u8; 8192];
    let journal = Journal::format(RamFlash::new(&mut bytes, 1024, 4), Policy::Keep).expect("it fits");
    assert_eq!(journal.into_flash().geometry(), GOOD);
}
