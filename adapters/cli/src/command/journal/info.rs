//! What an image of a journal holds, in a few lines.

use super::{RecordArgs, open};
use crate::command::session::print;
use crate::failure::Failure;
use crate::report;
use crate::size::Bytes;
use serde_json::{Value, json};
use std::path::Path;

/// What the records of a journal come to.
#[derive(Default)]
struct Sums {
    records: u64,
    bytes: u64,
    numbers: Option<(u32, u32)>,
    times: Option<(i64, i64)>,
}

pub(super) fn info(image: &Path, json: bool) -> Result<(), Failure> {
    let mut sums = Sums::default();
    let all = RecordArgs { image: image.to_path_buf(), from: None, since: None, kind: None };
    all.each(|record| {
        sums.records += 1;
        sums.bytes += record.bytes.len() as u64;
        sums.numbers = Some((sums.numbers.map_or(record.sequence, |(least, _)| least), record.sequence));
        let (first, last) = sums.times.unwrap_or((record.first, record.last));
        sums.times = Some((first.min(record.first), last.max(record.last)));
        Ok(())
    })?;
    let journal = open(image)?;
    let (layout, stats) = (journal.layout(), journal.stats());
    let geometry = layout.geometry();
    if json {
        let value: Value = json!({
            "path": report::path_text(image),
            "capacity_bytes": geometry.capacity_bytes,
            "sector_bytes": geometry.sector_bytes,
            "word_bytes": geometry.word_bytes,
            "page_bytes": layout.page_bytes(),
            "sectors": stats.sectors,
            "sectors_live": stats.live,
            "sectors_retired": stats.retired,
            "turns": stats.turns,
            "recoveries": stats.recoveries,
            "settled": !stats.unsettled,
            "next_sequence": stats.next,
            "discarded_below": stats.floor,
            "epoch": stats.epoch,
            "records": sums.records,
            "record_bytes": sums.bytes,
            "sequences": sums.numbers.map(|(first, last)| [first, last]),
            "times": sums.times.map(|(first, last)| [first, last]),
        });
        return print(&format!("{value:#}\n"));
    }
    let span = match (sums.numbers, sums.times) {
        (Some((one, last)), Some((from, to))) => format!(", numbers {one} to {last}, times {from} to {to}"),
        _ => String::new(),
    };
    print(&format!(
        "{}: journal, {} sectors of {}, words of {} and pages of {} bytes\n\
         {} records of {} in all{span}, epoch {}, discarded below {}\n\
         {} sectors live, {} retired, opened {} times in all, {} recoveries{}\n",
        image.display(),
        stats.sectors,
        Bytes(geometry.sector_bytes.into()),
        geometry.word_bytes,
        layout.page_bytes(),
        sums.records,
        Bytes(sums.bytes),
        stats.epoch,
        stats.floor,
        stats.live,
        stats.retired,
        stats.turns,
        stats.recoveries,
        if stats.unsettled { "; the last page may be weak: the next mount recovers it" } else { "" },
    ))
}
