//! The `pack` back end: residuals in as many bits as the largest of eight needs, column by column.

mod section;
pub(crate) mod side;
mod words;

/// Points in a whole group.
pub(crate) const GROUP: usize = 64;

/// Values that share a width.
const BLOCK: usize = 8;
