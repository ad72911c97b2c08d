//! The options of batches, and of outputs that are read back.

use super::naming::Template;
use crate::job::{Checks, OnMiss};
use clap::{Args, ValueEnum};
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// Options of conversions of several files, or pages into several files.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct BatchArgs {
    /// OUT is a folder: one output a page, in the format of files with this ending
    #[arg(long, value_name = "EXT")]
    pub to: Option<String>,
    /// Names of the outputs in the folder OUT, with {stem}, {ext}, {page} and {page:4} (four digits at least), {folder}
    /// (of the input below the one that was named); {folder}/{stem}_p{page:4}.{ext} if absent, without the page where
    /// an input has one page
    #[arg(long, value_name = "NAME")]
    pub template: Option<Template>,
    /// Folders within folders, too
    #[arg(long)]
    pub recursive: bool,
    /// After a failure go on with the others, and exit with code 4 in the end
    #[arg(long)]
    pub keep_going: bool,
    /// Leave out what has an output already: outputs appear complete or not at all
    #[arg(long, conflicts_with = "overwrite")]
    pub skip_existing: bool,
    /// Write what became of each file to this file, as JSON or as a page for a browser: its ending says (.json, .html)
    #[arg(long, value_name = "FILE")]
    pub report: Vec<PathBuf>,
}

/// Options of outputs that are read back.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct CheckArgs {
    /// Read the output back before it appears, and hold it against what it was made of: bit for bit if nothing is to
    /// be lost, otherwise the receipt says how far it is
    #[arg(long)]
    pub verify: bool,
    /// The least PSNR of an output in decibels; reads it back
    #[arg(long, value_name = "DB", allow_negative_numbers = true, value_parser = psnr)]
    pub min_psnr: Option<f64>,
    /// The least SSIM of an output (Gaussian windows of 11 x 11), at most 1; reads it back
    #[arg(long, value_name = "SSIM", allow_negative_numbers = true, value_parser = ssim)]
    pub min_ssim: Option<f64>,
    /// What becomes of an output that is less than that; fail if absent
    #[arg(long, value_enum)]
    pub on_miss: Option<OnMissArg>,
}

impl CheckArgs {
    /// What is asked of an output, if anything.
    pub(crate) fn checks(&self) -> Option<Checks> {
        let asked = self.verify || self.min_psnr.is_some() || self.min_ssim.is_some();
        let on_miss = match self.on_miss {
            Some(OnMissArg::Lossless) => OnMiss::Lossless,
            Some(OnMissArg::Fail) | None => OnMiss::Fail,
            Some(OnMissArg::Keep) => OnMiss::Keep,
        };
        asked.then_some(Checks { min_psnr: self.min_psnr, min_ssim: self.min_ssim, on_miss })
    }

    /// An option that is about another one that is not there.
    pub(crate) fn without_use(&self) -> Option<&'static str> {
        let least = self.min_psnr.is_some() || self.min_ssim.is_some();
        (self.on_miss.is_some() && !least)
            .then_some("--on-miss is about --min-psnr and --min-ssim: give one of them")
    }
}

/// A PSNR in decibels.
fn psnr(text: &str) -> Result<f64, String> {
    number(text, 0.0..=1000.0).ok_or_else(|| format!("`{text}` is no number of decibels from 0 to 1000"))
}

/// An SSIM.
fn ssim(text: &str) -> Result<f64, String> {
    number(text, -1.0..=1.0).ok_or_else(|| format!("`{text}` is no SSIM: they lie between -1 and 1"))
}

fn number(text: &str, range: RangeInclusive<f64>) -> Option<f64> {
    text.parse().ok().filter(|number| range.contains(number))
}

/// `--on-miss`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnMissArg {
    /// It is written once more, without loss
    Lossless,
    /// It does not appear, and the run fails with code 6
    Fail,
    /// It is kept; receipt and report say so
    Keep,
}
