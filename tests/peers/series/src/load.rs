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
    let read = |column: &str| -> Result<Series, String> {
        let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
        let kind = Some(plimsoll_core::series::Kind::F64);
        let columns = Some(vec![ColumnWanted { column: column.to_owned(), kind }]);
        let wanted = CsvWanted { columns, ..CsvWanted::default() };
        let points = CsvPoints::new(file, &wanted, 65536, 65536, 65536);
        let mut points = points.map_err(|error| error.to_string())?;
        let mut series = Series { name: name.clone(), times: vec![], values: vec![] };
        while let Some(item) = points.next_item().map_err(|error| error.to_string())? {
            if let CsvItem::Point(time, values) = item {
                series.times.push(time);
                series.values.push(values[0].f64());
            }
        }
        Ok(series)
    };
    // The column behind the time, or the only one.
    let series = read("2").or_else(|_| read("1"));
    series.inspect_err(|error| eprintln!("{path}: left out: {error}")).ok()
}
