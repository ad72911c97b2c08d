//! The series blocks in a journal's records, as a table of text: a line a point.

use crate::failure::Failure;
use plimsoll_core::journal::Record;
use plimsoll_core::series::{AnyDecoder, Blocks, Header, Lost, MAX_COLUMNS, Word};
use plimsoll_formats::series::{CsvOutput, Schema, ValueColumn, kind_name, unit_name};
use std::io::Write;

/// A table under way. Blocks do not carry the columns' names: the caller says them, or they are numbered.
pub(super) struct Table<W> {
    out: CsvOutput<W>,
    names: Vec<String>,
    schema: Option<Schema>,
}

impl<W: Write> Table<W> {
    /// A table that goes to `out`, with these names, first that of the times; none at all are made up.
    pub(super) fn new(out: W, names: Vec<String>) -> Self {
        Self { out: CsvOutput::new(out), names, schema: None }
    }

    /// Adds the points of a record's blocks. What holds no sound block is handed to `lost`.
    ///
    /// # Errors
    /// Points that cannot stand in the same table as those before, and what the writer says.
    pub(super) fn add(&mut self, record: &Record<'_>, mut lost: impl FnMut(&Lost)) -> Result<(), Failure> {
        let Record { sequence, kind, bytes, .. } = *record;
        for block in Blocks::of(bytes) {
            let block = match block {
                Ok(block) => block,
                Err(damage) => {
                    lost(&damage);
                    continue;
                }
            };
            let place = format!("record {sequence} of kind {kind}");
            let schema = match &self.schema {
                Some(schema) if is_of(&block.header, schema) => schema,
                Some(schema) => {
                    return Err(Failure::Input(format!(
                        "{place} has {}, those before have {}: they make no one table; choose with --kind or --from",
                        shown(&schema_of(&block.header, &[])?),
                        shown(schema)
                    )));
                }
                None => {
                    let schema = schema_of(&block.header, &self.names)?;
                    self.out.begin(&schema).map_err(write_failed)?;
                    self.schema.insert(schema)
                }
            };
            let damaged = |damage| Failure::Input(format!("{place}: {damage}"));
            let mut values = [Word::default(); MAX_COLUMNS];
            let mut points = AnyDecoder::<MAX_COLUMNS>::try_new(block.bytes).map_err(damaged)?;
            while let Some(time) = points.next_into(&mut values).map_err(damaged)? {
                self.out.point(schema, time, &values).map_err(write_failed)?;
            }
        }
        Ok(())
    }

    /// Gives the writer back, flushed. `None` if there was not one block.
    ///
    /// # Errors
    /// The writer's.
    pub(super) fn finish(self) -> Result<Option<W>, Failure> {
        let begun = self.schema.is_some();
        let out = self.out.finish().map_err(write_failed)?;
        Ok(begun.then_some(out))
    }
}

fn write_failed(error: std::io::Error) -> Failure {
    Failure::Io(format!("cannot write the table: {error}"))
}

fn is_of(header: &Header, schema: &Schema) -> bool {
    let kinds = schema.columns.iter().map(|column| column.kind);
    header.unit == schema.unit && kinds.eq(header.kinds().iter().copied())
}

fn schema_of(header: &Header, names: &[String]) -> Result<Schema, Failure> {
    let kinds = header.kinds();
    if !names.is_empty() && names.len() != kinds.len() + 1 {
        return Err(Failure::Usage(format!(
            "--names has {} names, the records have {} columns: one for the times and {} for values",
            names.len(),
            kinds.len() + 1,
            kinds.len()
        )));
    }
    let made_up = |at: usize| if kinds.len() == 1 { "value".to_owned() } else { format!("value{}", at + 1) };
    let columns = kinds.iter().enumerate().map(|(at, kind)| {
        let name = names.get(at + 1).cloned().unwrap_or_else(|| made_up(at));
        ValueColumn::new(name, *kind)
    });
    let mut schema = Schema::new(header.unit, columns.collect());
    if let (Some(time), Some(name)) = (&mut schema.time, names.first()) {
        time.name.clone_from(name);
    }
    Ok(schema)
}

/// The columns of a schema for a message: `times in ms and i32,i32`.
fn shown(schema: &Schema) -> String {
    let kinds: Vec<_> = schema.columns.iter().map(|column| kind_name(column.kind)).collect();
    format!("times in {} and {}", unit_name(schema.unit), kinds.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_core::series::{Column, Encoder, Kind, Rice, Settings, Small, TimeUnit};

    fn block(unit: TimeUnit, kinds: [Kind; 2], points: &[(i64, [Word; 2])]) -> Vec<u8> {
        let mut buffer = [0; 512];
        let settings = Settings::new(unit, kinds.map(Column::new));
        let mut encoder = Encoder::<Rice, 2>::try_new(settings, &mut buffer).expect("it fits");
        for (time, values) in points {
            let _ = encoder.push(*time, values).expect("two values");
        }
        encoder.seal().expect("points").to_vec()
    }

    fn record(sequence: u32, bytes: &[u8]) -> Record<'_> {
        Record { sequence, epoch: 0, kind: 1, first: 0, last: 9, bytes }
    }

    #[test]
    fn records_of_any_back_end_make_one_table() {
        let kinds = [Kind::I32, Kind::F64];
        let one = block(TimeUnit::Ticks, kinds, &[(5, [Word::from(-7), Word::from(0.5)])]);
        let mut buffer = [0; 512];
        let settings = Settings::new(TimeUnit::Ticks, kinds.map(Column::new));
        let mut encoder = Encoder::<Small, 2>::try_new(settings, &mut buffer).expect("it fits");
        let _ = encoder.push(6, &[Word::from(8), Word::from(1e300)]).expect("two values");
        let two = encoder.seal().expect("points");

        let mut table = Table::new(Vec::new(), Vec::new());
        let mut lost = 0;
        for (sequence, bytes) in [&one[..], b"no block", two].into_iter().enumerate() {
            table.add(&record(sequence as u32, bytes), |_| lost += 1).expect("one table");
        }
        let text = table.finish().expect("a vector").expect("blocks");
        assert_eq!(String::from_utf8_lossy(&text), "time,value1,value2\n5,-7,0.5\n6,8,1e300\n");
        assert_eq!(lost, 1);

        let names = ["t", "left, inner", "right"].map(String::from).to_vec();
        let mut table = Table::new(Vec::new(), names);
        table.add(&record(0, &one), |_| {}).expect("one table");
        let text = table.finish().expect("a vector").expect("blocks");
        assert_eq!(String::from_utf8_lossy(&text), "t,\"left, inner\",right\n5,-7,0.5\n");
    }

    #[test]
    fn what_makes_no_table_is_refused() {
        let zero = [Word::from(0), Word::from(0)];
        let one = block(TimeUnit::Ticks, [Kind::I32; 2], &[(5, zero)]);
        let other = block(TimeUnit::Milliseconds, [Kind::I32, Kind::I64], &[(5, zero)]);
        let mut table = Table::new(Vec::new(), Vec::new());
        table.add(&record(0, &one), |_| {}).expect("the first");
        let error = table.add(&record(3, &other), |_| {}).expect_err("another unit").to_string();
        assert!(
            error.starts_with("record 3 of kind 1 has times in ms and i32,i64, those before have"),
            "{error}"
        );

        let mut table = Table::new(Vec::new(), vec!["t".to_owned()]);
        let error = table.add(&record(0, &one), |_| {}).expect_err("too few names");
        assert_eq!(error.exit_code(), 2);
        assert!(Table::new(Vec::new(), Vec::new()).finish().expect("a vector").is_none());
    }
}
