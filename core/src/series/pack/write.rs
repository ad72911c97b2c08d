//! The writing side of `pack`.

use super::super::back::{Coded, Sums, Waiting, WriteSide};
use super::super::bits::{BitState, BitWriter};
use super::super::choose::{choose, greatest_common_divisor};
use super::super::heads::{Head, Heads};
use super::super::lattice::Front;
use super::super::settings::Column;
use super::super::word::{Kind, Word};
use super::before::Before;
use super::section::{self, Tag, Trail};
use super::{GROUP, GROUP_BITS, column, head};

/// Writes groups.
#[derive(Clone, Copy, Debug)]
pub struct PackWrite<const COLUMNS: usize> {
    bits: BitState,
    before: Before<COLUMNS>,
    time: Trail,
    /// How much later each timestamp is than the one before if they go on as of late, and how many did since `time`.
    step: i64,
    steps: u32,
    trails: [Trail; COLUMNS],
    /// Groups so far: now and then a better lattice is looked for.
    groups: u8,
}

impl<const COLUMNS: usize> PackWrite<COLUMNS> {
    /// Back to what a reader starts a block with.
    fn unlearn(&mut self, columns: &[Column]) {
        self.before.unit = 1;
        for (front, column) in self.before.fronts.iter_mut().zip(columns) {
            *front = Front::first(column.kind);
        }
    }

    /// Writes the head of a group and turns to what it says.
    fn head(&mut self, out: &mut BitWriter<'_>, columns: &[Column], next: &Head<COLUMNS>) {
        let now = self.before.head(0);
        if next.unit == now.unit && next.fronts == now.fronts && !next.stored {
            return head::write_same(out, next.points);
        }
        // Plain bits have no probabilities to remember.
        let mut heads = Heads::NEW;
        let _ = heads.code(out, GROUP_BITS, columns, &now, next);
        out.align();
        if next.stored {
            return;
        }
        if next.unit != now.unit {
            (self.time, self.step, self.steps) = (Trail::default(), 0, 0);
        }
        for ((trail, front), before) in self.trails.iter_mut().zip(&next.fronts).zip(&now.fronts) {
            if front != before {
                *trail = Trail::default();
            }
        }
        (self.before.unit, self.before.fronts) = (next.unit, next.fronts);
    }

    /// Writes the timestamps.
    #[inline(never)]
    fn times(&mut self, out: &mut BitWriter<'_>, waiting: &Waiting<'_>) {
        let mut indices = [0; GROUP];
        let skipped = self.time.moved.wrapping_mul(i64::from(self.steps));
        let (mut index, mut before, mut units) = (self.time.last.wrapping_add(skipped), 0, 0);
        (self.time.last, self.steps) = (index, 0);
        for (to, time) in indices.iter_mut().zip(waiting.times()) {
            let difference = time.wrapping_sub(self.before.last);
            // Mostly it is the one before again, and dividing is slow.
            if difference != before {
                let unit = self.before.unit as i64;
                (before, units) = (difference, difference.checked_div(unit).unwrap_or(i64::MIN));
            }
            index = index.wrapping_add(units);
            (*to, self.before.last) = (index, time);
        }
        let count = waiting.count().min(GROUP);
        section::write(out, &mut self.time, indices.get(..count).unwrap_or_default(), Tag::default());
        self.step = self.time.moved.wrapping_mul(self.before.unit as i64);
    }

    /// Whether all columns are integers of 32 bits that are multiples of 1: any value is.
    #[inline(always)]
    fn ones(&self, columns: &[Column]) -> bool {
        let mut fronts = self.before.fronts.iter().zip(columns);
        fronts.all(|(front, column)| column.kind == Kind::I32 && *front == Front::first(Kind::I32))
    }

    /// Writes a group of such columns whose times go on as of late.
    #[inline(always)]
    fn write_same(&mut self, buffer: &mut [u8], waiting: &Waiting<'_>, room: usize) -> Coded {
        let (count, before) = (waiting.count().min(GROUP), self.trails);
        let mut out = BitWriter::new(self.bits, buffer);
        head::write_same(&mut out, count);
        section::write_steady(&mut out, &self.time);
        let mut at = 8;
        for (trail, _) in self.trails.iter_mut().zip(waiting.columns) {
            column::write_ones(&mut out, trail, waiting, at);
            at += 4;
        }
        let coded = Coded::of(!out.state.over, out.state.end(), room);
        if coded != Coded::Fits {
            self.trails = before;
            return coded;
        }
        self.bits = out.state;
        self.groups = self.groups.wrapping_add(1);
        self.went_on(waiting);
        coded
    }

    /// All timestamps go on as of late.
    #[inline(always)]
    fn went_on(&mut self, waiting: &Waiting<'_>) {
        self.steps += waiting.count() as u32;
        self.before.last = waiting.last_time();
    }

    /// Writes a group; whether every value lay on its lattice. `kept` means that nothing changes before it.
    #[inline(always)]
    fn write(
        &mut self,
        buffer: &mut [u8],
        waiting: &Waiting<'_>,
        first: bool,
        kept: bool,
        mut sums: Sums<'_, COLUMNS>,
    ) -> bool {
        let columns = waiting.columns;
        let count = waiting.count().min(GROUP);
        // Whether all timestamps go on as of late.
        let steady = waiting.step == Some(self.step);
        let mut next = self.before.head(count);
        if !steady || first {
            next.unit = unit_of(self.before.unit, first, self.before.last, waiting.times());
        }
        let mut at = 8;
        for (front, column) in next.fronts.iter_mut().zip(columns) {
            if !kept {
                *front = choose(column, *front, !first, waiting.words(at, column.kind.bits()));
            }
            at += column.kind.bits() as usize / 8;
        }
        if first {
            self.unlearn(columns);
        }
        let mut out = BitWriter::new(self.bits, buffer);
        self.head(&mut out, columns, &next);

        if steady {
            section::write_steady(&mut out, &self.time);
            self.went_on(waiting);
        } else {
            self.times(&mut out, waiting);
        }
        let (mut at, mut all) = (8, true);
        for (number, ((front, column), trail)) in
            next.fronts.iter().zip(columns).zip(&mut self.trails).enumerate()
        {
            let summary = sums.as_deref_mut().and_then(|sums| sums.get_mut(number));
            if column.kind == Kind::I32 && *front == Front::first(Kind::I32) && summary.is_none() {
                column::write_ones(&mut out, trail, waiting, at);
            } else {
                all &= column::write(&mut out, *front, column, trail, waiting, at, first, summary);
            }
            at += column.kind.bits() as usize / 8;
        }
        self.bits = out.state;
        all
    }
}

impl<const COLUMNS: usize> WriteSide<COLUMNS> for PackWrite<COLUMNS> {
    fn new(columns: &[Column; COLUMNS], _: usize) -> Option<Self> {
        Some(PackWrite {
            bits: BitState::at(0),
            before: Before::block(0, columns),
            time: Trail::default(),
            step: 0,
            steps: 0,
            trails: [Trail::default(); COLUMNS],
            groups: 0,
        })
    }

    fn start(&mut self, first: i64, at: usize, _: &[Column]) {
        (self.bits, self.before.last, self.time) = (BitState::at(at), first, Trail::default());
        (self.step, self.steps) = (0, 0);
        (self.trails, self.groups) = ([Trail::default(); COLUMNS], 0);
    }

    fn end_bound(&self) -> usize {
        self.bits.end()
    }

    fn code(
        &mut self,
        buffer: &mut [u8],
        waiting: &Waiting<'_>,
        first: bool,
        room: usize,
        mut sums: Sums<'_, COLUMNS>,
    ) -> Coded {
        if !first && sums.is_none() && waiting.step == Some(self.step) && self.ones(waiting.columns) {
            return self.write_same(buffer, waiting, room);
        }
        // Mostly everything is as in the group before: a first try finds out while it writes.
        let bits = self.before.fronts.iter().any(|front| matches!(front, Front::Bits { .. }));
        let search = first || (bits && self.groups.is_multiple_of(16));
        let (before, sums_before) = (*self, sums.as_deref().copied());
        if search || !self.write(buffer, waiting, first, true, sums.as_deref_mut()) {
            *self = before;
            if let (Some(sums), Some(before)) = (sums.as_deref_mut(), sums_before) {
                *sums = before;
            }
            self.write(buffer, waiting, first, false, sums);
        }
        let coded = Coded::of(!self.bits.over, self.bits.end(), room);
        if coded != Coded::Fits {
            *self = before;
            return coded;
        }
        self.groups = self.groups.wrapping_add(1);
        coded
    }

    fn store(&mut self, buffer: &mut [u8], count: usize, columns: &[Column], first: bool) {
        if first {
            self.unlearn(columns);
        }
        let head = Head { stored: true, ..self.before.head(count) };
        let mut out = BitWriter::new(self.bits, buffer);
        self.head(&mut out, columns, &head);
        self.bits = out.state;
    }

    fn store_point(&mut self, buffer: &mut [u8], columns: &[Column], time: i64, words: &[Word]) {
        let mut out = BitWriter::new(self.bits, buffer);
        out.bytes(&time.to_le_bytes());
        for (word, column) in words.iter().zip(columns) {
            let bytes = word.0.to_le_bytes();
            out.bytes(bytes.get(..column.kind.bits() as usize / 8).unwrap_or_default());
        }
        self.bits = out.state;
        self.before.last = time;
    }

    fn finish(self, _: &mut [u8], _: usize) -> Option<usize> {
        (!self.bits.over).then_some(self.bits.end())
    }
}

/// The unit of time for a group: what is in use, if all differences are multiples of it and it is not 1.
fn unit_of(now: u64, first: bool, last: i64, times: impl Iterator<Item = i64> + Clone) -> u64 {
    // Mostly a difference is the one before again, and dividing is slow.
    let (mut last, mut before) = (last, 0);
    let new = move |time: i64| {
        let difference = time.wrapping_sub(last);
        last = time;
        let new = difference != before;
        before = difference;
        new.then_some(difference.unsigned_abs())
    };
    if !first && now == 1 {
        return now;
    }
    if now > 1 && times.clone().filter_map(new).all(|difference| difference.is_multiple_of(now)) {
        return now;
    }
    let mut unit = 0;
    for difference in times.filter_map(new) {
        unit = greatest_common_divisor(unit, difference);
        if unit == 1 {
            return 1;
        }
    }
    if unit == 0 || unit > i64::MAX as u64 { 1 } else { unit }
}
