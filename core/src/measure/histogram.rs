//! Exact counts of how often each bin of each band occurs.
//!
//! Counting is in 32 bits, because tables of 64 would leave the processor's cache. Invariant: a count is
//! `high * 2^31` plus its low tables, and before the pixels since the last carry could make a low table overflow, its
//! top bit is carried to `high`. So counts are exact up to 2^63, with 8 bytes a bin.

use super::measured::Measured;
use crate::budget::{Budget, Exhausted, Layout};
use crate::shape::{SampleKind, Shape};

/// Low counts are below this after a carry, and at most so many pixels are counted before the next.
const CARRY: u32 = 1 << 31;

/// Counts per band and bin.
#[derive(Debug)]
pub(super) struct Histogram<'a> {
    low: &'a mut [u32],
    high: &'a mut [u32],
    kind: SampleKind,
    bands: usize,
    /// Pixels counted since the last carry.
    pending: u32,
}

/// Bins of one band.
pub(super) const fn bins(kind: SampleKind) -> usize {
    if kind.bytes() == 1 { 256 } else { 65536 }
}

/// Low tables: one for each band; for 8 bits, where the same few bins would wait for each other, enough to count four
/// samples in a row into tables of their own.
const fn tables(kind: SampleKind, bands: usize) -> usize {
    match bands {
        1 | 2 if kind.bytes() == 1 => 4,
        3 if kind.bytes() == 1 => 6,
        bands => bands,
    }
}

impl<'a> Histogram<'a> {
    /// The leases after those of `layout`: 8 bytes a bin; 20, 12, 12 for one, two, three bands of 8 bits.
    pub(super) const fn layout(layout: Layout, shape: Shape) -> Layout {
        let bins = bins(shape.kind) as u64;
        let tables = tables(shape.kind, shape.bands as usize) as u64;
        layout.with::<u32>(tables * bins).with::<u32>(shape.bands as u64 * bins)
    }

    pub(super) fn new(shape: Shape, budget: &mut Budget<'a>) -> Result<Self, Exhausted> {
        let bands = usize::from(shape.bands);
        let low =
            budget.lease::<u32>("histogram", tables(shape.kind, bands).saturating_mul(bins(shape.kind)))?;
        let high = budget.lease::<u32>("histogram", bands.saturating_mul(bins(shape.kind)))?;
        low.fill(0);
        high.fill(0);
        Ok(Self { low, high, kind: shape.kind, bands, pending: 0 })
    }

    /// Counts whole pixels, fewer than 2^31 of them.
    #[inline(always)]
    pub(super) fn count<T: Measured>(&mut self, samples: &[T]) {
        let pixels = samples.len().checked_div(self.bands).unwrap_or(0) as u32;
        if pixels > CARRY - self.pending {
            self.carry();
        }
        self.pending = self.pending.saturating_add(pixels);
        let tables = tables(self.kind, self.bands);
        if T::KIND.bytes() == 1 {
            let low = self.low.as_chunks_mut().0;
            match tables {
                4 => count_in_turn::<T, 4>(samples, low),
                6 => count_in_turn::<T, 6>(samples, low),
                _ => count_8_bits(samples, low),
            }
        } else {
            count_16_bits(samples, self.low.as_chunks_mut().0);
        }
    }

    /// Takes the top bit of the low counts to the high ones.
    fn carry(&mut self) {
        let bins = bins(self.kind);
        let high_bins = self.high.len().max(1);
        for (at, table) in self.low.chunks_exact_mut(bins).enumerate() {
            let high = self.high.get_mut(at * bins % high_bins..).unwrap_or_default();
            for (low, high) in table.iter_mut().zip(high) {
                *high = high.saturating_add(*low / CARRY);
                *low %= CARRY;
            }
        }
        self.pending = 0;
    }

    /// Adds the counts of `other`, which is of the same kind and bands.
    pub(super) fn merge(&mut self, other: &Histogram<'_>) {
        self.carry();
        for (high, other) in self.high.iter_mut().zip(other.high.iter()) {
            *high = high.saturating_add(*other);
        }
        for (low, other) in self.low.iter_mut().zip(other.low.iter()) {
            // The top bit of the sum of two is carried below; that of `other` alone must not be lost here.
            *low += other % CARRY;
        }
        let high_bins = self.high.len().max(1);
        self.carry();
        for (at, other) in other.low.iter().enumerate() {
            if let Some(high) = self.high.get_mut(at % high_bins) {
                *high = high.saturating_add(other / CARRY);
            }
        }
    }

    /// How often `bin` occurs in `band`.
    pub(super) fn get(&self, band: usize, bin: u16) -> u64 {
        let bins = bins(self.kind);
        let at = band.saturating_mul(bins).saturating_add(usize::from(bin));
        let low = self.low.get(at..).unwrap_or_default().iter().step_by(self.high.len().max(1));
        let high = self.high.get(at).map_or(0, |high| u64::from(*high) * u64::from(CARRY));
        low.fold(high, |sum, low| sum + u64::from(*low))
    }

    /// Number of bands.
    pub(super) fn bands(&self) -> usize {
        self.bands
    }
}

/// As many samples in a row as there are tables, each into its own.
#[inline(always)]
fn count_in_turn<T: Measured, const N: usize>(samples: &[T], tables: &mut [[u32; 256]]) {
    let Some(tables) = tables.first_chunk_mut::<N>() else { return };
    let (groups, rest) = samples.as_chunks::<N>();
    for group in groups {
        for (sample, table) in group.iter().zip(tables.iter_mut()) {
            let count = &mut table[usize::from(sample.bin() as u8)];
            *count = count.wrapping_add(1);
        }
    }
    for (sample, table) in rest.iter().zip(tables) {
        let count = &mut table[usize::from(sample.bin() as u8)];
        *count = count.wrapping_add(1);
    }
}

#[inline(always)]
fn count_8_bits<T: Measured>(samples: &[T], tables: &mut [[u32; 256]]) {
    for pixel in samples.chunks(tables.len().max(1)) {
        for (sample, table) in pixel.iter().zip(tables.iter_mut()) {
            let count = &mut table[usize::from(sample.bin() as u8)];
            *count = count.wrapping_add(1);
        }
    }
}

/// Band by band, so that one table at a time is in the cache.
#[inline(always)]
fn count_16_bits<T: Measured>(samples: &[T], tables: &mut [[u32; 65536]]) {
    if let [table] = tables {
        for sample in samples {
            let count = &mut table[usize::from(sample.bin())];
            *count = count.wrapping_add(1);
        }
        return;
    }
    let bands = tables.len().max(1);
    for (band, table) in tables.iter_mut().enumerate() {
        for pixel in samples.chunks_exact(bands) {
            if let Some(sample) = pixel.get(band) {
                let count = &mut table[usize::from(sample.bin())];
                *count = count.wrapping_add(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn with<R>(bands: u16, kind: SampleKind, work: impl FnOnce(&mut Histogram<'_>) -> R) -> R {
        let shape = Shape::new(1, 1, bands, kind);
        let bytes = Histogram::layout(Layout::new(), shape).bytes() as usize;
        let mut arena = vec![0xa5u8; bytes + crate::budget::ALIGN];
        let skip = arena.as_ptr().align_offset(crate::budget::ALIGN);
        let mut budget = Budget::new(&mut arena[skip..skip + bytes]);
        let result = work(&mut Histogram::new(shape, &mut budget).unwrap());
        assert_eq!(budget.stats().free, 0, "the layout is exact");
        result
    }

    #[test]
    fn counts_are_those_of_a_sort() {
        // Under the interpreter a table of 65536 bins takes minutes.
        let (most, pixels) = if cfg!(miri) { (3, 11) } else { (7u16, 1001) };
        for bands in 1..=most {
            let samples: Vec<u8> = (0..bands as u32 * pixels).map(|i| (i * i / 7) as u8 / 9).collect();
            let wide: Vec<i16> = samples.iter().map(|x| i16::from(*x) * 200 - 2000).collect();
            let naive = |band: u16, value: u8| {
                let own = samples.iter().skip(band.into()).step_by(bands.into());
                own.filter(|x| **x == value).count() as u64
            };
            with(bands, SampleKind::U8, |counts| {
                counts.count(&samples);
                let values = 0..=if cfg!(miri) { 9 } else { 255 };
                for (band, value) in
                    (0..bands).flat_map(|band| values.clone().map(move |value| (band, value)))
                {
                    assert_eq!(counts.get(band.into(), value.into()), naive(band, value));
                }
            });
            if cfg!(miri) {
                continue;
            }
            with(bands, SampleKind::I16, |counts| {
                counts.count(&wide);
                for (band, value) in (0..bands).flat_map(|band| (0..=29).map(move |value| (band, value))) {
                    let bin = (i16::from(value) * 200 - 2000).bin();
                    assert_eq!(counts.get(band.into(), bin), naive(band, value));
                }
            });
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "a hundred carries of all tables: minutes under the interpreter")]
    fn counts_pass_two_to_the_32() {
        for bands in [1, 3, 5u16] {
            with(bands, SampleKind::U8, |counts| {
                let pixel = vec![7u8; bands.into()];
                counts.count(&pixel);
                // Doubling 40 times makes 2^40 of one, with a carry at every size.
                for power in 1..=40 {
                    with(bands, SampleKind::U8, |copy| {
                        copy.merge(counts);
                        counts.merge(copy);
                    });
                    counts.count(&pixel);
                    let expected = (1u64 << power) + (1 << power) - 1;
                    assert_eq!(counts.get(usize::from(bands) - 1, 7), expected, "after {power} doublings");
                }
                assert_eq!(counts.get(0, 6), 0);
            });
        }
    }

    #[test]
    fn a_low_count_is_carried_just_before_it_could_overflow() {
        fn check<T: Measured>(kind: SampleKind) {
            with(1, kind, |counts| {
                counts.low[9] = CARRY - 1;
                counts.pending = CARRY - 1;
                counts.count(&[T::from_f64(9.0)]);
                assert_eq!((counts.low[9], counts.pending), (CARRY, CARRY));
                counts.count(&[T::from_f64(9.0)]);
                assert_eq!((counts.low[9], counts.high[9], counts.pending), (1, 1, 1));
                // The fullest low tables that can meet in a merge.
                counts.low[9] = u32::MAX;
                counts.high[9] = 0;
                with(1, kind, |other| {
                    other.low[9] = u32::MAX;
                    counts.merge(other);
                });
                assert_eq!(counts.get(0, 9), 2 * u64::from(u32::MAX));
            });
        }
        check::<u8>(SampleKind::U8);
        // Tables of 65536 bins take minutes.
        if !cfg!(miri) {
            check::<u16>(SampleKind::U16);
        }
    }
}
