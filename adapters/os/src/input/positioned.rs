//! Input by positioned reads (`pread`): the default.
//!
//! Holds no memory of its own and serves any number of threads.

use super::{Input, Opened, open_regular, past_end};
use crate::FileError;
use crate::retry;
use plimsoll_core::bytes::ReadAt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// A file read at any offset with one system call for each read.
#[derive(Debug)]
pub struct PositionedFile {
    file: File,
    opened: Opened,
    bytes_read: AtomicU64,
}

impl PositionedFile {
    /// Opens `path` read-only.
    ///
    /// # Errors
    /// As [`open_input`](super::open_input).
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let (file, opened) = open_regular(path)?;
        Ok(Self { file, opened, bytes_read: AtomicU64::new(0) })
    }
}

impl ReadAt for PositionedFile {
    type Error = io::Error;

    /// The length when it was opened.
    fn len(&self) -> u64 {
        self.opened.len
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.read_each(&mut std::iter::once((offset, into)))
    }

    fn read_each(&self, mut parts: &mut dyn Iterator<Item = (u64, &mut [u8])>) -> io::Result<()> {
        let mut bytes = 0;
        let read = Iterator::try_for_each(&mut parts, |(offset, into)| {
            if offset.checked_add(into.len() as u64).is_none_or(|end| end > self.len()) {
                return Err(past_end(offset, into.len(), self.len()));
            }
            bytes += into.len() as u64;
            // It goes on after interruptions and short reads.
            retry::again(|| self.file.read_exact_at(into, offset))
        });
        self.opened.check(&self.file)?;
        read?;
        self.bytes_read.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }
}

impl Input for PositionedFile {
    fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }
}
