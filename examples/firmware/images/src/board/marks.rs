//! Addresses that the instruction counter knows: what runs after one is counted to it, up to the next.

use core::sync::atomic::AtomicU32;

static PHASE: AtomicU32 = AtomicU32::new(0);

macro_rules! mark {
    ($($(#[$doc:meta])* $name:ident = $number:expr;)*) => {$(
        $(#[$doc])*
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub extern "C" fn $name() {
            // Nothing reads it, but a volatile store stays, and bodies that differ are never merged.
            // SAFETY: it is the address of a static.
            unsafe { core::ptr::write_volatile(PHASE.as_ptr(), $number) };
        }
    )*};
}

mark! {
    /// Anything else.
    mark_other = 0;
    /// Encoding, or the work of a story with one part.
    mark_encode = 1;
    /// Decoding.
    mark_decode = 2;
}

/// Marks for a [`stories::series`].
#[derive(Clone, Copy, Debug)]
pub struct Counted;

impl stories::series::Marks for Counted {
    fn encode(&self) {
        mark_encode();
    }

    fn decode(&self) {
        mark_decode();
    }

    fn other(&self) {
        mark_other();
    }
}
