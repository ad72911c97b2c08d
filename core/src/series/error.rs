//! What can be wrong with settings, with a push, with the end of a block, with a block.

use super::settings::{MAX_BLOCK_BYTES, MAX_COLUMNS, MAX_POINTS};

/// Settings that no encoder can have, or a point that is not of the series.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Misuse {
    /// Not 1 to 8 columns, or more than the encoder has room for.
    Columns {
        /// What was asked for.
        columns: usize,
        /// What the encoder has room for.
        room: usize,
    },
    /// Not 1 to 65,536 points in a block.
    BlockPoints(u32),
    /// A tolerance that is not a finite number above 0 (relative: below 1).
    Tolerance(f64),
    /// More digits than 17.
    Digits(u8),
    /// A kind that this coding does not have.
    Kind {
        /// Which column.
        column: usize,
    },
    /// A block buffer in which not even one point is sure to fit.
    Buffer {
        /// Its bytes.
        bytes: usize,
        /// Bytes that one point may need.
        needed: usize,
    },
    /// A point with another number of values than there are columns.
    Values {
        /// How many came.
        values: usize,
        /// How many columns there are.
        columns: usize,
    },
}

impl core::fmt::Display for Misuse {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Misuse::Columns { columns, room } => {
                write!(f, "a series of {columns} columns: there can be 1 to {}", room.min(MAX_COLUMNS))
            }
            Misuse::BlockPoints(points) => {
                write!(f, "blocks of {points} points: they can have 1 to {MAX_POINTS}")
            }
            Misuse::Tolerance(tolerance) => {
                write!(f, "tolerance {tolerance}: it must be finite and above 0, a relative one below 1")
            }
            Misuse::Digits(digits) => write!(f, "{digits} digits after the point: there can be 0 to 17"),
            Misuse::Kind { column } => {
                write!(f, "column {column} is of a kind that this coding does not have")
            }
            Misuse::Buffer { bytes, needed } => {
                write!(f, "a block buffer of {bytes} bytes: one point may need {needed} bytes")
            }
            Misuse::Values { values, columns } => {
                write!(f, "a point of {values} values in a series of {columns} columns")
            }
        }
    }
}

impl core::error::Error for Misuse {}

/// Why there is no block to seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Unsealed {
    /// No point was pushed since the last block.
    Empty,
    /// Its points took more room than was reserved for them, and are lost. No settings and no points lead there: it
    /// stands where others would panic.
    Overrun {
        /// How many.
        points: u32,
    },
}

impl core::fmt::Display for Unsealed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Unsealed::Empty => write!(f, "there is no block to end: no point was pushed"),
            Unsealed::Overrun { points } => {
                write!(f, "{points} points took more room than was reserved for them, and are lost")
            }
        }
    }
}

impl core::error::Error for Unsealed {}

/// Bytes that are not a whole, sound block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Damage {
    /// No sync mark where a block should start.
    NoSync,
    /// The bytes end inside the block.
    Truncated {
        /// Bytes there are.
        bytes: usize,
        /// Bytes the block has, as far as that is known.
        needed: usize,
    },
    /// The header contradicts its check, or itself.
    Header {
        /// Where in the block.
        offset: usize,
    },
    /// A version of the format, or a coding, that this decoder does not know.
    Unsupported {
        /// The byte that says so.
        version: u8,
    },
    /// The check sum is not that of the bytes.
    Checksum {
        /// What the block states.
        stated: u32,
        /// What its bytes give.
        found: u32,
    },
    /// The check sum is right, and the content is still not what an encoder writes.
    Content {
        /// Which point.
        point: u32,
    },
    /// The block has more columns than the decoder has room for, or kinds that it does not have.
    Columns {
        /// What the block has.
        columns: usize,
        /// What the decoder has room for.
        room: usize,
    },
}

impl core::fmt::Display for Damage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Damage::NoSync => write!(f, "no block starts here: the sync mark is missing"),
            Damage::Truncated { bytes, needed } => {
                write!(f, "the block ends after {bytes} bytes, it needs {needed}")
            }
            Damage::Header { offset } => {
                write!(
                    f,
                    "damaged block header at byte {offset} (blocks have at most {MAX_BLOCK_BYTES} bytes)"
                )
            }
            Damage::Unsupported { version } => {
                write!(f, "block of version and coding 0x{version:02x}, which this decoder does not know")
            }
            Damage::Checksum { stated, found } => {
                write!(f, "damaged block: its check sum is 0x{found:08x}, it states 0x{stated:08x}")
            }
            Damage::Content { point } => {
                write!(f, "point {point} of the block is not what an encoder writes")
            }
            Damage::Columns { columns, room } => {
                write!(
                    f,
                    "the block has {columns} columns or kinds of them that do not fit a decoder of {room}"
                )
            }
        }
    }
}

impl core::error::Error for Damage {}
