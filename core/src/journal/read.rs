//! Reading records back, in order.
//!
//! A record's pieces follow each other; only its last may stand elsewhere, in the copy that a recovery made. So the
//! reader takes pages as they come, keeps the record that it has begun, and drops whatever does not continue it. What
//! it gives is whole (each page's checksum and the record's) and its number is above all numbers before.

use super::page::{self, Body, Data, First, Header};
use super::ring::Seen;
use super::{Flash, From, Journal, JournalError, Place, Record};

/// The records of a journal. See [`Journal::iterate`].
#[derive(Debug)]
pub struct Records<'j, F> {
    journal: &'j mut Journal<F>,
    from: From,
    at: Place,
    /// The next page to read, and the first that does not count.
    page: u16,
    end: u16,
    /// The sector behind, and its header.
    behind: Option<(Place, Header)>,
    /// Records up to here were given, or are not wanted.
    above: Option<u32>,
}

/// A record that is being put together in the caller's buffer.
#[derive(Clone, Copy)]
struct Begun {
    sequence: u32,
    first: First,
    filled: usize,
    piece: u16,
}

impl<F: Flash> Journal<F> {
    /// The records that are there, in the order in which they were appended.
    ///
    /// Reads the header of every sector on the way, skips sectors that end before `from`, and then reads page by page.
    pub fn iterate(&mut self, from: From) -> Records<'_, F> {
        let at = self.state.tail;
        let mut records = Records { journal: self, from, at, page: 1, end: 1, behind: None, above: None };
        let header = records.journal.header(at.sector).filter(|header| header.turn == at.turn);
        records.enter(at, header);
        records
    }
}

impl<F: Flash> Records<'_, F> {
    /// The next record, in `buffer`; `None` when there is none.
    ///
    /// # Errors
    /// [`JournalError::Buffer`] if the record is longer than the buffer: a call with a longer one gives it. Pages that
    /// cannot be read are no error: their records are passed over.
    pub fn next<'b>(&mut self, buffer: &'b mut [u8]) -> Result<Option<Record<'b>>, JournalError<F::Error>> {
        let mut begun: Option<Begun> = None;
        // Every turn of the loop moves a page on.
        loop {
            if self.page >= self.end {
                match self.behind {
                    Some((at, header)) => self.enter(at, Some(header)),
                    None => return Ok(None),
                }
                continue;
            }
            let data = match self.journal.see(self.at, self.page) {
                Seen::Body(Body::Data(data)) => data,
                Seen::Erased => {
                    self.page = self.end;
                    continue;
                }
                _ => {
                    self.page += 1;
                    continue;
                }
            };
            if data.piece == 0 {
                let first = page::parse_first(self.journal.page());
                begun = None;
                if !self.is_wanted(data.sequence, &first) {
                    self.pass_over(&first);
                    continue;
                }
                let needed = usize::try_from(first.len).unwrap_or(usize::MAX);
                if needed > buffer.len() {
                    return Err(JournalError::Buffer { needed, given: buffer.len() });
                }
                begun = Some(Begun { sequence: data.sequence, first, filled: 0, piece: 0 });
            }
            self.page += 1;
            begun = begun.and_then(|begun| self.take(begun, data, buffer));
            if let Some(whole) = begun
                && data.last
            {
                begun = None;
                let bytes = buffer.get(..whole.filled).unwrap_or_default();
                let len = usize::try_from(whole.first.len).ok();
                if len == Some(whole.filled) && page::checksum(bytes) == whole.first.crc {
                    self.above = Some(whole.sequence);
                    let bytes = buffer.get(..whole.filled).unwrap_or_default();
                    return Ok(Some(whole.first.record(whole.sequence, bytes)));
                }
            }
        }
    }

    /// Adds a piece to the record begun, if it is the next one.
    fn take(&self, begun: Begun, data: Data, buffer: &mut [u8]) -> Option<Begun> {
        if (data.sequence, data.piece) != (begun.sequence, begun.piece) {
            return None;
        }
        let bytes = page::payload(self.journal.page(), data);
        let filled = begun.filled.checked_add(bytes.len())?;
        buffer.get_mut(begun.filled..filled)?.copy_from_slice(bytes);
        Some(Begun { filled, piece: begun.piece.checked_add(1)?, ..begun })
    }

    fn is_wanted(&self, sequence: u32, first: &First) -> bool {
        let state = &self.journal.state;
        let there = state.floor <= sequence && sequence < state.next;
        let new = self.above.is_none_or(|above| sequence > above);
        let asked = match self.from {
            From::Sequence(from) => sequence >= from,
            From::Time(from) => first.last >= from,
        };
        let len = usize::try_from(first.len).unwrap_or(usize::MAX);
        there && new && asked && len <= state.layout.max_record_bytes()
    }

    /// Goes on behind a record that is not wanted.
    fn pass_over(&mut self, first: &First) {
        let len = usize::try_from(first.len).unwrap_or(usize::MAX);
        let pages = u16::try_from(self.journal.state.layout.pages_of(len)).unwrap_or(u16::MAX);
        self.page = self.page.saturating_add(pages.max(1)).min(self.end);
    }

    /// Goes to a sector, and past it at once if nothing in it can be wanted. Its own header may be lost.
    fn enter(&mut self, at: Place, header: Option<Header>) {
        let head = self.journal.state.head;
        (self.at, self.page) = (at, 1);
        self.behind = if at == head.at { None } else { self.journal.live_after(at) };
        self.end = match self.behind {
            _ if at == head.at => head.end,
            Some((behind, _)) if behind == head.at && head.before.turn == at.turn => head.before.end,
            Some((_, behind)) if behind.before.turn == at.turn => behind.before.end,
            _ => u16::MAX,
        }
        .min(self.journal.state.layout.pages());
        if let Some((_, behind)) = self.behind {
            let none = match self.from {
                From::Sequence(from) => behind.above <= from,
                // Within an epoch last times do not go back.
                From::Time(from) => {
                    behind.last_time < from && header.is_some_and(|header| header.epoch == behind.epoch)
                }
            };
            if none || header.is_none() {
                self.page = self.end;
            }
        }
    }
}
