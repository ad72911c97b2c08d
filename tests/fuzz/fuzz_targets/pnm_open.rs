//! Any bytes as a Netpbm file.
#![no_main]

#[path = "../shared/exercise.rs"]
mod exercise;

use libfuzzer_sys::fuzz_target;
use plimsoll_formats::Netpbm;

fuzz_target!(|input: (u8, &[u8])| exercise::exercise(&Netpbm::Pnm, input.1, u32::from(input.0 % 8) + 1));
