//! Series of points in files: tables of text in, `.pls` files, tables of text out.
//!
//! ```text
//!  text --CsvPoints--> (time, values), Schema --PlsWriter--> head | block | block | ... | index
//!  text <--CsvOutput-- (time, values), Schema <--PlsReader--
//! ```

mod codec;
mod csv_read;
mod csv_write;
mod look;
mod pls;
mod schema;

pub use codec::Coder;
pub use csv_read::{CsvItem, CsvPoints};
pub use csv_write::{CsvOutput, write_name, write_time};
pub use look::{ColumnWanted, CsvWanted, Look, TimeWanted};
pub use pls::{
    Damaged, Entry, Index, MOST_ENTRIES, PlsEvent, PlsInput, PlsItem, PlsOptions, PlsPoints, PlsWanted,
    PlsWriter, SCAN_BYTES, Scanner, Seeking, Streaming, TimeRange, Written, resume_at,
};
pub use schema::{
    MOST_NAME_BYTES, MOST_SCHEMA_BYTES, Schema, TimeColumn, ValueColumn, kind_name, kind_of, unit_digits,
    unit_name, unit_of,
};
