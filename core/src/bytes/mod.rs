//! Positioned reads, the seam under every file format; and rows over `embedded-io` streams.

mod stream;

pub use stream::{ReadRows, WriteRows};

/// Something that can be read at any offset, from several threads at once if it is `Sync`: a file, a mapped
/// file, a flash chip, a slice.
///
/// Offsets are `u64`, lengths `usize`.
pub trait ReadAt {
    /// Its error.
    type Error: core::fmt::Debug;

    /// Its length in bytes.
    fn len(&self) -> u64;

    /// Whether it holds no bytes.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills all of `into` from `offset` on.
    ///
    /// # Errors
    /// The device's error; reading past the end is one, too.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Self::Error>;

    /// Fills each part from its own offset on, as [`ReadAt::read_at`] does one. Whoever has to look after a read
    /// whether what was read can be trusted does so once for all of them.
    ///
    /// # Errors
    /// As [`ReadAt::read_at`]. The content of all parts is undefined then.
    fn read_each(&self, parts: &mut dyn Iterator<Item = (u64, &mut [u8])>) -> Result<(), Self::Error> {
        for (offset, into) in parts {
            self.read_at(offset, into)?;
        }
        Ok(())
    }

    /// Nothing before `offset` will be read again by this reader: what is held for it may be let go.
    fn release_before(&self, _offset: u64) {}
}

impl<R: ReadAt + ?Sized> ReadAt for &R {
    type Error = R::Error;

    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Self::Error> {
        (**self).read_at(offset, into)
    }

    fn read_each(&self, parts: &mut dyn Iterator<Item = (u64, &mut [u8])>) -> Result<(), Self::Error> {
        (**self).read_each(parts)
    }

    fn release_before(&self, offset: u64) {
        (**self).release_before(offset);
    }
}

/// A read past the end of a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PastEnd {
    /// First byte asked for.
    pub offset: u64,
    /// Bytes asked for.
    pub wanted: usize,
    /// Bytes there are in all.
    pub len: u64,
}

impl core::fmt::Display for PastEnd {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} bytes wanted at offset {}, but there are only {}", self.wanted, self.offset, self.len)
    }
}

impl core::error::Error for PastEnd {}

impl ReadAt for [u8] {
    type Error = PastEnd;

    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), PastEnd> {
        let past = PastEnd { offset, wanted: into.len(), len: <[u8]>::len(self) as u64 };
        let start = usize::try_from(offset).map_err(|_| past)?;
        let end = start.checked_add(into.len()).ok_or(past)?;
        into.copy_from_slice(self.get(start..end).ok_or(past)?);
        Ok(())
    }
}
