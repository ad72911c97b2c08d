//! The temporary file of an output: its name, its making, and what to do with those that dead processes left.
//!
//! A living process holds a lock on its temporary file, so a file whose lock can be had is nobody's. Unlike process
//! numbers, which are only asked where a file system has no locks, that is true across containers, too.

use crate::FileError;
use rustix::fs::{Dir, Mode, OFlags};
use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Names of files have at most 255 bytes on the usual file systems; this much of the target's name fits with the rest.
const MOST_NAME_BYTES: usize = 200;

/// How often the removal of a file is tried: what fails on a network may pass.
const TRIES: u32 = 3;

/// The name of a temporary file, removed on drop unless something else than ours stands there by then.
#[derive(Debug)]
pub(super) struct Temporary {
    pub(super) path: PathBuf,
    /// Nothing to remove: the file has its target's name.
    pub(super) renamed: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            // Nobody is there to be told; what stays is removed by the next run.
            let _ = remove(&self.path);
        }
    }
}

/// Removes a file, which may be gone already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let mut result = Ok(());
    for _ in 0..TRIES {
        result = std::fs::remove_file(path);
        if result.as_ref().err().is_none_or(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(());
        }
    }
    result
}

/// `.NAME.plimsoll-`, which all temporary files of one target begin with.
fn prefix(name: &OsStr) -> OsString {
    let mut prefix = OsString::from(".");
    if name.len() <= MOST_NAME_BYTES {
        prefix.push(name);
    } else {
        let text = name.to_string_lossy();
        prefix.push(&text[..text.floor_char_boundary(MOST_NAME_BYTES)]);
    }
    prefix.push(".plimsoll-");
    prefix
}

/// Makes the temporary file for `folder`/`name`, locked, with the permissions of any new file.
pub(super) fn create(folder: &Path, name: &OsStr) -> Result<(File, Temporary), FileError> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    // Users know the target, not what stands in for it.
    let target = folder.join(name);
    let fail = FileError::at("create", &target);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut own = prefix(name);
        own.push(format!("{}-{number}.tmp", std::process::id()));
        let path = folder.join(own);
        // `create_new` also follows no link that stands there.
        let file = match OpenOptions::new().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => file,
            // Another process of the same number, in another container or before a restart.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(fail(error)),
        };
        let temporary = Temporary { path, renamed: false };
        match file.try_lock() {
            // A process that cleans up took it for stale before it was locked: make another one.
            Err(TryLockError::WouldBlock) => continue,
            // No locks on this file system: the process number in the name has to do.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        if file.metadata().map_err(&fail)?.nlink() > 0 {
            return Ok((file, temporary));
        }
    }
}

/// Removes the temporary files of `folder`/`name` whose processes are gone. Tidying only: what cannot be removed
/// stays.
pub(super) fn remove_stale(folder: &Path, name: &OsStr) {
    let prefix = prefix(name);
    // The standard library's reader of folders panics where the folder cannot be closed.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(entries) = rustix::fs::open(folder, flags, Mode::empty()).and_then(Dir::new) else { return };
    for entry in entries.flatten() {
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        let Some(process) = process_of(name, &prefix) else { continue };
        let path = folder.join(name);
        // A link or folder of that name is not ours.
        if path.symlink_metadata().is_ok_and(|facts| facts.is_file()) && is_abandoned(&path, process) {
            let _ = remove(&path);
        }
    }
}

/// The process number in the name of a temporary file with this prefix.
fn process_of(name: &OsStr, prefix: &OsStr) -> Option<u32> {
    let rest = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes())?;
    let rest = std::str::from_utf8(rest).ok()?.strip_suffix(".tmp")?;
    let (process, number) = rest.split_once('-')?;
    number.parse::<u32>().ok()?;
    process.parse().ok()
}

fn is_abandoned(path: &Path, process: u32) -> bool {
    // Open for writing, as a network file system wants for such a lock.
    let Ok(file) = OpenOptions::new().write(true).open(path) else { return false };
    match file.try_lock() {
        Ok(()) => true,
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(_)) => !is_alive(process),
    }
}

/// Whether a process of this number runs, as far as can be seen from here.
fn is_alive(process: u32) -> bool {
    let pid = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_none_or(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let prefix = prefix(OsStr::new("a.tif"));
        let process = |name: &str| process_of(OsStr::new(name), &prefix);
        assert_eq!(process(".a.tif.plimsoll-12-3.tmp"), Some(12));
        for other in [".a.tif.plimsoll-12.tmp", ".a.tif.plimsoll-x-1.tmp", ".b.tif.plimsoll-1-1.tmp", "a.tif"]
        {
            assert_eq!(process(other), None, "{other}");
        }
    }

    #[test]
    fn a_living_process_is_seen() {
        assert!(is_alive(std::process::id()));
        // Linux numbers no process beyond 2^22. None is started for this: until its program runs it would hold a copy
        // of every file that other tests have open, with their locks.
        assert!(!is_alive(i32::MAX.unsigned_abs()));
    }
}
