//! What a series is made of and how it is to be coded: said once, before the first point.

use super::word::Kind;

/// Columns that a block has at most.
pub const MAX_COLUMNS: usize = 8;

/// Points that a block has at most.
pub const MAX_POINTS: u32 = 65_536;

/// Bytes that a block has at most.
pub const MAX_BLOCK_BYTES: usize = 65_536;

/// What one step of the timestamps is. The codec does not calculate with it: it is handed on to who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TimeUnit {
    /// Counts of a clock whose rate is not said.
    #[default]
    Ticks,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
}

impl TimeUnit {
    pub(crate) const ALL: [TimeUnit; 5] = [
        TimeUnit::Ticks,
        TimeUnit::Seconds,
        TimeUnit::Milliseconds,
        TimeUnit::Microseconds,
        TimeUnit::Nanoseconds,
    ];

    pub(crate) fn code(self) -> u8 {
        Self::ALL.iter().position(|unit| *unit == self).unwrap_or(0) as u8
    }

    /// How many of them are a second; none for ticks.
    pub const fn per_second(self) -> Option<u32> {
        match self {
            TimeUnit::Ticks => None,
            TimeUnit::Seconds => Some(1),
            TimeUnit::Milliseconds => Some(1_000),
            TimeUnit::Microseconds => Some(1_000_000),
            TimeUnit::Nanoseconds => Some(1_000_000_000),
        }
    }
}

/// How far a decoded value may be from the one that was pushed.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Tolerance {
    /// Not at all: every bit comes back.
    #[default]
    Lossless,
    /// By this much, in the data's unit; it holds for every value. Infinities and NaN come back exactly.
    Absolute(f64),
    /// By this part of its own magnitude; it holds for every value. Floats only: integers stay lossless.
    Relative(f64),
}

/// Which lattice the values of a column lie on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Lattice {
    /// The encoder finds out, and changes its mind when the data change.
    #[default]
    Found,
    /// Floats are decimals of this many digits after the point (0 to 17); others are escapes of 8 bytes.
    Decimal(u8),
    /// The bits of floats, in order of the numbers.
    Bits,
    /// Integers are multiples of 1.
    Ones,
}

/// One column of values.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Column {
    /// What its values are.
    pub kind: Kind,
    /// How exact they come back.
    pub tolerance: Tolerance,
    /// What they are multiples of.
    pub lattice: Lattice,
}

impl Column {
    /// Lossless values of `kind`, whose lattice the encoder finds.
    pub const fn new(kind: Kind) -> Self {
        Column { kind, tolerance: Tolerance::Lossless, lattice: Lattice::Found }
    }

    /// With the errors that `tolerance` allows.
    pub const fn within(self, tolerance: Tolerance) -> Self {
        Column { tolerance, ..self }
    }

    /// On a lattice that is known.
    pub const fn on(self, lattice: Lattice) -> Self {
        Column { lattice, ..self }
    }
}

/// What an encoder needs to know.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Settings<const COLUMNS: usize> {
    /// What the timestamps count.
    pub unit: TimeUnit,
    /// The columns of values, in the order of each point's values: the first `columns_used` of them.
    pub columns: [Column; COLUMNS],
    /// How many columns there are: 1 to `COLUMNS`, at most 8.
    pub columns_used: usize,
    /// Points after which a block is full: 1 to [`MAX_POINTS`].
    pub block_points: u32,
    /// Whether each block states the range and the sum of each column, in 24 bytes a column.
    pub ranges: bool,
}

impl<const COLUMNS: usize> Settings<COLUMNS> {
    /// Timestamps of `unit` and all of `columns`, in blocks that only the buffer ends.
    pub const fn new(unit: TimeUnit, columns: [Column; COLUMNS]) -> Self {
        Settings { unit, columns, columns_used: COLUMNS, block_points: MAX_POINTS, ranges: false }
    }

    /// With blocks of at most `points` points.
    pub const fn block_points(self, points: u32) -> Self {
        Settings { block_points: points, ..self }
    }

    /// With the range and the sum of each column in each block.
    pub const fn with_ranges(self) -> Self {
        Settings { ranges: true, ..self }
    }
}
