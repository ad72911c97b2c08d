//! Stored rows, one after the other: inflated, then freed of their prediction, in two leased rows that take turns.

use super::data::{BUFFER_BYTES, Data};
use super::header::Header;
use super::{filter, malformed};
use crate::{Bytes, FormatError};
use plimsoll_core::budget::{Budget, Layout};

/// The rows of a file's pixels.
pub(super) struct StoredRows<'a> {
    data: Data<'a>,
    header: &'a Header,
    /// The byte that names the filter, then the samples.
    row: &'a mut [u8],
    above: &'a mut [u8],
}

impl<'a> StoredRows<'a> {
    /// Bytes that are leased.
    pub(super) fn layout(header: &Header) -> Layout {
        let row = header.stored_row_bytes(header.cols) + 1;
        Layout::new().with::<u8>(BUFFER_BYTES as u64).with::<u8>(row).with::<u8>(row)
    }

    pub(super) fn new(
        bytes: &'a Bytes,
        header: &'a Header,
        budget: &mut Budget<'a>,
    ) -> Result<Self, FormatError> {
        let row_bytes = usize::try_from(header.stored_row_bytes(header.cols) + 1).unwrap_or(usize::MAX);
        let buffer = budget.lease("PNG read buffer", BUFFER_BYTES)?;
        let row = budget.lease("PNG row", row_bytes)?;
        let above = budget.lease("PNG row", row_bytes)?;
        let mut rows = Self { data: Data::new(bytes, header.data, buffer)?, header, row, above };
        rows.begin();
        Ok(rows)
    }

    /// The next row is the first of its image or pass: nothing is above it.
    pub(super) fn begin(&mut self) {
        self.row.fill(0);
    }

    /// The next row, of `cols` pixels.
    pub(super) fn next(&mut self, cols: u32) -> Result<&[u8], FormatError> {
        std::mem::swap(&mut self.row, &mut self.above);
        // No more columns than the image has, whose rows were leased.
        let len = self.header.stored_row_bytes(cols) as usize + 1;
        let (row, above) = (&mut self.row[..len], &self.above[..len]);
        self.data.read(row)?;
        let ([filter, samples @ ..], [_, above @ ..]) = (row, above) else { return Ok(&[]) };
        filter::undo(*filter, self.header.filter_bytes(), above, samples).ok_or_else(|| {
            malformed(format!("a row with filter {filter}, 4 is the last"), self.header.data)
        })?;
        Ok(samples)
    }

    /// All rows were taken: checks the rest of the file.
    pub(super) fn finish(&mut self) -> Result<(), FormatError> {
        self.data.finish()
    }
}
