//! Options of every command that reads pixels: how much memory, how many threads, and who is told.

use crate::progress::ProgressArg;
use crate::settings::{IoArg, Layers};
use crate::size::Within;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;

/// How often what may pass is tried if nobody says anything.
pub(crate) const ATTEMPTS: u32 = 3;

/// Options of every command that reads pixels.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Memory and running")]
pub(crate) struct RunArgs {
    /// Peak resident memory of the whole process: 16MiB, 1GB, 60%; half of what the container or machine has if absent
    #[arg(long, value_name = "SIZE")]
    pub within: Option<Within>,
    /// The same in mebibytes
    #[arg(long, value_name = "N", conflicts_with = "within", value_parser = clap::value_parser!(u64).range(1..1 << 44))]
    pub memory_limit_mb: Option<u64>,
    /// The most threads; one for each processor if absent
    #[arg(long, visible_alias = "max-workers", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub workers: Option<u32>,
    /// How inputs are read
    #[arg(long, value_enum, default_value_t = IoArg::Read)]
    pub io: IoArg,
    /// The same as --io mmap
    #[arg(long, conflicts_with = "io")]
    pub use_memory_mapping: bool,
    /// The most rows of a strip
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub strip_rows: Option<u32>,
    /// The most input pixels of a strip
    #[arg(long, visible_alias = "chunk-size", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub strip_pixels: Option<u64>,
    /// How often a read or write of a file is tried whose error may pass (EIO, EAGAIN, ETIMEDOUT), with growing waits
    #[arg(long, value_name = "N", default_value_t = ATTEMPTS, value_parser = clap::value_parser!(u32).range(1..=10))]
    pub attempts: u32,
    /// Progress on the standard error: a bar on a terminal, nothing, or a JSON line a time
    #[arg(long, value_enum, default_value_t = ProgressArg::Auto)]
    pub progress: ProgressArg,
    /// Write what was planned and what happened to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub receipt: Option<PathBuf>,
    /// Draw resident memory over time against the plan into this page, which ends in .html
    #[arg(long, value_name = "FILE")]
    pub profile_memory: Option<PathBuf>,
    /// A named set of settings: one of the settings file, or jp2-4g, jp2-8g, jp2-16g, jp2-32g
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Where the above come from.
    #[arg(skip)]
    pub layers: Arc<Layers>,
}
