//! Series over iterators and `embedded-io` streams: points go in one by one and blocks come out of a port, and back.

mod iter;
mod read;
mod write;

pub use iter::{Point, PointIter};
pub use read::{ReadBlocks, ReadError};
pub use write::{WriteBlocks, WriteError};
