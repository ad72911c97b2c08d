//! One column through the back end `Pack`: `points.bin` in, `series_pack.bin` out.
#![no_std]
#![no_main]

board::start!(run);

fn run() -> i32 {
    board::series::<plimsoll_core::series::Pack>(c"series_pack.bin")
}
