//! The machine's memory: what is available and whether somebody waits for it.

use super::small_file::{kib_after, read};
use std::path::Path;

/// `MemAvailable` of `/proc/meminfo`, in bytes.
pub(super) fn available_bytes(meminfo: &Path) -> Option<u64> {
    read(meminfo, |text| kib_after(text, "MemAvailable:"))
}

/// `some avg10` of a pressure file (percent) as a share.
pub(super) fn pressure(path: &Path) -> Option<f32> {
    read(path, |text| {
        let line = text.lines().find_map(|line| line.strip_prefix("some "))?;
        let percent: f32 =
            line.split_whitespace().find_map(|word| word.strip_prefix("avg10="))?.parse().ok()?;
        (0.0..=100.0).contains(&percent).then_some(percent / 100.0)
    })
}
