//! One column through the back end `Narrow`: `points.bin` in, `series_narrow.bin` out.
#![no_std]
#![no_main]

board::start!(run);

fn run() -> i32 {
    board::series::<plimsoll_core::series::Narrow>(c"series_narrow.bin")
}
