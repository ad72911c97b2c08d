//! Strips: borrowed rows that keep the row numbers they have in the image.
//!
//! The rows lie densely in a ring of `slots` rows: row `y` is in slot `y % slots`, counted from the row `base` where
//! they are part of a larger image. So rows are carried over from strip to strip without moving, and a strip is at most
//! two runs of bytes.

use core::num::NonZeroU32;

use crate::shape::{Cols, Region, Rows, Sample, Shape, Span};

/// Rows that can be read.
#[derive(Clone, Copy, Debug)]
pub struct Strip<'a> {
    bytes: &'a [u8],
    row_bytes: usize,
    slots: NonZeroU32,
    /// The row of the image that would be in slot 0: no row in the strip is before it.
    base: u32,
    region: Region,
    image: Shape,
}

/// Rows that can be written.
#[derive(Debug)]
pub struct StripMut<'a> {
    bytes: &'a mut [u8],
    row_bytes: usize,
    slots: NonZeroU32,
    /// The row of the image that would be in slot 0: no row in the strip is before it.
    base: u32,
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

/// The one or two byte ranges that rows take in a ring whose first slot is row `base`, first rows first.
fn split(rows: Rows, base: u32, slots: NonZeroU32, row_bytes: usize) -> [core::ops::Range<usize>; 2] {
    let first = (rows.start().wrapping_sub(base) % slots) as usize;
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
        fits.then_some(Self { bytes, row_bytes, slots, base: 0, region, image })
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

    /// Row number `row` of the image as values that are as wide as its samples, whatever these are: for what only moves
    /// them.
    ///
    /// Empty if the row is not in the strip or `T` is not as wide: neither happens in a planned run.
    #[inline(always)]
    pub fn row_words<T: bytemuck::Pod>(&self, row: u32) -> &'a [T] {
        if size_of::<T>() != self.image.kind.bytes() {
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
        let start = (row.wrapping_sub(self.base) % self.slots) as usize * self.row_bytes;
        self.bytes.get(start..start + self.row_bytes).unwrap_or(&[])
    }

    /// All rows as bytes in order: two runs, of which the second is empty unless the strip wraps around its ring.
    pub fn parts(&self) -> [&'a [u8]; 2] {
        split(self.region.rows, self.base, self.slots, self.row_bytes)
            .map(|range| self.bytes.get(range).unwrap_or(&[]))
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
        fits.then_some(Self { bytes, row_bytes, slots, base: 0, region, image })
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

    /// Row number `row` of the image, to be written as values that are as wide as its samples: see
    /// [`Strip::row_words`].
    #[inline(always)]
    pub fn row_words_mut<T: bytemuck::Pod>(&mut self, row: u32) -> &mut [T] {
        if size_of::<T>() != self.image.kind.bytes() {
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
        let start = (row.wrapping_sub(self.base) % self.slots) as usize * self.row_bytes;
        self.bytes.get_mut(start..start + self.row_bytes).unwrap_or(&mut [])
    }

    /// All rows as bytes in order: two runs, of which the second is empty unless the strip wraps around its ring.
    pub fn parts_mut(&mut self) -> [&mut [u8]; 2] {
        let [first, second] = split(self.region.rows, self.base, self.slots, self.row_bytes);
        let (low, high) = self.bytes.split_at_mut(first.start.min(self.bytes.len()));
        [high.get_mut(..first.len()).unwrap_or(&mut []), low.get_mut(..second.len()).unwrap_or(&mut [])]
    }

    /// The same rows, fewer of them (those it shares with `rows`), borrowed for a shorter time.
    pub fn narrowed(&mut self, rows: Rows) -> StripMut<'_> {
        StripMut {
            bytes: &mut *self.bytes,
            row_bytes: self.row_bytes,
            slots: self.slots,
            base: self.base,
            region: self.region.with_rows(self.region.rows.intersect(rows)),
            image: self.image,
        }
    }

    /// The same bytes as rows of other columns of the image; `None` unless these are as many.
    pub fn moved(&mut self, cols: Cols) -> Option<StripMut<'_>> {
        let region = Region::new(self.region.rows, cols);
        let same = cols.len() == self.region.cols.len();
        let (row_bytes, slots, image) = (self.row_bytes, self.slots, self.image);
        same.then_some(StripMut { bytes: self.bytes, row_bytes, slots, base: self.base, region, image })
    }

    /// The same rows, fewer of them (those it shares with `rows`), for as long as the bytes are borrowed.
    pub fn into_narrowed(self, rows: Rows) -> Self {
        Self { region: self.region.with_rows(self.region.rows.intersect(rows)), ..self }
    }

    /// The same bytes as rows and columns of `image`, of which this strip's image is the part from row `top` and column
    /// `left` on: who fills them need not know that only a part is wanted. Without rows if the part leaves `image`.
    pub fn part_of(&mut self, image: Shape, top: u32, left: u32) -> StripMut<'_> {
        let moved = |span: Span, by: u32, len: u32| {
            let end = span.end().checked_add(by).filter(|end| *end <= len)?;
            Some(Span::new(span.start() + by, end))
        };
        let rows = moved(self.region.rows, top, image.rows);
        let cols = moved(self.region.cols, left, image.cols);
        let (Some(rows), Some(cols)) = (rows, cols) else { return StripMut::empty() };
        StripMut {
            bytes: &mut *self.bytes,
            row_bytes: self.row_bytes,
            slots: self.slots,
            base: self.base.saturating_add(top),
            region: Region::new(rows, cols),
            image,
        }
    }

    /// A strip without rows.
    pub fn empty() -> Self {
        let image = Shape::new(0, 0, 0, crate::shape::SampleKind::U8);
        Self {
            bytes: &mut [],
            row_bytes: 0,
            slots: NonZeroU32::MIN,
            base: 0,
            region: Region::default(),
            image,
        }
    }

    /// What was written, to be read.
    pub fn as_strip(&self) -> Strip<'_> {
        Strip {
            bytes: &*self.bytes,
            row_bytes: self.row_bytes,
            slots: self.slots,
            base: self.base,
            region: self.region,
            image: self.image,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::SampleKind;

    #[test]
    fn a_part_is_filled_by_the_numbers_of_the_whole() {
        let (whole, part) = (Shape::new(100, 20, 1, SampleKind::U8), Shape::new(40, 4, 1, SampleKind::U8));
        // Rows 6 to 9 of the part, in a ring of 4: they wrap around its end.
        let mut bytes = [0u8; 16];
        let region = Region::new(Rows::new(6, 9), part.all_cols());
        let mut strip = StripMut::new(&mut bytes, region, part).unwrap();
        {
            let mut moved = strip.part_of(whole, 51, 7);
            assert_eq!(
                (moved.rows(), moved.cols(), moved.image()),
                (Rows::new(57, 60), Cols::new(7, 11), whole)
            );
            for row in 57..60 {
                moved.row_bytes_mut(row).fill(row as u8);
            }
            assert_eq!(moved.parts_mut().map(|part| part.first().copied()), [Some(57), Some(59)]);
            assert_eq!(moved.as_strip().parts().map(<[u8]>::len), [8, 4]);
            assert_eq!(moved.narrowed(Rows::one(58)).row_bytes_mut(58), [58; 4]);
        }
        for row in 6..9 {
            assert_eq!(strip.as_strip().row_bytes(row), [row as u8 + 51; 4]);
        }
        // Neither below nor beside the whole.
        assert!(strip.part_of(whole, 92, 0).rows().is_empty());
        assert!(strip.part_of(whole, 0, 17).rows().is_empty());
        assert!(strip.part_of(whole, u32::MAX, 0).rows().is_empty());
    }
}
