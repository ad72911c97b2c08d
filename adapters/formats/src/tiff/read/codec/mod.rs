//! Decoders of compressed units: bytes in, bytes out, a fixed state, any cut of both.
//!
//! A codec is made once per lane with all memory it will ever hold and is reset for each unit. To add one: write its
//! file, then name it in [`Codec`].

mod deflate;
mod lzw;
mod packbits;

use super::layout::Method;
use deflate::Deflate;
use lzw::Lzw;
use packbits::PackBits;

/// How far a call got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    /// Bytes of the input that were used.
    pub(super) read: usize,
    /// Bytes of the output that were written.
    pub(super) written: usize,
    /// The stream's own end was reached: it gives no more bytes.
    pub(super) ended: bool,
}

/// The stream breaks its method's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damaged;

/// A decoder for one of the methods.
pub(super) enum Codec {
    /// PackBits.
    PackBits(PackBits),
    /// LZW.
    Lzw(Lzw),
    /// Deflate.
    Deflate(Deflate),
}

impl Codec {
    /// A decoder for `method`, with all its memory; none where nothing is compressed.
    pub(super) fn new(method: Method) -> Option<Self> {
        match method {
            Method::None => None,
            Method::PackBits => Some(Self::PackBits(PackBits::default())),
            Method::Lzw => Some(Self::Lzw(Lzw::new())),
            Method::OldLzw => Some(Self::Lzw(Lzw::old())),
            Method::Deflate => Some(Self::Deflate(Deflate::new())),
        }
    }

    /// The most bytes that a decoder for `method` holds on the heap.
    pub(super) const fn heap_bytes(method: Method) -> u64 {
        match method {
            Method::None | Method::PackBits => 0,
            Method::Lzw | Method::OldLzw => Lzw::HEAP_BYTES,
            Method::Deflate => Deflate::HEAP_BYTES,
        }
    }

    /// Forgets everything: the next byte begins a new unit.
    pub(super) fn reset(&mut self) {
        match self {
            Self::PackBits(codec) => *codec = PackBits::default(),
            Self::Lzw(codec) => codec.reset(),
            Self::Deflate(codec) => codec.reset(),
        }
    }

    /// Decodes from `input` into `output` until one of them is used up or the stream ends.
    ///
    /// No progress without an end means that more input is needed.
    ///
    /// # Errors
    /// [`Damaged`]; the decoder must be reset then.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Damaged> {
        match self {
            Self::PackBits(codec) => Ok(codec.step(input, output)),
            Self::Lzw(codec) => codec.step(input, output),
            Self::Deflate(codec) => codec.step(input, output),
        }
    }
}
