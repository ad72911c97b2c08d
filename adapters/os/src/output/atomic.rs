//! The output file of a job: positioned writes into a temporary file, then one rename.
//!
//! Invariant: the target's name never shows a file that is not complete, and an existing file is only replaced where
//! that was asked for.

use super::temporary;
use crate::FileError;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A file that becomes `target` when it is committed, and nothing if it is dropped before.
///
/// The temporary file stands in the target's folder under the name `.NAME.plimsoll-PROCESS-NUMBER.tmp`, so that the
/// rename never crosses a file system.
#[derive(Debug)]
pub struct AtomicOutput {
    file: File,
    temporary: Temporary,
    folder: PathBuf,
    target: PathBuf,
    overwrite: bool,
}

/// The name of the temporary file, removed on drop unless it was renamed.
#[derive(Debug)]
struct Temporary {
    path: PathBuf,
    renamed: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // It may be gone already; nobody is there to be told of anything else.
            let _ = std::fs::remove_file(&self.path);
        }
    }
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
            _ => {}
        }
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
            _ => PathBuf::from("."),
        };
        temporary::remove_stale(&folder, name);
        let (file, path) = temporary::create(&folder, name)?;
        let temporary = Temporary { path, renamed: false };
        Ok(Self { file, temporary, folder, target: target.to_path_buf(), overwrite })
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

    /// Writes all of `bytes` at `offset`, from any thread; the file grows as it must.
    ///
    /// # Errors
    /// The system's, a full disk among them.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    /// Gives the file its name. With `sync` the content is on the disk before that, and the name when this returns;
    /// without, a power cut soon after may lose the file.
    ///
    /// # Errors
    /// [`FileError`]; nothing is left then, and a file that was to be replaced is still there.
    pub fn commit(mut self, sync: bool) -> Result<(), FileError> {
        if sync {
            self.file.sync_all().map_err(FileError::at("sync", &self.temporary.path))?;
        }
        if self.overwrite {
            std::fs::rename(&self.temporary.path, &self.target)
        } else {
            rename_to_new(&self.temporary.path, &self.target)
        }
        .map_err(FileError::at("rename to", &self.target))?;
        self.temporary.renamed = true;
        if sync {
            sync_folder(&self.folder).map_err(FileError::at("sync folder", &self.folder))?;
        }
        Ok(())
    }
}

/// Renames unless there is a file of that name, which another program may have made meanwhile.
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Kernels and file systems that do not know the flag.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            result => return result.map_err(io::Error::from),
        }
    }
    if to.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    std::fs::rename(from, to)
}

/// Puts the names in a folder on the disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
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
