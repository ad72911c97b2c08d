//! One column through the back end `Large`: `points.bin` in, `series_large.bin` out.
#![no_std]
#![no_main]

board::start!(run);

fn run() -> i32 {
    board::series::<plimsoll_core::series::Large>(c"series_large.bin")
}
