//! A journal's flash in a file: on hosts that want the same power-safe log, and for images read off devices.

use crate::FileError;
use crate::retry;
use plimsoll_core::journal::{Flash, Geometry, HEADER_BYTES, identify};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Bytes written at a time where a whole sector is erased.
const PIECE: usize = 4096;

/// A file that a journal takes for a flash.
///
/// Every program and erase is on the disk when it returns. While it is open for writing no other process can open
/// it so. An image that was opened with [`FileFlash::open_image`] is never written.
#[derive(Debug)]
pub struct FileFlash {
    file: File,
    geometry: Geometry,
    writable: bool,
}

impl FileFlash {
    /// Makes a new file of `geometry.capacity_bytes` erased bytes, which [`Journal::format`] can format.
    ///
    /// [`Journal::format`]: plimsoll_core::journal::Journal::format
    ///
    /// # Errors
    /// [`FileError`] if it exists already or cannot be made.
    pub fn create(path: &Path, geometry: Geometry) -> Result<Self, FileError> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        let flash = Self {
            file: lock(file.map_err(FileError::at("create", path))?, path)?,
            geometry,
            writable: true,
        };
        flash.fill(0, geometry.capacity_bytes).map_err(FileError::at("write", path))?;
        Ok(flash)
    }

    /// Opens a file for reading and writing, as a flash of the sizes that its headers tell.
    ///
    /// # Errors
    /// [`FileError`] if it cannot be opened, another process has it, or no part of it is a sector of a journal.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let file =
            OpenOptions::new().read(true).write(true).open(path).map_err(FileError::at("open", path))?;
        Self::identified(lock(file, path)?, path, true)
    }

    /// Opens an image for reading only, as a flash of the sizes that its headers tell.
    ///
    /// # Errors
    /// [`FileError`] if it cannot be opened, or no part of it is a sector of a journal.
    pub fn open_image(path: &Path) -> Result<Self, FileError> {
        Self::identified(File::open(path).map_err(FileError::at("open", path))?, path, false)
    }

    fn identified(file: File, path: &Path, writable: bool) -> Result<Self, FileError> {
        let fail = FileError::at("open", path);
        let facts = file.metadata().map_err(&fail)?;
        if !facts.is_file() {
            return Err(fail(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file")));
        }
        match find_geometry(&file, facts.len()).map_err(&fail)? {
            Some(geometry) => Ok(Self { file, geometry, writable }),
            None => {
                let why = format!("no sector of a journal in its {} bytes", facts.len());
                Err(fail(io::Error::new(ErrorKind::InvalidData, why)))
            }
        }
    }

    /// Writes erased bytes.
    fn fill(&self, offset: u32, len: u32) -> io::Result<()> {
        let piece = [self.geometry.erased; PIECE];
        let (mut offset, mut left) = (u64::from(offset), len as usize);
        while left > 0 {
            let now = left.min(PIECE);
            // The same bytes at the same place: doing it twice does no harm.
            retry::again(|| self.file.write_all_at(&piece[..now], offset))?;
            offset += now as u64;
            left -= now;
        }
        self.file.sync_data()
    }

    fn writable(&self) -> io::Result<()> {
        match self.writable {
            true => Ok(()),
            false => {
                Err(io::Error::new(ErrorKind::PermissionDenied, "the image was opened for reading only"))
            }
        }
    }
}

/// The sizes of the journal in a file: of the first place where a sector could begin and does.
fn find_geometry(file: &File, len: u64) -> io::Result<Option<Geometry>> {
    let mut start = [0u8; HEADER_BYTES];
    for sector_bytes in (9..=24).map(|log2| 1u64 << log2) {
        for offset in (0..len).step_by(sector_bytes as usize) {
            if offset + HEADER_BYTES as u64 > len {
                break;
            }
            retry::again(|| file.read_exact_at(&mut start, offset))?;
            if let Some(geometry) = identify(&start)
                && u64::from(geometry.sector_bytes) == sector_bytes
                && u64::from(geometry.capacity_bytes) == len
            {
                return Ok(Some(geometry));
            }
        }
    }
    Ok(None)
}

/// Two writers would destroy the journal.
fn lock(file: File, path: &Path) -> Result<File, FileError> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let why = io::Error::new(ErrorKind::ResourceBusy, "another process writes to it");
            Err(FileError::new("lock", path, why))
        }
        // No locks on this file system.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

impl Flash for FileFlash {
    type Error = io::Error;

    fn geometry(&self) -> Geometry {
        self.geometry
    }

    fn read(&mut self, offset: u32, into: &mut [u8]) -> io::Result<()> {
        retry::again(|| self.file.read_exact_at(into, offset.into()))
    }

    fn program(&mut self, offset: u32, bytes: &[u8]) -> io::Result<()> {
        self.writable()?;
        retry::again(|| self.file.write_all_at(bytes, offset.into()))?;
        // What a failed sync has left is not known: the journal hears of it, and nothing is acknowledged.
        self.file.sync_data()
    }

    fn erase(&mut self, offset: u32) -> io::Result<()> {
        self.writable()?;
        self.fill(offset, self.geometry.sector_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::journal::{From, Journal, JournalError, Policy};

    const GEOMETRY: Geometry =
        Geometry { capacity_bytes: 16 * 4096, sector_bytes: 4096, word_bytes: 1, erased: 0xFF };

    #[test]
    fn a_journal_lives_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let flash = FileFlash::create(&path, GEOMETRY).unwrap();
        assert!(matches!(Journal::mount(flash, Policy::Keep), Err(JournalError::NotFormatted)));
        assert!(
            FileFlash::open(&path)
                .unwrap_err()
                .to_string()
                .contains("no sector of a journal in its 65536 bytes")
        );
        std::fs::remove_file(&path).unwrap();

        let mut journal =
            Journal::format(FileFlash::create(&path, GEOMETRY).unwrap(), Policy::Overwrite).unwrap();
        for number in 0..500u32 {
            assert_eq!(journal.append(3, 5..=6, &number.to_le_bytes()).unwrap(), number);
        }
        assert!(FileFlash::create(&path, GEOMETRY).unwrap_err().to_string().starts_with("create "));
        assert!(FileFlash::open(&path).unwrap_err().to_string().ends_with("another process writes to it"));
        drop(journal);

        // Readable though the first sectors are gone, and not written to.
        let before = std::fs::read(&path).unwrap();
        let mut journal = Journal::inspect(FileFlash::open_image(&path).unwrap(), Policy::Keep).unwrap();
        let mut buffer = [0; 8];
        let record = journal.iterate(From::Sequence(499)).next(&mut buffer).unwrap().unwrap();
        assert_eq!((record.sequence, record.bytes), (499, &499u32.to_le_bytes()[..]));
        assert!(journal.append(0, 0..=0, &[]).is_err());
        drop(journal);
        assert_eq!(std::fs::read(&path).unwrap(), before);

        let mut torn = before;
        torn[..4096].fill(0);
        std::fs::write(&path, torn).unwrap();
        assert_eq!(FileFlash::open(&path).unwrap().geometry(), GEOMETRY);
    }
}
