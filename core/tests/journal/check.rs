//! The comparison: what a mounted journal gives, against what was acknowledged.

use crate::model::{Bench, Kept, Pending};
use plimsoll_core::journal::{Journal, Policy};

impl Bench {
    /// Mounts, compares with what was acknowledged, mounts again and compares again. Then nothing is pending.
    pub(crate) fn check(&mut self) {
        assert!(!self.off.get(), "the power is on again");
        let (reads, programs) = (self.reads.get(), self.programs.get());
        self.mount().expect("a journal was here");
        let (reads, programs) = (self.reads.get() - reads, self.programs.get() - programs);
        if self.bad == 0 {
            let (sectors, pages) = (u64::from(self.sectors), u64::from(self.journal().layout().pages()));
            assert!(
                programs <= 4 && reads <= 3 * (6 * sectors + 5 * pages + 12),
                "{reads} reads, {programs} programs"
            );
        }
        let there = self.read();
        let turn = self.journal().stats().turns;
        let unsettled = self.journal().stats().unsettled;
        for pair in there.windows(2) {
            let [one, next] = pair else { panic!("two") };
            let back = next.first < one.last;
            assert!(next.epoch >= one.epoch + u32::from(back), "{next:?} is in the epoch of {one:?}");
        }
        // What may be there beside what was acknowledged.
        let mut known = there.iter().peekable();
        let pending = std::mem::replace(&mut self.pending, Pending::Nothing);
        match pending {
            Pending::Nothing => {}
            Pending::Append(kept) => self.limbo.push(kept),
            Pending::Discard(floor) => self.limbo_floor = self.limbo_floor.max(floor),
        }
        let gone = self.limbo_floor.max(self.floor);
        let mut read: Vec<Kept> = Vec::new();
        for kept in &self.kept {
            while let Some(extra) = known.peek().and_then(|found| self.undecided(found, Some(kept.sequence)))
            {
                read.push(extra);
                known.next();
            }
            match known.peek() {
                Some(found) if found.sequence == kept.sequence => {
                    // Where a cut took a record away that began an epoch, the epoch may stay.
                    let epoch = if kept.seen { kept.epoch } else { kept.epoch.max(found.epoch) };
                    let kept = Kept { epoch, seen: true, ..kept.clone() };
                    assert_eq!(same(found), same(&kept), "a record has changed");
                    assert!(kept.sequence >= self.floor, "record {} was discarded", kept.sequence);
                    read.push(kept);
                    known.next();
                }
                _ => {
                    // The oldest sectors, where the policy gives them up: a free one stays, one is being opened, and
                    // one more was given up for an opening that the power cut, which no turn shows. A sector that is
                    // passed over takes a turn, too.
                    let given_up = self.policy == Policy::Overwrite
                        && kept.turn + self.sectors < turn + 3 + 2 * self.bad;
                    assert!(
                        kept.sequence < gone || given_up,
                        "record {} of turn {} is lost; {:?}, {:?}, floor {gone}",
                        kept.sequence,
                        kept.turn,
                        self.journal.as_ref().map(Journal::stats),
                        self.policy
                    );
                }
            }
        }
        while let Some(extra) = known.peek().and_then(|found| self.undecided(found, None)) {
            read.push(extra);
            known.next();
        }
        assert_eq!(known.next(), None, "a record that nobody appended");
        assert!(read.is_sorted_by(|one, next| one.sequence < next.sequence), "numbers grow");
        let newest = self.kept.last().map(|kept| kept.sequence);
        assert!(
            newest.is_none_or(|newest| self.journal().stats().next > newest),
            "a number would be given twice"
        );
        if unsettled {
            // What was under way at the cut is still undecided. That is so only where the recovery has no room: nothing
            // may be given up for it, and every sector stands between the oldest record and the newest.
            let live = u32::from(self.journal().stats().live);
            let no_room = self.policy == Policy::Keep && live == self.sectors;
            assert!(no_room || self.bad > 0, "there is room for a recovery: {:?}", self.journal().stats());
            return;
        }
        // What was under way has taken effect or not; from now on it is one or the other.
        self.epoch = self.epoch.max(read.last().map_or(0, |kept| kept.epoch));
        if let Some(last) = read.last() {
            self.last = last.last;
            self.clock = self.clock.max(last.last);
        }
        self.kept = read;
        self.limbo.clear();
        self.limbo_floor = 0;
        self.floor = self.floor.max(self.journal().stats().floor);
        self.kept.retain(|kept| kept.sequence >= self.floor);
        // Once more, with nothing in between: the same. Nothing is to do; or the second of two marks is weak, was whole
        // at first and is not now, and then the recovery that it said was done is done again.
        let mut recovered = programs > 0;
        for _ in 0..2 {
            let before = self.journal().stats();
            self.mount().expect("a journal is here");
            assert_eq!(self.read(), there, "recovery is idempotent");
            let after = self.journal().stats();
            assert!(after.recoveries - before.recoveries <= u32::from(!recovered), "nothing to recover");
            recovered |= after.recoveries > before.recoveries;
            if after.unsettled {
                return;
            }
        }
    }

    /// A record whose append was cut and that is there all the same, before the acknowledged one with that number.
    fn undecided(&self, found: &Kept, below: Option<u32>) -> Option<Kept> {
        let candidate = |kept: &&Kept| {
            let epoch = kept.epoch.max(found.epoch);
            same(found) == Kept { sequence: found.sequence, epoch, ..same(kept) }
        };
        let new = self.kept.iter().all(|kept| kept.sequence != found.sequence);
        let kept = self.limbo.iter().find(candidate)?;
        (new && below.is_none_or(|below| found.sequence < below)).then(|| Kept {
            sequence: found.sequence,
            epoch: found.epoch,
            seen: true,
            ..kept.clone()
        })
    }
}

fn same(kept: &Kept) -> Kept {
    Kept { turn: 0, seen: false, ..kept.clone() }
}
