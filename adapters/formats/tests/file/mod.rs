//! A file in memory, with the errors of a file.

use plimsoll_core::bytes::ReadAt;
use std::cell::Cell;
use std::io;

/// Its bytes, and how many of them were read.
pub(crate) struct File<'f>(&'f [u8], Cell<u64>);

impl<'f> File<'f> {
    pub(crate) fn new(bytes: &'f [u8]) -> Self {
        Self(bytes, Cell::new(0))
    }

    /// Bytes given so far; those given twice count twice.
    #[allow(dead_code, reason = "not each test counts them")]
    pub(crate) fn bytes_read(&self) -> u64 {
        self.1.get()
    }
}

impl ReadAt for File<'_> {
    type Error = io::Error;

    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.1.set(self.1.get() + into.len() as u64);
        ReadAt::read_at(self.0, offset, into).map_err(|error| io::Error::other(error.to_string()))
    }
}
