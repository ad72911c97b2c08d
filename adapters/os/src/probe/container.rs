//! The container's memory limit: the narrowest of all groups up the tree, of both versions.

use super::groups::{Files, Groups};
use super::small_file::{number_after, read};
use std::path::Path;

/// Version 1 writes a number near 2^63 where there is no limit; nothing real has this many bytes.
const NO_LIMIT: u64 = 1 << 60;

/// A memory limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Container<'p> {
    /// The lowest limit, in bytes.
    pub limit_bytes: u64,
    /// What is left before a limit, in bytes: the least over all groups, each less what it uses (without the file
    /// cache that the system would give up first).
    pub available_bytes: u64,
    /// The file that says the limit.
    pub source: &'p Path,
}

pub(super) fn narrowest(groups: &Groups) -> Option<Container<'_>> {
    let files = groups.unified.iter().chain(&groups.memory);
    files.filter_map(of_group).reduce(|narrowest, other| {
        let available_bytes = narrowest.available_bytes.min(other.available_bytes);
        let lower = if other.limit_bytes < narrowest.limit_bytes { other } else { narrowest };
        Container { available_bytes, ..lower }
    })
}

/// The limit of one group, if it has one.
fn of_group(files: &Files) -> Option<Container<'_>> {
    let limits = files.limits.iter().filter_map(|path| {
        let limit = read(path, |text| text.trim().parse::<u64>().ok())?;
        (limit < NO_LIMIT).then_some((limit, path))
    });
    let (limit_bytes, source) = limits.min_by_key(|(limit, _)| *limit)?;
    let used = read(&files.usage, |text| text.trim().parse::<u64>().ok()).unwrap_or(0);
    // Version 1 has the sum over the groups below under another name, after the group's own.
    let cache = |text: &str| {
        number_after(text, "total_inactive_file ").or_else(|| number_after(text, "inactive_file "))
    };
    let used = used.saturating_sub(read(&files.stat, cache).unwrap_or(0));
    Some(Container { limit_bytes, available_bytes: limit_bytes.saturating_sub(used), source })
}
