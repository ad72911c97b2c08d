//! Any bytes as a JPEG 2000 file of boxes, or as a codestream where they begin like one.
#![no_main]

#[path = "../shared/exercise.rs"]
mod exercise;

use libfuzzer_sys::fuzz_target;
use plimsoll_formats::Jpeg2000;

fuzz_target!(|input: (u8, &[u8])| {
    let format = if input.1.starts_with(&[0xFF, 0x4F]) { Jpeg2000::J2k } else { Jpeg2000::Jp2 };
    exercise::exercise(&format, input.1, u32::from(input.0 % 8) + 1);
});
