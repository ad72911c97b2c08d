//! `plimsoll series info`: what is in packed files, and what it costs.
//!
//! What a column takes cannot be seen in a block, whose bits it shares with the others. It is measured: the points are
//! packed again with that column alone, and with none, in blocks as long.

use super::input::{Packed, name, warn};
use super::memory::buffers;
use super::reading::{Ended, Source, no_head, unlike};
use crate::command::session::{Session, print};
use crate::failure::Failure;
use crate::report;
use crate::size::{Bytes, Within};
use clap::Args;
use plimsoll_core::series::{Kind, MAX_BLOCK_BYTES, MAX_COLUMNS, MAX_POINTS, Tolerance, Word};
use plimsoll_formats::series::{
    Coder, PlsEvent, PlsOptions, PlsPoints, PlsWriter, Schema, TimeRange, ValueColumn, kind_name, unit_name,
    write_time,
};
use serde_json::{Value, json};
use std::io::Sink;
use std::path::{Path, PathBuf};

/// `series info`
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  plimsoll series info log.pls --json")]
pub(super) struct InfoArgs {
    /// Packed files; `-` is the standard input
    #[arg(value_name = "IN", default_value = "-", hide_default_value = true)]
    pub inputs: Vec<PathBuf>,
    /// Print JSON, one line a file
    #[arg(long)]
    pub json: bool,
    /// Peak resident memory of the whole process: 16MiB, 1GB, 60%
    #[arg(long, value_name = "SIZE")]
    pub within: Option<Within>,
}

/// Buffers of blocks: one for each column, and one for none.
const BUFFERS_BYTES: usize = (MAX_COLUMNS + 1) * MAX_BLOCK_BYTES;

/// What was found in a file.
struct Facts {
    schema: Option<Schema>,
    points: u64,
    blocks: u64,
    block_bytes: u64,
    largest: u64,
    raw_bytes: u64,
    first: Option<i64>,
    times: Option<(i64, i64)>,
    backwards: u64,
    last: i64,
    damaged: u64,
    damaged_bytes: u64,
    /// Bytes of blocks with no column, and with each alone.
    alone: [u64; MAX_COLUMNS + 1],
}

/// `plimsoll series info`
pub(super) fn info(args: &InfoArgs, session: &Session) -> Result<(), Failure> {
    buffers(args.within, |_| {
        PlsPoints::<Packed>::HEAP_BYTES
            + (MAX_COLUMNS + 1) * PlsWriter::<Sink>::heap_bytes(Coder::Small, 1, false)
            + BUFFERS_BYTES
    })?;
    let mut block_buffers = vec![0; BUFFERS_BYTES];
    for input in &args.inputs {
        let path = name(input);
        let facts = look(input, &path, &mut block_buffers, session)?;
        let Some(schema) = &facts.schema else { return Err(no_head(&path)) };
        let file_bytes = input.metadata().ok().filter(|facts| facts.is_file()).map(|facts| facts.len());
        let text = match args.json {
            true => format!("{}\n", to_json(&path, &facts, schema, file_bytes)),
            false => to_text(&path, &facts, schema, file_bytes),
        };
        print(&text)?;
    }
    Ok(())
}

fn look(input: &Path, path: &Path, block_buffers: &mut [u8], session: &Session) -> Result<Facts, Failure> {
    let mut facts = Facts {
        schema: None,
        points: 0,
        blocks: 0,
        block_bytes: 0,
        largest: 0,
        raw_bytes: 0,
        first: None,
        times: None,
        backwards: 0,
        last: i64::MIN,
        damaged: 0,
        damaged_bytes: 0,
        alone: [0; MAX_COLUMNS + 1],
    };
    let mut writers: Vec<PlsWriter<'_, Sink>> = Vec::new();
    let mut left = block_buffers.chunks_exact_mut(MAX_BLOCK_BYTES);
    let result = PlsPoints::new(Packed::open(input)?).read(TimeRange::ALL, |event| -> Result<(), Source> {
        match event {
            PlsEvent::Schema(schema) => {
                let alone = alone(schema);
                if writers.is_empty() {
                    let options = PlsOptions {
                        coder: Coder::Small,
                        block_points: MAX_POINTS,
                        index: false,
                        never_longer: false,
                        ..PlsOptions::default()
                    };
                    for (schema, buffer) in alone.into_iter().zip(&mut left) {
                        writers.push(PlsWriter::new(std::io::sink(), schema, options, buffer)?);
                    }
                } else if writers.len() == alone.len() {
                    for (writer, schema) in writers.iter_mut().zip(alone) {
                        writer.change(schema)?;
                    }
                } else {
                    let before = facts.schema.as_ref().unwrap_or(schema);
                    return Err(Ended::Failed(unlike(path, before, schema)).into());
                }
                facts.schema = Some(schema.clone());
            }
            PlsEvent::Block(_) if session.is_cancelled() => {
                return Err(Ended::Failed(Failure::Cancelled).into());
            }
            PlsEvent::Block(header) => {
                writers.iter_mut().try_for_each(PlsWriter::seal)?;
                let bytes = header.block_bytes() as u64;
                facts.blocks += 1;
                facts.block_bytes += bytes;
                facts.largest = facts.largest.max(bytes);
                let (min, max) = facts.times.unwrap_or((header.min_time, header.max_time));
                facts.times = Some((min.min(header.min_time), max.max(header.max_time)));
                facts.first = facts.first.or(Some(header.first));
            }
            PlsEvent::Point(time, values) => {
                facts.points += 1;
                facts.backwards += u64::from(time < facts.last);
                facts.last = time;
                let columns = facts.schema.iter().flat_map(|schema| &schema.columns);
                facts.raw_bytes += 8 + columns.map(|column| u64::from(column.kind.bits()) / 8).sum::<u64>();
                for (at, writer) in writers.iter_mut().enumerate() {
                    let value = at.checked_sub(1).and_then(|at| values.get(at)).copied();
                    writer.push(time, &[value.unwrap_or(Word::from(0_i32))])?;
                }
            }
            PlsEvent::Damaged(damaged) => {
                if facts.schema.is_some() {
                    warn(path, damaged);
                }
                facts.damaged += 1;
                facts.damaged_bytes += damaged.bytes;
            }
        }
        Ok(())
    });
    let finished = result.and_then(|()| {
        for (alone, writer) in facts.alone.iter_mut().zip(&mut writers) {
            writer.seal()?;
            *alone = writer.block_bytes();
        }
        Ok(())
    });
    match finished {
        Ok(()) => Ok(facts),
        Err(Source::Ended(Ended::Failed(failure))) => Err(failure),
        Err(Source::Ended(Ended::Write(error))) => Err(Failure::io("write", path, &error)),
        Err(Source::Input(error)) => Err(Failure::input(path, &error)),
    }
}

/// The points with a column that says nothing, and with each column alone.
fn alone(schema: &Schema) -> Vec<Schema> {
    let with = |column: ValueColumn| Schema { columns: vec![column], ..schema.clone() };
    let nothing = with(ValueColumn::new("nothing", Kind::I32));
    std::iter::once(nothing).chain(schema.columns.iter().cloned().map(with)).collect()
}

impl Facts {
    /// Bits a point of the blocks in all, of the time alone, and of each column alone.
    fn bits(&self, bytes: u64) -> f64 {
        bytes as f64 * 8.0 / self.points.max(1) as f64
    }

    fn bits_of_column(&self, at: usize) -> f64 {
        self.bits(self.alone[at + 1].saturating_sub(self.alone[0]))
    }

    fn size(&self, file_bytes: Option<u64>) -> u64 {
        file_bytes.unwrap_or(self.block_bytes).max(1)
    }
}

/// The largest error that a value can have, for people.
fn worst(tolerance: Tolerance) -> String {
    match tolerance {
        Tolerance::Lossless => "0 (lossless)".to_owned(),
        Tolerance::Absolute(error) => format!("{error}"),
        Tolerance::Relative(part) => format!("{part} of the value"),
    }
}

fn time_text(schema: &Schema, time: Option<i64>) -> Option<String> {
    let mut text = Vec::new();
    let form = schema.time.as_ref()?.text;
    write_time(time?, schema, form, &mut text).ok()?;
    String::from_utf8(text).ok()
}

fn to_json(path: &Path, facts: &Facts, schema: &Schema, file_bytes: Option<u64>) -> Value {
    let columns: Vec<Value> = schema
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let (worst, relative) = match column.tolerance {
                Tolerance::Lossless => (0.0, false),
                Tolerance::Absolute(error) => (error, false),
                Tolerance::Relative(part) => (part, true),
            };
            json!({
                "name": column.name,
                "kind": kind_name(column.kind),
                "bits_per_point": facts.bits_of_column(at),
                "worst_error": worst,
                "worst_error_is_relative": relative,
            })
        })
        .collect();
    let size = facts.size(file_bytes);
    json!({
        "path": report::path_text(path),
        "points": facts.points,
        "blocks": facts.blocks,
        "unit": unit_name(schema.unit),
        "first_time": facts.first,
        "min_time": facts.times.map(|times| times.0),
        "max_time": facts.times.map(|times| times.1),
        "backward_steps": facts.backwards,
        "bits_per_point": facts.bits(facts.block_bytes),
        "time_bits_per_point": facts.bits(facts.alone[0]),
        "columns": columns,
        "largest_block_bytes": facts.largest,
        "original_size": facts.raw_bytes,
        "compressed_size": size,
        "bytes_saved": facts.raw_bytes as i64 - size as i64,
        "compression_ratio": facts.raw_bytes as f64 / size as f64,
        "space_saved": 1.0 - size as f64 / facts.raw_bytes.max(1) as f64,
        "damaged_places": facts.damaged,
        "damaged_bytes": facts.damaged_bytes,
    })
}

fn to_text(path: &Path, facts: &Facts, schema: &Schema, file_bytes: Option<u64>) -> String {
    let size = facts.size(file_bytes);
    let mut text = format!(
        "{}: {} points in {} blocks of at most {}, {} ({size} bytes)\n",
        path.display(),
        facts.points,
        facts.blocks,
        Bytes(facts.largest),
        Bytes(size)
    );
    let mut line = |name: &str, value: String| text.push_str(&format!("  {name:16} {value}\n"));
    let times = facts.times.map(|(min, max)| (time_text(schema, Some(min)), time_text(schema, Some(max))));
    if let Some((Some(min), Some(max))) = times {
        line(
            "time",
            format!("{min} to {max}, unit {}, {} steps back", unit_name(schema.unit), facts.backwards),
        );
    }
    line("bits a point", format!("{:.3}", facts.bits(facts.block_bytes)));
    line("  time", format!("{:.3} alone", facts.bits(facts.alone[0])));
    for (at, column) in schema.columns.iter().enumerate() {
        let (bits, kind) = (facts.bits_of_column(at), kind_name(column.kind));
        let name = if column.name.is_empty() { format!("column {}", at + 1) } else { column.name.clone() };
        line(
            &format!("  {name}"),
            format!("{bits:.3} alone, {kind}, worst error {}", worst(column.tolerance)),
        );
    }
    line(
        "ratio",
        format!("{:.3} (raw points of {} bytes)", facts.raw_bytes as f64 / size as f64, facts.raw_bytes),
    );
    line("space saved", format!("{:.2} %", 100.0 * (1.0 - size as f64 / facts.raw_bytes.max(1) as f64)));
    if facts.damaged > 0 {
        line("damaged", format!("{} bytes in {} places", facts.damaged_bytes, facts.damaged));
    }
    text
}
