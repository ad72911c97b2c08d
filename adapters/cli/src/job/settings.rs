//! What every job can be told beside its work.

use crate::settings::Layers;
use crate::size::Within;
use std::sync::Arc;

pub use plimsoll_os::input::Io;

/// How a job may use the machine. Nothing in here changes the result.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The peak resident memory of the whole process; half of what there is if absent.
    pub within: Option<Within>,
    /// The most workers; one for each processor if absent.
    pub workers: Option<u32>,
    /// How inputs are read.
    pub io: Io,
    /// The most rows of a strip.
    pub strip_rows: Option<u32>,
    /// The most source pixels of a strip.
    pub strip_pixels: Option<u64>,
    /// Whether an existing output may be replaced.
    pub overwrite: bool,
    /// Whether an output is forced to the disk before it gets its name.
    pub sync: bool,
    /// Whether the pixels of the output are hashed, for the receipt.
    pub hash: bool,
    /// Whether a memory profile is drawn beside: it has its place in the plan.
    pub profile: bool,
    /// Where these come from, and the rules for large pictures.
    pub layers: Arc<Layers>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            within: None,
            workers: None,
            io: Io::Read,
            strip_rows: None,
            strip_pixels: None,
            overwrite: false,
            sync: true,
            hash: false,
            profile: false,
            layers: Arc::default(),
        }
    }
}

impl Settings {
    /// The most workers, as a number.
    pub fn most_workers(&self) -> u32 {
        let machine = || std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
        self.workers.unwrap_or_else(machine).max(1)
    }
}
