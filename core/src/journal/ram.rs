//! A flash in the caller's memory: for examples, for firmware on an emulator, and for images read off devices.

use super::flash::{Flash, Geometry};

/// Bytes that behave as a flash: programming can only take bits away from the erased value, and erasing brings a
/// whole sector back.
///
/// ```
/// use plimsoll_core::journal::{Flash, RamFlash};
/// let mut bytes = [0u8; 4096];
/// let mut flash = RamFlash::new(&mut bytes, 1024, 4);
/// flash.erase(1024)?;
/// flash.program(1028, &[1, 2, 3, 4])?;
/// let mut back = [0u8; 8];
/// flash.read(1024, &mut back)?;
/// assert_eq!(back, [255, 255, 255, 255, 1, 2, 3, 4]);
/// # Ok::<(), plimsoll_core::journal::RamFlashError>(())
/// ```
#[derive(Debug)]
pub struct RamFlash<'a> {
    bytes: &'a mut [u8],
    sector_bytes: u32,
    word_bytes: u32,
    erased: u8,
}

/// What [`RamFlash`] cannot do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RamFlashError {
    /// Bytes past the end.
    PastEnd {
        /// First byte asked for.
        offset: u32,
        /// Bytes asked for.
        wanted: usize,
        /// Bytes there are.
        len: usize,
    },
    /// Not on a word or sector boundary, or not a whole number of words.
    Unaligned {
        /// First byte asked for.
        offset: u32,
        /// Bytes asked for.
        wanted: usize,
    },
    /// A bit would have to come back without an erase.
    NotErased {
        /// The byte.
        offset: u32,
    },
}

impl core::fmt::Display for RamFlashError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match *self {
            Self::PastEnd { offset, wanted, len } => {
                write!(f, "{wanted} bytes wanted at offset {offset}, but the flash has {len}")
            }
            Self::Unaligned { offset, wanted } => {
                write!(f, "{wanted} bytes at offset {offset} are not whole words or sectors")
            }
            Self::NotErased { offset } => write!(f, "the byte at offset {offset} was not erased"),
        }
    }
}

impl core::error::Error for RamFlashError {}

impl<'a> RamFlash<'a> {
    /// A flash over these bytes as they are. Erased bytes are 0xFF.
    pub const fn new(bytes: &'a mut [u8], sector_bytes: u32, word_bytes: u32) -> Self {
        Self { bytes, sector_bytes, word_bytes, erased: 0xFF }
    }

    /// The same with another erased value.
    #[must_use]
    pub const fn erased(self, erased: u8) -> Self {
        Self { erased, ..self }
    }

    fn range(&mut self, offset: u32, wanted: usize, align: u32) -> Result<&mut [u8], RamFlashError> {
        let len = self.bytes.len();
        let past = RamFlashError::PastEnd { offset, wanted, len };
        let whole = usize::try_from(align).ok().and_then(|align| wanted.checked_rem(align)) == Some(0);
        if offset.checked_rem(align) != Some(0) || !whole {
            return Err(RamFlashError::Unaligned { offset, wanted });
        }
        let start = usize::try_from(offset).map_err(|_| past)?;
        let end = start.checked_add(wanted).ok_or(past)?;
        self.bytes.get_mut(start..end).ok_or(past)
    }
}

impl Flash for RamFlash<'_> {
    type Error = RamFlashError;

    fn geometry(&self) -> Geometry {
        Geometry {
            capacity_bytes: u32::try_from(self.bytes.len()).unwrap_or(u32::MAX),
            sector_bytes: self.sector_bytes,
            word_bytes: self.word_bytes,
            erased: self.erased,
        }
    }

    fn read(&mut self, offset: u32, into: &mut [u8]) -> Result<(), RamFlashError> {
        into.copy_from_slice(self.range(offset, into.len(), 1)?);
        Ok(())
    }

    fn program(&mut self, offset: u32, bytes: &[u8]) -> Result<(), RamFlashError> {
        let erased = self.erased;
        let cells = self.range(offset, bytes.len(), self.word_bytes)?;
        // A bit that has left the erased value cannot come back.
        let stuck = cells.iter().zip(bytes).position(|(cell, byte)| (cell ^ erased) & (byte ^ cell) != 0);
        if let Some(at) = stuck {
            let offset = offset.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
            return Err(RamFlashError::NotErased { offset });
        }
        cells.copy_from_slice(bytes);
        Ok(())
    }

    fn erase(&mut self, offset: u32) -> Result<(), RamFlashError> {
        let (sector, erased) = (self.sector_bytes, self.erased);
        let wanted = usize::try_from(sector).unwrap_or(usize::MAX);
        self.range(offset, wanted, sector)?.fill(erased);
        Ok(())
    }
}
