//! The `pack` back end: residuals in as many bits as the largest of eight needs, column by column.

mod before;
mod column;
mod head;
mod narrow;
pub(crate) mod read;
mod section;
mod words;
pub(crate) mod write;

/// Points in a whole group.
pub(crate) const GROUP: usize = 64;

/// Bits of a group's points.
const GROUP_BITS: u32 = GROUP.ilog2();

/// Values that share a width.
const BLOCK: usize = 8;

/// Whether words of 64 bits are dear.
const SMALL: bool = cfg!(not(target_pointer_width = "64"));
