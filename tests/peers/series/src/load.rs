//! Series from tables of text: the time and the first column of values, as 64-bit floats.

use plimsoll_formats::series::{ColumnWanted, CsvItem, CsvPoints, CsvWanted};
use std::path::Path;

/// One series.
pub struct Series {
    pub name: String,
    pub times: Vec<i64>,
    pub values: Vec<f64>,
}

/// Reads a file; says why not.
pub fn load(path: &str) -> Option<Series> {
    let name = Path::new(path).file_stem()?.to_string_lossy().into_owned();
    let name = name.rsplit("__").next()?.to_owned();
    let read = || -> Result<Series, String> {
        let open = || std::fs::File::open(path).map_err(|error| error.to_string());
        let found =
            CsvPoints::new(open()?, &all(), 65536, 65536, 65536).map_err(|error| error.to_string())?;
        let column = found.schema().columns.first().map(|column| column.name.clone()).unwrap_or_default();
        let number = if found.schema().time.is_some() { 2 } else { 1 };
        let column = if found.schema().header { column } else { number.to_string() };
        let kind = Some(plimsoll_core::series::Kind::F64);
        let wanted = CsvWanted { columns: Some(vec![ColumnWanted { column, kind }]), ..CsvWanted::default() };
        let mut points =
            CsvPoints::new(open()?, &wanted, 65536, 65536, 65536).map_err(|error| error.to_string())?;
        let mut series = Series { name: name.clone(), times: vec![], values: vec![] };
        while let Some(item) = points.next_item().map_err(|error| error.to_string())? {
            if let CsvItem::Point(time, values) = item {
                series.times.push(time);
                series.values.push(values[0].f64());
            }
        }
        Ok(series)
    };
    read().inspect_err(|error| eprintln!("{path}: left out: {error}")).ok()
}

/// All columns, as many as there can be: a table of more has its first ones.
fn all() -> CsvWanted {
    CsvWanted::default()
}
