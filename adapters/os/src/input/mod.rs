//! Input files: read at any offset by several threads, never written.
//!
//! [`PositionedFile`] is the default: bytes go straight into the caller's memory and nothing else becomes resident.
//! [`MappedFile`] copies out of a mapping and holds at most [`MAPPED_WINDOW_BYTES`] of it resident. Both count what
//! they give, for the receipt's reads per input byte.
//!
//! A file that somebody changes while it is read would give a picture that never was. So after each read (those of
//! one `read_each` together) the file is asked for its length and its time of modification: what was read is given only
//! if both are those of when it was opened. A change that comes after the last read does not matter; one that comes
//! within a tick of the file system's clock (4 ms on most) after the last modification before it was opened, or through
//! another program's mapping that is not yet written back, cannot be seen this way.

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

/// What a file was when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Opened {
    len: u64,
    /// Seconds and nanoseconds of the last modification.
    modified: (i64, i64),
}

impl Opened {
    /// Asks for no more than it needs: this is done after each read.
    fn of(file: &File) -> io::Result<Self> {
        let facts = rustix::fs::fstat(file)?;
        Ok(Self {
            len: facts.st_size.cast_unsigned(),
            modified: (facts.st_mtime, facts.st_mtime_nsec as i64),
        })
    }

    /// Fails if the file is another one by now.
    fn check(self, file: &File) -> io::Result<()> {
        let now = Self::of(file)?;
        if now.len < self.len {
            return Err(shrank(self.len, now.len));
        }
        if now != self {
            let line = "the file was changed while it was read";
            return Err(io::Error::new(io::ErrorKind::InvalidData, line));
        }
        Ok(())
    }
}

/// Opens a regular file that holds something, read-only, and says what it is.
fn open_regular(path: &Path) -> Result<(File, Opened), FileError> {
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
    let opened = Opened::of(&file).map_err(&fail)?;
    Ok((file, opened))
}

/// The error for a read of `wanted` bytes at `offset` that a file of `len` bytes, when it was opened, cannot serve.
fn past_end(offset: u64, wanted: usize, len: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        format!("{wanted} bytes wanted at offset {offset}, but the file has only {len} bytes"),
    )
}

/// The error for a file that had `len` bytes when it was opened and has `now` now.
fn shrank(len: u64, now: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        format!("the file shrank while it was read: it had {len} bytes when it was opened, it has {now} now"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::FileExt;

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
            input.read_at(0, &mut [0; 100_000]).unwrap();
            file.as_file().set_len(100_000).unwrap();
            for (offset, len) in [(50_000, 400_000), (0, 1000), (450_000, 10), (99_990, 20)] {
                let error = input.read_at(offset, &mut vec![0; len]).unwrap_err();
                assert!(
                    error.to_string().contains("it had 500000 bytes when it was opened, it has 100000 now"),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn a_file_that_is_changed_is_an_error_that_says_so() {
        for io in [Io::Read, Io::Mmap] {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(&[1; 5000]).unwrap();
            let input = open_input(file.path(), io).unwrap();
            input.read_at(0, &mut [0; 1000]).unwrap();
            // The clock of files ticks slowly.
            std::thread::sleep(std::time::Duration::from_millis(30));
            file.as_file().write_all_at(&[2; 10], 4000).unwrap();
            let error = input.read_at(0, &mut [0; 1000]).unwrap_err();
            assert!(error.to_string().contains("was changed while it was read"), "{error}");
        }
    }

    /// Somebody truncates and grows the file all the time: reads fail or are right, and nothing is killed.
    #[test]
    fn a_file_that_shrinks_at_any_moment_does_not_kill() {
        const LEN: u64 = 3 << 20;
        for io in [Io::Mmap, Io::Read] {
            let file = tempfile::NamedTempFile::new().unwrap();
            let (mut good, mut bad) = (0, 0);
            let done = std::sync::atomic::AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let mut turn = 0u64;
                    while !done.load(std::sync::atomic::Ordering::Relaxed) {
                        file.as_file().set_len(turn * 7919 % LEN).unwrap();
                        file.as_file().set_len(LEN).unwrap();
                        turn += 1;
                        if turn.is_multiple_of(64) {
                            // Now and then somebody gets through.
                            std::thread::sleep(std::time::Duration::from_millis(1));
                        }
                    }
                });
                let mut into = vec![0; 700_000];
                let began = std::time::Instant::now();
                while began.elapsed() < std::time::Duration::from_millis(1500) {
                    let Ok(input) = open_input(file.path(), io) else { continue };
                    for offset in [0, 1 << 20, 2 << 20] {
                        into.fill(7);
                        match input.read_at(offset, &mut into) {
                            Ok(()) => {
                                assert!(into.iter().all(|byte| *byte == 0));
                                good += 1;
                            }
                            Err(_) => bad += 1,
                        }
                    }
                }
                done.store(true, std::sync::atomic::Ordering::Relaxed);
            });
            assert!(bad > 0, "{good} good reads");
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
