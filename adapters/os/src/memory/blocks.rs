//! Large blocks go back to the system as soon as they are freed, for processes that have more than one arena in turn.
#![allow(unsafe_code)]

/// Blocks from this size on are mappings of their own: what the GNU allocator begins with.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OWN_MAPPING_BYTES: nix::libc::c_int = 128 << 10;

/// Keeps the GNU allocator from raising, with each large block that is freed, the size from which on blocks are
/// mappings of their own: it would keep up to twice the largest arena of a finished pass, page or job resident beside
/// the arena of the next one. Other allocators return blocks in their own ways.
pub fn return_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: sets a number in the allocator's own state, under its lock; blocks that are held stay what they are.
    unsafe {
        nix::libc::mallopt(nix::libc::M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
    }
}
