//! Where the pixels of a stored picture stand in the upright one.

use plimsoll_core::shape::{Region, Shape, Span};

/// How a stored picture is turned and mirrored: a number from 1 to 8.
///
/// Named by the sides of the upright picture where the first stored row and the first stored column are: 1 top left
/// (upright), 2 top right, 3 bottom right, 4 bottom left, 5 left top, 6 right top, 7 right bottom, 8 left bottom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Orientation {
    /// Stored columns are the upright rows.
    pub(super) turned: bool,
    /// Stored rows go against what they are in the upright picture.
    pub(super) rows_back: bool,
    /// Stored columns go against what they are in the upright picture.
    pub(super) cols_back: bool,
}

impl Orientation {
    /// As it should be seen.
    pub const UPRIGHT: Self = Self { turned: false, rows_back: false, cols_back: false };

    /// The orientation of this number; `None` beyond 1 to 8.
    pub const fn from_number(number: u64) -> Option<Self> {
        let (turned, rows_back, cols_back) = match number {
            1 => (false, false, false),
            2 => (false, false, true),
            3 => (false, true, true),
            4 => (false, true, false),
            5 => (true, false, false),
            6 => (true, true, false),
            7 => (true, true, true),
            8 => (true, false, true),
            _ => return None,
        };
        Some(Self { turned, rows_back, cols_back })
    }

    /// Whether nothing is to be done.
    pub fn is_upright(self) -> bool {
        self == Self::UPRIGHT
    }

    /// Whether rows and columns change places.
    pub const fn is_turned(self) -> bool {
        self.turned
    }

    /// Whether rows come in the order in which they are stored.
    pub(super) fn is_straight(self) -> bool {
        !self.turned && !self.rows_back
    }

    /// Whether the first row of the upright picture is the last row (or column) that is stored.
    pub(super) fn goes_back(self) -> bool {
        if self.turned { self.cols_back } else { self.rows_back }
    }

    /// Shape of the upright picture.
    pub const fn shape(self, stored: Shape) -> Shape {
        match self.turned {
            true => Shape { rows: stored.cols, cols: stored.rows, ..stored },
            false => stored,
        }
    }

    /// The region of a stored picture of shape `stored` that is `region` of the upright one.
    pub fn stored_region(self, region: Region, stored: Shape) -> Region {
        let (rows, cols) = if self.turned { (region.cols, region.rows) } else { (region.rows, region.cols) };
        Region::new(
            if self.rows_back { back(rows, stored.rows) } else { rows },
            if self.cols_back { back(cols, stored.cols) } else { cols },
        )
    }
}

/// The same part of a line of `len`, counted from its other end.
fn back(span: Span, len: u32) -> Span {
    Span::new(len.saturating_sub(span.end()), len.saturating_sub(span.start()))
}
