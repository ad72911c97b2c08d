//! The command line: every subcommand and the options of all. Help texts hold the examples.

mod job;
mod layer;
mod run;
mod write;

pub(crate) use job::{CompareArgs, ConvertArgs, DoctorArgs, InfoArgs, StatsArgs, ThumbnailArgs};
pub(crate) use layer::settle;
pub(crate) use run::{ATTEMPTS, RunArgs};
pub(crate) use write::{Jp2Args, MetadataArg, RegionArg, StoreArgs, WriteArgs};

use crate::log::LogArgs;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Work inside a memory budget: pictures of any size under a ceiling that is declared, known before the first byte of
/// input is read, and never passed.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version, propagate_version = true, max_term_width = 110)]
#[command(
    after_help = "Exit codes: 0 done, 2 usage, 3 refused (does not fit; the message says what would), \
    4 input malformed or unsupported, 5 I/O, \
    6 what was written is not what it should be or not good enough, 130 cancelled.\n\n\
    Examples:\n  \
    plimsoll convert big.tif -o out.tif --within 8MiB --do crop:100,100,4800,4800 --do resize:0.9,linear --do sharpen\n  \
    plimsoll plan convert big.tif -o out.tif --within 8MiB --do blur:2\n  \
    plimsoll thumbnail big.tif -o small.png --size 512 --within 6MiB\n  \
    plimsoll stats big.tif --histogram --json"
)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub command: Command,
    #[command(flatten)]
    pub log: LogArgs,
    #[command(flatten)]
    pub settings: SettingsArgs,
}

/// Where settings come from beside flags and the environment.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Messages and settings", next_display_order = 1000)]
pub(crate) struct SettingsArgs {
    /// Settings from this file, instead of ./plimsoll.toml and plimsoll/plimsoll.toml in the user's configuration
    /// folder
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a picture through a chain of steps into a new file
    Convert(ConvertArgs),
    /// Make a small picture that fits a square
    Thumbnail(ThumbnailArgs),
    /// Minimum, maximum, mean, deviation and histogram of a picture
    Stats(StatsArgs),
    /// How far two pictures differ: mse, PSNR, largest difference, SSIM
    Compare(CompareArgs),
    /// What the headers of a file say; reads nothing else
    Info(InfoArgs),
    /// What a budget buys for a picture: the smallest that works, and what each doubling changes
    Doctor(DoctorArgs),
    /// Look into the image of a journal read off a device's flash
    Journal(crate::command::journal::JournalArgs),
    /// Pack tables of measurements into small files and get them back
    Series(crate::command::series::SeriesArgs),
    /// What a command would use, without doing it: put it before convert, thumbnail, stats, compare or info
    Plan(PlanArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// The options of a command that reads pixels, or plans to.
    pub(crate) fn run_mut(&mut self) -> Option<&mut RunArgs> {
        match self {
            Self::Convert(args) => Some(&mut args.run),
            Self::Thumbnail(args) => Some(&mut args.run),
            Self::Stats(args) => Some(&mut args.run),
            Self::Compare(args) => Some(&mut args.run),
            Self::Doctor(args) => Some(&mut args.run),
            Self::Plan(plan) => Some(match &mut plan.of {
                Planned::Convert(args) => &mut args.convert.run,
                Planned::Thumbnail(args) => &mut args.thumbnail.run,
                Planned::Stats(args) => &mut args.run,
                Planned::Compare(args) => &mut args.run,
                Planned::Info(_) => return None,
            }),
            Self::Info(_) | Self::Journal(_) | Self::Series(_) | Self::Completions { .. } => None,
        }
    }

    /// The options of a command that reads pixels, and does not only plan to.
    pub(crate) fn working(&self) -> Option<&RunArgs> {
        match self {
            Self::Convert(args) => Some(&args.run),
            Self::Thumbnail(args) => Some(&args.run),
            Self::Stats(args) => Some(&args.run),
            Self::Compare(args) => Some(&args.run),
            _ => None,
        }
    }
}

/// `plan`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  plimsoll plan convert big.tif -o out.tif --within 8MiB --do blur:2 --json"
)]
pub(crate) struct PlanArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(subcommand)]
    pub of: Planned,
}

/// What can be planned.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Planned {
    /// A conversion
    Convert(PlannedConvert),
    /// A thumbnail
    Thumbnail(PlannedThumbnail),
    /// Statistics
    Stats(StatsArgs),
    /// A comparison
    Compare(CompareArgs),
    /// A look at headers
    Info(InfoArgs),
}

/// `plan convert`
#[derive(Clone, Debug, Args)]
pub(crate) struct PlannedConvert {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub convert: ConvertArgs,
}

/// `plan thumbnail`
#[derive(Clone, Debug, Args)]
pub(crate) struct PlannedThumbnail {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub thumbnail: ThumbnailArgs,
}
