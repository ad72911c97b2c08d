//! One column through the back end `Small`: `points.bin` in, `series_small.bin` out.
#![no_std]
#![no_main]

board::start!(run);

fn run() -> i32 {
    board::series::<plimsoll_core::series::Small>(c"series_small.bin")
}
