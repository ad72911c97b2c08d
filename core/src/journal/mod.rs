//! A journal on flash that survives a power cut at any instant.
//!
//! ```text
//!  append(kind, times, bytes) --> pages --> Flash: program, read back        discard(sequence) --> a mark
//!                                              |
//!  ring of sectors   [ reclaimed ][ oldest ][ ... ][ head ][ free ]          mount: headers, then the head's pages
//! ```
//!
//! A [`Journal`] keeps records (a sealed series block, or any bytes) in order on a ring of flash sectors. What
//! [`Journal::append`] has acknowledged is there after any later power cut, in order and whole; nothing else is, but
//! for at most one record whose append was under way when the power went, or that ended in an error. Only sectors
//! whose records are discarded (or are the oldest, under [`Policy::Overwrite`]) are ever erased, and all in turn, so
//! that wear is even. Nothing formats a flash but [`Journal::format`].
//!
//! A cut may leave bits that read either way, and a page that reads erased may hold some. So nothing is programmed that
//! this mount has not erased, and the first write after each mount opens a sector: give the ring as many sectors as
//! the starts that it should remember, and a few. A mount with nothing to recover, and no write after it, costs none.
//!
//! The bytes on the flash, and why a cut loses nothing, are described in `FORMAT.md` beside this file.
//!
//! ```
//! use plimsoll_core::journal::{From, Journal, Policy, RamFlash};
//! let mut bytes = [0u8; 8192];
//! let mut journal = Journal::format(RamFlash::new(&mut bytes, 1024, 4), Policy::Keep).expect("it fits");
//! let sequence = journal.append(1, 1000..=1999, b"a sealed block").expect("there is room");
//!
//! // The power goes and comes back.
//! let mut journal = Journal::mount(journal.into_flash(), Policy::Keep).expect("it is there");
//! let mut buffer = [0u8; 64];
//! let mut records = journal.iterate(From::Sequence(0));
//! let record = records.next(&mut buffer).expect("it reads").expect("one");
//! assert_eq!((record.sequence, record.bytes), (sequence, &b"a sealed block"[..]));
//! assert!(records.next(&mut buffer).expect("it reads").is_none());
//! ```

mod crc;
#[cfg(feature = "embedded-storage")]
mod embedded;
mod error;
mod flash;
mod identify;
mod layout;
mod mount;
mod page;
mod ram;
mod read;
mod ring;
mod settle;
mod write;

#[cfg(feature = "embedded-storage")]
pub use embedded::Nor;
pub use error::JournalError;
pub use flash::{Flash, Geometry};
pub use identify::{HEADER_BYTES, identify};
pub use layout::{GeometryError, Layout};
pub use ram::{RamFlash, RamFlashError};
pub use read::Records;

use page::{Before, Page};

/// The largest page, and so the largest program size, in bytes.
pub const MAX_PAGE: usize = 256;
/// The fewest sectors: one to write, one to read, one to spare.
pub const MIN_SECTORS: u32 = 3;
/// What every page of a record costs beside its bytes, and what its first page costs more.
pub const PAGE_BYTES: usize = 12;
/// See [`PAGE_BYTES`].
pub const FIRST_BYTES: usize = 28;
/// Everything that a [`Journal`] holds in memory beside the flash's driver, in bytes, on any target.
pub const STATE_BYTES: usize = 672;
/// Sectors that failed and are remembered; one more is still found out, each time the ring comes by.
const RETIRED: usize = 5;
/// No sector.
const NONE: u16 = 0xFFFF;

const _: () = assert!(size_of::<State>() <= STATE_BYTES, "the state keeps its bound");

/// What to do when every sector holds records that nobody has discarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Policy {
    /// Refuse to append.
    Keep,
    /// Give up the oldest sector's records.
    Overwrite,
}

/// Where [`Journal::iterate`] begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum From {
    /// At this sequence number, or the first one after it.
    Sequence(u32),
    /// Gives only records, of any epoch, whose last time is this or later.
    Time(i64),
}

/// A record, as it was appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Record<'b> {
    /// Its number. Grows from record to record; a power cut or an error may leave some numbers out.
    pub sequence: u32,
    /// Grows whenever the clock went back: within one epoch no record begins before the one ahead of it ends.
    pub epoch: u32,
    /// What its bytes are, in the caller's numbering.
    pub kind: u8,
    /// First time in it.
    pub first: i64,
    /// Last time in it.
    pub last: i64,
    /// Its bytes.
    pub bytes: &'b [u8],
}

/// How full and how worn a journal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stats {
    /// Sectors of the flash.
    pub sectors: u16,
    /// Sectors between the oldest record and the newest, both ends included.
    pub live: u16,
    /// Sectors that failed and are remembered as such.
    pub retired: u16,
    /// Pages of the newest sector that are still free.
    pub free_pages: u16,
    /// The sequence number of the next record.
    pub next: u32,
    /// Records with lower numbers are discarded.
    pub floor: u32,
    /// How often the clock has gone back.
    pub epoch: u32,
    /// Sectors opened since the flash was formatted: `turns / sectors` is how often each was erased.
    pub turns: u32,
    /// Mounts that found the power cut while something was under way, or could not tell.
    pub recoveries: u32,
    /// Whether a recovery is still due, because no sector was free for it.
    pub unsettled: bool,
}

/// An append-only ring of records on a flash. See the [module](self).
#[derive(Debug)]
pub struct Journal<F> {
    flash: F,
    state: State,
}

/// All that is known without reading the flash.
#[derive(Debug)]
struct State {
    layout: Layout,
    policy: Policy,
    head: Head,
    tail: Place,
    /// The next record's number; numbers from `above` up to it were never given.
    next: u32,
    above: u32,
    /// Records below are discarded; below `marked` for good.
    floor: u32,
    marked: u32,
    epoch: u32,
    last_time: i64,
    recoveries: u32,
    retired: [u16; RETIRED],
    /// Nothing on the flash is weak or undecided.
    settled: bool,
    /// The page being made or read.
    page: Page,
    /// The same, read back.
    check: Page,
}

/// A sector of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    sector: u16,
    turn: u32,
}

/// The newest sector.
#[derive(Clone, Copy, Debug)]
struct Head {
    at: Place,
    /// The page behind the last that counts.
    end: u16,
    /// Whether the pages from `end` on were erased by this mount and not touched since. If not they may be weak,
    /// whatever they read, and nothing is ever programmed there.
    fresh: bool,
    before: Before,
}

impl<F: Flash> Journal<F> {
    /// What it keeps to.
    pub const fn layout(&self) -> Layout {
        self.state.layout
    }

    /// How full and how worn it is. Reads nothing.
    pub fn stats(&self) -> Stats {
        let State { layout, head, tail, next, floor, epoch, recoveries, retired, settled, .. } = self.state;
        Stats {
            sectors: layout.sectors(),
            live: layout.steps(tail.sector, head.at.sector).saturating_add(1),
            retired: retired.iter().fold(0, |sum, sector| sum + u16::from(*sector != NONE)),
            free_pages: if head.fresh { layout.pages().saturating_sub(head.end) } else { 0 },
            next,
            floor,
            epoch,
            turns: head.at.turn,
            recoveries,
            unsettled: !settled,
        }
    }

    /// Gives the flash back. Everything acknowledged is on it.
    pub fn into_flash(self) -> F {
        self.flash
    }
}
