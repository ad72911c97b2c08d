//! Compact series: timestamps and values in self-contained blocks, lossless or within a tolerance, in fixed state.
//!
//! ```text
//!  push(time, values) -> [points that wait] -> lattice -> predictors -> residuals -> back end -> block
//!                         end of the buffer    choose     bank, beat    model        arith       header, payload, CRC
//!                                                                                    rice, pack
//! ```
//! A **point** is an `i64` timestamp, in any unit, forwards or not, and 1 to 8 values of any [`Kind`]. An [`Encoder`]
//! keeps a fixed number of bytes beside the caller's block buffer; a [`Decoder`] streams the points of one block. Each
//! block decodes alone, so a damaged one costs only itself: [`Blocks`] goes on behind it.
//!
//! The back end is a type ([`Profile`]): [`Small`], [`Large`] and [`Larger`] give the smallest blocks, [`Pack`] is the
//! fastest, [`Lean`] and [`Rice`] lie between, [`Narrow`] is [`Small`] for cores of 32 bits. `FORMAT.md` beside this file
//! says every bit.

mod any;
mod arith;
mod back;
mod bank;
mod beat;
mod bits;
mod blocks;
pub mod bound;
mod bridge;
mod choose;
mod coder;
mod column;
mod crc;
mod decoder;
mod encoder;
mod error;
mod few;
mod header;
mod heads;
mod lane;
mod lattice;
mod never_longer;
mod pack;
mod points;
mod predict;
mod profile;
mod recall;
mod rice;
mod search;
mod settings;
mod slide;
mod straight;
mod stream;
mod summary;
mod word;

pub use any::AnyDecoder;
pub use blocks::{Block, Blocks, Lost};
pub use bridge::{Point, PointIter, ReadBlocks, ReadError, WriteBlocks, WriteError};
pub use crc::crc32c;
pub use decoder::Decoder;
pub use encoder::{Encoder, Pushed};
pub use error::{Damage, Misuse, Unsealed};
pub use header::{Coding, Header, MAX_HEADER_BYTES, Range, SYNC, VERSION};
pub use never_longer::NeverLonger;
pub use profile::{Large, Larger, Lean, Narrow, Pack, Profile, Rice, Small};
pub use search::Search;
pub use settings::{
    Column, Lattice, MAX_BLOCK_BYTES, MAX_COLUMNS, MAX_POINTS, Settings, TimeUnit, Tolerance,
};
pub use word::{Kind, Word};

// What is promised of one column, for every target: the buffer is the caller's and does not count.
const _: () = {
    assert!(Encoder::<Small, 1>::STATE_BYTES <= 1024 && Decoder::<Small, 1>::STATE_BYTES <= 1024);
    assert!(Encoder::<Narrow, 1>::STATE_BYTES <= 1024 && Decoder::<Narrow, 1>::STATE_BYTES <= 1024);
    assert!(Encoder::<Lean, 1>::STATE_BYTES <= 1024 && Decoder::<Lean, 1>::STATE_BYTES <= 1024);
    assert!(Encoder::<Large, 1>::STATE_BYTES <= 2048 && Decoder::<Large, 1>::STATE_BYTES <= 2048);
    assert!(Encoder::<Larger, 1>::STATE_BYTES <= 4096 && Decoder::<Larger, 1>::STATE_BYTES <= 4096);
};
