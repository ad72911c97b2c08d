//! Any bytes as a TIFF file.
#![no_main]

#[path = "../shared/exercise.rs"]
mod exercise;

use libfuzzer_sys::fuzz_target;
use plimsoll_formats::Tiff;

fuzz_target!(|input: (u8, &[u8])| exercise::exercise(&Tiff, input.1, u32::from(input.0 % 8) + 1));
