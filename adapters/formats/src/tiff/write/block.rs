//! Small values on their way into a file, gathered into writes of 4 KiB.

use super::form::Kind;
use crate::{FormatError, WriteAt};

/// Gathers small values into writes of 4 KiB.
pub(super) struct Block<'a> {
    output: &'a dyn WriteAt,
    offset: u64,
    bytes: [u8; 4096],
    len: usize,
}

impl<'a> Block<'a> {
    pub(super) fn new(output: &'a dyn WriteAt, offset: u64) -> Self {
        Self { output, offset, bytes: [0; 4096], len: 0 }
    }

    pub(super) fn position(&self) -> u64 {
        self.offset + self.len as u64
    }

    pub(super) fn put(&mut self, value: &[u8]) -> Result<(), FormatError> {
        if self.len + value.len() > self.bytes.len() {
            self.flush()?;
        }
        // No value is longer than a block.
        if let Some(space) = self.bytes.get_mut(self.len..self.len + value.len()) {
            space.copy_from_slice(value);
            self.len += value.len();
        }
        Ok(())
    }

    pub(super) fn number(&mut self, kind: Kind, value: u64) -> Result<(), FormatError> {
        let bytes = value.to_le_bytes();
        self.put(bytes.get(..kind.bytes() as usize).unwrap_or(&bytes))
    }

    pub(super) fn pad(&mut self, bytes: u64) -> Result<(), FormatError> {
        (0..bytes).try_for_each(|_| self.put(&[0]))
    }

    pub(super) fn pad_to(&mut self, offset: u64) -> Result<(), FormatError> {
        self.pad(offset.saturating_sub(self.position()))
    }

    pub(super) fn flush(&mut self) -> Result<(), FormatError> {
        let bytes = self.bytes.get(..self.len).unwrap_or(&[]);
        if !bytes.is_empty() {
            self.output
                .write_at(self.offset, bytes)
                .map_err(|source| FormatError::write(self.offset, source))?;
        }
        self.offset += self.len as u64;
        self.len = 0;
        Ok(())
    }
}
