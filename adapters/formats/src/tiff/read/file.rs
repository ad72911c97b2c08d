//! The file under a picture: checked positioned reads and numbers in the file's byte order.
//!
//! Every read of the reader goes through [`File::read`], which refuses what does not lie inside the file before the
//! device is asked: so no offset of a hostile header gets any further.

use crate::tiff::NAME;
use crate::{Bytes, FormatError};
use std::fmt::Display;

/// A TIFF file's bytes and the two facts of its header that all numbers depend on.
#[derive(Clone)]
pub(super) struct File {
    bytes: Bytes,
    len: u64,
    big_endian: bool,
    big: bool,
}

/// The file breaks a rule at byte `offset`.
pub(super) fn malformed(offset: u64, problem: impl Into<String>) -> FormatError {
    FormatError::Malformed { format: NAME, problem: problem.into(), offset: Some(offset) }
}

/// The file is legal but needs something that is not there.
pub(super) fn unsupported(feature: impl Into<String>) -> FormatError {
    FormatError::Unsupported { format: NAME, feature: feature.into() }
}

impl File {
    /// Reads the header. Returns the file and the offset of its first directory.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] if it is the header of no TIFF or BigTIFF file.
    pub(super) fn open(bytes: Bytes) -> Result<(Self, u64), FormatError> {
        let len = bytes.len();
        let mut file = Self { bytes, len, big_endian: false, big: false };
        let mut mark = [0; 4];
        file.read(0, &mut mark, "the header")?;
        (file.big_endian, file.big) = match &mark {
            b"II*\0" => (false, false),
            b"MM\0*" => (true, false),
            b"II+\0" => (false, true),
            b"MM\0+" => (true, true),
            _ => return Err(malformed(0, "the file does not begin with II*, MM*, II+ or MM+")),
        };
        if !file.big {
            let first = u64::from(file.u32_at(4, "the header")?);
            return Ok((file, first));
        }
        let (size, zero) = (file.u16_at(4, "the header")?, file.u16_at(6, "the header")?);
        if (size, zero) != (8, 0) {
            return Err(malformed(
                4,
                format!("a BigTIFF header with offsets of {size} bytes and padding {zero}"),
            ));
        }
        let first = file.u64_at(8, "the header")?;
        Ok((file, first))
    }

    /// Its length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Whether it is a BigTIFF.
    pub(super) fn is_big(&self) -> bool {
        self.big
    }

    /// Whether its numbers are stored with the most significant byte first.
    pub(super) fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    /// Whether its samples must be swapped on this machine.
    pub(super) fn swaps(&self) -> bool {
        self.big_endian != cfg!(target_endian = "big")
    }

    /// Fails unless `bytes` bytes from `offset` on are in the file.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] that says what lies outside.
    pub(super) fn check(&self, offset: u64, bytes: u64, what: impl Display) -> Result<(), FormatError> {
        match offset.checked_add(bytes) {
            Some(end) if end <= self.len => Ok(()),
            _ => {
                let problem = format!("{what} of {bytes} bytes lies outside the file of {} bytes", self.len);
                Err(malformed(offset, problem))
            }
        }
    }

    /// Fills `into` from `offset` on.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] if that leaves the file, [`FormatError::Io`] if the device fails.
    pub(super) fn read(&self, offset: u64, into: &mut [u8], what: &str) -> Result<(), FormatError> {
        self.check(offset, into.len() as u64, what)?;
        self.bytes.read_at(offset, into).map_err(|error| FormatError::read(offset, error))
    }

    /// The same for several parts, whose offsets were [checked](Self::check); `first` is named if the device fails.
    ///
    /// # Errors
    /// [`FormatError::Io`] if the device fails.
    pub(super) fn read_each<'b>(
        &self,
        first: u64,
        mut parts: impl Iterator<Item = (u64, &'b mut [u8])>,
    ) -> Result<(), FormatError> {
        self.bytes.read_each(&mut parts).map_err(|error| FormatError::read(first, error))
    }

    /// Nothing before `offset` is needed any more.
    pub(super) fn release_before(&self, offset: u64) {
        self.bytes.release_before(offset);
    }

    /// The number in the first bytes of `bytes`, which are 1, 2, 4 or 8.
    #[inline]
    pub(super) fn number(&self, bytes: &[u8]) -> u64 {
        let push = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        match self.big_endian {
            true => bytes.iter().fold(0, push),
            false => bytes.iter().rev().fold(0, push),
        }
    }

    pub(super) fn u16_at(&self, offset: u64, what: &str) -> Result<u16, FormatError> {
        let mut bytes = [0; 2];
        self.read(offset, &mut bytes, what)?;
        Ok(self.number(&bytes) as u16)
    }

    pub(super) fn u32_at(&self, offset: u64, what: &str) -> Result<u32, FormatError> {
        let mut bytes = [0; 4];
        self.read(offset, &mut bytes, what)?;
        Ok(self.number(&bytes) as u32)
    }

    pub(super) fn u64_at(&self, offset: u64, what: &str) -> Result<u64, FormatError> {
        let mut bytes = [0; 8];
        self.read(offset, &mut bytes, what)?;
        Ok(self.number(&bytes))
    }

    /// An offset of the width that the file uses: 4 bytes, or 8 in a BigTIFF.
    pub(super) fn offset_at(&self, offset: u64, what: &str) -> Result<u64, FormatError> {
        if self.big { self.u64_at(offset, what) } else { self.u32_at(offset, what).map(u64::from) }
    }
}
