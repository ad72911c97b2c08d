//! Appending and discarding.

use super::page::{self, Before, First, Mark};
use super::{Flash, Journal, JournalError};
use core::ops::RangeInclusive;

impl<F: Flash> Journal<F> {
    /// Appends a record and gives its sequence number: from then on it is there, whatever happens to the power.
    ///
    /// `kind` is the caller's; `times` are the first and last time in the record, in any unit. A record that begins
    /// before the last one ended begins a new epoch. Costs one programmed page per `page_bytes - 12` bytes, each read
    /// back, and an erase whenever a sector is full. A page that does not program is tried again in another sector.
    ///
    /// # Errors
    /// [`JournalError::TooLong`], [`JournalError::TimeRange`]; [`JournalError::Full`] if no sector but the
    /// spare is left, under [`super::Policy::Overwrite`] because the others failed; [`JournalError::NoUsableSector`] if
    /// the flash fails everywhere. The record may or may not be there after the last; its number is not used again.
    pub fn append(
        &mut self,
        kind: u8,
        times: RangeInclusive<i64>,
        bytes: &[u8],
    ) -> Result<u32, JournalError<F::Error>> {
        let layout = self.state.layout;
        let (first, last) = times.into_inner();
        if first > last {
            return Err(JournalError::TimeRange { first, last });
        }
        let too_long = JournalError::TooLong { len: bytes.len(), most: layout.max_record_bytes() };
        // 24 bits are kept for the length; no sector of 65,535 pages holds that many bytes.
        let len = u32::try_from(bytes.len()).ok().filter(|len| *len < 1 << 24);
        let (Some(len), true) = (len, bytes.len() <= layout.max_record_bytes()) else { return Err(too_long) };
        self.settle()?;
        let sequence = self.state.next;
        let following = sequence.checked_add(1).ok_or(JournalError::UsedUp)?;
        let epoch = self.state.epoch.saturating_add(u32::from(first < self.state.last_time));
        let head = First { kind, len, first, last, epoch, crc: page::checksum(bytes) };
        let mut touched = false;
        for _ in 0..layout.sectors() {
            let pages = layout.pages_of(bytes.len());
            let full = usize::from(self.state.head.end) + pages > usize::from(layout.pages());
            let room =
                if full || !self.state.head.fresh { self.open_for_append() } else { self.keep_a_spare() };
            if let Err(error) = room {
                if !touched {
                    return Err(error);
                }
                break;
            }
            let begin = self.state.head.end;
            if self.write_record(sequence, &head, bytes) {
                (self.state.next, self.state.above) = (following, following);
                (self.state.epoch, self.state.last_time) = (epoch, last);
                return Ok(sequence);
            }
            // What stands there is a part of a record; the next sector's header will say that it does not count.
            self.give_up_head(begin);
            touched = true;
        }
        (self.state.next, self.state.above) = (following, following);
        Err(JournalError::NoUsableSector { tried: layout.sectors() })
    }

    /// Discards every record up to and including `sequence`: after that no reader sees them, and sectors that hold
    /// nothing else are free. Costs two programmed pages, and an erase if the newest sector is full.
    ///
    /// `u32::MAX` discards everything, also what cannot be read any more, and so always makes room.
    ///
    /// # Errors
    /// [`JournalError::Full`] if no sector is free, and this discard frees none, or [`JournalError::NoUsableSector`]:
    /// the mark that says so is not written, the records are gone for this mount, and may be back after the next.
    pub fn discard(&mut self, sequence: u32) -> Result<(), JournalError<F::Error>> {
        let floor = sequence.saturating_add(1).min(self.state.next);
        if floor <= self.state.marked {
            return Ok(());
        }
        self.state.floor = self.state.floor.max(floor);
        self.reclaim();
        self.settle()?;
        self.keep_a_spare()?;
        // The second proves the first: a mark that may be weak is no news to anyone.
        self.mark()?;
        self.mark()?;
        self.state.marked = self.state.floor;
        Ok(())
    }

    /// Writes a mark, wherever there is room.
    pub(super) fn mark(&mut self) -> Result<(), JournalError<F::Error>> {
        for _ in 0..self.state.layout.sectors() {
            let head = self.state.head;
            if !head.fresh || head.end >= self.state.layout.pages() {
                self.open_next(0, Before { turn: head.at.turn, end: head.end })?;
            }
            if self.write_mark() {
                return Ok(());
            }
            self.give_up_head(self.state.head.end);
        }
        Err(JournalError::NoUsableSector { tried: self.state.layout.sectors() })
    }

    fn open_for_append(&mut self) -> Result<(), JournalError<F::Error>> {
        let head = self.state.head;
        // The last free sector is kept for a recovery, so that a mount gives up no records.
        self.open_next(1, Before { turn: head.at.turn, end: head.end })
    }

    /// Nothing is programmed unless a sector is free for the recovery, should the power go.
    fn keep_a_spare(&mut self) -> Result<(), JournalError<F::Error>> {
        let sectors = self.state.layout.sectors();
        if self.make_room(0) { Ok(()) } else { Err(JournalError::Full { sectors }) }
    }

    /// The head takes no more pages; those from `end` on do not count.
    fn give_up_head(&mut self, end: u16) {
        self.retire(self.state.head.at.sector);
        (self.state.head.end, self.state.head.fresh) = (end, false);
    }

    /// Writes a record's pages. False if the flash does not take one.
    fn write_record(&mut self, sequence: u32, first: &First, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        let pages = self.state.layout.pages_of(bytes.len());
        for piece in 0..u16::try_from(pages).unwrap_or(u16::MAX) {
            let at = (self.state.head.at.turn, self.state.head.end);
            rest = page::encode_piece(self.blank(), at, sequence, piece, first, rest);
            if !self.program_next() {
                return false;
            }
        }
        true
    }

    /// Writes a mark as the head's next page. False if the flash does not take it.
    pub(super) fn write_mark(&mut self) -> bool {
        let super::State { next, floor, epoch, last_time, head, .. } = self.state;
        Mark { next, floor, epoch, last_time }.encode(self.blank(), head.at.turn, head.end);
        self.program_next()
    }

    /// Programs the page that was made as the head's next. False if the flash does not take it.
    pub(super) fn program_next(&mut self) -> bool {
        let super::Head { at, end, .. } = self.state.head;
        let done = end < self.state.layout.pages() && self.program(at.sector, end);
        if done {
            self.state.head.end = end + 1;
        }
        done
    }
}
