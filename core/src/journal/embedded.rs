//! The bridge to `embedded-storage` 0.3.

use super::flash::{Flash, Geometry};
use embedded_storage::nor_flash::NorFlash;

/// Any `embedded_storage` NOR flash as a [`Flash`]. Its erased bytes are 0xFF; the journal programs no word twice, so
/// `MultiwriteNorFlash` is not asked for.
///
/// There is no bridge to the asynchronous twin: each operation of the journal would have to be a future, with all that
/// it holds kept across every access. A driver that waits for its flash in an executor of its own fits behind this one.
#[derive(Clone, Copy, Debug)]
pub struct Nor<T>(pub T);

impl<T: NorFlash> Flash for Nor<T> {
    type Error = T::Error;

    fn geometry(&self) -> Geometry {
        let bytes = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        Geometry {
            capacity_bytes: bytes(self.0.capacity()),
            sector_bytes: bytes(T::ERASE_SIZE),
            // The journal reads words, too.
            word_bytes: bytes(T::WRITE_SIZE.max(T::READ_SIZE)),
            erased: 0xFF,
        }
    }

    fn read(&mut self, offset: u32, into: &mut [u8]) -> Result<(), T::Error> {
        self.0.read(offset, into)
    }

    fn program(&mut self, offset: u32, bytes: &[u8]) -> Result<(), T::Error> {
        self.0.write(offset, bytes)
    }

    fn erase(&mut self, offset: u32) -> Result<(), T::Error> {
        self.0.erase(offset, offset.saturating_add(bytes_of_sector::<T>()))
    }
}

fn bytes_of_sector<T: NorFlash>() -> u32 {
    u32::try_from(T::ERASE_SIZE).unwrap_or(u32::MAX)
}
