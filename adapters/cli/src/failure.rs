//! What a command ends with when it does not end well: whose fault it was, in one line, and the exit code for it.

use plimsoll_core::pipeline::{Refusal, StageError};
use plimsoll_formats::FormatError;
use plimsoll_os::FileError;
use std::fmt;
use std::path::Path;

/// A command that did not do its work. Nothing of it is left behind.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// The command line makes no sense: exit code 2.
    Usage(String),
    /// The work does not fit the budget: exit code 3.
    Refused(String),
    /// The input is malformed or needs a feature that is not there: exit code 4.
    Input(String),
    /// The system failed: exit code 5.
    Io(String),
    /// What was written is not what it should be, or not good enough: exit code 6.
    Quality(String),
    /// The user cancelled: exit code 130.
    Cancelled,
    /// The user cancelled when some outputs were complete, which stay: exit code 130.
    Interrupted(String),
}

impl Failure {
    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Refused(_) => 3,
            Self::Input(_) => 4,
            Self::Io(_) => 5,
            Self::Quality(_) => 6,
            Self::Cancelled | Self::Interrupted(_) => 130,
        }
    }

    /// A system error while doing `operation` on `path`.
    pub fn io(operation: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::Io(format!("cannot {operation} {}: {error}", path.display()))
    }

    /// An input file that cannot be opened: the system's fault, or that of a file without a byte in it.
    pub fn opening(error: &FileError) -> Self {
        let line = format!("cannot {error}");
        // Opening looks at nothing in a file but whether there is anything.
        match error.source.kind() {
            std::io::ErrorKind::InvalidData => Self::Input(line),
            _ => Self::Io(line),
        }
    }

    /// What went wrong with the input file `path`.
    pub fn input(path: &Path, error: &FormatError) -> Self {
        let line = format!("{}: {error}", path.display());
        match error {
            FormatError::Io { .. } => Self::Io(line),
            FormatError::Usage { .. } => Self::Usage(line),
            FormatError::Memory(_) => Self::Refused(line),
            _ => Self::Input(line),
        }
    }

    /// What went wrong with the output file `path`.
    pub fn output(path: &Path, error: &FormatError) -> Self {
        let line = format!("{}: {error}", path.display());
        match error {
            FormatError::Io { .. } => Self::Io(line),
            FormatError::Memory(_) => Self::Refused(line),
            _ => Self::Usage(line),
        }
    }

    /// What is wrong with a step of `--do`, written as `text`.
    pub fn stage(text: &str, error: &StageError) -> Self {
        Self::Usage(format!("--do {text}: {error}"))
    }

    /// The same with more to say.
    pub(crate) fn and_then_say(self, more: &str) -> Self {
        let say = |line: String| line + more;
        match self {
            Self::Usage(line) => Self::Usage(say(line)),
            Self::Refused(line) => Self::Refused(say(line)),
            Self::Input(line) => Self::Input(say(line)),
            Self::Io(line) => Self::Io(say(line)),
            Self::Quality(line) => Self::Quality(say(line)),
            Self::Interrupted(line) => Self::Interrupted(say(line)),
            Self::Cancelled => Self::Cancelled,
        }
    }

    /// No plan fits: says what would.
    pub fn refused(refusal: &Refusal, advice: &str) -> Self {
        Self::Refused(format!("{refusal}; {advice}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(line)
            | Self::Refused(line)
            | Self::Input(line)
            | Self::Io(line)
            | Self::Quality(line)
            | Self::Interrupted(line) => {
                // One line, whatever a file name or a foreign error holds.
                line.chars().try_for_each(|c| if c.is_control() { write!(f, "?") } else { write!(f, "{c}") })
            }
            Self::Cancelled => f.write_str("cancelled: no output was made"),
        }
    }
}

impl std::error::Error for Failure {}
