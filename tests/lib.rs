//! What the promises' tests share: pictures that come from no code under test, a folder to work in, and the command
//! run in it with everything that can be seen from outside: exit code, output, receipt, the system's peak.

mod picture;
mod tiff_file;
mod work;

pub use picture::{Kind, Picture};
pub use tiff_file::{Packing, Storage};
pub use work::{Done, LARGER_PROGRAM_BYTES, Work};

/// The command under test, and the program that measures it: only the crate of a test knows where cargo put them.
#[macro_export]
macro_rules! programs {
    () => {
        [env!("CARGO_BIN_EXE_plimsoll-under-test"), env!("CARGO_BIN_EXE_measured")]
    };
}
