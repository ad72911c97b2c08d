//! What a table of points looks like as text: names, kinds, and how times and numbers are written. The head of a `.pls`
//! file carries it, so that unpacking gives the text back.

use crate::FormatError;
use crate::text::{IsoText, NumberText, Precision, TimeText, Zone};
use plimsoll_core::series::{Kind, MAX_COLUMNS, TimeUnit, Tolerance};
use std::fmt::Write;

/// The most bytes of a schema's words: a name is at most [`MOST_NAME_BYTES`].
pub const MOST_SCHEMA_BYTES: usize = 16 << 10;

/// The most bytes of a column's name.
pub const MOST_NAME_BYTES: usize = 256;

/// How points are written as text, and what they are.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// What the timestamps count.
    pub unit: TimeUnit,
    /// The column of timestamps; without one, the points are numbered from 0.
    pub time: Option<TimeColumn>,
    /// The columns of values: 1 to 8.
    pub columns: Vec<ValueColumn>,
    /// Between columns.
    pub delimiter: u8,
    /// Whether the first line has the names.
    pub header: bool,
}

/// The column of timestamps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeColumn {
    /// Its name.
    pub name: String,
    /// How it is written.
    pub text: TimeText,
    /// How many columns of values stand before it.
    pub place: usize,
}

/// A column of values.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueColumn {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// How whole numbers are written in it, if they are floats.
    pub text: NumberText,
    /// How exact they were kept.
    pub tolerance: Tolerance,
}

impl ValueColumn {
    /// A lossless column.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, text: NumberText::Shortest, tolerance: Tolerance::Lossless }
    }
}

/// The name of a unit, as it is written in options and files: `s`, `ms`, `us`, `ns`, `ticks`.
pub const fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Ticks => "ticks",
        TimeUnit::Seconds => "s",
        TimeUnit::Milliseconds => "ms",
        TimeUnit::Microseconds => "us",
        TimeUnit::Nanoseconds => "ns",
    }
}

/// The unit of that name.
pub fn unit_of(name: &str) -> Option<TimeUnit> {
    let all = [
        TimeUnit::Ticks,
        TimeUnit::Seconds,
        TimeUnit::Milliseconds,
        TimeUnit::Microseconds,
        TimeUnit::Nanoseconds,
    ];
    all.into_iter().find(|unit| unit_name(*unit) == name)
}

/// Digits after the second that a unit holds; ticks count as whole seconds where they must.
pub const fn unit_digits(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Ticks | TimeUnit::Seconds => 0,
        TimeUnit::Milliseconds => 3,
        TimeUnit::Microseconds => 6,
        TimeUnit::Nanoseconds => 9,
    }
}

/// The name of a kind: `i32`, `i64`, `f32`, `f64`.
pub const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::I32 => "i32",
        Kind::I64 => "i64",
        Kind::F32 => "f32",
        Kind::F64 => "f64",
    }
}

/// The kind of that name.
pub fn kind_of(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind_name(*kind) == name)
}

impl Schema {
    /// A schema for points that never were text: `time` and the given columns, with a header and commas.
    pub fn new(unit: TimeUnit, columns: Vec<ValueColumn>) -> Self {
        let time = Some(TimeColumn { name: "time".to_owned(), text: TimeText::Whole, place: 0 });
        Self { unit, time, columns, delimiter: b',', header: true }
    }

    /// Whether points of both can stand in one table: the same names and unit.
    pub fn is_like(&self, other: &Self) -> bool {
        let names = |schema: &Self| {
            let time = schema.time.as_ref().map(|time| time.name.clone());
            (time, schema.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>())
        };
        self.unit == other.unit && names(self) == names(other)
    }

    /// The schema in words, one thing a line: what a file's head carries. Beside a tolerance, what a reader takes for
    /// granted is not said (`shortest`, a delimiter that is a comma, a line of names), and `=` is the tolerance of the
    /// column before.
    ///
    /// ```text
    /// unit s
    /// time iso:T:second.3:Z timestamp
    /// place 1
    /// column f64:point:lossless value
    /// delimiter 44
    /// header 1
    /// ```
    pub fn to_words(&self) -> String {
        let mut words = format!("unit {}\n", unit_name(self.unit));
        if let Some(time) = &self.time {
            let _ = writeln!(words, "time {} {}", time_word(time.text), escaped(&time.name));
            // Mostly it comes first; who does not know the word puts it there.
            if time.place > 0 {
                let _ = writeln!(words, "place {}", time.place);
            }
        }
        let mut before = Tolerance::Lossless;
        for column in &self.columns {
            let exact = column.tolerance == Tolerance::Lossless;
            let text = match (column.text, exact) {
                (NumberText::Point, true) => "point",
                (NumberText::Point, false) => "p",
                (NumberText::Python, true) => "python",
                (NumberText::Python, false) => "y",
                (NumberText::PythonPoint, true) => "python-point",
                (NumberText::PythonPoint, false) => "yp",
                (_, true) => "shortest",
                // A file within a tolerance must not be longer than a lossless one: what it says more is made up for.
                (_, false) => "",
            };
            let tolerance = match column.tolerance {
                Tolerance::Lossless => "lossless".to_owned(),
                tolerance if tolerance == before => "=".to_owned(),
                Tolerance::Absolute(error) => format!("a={error:e}"),
                Tolerance::Relative(error) => format!("r={error:e}"),
            };
            before = column.tolerance;
            let _ = writeln!(
                words,
                "column {}:{text}:{tolerance} {}",
                kind_name(column.kind),
                escaped(&column.name)
            );
        }
        let exact = self.columns.iter().all(|column| column.tolerance == Tolerance::Lossless);
        if exact || self.delimiter != b',' {
            let _ = writeln!(words, "delimiter {}", self.delimiter);
        }
        if exact || !self.header {
            let _ = writeln!(words, "header {}", u8::from(self.header));
        }
        words
    }

    /// The schema that these words tell. Lines of unknown names are passed over: later versions may add some.
    ///
    /// # Errors
    /// [`FormatError::Malformed`]
    pub fn from_words(words: &str) -> Result<Self, FormatError> {
        let mut schema =
            Self { unit: TimeUnit::Ticks, time: None, columns: Vec::new(), delimiter: b',', header: true };
        for line in words.lines() {
            let bad = || malformed(format!("the head says `{}`", shown(line.as_bytes())));
            let (what, rest) = line.split_once(' ').ok_or_else(bad)?;
            match what {
                "unit" => schema.unit = unit_of(rest).ok_or_else(bad)?,
                "time" => {
                    let (form, name) = rest.split_once(' ').ok_or_else(bad)?;
                    let text = time_of(form).ok_or_else(bad)?;
                    schema.time = Some(TimeColumn { name: unescaped(name).ok_or_else(bad)?, text, place: 0 });
                }
                "place" => {
                    let place = rest.parse().ok().filter(|place| *place <= MAX_COLUMNS);
                    schema.time.as_mut().ok_or_else(bad)?.place = place.ok_or_else(bad)?;
                }
                "column" => schema.columns.push(column_of(rest, &schema.columns).ok_or_else(bad)?),
                "delimiter" => schema.delimiter = rest.parse().map_err(|_| bad())?,
                "header" => schema.header = rest == "1",
                _ => {}
            }
        }
        match schema.columns.len() {
            1..=MAX_COLUMNS => Ok(schema),
            columns => {
                Err(malformed(format!("the head has {columns} columns, there can be 1 to {MAX_COLUMNS}")))
            }
        }
    }
}

fn malformed(problem: String) -> FormatError {
    FormatError::Malformed { format: "series", problem, offset: None }
}

/// Bytes of a file for a message: short, and without what a terminal would obey.
pub(super) fn shown(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().take(40).collect();
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

fn column_of(rest: &str, before: &[ValueColumn]) -> Option<ValueColumn> {
    let (form, name) = rest.split_once(' ')?;
    let mut parts = form.split(':');
    let kind = kind_of(parts.next()?)?;
    let text = match parts.next()? {
        "point" | "p" => NumberText::Point,
        "python" | "y" => NumberText::Python,
        "python-point" | "yp" => NumberText::PythonPoint,
        _ => NumberText::Shortest,
    };
    let tolerance = match parts.next()?.split_once('=') {
        None => Tolerance::Lossless,
        Some(("", "")) => before.last()?.tolerance,
        Some(("a", error)) => Tolerance::Absolute(error.parse().ok()?),
        Some(("r", error)) => Tolerance::Relative(error.parse().ok()?),
        Some(_) => return None,
    };
    Some(ValueColumn { name: unescaped(name)?, kind, text, tolerance })
}

fn time_word(text: TimeText) -> String {
    let iso = match text {
        TimeText::Whole => return "whole".to_owned(),
        TimeText::Decimal(shift) => return format!("decimal:{shift}"),
        TimeText::Iso(iso) => iso,
    };
    let precision = match iso.precision {
        Precision::Day => "day".to_owned(),
        Precision::Minute => "minute".to_owned(),
        Precision::Second(digits) => format!("second.{digits}"),
        Precision::Shortest => "shortest".to_owned(),
    };
    let zone = match iso.zone {
        Zone::Unsaid => "unsaid".to_owned(),
        Zone::Zulu => "Z".to_owned(),
        Zone::Offset(minutes) => minutes.to_string(),
    };
    format!("iso:{}:{precision}:{zone}", iso.separator)
}

fn time_of(word: &str) -> Option<TimeText> {
    let mut parts = word.split(':');
    match parts.next()? {
        "whole" => Some(TimeText::Whole),
        "decimal" => parts.next()?.parse().ok().filter(|shift| *shift <= 18).map(TimeText::Decimal),
        "iso" => {
            let separator = parts.next()?.parse().ok().filter(|byte| matches!(byte, b' ' | b'T' | b't'))?;
            let precision = match parts.next()? {
                "day" => Precision::Day,
                "minute" => Precision::Minute,
                "shortest" => Precision::Shortest,
                other => Precision::Second(other.strip_prefix("second.")?.parse().ok()?),
            };
            let zone = match parts.next()? {
                "unsaid" => Zone::Unsaid,
                "Z" => Zone::Zulu,
                minutes => Zone::Offset(minutes.parse().ok().filter(|minutes: &i16| minutes.abs() < 1560)?),
            };
            Some(TimeText::Iso(IsoText { separator, precision, zone }))
        }
        _ => None,
    }
}

/// A name without line breaks: control characters and `%` as `%` and two digits.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '%' | '\0'..='\x1f' | '\x7f' => {
                let _ = write!(text, "%{:02x}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text
}

fn unescaped(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut name = parts.next()?.to_owned();
    for part in parts {
        let code = u8::from_str_radix(part.get(..2)?, 16).ok().filter(u8::is_ascii)?;
        name.push(char::from(code));
        name.push_str(&part[2..]);
    }
    (name.len() <= MOST_NAME_BYTES).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_all_of_it() {
        let iso = |precision, zone| TimeText::Iso(IsoText { separator: b'T', precision, zone });
        let times = [
            None,
            Some(TimeText::Whole),
            Some(TimeText::Decimal(6)),
            Some(iso(Precision::Day, Zone::Unsaid)),
            Some(iso(Precision::Second(3), Zone::Zulu)),
            Some(iso(Precision::Shortest, Zone::Offset(-210))),
        ];
        for text in times {
            let mut column = ValueColumn::new("50 % of\n\"it\", é", Kind::F32);
            column.text = NumberText::Point;
            column.tolerance = Tolerance::Relative(1e-3);
            let python = |name: &str, text| ValueColumn { text, ..ValueColumn::new(name, Kind::F64) };
            let schema = Schema {
                unit: TimeUnit::Microseconds,
                time: text.map(|text| TimeColumn { name: "when it was".to_owned(), text, place: 2 }),
                columns: vec![
                    column.clone(),
                    ValueColumn { text: NumberText::PythonPoint, name: "same".to_owned(), ..column.clone() },
                    ValueColumn { text: NumberText::Python, name: "again".to_owned(), ..column },
                    python("python", NumberText::Python),
                    python("with a point", NumberText::PythonPoint),
                    ValueColumn::new("", Kind::I64),
                ],
                delimiter: b';',
                header: false,
            };
            assert_eq!(Schema::from_words(&schema.to_words()).unwrap(), schema, "{}", schema.to_words());
            let later = format!("{}colour blue\n", schema.to_words());
            assert_eq!(Schema::from_words(&later).unwrap(), schema);
        }
    }

    #[test]
    fn other_words_are_refused() {
        for words in [
            "",
            "unit s\n",
            "unit h\ncolumn f64:shortest:lossless a\n",
            "column f65:shortest:lossless a\n",
            "column f64:shortest:a=x a\n",
            "column f64:shortest:= a\n",
            "column f64:shortest:lossless %\n",
            "column f64:shortest:lossless %zz\n",
            "column f64:shortest:lossless %é\n",
            "time iso:84:second.x:Z t\ncolumn f64:shortest:lossless a\n",
            "time iso:10:day:Z t\ncolumn f64:shortest:lossless a\n",
            "time\n",
            "place 1\ncolumn f64:shortest:lossless a\n",
            "time whole t\nplace 9\ncolumn f64:shortest:lossless a\n",
        ] {
            let error = Schema::from_words(words).unwrap_err().to_string();
            assert!(error.starts_with("malformed series: the head "), "{error}");
        }
        let many = "column f64:shortest:lossless a\n".repeat(9);
        assert!(Schema::from_words(&many).unwrap_err().to_string().contains("9 columns"));
    }
}
