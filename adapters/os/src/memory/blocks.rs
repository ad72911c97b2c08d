//! What the allocator holds of blocks that are free goes back to the system.
#![allow(unsafe_code)]

/// Gives the pages of all free blocks back to the system. The GNU allocator keeps them resident: up to twice the
/// largest block that was ever freed, and what threads that have ended held, beside whatever is taken next. Other
/// allocators return blocks in their own ways.
pub fn return_free_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        unsafe extern "C" {
            /// Releases free memory of all of the allocator's arenas (glibc, `malloc.h`).
            fn malloc_trim(pad: usize) -> i32;
        }
        // SAFETY: takes a number, may be called at any time from any thread; blocks that are held stay what they are.
        unsafe { malloc_trim(0) };
    }
}
