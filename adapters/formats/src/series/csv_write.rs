//! Points as a table of text, written as their schema says.

use super::schema::{Schema, ValueColumn, unit_digits};
use crate::text::{MISSING_F32, MISSING_F64, TimeText, write_decimal, write_f32, write_f64, write_iso};
use plimsoll_core::series::{Kind, Word};
use std::io::{self, Write};

/// Writes points as text. It buffers nothing: give it a writer that does.
#[derive(Debug)]
pub struct CsvOutput<W> {
    out: W,
    begun: bool,
    /// How many columns of values stand before the time: the same all through a table.
    place: usize,
}

impl<W: Write> CsvOutput<W> {
    /// Text goes to `out`.
    pub const fn new(out: W) -> Self {
        Self { out, begun: false, place: 0 }
    }

    /// Writes the names of a table, once: schemas that follow only change how points are written.
    ///
    /// # Errors
    /// The writer's.
    pub fn begin(&mut self, schema: &Schema) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) {
            return Ok(());
        }
        self.place = schema.time.as_ref().map_or(0, |time| time.place).min(schema.columns.len());
        if !schema.header {
            return Ok(());
        }
        let (before, behind) = schema.columns.split_at(self.place);
        let time = schema.time.iter().map(|time| time.name.as_str());
        let names: Vec<&str> = before
            .iter()
            .map(|column| column.name.as_str())
            .chain(time)
            .chain(behind.iter().map(|column| column.name.as_str()))
            .collect();
        if names == [""] {
            // A blank line is no line.
            self.out.write_all(b"\"\"")?;
        }
        for (index, name) in names.iter().enumerate() {
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
        let Some(column) = &schema.time else {
            return match (&schema.columns[..], values) {
                // Nothing alone would be a blank line, which is no line.
                ([column], [value]) if is_missing(column.kind, *value) => out.write_all(b"\"\"\n"),
                (columns, values) => {
                    write_values(columns, values, schema.delimiter, out)?;
                    out.write_all(b"\n")
                }
            };
        };
        let place = self.place.min(schema.columns.len()).min(values.len());
        let ((before, behind), (first, last)) = (schema.columns.split_at(place), values.split_at(place));
        if place > 0 {
            write_values(before, first, schema.delimiter, out)?;
            out.write_all(&[schema.delimiter])?;
        }
        write_time(time, schema, column.text, out)?;
        if !behind.is_empty() {
            out.write_all(&[schema.delimiter])?;
            write_values(behind, last, schema.delimiter, out)?;
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

/// The values of columns that stand next to each other.
#[inline]
fn write_values(
    columns: &[ValueColumn],
    values: &[Word],
    delimiter: u8,
    out: &mut impl Write,
) -> io::Result<()> {
    for (index, (column, value)) in columns.iter().zip(values).enumerate() {
        if index > 0 {
            out.write_all(&[delimiter])?;
        }
        match column.kind {
            Kind::I32 => write!(out, "{}", value.i32())?,
            Kind::I64 => write!(out, "{}", value.i64())?,
            Kind::F32 => write_f32(value.f32(), column.text, out)?,
            Kind::F64 => write_f64(value.f64(), column.text, out)?,
        }
    }
    Ok(())
}

fn is_missing(kind: Kind, value: Word) -> bool {
    match kind {
        Kind::I32 | Kind::I64 => false,
        Kind::F32 => value.f32().to_bits() == MISSING_F32.to_bits(),
        Kind::F64 => value.f64().to_bits() == MISSING_F64.to_bits(),
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
///
/// # Errors
/// The writer's.
pub fn write_name(name: &str, delimiter: u8, out: &mut impl Write) -> io::Result<()> {
    if !name.bytes().any(|byte| byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r')) {
        return out.write_all(name.as_bytes());
    }
    write!(out, "\"{}\"", name.replace('"', "\"\""))
}
