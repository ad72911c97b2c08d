//! The two ends of the `pack` back end.

use super::super::back::{ReadSide, Waiting, WriteSide};
use super::super::bits::{BitReader, BitState, BitWriter};
use super::super::choose::{choose, greatest_common_divisor};
use super::super::header::Header;
use super::super::heads::{Head, Heads};
use super::super::lattice::{Front, MOST_ULPS, Place};
use super::super::settings::{Column, Tolerance};
use super::super::summary::Summary;
use super::super::word::{Kind, Word};
use super::GROUP;
use super::section::{self, Cursor, Tag, Trail};

/// Bits of a group's points.
const GROUP_BITS: u32 = GROUP.ilog2();

/// What both sides know of the group before.
#[derive(Clone, Copy, Debug)]
struct Before<const COLUMNS: usize> {
    last: i64,
    unit: u64,
    fronts: [Front; COLUMNS],
}

impl<const COLUMNS: usize> Before<COLUMNS> {
    /// At the start of a block.
    fn block(first: i64, columns: &[Column; COLUMNS]) -> Self {
        Before { last: first, unit: 1, fronts: columns.map(|column| Front::first(column.kind)) }
    }

    fn head(&self, points: usize) -> Head<COLUMNS> {
        Head { points, stored: false, unit: self.unit, fronts: self.fronts }
    }
}

/// Writes groups.
#[derive(Clone, Copy, Debug)]
pub struct PackWrite<const COLUMNS: usize> {
    bits: BitState,
    before: Before<COLUMNS>,
    time: Trail,
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
        // Plain bits have no probabilities to remember.
        let mut heads = Heads::NEW;
        let _ = heads.code(out, GROUP_BITS, columns, &now, next);
        out.align();
        if next.stored {
            return;
        }
        if next.unit != now.unit {
            self.time = Trail::default();
        }
        for ((trail, front), before) in self.trails.iter_mut().zip(&next.fronts).zip(&now.fronts) {
            if front != before {
                *trail = Trail::default();
            }
        }
        (self.before.unit, self.before.fronts) = (next.unit, next.fronts);
    }

    /// Writes a group; whether every value lay on its lattice. `kept` means that nothing changes before it.
    #[inline(always)]
    fn write(
        &mut self,
        buffer: &mut [u8],
        waiting: &Waiting<'_>,
        first: bool,
        kept: bool,
        summary: Option<&mut [Summary; COLUMNS]>,
    ) -> bool {
        let columns = waiting.columns;
        let count = waiting.count().min(GROUP);
        let mut differences = [0; GROUP];
        let differences = differences.get_mut(..count).unwrap_or_default();
        let mut last = self.before.last;
        for (difference, time) in differences.iter_mut().zip(waiting.times()) {
            *difference = time.wrapping_sub(last);
            last = time;
        }
        let mut next = self.before.head(count);
        next.unit = unit_of(self.before.unit, differences, first);
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

        let mut indices = [0; GROUP];
        let indices = indices.get_mut(..count).unwrap_or_default();
        let (mut index, mut before, mut units) = (self.time.last, 0, 0);
        for (to, difference) in indices.iter_mut().zip(differences.iter()) {
            // Mostly it is the one before again, and dividing is slow.
            if *difference != before {
                (before, units) = (*difference, difference.wrapping_div(next.unit as i64));
            }
            index = index.wrapping_add(units);
            *to = index;
        }
        section::write(&mut out, &mut self.time, indices, Tag::default());
        self.before.last = last;

        let (mut at, mut all) = (8, true);
        let mut summaries = summary;
        for (number, ((front, column), trail)) in
            next.fronts.iter().zip(columns).zip(&mut self.trails).enumerate()
        {
            let words = waiting.words(at, column.kind.bits());
            at += column.kind.bits() as usize / 8;
            let summary = summaries.as_deref_mut().and_then(|summaries| summaries.get_mut(number));
            all &= column_section(&mut out, *front, column, trail, words, indices, first, summary);
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
            trails: [Trail::default(); COLUMNS],
            groups: 0,
        })
    }

    fn start(&mut self, first: i64, at: usize, _: &[Column]) {
        (self.bits, self.before.last, self.time) = (BitState::at(at), first, Trail::default());
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
        mut summary: Option<&mut [Summary; COLUMNS]>,
    ) -> bool {
        // Mostly everything is as in the group before: a first try finds out while it writes.
        let bits = self.before.fronts.iter().any(|front| matches!(front, Front::Bits { .. }));
        let search = first || (bits && self.groups.is_multiple_of(16));
        self.groups = self.groups.wrapping_add(1);
        let (before, sums) = (*self, summary.as_deref().copied());
        if !search && self.write(buffer, waiting, first, true, summary.as_deref_mut()) {
            return !self.bits.over;
        }
        *self = before;
        if let (Some(summary), Some(sums)) = (summary.as_deref_mut(), sums) {
            *summary = sums;
        }
        self.write(buffer, waiting, first, false, summary);
        !self.bits.over
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
fn unit_of(now: u64, differences: &[i64], first: bool) -> u64 {
    let mut before = 0;
    let whole = |difference: &i64| {
        // Mostly it is the one before again, and dividing is slow.
        let whole = *difference == before || difference.unsigned_abs().is_multiple_of(now);
        before = *difference;
        whole
    };
    if (now > 1 || !first) && (now == 1 || differences.iter().all(whole)) {
        return now;
    }
    let mut unit = 0;
    for difference in differences {
        unit = greatest_common_divisor(unit, difference.unsigned_abs());
        if unit == 1 {
            return 1;
        }
    }
    if unit == 0 || unit > i64::MAX as u64 { 1 } else { unit }
}

/// Writes the values of one column.
#[allow(clippy::too_many_arguments)] // Of one caller, for the sake of its length.
#[inline(always)]
fn column_section(
    out: &mut BitWriter<'_>,
    front: Front,
    column: &Column,
    trail: &mut Trail,
    words: impl Iterator<Item = Word> + Clone,
    indices: &mut [i64],
    first: bool,
    summary: Option<&mut Summary>,
) -> bool {
    let mut ulps = [0_i8; GROUP];
    let mut mask = 0_u64;
    let exact = column.tolerance == Tolerance::Lossless || !matches!(front, Front::Grid { .. });
    if !exact || !front.split_all(column.kind, words.clone(), indices, &mut ulps) {
        let mut last = trail.last;
        for (at, ((index, word), ulps)) in indices.iter_mut().zip(words.clone()).zip(&mut ulps).enumerate() {
            let place = front.fit(column, word);
            mask |= u64::from(place.is_none()) << at;
            let place = place.unwrap_or(Place { index: last, ulps: 0 });
            last = place.index;
            (*index, *ulps) = (last, place.ulps as i8);
        }
    }
    let corrected = ulps.iter().fold(0, |all, ulps| all | ulps) != 0;
    let ulps = ulps.map(|ulps| (ulps + MOST_ULPS as i8) as u8);
    let tag = Tag { corrected, escaped: mask != 0, ..Tag::default() };
    section::write(out, trail, indices, tag);
    if tag.corrected {
        for pair in ulps.chunks(2).take(indices.len().div_ceil(2)) {
            out.bytes(&[pair[0] | pair.get(1).map_or(0, |high| high << 4)]);
        }
    }
    if tag.escaped {
        out.bytes(mask.to_le_bytes().get(..indices.len().div_ceil(8)).unwrap_or_default());
        for (at, word) in words.clone().enumerate() {
            if mask >> at & 1 == 1 {
                let bytes = word.0.to_le_bytes();
                out.bytes(bytes.get(..column.kind.bits() as usize / 8).unwrap_or_default());
            }
        }
    }
    if let Some(summary) = summary {
        for (at, ((index, word), ulps)) in indices.iter().zip(words).zip(ulps).enumerate() {
            let decoded = match mask >> at & 1 == 1 {
                true => word,
                false => front.join(column.kind, *index, i32::from(ulps) - MOST_ULPS),
            };
            summary.see(column.kind, decoded, first && at == 0);
        }
    }
    mask == 0
}

/// Reads groups.
#[derive(Clone, Copy, Debug)]
pub struct PackRead<const COLUMNS: usize> {
    at: u32,
    before: Before<COLUMNS>,
    time: Cursor,
    cursors: [Cursor; COLUMNS],
    /// Points of the group that are read, and that it has.
    done: u8,
    count: u8,
    stored: bool,
}

impl<const COLUMNS: usize> PackRead<COLUMNS> {
    /// Finds the parts of the section at `at`; gives where it ends, none if the payload ends before.
    fn section(payload: &[u8], at: usize, count: usize, bytes: usize, cursor: &mut Cursor) -> Option<usize> {
        let tag = Tag::of(*payload.get(at)?)?;
        let widths_at = at + 1;
        let residuals_at = widths_at + tag.width_bytes(count);
        *cursor = Cursor {
            tag,
            trail: cursor.trail,
            widths_at: widths_at as u32,
            residuals_at: residuals_at as u32,
            ..Cursor::default()
        };
        let mut end = residuals_at;
        for block in 0..count.div_ceil(8) {
            end += cursor.width(payload, block) as usize;
        }
        cursor.corrections_at = end as u32;
        end += if tag.corrected { count.div_ceil(2) } else { 0 };
        cursor.mask_at = end as u32;
        if tag.escaped {
            let mask = payload.get(end..)?.get(..count.div_ceil(8))?;
            let escapes: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
            end += mask.len();
            cursor.escapes_at = end as u32;
            end += escapes as usize * bytes;
        }
        (end <= payload.len()).then_some(end)
    }

    fn stored_points(
        &mut self,
        payload: &[u8],
        columns: &[Column],
        times: &mut [i64],
        values: &mut [Word],
    ) -> Option<()> {
        let size = super::super::bound::point_bytes(columns);
        for (time, values) in times.iter_mut().zip(values.chunks_exact_mut(columns.len().max(1))) {
            let point = payload.get(self.at as usize..)?.get(..size)?;
            *time = Waiting::point(point, columns, values);
            self.before.last = *time;
            self.at += size as u32;
        }
        Some(())
    }
}

impl<const COLUMNS: usize> ReadSide<COLUMNS> for PackRead<COLUMNS> {
    fn new(header: &Header, _: &[u8], columns: &[Column; COLUMNS]) -> Option<Self> {
        Some(PackRead {
            at: 0,
            before: Before::block(header.first, columns),
            time: Cursor::default(),
            cursors: [Cursor::default(); COLUMNS],
            done: 0,
            count: 0,
            stored: false,
        })
    }

    fn head(&mut self, payload: &[u8], columns: &[Column]) -> Option<u32> {
        let mut reader = BitReader::new(BitState::at(self.at as usize), payload);
        let now = self.before.head(0);
        let mut heads = Heads::NEW;
        let head = heads.code(&mut reader, GROUP_BITS, columns, &now, &now)?;
        reader.align();
        if reader.state.over {
            return None;
        }
        (self.count, self.done, self.stored) = (head.points as u8, 0, head.stored);
        let mut at = reader.state.at as usize;
        if !head.stored {
            if head.unit != now.unit {
                self.time.trail = Trail::default();
            }
            for ((cursor, front), before) in self.cursors.iter_mut().zip(&head.fronts).zip(&now.fronts) {
                if front != before {
                    cursor.trail = Trail::default();
                }
            }
            (self.before.unit, self.before.fronts) = (head.unit, head.fronts);
            at = Self::section(payload, at, head.points, 8, &mut self.time)?;
            for (cursor, column) in self.cursors.iter_mut().zip(columns) {
                at = Self::section(payload, at, head.points, column.kind.bits() as usize / 8, cursor)?;
            }
        }
        self.at = at as u32;
        Some(head.points as u32)
    }

    #[inline]
    fn point(&mut self, payload: &[u8], columns: &[Column], values: &mut [Word]) -> Option<i64> {
        let mut time = [0];
        self.points(payload, columns, &mut time, values)?;
        Some(time[0])
    }

    fn points(
        &mut self,
        payload: &[u8],
        columns: &[Column],
        times: &mut [i64],
        values: &mut [Word],
    ) -> Option<()> {
        if self.stored {
            return self.stored_points(payload, columns, times, values);
        }
        let (from, count) = (usize::from(self.done), times.len());
        let unit = self.before.unit as i64;
        let (mut last, mut index) = (self.before.last, self.time.trail.last);
        self.time.indices(payload, from, count, |at, now| {
            last = last.wrapping_add(now.wrapping_sub(index).wrapping_mul(unit));
            index = now;
            if let Some(time) = times.get_mut(at - from) {
                *time = last;
            }
        });
        self.before.last = last;
        let step = columns.len().max(1);
        for (column, (cursor, (front, kind))) in
            self.cursors.iter_mut().zip(self.before.fronts.iter().zip(columns)).enumerate()
        {
            let values = values.get_mut(column..).unwrap_or_default();
            column_points(cursor, payload, *front, kind.kind, from, count, step, values)?;
        }
        self.done += count as u8;
        Some(())
    }
}

/// Reads values of one column: from the `from`th of the group on, to every `step`th of `values`.
#[allow(clippy::too_many_arguments)] // Of one caller, for the sake of its length.
#[inline(always)]
fn column_points(
    cursor: &mut Cursor,
    payload: &[u8],
    front: Front,
    kind: Kind,
    from: usize,
    count: usize,
    step: usize,
    values: &mut [Word],
) -> Option<()> {
    let tag = cursor.tag;
    let corrections = payload.get(cursor.corrections_at as usize..)?;
    cursor.indices(payload, from, count, |at, index| {
        let ulps = match tag.corrected {
            false => 0,
            true => {
                let byte = corrections.get(at / 2).copied().unwrap_or(0);
                i32::from(byte >> (4 * (at % 2)) & 15) - MOST_ULPS
            }
        };
        if let Some(value) = values.get_mut((at - from) * step) {
            *value = front.join(kind, index, ulps);
        }
    });
    if tag.escaped {
        let mask = payload.get(cursor.mask_at as usize..)?;
        for at in from..from + count {
            if mask.get(at / 8)? >> (at % 8) & 1 == 1 {
                let bytes = kind.bits() as usize / 8;
                let mut word = [0; 8];
                let escape = payload.get(cursor.escapes_at as usize..)?.get(..bytes)?;
                for (to, from) in word.iter_mut().zip(escape) {
                    *to = *from;
                }
                cursor.escapes_at += bytes as u32;
                *values.get_mut((at - from) * step)? = Word(u64::from_le_bytes(word));
            }
        }
    }
    Some(())
}
