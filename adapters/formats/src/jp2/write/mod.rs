//! Writing: decides how a picture is stored, and what that costs in memory.
//!
//! Each tile is coded as a codestream of its own, on any thread; the sink takes its tile-part, gives it the tile's
//! number and appends it in order. Lossless tiles are coded one component after the other, which takes a fraction of the
//! memory; their packets are put together on the way to the file. What the file holds depends on the pixels and on what was asked for, never on
//! threads, strips or the order in which rows came.

mod boxes;
mod carry;
mod lane;
mod packets;
mod settings;
mod sink;
mod target;

pub(super) use settings::target;
pub use settings::{Extras, Jp2Wanted, Progression, Quality, Resolution};
