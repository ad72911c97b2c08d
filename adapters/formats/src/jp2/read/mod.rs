//! Reading: headers into a page, then one tile at a time into rows.

mod channels;
mod order;
mod page;
mod planes;
mod rows;
mod tile;
mod ycc;

pub(super) use page::{needs, open};
