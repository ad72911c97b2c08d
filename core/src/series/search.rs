//! How long the next block is looked for among damage: linear in the bytes, whatever they are.

/// Bytes that may be checked in vain for each byte that is passed over, and at first.
const SHARE: u64 = 8;
const AT_FIRST: u64 = 1 << 20;

/// What looking for blocks among damage has cost. Headers can be made so that a candidate for a block begins at every
/// few bytes and has 64 KiB; checking them all would take thousands of times as long as reading them.
///
/// At most eight times the bytes that were passed over are checked in vain, and a MiB: behind that, who looks passes
/// over all of a candidate that fails, and only then may miss a block that begins inside.
#[derive(Clone, Copy, Debug, Default)]
pub struct Search {
    checked: u64,
    passed: u64,
}

impl Search {
    /// A candidate of so many bytes failed its check sum: how many bytes to pass over before the next one.
    pub fn failed(&mut self, bytes: usize) -> usize {
        self.checked += bytes as u64;
        if self.checked > SHARE * self.passed + AT_FIRST { bytes.max(1) } else { 1 }
    }

    /// So many bytes were passed over.
    pub fn passed(&mut self, bytes: usize) {
        self.passed += bytes as u64;
    }

    /// Bytes that were checked in vain so far.
    pub fn checked_bytes(&self) -> u64 {
        self.checked
    }
}
