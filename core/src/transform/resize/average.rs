//! Averages of blocks of pixels: whole rows are added up column by column, then the columns of a block.
//!
//! The invariant: sums of integers are exact. Floats are added in double precision in the order of the rows and then
//! of the columns, so the result does not depend on how many rows come at a time.

use crate::shape::{Rows, Sample};
use crate::strip::Strip;

/// A kind of sample whose averages can be taken.
pub trait Average: Sample {
    /// The sum of a column of up to 65535 samples.
    type Column: bytemuck::Pod + Default;
    /// The sum of a block.
    type Total: bytemuck::Pod + Default;

    /// `sum` and some samples more, in order.
    fn add<const N: usize>(sum: Self::Column, samples: [Self; N]) -> Self::Column;
    /// One sample as the sum of a column.
    fn column(self) -> Self::Column;
    /// `total` and `units` times `column`.
    fn add_column(total: Self::Total, column: Self::Column, units: u32) -> Self::Total;
    /// `total` and `units` times another.
    fn add_total(total: Self::Total, other: Self::Total, units: u32) -> Self::Total;
    /// The mean as a sample: halves up for integers, to the nearest for floats.
    fn mean(total: Self::Total, count: &Count) -> Self;
    /// The mean, not rounded to a sample.
    fn exact(total: Self::Total, count: &Count) -> f64;
}

/// How many samples a total is of, ready to divide by.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    count: u64,
    /// `ceil(2^46 / count)`, for counts that it divides exactly; 0 for others.
    magic: u64,
    inverse: f64,
}

const MAGIC_BITS: u32 = 46;

impl Count {
    /// Of `count` samples (at least 1).
    pub fn new(count: u64) -> Self {
        let count = count.max(1);
        // x / count == x * magic >> 46 for every x < 2^16 * count: the magic is too large by less than count / 2^46,
        // and x * count < 2^46 (Granlund and Montgomery, "Division by invariant integers using multiplication", 1994).
        let magic = if count < 1 << 15 { (1u64 << MAGIC_BITS).div_ceil(count) } else { 0 };
        Self { count, magic, inverse: 1.0 / count as f64 }
    }

    /// `total / count` to the nearest, halves up, for a total of at most `65535 * count`.
    #[inline(always)]
    fn divide(&self, total: u64) -> u64 {
        let total = total.wrapping_add(self.count / 2);
        match self.magic {
            0 => total.checked_div(self.count).unwrap_or(0),
            magic => total.wrapping_mul(magic) >> MAGIC_BITS,
        }
    }
}

macro_rules! integer {
    ($($t:ty, $small:ty, $column:ty, $lowest:expr);* $(;)?) => {$(
        impl Average for $t {
            type Column = $column;
            type Total = i64;

            #[inline(always)]
            fn add<const N: usize>(sum: $column, samples: [$t; N]) -> $column {
                // At most eight of them: they fit the small type.
                let some = samples.into_iter().fold(0 as $small, |sum, x| sum.wrapping_add(<$small>::from(x)));
                sum.wrapping_add(<$column>::from(some))
            }

            #[inline(always)]
            fn column(self) -> $column {
                <$column>::from(self)
            }

            #[inline(always)]
            fn add_column(total: i64, column: $column, units: u32) -> i64 {
                total.wrapping_add(i64::from(column).wrapping_mul(i64::from(units)))
            }

            #[inline(always)]
            fn add_total(total: i64, other: i64, units: u32) -> i64 {
                total.wrapping_add(other.wrapping_mul(i64::from(units)))
            }

            #[inline(always)]
            fn mean(total: i64, count: &Count) -> $t {
                const LOWEST: i64 = $lowest;
                let above = total.wrapping_sub((count.count as i64).wrapping_mul(LOWEST)) as u64;
                (count.divide(above) as i64).wrapping_add(LOWEST) as $t
            }

            #[inline(always)]
            fn exact(total: i64, count: &Count) -> f64 {
                total as f64 * count.inverse
            }
        }
    )*};
}
integer!(u8, u16, u32, 0; u16, u32, u32, 0; i16, i32, i32, -32768);

/// Columns and totals of 64-bit samples. A column of 2^16 of them has 80 bits, a block of 2^46 units 110.
macro_rules! long {
    ($($t:ty),*) => {$(
        impl Average for $t {
            type Column = i128;
            type Total = i128;

            #[inline(always)]
            fn add<const N: usize>(sum: i128, samples: [$t; N]) -> i128 {
                samples.into_iter().fold(sum, |sum, x| sum.wrapping_add(i128::from(x)))
            }

            #[inline(always)]
            fn column(self) -> i128 {
                i128::from(self)
            }

            #[inline(always)]
            fn add_column(total: i128, column: i128, units: u32) -> i128 {
                total.wrapping_add(column.wrapping_mul(i128::from(units)))
            }

            #[inline(always)]
            fn add_total(total: i128, other: i128, units: u32) -> i128 {
                total.wrapping_add(other.wrapping_mul(i128::from(units)))
            }

            #[inline(always)]
            fn mean(total: i128, count: &Count) -> $t {
                let count = i128::from(count.count);
                total.wrapping_add(count / 2).checked_div_euclid(count).unwrap_or(0) as $t
            }

            #[inline(always)]
            fn exact(total: i128, count: &Count) -> f64 {
                total as f64 / count.count as f64
            }
        }
    )*};
}
long!(u64, i64);

/// Columns and totals in double precision: of floats, and of 32-bit integers.
macro_rules! doubles {
    ($($t:ty, |$x:ident| $round:expr);* $(;)?) => {$(
        impl Average for $t {
            type Column = f64;
            type Total = f64;

            #[inline(always)]
            fn add<const N: usize>(sum: f64, samples: [$t; N]) -> f64 {
                samples.into_iter().fold(sum, |sum, x| sum + x.to_f64())
            }

            #[inline(always)]
            fn column(self) -> f64 {
                self.to_f64()
            }

            #[inline(always)]
            fn add_column(total: f64, column: f64, units: u32) -> f64 {
                total + column * f64::from(units)
            }

            #[inline(always)]
            fn add_total(total: f64, other: f64, units: u32) -> f64 {
                total + other * f64::from(units)
            }

            #[inline(always)]
            fn mean(total: f64, count: &Count) -> $t {
                let $x = total / count.count as f64;
                $round
            }

            #[inline(always)]
            fn exact(total: f64, count: &Count) -> f64 {
                total / count.count as f64
            }
        }
    )*};
}
doubles!(
    u32, |x| libm::floor(x + 0.5) as u32;
    i32, |x| libm::floor(x + 0.5) as i32;
    f32, |x| x as f32;
    f64, |x| x
);

/// Adds `rows` of a strip to the sums of their columns. Where the sums `begin` with these rows, what was there before
/// is of no account: it costs less than to set it to zero.
#[inline(always)]
pub(in crate::transform) fn add_rows<T: Average>(
    columns: &mut [T::Column],
    input: &Strip<'_>,
    rows: Rows,
    begin: bool,
) {
    let (mut row, mut begin) = (rows.start(), begin);
    while row < rows.end() {
        let left = Rows::new(row, rows.end());
        let added = if begin {
            add_some::<T, true>(columns, input, left)
        } else {
            add_some::<T, false>(columns, input, left)
        };
        row += added;
        begin = false;
    }
}

/// Adds the first few of `rows`, or begins with them; gives how many.
#[inline(always)]
fn add_some<T: Average, const BEGIN: bool>(columns: &mut [T::Column], input: &Strip<'_>, rows: Rows) -> u32 {
    let at = |further: u32| input.row::<T>(rows.start() + further);
    let start = |sum: T::Column| if BEGIN { T::Column::default() } else { sum };
    match rows.len() {
        8.. => {
            let lower = at(4).iter().zip(at(5)).zip(at(6)).zip(at(7));
            let upper = at(0).iter().zip(at(1)).zip(at(2)).zip(at(3));
            for ((sum, (((a, b), c), d)), (((e, f), g), h)) in columns.iter_mut().zip(upper).zip(lower) {
                *sum = T::add(start(*sum), [*a, *b, *c, *d, *e, *f, *g, *h]);
            }
            8
        }
        4.. => {
            for ((((sum, a), b), c), d) in columns.iter_mut().zip(at(0)).zip(at(1)).zip(at(2)).zip(at(3)) {
                *sum = T::add(start(*sum), [*a, *b, *c, *d]);
            }
            4
        }
        3 => {
            for (((sum, a), b), c) in columns.iter_mut().zip(at(0)).zip(at(1)).zip(at(2)) {
                *sum = T::add(start(*sum), [*a, *b, *c]);
            }
            3
        }
        2 => {
            for ((sum, a), b) in columns.iter_mut().zip(at(0)).zip(at(1)) {
                *sum = T::add(start(*sum), [*a, *b]);
            }
            2
        }
        _ => {
            for (sum, a) in columns.iter_mut().zip(at(0)) {
                *sum = T::add(start(*sum), [*a]);
            }
            1
        }
    }
}

/// Adds up the columns of each block of `block` pixels, and gives the totals of all bands to `take`, in order, with
/// the number of pixels of the block: the last one may be cut.
#[inline(always)]
pub(in crate::transform) fn add_blocks<T: Average>(
    columns: &[T::Column],
    bands: usize,
    block: usize,
    mut take: impl FnMut(T::Total, usize, usize),
) {
    match bands {
        1 => add_blocks_of::<T, 1>(columns, block, &mut take),
        3 => add_blocks_of::<T, 3>(columns, block, &mut take),
        4 => add_blocks_of::<T, 4>(columns, block, &mut take),
        _ => {
            let blocks = columns.chunks(block.saturating_mul(bands).max(1));
            for (index, columns) in blocks.enumerate() {
                for band in 0..bands {
                    let samples = columns.iter().skip(band).step_by(bands.max(1));
                    let total =
                        samples.fold(T::Total::default(), |sum, column| T::add_column(sum, *column, 1));
                    take(total, columns.len() / bands.max(1), index * bands + band);
                }
            }
        }
    }
}

#[inline(always)]
fn add_blocks_of<T: Average, const BANDS: usize>(
    columns: &[T::Column],
    block: usize,
    take: &mut impl FnMut(T::Total, usize, usize),
) {
    let (pixels, _) = columns.as_chunks::<BANDS>();
    for (index, pixels) in pixels.chunks(block.max(1)).enumerate() {
        let mut totals = [T::Total::default(); BANDS];
        for pixel in pixels {
            for (total, column) in totals.iter_mut().zip(pixel) {
                *total = T::add_column(*total, *column, 1);
            }
        }
        for (band, total) in totals.into_iter().enumerate() {
            take(total, pixels.len(), index * BANDS + band);
        }
    }
}
