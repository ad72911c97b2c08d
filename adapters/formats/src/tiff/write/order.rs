//! Watches that a sink gets the rows it was made for: all of them, in order, each once.

use super::usage;
use crate::FormatError;
use plimsoll_core::shape::{Rows, Shape};
use plimsoll_core::strip::Strip;

/// The rows that a sink still expects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    shape: Shape,
    left: Rows,
}

impl Order {
    /// Expects `rows`, all of them rows of an image of this shape.
    pub(super) fn new(shape: Shape, rows: Rows) -> Self {
        Self { shape, left: rows }
    }

    /// Takes note of a strip.
    ///
    /// # Errors
    /// [`FormatError::Usage`] if it is not what comes next.
    pub(super) fn take(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        let rows = strip.rows();
        let image = strip.image();
        let fits = strip.cols() == self.shape.all_cols()
            && image.bands == self.shape.bands
            && image.kind == self.shape.kind
            && (rows.is_empty() || (rows.start() == self.left.start() && rows.end() <= self.left.end()));
        if !fits {
            let problem = format!(
                "a strip of rows {rows} of {image} where rows {} of {} were due",
                self.left, self.shape
            );
            return Err(usage(problem));
        }
        self.left = Rows::new(self.left.start() + rows.len(), self.left.end());
        Ok(())
    }

    /// No more rows come.
    ///
    /// # Errors
    /// [`FormatError::Usage`] if some are missing.
    pub(super) fn finish(&self) -> Result<(), FormatError> {
        if self.left.is_empty() {
            return Ok(());
        }
        Err(usage(format!("rows {} were never written", self.left)))
    }
}
