//! The one place where OpenJPEG is called: a tile into a codestream, and a codestream of one tile into samples.
//!
//! Everything the library takes it takes from the system's heap while one call of ours runs, and gives it back before
//! that returns; `memory` says how much it is at most. What goes into it was checked before: header fields are within
//! the limits of `codestream`, and a tile's structure is no larger than planned.

mod decode;
mod encode;
mod heap;
mod library;
pub(super) mod memory;

pub(super) use decode::{DecodeError, Input, decode};
pub(super) use encode::{Coding, Loss, RPCL, Tile};
pub(super) use library::CODES_RPCL;
