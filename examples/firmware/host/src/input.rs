//! What a camera and two sensors give: computed, the same on every machine.

use crate::Failure;
use std::fs;
use std::path::Path;
use stories::{frame, sensor};

/// Points of the column that the back ends are measured with.
const POINTS: u32 = 4096;
/// Samples of the logger: what its flash of 6 KiB has room for.
const SAMPLES: u32 = 1200;

/// A generator of pseudo-random numbers (Marsaglia's xorshift, 32 bits).
struct Noise(u32);

impl Noise {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

/// Writes `camera.u8`, `points.bin` and `samples.bin`.
pub(crate) fn write(folder: &Path) -> Result<(), Failure> {
    let mut noise = Noise(1);
    let picture: Vec<u8> = (0..frame::CAMERA.rows)
        .flat_map(|row| (0..frame::CAMERA.cols).map(move |col| (row, col)))
        .map(|(row, col)| {
            ((row * 3 + col * 2) / 8 + noise.next() % 16 + 60 * u32::from((row / 32 + col / 32) % 2 == 1))
                as u8
        })
        .collect();
    fs::write(folder.join("camera.u8"), picture)?;

    let mut points = Vec::new();
    for number in 0..POINTS {
        points.extend(i64::from(number * 100).to_le_bytes());
        points.extend(sensor::value(number).to_le_bytes());
    }
    fs::write(folder.join("points.bin"), points)?;

    // A clock that is late by up to 2 ms now and then, a slow walk and a channel that seldom changes.
    let (mut samples, mut walk) = (Vec::new(), 20_000_i32);
    for number in 0..SAMPLES {
        let late = if noise.next() % 16 == 0 { noise.next() % 3 } else { 0 };
        walk += (noise.next() % 7) as i32 - 3;
        samples.extend((1_700_000_000_000_i64 + i64::from(number * 250 + late)).to_le_bytes());
        samples.extend(walk.to_le_bytes());
        samples.extend((3300 - (number / 64) as i32).to_le_bytes());
    }
    fs::write(folder.join("samples.bin"), samples)?;
    Ok(())
}
