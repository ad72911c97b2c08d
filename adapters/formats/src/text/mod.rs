//! Text in bounded memory: whole lines from any stream, records of delimited columns, and the numbers and times in
//! them.
//!
//! ```text
//!  Read --> chunk: runs of whole lines, in one fixed buffer
//!       \-> records: fields of one record, in two fixed buffers (csv-core)  --> number, time: exact both ways
//! ```

mod chunk;
mod delimiter;
mod number;
mod records;
mod time;

pub use chunk::{Chunk, Chunks, LineTooLong, Lines};
pub use delimiter::detect_delimiter;
pub use number::{
    MISSING_F32, MISSING_F64, Number, NumberText, exact_in_f64, parse_number, write_f32, write_f64,
};
pub use records::{Record, RecordError, Records};
pub use time::{
    IsoText, Precision, TimeError, TimeText, Zone, parse_decimal, parse_iso, sniff_iso, write_decimal,
    write_iso,
};
