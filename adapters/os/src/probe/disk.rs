//! Room on a disk.

use std::path::Path;

/// Free bytes for users without special rights on the disk of `folder`.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let facts = rustix::fs::statvfs(folder).ok()?;
    facts.f_bavail.checked_mul(facts.f_frsize)
}
