//! Promise: whatever is wrong is said in one line, with the numbers that tell a user what to change.

use plimsoll_core::budget::Exhausted;
use plimsoll_core::bytes::PastEnd;
use plimsoll_core::journal::{GeometryError, JournalError, RamFlashError};
use plimsoll_core::measure::TapError;
use plimsoll_core::pipeline::{RunError, StageError};
use plimsoll_core::series::{Damage, Lost, MAX_BLOCK_BYTES, Misuse, Unsealed};
use plimsoll_core::shape::SampleKind;
use std::error::Error;

fn say(errors: &[(&dyn Error, &str)]) {
    for (error, words) in errors {
        assert_eq!(error.to_string(), *words, "{error:?}");
        assert_eq!(words.lines().count(), 1, "{words}");
    }
}

#[test]
fn of_series_and_their_blocks() {
    say(&[
        (&Misuse::Columns { columns: 9, room: 99 }, "a series of 9 columns: there can be 1 to 8"),
        (&Misuse::Columns { columns: 3, room: 2 }, "a series of 3 columns: there can be 1 to 2"),
        (&Misuse::BlockPoints(65537), "blocks of 65537 points: they can have 1 to 65536"),
        (&Misuse::Tolerance(-1.5), "tolerance -1.5: it must be finite and above 0, a relative one below 1"),
        (&Misuse::Digits(18), "18 digits after the point: there can be 0 to 17"),
        (&Misuse::Kind { column: 2 }, "column 2 is of a kind that this coding does not have"),
        (
            &Misuse::Buffer { bytes: 9, needed: 140 },
            "a block buffer of 9 bytes: one point may need 140 bytes",
        ),
        (&Misuse::Values { values: 2, columns: 3 }, "a point of 2 values in a series of 3 columns"),
        (&Unsealed::Empty, "there is no block to end: no point was pushed"),
        (
            &Unsealed::Overrun { points: 7 },
            "7 points took more room than was reserved for them, and are lost",
        ),
        (&Damage::NoSync, "no block starts here: the sync mark is missing"),
        (&Damage::Truncated { bytes: 5, needed: 40 }, "the block ends after 5 bytes, it needs 40"),
        (
            &Damage::Unsupported { version: 0x2f },
            "block of version and coding 0x2f, which this decoder does not know",
        ),
        (
            &Damage::Checksum { stated: 0xabcd, found: 0x12345678 },
            "damaged block: its check sum is 0x12345678, it states 0x0000abcd",
        ),
        (&Damage::Content { point: 11 }, "point 11 of the block is not what an encoder writes"),
        (
            &Damage::Columns { columns: 5, room: 2 },
            "the block has 5 columns or kinds of them that do not fit a decoder of 2",
        ),
        (
            &Lost { offset: 100, bytes: 7, damage: Damage::NoSync },
            "7 bytes from byte 100 on hold no sound block: no block starts here: the sync mark is missing",
        ),
    ]);
    let header = Damage::Header { offset: 4 }.to_string();
    assert_eq!(
        header,
        format!("damaged block header at byte 4 (blocks have at most {MAX_BLOCK_BYTES} bytes)")
    );
}

#[test]
fn of_journals_and_their_flash() {
    type Failed = JournalError<&'static str>;
    say(&[
        (&GeometryError::WordBytes(3), "a program size of 3 bytes is no power of two from 1 to 256"),
        (&GeometryError::Erased(0x7f), "an erased value of 0x7F is neither 0xFF nor 0x00"),
        (&GeometryError::SectorBytes(1000), "an erase size of 1000 bytes is no power of two"),
        (
            &GeometryError::SectorTooSmall { sector_bytes: 64, least: 256 },
            "an erase size of 64 bytes is too small: 256 at least",
        ),
        (
            &GeometryError::SectorTooLarge(1 << 30),
            "an erase size of 1073741824 bytes is more than 65535 pages",
        ),
        (
            &GeometryError::PartSector { capacity_bytes: 5000, sector_bytes: 4096 },
            "a capacity of 5000 bytes is no whole number of sectors of 4096 bytes",
        ),
        (&GeometryError::TooFewSectors(1), "1 sectors are too few: 3 at least"),
        (&GeometryError::TooManySectors(65535), "65535 sectors are too many: 65534 at most"),
        (&Failed::Geometry(GeometryError::TooFewSectors(1)), "1 sectors are too few: 3 at least"),
        (&Failed::NotFormatted, "there is no journal here; format makes one"),
        (
            &Failed::OtherGeometry { sectors: 8, sector_bytes: 4096, word_bytes: 4, page_bytes: 64 },
            "the journal here has 8 sectors of 4096 bytes, words of 4 and pages of 64: other sizes than this flash",
        ),
        (&Failed::Version(b'9'), "the journal here has format version 9, which is not known"),
        (&Failed::Full { sectors: 8 }, "all 8 sectors are in use and nothing is discarded"),
        (&Failed::NoUsableSector { tried: 3 }, "none of 3 free sectors could be erased and programmed"),
        (&Failed::TooLong { len: 5000, most: 4000 }, "a record of 5000 bytes, where 4000 are the most"),
        (&Failed::TimeRange { first: 5, last: -5 }, "a record from time 5 to -5, which is before"),
        (&Failed::Buffer { needed: 99, given: 9 }, "a record of 99 bytes does not fit a buffer of 9"),
        (&Failed::UsedUp, "all sequence numbers are used up"),
        (
            &Failed::Device { operation: "erase", offset: 4096, error: "worn" },
            "the flash failed to erase at offset 4096: \"worn\"",
        ),
        (
            &RamFlashError::PastEnd { offset: 90, wanted: 20, len: 100 },
            "20 bytes wanted at offset 90, but the flash has 100",
        ),
        (
            &RamFlashError::Unaligned { offset: 3, wanted: 2 },
            "2 bytes at offset 3 are not whole words or sectors",
        ),
        (&RamFlashError::NotErased { offset: 7 }, "the byte at offset 7 was not erased"),
    ]);
}

#[test]
fn of_stages_and_runs() {
    let exhausted = Exhausted { consumer: "row", requested: 5, available: 0 };
    let kind = StageError::Kind { stage: "median", kind: SampleKind::F64 };
    let past = PastEnd { offset: 1, wanted: 2, len: 3 };
    type Failed = RunError<PastEnd, StageError>;
    say(&[
        (&kind, "median does not work on samples of kind f64"),
        (
            &StageError::Bands { stage: "gray", bands: 2, needed: "3" },
            "gray needs 3 band(s), the image has 2",
        ),
        (
            &StageError::Geometry { stage: "crop", problem: "beyond the image", wanted: 9, there: 5 },
            "crop: beyond the image: 9 asked for, 5 there",
        ),
        (
            &StageError::Setting { stage: "blur", setting: "SIGMA", needed: "above 0" },
            "blur: SIGMA must be above 0",
        ),
        (&StageError::Unknown, "no stage has this name"),
        (&StageError::TooLong { most: 16 }, "a chain may have at most 16 stages"),
        (&StageError::from(exhausted), "budget exhausted: row asked for 5 bytes, 0 are free"),
        // Whoever passes an error on adds nothing: its owner has said it.
        (&Failed::Budget(exhausted), "budget exhausted: row asked for 5 bytes, 0 are free"),
        (&Failed::Stage(kind), "median does not work on samples of kind f64"),
        (&Failed::Sink(StageError::Unknown), "no stage has this name"),
    ]);
    assert_eq!(Failed::Source(past).to_string(), past.to_string());
    assert_eq!(TapError::<_, StageError>::Source(past).to_string(), past.to_string());
    assert_eq!(TapError::<PastEnd, _>::Sink(kind).to_string(), kind.to_string());
}
