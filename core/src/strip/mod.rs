//! Strips: borrowed rows that keep the row numbers they have in the image.
//!
//! The rows lie densely in a ring of `slots` rows: row `y` is in slot `y % slots`. So rows are carried over from
//! strip to strip without moving, and a strip is at most two runs of bytes.

use core::num::NonZeroU32;

use crate::shape::{Cols, Region, Rows, Sample, Shape};

/// Rows that can be read.
#[derive(Clone, Copy, Debug)]
pub struct Strip<'a> {
    bytes: &'a [u8],
    row_bytes: usize,
    slots: NonZeroU32,
    region: Region,
    image: Shape,
}

/// Rows that can be written.
#[derive(Debug)]
pub struct StripMut<'a> {
    bytes: &'a mut [u8],
    row_bytes: usize,
    slots: NonZeroU32,
    region: Region,
    image: Shape,
}

/// Bytes of one row of `cols` columns of `image`, if the machine can address them.
fn row_bytes(image: &Shape, cols: Cols) -> Option<usize> {
    usize::try_from(u64::from(cols.len())).ok()?.checked_mul(image.pixel_bytes())
}

/// How many whole rows `bytes` holds.
fn slots(bytes: usize, row_bytes: usize) -> NonZeroU32 {
    let slots = bytes.checked_div(row_bytes).map_or(u32::MAX, |slots| slots.min(u32::MAX as usize) as u32);
    NonZeroU32::new(slots).unwrap_or(NonZeroU32::MIN)
}

/// The one or two byte ranges that rows take in a ring, first rows first.
fn split(rows: Rows, slots: NonZeroU32, row_bytes: usize) -> [core::ops::Range<usize>; 2] {
    let first = (rows.start() % slots) as usize;
    let before_wrap = (rows.len() as usize).min(slots.get() as usize - first);
    let after_wrap = (rows.len() as usize - before_wrap).min(first);
    [first * row_bytes..(first + before_wrap) * row_bytes, 0..after_wrap * row_bytes]
}

impl<'a> Strip<'a> {
    /// The rows and columns of `region` of an image of shape `image`, lying in `bytes` as a ring.
    ///
    /// The ring has as many slots as whole rows fit `bytes`. Returns `None` if that is fewer than `region` has rows.
    pub fn new(bytes: &'a [u8], region: Region, image: Shape) -> Option<Self> {
        let row_bytes = row_bytes(&image, region.cols)?;
        let slots = slots(bytes.len(), row_bytes);
        let fits = (region.rows.len() as usize).checked_mul(row_bytes)? <= bytes.len() || row_bytes == 0;
        fits.then_some(Self { bytes, row_bytes, slots, region, image })
    }

    /// The rows in it.
    pub fn rows(&self) -> Rows {
        self.region.rows
    }

    /// The columns in it.
    pub fn cols(&self) -> Cols {
        self.region.cols
    }

    /// Rows and columns.
    pub fn region(&self) -> Region {
        self.region
    }

    /// The shape of the whole image.
    pub fn image(&self) -> Shape {
        self.image
    }

    /// Samples in one row of the strip (its columns times the bands).
    pub fn row_samples(&self) -> usize {
        self.region.cols.len() as usize * self.image.bands as usize
    }

    /// Row number `row` of the image, as samples of the strip's columns with bands interleaved.
    ///
    /// Empty if the row is not in the strip or `T` is not its kind: neither happens in a planned run.
    #[inline(always)]
    pub fn row<T: Sample>(&self, row: u32) -> &'a [T] {
        if T::KIND != self.image.kind {
            return &[];
        }
        bytemuck::try_cast_slice(self.row_bytes(row)).unwrap_or(&[])
    }

    /// Row number `row` of the image as bytes; empty if it is not in the strip.
    #[inline(always)]
    pub fn row_bytes(&self, row: u32) -> &'a [u8] {
        debug_assert!(self.region.rows.contains(row), "row {row} of a strip of rows {}", self.region.rows);
        if !self.region.rows.contains(row) {
            return &[];
        }
        let start = (row % self.slots) as usize * self.row_bytes;
        self.bytes.get(start..start + self.row_bytes).unwrap_or(&[])
    }

    /// All rows as bytes in order: two runs, of which the second is empty unless the strip wraps around its ring.
    pub fn parts(&self) -> [&'a [u8]; 2] {
        split(self.region.rows, self.slots, self.row_bytes).map(|range| self.bytes.get(range).unwrap_or(&[]))
    }

    /// The same strip with fewer rows (those it shares with `rows`).
    pub fn narrowed(&self, rows: Rows) -> Self {
        Self { region: self.region.with_rows(self.region.rows.intersect(rows)), ..*self }
    }
}

impl<'a> StripMut<'a> {
    /// The rows and columns of `region` of an image of shape `image`, to be written into `bytes` as a ring.
    ///
    /// The ring has as many slots as whole rows fit `bytes`. Returns `None` if that is fewer than `region` has rows.
    pub fn new(bytes: &'a mut [u8], region: Region, image: Shape) -> Option<Self> {
        let row_bytes = row_bytes(&image, region.cols)?;
        let slots = slots(bytes.len(), row_bytes);
        let fits = (region.rows.len() as usize).checked_mul(row_bytes)? <= bytes.len() || row_bytes == 0;
        fits.then_some(Self { bytes, row_bytes, slots, region, image })
    }

    /// The rows in it.
    pub fn rows(&self) -> Rows {
        self.region.rows
    }

    /// The columns in it.
    pub fn cols(&self) -> Cols {
        self.region.cols
    }

    /// Rows and columns.
    pub fn region(&self) -> Region {
        self.region
    }

    /// The shape of the whole image.
    pub fn image(&self) -> Shape {
        self.image
    }

    /// Samples in one row of the strip (its columns times the bands).
    pub fn row_samples(&self) -> usize {
        self.region.cols.len() as usize * self.image.bands as usize
    }

    /// Row number `row` of the image, to be written as samples with bands interleaved.
    ///
    /// Empty if the row is not in the strip or `T` is not its kind: neither happens in a planned run.
    #[inline(always)]
    pub fn row_mut<T: Sample>(&mut self, row: u32) -> &mut [T] {
        if T::KIND != self.image.kind {
            return &mut [];
        }
        bytemuck::try_cast_slice_mut(self.row_bytes_mut(row)).unwrap_or(&mut [])
    }

    /// Row number `row` of the image as bytes; empty if it is not in the strip.
    #[inline(always)]
    pub fn row_bytes_mut(&mut self, row: u32) -> &mut [u8] {
        debug_assert!(self.region.rows.contains(row), "row {row} of a strip of rows {}", self.region.rows);
        if !self.region.rows.contains(row) {
            return &mut [];
        }
        let start = (row % self.slots) as usize * self.row_bytes;
        self.bytes.get_mut(start..start + self.row_bytes).unwrap_or(&mut [])
    }

    /// All rows as bytes in order: two runs, of which the second is empty unless the strip wraps around its ring.
    pub fn parts_mut(&mut self) -> [&mut [u8]; 2] {
        let [first, second] = split(self.region.rows, self.slots, self.row_bytes);
        let (low, high) = self.bytes.split_at_mut(first.start.min(self.bytes.len()));
        [high.get_mut(..first.len()).unwrap_or(&mut []), low.get_mut(..second.len()).unwrap_or(&mut [])]
    }

    /// The same rows, fewer of them (those it shares with `rows`), borrowed for a shorter time.
    pub fn narrowed(&mut self, rows: Rows) -> StripMut<'_> {
        StripMut {
            bytes: &mut *self.bytes,
            row_bytes: self.row_bytes,
            slots: self.slots,
            region: self.region.with_rows(self.region.rows.intersect(rows)),
            image: self.image,
        }
    }

    /// The same bytes as rows of other columns of the image; `None` unless these are as many.
    pub fn moved(&mut self, cols: Cols) -> Option<StripMut<'_>> {
        let region = Region::new(self.region.rows, cols);
        let same = cols.len() == self.region.cols.len();
        let (row_bytes, slots, image) = (self.row_bytes, self.slots, self.image);
        same.then_some(StripMut { bytes: self.bytes, row_bytes, slots, region, image })
    }

    /// The same rows, fewer of them (those it shares with `rows`), for as long as the bytes are borrowed.
    pub fn into_narrowed(self, rows: Rows) -> Self {
        Self { region: self.region.with_rows(self.region.rows.intersect(rows)), ..self }
    }

    /// A strip without rows.
    pub fn empty() -> Self {
        let image = Shape::new(0, 0, 0, crate::shape::SampleKind::U8);
        Self { bytes: &mut [], row_bytes: 0, slots: NonZeroU32::MIN, region: Region::default(), image }
    }

    /// What was written, to be read.
    pub fn as_strip(&self) -> Strip<'_> {
        Strip {
            bytes: &*self.bytes,
            row_bytes: self.row_bytes,
            slots: self.slots,
            region: self.region,
            image: self.image,
        }
    }
}
