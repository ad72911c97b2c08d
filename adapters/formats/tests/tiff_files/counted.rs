//! A file in memory that counts what is read of it.

use plimsoll_core::bytes::ReadAt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A file in memory that counts what is read of it.
pub(crate) struct Counted {
    pub(crate) bytes: Vec<u8>,
    pub(crate) calls: AtomicU64,
    pub(crate) read: AtomicU64,
}

impl Counted {
    pub(crate) fn new(bytes: Vec<u8>) -> Arc<Self> {
        Arc::new(Self { bytes, calls: AtomicU64::new(0), read: AtomicU64::new(0) })
    }
}

impl ReadAt for Counted {
    type Error = io::Error;

    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.read.fetch_add(into.len() as u64, Ordering::Relaxed);
        self.bytes.as_slice().read_at(offset, into).map_err(io::Error::other)
    }
}
