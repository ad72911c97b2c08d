//! A sensor that needs no input: what its sample number N reads is a formula, so that a host knows it, too.

/// Samples that a run takes.
pub const SAMPLES: u32 = 2000;
/// The most bytes of a block of them.
pub const BLOCK_BYTES: usize = 512;

/// A slow triangle and some noise, like a converter of 12 bits: five of them are noise.
pub fn value(number: u32) -> i32 {
    let phase = number % 1000;
    let triangle = if phase < 500 { phase } else { 1000 - phase };
    let noise = number.wrapping_mul(0x9E37_79B9).rotate_left(7).wrapping_mul(0x85EB_CA6B) >> 27;
    1800 + triangle as i32 + noise as i32
}
