//! The judge: a plain list of what was acknowledged, and what may be true beside it after a cut.

use crate::flash::{Cut, Dice, Fault, SimFlash};
use plimsoll_core::journal::{From, Journal, JournalError, Policy};
use std::cell::Cell;
use std::rc::Rc;

/// A record as the test appended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) sequence: u32,
    pub(crate) epoch: u32,
    pub(crate) kind: u8,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) bytes: Vec<u8>,
    /// The turn of the sector that was the newest when it was acknowledged, or when its append was cut: the one that it
    /// stands in. Not compared with what is read.
    pub(crate) turn: u32,
    /// Whether its epoch was read back.
    pub(crate) seen: bool,
}

/// What was under way when the power went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pending {
    Nothing,
    /// All but its number, which is not known.
    Append(Kept),
    /// Records below may be gone.
    Discard(u32),
}

pub(crate) struct Bench {
    /// The flash, when no journal has it.
    pub(crate) flash: Option<SimFlash>,
    pub(crate) off: Rc<Cell<bool>>,
    pub(crate) reads: Rc<Cell<u64>>,
    pub(crate) programs: Rc<Cell<u64>>,
    pub(crate) journal: Option<Journal<SimFlash>>,
    pub(crate) policy: Policy,
    pub(crate) sectors: u32,
    pub(crate) most: usize,
    pub(crate) kept: Vec<Kept>,
    pub(crate) floor: u32,
    pub(crate) pending: Pending,
    /// What was under way at a cut before, as long as there is no room to recover from it.
    pub(crate) limbo: Vec<Kept>,
    pub(crate) limbo_floor: u32,
    /// Sectors that the test made bad: records may be lost with each of them, and turns skipped.
    pub(crate) bad: u32,
    pub(crate) dice: Dice,
    pub(crate) clock: i64,
    pub(crate) epoch: u32,
    pub(crate) last: i64,
}

impl Bench {
    pub(crate) fn format(flash: SimFlash, policy: Policy, seed: u64) -> Self {
        let sectors = flash.erases.len() as u32;
        let (off, reads, programs) = (flash.off.clone(), flash.reads.clone(), flash.programs.clone());
        let journal = Journal::format(flash, policy).expect("it fits");
        let most = journal.layout().max_record_bytes();
        Self {
            flash: None,
            off,
            reads,
            programs,
            journal: Some(journal),
            policy,
            sectors,
            most,
            kept: Vec::new(),
            floor: 0,
            pending: Pending::Nothing,
            limbo: Vec::new(),
            limbo_floor: 0,
            bad: 0,
            dice: Dice(seed),
            clock: 0,
            epoch: 0,
            last: i64::MIN,
        }
    }

    /// The same life from here on, on a flash of its own.
    pub(crate) fn fork(&mut self) -> Self {
        let flash = self.take();
        let mut own = flash.clone();
        (own.off, own.reads, own.programs) = Default::default();
        self.flash = Some(flash);
        Self {
            off: own.off.clone(),
            reads: own.reads.clone(),
            programs: own.programs.clone(),
            flash: Some(own),
            journal: None,
            kept: self.kept.clone(),
            pending: self.pending.clone(),
            limbo: self.limbo.clone(),
            dice: self.dice.clone(),
            ..*self
        }
    }

    pub(crate) fn journal(&mut self) -> &mut Journal<SimFlash> {
        self.journal.as_mut().expect("it is mounted")
    }

    /// Changes the flash between two mounts.
    pub(crate) fn with_flash(&mut self, change: impl FnOnce(&mut SimFlash)) {
        let mut flash = self.take();
        change(&mut flash);
        self.flash = Some(flash);
        self.mount().expect("nothing is cut");
    }

    fn take(&mut self) -> SimFlash {
        self.journal.take().map(Journal::into_flash).or(self.flash.take()).expect("one of both")
    }

    /// Takes the power away after so many bytes, in this way, while `work` runs and mounts. Gives the bytes changed.
    pub(crate) fn cut_in(&mut self, after: Option<u64>, cut: Cut, work: impl FnOnce(&mut Self)) -> u64 {
        let mut flash = self.take();
        (flash.fuel, flash.cut) = (after, cut);
        let before = flash.changed_bytes;
        self.flash = Some(flash);
        if self.mount().is_ok() {
            work(self);
        }
        let mut flash = self.take();
        let changed = flash.changed_bytes - before;
        flash.power_on();
        self.flash = Some(flash);
        changed
    }

    pub(crate) fn mount(&mut self) -> Result<(), JournalError<Fault>> {
        let flash = self.take();
        // The journal takes the flash away if it does not mount: keep one to go on with.
        let spare = flash.clone();
        match Journal::mount(flash, self.policy) {
            Ok(journal) => {
                self.journal = Some(journal);
                Ok(())
            }
            Err(error) => {
                self.flash = Some(spare);
                Err(error)
            }
        }
    }

    /// A record of a random length and time. False if the power is off now.
    pub(crate) fn append(&mut self) -> bool {
        let len = match self.dice.below(8) {
            0 => self.dice.below(self.most as u64 + 1),
            1 => 0,
            2 => self.most as u64,
            _ => self.dice.below((self.most as u64).min(300)),
        } as usize;
        self.append_of(len)
    }

    pub(crate) fn append_of(&mut self, len: usize) -> bool {
        let back = self.dice.one_in(10);
        let first = if back { self.last.saturating_sub(5) } else { self.clock };
        let last = first + self.dice.below(9) as i64;
        let kind = self.dice.next() as u8;
        let bytes: Vec<u8> = (0..len).map(|_| self.dice.next() as u8).collect();
        let epoch = self.epoch + u32::from(first < self.last);
        let mut kept =
            Kept { sequence: 0, epoch, kind, first, last, bytes: bytes.clone(), turn: 0, seen: false };
        self.pending = Pending::Append(kept.clone());
        for _ in 0..100 {
            match self.journal().append(kind, first..=last, &bytes) {
                Ok(sequence) => {
                    kept.sequence = sequence;
                    kept.turn = self.journal().stats().turns;
                    assert!(self.kept.last().is_none_or(|before| before.sequence < sequence), "numbers grow");
                    self.acknowledge(kept);
                    return true;
                }
                Err(JournalError::Full { .. } | JournalError::NoUsableSector { .. })
                    if self.policy == Policy::Keep && !self.off.get() =>
                {
                    // The record is not there: nothing was touched, or only half a page of it.
                    self.pending = Pending::Nothing;
                    if !self.discard_some() {
                        return false;
                    }
                    self.pending = Pending::Append(kept.clone());
                }
                Err(error) => {
                    let journal = self.journal.take().expect("it is mounted");
                    assert!(self.off.get(), "{error}");
                    // If it is there all the same, it is there.
                    kept.turn = journal.stats().turns;
                    self.pending = Pending::Append(kept);
                    self.flash = Some(journal.into_flash());
                    return false;
                }
            }
        }
        panic!("there is no end to it: {:?}, {} records", self.journal().stats(), self.kept.len());
    }

    fn acknowledge(&mut self, kept: Kept) {
        (self.epoch, self.last) = (kept.epoch, kept.last);
        self.clock = kept.last + self.dice.below(3) as i64;
        self.kept.push(kept);
        self.pending = Pending::Nothing;
    }

    /// Discards some of the oldest records. False if the power is off now.
    pub(crate) fn discard_some(&mut self) -> bool {
        let live: Vec<u32> = self.live().map(|kept| kept.sequence).collect();
        let Some(sequence) = live.get(self.dice.below(live.len() as u64) as usize).copied() else {
            // Nothing reads, but pages that could belong to a record still hold their sectors.
            return self.discard(u32::MAX);
        };
        self.discard(sequence)
    }

    fn discard(&mut self, sequence: u32) -> bool {
        let mut sequence = sequence;
        loop {
            self.pending = Pending::Discard(sequence.saturating_add(1));
            match self.journal().discard(sequence) {
                Ok(()) => {
                    let floor = self.journal().stats().floor;
                    assert!(floor > sequence || sequence == u32::MAX);
                    self.floor = self.floor.max(floor);
                    self.pending = Pending::Nothing;
                    return true;
                }
                Err(JournalError::Full { .. } | JournalError::NoUsableSector { .. }) if !self.off.get() => {
                    // No room for the mark: discard all, which always makes room.
                    assert!(sequence < u32::MAX, "all records are discarded and there is still no room");
                    sequence = u32::MAX;
                }
                Err(error) => {
                    assert!(self.off.get(), "{error}");
                    let journal = self.journal.take().expect("it is mounted");
                    self.flash = Some(journal.into_flash());
                    return false;
                }
            }
        }
    }

    pub(crate) fn live(&self) -> impl Iterator<Item = &Kept> {
        self.kept.iter().filter(|kept| kept.sequence >= self.floor)
    }

    /// Everything that the journal gives.
    pub(crate) fn read(&mut self) -> Vec<Kept> {
        read(self.journal(), From::Sequence(0))
    }
}

/// Everything from there on, through a buffer that is sometimes too short at first.
pub(crate) fn read(journal: &mut Journal<SimFlash>, from: From) -> Vec<Kept> {
    let mut all = Vec::new();
    let mut buffer = vec![0u8; 64];
    let mut records = journal.iterate(from);
    loop {
        match records.next(&mut buffer) {
            Ok(Some(record)) => all.push(Kept {
                sequence: record.sequence,
                epoch: record.epoch,
                kind: record.kind,
                first: record.first,
                last: record.last,
                bytes: record.bytes.to_vec(),
                turn: 0,
                seen: false,
            }),
            Ok(None) => return all,
            Err(JournalError::Buffer { needed, given }) => {
                assert!(needed > given);
                buffer.resize(needed, 0);
            }
            Err(error) => panic!("{error}"),
        }
    }
}
