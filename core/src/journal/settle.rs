//! Recovery: after it, nothing that a reader can see is weak.
//!
//! A cut leaves at most one page weak: the last one touched, whether it reads erased, torn or whole. A word that may
//! have been touched is never programmed again without an erase, so recovery opens the next sector. Its header says how
//! much of the one before counts, which settles what does not; the last record's last page, if it may be the weak
//! one, is programmed again behind it, which settles what does; and a mark behind that says that all this is done.
//! Until the mark stands, the next mount begins anew, and from the same pages.

use super::mount::Last;
use super::page::{self, Before, Body};
use super::ring::Seen;
use super::{Flash, Journal, JournalError, Place};

/// A page to be programmed again, and the record that it ends.
#[derive(Clone, Copy)]
struct Weak {
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
        let (head, pages) = (self.state.head, self.state.layout.pages());
        let scan = self.scan(head.at, pages, false);
        let in_head = match scan.last {
            Last::End { page, sequence, copy } => Some((Weak { at: head.at, page, sequence }, copy)),
            _ => None,
        };
        // A head without a record or mark of its own is what a cut recovery, or a cut just behind the opening of a
        // sector, leaves. It can be opened once more, unless the only whole copy of the weak page is in it.
        let before = if scan.own { None } else { self.end_before() };
        let original = before.filter(|weak| in_head.is_none_or(|(copy, _)| copy.sequence == weak.sequence));
        let certain = scan.last == Last::Certain && in_head.is_none();
        let again = !scan.own && !scan.damaged && (in_head.is_none() || original.is_some());
        let weak = match in_head {
            Some((weak, true)) => original.or(Some(weak)),
            Some((weak, false)) => Some(weak),
            None if certain => None,
            None => original,
        };
        self.state.recoveries = self.state.recoveries.saturating_add(1);
        let behind = Before { turn: head.at.turn, end: scan.end };
        if !again {
            self.open_next(0, behind)?;
        } else if !self.prepare(head.at, head.before) {
            self.retire(head.at.sector);
            self.open_next(0, head.before)?;
        }
        // A sector that erases and takes its header, but not its next pages, is left behind like one that does not.
        for _ in 0..self.state.layout.sectors() {
            if self.copy(weak) && self.write_mark() {
                (self.state.settled, self.state.marked) = (true, self.state.floor);
                return Ok(());
            }
            let before = self.state.head.before;
            self.retire(self.state.head.at.sector);
            self.open_next(0, before)?;
        }
        Err(JournalError::NoUsableSector { tried: self.state.layout.sectors() })
    }

    /// The last page of the record that ends the sector before the head, if nothing whole follows it there.
    fn end_before(&mut self) -> Option<Weak> {
        let (at, before) = (self.live_before_head()?, self.state.head.before);
        let limit = if before.turn == at.turn { before.end } else { u16::MAX };
        match self.scan(at, limit, false).last {
            Last::End { page, sequence, .. } => Some(Weak { at, page, sequence }),
            _ => None,
        }
    }

    /// Programs a weak page again as the head's next. False if the flash does not take it.
    fn copy(&mut self, weak: Option<Weak>) -> bool {
        let Some(Weak { at, page, sequence }) = weak else { return true };
        match self.see(at, page) {
            Seen::Body(Body::Data(data)) if data.sequence == sequence && data.last => {}
            // Weak indeed: now it reads otherwise. Then it was never acknowledged, and nobody has seen it.
            _ => return true,
        }
        let (to, number) = (self.state.head.at, self.state.head.end);
        let len = self.state.layout.page_bytes();
        page::turn_into_copy(self.state.page.get_mut(..len).unwrap_or_default(), to.turn, number);
        self.program_next()
    }
}
