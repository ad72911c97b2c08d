//! Bytes one behind the other, for whoever writes streams.

use super::AtomicOutput;
use std::borrow::Borrow;
use std::io::{self, Write};

/// A new output, or a reference to one, written from its beginning on. Nothing is buffered: every write is a call of
/// the system.
#[derive(Debug)]
pub struct Sequential<F> {
    file: F,
    at: u64,
}

impl<F: Borrow<AtomicOutput>> Sequential<F> {
    /// Begins at the first byte.
    pub const fn new(file: F) -> Self {
        Self { file, at: 0 }
    }

    /// The output, to be given its name.
    pub fn into_inner(self) -> F {
        self.file
    }
}

impl<F: Borrow<AtomicOutput>> Write for Sequential<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.borrow().write_at(self.at, bytes)?;
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
