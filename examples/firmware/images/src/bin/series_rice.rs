//! One column through the back end `Rice`: `points.bin` in, `series_rice.bin` out.
#![no_std]
#![no_main]

board::start!(run);

fn run() -> i32 {
    board::series::<plimsoll_core::series::Rice>(c"series_rice.bin")
}
