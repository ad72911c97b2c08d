//! One unit of a file, compressed: LZW, Deflate or Zstandard, with every byte of their memory known.
//!
//! Whatever the input, a [`Coder`] allocates nothing after it was made and its output stays within
//! [`Packing::bound`]. Each unit starts from a fresh state, so its bytes do not depend on who compressed it.

use super::zstd::{self, Zstd};
use crate::queue::{Code, Lent};
use flate2::{Compress, FlushCompress, Status};
use weezl::{BitOrder, LzwStatus, encode::Encoder};

/// Level of Deflate, 1 to 9, where none is asked for. Bytes left of a byte, after differencing, of a noisy picture, a
/// photograph and a printed page: level 2 0.467, 0.323, 0.062; level 6 0.465, 0.284, 0.041; level 7 0.463, 0.284,
/// 0.040. On the noisy picture level 6 takes 1.31 times the instructions of level 2; on the page level 7 takes 1.7
/// times as long as level 6.
const DEFLATE_LEVEL: u8 = 6;

/// A method of compression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// None: units that go in order all the same.
    Stored,
    /// LZW as TIFF has it (most significant bit first, codes grow one early).
    Lzw,
    /// Deflate in a zlib wrapper, at this level.
    Deflate(u8),
    /// Zstandard, at this level.
    Zstd(u8),
}

impl Packing {
    /// Deflate at its usual level.
    pub(super) const DEFLATE: Self = Self::Deflate(DEFLATE_LEVEL);
    /// Zstandard at its usual level.
    pub(super) const ZSTD: Self = Self::Zstd(zstd::LEVEL);

    /// Its name, with the level where it is not the usual one.
    pub(super) fn describe(self) -> String {
        match self {
            Self::Stored => "no compression".to_owned(),
            Self::Lzw => "lzw".to_owned(),
            Self::Deflate(DEFLATE_LEVEL) => "deflate".to_owned(),
            Self::Deflate(level) => format!("deflate at level {level}"),
            Self::Zstd(zstd::LEVEL) => "zstd".to_owned(),
            Self::Zstd(level) => format!("zstd at level {level}"),
        }
    }

    /// Value of the tag Compression.
    pub(super) fn tag(self) -> u16 {
        match self {
            Self::Stored => 1,
            Self::Lzw => 5,
            Self::Deflate(_) => 8,
            Self::Zstd(_) => 50000,
        }
    }

    /// Whether it is given differences and not the samples themselves.
    pub(super) fn predicts(self) -> bool {
        self != Self::Stored
    }

    /// The most bytes that `bytes` bytes of input can become.
    ///
    /// LZW gives at most one 12-bit code for a byte, a clear code for each 3838 codes, one to begin and one to end.
    /// Deflate codes no block larger than with its fixed codes, of which the longest has 9 bits for a byte, and a
    /// block of at most 16383 literals costs 10 bits more; the wrapper has 6 bytes.
    pub(super) const fn bound(self, bytes: u64) -> u64 {
        match self {
            Self::Stored => bytes,
            Self::Lzw => bytes + bytes / 2 + bytes / 2048 + 16,
            Self::Deflate(_) => bytes + bytes / 8 + bytes / 4096 + 32,
            Self::Zstd(_) => zstd::bound(bytes),
        }
    }

    /// The most bytes that a coder for units of `unit_bytes` bytes takes from the heap, also while it is made; proved
    /// with a counting allocator (`tests/tiff_write_needs.rs`).
    pub(super) fn state_bytes(self, unit_bytes: u64) -> u64 {
        match self {
            Self::Stored => 0,
            // Tables of 4096 nodes of 50 bytes, 256 of 512 and 4128 of 2, and 64 KiB while the second one grows.
            Self::Lzw => 400 << 10,
            Self::Deflate(_) => 372 << 10,
            Self::Zstd(level) => Zstd::bytes(level, unit_bytes),
        }
    }
}

/// The state of a method: reused for unit after unit.
pub(super) enum Coder {
    Stored,
    Lzw(Encoder),
    Deflate(Compress),
    Zstd(Option<Zstd>),
}

impl Coder {
    /// Takes all memory it will ever need for units of `unit_bytes` bytes at most.
    pub(super) fn new(packing: Packing, unit_bytes: u64) -> Self {
        match packing {
            Packing::Stored => Self::Stored,
            Packing::Lzw => {
                let mut encoder = Encoder::with_tiff_size_switch(BitOrder::Msb, 8);
                stretch(&mut encoder);
                Self::Lzw(encoder)
            }
            Packing::Deflate(level) => {
                Self::Deflate(Compress::new(flate2::Compression::new(u32::from(level.clamp(1, 9))), true))
            }
            Packing::Zstd(level) => Self::Zstd(Zstd::new(level, unit_bytes)),
        }
    }

    /// Compresses one unit into `out` and says how many bytes it became; `None` if `out` is shorter than
    /// [`Packing::bound`] says and they did not fit.
    pub(super) fn pack(&mut self, raw: &[u8], out: &mut [u8]) -> Option<usize> {
        match self {
            Self::Stored => {
                out.get_mut(..raw.len())?.copy_from_slice(raw);
                Some(raw.len())
            }
            Self::Zstd(zstd) => zstd.as_mut()?.pack(raw, out),
            Self::Lzw(encoder) => {
                encoder.reset();
                encoder.finish();
                let (mut raw, mut written) = (raw, 0);
                loop {
                    let result = encoder.encode_bytes(raw, out.get_mut(written..)?);
                    raw = raw.get(result.consumed_in..)?;
                    written += result.consumed_out;
                    match result.status.ok()? {
                        LzwStatus::Done => return Some(written),
                        // The end code comes with a call of its own.
                        LzwStatus::Ok if result.consumed_in + result.consumed_out > 0 => {}
                        _ => return None,
                    }
                }
            }
            Self::Deflate(compress) => {
                compress.reset();
                let status = compress.compress(raw, out, FlushCompress::Finish).ok()?;
                let bytes = usize::try_from(compress.total_out()).ok()?;
                matches!(status, Status::StreamEnd).then_some(bytes)
            }
        }
    }
}

/// Makes the encoder's tables as large as they can become.
///
/// They grow as codes get successors: a node for each code that has some (at most 3838), a large node for each that
/// has more than 16 (at most 226). They double, so that more than half of that takes them to their full size.
fn stretch(encoder: &mut Encoder) {
    let mut sink = [0; 4096];
    let mut feed = |encoder: &mut Encoder, bytes: &mut dyn Iterator<Item = u8>| {
        encoder.reset();
        let mut chunk = [0; 256];
        loop {
            let mut filled = 0;
            for (slot, byte) in chunk.iter_mut().zip(&mut *bytes) {
                *slot = byte;
                filled += 1;
            }
            if filled == 0 {
                break;
            }
            // 256 bytes are all taken, as the sink has room for what they become.
            let _ = encoder.encode_bytes(&chunk[..filled], &mut sink);
        }
    };
    // Runs: each code is the only successor of the one before.
    feed(encoder, &mut (0..=255u8).flat_map(|byte| std::iter::repeat_n(byte, 120)));
    // Every byte below 211 followed by 17 others; all pairs differ as 211 is a prime.
    let mut at = 0;
    feed(
        encoder,
        &mut (1..=17u32).flat_map(|step| std::iter::repeat_n(step, 211)).map(|step| {
            at = (at + step) % 211;
            at as u8
        }),
    );
    encoder.reset();
}

impl Code for Coder {
    /// Bytes of the unit, from the buffer's first on.
    type Raw = usize;
    /// The same of the coded one.
    type Coded = usize;

    fn code(&mut self, _number: u64, unit: Lent<'_, Self>, out: &mut Vec<u8>) -> Option<usize> {
        self.pack(unit.bytes().get(..unit.about)?, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Packing; 6] = [
        Packing::Stored,
        Packing::Lzw,
        Packing::DEFLATE,
        Packing::Deflate(1),
        Packing::ZSTD,
        Packing::Zstd(19),
    ];

    /// The largest unit of these tests.
    const UNIT: u64 = 600_000;

    fn random(bytes: usize) -> Vec<u8> {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        };
        (0..bytes).map(|_| next()).collect()
    }

    fn unpack(packing: Packing, packed: &[u8]) -> Vec<u8> {
        use std::io::Read;
        let mut raw = Vec::new();
        match packing {
            Packing::Stored => raw.extend(packed),
            // Not the library that compresses.
            Packing::Zstd(_) => {
                ruzstd::decoding::StreamingDecoder::new(packed).unwrap().read_to_end(&mut raw).unwrap();
            }
            Packing::Lzw => {
                raw = weezl::decode::Decoder::with_tiff_size_switch(BitOrder::Msb, 8).decode(packed).unwrap();
            }
            Packing::Deflate(_) => {
                flate2::read::ZlibDecoder::new(packed).read_to_end(&mut raw).unwrap();
            }
        }
        raw
    }

    fn round_trip(packing: Packing, coder: &mut Coder, raw: &[u8]) {
        let mut out = vec![0; packing.bound(raw.len() as u64) as usize];
        let bytes = coder.pack(raw, &mut out).expect("within the bound");
        assert_eq!(unpack(packing, &out[..bytes]), raw);
    }

    #[test]
    fn random_bytes_stay_within_the_bound() {
        let random = random(600_000);
        for packing in ALL {
            let mut coder = Coder::new(packing, UNIT);
            for bytes in [1, 2, 3, 100, 4095, 4096, 16_383, 16_384, 65_535, 65_536, 262_144, 600_000] {
                round_trip(packing, &mut coder, &random[..bytes]);
            }
            // All pairs of bytes once: no LZW code stands for more than one byte for long.
            let pairs: Vec<u8> = (0..256u32).flat_map(|d| (0..256).map(move |x| (x * d) as u8)).collect();
            round_trip(packing, &mut coder, &pairs);
        }
    }

    #[test]
    fn a_unit_does_not_depend_on_those_before_it() {
        let random = random(50_000);
        for packing in ALL {
            let pack = |coder: &mut Coder, raw: &[u8]| {
                let mut out = vec![0; packing.bound(raw.len() as u64) as usize];
                let bytes = coder.pack(raw, &mut out).expect("within the bound");
                out.truncate(bytes);
                out
            };
            let raw: Vec<u8> = random.iter().map(|byte| byte & 7).collect();
            let mut used = Coder::new(packing, UNIT);
            pack(&mut used, &random);
            pack(&mut used, &raw[..77]);
            assert_eq!(pack(&mut used, &raw), pack(&mut Coder::new(packing, UNIT), &raw));
        }
    }

    #[test]
    fn a_short_output_is_noticed() {
        for packing in ALL {
            assert_eq!(Coder::new(packing, UNIT).pack(&random(1000), &mut [0; 500]), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(raw in proptest::collection::vec(0u8..5, 1..5000)) {
            for packing in ALL {
                round_trip(packing, &mut Coder::new(packing, UNIT), &raw);
            }
        }
    }
}
