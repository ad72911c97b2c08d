//! Points as a table of text, written as their schema says.

use super::schema::{Schema, unit_digits};
use crate::text::{TimeText, write_decimal, write_f32, write_f64, write_iso};
use plimsoll_core::series::{Kind, Word};
use std::io::{self, Write};

/// Writes points as text. It buffers nothing: give it a writer that does.
#[derive(Debug)]
pub struct CsvOutput<W> {
    out: W,
    begun: bool,
}

impl<W: Write> CsvOutput<W> {
    /// Text goes to `out`.
    pub const fn new(out: W) -> Self {
        Self { out, begun: false }
    }

    /// Writes the names of a table, once: schemas that follow only change how points are written.
    ///
    /// # Errors
    /// The writer's.
    pub fn begin(&mut self, schema: &Schema) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) || !schema.header {
            return Ok(());
        }
        let names =
            schema.time.iter().map(|time| &time.name).chain(schema.columns.iter().map(|column| &column.name));
        for (index, name) in names.enumerate() {
            if index > 0 {
                self.out.write_all(&[schema.delimiter])?;
            }
            write_name(name, schema.delimiter, &mut self.out)?;
        }
        self.out.write_all(b"\n")
    }

    /// Writes a point.
    ///
    /// # Errors
    /// The writer's.
    pub fn point(&mut self, schema: &Schema, time: i64, values: &[Word]) -> io::Result<()> {
        let out = &mut self.out;
        let mut first = true;
        if let Some(column) = &schema.time {
            write_time(time, schema, column.text, out)?;
            first = false;
        }
        for (column, value) in schema.columns.iter().zip(values) {
            if !std::mem::take(&mut first) {
                out.write_all(&[schema.delimiter])?;
            }
            match column.kind {
                Kind::I32 => write!(out, "{}", value.i32())?,
                Kind::I64 => write!(out, "{}", value.i64())?,
                Kind::F32 => write_f32(value.f32(), column.text, out)?,
                Kind::F64 => write_f64(value.f64(), column.text, out)?,
            }
        }
        out.write_all(b"\n")
    }

    /// Gives out what is left in the writer.
    ///
    /// # Errors
    /// The writer's.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// Writes a timestamp as the schema's text does.
///
/// # Errors
/// The writer's.
pub fn write_time(time: i64, schema: &Schema, text: TimeText, out: &mut impl Write) -> io::Result<()> {
    match text {
        TimeText::Whole => write!(out, "{time}"),
        TimeText::Decimal(shift) => write_decimal(time, shift, out),
        TimeText::Iso(form) => write_iso(time, unit_digits(schema.unit), form, out),
    }
}

/// A name, in quotes if it needs them.
fn write_name(name: &str, delimiter: u8, out: &mut impl Write) -> io::Result<()> {
    if !name.bytes().any(|byte| byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r')) {
        return out.write_all(name.as_bytes());
    }
    write!(out, "\"{}\"", name.replace('"', "\"\""))
}
