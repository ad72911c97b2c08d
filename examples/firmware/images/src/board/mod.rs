//! What the images share: how they start and end, files of the host for streams, logs, marks and the stack's depth.
//!
//! On a real board this is what you replace: the start stays, files become a sensor and a radio, logs go to RTT.
#![no_std]

mod bench;
mod file;
mod log;
pub mod marks;
mod once;
pub mod stack;
pub mod tick;

pub use bench::series;
pub use file::{HostError, HostFile};
pub use once::Once;

#[doc(hidden)]
pub mod parts {
    #[cfg(target_arch = "arm")]
    pub use cortex_m_rt;
    pub use defmt;
    #[cfg(target_arch = "riscv32")]
    pub use riscv_rt;
}

// The implementation of critical sections.
#[cfg(target_arch = "arm")]
use cortex_m as _;
#[cfg(target_arch = "riscv32")]
use riscv as _;

/// Ends the run: 0 is success.
pub fn exit(code: i32) -> ! {
    semihosting::process::exit(code)
}

/// Makes `$main`, which gives an exit code, the program, and a panic a log line and exit code 101.
#[macro_export]
macro_rules! start {
    ($main:path) => {
        #[cfg(target_arch = "arm")]
        use $crate::parts::cortex_m_rt;
        #[cfg(target_arch = "riscv32")]
        use $crate::parts::riscv_rt;

        #[cfg_attr(target_arch = "arm", cortex_m_rt::entry)]
        #[cfg_attr(target_arch = "riscv32", riscv_rt::entry)]
        fn start() -> ! {
            $crate::exit($main())
        }

        #[panic_handler]
        fn panicked(_: &core::panic::PanicInfo) -> ! {
            $crate::parts::defmt::error!("panicked");
            $crate::exit(101)
        }
    };
}
