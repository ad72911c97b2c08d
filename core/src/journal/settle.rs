//! Recovery: after it, nothing that a reader can see is weak.
//!
//! A cut leaves at most one page weak: the last one touched, whether it reads erased, torn or whole. A word that may
//! have been touched is never programmed again without an erase, so recovery writes into a sector that it has erased.
//! Its header says how much of the one before counts, which settles what does not; the last record's last page, if it
//! may be the weak one, is programmed again behind it, which settles what does; and two marks say that all this is
//! done.
//!
//! There are two cases, told apart by one look at the head. If it holds a mark, or the end of a record that is no copy,
//! something may rest on it: it stays, and the next sector is opened. If not, nobody was ever told or shown anything
//! that rests on it, whatever else it holds: it is what a recovery or an opening that was cut left. It is erased once
//! more, and everything is decided anew from the sector before, which is as it was. No copy is ever the source of
//! another while its original can still be asked.

use super::mount::Scan;
use super::page::{self, Before, Body};
use super::ring::Seen;
use super::{Flash, Journal, JournalError, Place};

/// A page to be programmed again, and the record that it ends.
#[derive(Clone, Copy)]
pub(super) struct Weak {
    at: Place,
    page: u16,
    sequence: u32,
}

impl<F: Flash> Journal<F> {
    /// Does what is still to be done after the last cut.
    pub(super) fn settle(&mut self) -> Result<(), JournalError<F::Error>> {
        if self.state.settled {
            return Ok(());
        }
        let head = self.state.head.at;
        // What is weak may read otherwise than before: all that follows stands on this one look.
        let scan = self.scan(head, u16::MAX, true);
        self.state.head.end = scan.end;
        self.state.recoveries = self.state.recoveries.saturating_add(1);
        let (before, weak) = if scan.own { Self::ending(head, &scan) } else { self.end_before() };
        if scan.own {
            self.open_next(0, before)?;
        } else if !self.prepare(head, before) {
            self.retire(head.sector);
            self.open_next(0, before)?;
        }
        // A sector that erases and takes its header, but not its next pages, is left behind like one that does not.
        for _ in 0..self.state.layout.sectors() {
            // The second mark proves the first: only then is anything shown to a reader.
            if self.copy(weak) && self.write_mark() && self.write_mark() {
                (self.state.settled, self.state.marked) = (true, self.state.floor);
                return Ok(());
            }
            self.retire(self.state.head.at.sector);
            self.open_next(0, before)?;
        }
        Err(JournalError::NoUsableSector { tried: self.state.layout.sectors() })
    }

    /// How much of the sector before the head counts, and what of it may be weak: all its pages looked at anew. The
    /// state follows.
    pub(super) fn end_before(&mut self) -> (Before, Option<Weak>) {
        let turn = self.state.head.before.turn;
        match self.live_of(turn) {
            Some(at) => {
                let scan = self.scan(at, u16::MAX, true);
                Self::ending(at, &scan)
            }
            // It is reclaimed, or its header cannot be read. If that comes back, everything counts.
            None => (Before { turn, end: self.state.layout.pages() }, None),
        }
    }

    /// How much of a sector counts, and its last record's last page if that is the last whole page. It may be weak and
    /// does not count itself: its copy will, or, if it reads otherwise by then, nothing.
    const fn ending(at: Place, scan: &Scan) -> (Before, Option<Weak>) {
        match scan.weak {
            Some((page, sequence)) => {
                (Before { turn: at.turn, end: page }, Some(Weak { at, page, sequence }))
            }
            None => (Before { turn: at.turn, end: scan.end }, None),
        }
    }

    /// Programs a weak page again as the head's next. False if the flash does not take it.
    fn copy(&mut self, weak: Option<Weak>) -> bool {
        let Some(Weak { at, page, sequence }) = weak else { return true };
        match self.see(at, page) {
            Seen::Body(Body::Data(data)) if data.sequence == sequence && data.last => {}
            // Weak indeed: now it reads otherwise. Then it was never acknowledged, nobody has seen it, and from now on
            // it does not count.
            _ => return true,
        }
        let (to, number) = (self.state.head.at, self.state.head.end);
        let len = self.state.layout.page_bytes();
        page::turn_into_copy(self.state.page.get_mut(..len).unwrap_or_default(), to.turn, number);
        self.program_next()
    }
}
