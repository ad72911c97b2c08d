//! The output file of a job: positioned writes into a temporary file, then one rename.
//!
//! Invariant: the target's name never shows a file that is not complete, and an existing file is only replaced where
//! that was asked for.

use super::name::{give, take_back};
use super::temporary::{self, Temporary};
use crate::FileError;
use crate::probe::disk;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A file that becomes `target` when it is committed, and nothing if it is dropped before.
///
/// The temporary file stands in the target's folder under the name `.NAME.plimsoll-PROCESS-NUMBER.tmp`, so that the
/// rename never crosses a file system.
#[derive(Debug)]
pub struct AtomicOutput {
    file: File,
    /// The system writes to a file for one thread at a time anyway, and lets the others spin meanwhile: they sleep
    /// here.
    turn: Mutex<()>,
    temporary: Temporary,
    folder: PathBuf,
    target: PathBuf,
    overwrite: bool,
    /// Room that the disk was asked for.
    reserved: u64,
}

impl AtomicOutput {
    /// Begins an output for `target`, which may exist as a regular file (or a link to one, which is then itself
    /// replaced) if `overwrite`. Removes temporary files that dead processes left for the same target.
    ///
    /// # Errors
    /// [`FileError`] if the target exists and may not be replaced, is a folder or device, has no name, or if its
    /// folder cannot be written to.
    pub fn create(target: &Path, overwrite: bool) -> Result<Self, FileError> {
        let refuse = |kind, problem| Err(FileError::new("create", target, io::Error::new(kind, problem)));
        let name = match target.file_name() {
            Some(name) if !target.as_os_str().as_encoded_bytes().ends_with(b"/") => name,
            _ => return refuse(io::ErrorKind::InvalidInput, "it does not name a file"),
        };
        match (target.symlink_metadata(), target.metadata()) {
            (_, Ok(facts)) if facts.is_dir() => {
                return refuse(io::ErrorKind::IsADirectory, "it is a folder");
            }
            (_, Ok(facts)) if !facts.is_file() => {
                return refuse(io::ErrorKind::InvalidInput, "it is a pipe or device, not a regular file");
            }
            (Ok(_), _) if !overwrite => {
                return refuse(io::ErrorKind::AlreadyExists, "it exists already");
            }
            // Nobody can say what would be replaced.
            (Err(error), _) if error.kind() != io::ErrorKind::NotFound => {
                return Err(FileError::new("create", target, error));
            }
            _ => {}
        }
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
            _ => PathBuf::from("."),
        };
        temporary::remove_stale(&folder, name);
        let (file, temporary) = temporary::create(&folder, name)?;
        let target = target.to_path_buf();
        Ok(Self { file, turn: Mutex::new(()), temporary, folder, target, overwrite, reserved: 0 })
    }

    /// Where it will appear.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The file that is being written, until it is committed.
    pub fn temporary(&self) -> &Path {
        &self.temporary.path
    }

    /// The folder it is written in: the one whose disk must have room.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes the room of a file of `bytes` bytes on the disk, so that a full disk is known before the work; writing
    /// into room that is there costs the system less, too (a tenth of a copy's processor time on ext4). A file system
    /// that cannot do that is only asked whether it has so much. What is more than the file needs goes back when it is
    /// committed.
    ///
    /// # Errors
    /// [`FileError`] if the disk is full, a quota used up, a file of that size not possible, or the device fails.
    pub fn reserve(&mut self, bytes: u64) -> Result<(), FileError> {
        if bytes == 0 {
            return Ok(());
        }
        // First, as asking for too much takes all that there is before it fails.
        if let Some(free) = disk::free_bytes(&self.folder).filter(|free| *free < bytes) {
            let problem =
                format!("{bytes} bytes are needed, {free} are free: free some or write somewhere else");
            let full = io::Error::new(io::ErrorKind::StorageFull, problem);
            return Err(FileError::new("reserve the disk's room of", &self.target, full));
        }
        // The file's length stays as it is: the writes set it.
        let ask = || fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, bytes);
        match rustix::io::retry_on_intr(ask) {
            Ok(()) => self.reserved = bytes,
            Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG | Errno::IO)) => {
                return Err(FileError::new("reserve the disk's room of", &self.target, error.into()));
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// Writes all of `bytes` at `offset`, from any thread; the file grows as it must.
    ///
    /// # Errors
    /// The system's, a full disk among them.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        // The same bytes at the same place: doing it twice does no harm.
        crate::retry::again(|| {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.file.write_all_at(bytes, offset)
        })
    }

    /// Gives the file its name. With `sync` the content is on the disk before that, and the name when this returns;
    /// without, a power cut soon after may lose the file.
    ///
    /// # Errors
    /// [`FileError`]; nothing is left then, and a file that was to be replaced is still there. Only on file systems
    /// that cannot swap names it is replaced where nothing but the sync of the folder failed.
    pub fn commit(self, sync: bool) -> Result<(), FileError> {
        self.commit_with(sync, sync_folder)
    }

    fn commit_with(
        mut self,
        sync: bool,
        sync_folder: impl Fn(&File) -> io::Result<()>,
    ) -> Result<(), FileError> {
        let fail = |operation| FileError::at(operation, &self.target);
        if self.reserved > 0 {
            let len = self.file.metadata().map_err(fail("shorten"))?.len();
            if len < self.reserved {
                self.file.set_len(len).map_err(fail("shorten"))?;
            }
        }
        let folder = if sync {
            self.file.sync_all().map_err(fail("sync"))?;
            Some(File::open(&self.folder).map_err(fail("open the folder of"))?)
        } else {
            flush(&self.file).map_err(fail("close"))?;
            None
        };
        let before =
            give(&mut self.temporary, &self.target, self.overwrite, sync).map_err(fail("rename to"))?;
        if let Some(Err(error)) = folder.as_ref().map(sync_folder) {
            take_back(&mut self.temporary, &self.target, &self.file, before);
            return Err(FileError::new("sync the folder of", &self.target, error));
        }
        Ok(())
    }
}

/// Some network file systems tell of a full disk only where a file is closed. Closes a second handle, as the first one
/// holds the lock.
fn flush(file: &File) -> io::Result<()> {
    match nix::unistd::close(file.try_clone()?) {
        // It is closed all the same.
        Ok(()) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Puts the names in a folder on the disk.
fn sync_folder(folder: &File) -> io::Result<()> {
    match folder.sync_all() {
        // File systems that keep no folders of their own.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn it_appears_complete_with_the_permissions_of_any_new_file() {
        let folder = tempfile::tempdir().unwrap();
        for sync in [false, true] {
            let target = folder.path().join(format!("out-{sync}"));
            let output = AtomicOutput::create(&target, false).unwrap();
            std::thread::scope(|scope| {
                scope.spawn(|| output.write_at(3, b"def").unwrap());
                scope.spawn(|| output.write_at(0, b"abc").unwrap());
            });
            assert!(!target.exists());
            output.commit(sync).unwrap();
            assert_eq!(std::fs::read(&target).unwrap(), b"abcdef");
            let plain = folder.path().join("plain");
            File::create(&plain).unwrap();
            let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
            assert_eq!(mode(&target), mode(&plain));
        }
        assert_eq!(names(folder.path()), ["out-false", "out-true", "plain"]);
    }

    #[test]
    fn dropped_it_leaves_nothing_and_what_was_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        std::fs::write(&target, b"before").unwrap();
        let output = AtomicOutput::create(&target, true).unwrap();
        output.write_at(0, b"half").unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        drop(output);
        assert_eq!(names(folder.path()), ["out"]);
        assert_eq!(std::fs::read(&target).unwrap(), b"before");
        let output = AtomicOutput::create(&target, true).unwrap();
        output.write_at(0, b"after").unwrap();
        output.commit(true).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"after");
    }

    #[test]
    fn room_is_taken_before_and_what_is_too_much_goes_back() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        let mut output = AtomicOutput::create(&target, false).unwrap();
        output.reserve(0).unwrap();
        output.reserve(10 << 20).unwrap();
        let facts = output.temporary().metadata().unwrap();
        // File systems without it have taken nothing.
        assert!(facts.len() == 0 && (facts.blocks() == 0 || facts.blocks() >= 10 << 11));
        output.write_at(0, &[7; 5000]).unwrap();
        output.commit(true).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), [7; 5000]);
        assert!(target.metadata().unwrap().blocks() < 1 << 11);
        // No disk has that.
        let none = folder.path().join("none");
        let mut output = AtomicOutput::create(&none, false).unwrap();
        let error = output.reserve(i64::MAX.cast_unsigned()).unwrap_err().to_string();
        assert!(error.starts_with("reserve the disk's room of "), "{error}");
        assert!(error.contains(": 9223372036854775807 bytes are needed, "), "{error}");
        assert_eq!(output.temporary().metadata().unwrap().blocks(), 0);
        drop(output);
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn a_name_that_the_disk_does_not_confirm_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let (target, other) = (folder.path().join("out"), folder.path().join("other"));
        let failing = |_: &File| Err(io::Error::other("no disk"));
        for (before, overwrite) in [(None, false), (None, true), (Some(b"before"), true)] {
            if let Some(before) = before {
                std::fs::write(&target, before).unwrap();
            }
            let output = AtomicOutput::create(&target, overwrite).unwrap();
            output.write_at(0, b"after").unwrap();
            let seen = |_: &File| {
                assert_eq!(std::fs::read(&target).unwrap(), b"after");
                failing(&File::open(folder.path()).unwrap())
            };
            let error = output.commit_with(true, seen).unwrap_err();
            assert_eq!((error.operation, &error.path), ("sync the folder of", &target));
            assert_eq!(std::fs::read(&target).ok().as_deref(), before.map(|before| &before[..]));
            assert_eq!(names(folder.path()).len(), before.iter().len());
        }
        // A link comes back as a link.
        symlink(&target, &other).unwrap();
        AtomicOutput::create(&other, true).unwrap().commit_with(true, failing).unwrap_err();
        assert_eq!(other.read_link().unwrap(), target);
        // What somebody else put there meanwhile is theirs.
        let output = AtomicOutput::create(&target, true).unwrap();
        let replaced = |_: &File| {
            std::fs::remove_file(&target)?;
            std::fs::write(&target, b"theirs")?;
            Err(io::Error::other("no disk"))
        };
        output.commit_with(true, replaced).unwrap_err();
        assert_eq!(std::fs::read(&target).unwrap(), b"theirs");
        assert_eq!(names(folder.path()), ["other", "out"]);
    }

    #[test]
    fn what_may_not_be_replaced_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("file"), b"").unwrap();
        symlink(folder.path(), path("to-folder")).unwrap();
        symlink("nowhere", path("dangling")).unwrap();
        let message = |target: &Path, overwrite| match AtomicOutput::create(target, overwrite) {
            Ok(_) => panic!("{} was accepted", target.display()),
            Err(error) => error.to_string(),
        };
        assert!(message(&path("file"), false).ends_with("file: it exists already"));
        assert!(message(&path("dangling"), false).ends_with("it exists already"));
        for overwrite in [false, true] {
            assert!(message(folder.path(), overwrite).ends_with("it is a folder"));
            assert!(message(&path("to-folder"), overwrite).ends_with("it is a folder"));
            assert!(message(Path::new("/dev/null"), overwrite).ends_with("not a regular file"));
            assert!(message(&path("new/"), overwrite).ends_with("it does not name a file"));
            assert!(message(&path("none/new"), overwrite).starts_with("create "));
        }
        assert_eq!(names(folder.path()), ["dangling", "file", "to-folder"]);
    }

    #[test]
    fn a_target_that_somebody_made_meanwhile_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        let output = AtomicOutput::create(&target, false).unwrap();
        std::fs::write(&target, b"theirs").unwrap();
        let error = output.commit(false).unwrap_err();
        assert_eq!((error.operation, error.source.kind()), ("rename to", io::ErrorKind::AlreadyExists));
        assert_eq!(std::fs::read(&target).unwrap(), b"theirs");
        assert_eq!(names(folder.path()), ["out"]);
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        std::fs::write(&real, b"real").unwrap();
        symlink(&real, &link).unwrap();
        AtomicOutput::create(&link, true).unwrap().commit(false).unwrap();
        assert_eq!(std::fs::read(&real).unwrap(), b"real");
        assert!(link.symlink_metadata().unwrap().is_file());
    }

    #[test]
    fn what_the_dead_left_is_removed_and_what_the_living_hold_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out");
        let living = AtomicOutput::create(&target, false).unwrap();
        let held = living.temporary.path.clone();
        // Nobody holds a lock on these, whatever process the name says.
        let stale = [
            ".out.plimsoll-999999999-0.tmp".into(),
            format!(".out.plimsoll-{}-999999.tmp", std::process::id()),
        ];
        let others = [".other.plimsoll-1-0.tmp", ".out.plimsoll-1-0.tmp.keep", "out.bak"];
        for name in stale.iter().map(String::as_str).chain(others) {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        drop(AtomicOutput::create(&target, false).unwrap());
        let left = names(folder.path());
        assert!(held.exists());
        assert!(stale.iter().all(|name| !left.contains(name)), "{left:?}");
        assert!(others.iter().all(|name| left.contains(&name.to_string())), "{left:?}");
    }

    #[test]
    fn names_of_any_length_work() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["é".repeat(127), "x".repeat(255)] {
            let target = folder.path().join(name);
            AtomicOutput::create(&target, false).unwrap().commit(false).unwrap();
            assert!(target.is_file());
        }
    }
}
