//! Promise: what a table of text says is what comes back, to the bit, and as the same text where that was the shortest.
//!
//! The corpus's tables are found as the other tests find it; without it there is nothing to judge and the tests say so.

use plimsoll_core::series::{Kind, TimeUnit, Word};
use plimsoll_formats::series::{
    ColumnWanted, CsvItem, CsvOutput, CsvPoints, CsvWanted, PlsEvent, PlsOptions, PlsPoints, PlsWriter,
    Schema, Streaming, TimeRange, TimeWanted,
};
use plimsoll_formats::text::NumberText;
use std::path::PathBuf;

fn tables() -> Vec<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("PLIMSOLL_CORPUS").map_or(beside, PathBuf::from);
    let list = |name: &str| std::fs::read_dir(folder.join(name)).into_iter().flatten().flatten();
    let mut tables: Vec<PathBuf> =
        list("series").chain(list("series_bench")).map(|entry| entry.path()).collect();
    tables.retain(|path| path.extension().is_some_and(|ending| ending == "csv"));
    tables.sort();
    if tables.is_empty() {
        println!("skipped: no corpus in {}; set PLIMSOLL_CORPUS", folder.display());
    }
    tables
}

/// The text as this crate reads and writes it, by way of a file of blocks or without.
fn through(text: &[u8], wanted: &CsvWanted, packed: bool) -> Result<Vec<u8>, plimsoll_formats::FormatError> {
    let mut points = CsvPoints::new(text, wanted, 4096, 1000, 4096)?;
    let mut buffer = vec![0; 16 << 10];
    let mut out = CsvOutput::new(Vec::new());
    if packed {
        let mut writer =
            PlsWriter::new(Vec::new(), points.schema().clone(), PlsOptions::default(), &mut buffer)?;
        while let Some(item) = points.next_item()? {
            match item {
                CsvItem::Point(time, values) => writer.push(time, values)?,
                CsvItem::Changed(schema) => writer.change(schema.clone())?,
            }
        }
        let (file, _) = writer.finish()?;
        let mut now: Option<Schema> = None;
        PlsPoints::new(Streaming(&file[..])).read(TimeRange::ALL, |event| {
            match event {
                PlsEvent::Schema(schema) => {
                    out.begin(schema).unwrap();
                    now = Some(schema.clone());
                }
                PlsEvent::Point(time, values) => out.point(now.as_ref().unwrap(), time, values).unwrap(),
                PlsEvent::Block(_) => {}
                PlsEvent::Damaged(damaged) => panic!("{damaged}"),
            }
            Ok::<(), plimsoll_formats::FormatError>(())
        })?;
    } else {
        let mut schema = points.schema().clone();
        out.begin(&schema).unwrap();
        while let Some(item) = points.next_item()? {
            match item {
                CsvItem::Point(time, values) => out.point(&schema, time, values).unwrap(),
                CsvItem::Changed(changed) => schema = changed.clone(),
            }
        }
    }
    Ok(out.finish().unwrap())
}

fn text_of(text: &str, wanted: &CsvWanted) -> String {
    let [plain, packed] = [false, true]
        .map(|packed| through(text.as_bytes(), wanted, packed).unwrap_or_else(|error| panic!("{error}")));
    assert_eq!(String::from_utf8_lossy(&plain), String::from_utf8_lossy(&packed));
    String::from_utf8(plain).unwrap()
}

fn error_of(text: &str, wanted: &CsvWanted) -> String {
    through(text.as_bytes(), wanted, false).expect_err("it must be refused").to_string()
}

/// The same number: as whole numbers, or else as floats.
fn same_number(a: &str, b: &str) -> bool {
    match (a.parse::<i64>(), b.parse::<i64>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a.parse::<f64>().ok().map(f64::to_bits) == b.parse::<f64>().ok().map(f64::to_bits),
    }
}

#[test]
fn tables_of_the_corpus_come_back() {
    let (mut lines, mut same) = (0, 0);
    for path in tables() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut wanted = CsvWanted::default();
        if name.contains("macrodata") {
            assert!(error_of(&text, &wanted).contains("13 columns of values: there can be 1 to 8"));
            let column = |at: usize| ColumnWanted { column: at.to_string(), kind: None };
            wanted.columns = Some((2..10).map(column).collect());
        }
        let back = text_of(&text, &wanted);
        let fields = |line: &str| -> Vec<String> {
            let delimiter = if line.contains(',') { ',' } else { ' ' };
            line.split(delimiter).map(|field| field.trim().trim_matches('"').to_owned()).collect()
        };
        let text: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(text.len(), back.lines().count(), "{name}");
        for (number, (old, new)) in text.iter().zip(back.lines()).enumerate() {
            lines += 1;
            same += usize::from(*old == new);
            let (old, new) = (fields(old), fields(new));
            for (old, new) in old.iter().zip(&new) {
                assert!(
                    old == new || same_number(old, new),
                    "{name}, line {}: {old} became {new}",
                    number + 1
                );
                // What differs is longer than it had to be: more digits, or an exponent's sign.
                let shortest = old.parse::<f64>().map_or_else(|_| old.clone(), |value| value.to_string());
                assert!(old == new || *old != shortest, "{name}, line {}: {old} became {new}", number + 1);
            }
        }
    }
    println!("{same} of {lines} lines are the same text");
}

#[test]
fn forms_change_when_the_text_does_and_nothing_is_rounded() {
    let any = CsvWanted::default();
    for text in [
        "time,a\n1,1\n2,2.5\n3,3\n",
        "time,a\n2014-04-01 00:00:00,20.0\n2014-04-01 00:05:00,21.5\n2014-04-01 00:05:00,-0.0\n",
        "t,a,b\n1,9223372036854775807,0.1\n2,-9223372036854775808,\n3,5,NaN\n",
        "when;x;y\n2014-04-01T00:00:00.5Z;1;2\n2014-04-01T00:00:00.25Z;;2.5\n2014-04-01T00:00:01Z;inf;-inf\n",
        "2014-04-01T00:00:00+02:00,1\n2014-04-01T00:00:00+01:00,2\n",
        "7\n8\n9.5\n",
        "1.5 2\n-3 0.25\n",
        "time,v\n0.01,1e-7\n0.02,1.5e300\n0.025,5e-324\n",
        "2014-04-01,1\n2014-04-02,2\n2014-04-03,3\n",
        "2014-04-01 10:00,1\n2014-04-02 12:01,2\n",
        "\"a,b\",\"say \"\"hi\"\"\"\n1,2\n",
        // A blank line would be no line.
        "x\n1.5\n\"\"\n2.5\n\"\"\n",
        // As indices of data frames are written; empty columns at the end; the time not in the first column.
        ",a\n0,1.5\n1,2.5\n",
        "date\ta\tb\n2014-04-01\t1\t\n2014-04-02\t2\t\n",
        "a,Timestamp,b\n0.5,2014-04-01T00:00:00Z,1\n1.5,2014-04-01T00:00:01Z,2\n",
        "a,b,time\n0.5,7,1\n1.5,8,2\n",
        // As Python writes.
        "time,v\n1,1e-05\n2,0.0001\n3,1.5e-07\n4,1e+16\n5,nan\n6,-inf\n",
        "time,v\n1,0.0\n2,1e-05\n3,5e-324\n4,1.7976931348623157e+308\n",
        "time,v\n1,99999999999999980\n2,0.5\n",
        "time,v\n9999-12-31 23:59:59,1\n0001-01-01 00:00:00,2\n",
        // No unit of time holds these, so they are values.
        "time,v\n0.1,1\n0.2,2\n0.30000000000000004,3\n",
    ] {
        assert_eq!(text_of(text, &any), text);
    }
    // Beyond what was looked at: 4096 bytes.
    for (first, last) in [
        ("7,7\n", "8,8.5\n"),
        ("7,7.0\n", "8,8\n"),
        ("7,7.0\n", "8,1e-05\n9,nan\n10,8.0\n"),
        ("7,1e-07\n", "8,1e-7\n9,1e-06\n"),
        ("2014-04-01 00:00:00,1\n", "2014-04-01 00:00:00,NaN\n"),
    ] {
        let text = first.repeat(1500) + last;
        assert_eq!(text_of(&text, &any), text);
    }
    // Changes without end are not followed without end; the times are the same.
    let text = "2014-04-01T00:00:00+02:00,1\n2014-04-01T00:00:00+01:00,2\n".repeat(500);
    let back = text_of(&text, &any);
    assert_eq!(text_of(&back, &any).lines().count(), 1000);
    assert!(back.starts_with("2014-04-01T00:00:00+02:00,1\n2014-04-01T00:00:00+01:00,2\n"));
}

#[test]
fn what_is_wanted_is_chosen_by_name_or_number() {
    let text = "id,when,x,y\nabc,5,1,2.5\ndef,6,3,4.5\n";
    let column = |column: &str, kind| ColumnWanted { column: column.to_owned(), kind };
    let wanted = CsvWanted {
        time: TimeWanted::Column("when".to_owned()),
        columns: Some(vec![column("4", None), column("x", Some(Kind::F32))]),
        unit: Some(TimeUnit::Milliseconds),
        ..CsvWanted::default()
    };
    assert_eq!(text_of(text, &wanted), "when,y,x\n5,2.5,1\n6,4.5,3\n");
    let none =
        CsvWanted { time: TimeWanted::None, columns: Some(vec![column("y", None)]), ..CsvWanted::default() };
    assert_eq!(text_of(text, &none), "y\n2.5\n4.5\n");
    let points = CsvPoints::new(text.as_bytes(), &wanted, 4096, 16, 4096).unwrap();
    assert_eq!(points.schema().unit, TimeUnit::Milliseconds);
    let missing = CsvWanted { time: TimeWanted::Column("z".to_owned()), ..CsvWanted::default() };
    assert_eq!(error_of(text, &missing), "csv: --time z: there are 4 columns (id, when, x, y)");
    let error = error_of(text, &CsvWanted::default());
    assert_eq!(error, "csv: line 2, column `id`: `abc` is no number; choose the columns with --columns");
}

#[test]
fn what_cannot_be_kept_is_refused_with_its_line() {
    let column = |kind| {
        let columns = Some(vec![ColumnWanted { column: "2".to_owned(), kind: Some(kind) }]);
        CsvWanted { columns, header: Some(false), ..CsvWanted::default() }
    };
    let any = CsvWanted { header: Some(false), ..CsvWanted::default() };
    for (text, wanted, part) in [
        ("1,5\n2,2.5\n", column(Kind::I64), "line 2, column `value`: `2.5` is no whole number; choose f64"),
        (
            "1,5\n2,5000000000\n",
            column(Kind::I32),
            "line 2, column `value`: `5000000000` does not fit 32 bits",
        ),
        (
            "1,0.5\n2,9007199254740993\n",
            any.clone(),
            "`9007199254740993` is not exact in 64-bit floating point",
        ),
        ("1,5\n2\n", any.clone(), "line 2 has 1 columns, the last one wanted is 2"),
        ("1,5\n2,6,\n3,2,5\n", any.clone(), "line 3 has 3 columns, the first line has 2"),
        ("1,5\n2,1e39\n", column(Kind::F32), "line 2, column `value`: `1e39` does not fit 32 bits"),
        ("1,5\n2,300000000000000000000000000000000000000000\n", column(Kind::F32), "does not fit 32 bits"),
        (
            "2014-04-01 00:00:00,5\n2014-04-01 00:00:00.5,5\n",
            CsvWanted { unit: Some(TimeUnit::Seconds), ..any.clone() },
            "more than the unit holds; choose a finer --unit",
        ),
        ("", any, "there is no line"),
    ] {
        let error = error_of(text, &wanted);
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn narrow_floats_are_rounded_once() {
    // Halfway between two floats of 32 bits once it is rounded to 64; just above it before.
    let text = "1,1.00000017881393432617187499\n";
    let columns = Some(vec![ColumnWanted { column: "2".to_owned(), kind: Some(Kind::F32) }]);
    let wanted = CsvWanted { columns, ..CsvWanted::default() };
    let mut points = CsvPoints::new(text.as_bytes(), &wanted, 4096, 16, 4096).unwrap();
    let expected: f32 = "1.00000017881393432617187499".parse().unwrap();
    assert_eq!(points.next_item().unwrap(), Some(CsvItem::Point(1, &[Word::from(expected)])));
    assert_eq!(points.schema().columns[0].text, NumberText::Shortest);
}
