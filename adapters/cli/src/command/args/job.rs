//! What each command that works on pictures is given.

use super::run::RunArgs;
use super::write::{Jp2Args, MetadataArg, PyramidArg, RegionArg, StoreArgs, WriteArgs};
use crate::batch::{BatchArgs, CheckArgs};
use crate::job::{PageList, PageName};
use crate::stages::Step;
use clap::Args;
use std::path::PathBuf;

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
    /// Pages, counted from 1: 1-3,7, or 3/1 for the first SubIFD of page 3. Several become one file, or one file each
    /// if OUT holds {page}
    #[arg(long, value_name = "LIST")]
    pub pages: Option<PageList>,
    /// A rectangle of the input, cut out before the first step; no more is read than it takes
    #[arg(long, value_name = "LEFT,TOP,COLS,ROWS")]
    pub region: Option<RegionArg>,
    /// Undo the orientation that the input names (TIFF, PNG): turn and mirror it as it should be seen, before --region
    /// and the first step
    #[arg(long)]
    pub upright: bool,
    #[command(flatten)]
    pub store: StoreArgs,
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
    #[command(flatten)]
    pub store: StoreArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub run: RunArgs,
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
