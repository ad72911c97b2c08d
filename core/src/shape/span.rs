//! Half-open runs of rows or columns, and rectangles made of two of them.

/// A half-open run `start..end` with `start <= end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Span {
    start: u32,
    end: u32,
}

/// A span of row numbers.
pub type Rows = Span;
/// A span of column numbers.
pub type Cols = Span;

impl Span {
    /// `start..end`; an `end` before `start` gives the empty span at `start`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end: if end < start { start } else { end } }
    }

    /// One row or column.
    pub const fn one(at: u32) -> Self {
        Self { start: at, end: at.saturating_add(1) }
    }

    /// First number inside (where the span is not empty).
    pub const fn start(&self) -> u32 {
        self.start
    }

    /// First number after the span.
    pub const fn end(&self) -> u32 {
        self.end
    }

    /// How many numbers it holds.
    pub const fn len(&self) -> u32 {
        self.end - self.start
    }

    /// Whether it holds none.
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether `at` is inside.
    pub const fn contains(&self, at: u32) -> bool {
        self.start <= at && at < self.end
    }

    /// Whether all of `other` is inside; an empty span is inside any.
    pub const fn covers(&self, other: Span) -> bool {
        other.is_empty() || (self.start <= other.start && other.end <= self.end)
    }

    /// The span grown by a halo of `halo` on both sides and cut to `0..limit`.
    pub const fn grown(&self, halo: u32, limit: u32) -> Self {
        let end = self.end.saturating_add(halo);
        Self::new(self.start.saturating_sub(halo), if end > limit { limit } else { end })
    }

    /// The part that both share; empty at the later start if they do not meet.
    pub const fn intersect(&self, other: Span) -> Self {
        let start = if self.start > other.start { self.start } else { other.start };
        let end = if self.end < other.end { self.end } else { other.end };
        Self::new(start, end)
    }

    /// The smallest span that covers both; an empty one adds nothing.
    pub const fn hull(&self, other: Span) -> Self {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return *self;
        }
        let start = if self.start < other.start { self.start } else { other.start };
        let end = if self.end > other.end { self.end } else { other.end };
        Self::new(start, end)
    }

    /// The numbers in order.
    pub fn iter(&self) -> core::ops::Range<u32> {
        self.start..self.end
    }
}

impl core::fmt::Display for Span {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// Any rectangle of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Region {
    /// The rows it covers.
    pub rows: Rows,
    /// The columns it covers.
    pub cols: Cols,
}

impl Region {
    /// The rectangle of `rows` and `cols`.
    pub const fn new(rows: Rows, cols: Cols) -> Self {
        Self { rows, cols }
    }

    /// The same columns with other rows.
    pub const fn with_rows(self, rows: Rows) -> Self {
        Self { rows, cols: self.cols }
    }

    /// The rectangle grown by a halo on all four sides, cut to the image.
    pub const fn grown(&self, halo: u32, shape: &super::Shape) -> Self {
        Self { rows: self.rows.grown(halo, shape.rows), cols: self.cols.grown(halo, shape.cols) }
    }

    /// Whether it holds no pixel.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty() || self.cols.is_empty()
    }
}

impl core::fmt::Display for Region {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "rows {} cols {}", self.rows, self.cols)
    }
}
