//! Compact series: timestamps and values in self-contained blocks, lossless or within a tolerance, in fixed state.

mod any;
mod arith;
mod back;
mod bank;
mod beat;
mod bits;
mod blocks;
pub mod bound;
mod choose;
mod coder;
mod column;
mod crc;
mod decoder;
mod encoder;
mod error;
mod header;
mod heads;
mod lane;
mod lattice;
mod pack;
mod points;
mod profile;
mod recall;
mod rice;
mod settings;
mod stream;
mod summary;
mod word;

pub use any::AnyDecoder;
pub use blocks::{Block, Blocks, Lost};
pub use decoder::Decoder;
pub use encoder::{Encoder, Pushed};
pub use error::{Damage, Misuse};
pub use header::{Coding, Header, MAX_HEADER_BYTES, Range, SYNC, VERSION};
pub use profile::{Large, Narrow, Pack, Profile, Rice, Small};
pub use settings::{
    Column, Lattice, MAX_BLOCK_BYTES, MAX_COLUMNS, MAX_POINTS, Settings, TimeUnit, Tolerance,
};
pub use word::{Kind, Word};
