//! From bytes to state: formatting, mounting, and what a sector's pages tell.
//!
//! Every page but the last one touched is programmed for good, because a page is programmed only after the one
//! before. So a scan ends at the first page that reads erased, and only what comes last can be weak.

use super::page::{self, Before, Body, Header, Parsed};
use super::ring::Seen;
use super::{Flash, Head, Journal, JournalError, Layout, MAX_PAGE, Place, Policy, State};

/// What the pages of one sector say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan {
    /// The last whole page and the record that it ends, if it ends one: it may be weak. What is before is not.
    pub(super) weak: Option<(u16, u32)>,
    /// The page behind the last record's or mark's end.
    pub(super) end: u16,
    /// Whether the sector holds a record's end that is no copy, or a mark.
    pub(super) own: bool,
    /// Whether the last two pages touched are marks that say the same: then nothing that counts is weak.
    pub(super) settled: bool,
}

impl<F: Flash> Journal<F> {
    /// Makes an empty journal on a flash, whatever is on it.
    ///
    /// Erases every sector. A power cut on the way leaves no journal, or a part of the one before.
    ///
    /// # Errors
    /// [`JournalError::Geometry`], and [`JournalError::NoUsableSector`] if fewer than [`super::MIN_SECTORS`] sectors
    /// erase.
    pub fn format(flash: F, policy: Policy) -> Result<Self, JournalError<F::Error>> {
        let layout = Layout::new(flash.geometry()).map_err(JournalError::Geometry)?;
        let mut journal = Self::blank_state(flash, policy, layout);
        journal.begin()?;
        Ok(journal)
    }

    /// Erases all sectors and opens the first.
    #[inline(never)]
    fn begin(&mut self) -> Result<(), JournalError<F::Error>> {
        let layout = self.state.layout;
        let mut good = 0u32;
        for sector in 0..layout.sectors() {
            good += u32::from(self.flash.erase(layout.offset(sector, 0)).is_ok());
        }
        if good < super::MIN_SECTORS {
            return Err(JournalError::NoUsableSector { tried: layout.sectors() });
        }
        // A header that is still there belongs to a sector that does not erase: begin above its turn.
        let turn = (0..layout.sectors()).filter_map(|sector| self.header(sector)).map(|header| header.turn);
        let last = Place { sector: layout.sectors().saturating_sub(1), turn: turn.max().unwrap_or(0) };
        let first = Place { sector: 0, turn: last.turn.checked_add(1).ok_or(JournalError::UsedUp)? };
        self.state.head.at = last;
        self.state.tail = Place { sector: last.sector, turn: first.turn };
        self.open_next(0, Before::default())?;
        self.state.tail = self.state.head.at;
        self.mark()?;
        self.mark()?;
        self.state.settled = true;
        Ok(())
    }

    /// Finds the journal on a flash, and recovers from whatever the last power cut left. Never erases a record.
    ///
    /// To find everything it reads each header three times at most, the newest sector's pages and, after a cut in an
    /// opening, those of the sector before: `3 * sectors + 2 * pages + 4` pages. A mount after a cut, or after appends,
    /// then recovers: it looks at both again, erases one sector, proves it erased and writes four pages into it at
    /// most, `6 * sectors + 5 * pages + 12` reads in all. A mount after a mount writes nothing. A page that cannot be
    /// read is tried three times; a sector that fails is one more erase, and as many reads again. If no sector is free,
    /// the journal is mounted as it is, and recovers as soon as there is one.
    ///
    /// # Errors
    /// [`JournalError::Geometry`]; [`JournalError::NotFormatted`], [`JournalError::OtherGeometry`] or
    /// [`JournalError::Version`] if there is no journal for this flash, and [`JournalError::Device`] if not one
    /// header is there and some could not be read.
    pub fn mount(flash: F, policy: Policy) -> Result<Self, JournalError<F::Error>> {
        let layout = Layout::new(flash.geometry()).map_err(JournalError::Geometry)?;
        let mut journal = Self::blank_state(flash, policy, layout);
        journal.find()?;
        journal.settle_if_possible()?;
        Ok(journal)
    }

    /// Recovers, unless there is no room for it.
    fn settle_if_possible(&mut self) -> Result<(), JournalError<F::Error>> {
        match self.settle() {
            Err(JournalError::Full { .. } | JournalError::NoUsableSector { .. } | JournalError::UsedUp) => {
                Ok(())
            }
            settled => settled,
        }
    }

    /// Finds the journal on a flash and writes nothing: for tools. The first append or discard recovers first.
    ///
    /// # Errors
    /// As [`Journal::mount`].
    pub fn inspect(flash: F, policy: Policy) -> Result<Self, JournalError<F::Error>> {
        let layout = Layout::new(flash.geometry()).map_err(JournalError::Geometry)?;
        let mut journal = Self::blank_state(flash, policy, layout);
        journal.find()?;
        Ok(journal)
    }

    /// Learns from the flash all that the state holds.
    #[inline(never)]
    fn find(&mut self) -> Result<(), JournalError<F::Error>> {
        let layout = self.state.layout;
        let header = self.find_head()?;
        let head = Place { sector: header.position, turn: header.turn };
        let state = &mut self.state;
        state.head = Head { at: head, end: 1, fresh: false, before: header.before };
        state.tail = head;
        (state.next, state.above) = (header.above.max(header.floor), header.above);
        (state.floor, state.marked) = (header.floor, 0);
        (state.epoch, state.last_time) = (header.epoch, header.last_time);
        (state.recoveries, state.retired) = (header.recoveries, header.retired);
        self.find_tail(&header);
        let scan = self.scan(head, layout.pages(), true);
        self.state.head.end = scan.end;
        self.state.settled = scan.settled;
        if !scan.own {
            // What the head says of the sector before was shown to nobody, and is decided anew.
            self.state.head.before.end = layout.pages();
            self.end_before();
        }
        // A discard of everything covers numbers that were left out, too: none of them is given again.
        self.state.next = self.state.next.max(self.state.floor);
        self.state.marked = if scan.settled { self.state.floor } else { 0 };
        self.skip_lost_numbers();
        self.reclaim();
        Ok(())
    }

    #[inline(always)]
    fn blank_state(flash: F, policy: Policy, layout: Layout) -> Self {
        let nowhere = Place { sector: 0, turn: 0 };
        let state = State {
            layout,
            policy,
            head: Head { at: nowhere, end: layout.pages(), fresh: false, before: Before::default() },
            tail: nowhere,
            next: 0,
            above: 0,
            floor: 0,
            marked: 0,
            epoch: 0,
            last_time: i64::MIN,
            recoveries: 0,
            retired: Self::none_retired(),
            settled: false,
            page: [0; MAX_PAGE],
            check: [0; MAX_PAGE],
        };
        Self { flash, state }
    }

    /// The header of the newest sector.
    fn find_head(&mut self) -> Result<Header, JournalError<F::Error>> {
        let mut newest: Option<Header> = None;
        let mut reason = JournalError::NotFormatted;
        for sector in 0..self.state.layout.sectors() {
            match self.parse_header(sector) {
                Ok(Parsed::Header(header)) if !self.is_ours(&header) => {
                    let bytes = |log2: u8| 1u64.checked_shl(log2.into()).unwrap_or(0);
                    reason = JournalError::OtherGeometry {
                        sectors: header.sectors,
                        sector_bytes: bytes(header.sector_log2),
                        word_bytes: bytes(header.word_log2),
                        page_bytes: bytes(header.page_log2),
                    };
                }
                Ok(Parsed::Header(header)) if header.position == sector => {
                    newest = newest.filter(|newest| newest.turn >= header.turn).or(Some(header));
                }
                Ok(Parsed::Version(version)) => reason = JournalError::Version(version),
                Ok(_) => {}
                Err(error) if matches!(reason, JournalError::NotFormatted) => reason = error,
                Err(_) => {}
            }
        }
        newest.ok_or(reason)
    }

    /// The first sector behind the head that held records when the head was opened. If the very oldest is not found,
    /// the first that cannot be read may be it, and is none of the free ones.
    fn find_tail(&mut self, head: &Header) {
        let mut unreadable = None;
        let mut sector = head.position;
        for _ in 1..self.state.layout.sectors() {
            sector = self.state.layout.after(sector);
            match self.parse_header(sector) {
                Ok(Parsed::Header(header))
                    if (header.position == sector && self.is_ours(&header))
                        && (head.oldest <= header.turn && header.turn < head.turn) =>
                {
                    let found = Place { sector, turn: header.turn };
                    self.state.tail = unreadable.filter(|_| header.turn > head.oldest).unwrap_or(found);
                    return;
                }
                Err(_) => unreadable = unreadable.or(Some(Place { sector, turn: head.oldest })),
                _ => {}
            }
        }
        if let Some(unreadable) = unreadable.filter(|_| head.oldest < head.turn) {
            self.state.tail = unreadable;
        }
    }

    /// If the sector behind the head has pages but no header, the header may have rotted with its records: their
    /// numbers are not given again.
    fn skip_lost_numbers(&mut self) {
        let (layout, head) = (self.state.layout, self.state.head.at);
        let sector = layout.after(head.sector);
        let nothing = matches!(self.parse_header(sector), Ok(Parsed::Nothing) | Err(_));
        let turn = head.turn;
        if nothing && !self.is_retired(sector) && !matches!(self.see(Place { sector, turn }, 1), Seen::Erased)
        {
            self.state.next = self.state.next.saturating_add(layout.pages().into());
            // They may come back, if it only could not be read: until they are discarded, too, nothing is reclaimed.
            self.state.above = self.state.next;
        }
    }

    /// Goes through the pages of a sector below `limit`. With `learn` the state follows.
    pub(super) fn scan(&mut self, at: Place, limit: u16, learn: bool) -> Scan {
        let mut scan = Scan { weak: None, end: 1, own: false, settled: false };
        // The floor of the mark right before, and whether the page is its second.
        let (mut mark_before, mut proven) = (None, false);
        let mut begun: Option<(u32, page::First)> = None;
        let limit = limit.min(self.state.layout.pages());
        for number in 1..limit {
            let seen = self.see(at, number);
            let marked = match seen {
                Seen::Body(Body::Mark(mark)) => Some(mark.floor),
                _ => None,
            };
            match seen {
                Seen::Erased => {
                    scan.settled = number > 1 && scan.end == number && proven;
                    return scan;
                }
                Seen::Unreadable | Seen::Bad => {}
                Seen::Body(Body::Mark(mark)) => {
                    (scan.weak, scan.end, scan.own) = (None, number + 1, true);
                    if learn {
                        let state = &mut self.state;
                        (state.next, state.floor) = (state.next.max(mark.next), state.floor.max(mark.floor));
                        (state.epoch, state.last_time) = (mark.epoch, mark.last_time);
                    }
                }
                Seen::Body(Body::Data(data)) => {
                    if data.piece == 0 {
                        begun = Some((data.sequence, page::parse_first(self.page())));
                    }
                    if !data.last {
                        (scan.weak, mark_before, proven) = (None, None, false);
                        continue;
                    }
                    scan.weak = Some((number, data.sequence));
                    (scan.end, scan.own) = (number + 1, scan.own || !data.copy);
                    if learn {
                        let state = &mut self.state;
                        state.above = state.above.max(data.sequence.saturating_add(1));
                        state.next = state.next.max(state.above);
                        if let Some((_, first)) = begun.filter(|(sequence, _)| *sequence == data.sequence) {
                            (state.epoch, state.last_time) = (first.epoch, first.last);
                        }
                    }
                }
            }
            (mark_before, proven) = (marked, marked.is_some() && marked == mark_before);
        }
        scan.settled = scan.end == limit && proven;
        scan
    }
}
