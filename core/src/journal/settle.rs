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
        let (head, pages) = (self.state.head, self.state.layout.pages());
        let scan = self.scan(head.at, pages, false);
        let in_head = match scan.last {
            Last::End { page, sequence } => Some(Weak { at: head.at, page, sequence }),
            _ => None,
        };
        // A head without a record or mark of its own is what a cut recovery, or a cut just behind the opening of a
        // sector, leaves. It can be opened once more, unless there is a whole copy in it, which may have been shown.
        let below = if scan.own { None } else { self.end_before() };
        let original = below.and_then(|(_, weak)| weak);
        let again = !scan.own && !scan.damaged && in_head.is_none();
        let weak = match in_head {
            Some(weak) => Some(weak),
            None if scan.last == Last::Certain => None,
            _ => original,
        };
        // The weak page itself does not count: its copy will, or, if it reads otherwise by then, nothing.
        self.state.recoveries = self.state.recoveries.saturating_add(1);
        if again {
            let before = below.map_or(Before::default(), |(before, _)| before);
            let before = Before { end: weak.map_or(before.end, |weak| weak.page), ..before };
            if !self.prepare(head.at, before) {
                self.retire(head.at.sector);
                self.open_next(0, before)?;
            }
        } else {
            let in_head = weak.filter(|weak| weak.at == head.at);
            self.open_next(
                0,
                Before { turn: head.at.turn, end: in_head.map_or(scan.end, |weak| weak.page) },
            )?;
        }
        // A sector that erases and takes its header, but not its next pages, is left behind like one that does not.
        for _ in 0..self.state.layout.sectors() {
            // The second mark proves the first: only then is anything shown to a reader.
            if self.copy(weak) && self.write_mark() && self.write_mark() {
                (self.state.settled, self.state.marked) = (true, self.state.floor);
                return Ok(());
            }
            let before = self.state.head.before;
            self.retire(self.state.head.at.sector);
            self.open_next(0, before)?;
        }
        Err(JournalError::NoUsableSector { tried: self.state.layout.sectors() })
    }

    /// How much of the sector before the head counts, all its pages looked at anew, and the last page of the record that
    /// ends it, if nothing whole follows there. The state follows, as what is weak may read otherwise than before.
    pub(super) fn end_before(&mut self) -> Option<(Before, Option<Weak>)> {
        let turn = self.state.head.before.turn;
        let at = self.live_of(turn)?;
        let scan = self.scan(at, u16::MAX, true);
        let weak = match scan.last {
            Last::End { page, sequence } => Some(Weak { at, page, sequence }),
            _ => None,
        };
        Some((Before { turn, end: scan.end }, weak))
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
