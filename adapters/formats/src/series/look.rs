//! What a table of text is, from its first lines: delimiter, header, the column of time and how it is written, the
//! kinds of the values. Nothing of it is final: [`CsvPoints`](super::CsvPoints) changes the schema where later lines
//! need it.

use super::schema::{MOST_NAME_BYTES, Schema, TimeColumn, ValueColumn, shown, unit_digits};
use crate::FormatError;
use crate::text::{
    Number, NumberText, Precision, Records, TimeText, detect_delimiter, parse_number, sniff_iso,
};
use plimsoll_core::series::{Kind, MAX_COLUMNS, TimeUnit};

/// Which column is the time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TimeWanted {
    /// The one called `time`, `timestamp`, `date`, `datetime` or `ts`; else the first, if it has dates or whole
    /// numbers and is not alone; else none. One of decimals that are finer than nanoseconds is taken for values.
    #[default]
    Found,
    /// None: points are numbered from 0.
    None,
    /// This one, by its name or its number from 1.
    Column(String),
}

/// A column of values that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnWanted {
    /// Its name, or its number from 1.
    pub column: String,
    /// What its values are; found out if absent.
    pub kind: Option<Kind>,
}

/// What is wanted of a table of text. Everything absent is found out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CsvWanted {
    /// The column of time.
    pub time: TimeWanted,
    /// What the timestamps are to count.
    pub unit: Option<TimeUnit>,
    /// The unit of timestamps that are decimal numbers: `s` for `0.01` seconds.
    pub time_in: Option<TimeUnit>,
    /// The columns of values; all others but the time if absent.
    pub columns: Option<Vec<ColumnWanted>>,
    /// Between columns.
    pub delimiter: Option<u8>,
    /// Whether the first line has names.
    pub header: Option<bool>,
}

/// What was found out.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// How the table is written.
    pub schema: Schema,
    /// Which field is the time.
    pub time_field: Option<usize>,
    /// Which fields are the columns, and whether their kind was asked for.
    pub fields: Vec<(usize, bool)>,
    /// How many fields a line has at most, if none are passed over.
    pub width: Option<usize>,
}

const TIME_NAMES: [&str; 5] = ["time", "timestamp", "datetime", "date", "ts"];

/// The first records of a table.
struct Sample {
    header: Option<Vec<String>>,
    records: Vec<(u64, Vec<Vec<u8>>)>,
    width: usize,
}

/// Looks at the first bytes of a table; `whole` if there are no more.
///
/// # Errors
/// [`FormatError::Usage`] if what is wanted is not there, [`FormatError::Malformed`] if it is no table of numbers.
pub(super) fn look(first: &[u8], whole: bool, wanted: &CsvWanted) -> Result<Look, FormatError> {
    let delimiter = wanted.delimiter.unwrap_or_else(|| detect_delimiter(first));
    let sample = sample(first, whole, delimiter, wanted)?;
    let time_field = match &wanted.time {
        TimeWanted::None => None,
        TimeWanted::Column(column) => Some(sample.find(column, "--time")?),
        TimeWanted::Found => sample.find_time().filter(|field| !sample.is_too_fine(*field, wanted)),
    };
    let (unit, time) = match time_field {
        None => (wanted.unit.unwrap_or_default(), None),
        Some(field) => {
            let (unit, text) = sample.time_text(field, wanted)?;
            // Columns that were chosen are in the order that they were chosen in, behind the time.
            let place = if wanted.columns.is_some() { 0 } else { field };
            (unit, Some(TimeColumn { name: sample.name(field, Some(field)), text, place }))
        }
    };
    let fields: Vec<(usize, Option<Kind>)> = match &wanted.columns {
        Some(columns) => {
            let find = |wanted: &ColumnWanted| Ok((sample.find(&wanted.column, "--columns")?, wanted.kind));
            columns.iter().map(find).collect::<Result<_, FormatError>>()?
        }
        None => {
            (0..sample.width).filter(|field| Some(*field) != time_field).map(|field| (field, None)).collect()
        }
    };
    if fields.is_empty() || fields.len() > MAX_COLUMNS {
        return Err(usage(format!(
            "{} columns of values: there can be 1 to {MAX_COLUMNS}, choose them with --columns {}",
            fields.len(),
            (0..sample.width.min(3))
                .map(|field| sample.called(field, time_field))
                .collect::<Vec<_>>()
                .join(",")
        )));
    }
    let columns = fields
        .iter()
        .map(|(field, kind)| sample.column(*field, *kind, time_field))
        .collect::<Result<_, _>>()?;
    let schema = Schema { unit, time, columns, delimiter, header: sample.header.is_some() };
    Ok(Look {
        schema,
        time_field,
        fields: fields.iter().map(|(field, kind)| (*field, kind.is_some())).collect(),
        width: wanted.columns.is_none().then_some(sample.width),
    })
}

fn sample(first: &[u8], whole: bool, delimiter: u8, wanted: &CsvWanted) -> Result<Sample, FormatError> {
    // What may be cut off is left out, unless it is all there is.
    let end = match first.iter().rposition(|byte| *byte == b'\n') {
        Some(at) if !whole => at + 1,
        _ => first.len(),
    };
    let mut records = Records::new(&first[..end], delimiter, 4096, first.len());
    let mut all = Vec::new();
    // A quoted field that is cut off would swallow the rest: then what came before must do.
    while let Ok(Some(record)) = records.next_record() {
        let fields: Vec<Vec<u8>> =
            (0..record.len()).filter_map(|at| record.field(at)).map(<[u8]>::to_vec).collect();
        all.push((record.line(), fields));
        if all.len() == 1000 {
            break;
        }
    }
    let Some((_, head)) = all.first() else {
        return Err(FormatError::Malformed {
            format: "csv",
            problem: "there is no line".into(),
            offset: None,
        });
    };
    let width = head.len();
    let is_value = |field: &Vec<u8>| {
        parse_number(field).is_some()
            || std::str::from_utf8(field).is_ok_and(|text| sniff_iso(text.trim()).is_some())
    };
    let header = wanted.header.unwrap_or_else(|| {
        let second = all.get(1).map(|(_, fields)| fields);
        (0..width).any(|at| {
            let named = head.get(at).is_some_and(|field| !is_value(field));
            named && second.is_none_or(|second| second.get(at).is_some_and(is_value))
        })
    });
    let name = |field: &Vec<u8>| String::from_utf8_lossy(field.trim_ascii()).into_owned();
    let header = header.then(|| head.iter().map(name).collect::<Vec<_>>());
    if let Some(name) = header.iter().flatten().find(|name| name.len() > MOST_NAME_BYTES) {
        let problem =
            format!("a column's name has {} bytes, at most {MOST_NAME_BYTES} can be kept", name.len());
        return Err(FormatError::Malformed { format: "csv", problem, offset: None });
    }
    let records = all.split_off(usize::from(header.is_some()));
    Ok(Sample { header, records, width })
}

impl Sample {
    fn find(&self, column: &str, option: &str) -> Result<usize, FormatError> {
        let named = self.header.iter().flatten().position(|name| name == column);
        let numbered = || column.parse::<usize>().ok()?.checked_sub(1).filter(|field| *field < self.width);
        named.or_else(numbered).ok_or_else(|| {
            let names: Vec<&str> = self.header.iter().flatten().map(String::as_str).collect();
            let names = if names.is_empty() { "no names".to_owned() } else { names.join(", ") };
            usage(format!("{option} {column}: there are {} columns ({})", self.width, shown_long(&names)))
        })
    }

    fn find_time(&self) -> Option<usize> {
        if self.width < 2 {
            return None;
        }
        let named = TIME_NAMES.iter().find_map(|wanted| {
            self.header.iter().flatten().position(|name| name.eq_ignore_ascii_case(wanted))
        });
        named.or_else(|| {
            let is_time = |text: &str| {
                matches!(parse_number(text.as_bytes()), Some(Number::Whole(_))) || sniff_iso(text).is_some()
            };
            (!self.records.is_empty() && self.texts(0).all(|(_, text)| is_time(text))).then_some(0)
        })
    }

    /// The texts of a field with their lines. Lines without it are for the reading to refuse.
    fn texts(&self, field: usize) -> impl Iterator<Item = (u64, &str)> {
        self.records.iter().filter_map(move |(line, fields)| {
            let text = std::str::from_utf8(fields.get(field)?).unwrap_or("\u{fffd}");
            Some((*line, text.trim()))
        })
    }

    /// Whether a field has decimals that no unit of time holds. Where a unit was asked for, reading says so.
    fn is_too_fine(&self, field: usize, wanted: &CsvWanted) -> bool {
        let from = usize::from(unit_digits(wanted.time_in.unwrap_or(TimeUnit::Seconds)));
        let fine = |text: &str| sniff_iso(text).is_none() && from + decimals(text) > 9;
        wanted.unit.is_none() && self.texts(field).any(|(_, text)| fine(text))
    }

    fn time_text(&self, field: usize, wanted: &CsvWanted) -> Result<(TimeUnit, TimeText), FormatError> {
        let Some((line, first)) = self.texts(field).next() else {
            return Ok((wanted.unit.unwrap_or_default(), TimeText::Whole));
        };
        if let Some((mut iso, _)) = sniff_iso(first) {
            let mut digits = 0;
            for (form, needed) in self.texts(field).filter_map(|(_, text)| sniff_iso(text)) {
                digits = digits.max(needed);
                if form.precision != iso.precision {
                    iso.precision = Precision::Shortest;
                }
            }
            let unit = wanted.unit.unwrap_or(match digits {
                0 => TimeUnit::Seconds,
                1..=3 => TimeUnit::Milliseconds,
                4..=6 => TimeUnit::Microseconds,
                _ => TimeUnit::Nanoseconds,
            });
            return Ok((unit, TimeText::Iso(iso)));
        }
        let points = self.texts(field).any(|(_, text)| text.contains('.'));
        if wanted.time_in.is_none() && !points {
            return match first.parse::<i64>() {
                Ok(_) => Ok((wanted.unit.unwrap_or_default(), TimeText::Whole)),
                Err(_) => Err(usage(format!(
                    "line {line}: `{}` is no time; choose the column with --time, or --time none",
                    shown(first.as_bytes())
                ))),
            };
        }
        // Decimals are taken for seconds, and kept as fine as they are.
        let from = wanted.time_in.unwrap_or(TimeUnit::Seconds);
        let needed = self.texts(field).map(|(_, text)| decimals(text)).max().unwrap_or(0);
        let unit = wanted.unit.unwrap_or(match usize::from(unit_digits(from)) + needed {
            0 => TimeUnit::Seconds,
            1..=3 => TimeUnit::Milliseconds,
            4..=6 => TimeUnit::Microseconds,
            _ => TimeUnit::Nanoseconds,
        });
        match unit_digits(unit).checked_sub(unit_digits(from)) {
            Some(0) => Ok((unit, TimeText::Whole)),
            Some(shift) => Ok((unit, TimeText::Decimal(shift))),
            None => Err(usage("--unit must be as fine as --time-in".to_owned())),
        }
    }

    fn column(
        &self,
        field: usize,
        kind: Option<Kind>,
        time: Option<usize>,
    ) -> Result<ValueColumn, FormatError> {
        let name = self.name(field, time);
        let (mut whole, mut missing, mut point, mut style) = (true, false, None, None);
        for (line, text) in self.texts(field) {
            match parse_number(text.as_bytes()) {
                Some(Number::Whole(_)) => point = Some(false),
                Some(Number::Decimal(value)) => {
                    whole = false;
                    style = style.or_else(|| NumberText::Shortest.other_for(value, text.as_bytes()));
                    if value.fract() == 0.0 && point.is_none() {
                        point = Some(text.ends_with(".0"));
                    }
                }
                Some(Number::Missing) => missing = true,
                None => {
                    return Err(usage(format!(
                        "line {line}, column `{}`: `{}` is no number; choose the columns with --columns",
                        self.called(field, time),
                        shown(text.as_bytes())
                    )));
                }
            }
        }
        let found = if whole && !missing { Kind::I64 } else { Kind::F64 };
        let mut column = ValueColumn::new(name, kind.unwrap_or(found));
        if column.kind.is_float() {
            column.text = NumberText::of(point == Some(true), style.is_some());
        }
        Ok(column)
    }

    /// The name that a field has: none is a name, too, where others have one.
    fn name(&self, field: usize, time: Option<usize>) -> String {
        let given = self.header.as_ref().and_then(|names| names.get(field));
        given.cloned().unwrap_or_else(|| self.called(field, time))
    }

    /// What a field is called, in messages and where it has no name.
    fn called(&self, field: usize, time: Option<usize>) -> String {
        let given = self.header.as_ref().and_then(|names| names.get(field)).filter(|name| !name.is_empty());
        match given {
            Some(name) => name.clone(),
            None if Some(field) == time => "time".to_owned(),
            None if self.width - usize::from(time.is_some()) == 1 => "value".to_owned(),
            None => format!("c{}", field + 1),
        }
    }
}

/// Digits behind the point that mean something.
fn decimals(text: &str) -> usize {
    text.split_once('.').map_or(0, |(_, digits)| digits.trim_end_matches('0').len())
}

fn usage(problem: String) -> FormatError {
    FormatError::Usage { format: "csv", problem }
}

fn shown_long(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { '?' } else { c }).collect()
}
