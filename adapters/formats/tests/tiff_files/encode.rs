//! One unit of a file as its bytes, each step in its most obvious form.

use super::build::{Pixels, Storage};
use std::io::Write;

/// Predictor, byte order and compression of one unit, each in its most obvious form.
pub(super) fn encode(unit: &[u8], pixels: &Pixels, storage: &Storage, bands: usize) -> Vec<u8> {
    let cols = storage.tile.map_or(pixels.cols, |(cols, _)| cols) as usize;
    let width = pixels.width;
    let mut data = Vec::new();
    for row in unit.chunks(cols * bands * width) {
        let number = |at: usize| {
            row[at * width..][..width].iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let samples = row.len() / width;
        if storage.predictor == 3 {
            let mut bytes = vec![0; row.len()];
            for at in 0..samples {
                for weight in 0..width {
                    bytes[weight * samples + at] = row[at * width + width - 1 - weight];
                }
            }
            for at in (bands..bytes.len()).rev() {
                bytes[at] = bytes[at].wrapping_sub(bytes[at - bands]);
            }
            data.extend(bytes);
            continue;
        }
        for at in 0..samples {
            let left = if storage.predictor == 2 && at >= bands { number(at - bands) } else { 0 };
            let mut bytes = number(at).wrapping_sub(left).to_le_bytes()[..width].to_vec();
            if storage.big_endian {
                bytes.reverse();
            }
            data.extend(bytes);
        }
    }
    match storage.compression {
        5 => weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
            .encode(&data)
            .expect("bytes can be encoded"),
        8 | 32946 => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(&data).expect("a vector takes all");
            encoder.finish().expect("a vector takes all")
        }
        32773 => pack_bits(&data, cols * bands * width),
        _ => data,
    }
}

/// Row by row: a run of equal bytes where there is one, else single literals in runs of up to 128.
fn pack_bits(data: &[u8], row_bytes: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for row in data.chunks(row_bytes) {
        let mut at = 0;
        while at < row.len() {
            let equal = row[at..].iter().take(128).take_while(|byte| **byte == row[at]).count();
            if equal > 1 {
                out.extend([(1 - equal as i32) as i8 as u8, row[at]]);
                at += equal;
            } else {
                let end = row.len().min(at + 128);
                let literal =
                    (at + 1..end).find(|n| *n + 1 < end && row[*n] == row[*n + 1]).unwrap_or(end) - at;
                out.push(literal as u8 - 1);
                out.extend_from_slice(&row[at..at + literal]);
                at += literal;
            }
        }
    }
    out
}
