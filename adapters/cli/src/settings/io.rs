//! How inputs are read, in words.

use crate::job::Io;
use clap::ValueEnum;

/// `--io`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IoArg {
    /// Positioned reads
    Read,
    /// A memory map that lets go of what it has read
    Mmap,
}

impl From<IoArg> for Io {
    fn from(io: IoArg) -> Self {
        match io {
            IoArg::Read => Self::Read,
            IoArg::Mmap => Self::Mmap,
        }
    }
}
