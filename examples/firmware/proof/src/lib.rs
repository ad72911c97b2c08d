//! Images that only link if nothing that they call can panic.
//!
//! The panic handler calls a function that nobody defines. Where the optimiser removes every panic, nothing calls the
//! handler and the image links; where one is left, the linker names the place. So the proof is of this build, with
//! these types: the images call every public entry point, with arguments that the optimiser cannot see.
#![no_std]

pub use core::hint::black_box;
#[doc(hidden)]
pub use cortex_m_rt;

use cortex_m as _;

/// Makes `$main` the program.
#[macro_export]
macro_rules! prove {
    ($main:path) => {
        use $crate::cortex_m_rt;

        #[cortex_m_rt::entry]
        fn start() -> ! {
            $main();
            loop {}
        }

        unsafe extern "C" {
            fn panic_is_reachable() -> !;
        }

        #[panic_handler]
        fn panicked(_: &core::panic::PanicInfo) -> ! {
            // SAFETY: it does not exist: an image with this call does not link.
            unsafe { panic_is_reachable() }
        }
    };
}
