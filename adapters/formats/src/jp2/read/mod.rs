//! Reading: headers into a page, then one tile at a time into rows.

mod channels;
mod page;
mod rows;
mod tile;

pub(super) use page::open;
