//! What can go wrong with a journal, by culprit: the flash's content, the caller, the space, the device.

use super::layout::GeometryError;
use core::fmt;

/// Why a journal did not do what it was asked. `E` is the flash's own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum JournalError<E> {
    /// No journal can live on a flash of these sizes.
    Geometry(GeometryError),
    /// There is no journal on this flash. Nothing was changed: formatting is its own call.
    NotFormatted,
    /// There is a journal, made for a flash of other sizes.
    OtherGeometry {
        /// Its sectors.
        sectors: u16,
        /// Bytes of its sectors.
        sector_bytes: u64,
        /// Bytes of its words.
        word_bytes: u64,
        /// Bytes of its pages.
        page_bytes: u64,
    },
    /// There is a journal in a format that this version does not know.
    Version(u8),
    /// All sectors hold records and none is discarded.
    Full {
        /// Sectors that hold records or a spare.
        sectors: u16,
    },
    /// Every sector that could be opened failed to erase or to program.
    NoUsableSector {
        /// Sectors tried.
        tried: u16,
    },
    /// A record longer than [`super::Layout::max_record_bytes`].
    TooLong {
        /// Its bytes.
        len: usize,
        /// The most.
        most: usize,
    },
    /// A record whose first time is after its last.
    TimeRange {
        /// First time.
        first: i64,
        /// Last time.
        last: i64,
    },
    /// A record that does not fit the buffer given; the next call reads it again.
    Buffer {
        /// Bytes it has.
        needed: usize,
        /// Bytes given.
        given: usize,
    },
    /// 2^32 records or sectors were used up.
    UsedUp,
    /// The device failed.
    Device {
        /// What was tried.
        operation: &'static str,
        /// Where, in bytes.
        offset: u32,
        /// Its own error.
        error: E,
    },
}

impl<E: fmt::Debug> fmt::Display for JournalError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Geometry(error) => error.fmt(f),
            Self::NotFormatted => f.write_str("there is no journal here; format makes one"),
            Self::OtherGeometry { sectors, sector_bytes, word_bytes, page_bytes } => write!(
                f,
                "the journal here has {sectors} sectors of {sector_bytes} bytes, words of {word_bytes} and pages of \
                 {page_bytes}: other sizes than this flash"
            ),
            Self::Version(version) => {
                write!(
                    f,
                    "the journal here has format version {}, which is not known",
                    version.escape_ascii()
                )
            }
            Self::Full { sectors } => write!(f, "all {sectors} sectors are in use and nothing is discarded"),
            Self::NoUsableSector { tried } => {
                write!(f, "none of {tried} free sectors could be erased and programmed")
            }
            Self::TooLong { len, most } => write!(f, "a record of {len} bytes, where {most} are the most"),
            Self::TimeRange { first, last } => {
                write!(f, "a record from time {first} to {last}, which is before")
            }
            Self::Buffer { needed, given } => {
                write!(f, "a record of {needed} bytes does not fit a buffer of {given}")
            }
            Self::UsedUp => f.write_str("all sequence numbers are used up"),
            Self::Device { operation, offset, error } => {
                write!(f, "the flash failed to {operation} at offset {offset}: {error:?}")
            }
        }
    }
}

impl<E: fmt::Debug> core::error::Error for JournalError<E> {}
