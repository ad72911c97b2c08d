//! One column through the back end `Lean`: `points.bin` in, `series_lean.bin` out.
#![no_std]
#![no_main]

board::start!(run);

fn run() -> i32 {
    board::series::<plimsoll_core::series::Lean>(c"series_lean.bin")
}
