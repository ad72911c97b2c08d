//! The hash of an image's pixels: SHA-256 over its samples, little-endian, rows from top to bottom, bands
//! interleaved. It depends on the picture alone, not on the file's format, compression or layout.

use plimsoll_core::pipeline::Sink;
use plimsoll_core::strip::Strip;
use plimsoll_formats::FormatError;
use sha2::{Digest, Sha256};

/// Hashes what passes through on its way to another sink.
pub(crate) struct Hashing<K> {
    inner: K,
    hasher: Sha256,
}

impl<K> Hashing<K> {
    /// Goes on with a hash that has seen other pixels, or none.
    pub(crate) fn new(inner: K, hasher: Sha256) -> Self {
        Self { inner, hasher }
    }

    /// The hash so far.
    pub(crate) fn into_hasher(self) -> Sha256 {
        self.hasher
    }
}

/// The hash in hexadecimal.
pub(crate) fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl<K: Sink<Error = FormatError>> Sink for Hashing<K> {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        let sample = strip.image().kind.bytes();
        for part in strip.parts() {
            if cfg!(target_endian = "little") || sample == 1 {
                self.hasher.update(part);
                continue;
            }
            for sample in part.chunks_exact(sample) {
                sample.iter().rev().for_each(|byte| self.hasher.update([*byte]));
            }
        }
        self.inner.write(strip)
    }

    fn finish(&mut self) -> Result<(), FormatError> {
        self.inner.finish()
    }
}

/// Takes rows and does nothing with them.
pub(crate) struct Nowhere;

impl Sink for Nowhere {
    type Error = FormatError;

    fn write(&mut self, _strip: &Strip<'_>) -> Result<(), FormatError> {
        Ok(())
    }
}
