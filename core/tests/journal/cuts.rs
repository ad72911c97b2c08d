//! Power cuts: at every byte of every program and erase on small flashes, with a second cut in the recovery; and at
//! random on larger ones. `tests/journal_cuts.sh` runs a million.

use crate::flash::{CUTS, Cut, Dice, SimFlash};
use crate::model::Bench;
use plimsoll_core::journal::Policy;

/// Sectors, bytes a sector, bytes a word, erased value.
type Size = (u32, u32, u32, u8);

fn flash((sectors, sector_bytes, word_bytes, erased): Size, seed: u64) -> SimFlash {
    SimFlash::new(sectors, sector_bytes, word_bytes, erased, seed)
}

/// A life of a few mounts with appends and discards, and where it is cut.
fn story(bench: &mut Bench, lens: &[usize]) {
    for (number, len) in lens.iter().enumerate() {
        if !bench.append_of(*len) || (number % 5 == 4 && !bench.discard_some()) {
            return;
        }
    }
}

/// Cuts `story` after every byte, and the recovery after every `stride`-th byte of it (0: not at all).
fn every_byte(size: Size, policy: Policy, lens: &[usize], cut: Cut, ecc: bool, stride: usize) -> u64 {
    let mut start = Bench::format(flash(size, 7), policy, 11);
    // Some history, so that the ring has been round.
    (0..size.0 * 4).for_each(|_| assert!(start.append_of(100)));
    start.with_flash(|flash| flash.ecc = ecc);
    start.check();
    let whole = start.fork().cut_in(None, cut, |bench| story(bench, lens));
    let mut cuts = 0;
    for after in 0..whole {
        let mut once = start.fork();
        once.with_flash(|flash| flash.dice = Dice(after));
        once.cut_in(Some(after), cut, |bench| story(bench, lens));
        let mut bench = once.fork();
        let recovery = bench.cut_in(None, cut, |_| {});
        bench.check();
        assert!(bench.append_of(50), "it goes on");
        bench.check();
        cuts += 1;
        for second in (0..recovery).step_by(stride.max(1)).filter(|_| stride > 0) {
            let mut bench = once.fork();
            bench.cut_in(Some(second), cut, |_| {});
            bench.check();
            cuts += 1;
        }
    }
    cuts
}

const SMALL: [(Size, [usize; 9]); 3] = [
    // The smallest there is.
    ((3, 512, 4, 0xFF), [0, 20, 100, 200, 30, 300, 10, 60, 20]),
    ((4, 1024, 4, 0xFF), [700, 20, 100, 200, 300, 10, 60, 20, 0]),
    ((4, 1024, 8, 0x00), [10, 20, 600, 200, 0, 10, 60, 20, 300]),
];

#[test]
#[cfg_attr(miri, ignore = "a cut after every byte: hours under the interpreter")]
fn a_cut_after_any_byte_loses_nothing() {
    let mut cuts = 0;
    for (at, (size, lens)) in SMALL.into_iter().enumerate() {
        for (way, cut) in CUTS.into_iter().enumerate() {
            let policy = if (at + way) % 2 == 0 { Policy::Keep } else { Policy::Overwrite };
            cuts += every_byte(size, policy, &lens[..4], cut, way == 3, 0);
        }
    }
    println!("{cuts} cuts");
}

#[test]
#[cfg_attr(miri, ignore = "a cut after every byte: hours under the interpreter")]
fn a_second_cut_in_the_recovery_loses_nothing() {
    let (size, lens) = SMALL[0];
    let mut cuts = 0;
    for cut in [Cut::WeakWord, Cut::Scattered] {
        cuts += every_byte(size, Policy::Keep, &lens[1..3], cut, false, 61);
    }
    println!("{cuts} cuts");
}

/// Every cut of the recovery after every cut of this kind: a test of its own for each, because each takes a minute.
macro_rules! every_second_cut {
    ($($name:ident: $cut:ident $policy:ident $ecc:literal;)*) => {$(
        #[test]
        #[ignore = "minutes: tests/journal_cuts.sh runs it"]
        fn $name() {
            let (size, lens) = SMALL[0];
            println!("{} cuts", every_byte(size, Policy::$policy, &lens[1..3], Cut::$cut, $ecc, 1));
        }
    )*};
}
every_second_cut! {
    every_second_cut_after_every_clean_one_keeping: Clean Keep false;
    every_second_cut_after_every_clean_one_overwriting: Clean Overwrite false;
    every_second_cut_after_every_torn_one_keeping: Torn Keep true;
    every_second_cut_after_every_torn_one_overwriting: Torn Overwrite true;
    every_second_cut_after_every_weak_word_keeping: WeakWord Keep false;
    every_second_cut_after_every_weak_word_overwriting: WeakWord Overwrite false;
    every_second_cut_after_every_weak_whole_keeping: WeakAll Keep false;
    every_second_cut_after_every_weak_whole_overwriting: WeakAll Overwrite false;
    every_second_cut_after_every_scattered_one_keeping: Scattered Keep false;
    every_second_cut_after_every_scattered_one_overwriting: Scattered Overwrite false;
}

/// The recovery of an acknowledged record is cut again and again: its copy is weak, or the erase of the copy's sector
/// is cut, and the next recovery sees it now so, now so. Whatever it sees, the original is still the one to ask.
#[test]
fn a_weak_copy_does_not_cost_the_original() {
    const SECTOR: u64 = 1024;
    // Bytes of the erase, the header and the copy of a recovery.
    let (header, copy) = (SECTOR + 64, SECTOR + 128);
    let size = (4, SECTOR as u32, 4, 0xFF);
    let seeds = if cfg!(miri) { 1..2 } else { 0..64 };
    for (ecc, seed) in [false, true].into_iter().flat_map(|ecc| seeds.clone().map(move |seed| (ecc, seed))) {
        let mut bench = Bench::format(flash(size, seed), Policy::Keep, seed);
        assert!(bench.append_of(20));
        bench.cut_in(Some(copy), Cut::Clean, |_| {});
        let mut flash = bench.flash.take().expect("it is cut");
        // The copy stands in sector 1, behind the header.
        flash.weaken(SECTOR as usize + 64 + 20, 1);
        flash.ecc = ecc;
        bench.flash = Some(flash);
        // The next recoveries end in their erase, in their header, or not.
        let mut dice = Dice(seed);
        for after in
            [dice.below(SECTOR), dice.below(header), dice.below(copy)].into_iter().take(seed as usize % 4)
        {
            bench.cut_in(Some(after), CUTS[dice.below(5) as usize], |_| {});
        }
        bench.check();
        assert_eq!(bench.kept.len(), 1, "the record is there");
    }
}

/// One flash that lives through many cuts, at random.
fn life(size: Size, policy: Policy, seed: u64, cuts: u64) {
    // Shown where a test fails: what repeats it.
    println!("{size:?}, {policy:?}, seed {seed:#x}, {cuts} cuts");
    let mut bench = Bench::format(flash(size, seed), policy, seed);
    let (mut dice, sector) = (Dice(!seed), u64::from(size.1));
    for _ in 0..cuts {
        let cut = CUTS[dice.below(5) as usize];
        let ecc = dice.one_in(4);
        bench.with_flash(|flash| flash.ecc = ecc);
        let reach = if dice.one_in(2) { 4 * sector } else { 600 };
        let after = dice.below(reach);
        let mut steps = Dice(dice.next());
        bench.cut_in(Some(after), cut, |bench| {
            // Bounded by the fuel.
            while if steps.one_in(6) { bench.discard_some() } else { bench.append() } {}
        });
        // The recovery is cut, too, and the recovery of that.
        while dice.one_in(2) {
            let (after, cut) = (dice.below(sector + 400), CUTS[dice.below(5) as usize]);
            bench.cut_in(Some(after), cut, |_| {});
        }
        bench.check();
    }
}

/// The three geometries of the issue, and what stands between; records of a ring are few, so that checks are quick.
const LARGE: [Size; 5] = [
    (8, 1024, 4, 0xFF),
    (6, 4096, 256, 0xFF),
    (5, 2048, 1, 0xFF),
    (16, 1024, 16, 0x00),
    (3, 128 * 1024, 8, 0xFF),
];

/// Cuts for each of them: as many as take about as long.
const SHARE: [u64; 5] = [400, 200, 300, 300, 1];

/// What these are multiplied by in `tests/journal_cuts.sh`: a million cuts in all.
const FULL: u64 = 850;

const _: () = {
    let [a, b, c, d, e] = SHARE;
    assert!((a + b + c + d + e) * FULL >= 1_000_000);
};

/// Lives on the flash with this number in [`LARGE`].
fn lives(at: usize, scale: u64) -> u64 {
    let (size, cuts) = (LARGE[at], (SHARE[at] * scale).div_ceil(8));
    for (policy, salt) in [(Policy::Keep, 1), (Policy::Overwrite, 2)] {
        for life_number in 0..4 {
            // A life takes a long way round the ring; several start afresh.
            let seed = u64::from(size.1) ^ u64::from(size.2) << 32 ^ salt << 48 ^ life_number << 52;
            life(size, policy, seed, cuts);
        }
    }
    8 * cuts
}

#[test]
#[cfg_attr(miri, ignore = "a cut after every byte: hours under the interpreter")]
fn lives_full_of_cuts_lose_nothing() {
    let cuts: u64 = (0..5).map(|at| lives(at, 1)).sum();
    println!("{cuts} cuts");
}

/// With its four neighbours, a million.
#[test]
#[ignore = "minutes: tests/journal_cuts.sh runs it"]
fn its_share_of_a_million_cuts_in_sectors_of_1_kib() {
    println!("{} cuts", lives(0, FULL));
}

#[test]
#[ignore = "minutes: tests/journal_cuts.sh runs it"]
fn its_share_of_a_million_cuts_in_pages_of_256_bytes() {
    println!("{} cuts", lives(1, FULL));
}

#[test]
#[ignore = "minutes: tests/journal_cuts.sh runs it"]
fn its_share_of_a_million_cuts_in_words_of_a_byte() {
    println!("{} cuts", lives(2, FULL));
}

#[test]
#[ignore = "minutes: tests/journal_cuts.sh runs it"]
fn its_share_of_a_million_cuts_in_words_of_16_bytes_erased_to_0() {
    println!("{} cuts", lives(3, FULL));
}

#[test]
#[ignore = "minutes: tests/journal_cuts.sh runs it"]
fn its_share_of_a_million_cuts_in_sectors_of_128_kib() {
    println!("{} cuts", lives(4, FULL));
}
