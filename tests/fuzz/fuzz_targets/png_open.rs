//! Any bytes as a PNG file, half of the time with checksums that fit, so that what is behind them is reached.
#![no_main]

#[path = "../shared/exercise.rs"]
mod exercise;

use libfuzzer_sys::fuzz_target;
use plimsoll_formats::Png;

fuzz_target!(|input: (u8, &[u8])| {
    let mut content = input.1.to_vec();
    if input.0 >= 128 {
        repair(&mut content);
    }
    exercise::exercise(&Png, &content, u32::from(input.0 % 8) + 1);
});

/// Gives every whole chunk its checksum.
fn repair(content: &mut [u8]) {
    let mut at = 8;
    while let Some(len) = content.get(at..).and_then(|rest| rest.first_chunk::<4>()) {
        let Some(end) = (at + 8).checked_add(u32::from_be_bytes(*len) as usize) else { return };
        let Some(named) = content.get(at + 4..end) else { return };
        let mut sum = flate2::Crc::new();
        sum.update(named);
        let Some(stored) = content.get_mut(end..end + 4) else { return };
        stored.copy_from_slice(&sum.sum().to_be_bytes());
        at = end + 4;
    }
}
