//! The predictors of TIFF: what is compressed is not the samples but how they differ from their left neighbours.
//!
//! Horizontal differencing (TIFF 6.0, section 14) for integers; the floating-point predictor (TIFF Technical Note 3)
//! for floats, which puts the bytes of a row in planes, the most significant first, and differences those. A row of a
//! unit is made from a row of the image, whose missing columns (at the right edge of tiles) count as zeros.

use plimsoll_core::shape::SampleKind;

/// Whether samples of more than a byte must be turned around for the file.
pub(super) const TURN: bool = cfg!(target_endian = "big");

/// Value of the tag Predictor for samples of this kind.
pub(super) fn tag(kind: SampleKind) -> u16 {
    if kind.is_float() { 3 } else { 2 }
}

/// Bytes of scratch that [`predict`] needs for rows of `row_bytes` bytes.
pub(super) fn scratch_bytes(kind: SampleKind, row_bytes: u64) -> u64 {
    if kind.is_float() { row_bytes } else { 0 }
}

/// Makes `out`, one row of a unit as it is stored, from the samples of the image in it.
///
/// `samples` is at most as long as `out`, `scratch` as long as [`scratch_bytes`] says. Exact: wrapping integer
/// arithmetic, no rounding.
pub(super) fn predict(kind: SampleKind, bands: u16, samples: &[u8], out: &mut [u8], scratch: &mut [u8]) {
    let bands = usize::from(bands);
    match kind {
        SampleKind::U8 => horizontal(samples, out, bands, |[a], [b]| [a.wrapping_sub(b)]),
        SampleKind::U16 | SampleKind::I16 => horizontal(samples, out, bands, |a, b| {
            u16::from_ne_bytes(a).wrapping_sub(u16::from_ne_bytes(b)).to_le_bytes()
        }),
        SampleKind::U32 | SampleKind::I32 => horizontal(samples, out, bands, |a, b| {
            u32::from_ne_bytes(a).wrapping_sub(u32::from_ne_bytes(b)).to_le_bytes()
        }),
        SampleKind::U64 | SampleKind::I64 => horizontal(samples, out, bands, |a, b| {
            u64::from_ne_bytes(a).wrapping_sub(u64::from_ne_bytes(b)).to_le_bytes()
        }),
        SampleKind::F32 => {
            floating(samples, out, bands, scratch, |a| f32::from_ne_bytes(a).to_bits().to_be_bytes())
        }
        _ => floating(samples, out, bands, scratch, |a| f64::from_ne_bytes(a).to_bits().to_be_bytes()),
    }
}

/// Makes `out`, one row of a unit whose samples are stored as they are.
pub(super) fn store(kind: SampleKind, samples: &[u8], out: &mut [u8]) {
    let (inside, padding) = out.split_at_mut(samples.len().min(out.len()));
    inside.copy_from_slice(samples.get(..inside.len()).unwrap_or(&[]));
    turn(inside, kind.bytes());
    padding.fill(0);
}

/// Native samples to little-endian ones.
pub(super) fn turn(samples: &mut [u8], sample_bytes: usize) {
    if TURN {
        for sample in samples.chunks_exact_mut(sample_bytes) {
            sample.reverse();
        }
    }
}

/// Differences of samples of `N` bytes to those `bands` before them.
fn horizontal<const N: usize>(
    samples: &[u8],
    out: &mut [u8],
    bands: usize,
    minus: impl Fn([u8; N], [u8; N]) -> [u8; N],
) {
    let samples = samples.as_chunks::<N>().0;
    let (inside, padding) = out.as_chunks_mut::<N>().0.split_at_mut(samples.len());
    for (out, sample) in inside.iter_mut().zip(samples).take(bands) {
        *out = minus(*sample, [0; N]);
    }
    for ((out, sample), left) in inside.iter_mut().skip(bands).zip(samples.iter().skip(bands)).zip(samples) {
        *out = minus(*sample, *left);
    }
    padding.fill([0; N]);
    let last_pixel = samples.iter().skip(samples.len().saturating_sub(bands));
    for (out, left) in padding.iter_mut().zip(last_pixel) {
        *out = minus([0; N], *left);
    }
}

/// Planes of bytes, most significant first, then differences to the byte `bands` before.
fn floating<const N: usize>(
    samples: &[u8],
    out: &mut [u8],
    bands: usize,
    scratch: &mut [u8],
    big_endian: impl Fn([u8; N]) -> [u8; N],
) {
    let samples = samples.as_chunks::<N>().0;
    let plane_bytes = out.len() / N;
    if plane_bytes == 0 {
        return;
    }
    for (byte, plane) in scratch.chunks_exact_mut(plane_bytes).enumerate().take(N) {
        let (inside, padding) = plane.split_at_mut(samples.len());
        for (out, sample) in inside.iter_mut().zip(samples) {
            *out = big_endian(*sample)[byte];
        }
        padding.fill(0);
    }
    for (out, byte) in out.iter_mut().zip(&*scratch).take(bands) {
        *out = *byte;
    }
    for ((out, byte), left) in out.iter_mut().skip(bands).zip(scratch.iter().skip(bands)).zip(&*scratch) {
        *out = byte.wrapping_sub(*left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_of_two_bands_with_a_padded_pixel() {
        let samples: Vec<u8> = [10u16, 1, 13, 0, 12, 65535].iter().flat_map(|s| s.to_ne_bytes()).collect();
        let mut out = [9; 16];
        predict(SampleKind::U16, 2, &samples, &mut out, &mut []);
        let stored: Vec<u16> = out.as_chunks::<2>().0.iter().map(|b| u16::from_le_bytes(*b)).collect();
        assert_eq!(stored, [10, 1, 3, 65535, 65535, 65535, 65524, 1]);
    }

    #[test]
    fn floats_become_differenced_planes_and_end_with_zeros() {
        let samples: Vec<u8> = [f32::from_bits(0x0102_0304), f32::from_bits(0x1112_1314)]
            .iter()
            .flat_map(|s| s.to_ne_bytes())
            .collect();
        let (mut out, mut scratch) = ([9; 12], [9; 12]);
        predict(SampleKind::F32, 1, &samples, &mut out, &mut scratch);
        // Planes 01 11 00 | 02 12 00 | 03 13 00 | 04 14 00, each byte less its left neighbour.
        assert_eq!(out, [1, 16, 239, 2, 16, 238, 3, 16, 237, 4, 16, 236]);
    }
}
