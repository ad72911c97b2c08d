//! From bytes as they are stored to samples of this machine: byte order, predictors, and planes into pixels.
//!
//! All of it in place or from row to row; rows are whole numbers of samples.

use super::layout::Predictor;
use plimsoll_core::shape::SampleKind;

/// Swaps the bytes of every sample of `width` bytes.
pub(super) fn swap(bytes: &mut [u8], width: usize) {
    match width {
        3 => bytes.as_chunks_mut::<3>().0.iter_mut().for_each(|s| s.swap(0, 2)),
        2 => bytes
            .as_chunks_mut::<2>()
            .0
            .iter_mut()
            .for_each(|s| *s = u16::from_ne_bytes(*s).swap_bytes().to_ne_bytes()),
        4 => bytes
            .as_chunks_mut::<4>()
            .0
            .iter_mut()
            .for_each(|s| *s = u32::from_ne_bytes(*s).swap_bytes().to_ne_bytes()),
        8 => bytes
            .as_chunks_mut::<8>()
            .0
            .iter_mut()
            .for_each(|s| *s = u64::from_ne_bytes(*s).swap_bytes().to_ne_bytes()),
        _ => {}
    }
}

/// Turns one decoded row of a unit into samples of this machine: `bands` of them a pixel, `width` bytes each.
/// `shuffle` is as long as the row where the predictor is for floats.
pub(super) fn restore(
    row: &mut [u8],
    predictor: Predictor,
    swaps: bool,
    width: usize,
    bands: usize,
    shuffle: &mut [u8],
) {
    match predictor {
        // Its bytes are sorted by weight, whatever the file's order is.
        Predictor::Float => {
            bytes_sums(row, bands);
            gather(row, width, shuffle);
        }
        Predictor::None | Predictor::Horizontal => {
            if swaps {
                swap(row, width);
            }
            if predictor == Predictor::Horizontal {
                match width {
                    1 => bytes_sums(row, bands),
                    2 => words_sums(row, bands),
                    4 => longs_sums(row, bands),
                    _ => doubles_sums(row, bands),
                }
            }
        }
    }
}

/// Running sums over bytes. Pixels of three bytes are too short for what the compiler makes of the loop over them.
fn bytes_sums(row: &mut [u8], bands: usize) {
    #[cfg(target_arch = "x86_64")]
    if bands == 3 {
        // SAFETY: every processor of this architecture has SSE2.
        #[allow(unsafe_code, reason = "the only way to call a function that needs a feature")]
        return unsafe { triples_sums(row) };
    }
    single_sums(row, bands);
}

/// Five pixels of three bytes at a time: sums inside of them do not wait for those before (Hillis and Steele, "Data
/// parallel algorithms", 1986). Half the time of a loop over pixels.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
fn triples_sums(row: &mut [u8]) {
    use core::arch::x86_64::{
        _mm_add_epi8, _mm_cvtsi128_si64, _mm_or_si128, _mm_set_epi64x, _mm_setzero_si128, _mm_slli_si128,
        _mm_srli_si128,
    };
    let (fives, rest) = row.as_chunks_mut::<15>();
    // The sum of all pixels before, five times.
    let mut left = _mm_setzero_si128();
    for five in fives {
        let [a, b, c, d, e, f, g, h, tail @ ..] = *five;
        let [i, j, k, l, m, n, o] = tail;
        let low = i64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let high = i64::from_le_bytes([i, j, k, l, m, n, o, 0]);
        let sums = _mm_set_epi64x(high, low);
        let sums = _mm_add_epi8(sums, _mm_slli_si128::<3>(sums));
        let sums = _mm_add_epi8(sums, _mm_slli_si128::<6>(sums));
        let sums = _mm_add_epi8(sums, _mm_slli_si128::<12>(sums));
        let all = _mm_add_epi8(sums, left);
        let (into, tail) = five.split_at_mut(8);
        into.copy_from_slice(&_mm_cvtsi128_si64(all).to_le_bytes());
        tail.copy_from_slice(&_mm_cvtsi128_si64(_mm_srli_si128::<8>(all)).to_le_bytes()[..7]);
        let last = _mm_srli_si128::<13>(_mm_slli_si128::<1>(sums));
        let twice = _mm_or_si128(last, _mm_slli_si128::<3>(last));
        let four = _mm_or_si128(twice, _mm_slli_si128::<6>(twice));
        left = _mm_add_epi8(left, _mm_or_si128(four, _mm_slli_si128::<12>(last)));
    }
    let [mut a, mut b, mut c, ..] = _mm_cvtsi128_si64(left).to_le_bytes();
    let (pixels, _) = rest.as_chunks_mut::<3>();
    for pixel in pixels {
        (a, b, c) = (a.wrapping_add(pixel[0]), b.wrapping_add(pixel[1]), c.wrapping_add(pixel[2]));
        *pixel = [a, b, c];
    }
}

/// Running sums over the samples of each band, modulo their size: one function for each width, one loop for each
/// usual number of bands, so that the sums of a pixel stay in registers.
macro_rules! sums {
    ($name:ident, $inner:ident, $sample:ty, $width:literal) => {
        fn $name(row: &mut [u8], bands: usize) {
            match bands {
                1 => $inner::<1>(row),
                2 => $inner::<2>(row),
                3 => $inner::<3>(row),
                4 => $inner::<4>(row),
                _ => {
                    let (samples, _) = row.as_chunks_mut::<$width>();
                    for at in bands..samples.len() {
                        let left = <$sample>::from_ne_bytes(samples[at - bands]);
                        samples[at] = <$sample>::from_ne_bytes(samples[at]).wrapping_add(left).to_ne_bytes();
                    }
                }
            }
        }

        fn $inner<const BANDS: usize>(row: &mut [u8]) {
            let (samples, _) = row.as_chunks_mut::<$width>();
            let (pixels, _) = samples.as_chunks_mut::<BANDS>();
            let mut left = [0 as $sample; BANDS];
            for pixel in pixels {
                for (left, sample) in left.iter_mut().zip(pixel) {
                    *left = left.wrapping_add(<$sample>::from_ne_bytes(*sample));
                    *sample = left.to_ne_bytes();
                }
            }
        }
    };
}

sums!(single_sums, single_sums_of, u8, 1);
sums!(words_sums, words_sums_of, u16, 2);
sums!(longs_sums, longs_sums_of, u32, 4);
sums!(doubles_sums, doubles_sums_of, u64, 8);

/// Puts together samples whose bytes lie apart: all most significant bytes of the row first.
fn gather(row: &mut [u8], width: usize, shuffle: &mut [u8]) {
    match width {
        2 => gather_of::<2>(row, shuffle),
        3 => gather_of::<3>(row, shuffle),
        4 => gather_of::<4>(row, shuffle),
        _ => gather_of::<8>(row, shuffle),
    }
}

fn gather_of<const WIDTH: usize>(row: &mut [u8], shuffle: &mut [u8]) {
    let Some(apart) = shuffle.get_mut(..row.len()) else { return };
    apart.copy_from_slice(row);
    let (samples, _) = row.as_chunks_mut::<WIDTH>();
    for (weight, bytes) in apart.chunks_exact(samples.len().max(1)).enumerate().take(WIDTH) {
        let place = if cfg!(target_endian = "big") { weight } else { WIDTH - 1 - weight };
        for (sample, byte) in samples.iter_mut().zip(bytes) {
            sample[place] = *byte;
        }
    }
}

/// A number in a text field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Decimal {
    /// Without a point or an exponent: exact.
    Whole(i128),
    /// Any other.
    Real(f64),
}

impl Decimal {
    /// What a text says, if it is one.
    pub(super) fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        text.parse().map(Self::Whole).or_else(|_| text.parse().map(Self::Real)).ok()
    }

    fn real(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Real(real) => real,
        }
    }

    /// To the nearest number that 64 bits hold, with a sign or without; what is behind the point is cut off.
    fn long(self) -> (u64, i64) {
        match self {
            Self::Whole(whole) => {
                let signed = whole.clamp(i64::MIN.into(), i64::MAX.into());
                (whole.clamp(0, u64::MAX.into()) as u64, signed as i64)
            }
            Self::Real(real) => (real as u64, real as i64),
        }
    }
}

/// Fills `into` with one number as samples of a kind; one that the kind does not hold becomes the nearest that it does.
pub(super) fn fill(decimal: Decimal, kind: SampleKind, into: &mut [u8]) {
    let (number, (unsigned, signed)) = (decimal.real(), decimal.long());
    let double = number.to_ne_bytes();
    let sample: &[u8] = match kind {
        SampleKind::U8 => &[number as u8],
        SampleKind::U16 => &(number as u16).to_ne_bytes(),
        SampleKind::I16 => &(number as i16).to_ne_bytes(),
        SampleKind::U32 => &(number as u32).to_ne_bytes(),
        SampleKind::I32 => &(number as i32).to_ne_bytes(),
        SampleKind::U64 => &unsigned.to_ne_bytes(),
        SampleKind::I64 => &signed.to_ne_bytes(),
        SampleKind::F32 => &(number as f32).to_ne_bytes(),
        // F64; there is no other.
        _ => &double,
    };
    into.chunks_exact_mut(sample.len()).for_each(|into| into.copy_from_slice(sample));
}

/// Writes the samples of one plane, `width` bytes each, into pixels of `pixel` bytes, `place` bytes from their start.
pub(super) fn interleave(plane: &[u8], pixels: &mut [u8], width: usize, pixel: usize, place: usize) {
    // The usual numbers of bands have loops whose steps the compiler knows.
    match (width, pixel) {
        (1, 2) => interleave_of::<1, 2>(plane, pixels, place),
        (1, 3) => interleave_of::<1, 3>(plane, pixels, place),
        (1, 4) => interleave_of::<1, 4>(plane, pixels, place),
        (2, 4) => interleave_of::<2, 4>(plane, pixels, place),
        (2, 6) => interleave_of::<2, 6>(plane, pixels, place),
        (2, 8) => interleave_of::<2, 8>(plane, pixels, place),
        (4, 8) => interleave_of::<4, 8>(plane, pixels, place),
        (4, 12) => interleave_of::<4, 12>(plane, pixels, place),
        (4, 16) => interleave_of::<4, 16>(plane, pixels, place),
        _ => {
            let samples = plane.chunks_exact(width.max(1));
            for (sample, pixel) in samples.zip(pixels.chunks_exact_mut(pixel.max(1))) {
                if let Some(into) = pixel.get_mut(place..place + width) {
                    into.copy_from_slice(sample);
                }
            }
        }
    }
}

fn interleave_of<const WIDTH: usize, const PIXEL: usize>(plane: &[u8], pixels: &mut [u8], place: usize) {
    let (samples, _) = plane.as_chunks::<WIDTH>();
    let (pixels, _) = pixels.as_chunks_mut::<PIXEL>();
    // Checked once here, so that the loop has no other exit.
    let place = place.min(PIXEL - WIDTH);
    for (sample, pixel) in samples.iter().zip(pixels) {
        pixel[place..place + WIDTH].copy_from_slice(sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(len: usize) -> Vec<u8> {
        let mut seed = 7u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    /// What a writer does: differences from the right end on, sample by sample.
    fn differences(row: &[u8], width: usize, bands: usize) -> Vec<u8> {
        let number = |at: usize| {
            row[at * width..][..width].iter().rev().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let mut out = Vec::new();
        for at in 0..row.len() / width {
            let left = if at < bands { 0 } else { number(at - bands) };
            out.extend_from_slice(&number(at).wrapping_sub(left).to_le_bytes()[..width]);
        }
        out
    }

    #[test]
    fn horizontal_differences_are_undone_for_every_width_bands_and_order() {
        for width in [1, 2, 4, 8] {
            for bands in 1..=6 {
                let row = noise(17 * bands * width);
                let mut native = differences(&row, width, bands);
                let mut swapped: Vec<u8> =
                    native.chunks(width).flat_map(|sample| sample.iter().rev()).copied().collect();
                let swaps = cfg!(target_endian = "big");
                restore(&mut native, Predictor::Horizontal, swaps, width, bands, &mut []);
                restore(&mut swapped, Predictor::Horizontal, !swaps, width, bands, &mut []);
                let mut expected = row.clone();
                if swaps {
                    swap(&mut expected, width);
                }
                assert_eq!(native, expected, "width {width}, {bands} bands");
                assert_eq!(swapped, expected, "width {width}, {bands} bands, swapped");
            }
        }
    }

    #[test]
    fn a_number_becomes_a_sample_of_any_kind() {
        let of = |text: &str, kind: SampleKind| {
            let mut into = vec![0x55; 2 * kind.bytes()];
            fill(Decimal::of(text).expect("a number"), kind, &mut into);
            assert_eq!(into[..kind.bytes()], into[kind.bytes()..]);
            into.truncate(kind.bytes());
            into
        };
        // No double is the first of these.
        let long = u64::MAX - 1;
        assert_eq!(of(&long.to_string(), SampleKind::U64), long.to_ne_bytes());
        assert_eq!(of("-9223372036854775807", SampleKind::I64), (i64::MIN + 1).to_ne_bytes());
        assert_eq!(of("-1", SampleKind::U64), 0u64.to_ne_bytes());
        assert_eq!(of("1e30", SampleKind::I64), i64::MAX.to_ne_bytes());
        assert_eq!(of(&long.to_string(), SampleKind::F64), (long as f64).to_ne_bytes());
        assert_eq!(of("-9999", SampleKind::I16), (-9999i16).to_ne_bytes());
        assert_eq!(of(" 300.7 ", SampleKind::U8), [255]);
        assert_eq!(of("nan", SampleKind::I32), [0; 4]);
    }

    #[test]
    fn planes_go_to_their_places() {
        for (width, bands) in
            [1, 2, 4, 8].into_iter().flat_map(|width| (2..=6).map(move |bands| (width, bands)))
        {
            let planes: Vec<Vec<u8>> =
                (0..bands).map(|band| noise(width * 9 + band)[band..].to_vec()).collect();
            let mut pixels = vec![0; 9 * bands * width];
            for (band, plane) in planes.iter().enumerate() {
                interleave(plane, &mut pixels, width, bands * width, band * width);
            }
            let expected: Vec<u8> = (0..9)
                .flat_map(|at| planes.iter().flat_map(move |plane| &plane[at * width..][..width]))
                .copied()
                .collect();
            assert_eq!(pixels, expected, "width {width}, {bands} bands");
        }
    }
}
