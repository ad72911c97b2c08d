//! How one sample is stored, and from there to a sample kind of this machine.
//!
//! Core has nine kinds of sample, files have any number of bits: a stored sample becomes the smallest kind that holds
//! all its values, unchanged. There is no signed kind of 8 bits: such samples become 16-bit ones.
//!
//! Samples of whole bytes come here in this machine's byte order. All others are a stream of bits, most significant
//! first whatever the file's byte order, each row beginning at a byte (TIFF 6.0, `FillOrder` and section 9).

use super::file::unsupported;
use super::names;
use crate::FormatError;
use crate::tiff::tags::sample_format;
use plimsoll_core::shape::SampleKind;

/// The number of bits and what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coding {
    pub(super) bits: u16,
    pub(super) numbers: Numbers,
}

/// What the bits of a sample mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    Unsigned,
    Signed,
    Float,
}

impl Coding {
    /// From `BitsPerSample` and `SampleFormat`; `bits` is not zero.
    ///
    /// # Errors
    /// [`FormatError::Unsupported`] that names what is not read.
    pub(super) fn new(bits: u64, format: u16) -> Result<Self, FormatError> {
        let numbers = match (format, bits) {
            // Untyped samples are read as unsigned ones, as the standard's readers do.
            (sample_format::UNSIGNED | sample_format::UNDEFINED, 1..=32 | 64) => Numbers::Unsigned,
            (sample_format::SIGNED, 2..=32 | 64) => Numbers::Signed,
            (sample_format::FLOAT, 16 | 24 | 32 | 64) => Numbers::Float,
            _ => {
                return Err(unsupported(format!(
                    "a sample of {bits} bits, {}",
                    names::sample_format(format)
                )));
            }
        };
        Ok(Self { bits: bits as u16, numbers })
    }

    /// The kind that holds every value.
    pub(super) fn kind(self) -> SampleKind {
        match (self.numbers, self.bits) {
            (Numbers::Unsigned, ..=8) => SampleKind::U8,
            (Numbers::Unsigned, ..=16) => SampleKind::U16,
            (Numbers::Unsigned, ..=32) => SampleKind::U32,
            (Numbers::Signed, ..=16) => SampleKind::I16,
            (Numbers::Signed, ..=32) => SampleKind::I32,
            (Numbers::Float, ..=32) => SampleKind::F32,
            (Numbers::Unsigned, _) => SampleKind::U64,
            (Numbers::Signed, _) => SampleKind::I64,
            (Numbers::Float, _) => SampleKind::F64,
        }
    }

    /// Whether stored samples are samples of [`Coding::kind`] but for their byte order.
    pub(super) fn is_native(self) -> bool {
        usize::from(self.bits) == 8 * self.kind().bytes()
    }

    /// Bytes of a stored sample, if it has whole bytes that a byte order applies to. Integers of 24 bits do not: other
    /// readers take them for a stream of bits.
    pub(super) fn whole_bytes(self) -> Option<usize> {
        let whole =
            matches!(self.bits, 8 | 16 | 32 | 64) || self.bits == 24 && self.numbers == Numbers::Float;
        whole.then_some(usize::from(self.bits / 8))
    }

    /// Bytes of a row of `samples` stored samples.
    pub(super) fn row_bytes(self, samples: u64) -> u64 {
        // 2^32 columns of 2^16 bands of 64 bits are 2^54 bits.
        (samples * u64::from(self.bits)).div_ceil(8)
    }

    /// Fills `into`, samples of [`Coding::kind`], from the samples of a stored row from number `first` on. Samples
    /// beyond the row's end are left as they are.
    pub(super) fn widen(self, row: &[u8], first: usize, into: &mut [u8]) {
        match (self.numbers, self.bits) {
            (Numbers::Unsigned, 1) => narrow_bits::<1>(row, first, into),
            (Numbers::Unsigned, 2) => narrow_bits::<2>(row, first, into),
            (Numbers::Unsigned, 4) => narrow_bits::<4>(row, first, into),
            (Numbers::Signed, 8) => {
                let (samples, _) = into.as_chunks_mut::<2>();
                for (sample, byte) in samples.iter_mut().zip(row.get(first..).unwrap_or_default()) {
                    *sample = i16::from(byte.cast_signed()).to_ne_bytes();
                }
            }
            (Numbers::Float, 16) => {
                let (samples, _) = into.as_chunks_mut::<4>();
                let (stored, _) = row.as_chunks::<2>();
                for (sample, half) in samples.iter_mut().zip(stored.get(first..).unwrap_or_default()) {
                    *sample = float_of(u32::from(u16::from_ne_bytes(*half)), 5, 10).to_ne_bytes();
                }
            }
            (Numbers::Float, 24) => {
                let (samples, _) = into.as_chunks_mut::<4>();
                let (stored, _) = row.as_chunks::<3>();
                for (sample, bytes) in samples.iter_mut().zip(stored.get(first..).unwrap_or_default()) {
                    *sample = float_of(long(*bytes), 7, 16).to_ne_bytes();
                }
            }
            (Numbers::Unsigned, bits @ ..8) => {
                Bits::new(row, first, bits).zip(into).for_each(|(value, sample)| *sample = value as u8);
            }
            (Numbers::Unsigned, bits @ ..16) => {
                let (samples, _) = into.as_chunks_mut::<2>();
                let values = Bits::new(row, first, bits);
                values.zip(samples).for_each(|(value, sample)| *sample = (value as u16).to_ne_bytes());
            }
            (Numbers::Unsigned, bits @ ..32) => {
                let (samples, _) = into.as_chunks_mut::<4>();
                let values = Bits::new(row, first, bits);
                values.zip(samples).for_each(|(value, sample)| *sample = value.to_ne_bytes());
            }
            (Numbers::Signed, bits @ ..16) => {
                let (samples, _) = into.as_chunks_mut::<2>();
                for (value, sample) in Bits::new(row, first, bits).zip(samples) {
                    *sample = (sign_extended(value, bits) as i16).to_ne_bytes();
                }
            }
            (Numbers::Signed, bits @ ..32) => {
                let (samples, _) = into.as_chunks_mut::<4>();
                for (value, sample) in Bits::new(row, first, bits).zip(samples) {
                    *sample = sign_extended(value, bits).to_ne_bytes();
                }
            }
            // Stored as the kind has it.
            _ => {
                let width = self.kind().bytes();
                let stored = row.get(first * width..).unwrap_or_default();
                let bytes = stored.len().min(into.len());
                into[..bytes].copy_from_slice(&stored[..bytes]);
            }
        }
    }
}

/// The number in the lowest `bits` bits, which are two's complement.
fn sign_extended(value: u32, bits: u16) -> i32 {
    let unused = 32 - u32::from(bits);
    (value << unused).cast_signed() >> unused
}

/// Samples of 1, 2 or 4 bits.
fn narrow_bits<const BITS: usize>(row: &[u8], first: usize, into: &mut [u8]) {
    let in_byte = 8 / BITS;
    let mask = 0xff_u8 >> (8 - BITS);
    let (mut skip, mut rest) = (first % in_byte, into);
    for byte in row.get(first / in_byte..).unwrap_or_default() {
        let here = (in_byte - skip).min(rest.len());
        let (samples, after) = rest.split_at_mut(here);
        for (sample, place) in samples.iter_mut().zip(skip + 1..) {
            *sample = byte >> (8 - BITS * place) & mask;
        }
        (skip, rest) = (0, after);
        if rest.is_empty() {
            break;
        }
    }
}

/// Three bytes in this machine's order.
fn long([a, b, c]: [u8; 3]) -> u32 {
    match cfg!(target_endian = "big") {
        true => u32::from_be_bytes([0, a, b, c]),
        false => u32::from_le_bytes([a, b, c, 0]),
    }
}

/// The bits of the `f32` that equals a smaller IEEE 754 number: one sign, `exponent` and `mantissa` bits.
fn float_of(bits: u32, exponent: u32, mantissa: u32) -> u32 {
    let sign = (bits >> (exponent + mantissa) & 1) << 31;
    let greatest = (1 << exponent) - 1;
    let power = bits >> mantissa & greatest;
    let fraction = bits & ((1 << mantissa) - 1);
    let wide = fraction << (23 - mantissa);
    let bias = 127 - (greatest >> 1);
    sign | match (power, fraction) {
        (0, 0) => 0,
        // Subnormal: moved up until the leading one is the hidden bit.
        (0, _) => {
            let up = wide.leading_zeros() - 8;
            (bias + 1 - up) << 23 | (wide << up & 0x007f_ffff)
        }
        (power, _) if power == greatest => 0x7f80_0000 | wide,
        (power, _) => (power + bias) << 23 | wide,
    }
}

/// Numbers of `bits` bits, most significant bit first.
struct Bits<'a> {
    bytes: std::slice::Iter<'a, u8>,
    held: u32,
    window: u64,
    bits: u32,
}

impl<'a> Bits<'a> {
    /// From number `first` on; `bits` are 1 to 32.
    fn new(row: &'a [u8], first: usize, bits: u16) -> Self {
        let start = first * usize::from(bits);
        let mut bytes = row.get(start / 8..).unwrap_or_default().iter();
        let skip = (start % 8) as u32;
        let (mut window, mut held) = (0, 0);
        if skip > 0
            && let Some(byte) = bytes.next()
        {
            (window, held) = (u64::from(*byte) & (0xff >> skip), 8 - skip);
        }
        Self { bytes, held, window, bits: u32::from(bits) }
    }
}

impl Iterator for Bits<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        while self.held < self.bits {
            self.window = self.window << 8 | u64::from(*self.bytes.next()?);
            self.held += 8;
        }
        self.held -= self.bits;
        Some((self.window >> self.held) as u32 & (u32::MAX >> (32 - self.bits)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widened(bits: u16, numbers: Numbers, row: &[u8], first: usize, samples: usize) -> Vec<u8> {
        let coding = Coding { bits, numbers };
        let mut into = vec![0xcc; samples * coding.kind().bytes()];
        coding.widen(row, first, &mut into);
        into
    }

    /// One bit after the other into a number: the slow way.
    fn slow(bits: u16, row: &[u8], at: usize) -> u32 {
        let bit = |n: usize| u32::from(row[n / 8] >> (7 - n % 8) & 1);
        (at * usize::from(bits)..(at + 1) * usize::from(bits)).fold(0, |sum, n| sum << 1 | bit(n))
    }

    #[test]
    fn every_number_of_bits_comes_out_from_any_sample_on() {
        let row: Vec<u8> = (0..97u32).map(|at| (at * at * 37 + 11 * at) as u8).collect();
        for bits in (1..=32).filter(|bits| !matches!(bits, 8 | 16 | 32)) {
            let samples = row.len() * 8 / usize::from(bits);
            for first in 0..9 {
                let unsigned = widened(bits, Numbers::Unsigned, &row, first, samples - first);
                let width = Coding { bits, numbers: Numbers::Unsigned }.kind().bytes();
                for (at, sample) in unsigned.chunks(width).enumerate() {
                    let expected = slow(bits, &row, first + at).to_le_bytes();
                    let mut sample = sample.to_vec();
                    if cfg!(target_endian = "big") {
                        sample.reverse();
                    }
                    assert_eq!(sample, expected[..width], "{bits} bits, sample {at} from {first}");
                }
            }
            if bits > 1 {
                let signed = widened(bits, Numbers::Signed, &row, 0, samples);
                let width = Coding { bits, numbers: Numbers::Signed }.kind().bytes();
                for (at, sample) in signed.chunks(width).enumerate() {
                    let value = i64::from(slow(bits, &row, at));
                    let expected = if value >> (bits - 1) == 0 { value } else { value - (1 << bits) };
                    let found = match sample.try_into() {
                        Ok(short) => i64::from(i16::from_ne_bytes(short)),
                        Err(_) => i64::from(i32::from_ne_bytes(sample.try_into().expect("four bytes"))),
                    };
                    assert_eq!(found, expected, "{bits} bits, signed, sample {at}");
                }
            }
        }
    }

    /// The value of a small float by its definition.
    fn by_definition(bits: u32, exponent: i32, mantissa: i32) -> f64 {
        let power = (bits >> mantissa & ((1 << exponent) - 1)) as i32;
        let fraction = f64::from(bits & ((1 << mantissa) - 1)) / f64::from(1 << mantissa);
        let bias = (1 << (exponent - 1)) - 1;
        let size = match power {
            0 => fraction * 2f64.powi(1 - bias),
            power if power == (1 << exponent) - 1 && fraction == 0.0 => f64::INFINITY,
            power if power == (1 << exponent) - 1 => f64::NAN,
            power => (1.0 + fraction) * 2f64.powi(power - bias),
        };
        if bits >> (exponent + mantissa) & 1 == 1 { -size } else { size }
    }

    #[test]
    fn small_floats_keep_their_value() {
        for bits in 0..=0xffff {
            let (found, expected) = (f32::from_bits(float_of(bits, 5, 10)), by_definition(bits, 5, 10));
            assert!(f64::from(found) == expected || found.is_nan() && expected.is_nan(), "{bits:#x}");
            assert_eq!(found.is_sign_negative(), bits >> 15 == 1);
        }
        for bits in (0..0x0100_0000).step_by(251) {
            let (found, expected) = (f32::from_bits(float_of(bits, 7, 16)), by_definition(bits, 7, 16));
            assert!(f64::from(found) == expected || found.is_nan() && expected.is_nan(), "{bits:#x}");
        }
    }
}
