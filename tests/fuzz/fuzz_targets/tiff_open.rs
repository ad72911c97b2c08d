//! Any bytes as a TIFF file: every method of compression, every page, and the pages below it.
#![no_main]

#[path = "../shared/exercise.rs"]
mod exercise;

use libfuzzer_sys::fuzz_target;
use plimsoll_formats::Tiff;

// The input is the file, so that files of the corpus are seeds as they are.
fuzz_target!(|file: &[u8]| exercise::exercise(&Tiff, file, file.len() as u32 % 8 + 1));
