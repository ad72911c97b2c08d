//! How a file cuts its image into units: file strips of whole rows, or square tiles padded with zeros.
//!
//! Pure arithmetic on sizes that [`Grid::new`] has checked: all bytes of all units together stay below
//! [`MOST_BYTES`], so nothing here overflows.

use super::usage;
use crate::{FormatError, Wanted};
use plimsoll_core::shape::Shape;

/// The most bytes of pixels in a file: far beyond any disk, and its offsets fit a signed 64-bit number.
const MOST_BYTES: u64 = 1 << 62;

/// The largest side of a tile.
const MOST_TILE: u32 = 4096;

/// An image and the units its file stores it in, numbered row by row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    /// The image.
    pub(super) shape: Shape,
    /// Whether the units are tiles.
    pub(super) tiled: bool,
    /// Rows of a unit.
    pub(super) unit_rows: u32,
    /// Columns of a unit.
    pub(super) unit_cols: u32,
}

impl Grid {
    /// The units that `wanted` asks for; file strips of about `strip_bytes` if it leaves that open.
    pub(super) fn new(shape: Shape, wanted: Wanted, strip_bytes: u64) -> Result<Self, FormatError> {
        if shape.rows == 0 || shape.cols == 0 || shape.bands == 0 {
            return Err(usage(format!("an image of {shape} cannot be stored; it needs one pixel at least")));
        }
        let grid = match (wanted.tile, wanted.file_strip_rows) {
            (Some(_), Some(_)) => {
                return Err(usage("tiles and rows of a file strip exclude each other; name one".into()));
            }
            (Some(side), None) if side == 0 || side % 16 != 0 || side > MOST_TILE => {
                let problem =
                    format!("a tile of {side} pixels; it must be a multiple of 16, at most {MOST_TILE}");
                return Err(usage(problem));
            }
            (Some(side), None) => Self { shape, tiled: true, unit_rows: side, unit_cols: side },
            (None, Some(0)) => return Err(usage("file strips of 0 rows; 1 is the least".into())),
            (None, Some(rows)) => Self::strips(shape, rows.min(shape.rows)),
            (None, None) => {
                let rows = (strip_bytes / shape.row_bytes()).clamp(1, u64::from(shape.rows));
                Self::strips(shape, rows as u32)
            }
        };
        if grid.stored_bytes() > MOST_BYTES {
            return Err(usage(format!("an image of {shape} has more than 2^62 bytes")));
        }
        Ok(grid)
    }

    fn strips(shape: Shape, rows: u32) -> Self {
        Self { shape, tiled: false, unit_rows: rows, unit_cols: shape.cols }
    }

    /// Units side by side: 1 for file strips.
    pub(super) fn across(&self) -> u64 {
        u64::from(self.shape.cols.div_ceil(self.unit_cols))
    }

    /// Units one below the other.
    pub(super) fn down(&self) -> u64 {
        u64::from(self.shape.rows.div_ceil(self.unit_rows))
    }

    /// All units.
    pub(super) fn units(&self) -> u64 {
        self.across() * self.down()
    }

    /// Bytes of one row of a unit.
    pub(super) fn unit_row_bytes(&self) -> u64 {
        u64::from(self.unit_cols) * self.shape.pixel_bytes() as u64
    }

    /// Bytes of a full unit. Saturates for what [`Grid::new`] refuses.
    pub(super) fn unit_bytes(&self) -> u64 {
        self.unit_row_bytes().saturating_mul(u64::from(self.unit_rows))
    }

    /// Bytes of the last unit: the last file strip may be lower, tiles are all full.
    pub(super) fn last_unit_bytes(&self) -> u64 {
        let missing =
            if self.tiled { 0 } else { self.down() * u64::from(self.unit_rows) - u64::from(self.shape.rows) };
        self.unit_bytes() - missing * self.unit_row_bytes()
    }

    /// Bytes of all units. Saturates for what [`Grid::new`] refuses.
    pub(super) fn stored_bytes(&self) -> u64 {
        if self.tiled { self.units().saturating_mul(self.unit_bytes()) } else { self.shape.image_bytes() }
    }

    /// The units in a few words.
    pub(super) fn describe(&self) -> String {
        if self.tiled {
            format!("{0} x {0} tiles", self.unit_cols)
        } else {
            format!("strips of {} row{}", self.unit_rows, if self.unit_rows == 1 { "" } else { "s" })
        }
    }
}
