//! How a finished file gets its target's name, and how that is taken back where the disk does not confirm it.
//!
//! Until the folder is on the disk, the file that is replaced stays under the temporary name. Where a file system
//! cannot swap names, it is gone with the rename, and the new file stays.

use super::temporary::{Temporary, remove};
use rustix::fs::{CWD, rename};
use rustix::io::retry_on_intr;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What became of the file that had the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// There was none.
    Nothing,
    /// It has the temporary name now.
    Kept,
    /// It is gone.
    Gone,
}

/// Gives the temporary file the name `target`. A file of that name is replaced if `overwrite`, and kept for
/// [`take_back`] if `keep` and the file system can.
pub(super) fn give(
    temporary: &mut Temporary,
    target: &Path,
    overwrite: bool,
    keep: bool,
) -> io::Result<Before> {
    let was_there = target.symlink_metadata().is_ok();
    let before = match (overwrite, was_there) {
        (true, true) if keep && swap(&temporary.path, target)? => Before::Kept,
        (true, _) => {
            retry_on_intr(|| rename(&temporary.path, target))?;
            if was_there { Before::Gone } else { Before::Nothing }
        }
        (false, _) => {
            rename_to_new(&temporary.path, target)?;
            Before::Nothing
        }
    };
    // What is kept goes when nobody wants it any more.
    temporary.renamed = before != Before::Kept;
    Ok(before)
}

/// Puts back what [`give`] changed, as far as that can be done and nobody else changed it since. `file` is the one that
/// got the name.
pub(super) fn take_back(temporary: &mut Temporary, target: &Path, file: &File, before: Before) {
    let identity = |facts: std::fs::Metadata| (facts.dev(), facts.ino());
    let (ours, there) = (file.metadata().map(identity), target.symlink_metadata().map(identity));
    if !matches!((ours, there), (Ok(ours), Ok(there)) if ours == there) {
        return;
    }
    match before {
        Before::Nothing => {
            let _ = remove(target);
        }
        Before::Kept => {
            // Whichever has the name then, the old file is not lost.
            temporary.renamed = true;
            let _ = retry_on_intr(|| rename(&temporary.path, target));
        }
        Before::Gone => {}
    }
}

/// Swaps two names; false where that cannot be done.
fn swap(temporary: &Path, target: &Path) -> io::Result<bool> {
    // Folders would swap, too.
    if !target.symlink_metadata().is_ok_and(|facts| facts.is_file() || facts.is_symlink()) {
        return Ok(false);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{RenameFlags, renameat_with};
        use rustix::io::Errno;
        match retry_on_intr(|| renameat_with(CWD, temporary, CWD, target, RenameFlags::EXCHANGE)) {
            Ok(()) => return Ok(true),
            // Kernels and file systems that do not know the flag; or the target went away.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Renames unless there is a file of that name, which another program may have made meanwhile.
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{RenameFlags, renameat_with};
        use rustix::io::Errno;
        match retry_on_intr(|| renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)) {
            // Kernels and file systems that do not know the flag.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            result => return result.map_err(io::Error::from),
        }
    }
    if to.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    retry_on_intr(|| rename(from, to)).map_err(io::Error::from)
}
