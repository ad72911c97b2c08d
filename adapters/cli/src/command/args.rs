//! The command line: every subcommand, option, and example in the help texts.

use crate::batch::{BatchArgs, CheckArgs};
use crate::job::{Io, PageList, PageName};
use crate::settings::Layers;
use crate::size::Within;
use crate::stages::Step;
use clap::{Args, Parser, Subcommand, ValueEnum};
use plimsoll_formats::{Compression, Jp2Wanted, Progression, Pyramid, Quality};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

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
pub(crate) struct SettingsArgs {
    /// Settings from this file, instead of ./plimsoll.toml and plimsoll/plimsoll.toml in the user's configuration folder
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
    Journal(super::journal::JournalArgs),
    /// Pack tables of measurements into small files and get them back
    Series(super::series::SeriesArgs),
    /// What a command would use, without doing it: put it before any of the others
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
            }),
            Self::Info(_) | Self::Journal(_) | Self::Series(_) | Self::Completions { .. } => None,
        }
    }
}

/// Options of every command that reads pixels.
#[derive(Clone, Debug, Args)]
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

/// Options of every command that writes a picture.
#[derive(Clone, Debug, Args)]
pub(crate) struct WriteArgs {
    /// The output; its ending names the format. convert: a folder (it ends with / or is there) for one file a page
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,
    /// Replace an existing output
    #[arg(long)]
    pub overwrite: bool,
    /// Do not wait until the output is on the disk: faster, and a power cut may lose it
    #[arg(long)]
    pub no_sync: bool,
    /// Print nothing but errors
    #[arg(short, long)]
    pub quiet: bool,
}

/// `convert`
#[derive(Clone, Debug, Args)]
#[command(after_help = help_of_steps())]
pub(crate) struct ConvertArgs {
    /// The picture; several, folders and quoted patterns ('scans/**/*.tif') where OUT is a folder
    #[arg(value_name = "IN", required = true)]
    pub inputs: Vec<PathBuf>,
    #[command(flatten)]
    pub write: WriteArgs,
    /// A step, as OP or OP:ARGS; give it again for the next one
    #[arg(long = "do", value_name = "OP[:ARGS]", allow_hyphen_values = true)]
    pub steps: Vec<Step>,
    /// Pages, counted from 1: 1-3,7, or 3/1 for the first SubIFD of page 3. Several become one file, or one file each if
    /// OUT holds {page}
    #[arg(long, value_name = "LIST")]
    pub pages: Option<PageList>,
    /// A rectangle of the input, cut out before the first step; no more is read than it takes
    #[arg(long, value_name = "LEFT,TOP,COLS,ROWS")]
    pub region: Option<RegionArg>,
    /// Undo the orientation that the input names (TIFF): turn and mirror it as it should be seen, before --region and the
    /// first step
    #[arg(long)]
    pub upright: bool,
    /// Compression of the output: none, lzw, deflate, zstd; deflate:LEVEL from 1 to 9 and zstd:LEVEL from 1 to 19
    #[arg(long, value_name = "METHOD[:LEVEL]")]
    pub compression: Option<CompressionArg>,
    /// Square tiles with this side in pixels, instead of strips
    #[arg(long, value_name = "SIDE")]
    pub tile: Option<u32>,
    /// Smaller copies in the same file, each half the one before: as SubIFDs, or as pages. In tiles of 256 pixels if
    /// --tile names no others
    #[arg(long, value_enum)]
    pub pyramid: Option<PyramidArg>,
    /// A BigTIFF also where a classic one would be large enough
    #[arg(long)]
    pub bigtiff: bool,
    /// What the input says beside its pixels (profile, resolution, description, places in the world)
    #[arg(long, value_enum, default_value_t = MetadataArg::Keep)]
    pub metadata: MetadataArg,
    #[command(flatten)]
    pub check: CheckArgs,
    #[command(flatten)]
    pub batch: BatchArgs,
    #[command(flatten)]
    pub jp2: Jp2Args,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Options of JPEG 2000 outputs.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "JPEG 2000")]
pub(crate) struct Jp2Args {
    /// Lose as much as makes it about this many times smaller than its samples; nothing is lost if absent
    #[arg(long, value_name = "N", conflicts_with = "psnr")]
    pub ratio: Option<f32>,
    /// Lose as much as leaves about this peak signal-to-noise ratio
    #[arg(long, value_name = "DB")]
    pub psnr: Option<f32>,
    /// Resolutions, each half of the one before; 6 if absent
    #[arg(long, value_name = "N")]
    pub resolutions: Option<u8>,
    /// Quality layers; 1 if absent
    #[arg(long, value_name = "N")]
    pub layers: Option<u8>,
    /// Order of the packets
    #[arg(long, value_enum, value_name = "ORDER")]
    pub progression: Option<ProgressionArg>,
}

impl From<&Jp2Args> for Jp2Wanted {
    fn from(args: &Jp2Args) -> Self {
        let quality = match (args.ratio, args.psnr) {
            (Some(ratio), _) => Quality::Ratio(ratio),
            (None, Some(psnr)) => Quality::Psnr(psnr),
            (None, None) => Quality::Lossless,
        };
        let progression = args.progression.map_or(Progression::default(), Progression::from);
        Self { quality, resolutions: args.resolutions, layers: args.layers, progression }
    }
}

/// `--progression`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressionArg {
    /// Quality first
    Lrcp,
    /// Resolution first, then quality
    Rlcp,
    /// Resolution first, then place
    Rpcl,
    /// Place first
    Pcrl,
    /// Component first
    Cprl,
}

impl From<ProgressionArg> for Progression {
    fn from(progression: ProgressionArg) -> Self {
        match progression {
            ProgressionArg::Lrcp => Self::Lrcp,
            ProgressionArg::Rlcp => Self::Rlcp,
            ProgressionArg::Rpcl => Self::Rpcl,
            ProgressionArg::Pcrl => Self::Pcrl,
            ProgressionArg::Cprl => Self::Cprl,
        }
    }
}

/// `thumbnail`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Of a file that holds smaller copies of its picture (TIFF pyramids, JPEG 2000) the smallest that is twice as \
    large as the thumbnail, or more, is read.\n\nExample:\n  plimsoll thumbnail big.tif -o small.png --size 512 --within 6MiB"
)]
pub(crate) struct ThumbnailArgs {
    /// The picture
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    #[command(flatten)]
    pub write: WriteArgs,
    /// Side of the square that it fits into, in pixels
    #[arg(long, value_name = "PIXELS", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..))]
    pub size: u32,
    /// How samples are weighted: lanczos3, or area for the exact average
    #[arg(long, default_value = "lanczos3")]
    pub kernel: String,
    /// The page, counted from 1; 3/1 is the first SubIFD of page 3
    #[arg(long, value_name = "N", default_value = "1")]
    pub page: PageName,
    /// Undo the orientation that the input names, as for convert
    #[arg(long)]
    pub upright: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

/// `stats`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll stats big.tif\n  plimsoll stats big.tif --histogram --json --within 6MiB"
)]
pub(crate) struct StatsArgs {
    /// The picture
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// Count every value, too: exact for 8 and 16 bits
    #[arg(long)]
    pub histogram: bool,
    /// Steps before measuring, as for convert
    #[arg(long = "do", value_name = "OP[:ARGS]", allow_hyphen_values = true)]
    pub steps: Vec<Step>,
    /// The page, counted from 1; 3/1 is the first SubIFD of page 3
    #[arg(long, value_name = "N", default_value = "1")]
    pub page: PageName,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

/// `compare`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  plimsoll compare before.tif after.tif --json --within 16MiB")]
pub(crate) struct CompareArgs {
    /// One picture
    #[arg(value_name = "A")]
    pub a: PathBuf,
    /// The other, of the same size, bands and kind of sample
    #[arg(value_name = "B")]
    pub b: PathBuf,
    /// Side of the SSIM window: 8 (uniform) or 11 (Gaussian, as in the paper); 0 leaves SSIM out
    #[arg(long, value_name = "SIDE", default_value_t = 8)]
    pub ssim: u32,
    /// The page of both, counted from 1; 3/1 is the first SubIFD of page 3
    #[arg(long, value_name = "N", default_value = "1")]
    pub page: PageName,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub run: RunArgs,
}

/// `info`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  plimsoll info scan.tif --json")]
pub(crate) struct InfoArgs {
    /// The file
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `doctor`
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  plimsoll doctor big.tif --do blur:2 --to tif\n  plimsoll doctor pages.tif --to jp2 --json"
)]
pub(crate) struct DoctorArgs {
    /// The picture
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// A step, as for convert
    #[arg(long = "do", value_name = "OP[:ARGS]", allow_hyphen_values = true)]
    pub steps: Vec<Step>,
    /// The page, counted from 1; 3/1 is the first SubIFD of page 3
    #[arg(long, value_name = "N", default_value = "1")]
    pub page: PageName,
    /// The ending of the output's name, which is its format: as for the input if absent
    #[arg(long, value_name = "ENDING")]
    pub to: Option<String>,
    /// As for convert
    #[arg(long, value_name = "METHOD[:LEVEL]")]
    pub compression: Option<CompressionArg>,
    /// As for convert
    #[arg(long, value_name = "SIDE")]
    pub tile: Option<u32>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub run: RunArgs,
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
}

/// `plan convert`
#[derive(Clone, Debug, Args)]
pub(crate) struct PlannedConvert {
    #[command(flatten)]
    pub convert: ConvertArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `plan thumbnail`
#[derive(Clone, Debug, Args)]
pub(crate) struct PlannedThumbnail {
    #[command(flatten)]
    pub thumbnail: ThumbnailArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Where messages go.
#[derive(Clone, Debug, Args)]
pub(crate) struct LogArgs {
    /// How much is logged
    #[arg(long, value_enum, global = true, default_value_t = LogLevel::Warn, hide_possible_values = false)]
    pub log_level: LogLevel,
    /// Log to this file instead of the standard error; at 10 MiB a new one is begun and the last 5 are kept
    #[arg(long, value_name = "FILE", global = true)]
    pub log_file: Option<PathBuf>,
}

/// Log levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// Nothing
    Off,
    /// What ended a command
    Error,
    /// What may surprise
    Warn,
    /// What is done
    Info,
    /// Everything
    Debug,
}

/// `--io`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IoArg {
    /// Positioned reads
    Read,
    /// A memory map that lets go of what it has read
    Mmap,
}

impl From<IoArg> for Io {
    fn from(io: IoArg) -> Self {
        match io {
            IoArg::Read => Self::Read,
            IoArg::Mmap => Self::Mmap,
        }
    }
}

/// `--progress`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressArg {
    /// A bar if the standard error is a terminal
    Auto,
    /// Nothing
    Never,
    /// A line of JSON at a time
    Json,
}

/// `--compression`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CompressionArg {
    pub method: Compression,
    pub level: Option<u8>,
}

impl FromStr for CompressionArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(level)),
            None => (text, None),
        };
        let method = match name {
            "none" => Compression::None,
            "lzw" => Compression::Lzw,
            "deflate" => Compression::Deflate,
            "zstd" => Compression::Zstd,
            _ => return Err(format!("`{name}` is no compression: there are none, lzw, deflate, zstd")),
        };
        let number = |level: &str| level.parse().map_err(|_| format!("`{level}` is no level: write zstd:5"));
        Ok(Self { method, level: level.map(number).transpose()? })
    }
}

/// `--region`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RegionArg([u32; 4]);

impl RegionArg {
    /// The step that cuts it out.
    pub(crate) fn step(self) -> Step {
        let [left, top, cols, rows] = self.0;
        Step::new("crop", &format!("{left},{top},{cols},{rows}"))
    }
}

impl FromStr for RegionArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no rectangle: write LEFT,TOP,COLS,ROWS in pixels, as in 100,50,640,480");
        let numbers: Result<Vec<u32>, _> = text.split(',').map(|word| word.trim().parse()).collect();
        let rectangle = numbers.ok().and_then(|numbers| <[u32; 4]>::try_from(numbers).ok());
        match rectangle {
            Some(rectangle) if !rectangle.ends_with(&[0]) && rectangle[2] > 0 => Ok(Self(rectangle)),
            _ => Err(wrong()),
        }
    }
}

/// `--pyramid`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PyramidArg {
    /// As parts of the picture's page, as OME-TIFF has it
    Subifd,
    /// As pages after it, as most viewers expect
    Pages,
}

impl From<PyramidArg> for Pyramid {
    fn from(pyramid: PyramidArg) -> Self {
        match pyramid {
            PyramidArg::Subifd => Self::SubIfds,
            PyramidArg::Pages => Self::Pages,
        }
    }
}

/// `--metadata`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MetadataArg {
    /// Goes along, as far as it is still true
    Keep,
    /// Is left out
    Drop,
}

/// The steps, one a line, from the list in core.
fn help_of_steps() -> String {
    let mut text = String::from("Steps for --do, in the order given:\n");
    for words in plimsoll_core::transform::WORDS {
        let colon = if words.settings.is_empty() { "" } else { ":" };
        let form = format!("{}{colon}{}", words.name, words.settings);
        text.push_str(&format!("  {form:40} {}\n", words.about));
    }
    text.push_str(
        "\nExamples:\n  \
         plimsoll convert in.tif -o out.tif --within 8MiB --do crop:100,100,4800,4800 --do resize:0.9,linear --do sharpen\n  \
         plimsoll convert in.png -o out.tif --compression deflate --tile 256 --do blur:2\n  \
         plimsoll convert pages.tif -o out/ --to png --within 24MiB --verify --keep-going\n  \
         plimsoll convert scans/ 'more/**/*.tif' -o out/ --to png --recursive --skip-existing --report report.html\n  \
         plimsoll convert slide.tif -o slide.ome.tif --pyramid subifd --compression deflate --within 32MiB\n",
    );
    text
}
