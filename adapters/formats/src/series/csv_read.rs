//! Points out of a table of text of any size, one at a time in fixed memory.
//!
//! The schema is found on the first lines and changed where a later line needs it: a column of whole numbers that meets
//! a decimal becomes one of floats, a style of writing that no longer gives the text back becomes a more general one.
//! So nothing is rounded, and no line is refused for what earlier lines looked like.

use super::look::{CsvWanted, Look, look};
use super::schema::{Schema, shown, unit_digits};
use crate::FormatError;
use crate::text::{
    MISSING_F32, MISSING_F64, Number, NumberText, Precision, Record, RecordError, Records, TimeError,
    TimeText, exact_in_f64, parse_decimal, parse_iso, parse_number, sniff_iso, write_iso,
};
use plimsoll_core::series::{Kind, MAX_COLUMNS, Word};
use std::io::{self, Cursor, ErrorKind, Read};

/// Changes of how times, and of how numbers are written that a table may have; later ones only change the text, never
/// the time or the number.
const MOST_CHANGES: u32 = 64;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CsvItem<'p> {
    /// A point.
    Point(i64, &'p [Word]),
    /// The points from here on are of this schema.
    Changed(&'p Schema),
}

/// Reads points from a table of text.
pub struct CsvPoints<R> {
    records: Records<io::Chain<Cursor<Vec<u8>>, R>>,
    look: Look,
    width: usize,
    time_changes: u32,
    number_changes: u32,
    points: u64,
    skip: bool,
    pending: Option<i64>,
    values: [Word; MAX_COLUMNS],
}

impl<R: Read> CsvPoints<R> {
    /// Bytes of a table that are looked at before its schema is known, by default.
    pub const LOOK_BYTES: usize = 64 << 10;

    /// The most heap bytes that reading takes: the look at the first lines, whose fields are kept one by one until the
    /// schema is known, or the buffers after it.
    pub const fn heap_bytes(look_bytes: usize, input_bytes: usize, record_bytes: usize) -> usize {
        let buffers = Records::<R>::heap_bytes(input_bytes, record_bytes);
        // A field is two bytes at least, and costs a vector and an allocation of its own.
        let looking = look_bytes * 20 + Records::<R>::heap_bytes(4096, look_bytes);
        if looking > buffers + look_bytes { looking } else { buffers + look_bytes }
    }

    /// Points of `input`. It looks at `look_bytes` of it, then reads it in pieces of `input_bytes`; a record has at
    /// most `record_bytes`.
    ///
    /// # Errors
    /// As `FormatError` says; a usage error names the option that would do.
    pub fn new(
        mut input: R,
        wanted: &CsvWanted,
        look_bytes: usize,
        input_bytes: usize,
        record_bytes: usize,
    ) -> Result<Self, FormatError> {
        let mut first = vec![0; look_bytes];
        let read = fill(&mut input, &mut first).map_err(|error| FormatError::read(0, error))?;
        first.truncate(read);
        let look = look(&first, read < look_bytes, wanted)?;
        let chained = Cursor::new(first).chain(input);
        let records = Records::new(chained, look.schema.delimiter, input_bytes, record_bytes);
        let last_field = look.fields.iter().map(|(field, _)| *field).chain(look.time_field).max();
        Ok(Self {
            records,
            width: last_field.map_or(0, |field| field + 1),
            time_changes: 0,
            number_changes: 0,
            points: 0,
            skip: look.schema.header,
            pending: None,
            values: [Word::default(); MAX_COLUMNS],
            look,
        })
    }

    /// How the table is written, as far as it was read.
    pub fn schema(&self) -> &Schema {
        &self.look.schema
    }

    /// The same for a change that text cannot make: the tolerance of its columns.
    pub fn schema_mut(&mut self) -> &mut Schema {
        &mut self.look.schema
    }

    /// Numbers the points from `points` on, where they are numbered.
    pub fn number_from(&mut self, points: u64) {
        self.points = points;
    }

    /// Bytes of the table that were read.
    pub fn parsed_bytes(&self) -> u64 {
        self.records.parsed_bytes()
    }

    /// The next point, or the schema that it needs; `None` at the end.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] with line, column and text.
    pub fn next_item(&mut self) -> Result<Option<CsvItem<'_>>, FormatError> {
        let columns = self.look.schema.columns.len();
        if let Some(time) = self.pending.take() {
            self.points += 1;
            return Ok(Some(CsvItem::Point(time, &self.values[..columns])));
        }
        if std::mem::take(&mut self.skip) {
            let _ = self.records.next_record().map_err(record_error)?;
        }
        let Some(record) = self.records.next_record().map_err(record_error)? else { return Ok(None) };
        if record.len() < self.width {
            let problem = format!(
                "line {} has {} columns, the last one wanted is {}",
                record.line(),
                record.len(),
                self.width
            );
            return Err(FormatError::Malformed { format: "csv", problem, offset: None });
        }
        // What stands beyond the last column would be lost without a word; nothing at all may stand there.
        if let Some(width) = self.look.width
            && (width..record.len())
                .any(|at| record.field(at).is_some_and(|field| !field.trim_ascii().is_empty()))
        {
            let problem = format!(
                "line {} has {} columns, the first line has {width}; choose with --columns",
                record.line(),
                record.len()
            );
            return Err(FormatError::Malformed { format: "csv", problem, offset: None });
        }
        let mut reading = Reading { record: &record, look: &mut self.look, changed: false };
        let time = match reading.time(&mut self.time_changes)? {
            Some(time) => time,
            None => self.points as i64,
        };
        for (index, value) in self.values.iter_mut().enumerate().take(columns) {
            *value = reading.value(index, &mut self.number_changes)?;
        }
        if reading.changed {
            self.pending = Some(time);
            return Ok(Some(CsvItem::Changed(&self.look.schema)));
        }
        self.points += 1;
        Ok(Some(CsvItem::Point(time, &self.values[..columns])))
    }
}

/// One record on its way to a point.
struct Reading<'p> {
    record: &'p Record<'p>,
    look: &'p mut Look,
    changed: bool,
}

impl Reading<'_> {
    fn wrong(&self, at: usize, name: &str, field: &[u8], problem: &str) -> FormatError {
        let column = if name.is_empty() { (at + 1).to_string() } else { format!("`{name}`") };
        let problem = format!("line {}, column {column}: `{}` {problem}", self.record.line(), shown(field));
        FormatError::Malformed { format: "csv", problem, offset: None }
    }

    /// The timestamp; `None` if points are numbered.
    fn time(&mut self, changes: &mut u32) -> Result<Option<i64>, FormatError> {
        let schema = &self.look.schema;
        let (Some(at), Some(column)) = (self.look.time_field, &schema.time) else { return Ok(None) };
        let field = self.record.field(at).unwrap_or_default().trim_ascii();
        let wrong = |error: TimeError| {
            let cure = match error {
                TimeError::TooFine(10..) => "; --time none takes it for values",
                TimeError::TooFine(_) => "; choose a finer --unit",
                TimeError::OutOfRange => "; choose a coarser --unit",
                TimeError::NoTime => "",
            };
            self.wrong(at, &column.name, field, &format!("is no timestamp here: {error}{cure}"))
        };
        let text = std::str::from_utf8(field).map_err(|_| wrong(TimeError::NoTime))?;
        let digits = unit_digits(schema.unit);
        let form = match column.text {
            TimeText::Whole => match text.parse() {
                Ok(time) => return Ok(Some(time)),
                Err(_) => return parse_decimal(text, 0).map(Some).map_err(wrong),
            },
            TimeText::Decimal(shift) => return parse_decimal(text, shift).map(Some).map_err(wrong),
            TimeText::Iso(form) => form,
        };
        let time = parse_iso(text, digits).map_err(wrong)?;
        let mut again = [0; 64];
        let mut rest = &mut again[..];
        let fits = write_iso(time, digits, form, &mut rest).is_ok();
        let left = rest.len();
        let same = fits && again[..64 - left] == *field;
        if !same && *changes < MOST_CHANGES {
            *changes += 1;
            if let Some((mut found, _)) = sniff_iso(text) {
                if found.separator == form.separator && found.zone == form.zone {
                    found.precision = Precision::Shortest;
                }
                if found != form {
                    if let Some(column) = &mut self.look.schema.time {
                        column.text = TimeText::Iso(found);
                    }
                    self.changed = true;
                }
            }
        }
        Ok(Some(time))
    }

    fn value(&mut self, index: usize, changes: &mut u32) -> Result<Word, FormatError> {
        let (at, asked) = self.look.fields[index];
        let field = self.record.field(at).unwrap_or_default().trim_ascii();
        let column = &mut self.look.schema.columns[index];
        let number = match parse_number(field) {
            Some(number) => number,
            None => {
                let name = column.name.clone();
                return Err(self.wrong(at, &name, field, "is no number"));
            }
        };
        if column.kind == Kind::I64 && !asked && !matches!(number, Number::Whole(_)) {
            (column.kind, self.changed) = (Kind::F64, true);
        }
        // A whole number without a point: from here on the shortest form gives all text back that can be given back.
        if column.text.has_point() && matches!(number, Number::Whole(_)) {
            (column.text, self.changed) = (NumberText::of(false, column.text.is_python()), true);
        }
        if let Number::Decimal(value) = number
            && *changes < MOST_CHANGES
            && let Some(other) = column.text.other_for(value, field)
        {
            *changes += 1;
            (column.text, self.changed) = (other, true);
        }
        let problem = match (column.kind, number) {
            (Kind::I64, Number::Whole(value)) => return Ok(Word::from(value)),
            (Kind::I32, Number::Whole(value)) => match i32::try_from(value) {
                Ok(value) => return Ok(Word::from(value)),
                Err(_) => "does not fit 32 bits; choose i64 with --columns NAME:i64",
            },
            (Kind::I32 | Kind::I64, _) => "is no whole number; choose f64 with --columns NAME:f64",
            (Kind::F64, Number::Whole(value)) if asked || exact_in_f64(value) => {
                return Ok(Word::from(value as f64));
            }
            // Digits that only say which float it is, with zeros behind them, are what is written for it.
            (Kind::F64, Number::Whole(value)) if (value as f64).to_string().as_bytes() == field => {
                return Ok(Word::from(value as f64));
            }
            (Kind::F64, Number::Whole(_)) => {
                "is not exact in 64-bit floating point, which other values of the column need; choose with --columns NAME:f64 or NAME:i64"
            }
            (Kind::F64, Number::Decimal(value)) => return Ok(Word::from(value)),
            (Kind::F64, Number::Missing) => return Ok(Word::from(MISSING_F64)),
            (Kind::F32, Number::Missing) => return Ok(Word::from(MISSING_F32)),
            // From the text, as rounding to 64 bits first could round twice.
            (Kind::F32, _) => match std::str::from_utf8(field).ok().and_then(|text| text.parse::<f32>().ok())
            {
                Some(value)
                    if value.is_infinite()
                        && !matches!(number, Number::Decimal(wide) if wide.is_infinite()) =>
                {
                    "does not fit 32 bits; choose f64 with --columns NAME:f64"
                }
                Some(value) => return Ok(Word::from(value)),
                None => "is no number",
            },
        };
        let name = column.name.clone();
        Err(self.wrong(at, &name, field, problem))
    }
}

fn record_error(error: RecordError) -> FormatError {
    match error {
        RecordError::Io { offset, source } => FormatError::read(offset, source),
        other => FormatError::Malformed { format: "csv", problem: other.to_string(), offset: None },
    }
}

/// Reads until the buffer is full or the stream ends.
fn fill(input: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match input.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
