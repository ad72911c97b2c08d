//! Errors by culprit: the device, the file, us, or the caller.

use plimsoll_core::budget::Exhausted;
use std::io;

/// Why a file cannot be read or written.
#[derive(Debug)]
#[non_exhaustive]
pub enum FormatError {
    /// The device failed.
    Io {
        /// What was being done: `read`, `write` ...
        operation: &'static str,
        /// Where in the file, in bytes.
        offset: u64,
        /// The system's error.
        source: io::Error,
    },
    /// The file breaks its format's rules.
    Malformed {
        /// The format.
        format: &'static str,
        /// What is wrong, with numbers and units.
        problem: String,
        /// Where in the file, in bytes, if it is one place.
        offset: Option<u64>,
    },
    /// The file, or the output asked for, is legal but needs something that is not there.
    Unsupported {
        /// The format.
        format: &'static str,
        /// The missing feature by its name.
        feature: String,
    },
    /// The output asked for makes no sense.
    Usage {
        /// The format.
        format: &'static str,
        /// What is wrong with it and what would do.
        problem: String,
    },
    /// Less memory than planned.
    Memory(Exhausted),
}

impl FormatError {
    /// A device error while reading at `offset`.
    pub fn read(offset: u64, source: io::Error) -> Self {
        Self::Io { operation: "read", offset, source }
    }

    /// A device error while writing at `offset`.
    pub fn write(offset: u64, source: io::Error) -> Self {
        Self::Io { operation: "write", offset, source }
    }
}

impl From<Exhausted> for FormatError {
    fn from(exhausted: Exhausted) -> Self {
        Self::Memory(exhausted)
    }
}

impl std::fmt::Display for FormatError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Io { operation, offset, source } => write!(f, "{operation} at byte {offset}: {source}"),
            Self::Malformed { format, problem, offset: Some(offset) } => {
                write!(f, "malformed {format}: {problem} (at byte {offset})")
            }
            Self::Malformed { format, problem, offset: None } => write!(f, "malformed {format}: {problem}"),
            Self::Unsupported { format, feature } => write!(f, "{format}: {feature} is not supported"),
            Self::Usage { format, problem } => write!(f, "{format}: {problem}"),
            Self::Memory(exhausted) => exhausted.fmt(f),
        }
    }
}

impl std::error::Error for FormatError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Memory(exhausted) => Some(exhausted),
            _ => None,
        }
    }
}
