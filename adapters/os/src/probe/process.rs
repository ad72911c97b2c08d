//! The memory of this process as the system counts it: what `--within` is held against.

use super::small_file::{kib_after, read};
use std::path::Path;

/// Resident memory of this process in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessMemory {
    /// Now (`VmRSS`).
    pub resident_bytes: Option<u64>,
    /// At its peak (`VmHWM`).
    pub peak_resident_bytes: Option<u64>,
}

pub(super) fn memory(status: &Path) -> ProcessMemory {
    let memory = |text: &str| {
        Some(ProcessMemory {
            resident_bytes: kib_after(text, "VmRSS:"),
            peak_resident_bytes: kib_after(text, "VmHWM:"),
        })
    };
    read(status, memory).unwrap_or_default()
}
