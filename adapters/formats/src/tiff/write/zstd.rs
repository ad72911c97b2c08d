//! Zstandard for one unit, in memory that is ours: the library's context lies in a block of a size that the library
//! itself states, and it takes nothing from anywhere else.
#![allow(unsafe_code)]

use zstd_sys as sys;

/// The hardest level whose memory stays in proportion to a unit.
pub(super) const MOST_LEVEL: u8 = 19;

/// Level of Zstandard, 1 to 19, where none is asked for.
pub(super) const LEVEL: u8 = 5;

/// The state of a compressor.
pub(super) struct Zstd {
    /// Lies in `block`.
    context: *mut sys::ZSTD_CCtx,
    // Words, as the library wants its block aligned to 8 bytes.
    _block: Box<[u64]>,
}

// SAFETY: the context is used through `&mut self` only, and nothing in it belongs to a thread.
unsafe impl Send for Zstd {}

/// The parameters of a level for units of `unit_bytes` bytes at most.
fn parameters(level: u8, unit_bytes: u64) -> sys::ZSTD_compressionParameters {
    // SAFETY: a pure function of numbers.
    unsafe { sys::ZSTD_getCParams(i32::from(level.clamp(1, MOST_LEVEL)), unit_bytes.max(1), 0) }
}

/// Words of a compressor's block.
fn words(level: u8, unit_bytes: u64) -> usize {
    // SAFETY: a pure function of numbers.
    let bytes = unsafe { sys::ZSTD_estimateCCtxSize_usingCParams(parameters(level, unit_bytes)) };
    bytes.div_ceil(size_of::<u64>())
}

/// The most bytes that `bytes` bytes can become (the library's ZSTD_COMPRESSBOUND).
pub(super) const fn bound(bytes: u64) -> u64 {
    let small = if bytes < 128 << 10 { ((128 << 10) - bytes) >> 11 } else { 0 };
    bytes + (bytes >> 8) + small
}

impl Zstd {
    /// Bytes that [`Zstd::new`] takes.
    pub(super) fn bytes(level: u8, unit_bytes: u64) -> u64 {
        (words(level, unit_bytes) * size_of::<u64>()) as u64
    }

    /// A compressor for units of `unit_bytes` bytes at most. `None` if the library has another opinion of what it
    /// needs than it said.
    pub(super) fn new(level: u8, unit_bytes: u64) -> Option<Self> {
        let mut block = vec![0u64; words(level, unit_bytes)].into_boxed_slice();
        let bytes = size_of_val(&*block);
        // SAFETY: the block is writable, of that size, aligned to 8 bytes, and lives as long as the context.
        let context = unsafe { sys::ZSTD_initStaticCCtx(block.as_mut_ptr().cast(), bytes) };
        if context.is_null() {
            return None;
        }
        // SAFETY: the context was made above.
        let code = unsafe { sys::ZSTD_CCtx_setCParams(context, parameters(level, unit_bytes)) };
        (!failed(code)).then_some(Self { context, _block: block })
    }

    /// Compresses one unit into `out` and says how many bytes it became; `None` if they did not fit.
    pub(super) fn pack(&mut self, raw: &[u8], out: &mut [u8]) -> Option<usize> {
        // SAFETY: the context lives in our block, and both slices are what their pointers and lengths say.
        let code = unsafe {
            let (into, from) = (out.as_mut_ptr().cast(), raw.as_ptr().cast());
            sys::ZSTD_compress2(self.context, into, out.len(), from, raw.len())
        };
        (!failed(code)).then_some(code)
    }
}

fn failed(code: usize) -> bool {
    // SAFETY: a pure function of a number.
    unsafe { sys::ZSTD_isError(code) != 0 }
}
