//! Zstandard (RFC 8878) by its reference library, in memory that is taken once.
//!
//! The library's own allocations would be invisible to the plan, so its decoder lives in a block of ours
//! (`ZSTD_initStaticDStream`), as large as the library says for a window. Writers ask for windows of megabytes before
//! small tiles; a unit cannot refer further back than its own length, so the header's window is cut to that before the
//! decoder sees it.
#![allow(unsafe_code)]

use super::{Progress, Trouble};
use zstd_sys::{
    ZSTD_DCtx, ZSTD_DCtx_reset, ZSTD_DCtx_setParameter, ZSTD_ResetDirective, ZSTD_dParameter,
    ZSTD_decompressStream, ZSTD_estimateDStreamSize, ZSTD_inBuffer, ZSTD_initStaticDStream, ZSTD_isError,
    ZSTD_outBuffer,
};

/// The most bytes of a frame's header.
pub(in crate::tiff::read) const HEADER_BYTES: usize = 18;

const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();

/// The least window a decoder is made for: a descriptor of zero is 1 KiB, and blocks want some room.
const LEAST_WINDOW: u64 = 16 << 10;

/// The largest window of the format's level 22, and of the library on machines of 64 bits.
const MOST_WINDOW_LOG: i32 = 31;

/// What a frame may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tiff::read) struct Window {
    /// The window that memory is there for, as a descriptor has it.
    descriptor: u8,
    /// Bytes that a unit decodes to: no window need be larger.
    unit_bytes: u64,
}

impl Window {
    /// From the start of the first frame. A broken one asks for as little as can be: decoding it will say so.
    pub(in crate::tiff::read) fn of(start: &[u8], unit_bytes: u64) -> Self {
        let asked = match Header::read(start) {
            Ok(Some(header)) => header.window,
            _ => 0,
        };
        Self { descriptor: descriptor(asked.min(unit_bytes).max(LEAST_WINDOW)), unit_bytes }
    }

    fn bytes(self) -> u64 {
        window_of(self.descriptor)
    }
}

/// The window that a descriptor stands for (RFC 8878 section 3.1.1.1.2).
fn window_of(descriptor: u8) -> u64 {
    let base = 1u64 << (10 + (descriptor >> 3));
    base + base / 8 * u64::from(descriptor & 7)
}

/// The least descriptor of a window of `bytes` or more.
fn descriptor(bytes: u64) -> u8 {
    (0..=u8::MAX).find(|descriptor| window_of(*descriptor) >= bytes).unwrap_or(u8::MAX)
}

/// What matters of a frame's header.
struct Header {
    bytes: usize,
    window: u64,
    has_checksum: bool,
}

impl Header {
    /// `None` if `start` does not hold all of it.
    fn read(start: &[u8]) -> Result<Option<Self>, Trouble> {
        if !MAGIC.starts_with(&start[..start.len().min(4)]) {
            return Err(Trouble::Damaged);
        }
        let Some(flags) = start.get(4) else { return Ok(None) };
        let single = flags & 0x20 != 0;
        let dictionary = [0, 1, 2, 4][usize::from(flags & 3)];
        let content = match flags >> 6 {
            0 => usize::from(single),
            size => 1 << size,
        };
        let bytes = 5 + usize::from(!single) + dictionary + content;
        let Some(rest) = start.get(5..bytes) else { return Ok(None) };
        let (front, size) = rest.split_at(rest.len() - content);
        let (front, dictionary) = front.split_at(front.len() - dictionary);
        if flags & 8 != 0 {
            return Err(Trouble::Damaged);
        }
        if dictionary.iter().any(|byte| *byte != 0) {
            return Err(Trouble::Unsupported("Zstandard with a dictionary"));
        }
        let window = match front.first() {
            Some(descriptor) => window_of(*descriptor),
            None => {
                let size_of_content = size.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
                size_of_content + if content == 2 { 256 } else { 0 }
            }
        };
        Ok(Some(Self { bytes, window, has_checksum: flags & 4 != 0 }))
    }
}

/// A decoder in its block.
pub(in crate::tiff::read) struct Zstd {
    window: Window,
    /// The decoder: `context` points into it. Never touched otherwise.
    _block: Box<[u64]>,
    context: *mut ZSTD_DCtx,
    /// The header as it comes in, until it is complete.
    header: [u8; HEADER_BYTES],
    held: usize,
    begun: bool,
    ended: bool,
}

// SAFETY: the context is reached through this value only, which owns the block it lies in; the library keeps no state
// elsewhere.
unsafe impl Send for Zstd {}

impl Zstd {
    /// Bytes of the block.
    pub(super) fn heap_bytes(window: Window) -> u64 {
        let Ok(bytes) = usize::try_from(window.bytes()) else { return u64::MAX };
        if window.bytes() > 1 << MOST_WINDOW_LOG {
            return u64::MAX;
        }
        // SAFETY: plain arithmetic on a number.
        (unsafe { ZSTD_estimateDStreamSize(bytes) } as u64).next_multiple_of(8)
    }

    pub(super) fn new(window: Window) -> Self {
        let words = usize::try_from(Self::heap_bytes(window) / 8).unwrap_or(usize::MAX);
        let mut block = vec![0u64; words].into_boxed_slice();
        // SAFETY: the block is aligned to 8 bytes, has the length that is given, and lives as long as the context.
        let context = unsafe { ZSTD_initStaticDStream(block.as_mut_ptr().cast(), 8 * words) };
        if !context.is_null() {
            // SAFETY: a context that was just made.
            unsafe { ZSTD_DCtx_setParameter(context, ZSTD_dParameter::ZSTD_d_windowLogMax, MOST_WINDOW_LOG) };
        }
        Self {
            window,
            _block: block,
            context,
            header: [0; HEADER_BYTES],
            held: 0,
            begun: false,
            ended: false,
        }
    }

    pub(super) fn reset(&mut self) {
        if !self.context.is_null() {
            // SAFETY: the context is alive.
            unsafe { ZSTD_DCtx_reset(self.context, ZSTD_ResetDirective::ZSTD_reset_session_only) };
        }
        (self.held, self.begun, self.ended) = (0, false, false);
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, Trouble> {
        let mut read = 0;
        while !self.begun {
            let Some(byte) = input.get(read) else {
                return Ok(Progress { read, written: 0, ended: false });
            };
            let Some(place) = self.header.get_mut(self.held) else { return Err(Trouble::Damaged) };
            *place = *byte;
            (read, self.held) = (read + 1, self.held + 1);
            if let Some(header) = Header::read(&self.header[..self.held])? {
                debug_assert_eq!(header.bytes, self.held);
                self.begin(&header)?;
            }
        }
        if self.ended {
            return Ok(Progress { read, written: 0, ended: true });
        }
        let (more, written) = self.decode(&input[read..], output)?;
        Ok(Progress { read: read + more, written, ended: self.ended })
    }

    /// Gives the decoder a header with a window that memory is there for.
    fn begin(&mut self, header: &Header) -> Result<(), Trouble> {
        let window = header.window.min(self.window.unit_bytes).max(LEAST_WINDOW);
        if window > self.window.bytes() {
            return Err(Trouble::Unsupported("a Zstandard frame with a larger window than the first"));
        }
        let mut written = [0; 6];
        written[..4].copy_from_slice(&MAGIC);
        written[4] = u8::from(header.has_checksum) << 2;
        written[5] = descriptor(window);
        self.begun = true;
        match self.decode(&written, &mut [])? {
            (6, 0) => Ok(()),
            _ => Err(Trouble::Damaged),
        }
    }

    fn decode(&mut self, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), Trouble> {
        if self.context.is_null() {
            return Err(Trouble::Unsupported("a Zstandard window of this size"));
        }
        let mut from = ZSTD_inBuffer { src: input.as_ptr().cast(), size: input.len(), pos: 0 };
        let mut into = ZSTD_outBuffer { dst: output.as_mut_ptr().cast(), size: output.len(), pos: 0 };
        // SAFETY: the context is alive and both buffers are slices of the stated lengths that do not overlap.
        let left = unsafe { ZSTD_decompressStream(self.context, &raw mut into, &raw mut from) };
        // SAFETY: plain arithmetic on a number.
        if unsafe { ZSTD_isError(left) } != 0 {
            return Err(Trouble::Damaged);
        }
        self.ended = left == 0;
        Ok((from.pos.min(input.len()), into.pos.min(output.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_those_of_the_standard() {
        assert_eq!((window_of(0), window_of(0b1011_1111)), (1024, (1 << 33) + 7 * (1 << 30)));
        for bytes in [1, 1024, 1025, 1 << 17, (1 << 22) + 1, 1 << 31] {
            let least = descriptor(bytes);
            assert!(window_of(least) >= bytes && (least == 0 || window_of(least - 1) < bytes), "{bytes}");
        }
    }
}
