//! Input files: read at any offset by several threads, never written.
//!
//! [`PositionedFile`] is the default: bytes go straight into the caller's memory and nothing else becomes resident.
//! [`MappedFile`] copies out of a mapping and holds at most [`MAPPED_WINDOW_BYTES`] of it resident. Both count what
//! they give, for the receipt's reads per input byte.

mod mapped;
mod positioned;
mod window;

pub use mapped::{MAPPED_WINDOW_BYTES, MappedFile};
pub use positioned::PositionedFile;

use crate::FileError;
use plimsoll_core::bytes::ReadAt;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

/// How an input is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Io {
    /// By positioned reads.
    #[default]
    Read,
    /// Out of a mapping.
    Mmap,
}

/// An opened input file. An `Arc` of it coerces to the `Arc<dyn ReadAt<Error = io::Error> + Send + Sync>` that
/// formats take.
pub trait Input: ReadAt<Error = io::Error> + Send + Sync {
    /// Bytes given to readers so far; those given twice count twice.
    fn bytes_read(&self) -> u64;
}

/// Opens `path` for reading.
///
/// # Errors
/// [`FileError`] with the system's reason; also if it is a folder, no regular file, or empty.
pub fn open_input(path: &Path, io: Io) -> Result<Arc<dyn Input>, FileError> {
    Ok(match io {
        Io::Read => Arc::new(PositionedFile::open(path)?),
        Io::Mmap => Arc::new(MappedFile::open(path)?),
    })
}

/// Opens a regular file that holds something, read-only, and gives its length.
fn open_regular(path: &Path) -> Result<(File, u64), FileError> {
    let fail = FileError::at("open", path);
    // A named pipe that nobody writes to must be refused, not waited for. Regular files do not care.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(&fail)?;
    let facts = file.metadata().map_err(&fail)?;
    if facts.is_dir() {
        return Err(fail(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, not a file")));
    }
    if !facts.is_file() {
        return Err(fail(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is a pipe or device; only regular files can be read at any offset",
        )));
    }
    if facts.len() == 0 {
        return Err(fail(io::Error::new(io::ErrorKind::InvalidData, "the file is empty")));
    }
    Ok((file, facts.len()))
}

/// The error for a read of `wanted` bytes at `offset` that a file of `len` bytes, when it was opened, cannot serve.
fn past_end(offset: u64, wanted: usize, len: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        format!("{wanted} bytes wanted at offset {offset}, but the file has only {len} bytes"),
    )
}

/// The error for a file that had `len` bytes when it was opened and has fewer now.
fn shrank(file: &File, len: u64) -> io::Error {
    let now = file.metadata().map_or(0, |facts| facts.len());
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        format!("the file shrank while it was read: it had {len} bytes when it was opened, it has {now} now"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn message(path: &Path, io: Io) -> String {
        open_input(path, io).err().expect("it cannot be opened").to_string()
    }

    #[test]
    fn what_is_no_file_with_content_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty");
        File::create(&empty).unwrap();
        let pipe = folder.path().join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        for io in [Io::Read, Io::Mmap] {
            assert!(message(folder.path(), io).ends_with("it is a folder, not a file"));
            assert!(message(&empty, io).ends_with("empty: the file is empty"));
            assert!(message(&pipe, io).contains("pipe or device"));
            assert!(message(&folder.path().join("none"), io).starts_with("open "));
        }
    }

    #[test]
    fn reads_are_exact_counted_and_refused_past_the_end() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let content: Vec<u8> = (0..1_000_003u32).map(|i| (i * 7 % 251) as u8).collect();
        file.write_all(&content).unwrap();
        for io in [Io::Read, Io::Mmap] {
            let input = open_input(file.path(), io).unwrap();
            assert_eq!(input.len(), content.len() as u64);
            let mut counted = 0;
            for (offset, len) in
                [(0, 0), (0, 1), (131_000, 200_000), (5, 1_000_000 - 2), (1_000_002, 1), (1_000_003, 0)]
            {
                let mut into = vec![0; len];
                input.read_at(offset as u64, &mut into).unwrap();
                assert_eq!(into, content[offset..offset + len]);
                counted += len as u64;
            }
            assert_eq!(input.bytes_read(), counted);
            for (offset, len) in [(1_000_003, 1), (0, 1_000_004), (u64::MAX, 2)] {
                let error = input.read_at(offset, &mut vec![0; len]).unwrap_err();
                assert!(error.to_string().contains("has only 1000003 bytes"), "{error}");
            }
        }
    }

    #[test]
    fn a_file_that_shrinks_is_an_error_that_says_so() {
        for io in [Io::Read, Io::Mmap] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&[1; 500_000]).unwrap();
            let input = open_input(file.path(), io).unwrap();
            file.as_file().set_len(100_000).unwrap();
            input.read_at(0, &mut [0; 100_000]).unwrap();
            let error = input.read_at(50_000, &mut vec![0; 400_000]).unwrap_err();
            assert!(
                error.to_string().contains("it had 500000 bytes when it was opened, it has 100000 now"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_input_is_what_formats_take() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"x").unwrap();
        let input = open_input(file.path(), Io::Read).unwrap();
        let bytes: Arc<dyn ReadAt<Error = io::Error> + Send + Sync> = input.clone();
        bytes.read_at(0, &mut [0]).unwrap();
        assert_eq!(input.bytes_read(), 1);
    }
}
