//! What a cache holds for a key: content, and the lease that paid for it.

use plimsoll_core::budget::SharedLease;
use std::sync::Arc;

/// Content in a cache. It stays in memory, and in the budget, as long as anyone holds it.
#[derive(Debug)]
pub struct Entry<'b> {
    // Dropped in this order: the bytes are free before the budget says so.
    content: Box<[u8]>,
    len: usize,
    lease: SharedLease<'b>,
}

impl<'b> Entry<'b> {
    /// Heap bytes of an entry beside its content: itself and the counters of its `Arc`.
    pub(super) const BESIDE_BYTES: usize = size_of::<Self>() + 2 * size_of::<usize>();

    /// `len` of `content` were filled. The rest stays with it, as giving it back could mean a copy.
    pub(super) fn new(content: Box<[u8]>, len: usize, lease: SharedLease<'b>) -> Self {
        let len = len.min(content.len());
        Self { content, len, lease }
    }

    /// What was loaded.
    pub fn content(&self) -> &[u8] {
        &self.content[..self.len]
    }

    /// Bytes that the budget counts for it.
    pub fn leased_bytes(&self) -> usize {
        self.lease.bytes()
    }

    /// Whether somebody beside the cache holds it: then evicting it would free nothing.
    pub(super) fn is_held(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) > 1
    }
}
