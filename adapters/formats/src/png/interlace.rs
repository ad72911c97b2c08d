//! Adam7 (PNG specification, 8.2): seven reduced images, of which only the last rows of the last one complete the
//! picture. So the region that is wanted is held as a whole.

/// One of the seven: its first column and row, and the steps to the next ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    pub(super) first_col: u32,
    pub(super) first_row: u32,
    pub(super) col_step: u32,
    pub(super) row_step: u32,
}

const fn pass(first_col: u32, first_row: u32, col_step: u32, row_step: u32) -> Pass {
    Pass { first_col, first_row, col_step, row_step }
}

/// All of them, in the order of the file.
pub(super) const PASSES: [Pass; 7] = [
    pass(0, 0, 8, 8),
    pass(4, 0, 8, 8),
    pass(0, 4, 4, 8),
    pass(2, 0, 4, 4),
    pass(0, 2, 2, 4),
    pass(1, 0, 2, 2),
    pass(0, 1, 1, 2),
];

impl Pass {
    /// Its columns in an image of `cols`.
    pub(super) fn cols(&self, cols: u32) -> u32 {
        cols.saturating_sub(self.first_col).div_ceil(self.col_step)
    }

    /// Its rows in an image of `rows`.
    pub(super) fn rows(&self, rows: u32) -> u32 {
        rows.saturating_sub(self.first_row).div_ceil(self.row_step)
    }
}
