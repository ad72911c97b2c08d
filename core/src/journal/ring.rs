//! Sectors in their order: reading pages and headers, finding neighbours, making room, opening the next one.

use super::page::{Before, Body, Header, Parsed};
use super::{Flash, Journal, JournalError, NONE, Place, Policy};

/// How often a page that cannot be read is tried.
const READS: usize = 3;

/// What a page turned out to be.
pub(super) enum Seen {
    /// All of it reads erased.
    Erased,
    /// The device could not read it.
    Unreadable,
    /// Torn, weak or worn.
    Bad,
    /// Whole.
    Body(Body),
}

impl<F: Flash> Journal<F> {
    /// Reads a page into the state's. A read that fails may be noise on the bus: only the last of [`READS`] counts.
    fn read_page(&mut self, sector: u16, number: u16) -> Result<(), JournalError<F::Error>> {
        let offset = self.state.layout.offset(sector, number);
        let len = self.state.layout.page_bytes();
        let into = self.state.page.get_mut(..len).unwrap_or_default();
        let mut read = self.flash.read(offset, into);
        for _ in 1..READS {
            if read.is_ok() {
                break;
            }
            read = self.flash.read(offset, into);
        }
        read.map_err(|error| JournalError::Device { operation: "read", offset, error })
    }

    /// The page's bytes that were read or made last.
    pub(super) fn page(&self) -> &[u8] {
        self.state.page.get(..self.state.layout.page_bytes()).unwrap_or_default()
    }

    /// The state's page, erased.
    pub(super) fn blank(&mut self) -> &mut [u8] {
        let layout = self.state.layout;
        let page = self.state.page.get_mut(..layout.page_bytes()).unwrap_or_default();
        page.fill(layout.geometry().erased);
        page
    }

    fn is_erased(&self) -> bool {
        let erased = self.state.layout.geometry().erased;
        self.page().iter().all(|byte| *byte == erased)
    }

    /// Reads the page with this number of a sector.
    pub(super) fn see(&mut self, at: Place, number: u16) -> Seen {
        if self.read_page(at.sector, number).is_err() {
            return Seen::Unreadable;
        }
        if self.is_erased() {
            return Seen::Erased;
        }
        Body::parse(self.page(), at.turn, number).map_or(Seen::Bad, Seen::Body)
    }

    /// Reads a sector's first page.
    pub(super) fn parse_header(&mut self, sector: u16) -> Result<Parsed, JournalError<F::Error>> {
        self.read_page(sector, 0)?;
        Ok(Header::parse(self.page()))
    }

    /// Whether a header was written for this flash.
    pub(super) fn is_ours(&self, header: &Header) -> bool {
        let layout = self.state.layout;
        let geometry = layout.geometry();
        let log2 = |bytes: u32| bytes.checked_ilog2().map(u64::from);
        let page = u32::try_from(layout.page_bytes()).unwrap_or(0);
        log2(page) == Some(header.page_log2.into())
            && log2(geometry.word_bytes) == Some(header.word_log2.into())
            && log2(geometry.sector_bytes) == Some(header.sector_log2.into())
            && geometry.erased == header.erased
            && layout.sectors() == header.sectors
    }

    /// The header of a sector, if it is whole and stands where it says.
    pub(super) fn header(&mut self, sector: u16) -> Option<Header> {
        match self.parse_header(sector) {
            Ok(Parsed::Header(header)) if header.position == sector && self.is_ours(&header) => Some(header),
            _ => None,
        }
    }

    /// The next sector of the ring that holds records, up to the head, and its header.
    pub(super) fn live_after(&mut self, at: Place) -> Option<(Place, Header)> {
        let (layout, head) = (self.state.layout, self.state.head.at);
        let mut sector = at.sector;
        for _ in 0..layout.sectors() {
            if sector == head.sector {
                return None;
            }
            sector = layout.after(sector);
            if let Some(header) = self.header(sector)
                && (at.turn < header.turn && header.turn <= head.turn)
                && ((header.turn == head.turn) == (sector == head.sector))
            {
                return Some((Place { sector, turn: header.turn }, header));
            }
        }
        None
    }

    /// The sector of the ring before the head that was opened at this turn.
    pub(super) fn live_of(&mut self, turn: u32) -> Option<Place> {
        let (layout, head, tail) = (self.state.layout, self.state.head.at, self.state.tail);
        let mut sector = head.sector;
        while sector != tail.sector {
            sector = if sector == 0 { layout.sectors().saturating_sub(1) } else { sector - 1 };
            if self.header(sector).is_some_and(|header| header.turn == turn && turn < head.turn) {
                return Some(Place { sector, turn });
            }
        }
        None
    }

    /// Gives up the oldest sector. False if only the head is left.
    fn advance_tail(&mut self) -> bool {
        let (tail, head) = (self.state.tail, self.state.head.at);
        if tail == head {
            return false;
        }
        self.state.tail = self.live_after(tail).map_or(head, |(next, _)| next);
        true
    }

    /// Gives up every sector whose records are all discarded, but not the head.
    pub(super) fn reclaim(&mut self) {
        for _ in 0..self.state.layout.sectors() {
            match self.live_after(self.state.tail) {
                Some((next, header)) if header.above <= self.state.floor => self.state.tail = next,
                _ => return,
            }
        }
    }

    /// Gives up the oldest sector if no page of it that counts belongs to a record that is not discarded. Its header
    /// may not have told: a number that a cut took away is a number still. Reads the sector.
    fn reclaim_empty(&mut self) -> bool {
        let at = self.state.tail;
        let Some((next, header)) = self.live_after(at) else { return false };
        let pages = self.state.layout.pages();
        let before = if next == self.state.head.at { self.state.head.before } else { header.before };
        let end = if before.turn == at.turn { before.end.min(pages) } else { pages };
        for number in 1..end {
            match self.see(at, number) {
                Seen::Erased => break,
                Seen::Body(Body::Mark(_)) => {}
                Seen::Body(Body::Data(data)) if data.sequence < self.state.floor => {}
                // A record, or what may have been one: that is for the caller to discard.
                _ => return false,
            }
        }
        self.state.tail = next;
        true
    }

    /// Steps from the head to the oldest sector around the ring: every sector between them is free.
    fn to_tail(&self) -> u16 {
        let layout = self.state.layout;
        match layout.steps(self.state.head.at.sector, self.state.tail.sector) {
            0 => layout.sectors(),
            steps => steps,
        }
    }

    /// The sector so many steps behind the head.
    fn behind_head(&self, steps: u16) -> u16 {
        let sector = u32::from(self.state.head.at.sector) + u32::from(steps);
        let sectors = u32::from(self.state.layout.sectors());
        u16::try_from(if sector >= sectors { sector - sectors } else { sector }).unwrap_or(0)
    }

    pub(super) fn is_retired(&self, sector: u16) -> bool {
        self.state.retired.contains(&sector)
    }

    /// Sectors that could be opened now.
    fn free(&self) -> u16 {
        self.free_from(1)
    }

    /// The same, of those so many steps behind the head or more.
    fn free_from(&self, steps: u16) -> u16 {
        let usable = (steps..self.to_tail()).filter(|steps| !self.is_retired(self.behind_head(*steps)));
        u16::try_from(usable.count()).unwrap_or(u16::MAX)
    }

    /// Never uses the sector again, as long as it is remembered.
    pub(super) fn retire(&mut self, sector: u16) {
        if !self.is_retired(sector) {
            self.state.retired.rotate_right(1);
            if let Some(newest) = self.state.retired.first_mut() {
                *newest = sector;
            }
        }
    }

    /// Sees to it that more than `reserve` sectors are free. Under [`Policy::Overwrite`] the oldest sectors are given
    /// up until it is so, or until only the head is left.
    pub(super) fn make_room(&mut self, reserve: u16) -> bool {
        for _ in 0..self.state.layout.sectors() {
            if self.free() > reserve {
                return true;
            }
            let more = match self.state.policy {
                Policy::Overwrite => self.advance_tail(),
                Policy::Keep => self.reclaim_empty(),
            };
            if !more {
                return false;
            }
        }
        false
    }

    /// Opens the next sector that works, as the new head. More than `reserve` sectors must be free, see
    /// [`Journal::make_room`]; if the policy is to overwrite and only the head is left, one is enough.
    pub(super) fn open_next(&mut self, reserve: u16, before: Before) -> Result<(), JournalError<F::Error>> {
        let mut turn = self.state.head.at.turn;
        let sectors = self.state.layout.sectors();
        // If all fail it is the device that failed, not each of them.
        let remembered = self.state.retired;
        let (mut steps, mut tried) = (1, 0);
        for _ in 0..sectors.saturating_mul(2) {
            let enough =
                self.make_room(reserve) || (self.state.policy == Policy::Overwrite && self.free() > 0);
            if !enough {
                break;
            }
            if steps >= self.to_tail() {
                break;
            }
            let sector = self.behind_head(steps);
            steps += 1;
            if self.is_retired(sector) {
                continue;
            }
            tried += 1;
            // A turn of its own for each: a sector that fails may still show its header.
            turn = turn.checked_add(1).ok_or(JournalError::UsedUp)?;
            let at = Place { sector, turn };
            if self.parse_header(sector).is_err() {
                // A cut may have left it so; or it is newer than what was taken for the head, and only the device's
                // mood hides it. So one is passed over, if another is free, and is in the ring when it can be read
                // again. No more than one: cuts in a row shall not eat up the ring.
                if tried == 1 && self.free_from(steps) > reserve {
                    continue;
                }
                // If not, its pages tell, unless they cannot be read either.
                if self.scan(at, u16::MAX, false).own {
                    self.retire(sector);
                    continue;
                }
            }
            if self.prepare(at, before) {
                return Ok(());
            }
            self.retire(sector);
        }
        if tried == 0 {
            return Err(JournalError::Full { sectors });
        }
        self.state.retired = remembered;
        Err(JournalError::NoUsableSector { tried })
    }

    /// Erases a sector that holds nothing, makes sure, and writes its header. It is the head then.
    ///
    /// An erase that reads erased may still have been cut short by an earlier power cut and be weak: so every sector
    /// is erased anew before its first page is programmed.
    pub(super) fn prepare(&mut self, at: Place, before: Before) -> bool {
        let layout = self.state.layout;
        let geometry = layout.geometry();
        if self.flash.erase(layout.offset(at.sector, 0)).is_err() {
            return false;
        }
        let clean =
            (0..layout.pages()).all(|number| self.read_page(at.sector, number).is_ok() && self.is_erased());
        if !clean {
            return false;
        }
        let log2 = |bytes: u32| u8::try_from(bytes.checked_ilog2().unwrap_or(0)).unwrap_or(0);
        let header = Header {
            page_log2: log2(u32::try_from(layout.page_bytes()).unwrap_or(0)),
            word_log2: log2(geometry.word_bytes),
            sector_log2: log2(geometry.sector_bytes),
            erased: geometry.erased,
            sectors: layout.sectors(),
            position: at.sector,
            turn: at.turn,
            oldest: self.state.tail.turn,
            before,
            above: self.state.above,
            floor: self.state.floor,
            epoch: self.state.epoch,
            recoveries: self.state.recoveries,
            last_time: self.state.last_time,
            retired: self.state.retired,
        };
        header.encode(self.blank());
        if !self.program(at.sector, 0) {
            return false;
        }
        self.state.head = super::Head { at, end: 1, fresh: true, before };
        true
    }

    /// Programs the state's page and reads it back. False if it is not there.
    pub(super) fn program(&mut self, sector: u16, number: u16) -> bool {
        let offset = self.state.layout.offset(sector, number);
        let len = self.state.layout.page_bytes();
        let page = self.state.page.get(..len).unwrap_or_default();
        let check = self.state.check.get_mut(..len).unwrap_or_default();
        self.flash.program(offset, page).is_ok() && self.flash.read(offset, check).is_ok() && page == check
    }

    /// Remembers no sector.
    pub(super) const fn none_retired() -> [u16; super::RETIRED] {
        [NONE; super::RETIRED]
    }
}
