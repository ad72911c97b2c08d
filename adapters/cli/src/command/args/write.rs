//! Options of outputs: where, how stored, and what goes along.

use crate::stages::Step;
use clap::{Args, ValueEnum};
use plimsoll_formats::{Compression, Jp2Wanted, Progression, Pyramid, Quality, Wanted};
use std::path::PathBuf;
use std::str::FromStr;

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

/// How an output is stored, whatever its format.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct StoreArgs {
    /// Compression of the output: none, lzw, deflate, zstd; deflate:LEVEL from 1 to 9 and zstd:LEVEL from 1 to 19
    #[arg(long, value_name = "METHOD[:LEVEL]")]
    pub compression: Option<CompressionArg>,
    /// Square tiles with this side in pixels, instead of strips
    #[arg(long, value_name = "SIDE")]
    pub tile: Option<u32>,
}

impl From<StoreArgs> for Wanted {
    fn from(args: StoreArgs) -> Self {
        let StoreArgs { compression, tile } = args;
        Self {
            compression: compression.map_or(Compression::Usual, |compression| compression.method),
            level: compression.and_then(|compression| compression.level),
            tile,
            ..Self::default()
        }
    }
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

impl Jp2Args {
    /// The first of them that is given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let given = [
            (self.ratio.is_some(), "--ratio"),
            (self.psnr.is_some(), "--psnr"),
            (self.resolutions.is_some(), "--resolutions"),
            (self.layers.is_some(), "--layers"),
            (self.progression.is_some(), "--progression"),
        ];
        given.iter().find(|(is, _)| *is).map(|(_, name)| *name)
    }
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
