//! The negative control: one index that may be outside. This image must not link.
#![no_std]
#![no_main]

use proof::black_box;

proof::prove!(all);

fn all() {
    let bytes = black_box([1u8, 2, 3]);
    black_box(bytes[black_box(3)]);
}
