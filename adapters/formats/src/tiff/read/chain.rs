//! The chain of directories: pages one after the other, found without a list of them.
//!
//! A chain that bites its own tail is noticed in constant memory: Brent's algorithm (BIT 20, 1980) keeps one earlier
//! offset, renews it at step 1, 2, 4, 8 ... and a chain that comes back to it is a loop.

use super::directory;
use super::file::{File, malformed};
use crate::FormatError;

/// A place in the chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    first: u64,
    /// The page it is at.
    index: u32,
    /// Where that page's directory lies; 0 behind the last.
    at: u64,
    /// The offset that must not come again.
    earlier: u64,
    steps: u64,
    renew: u64,
}

impl Walk {
    /// At the first page, whose directory lies at `first`.
    pub(super) fn new(first: u64) -> Self {
        Self { first, index: 0, at: first, earlier: first, steps: 0, renew: 1 }
    }

    /// Whether its first page's directory lies at `first`.
    pub(super) fn begins_at(&self, first: u64) -> bool {
        self.first == first
    }

    /// Goes to page `index`: on from here, or from the start if it lies behind. Returns where its directory lies,
    /// `None` if the chain ends before.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] if a directory on the way leaves the file or the chain is a loop.
    pub(super) fn go(&mut self, file: &File, index: u32) -> Result<Option<u64>, FormatError> {
        if index < self.index {
            *self = Self::new(self.first);
        }
        while self.at != 0 && self.index < index {
            let next = directory::next(file, self.at)?;
            if next == self.earlier {
                return Err(malformed(self.at, format!("the chain of pages comes back to byte {next}")));
            }
            self.at = next;
            self.index += 1;
            self.steps += 1;
            if self.steps == self.renew {
                (self.earlier, self.steps, self.renew) = (next, 0, self.renew.saturating_mul(2));
            }
        }
        Ok((self.at != 0).then_some(self.at))
    }
}

#[cfg(test)]
mod tests;
