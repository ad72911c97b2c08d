//! What the machine, the container and this process can say about themselves: the readings of the governor, and the
//! defaults for budget and workers.
//!
//! Every source is optional: a file that is missing, unreadable or malformed gives `None` and never an error. Files
//! are looked up once, in [`Probe::at`]; readings allocate nothing, so that they can be taken while a job runs.

mod budget;
mod container;
mod cpu;
pub(crate) mod disk;
mod groups;
mod machine;
mod process;
mod small_file;

pub use budget::Available;
pub use container::Container;
pub use cpu::CpuMeter;
pub use process::ProcessMemory;

use groups::Groups;
use plimsoll_core::pipeline::governor::Readings;
use std::path::{Path, PathBuf};

/// Reads `/proc` and `/sys/fs/cgroup` under a root.
#[derive(Clone, Debug)]
pub struct Probe {
    groups: Groups,
    status: PathBuf,
    meminfo: PathBuf,
    pressure: PathBuf,
    stat: PathBuf,
    own_stat: PathBuf,
}

impl Probe {
    /// This machine, seen from this process.
    pub fn system() -> Self {
        Self::at(Path::new("/"))
    }

    /// The machine whose files lie under `root`: for tests.
    pub fn at(root: &Path) -> Self {
        Self {
            groups: Groups::find(root),
            status: root.join("proc/self/status"),
            meminfo: root.join("proc/meminfo"),
            pressure: root.join("proc/pressure/memory"),
            stat: root.join("proc/stat"),
            own_stat: root.join("proc/self/stat"),
        }
    }

    /// Resident memory of this process, now and at its peak.
    pub fn process_memory(&self) -> ProcessMemory {
        process::memory(&self.status)
    }

    /// The memory limit of the container, the narrowest up the tree; `None` where nothing limits.
    pub fn container(&self) -> Option<Container<'_>> {
        container::narrowest(&self.groups)
    }

    /// Bytes that the machine could give without swapping.
    pub fn available_bytes(&self) -> Option<u64> {
        machine::available_bytes(&self.meminfo)
    }

    /// Share of the last ten seconds in which some task of the container (of the machine, where the container does
    /// not say) waited for memory: 0.0 to 1.0.
    pub fn memory_pressure(&self) -> Option<f32> {
        let own = self.groups.pressure().and_then(machine::pressure);
        own.or_else(|| machine::pressure(&self.pressure))
    }

    /// Processors that this process may use: its affinity, and the container's quota rounded down. At least 1.
    pub fn cpus(&self) -> u32 {
        cpu::count(&self.groups)
    }

    /// Free bytes on the disk of `folder`, for users without special rights.
    pub fn disk_free_bytes(&self, folder: &Path) -> Option<u64> {
        disk::free_bytes(folder)
    }

    /// What the governor decides on. `meter` keeps the processors' times from one call to the next: the load is that
    /// since the last call, `None` at the first. `folder` is the output's.
    pub fn readings(&self, meter: &mut CpuMeter, folder: Option<&Path>) -> Readings {
        let container = self.container().map(|container| container.available_bytes);
        Readings {
            resident_bytes: self.process_memory().resident_bytes,
            available_bytes: [self.available_bytes(), container].into_iter().flatten().min(),
            memory_pressure: self.memory_pressure(),
            foreign_cpu: meter.foreign(&self.stat, &self.own_stat),
            disk_free_bytes: folder.and_then(disk::free_bytes),
        }
    }
}

#[cfg(test)]
mod tests;
