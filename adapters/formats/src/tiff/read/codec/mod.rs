//! Decoders of compressed units: bytes in, bytes out, a fixed state, any cut of both.
//!
//! A codec is made once per lane with all memory it will ever hold and is reset for each unit. To add one: write its
//! file, then name it in [`Codec`].

mod clumps;
mod deflate;
mod fax;
pub(super) mod jpeg;
mod lzw;
mod packbits;
pub(super) mod zstd;

use super::layout::Layout;
use super::method::Method;
use clumps::Clumps;
use deflate::Deflate;
use fax::Fax;
use jpeg::Jpeg;
use lzw::Lzw;
use packbits::PackBits;
use zstd::Zstd;

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

/// Why a stream cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It breaks its method's rules.
    Damaged,
    /// It is legal, but needs what is named here.
    Unsupported(&'static str),
}

/// A decoder for one of the methods.
pub(super) enum Codec {
    /// Bytes as they are.
    Copy,
    /// PackBits.
    PackBits(PackBits),
    /// LZW.
    Lzw(Lzw),
    /// Deflate.
    Deflate(Deflate),
    /// Zstandard.
    Zstd(Zstd),
    /// One of the fax methods.
    Fax(Fax),
    /// JPEG.
    Jpeg(Box<Jpeg>),
    /// Any of these, and YCbCr samples whose colour is stored coarser.
    Clumps(Clumps),
}

impl Codec {
    /// A decoder for a page's units, with all its memory.
    pub(super) fn new(layout: &Layout) -> Self {
        let codec = match layout.method {
            Method::None => Self::Copy,
            Method::PackBits => Self::PackBits(PackBits::default()),
            Method::Lzw => Self::Lzw(Lzw::new()),
            Method::OldLzw => Self::Lzw(Lzw::old()),
            Method::Deflate => Self::Deflate(Deflate::new()),
            Method::Zstd(window) => Self::Zstd(Zstd::new(window)),
            Method::Fax(variant) => Self::Fax(Fax::new(variant, layout.grid.unit_cols)),
            Method::Jpeg(frame) => {
                Self::Jpeg(Box::new(Jpeg::new(frame, layout.grid.unit_cols, layout.grid.unit_bands)))
            }
        };
        match layout.subsampling.is_coarse() {
            true => Self::Clumps(Clumps::new(codec, layout.subsampling, layout.grid.unit_cols)),
            false => codec,
        }
    }

    /// The most bytes that a decoder for these units holds on the heap.
    pub(super) fn heap_bytes(layout: &Layout) -> u64 {
        let codec = match layout.method {
            Method::None | Method::PackBits => 0,
            Method::Lzw | Method::OldLzw => Lzw::HEAP_BYTES,
            Method::Deflate => Deflate::HEAP_BYTES,
            Method::Zstd(window) => Zstd::heap_bytes(window),
            Method::Fax(_) => Fax::heap_bytes(layout.grid.unit_cols),
            Method::Jpeg(frame) => Jpeg::heap_bytes(frame, layout.grid.unit_cols, layout.grid.unit_bands),
        };
        match layout.subsampling.is_coarse() {
            true => codec.saturating_add(Clumps::heap_bytes(layout.subsampling, layout.grid.unit_cols)),
            false => codec,
        }
    }

    /// Forgets everything: the next byte begins a new unit.
    pub(super) fn reset(&mut self) {
        match self {
            Self::Copy => {}
            Self::PackBits(codec) => *codec = PackBits::default(),
            Self::Lzw(codec) => codec.reset(),
            Self::Deflate(codec) => codec.reset(),
            Self::Zstd(codec) => codec.reset(),
            Self::Fax(codec) => codec.reset(),
            Self::Jpeg(codec) => codec.reset(),
            Self::Clumps(codec) => codec.reset(),
        }
    }

    /// Decodes from `input` into `output` until one of them is used up or the stream ends. An empty input says that
    /// no more will come.
    ///
    /// No progress without an end means that more input is needed.
    ///
    /// # Errors
    /// [`Trouble`]; the decoder must be reset then.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Trouble> {
        match self {
            Self::Copy => {
                let bytes = input.len().min(output.len());
                output[..bytes].copy_from_slice(&input[..bytes]);
                Ok(Progress { read: bytes, written: bytes, ended: false })
            }
            Self::PackBits(codec) => Ok(codec.step(input, output)),
            Self::Lzw(codec) => codec.step(input, output),
            Self::Deflate(codec) => codec.step(input, output),
            Self::Zstd(codec) => codec.step(input, output),
            Self::Fax(codec) => codec.step(input, output),
            Self::Jpeg(codec) => codec.step(input, output),
            Self::Clumps(codec) => codec.step(input, output),
        }
    }
}
