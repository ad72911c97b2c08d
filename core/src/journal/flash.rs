//! The seam under the journal: NOR-like memory that is read anywhere, programmed in words and erased in sectors.

use core::fmt::Debug;

/// What a flash says of itself. Proven by [`super::Layout::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Geometry {
    /// Bytes in all.
    pub capacity_bytes: u32,
    /// Smallest piece that can be erased, in bytes.
    pub sector_bytes: u32,
    /// Smallest piece that can be programmed, in bytes. A word is programmed at most once between two erases.
    pub word_bytes: u32,
    /// The value of an erased byte: 0xFF almost everywhere.
    pub erased: u8,
}

/// A NOR-like flash, or the region of one that the journal owns.
///
/// The journal reads and programs whole words at word boundaries and erases one sector at a time. It programs only
/// what it has erased and found erased since it was mounted, and no word twice.
pub trait Flash {
    /// Its error.
    type Error: Debug;

    /// Its sizes. Always the same answer.
    fn geometry(&self) -> Geometry;

    /// Fills `into` from `offset` on.
    ///
    /// # Errors
    /// The device's error; an uncorrectable word is one, too. The journal then takes those bytes for lost.
    fn read(&mut self, offset: u32, into: &mut [u8]) -> Result<(), Self::Error>;

    /// Programs `bytes` at `offset`, in the order of their addresses or any other. Returns when they are programmed
    /// for good.
    ///
    /// # Errors
    /// The device's error; what the words then hold is unknown.
    fn program(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Erases the sector that begins at `offset`.
    ///
    /// # Errors
    /// The device's error; what the sector then holds is unknown.
    fn erase(&mut self, offset: u32) -> Result<(), Self::Error>;
}

impl<F: Flash + ?Sized> Flash for &mut F {
    type Error = F::Error;

    fn geometry(&self) -> Geometry {
        (**self).geometry()
    }

    fn read(&mut self, offset: u32, into: &mut [u8]) -> Result<(), Self::Error> {
        (**self).read(offset, into)
    }

    fn program(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        (**self).program(offset, bytes)
    }

    fn erase(&mut self, offset: u32) -> Result<(), Self::Error> {
        (**self).erase(offset)
    }
}
