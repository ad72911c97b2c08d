//! The page: well-formed as XML, too, with its style and its chart inside and nothing to load.

use super::chart::{self, COLOURS};
use super::sampler::{PassRecord, Record};
use crate::size::Bytes;
use std::io::{self, Write};

const HEAD: &str = "<!DOCTYPE html>
<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">
<head><meta charset=\"utf-8\"/><meta name=\"viewport\" content=\"width=device-width\"/><title>Plimsoll: memory profile</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; color: #1c2733; background: #fff; max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: #44525f; }
.axis { fill: none; stroke: #44525f; } .consumer { stroke: #fff; stroke-width: 0.5; }
polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
.resident { stroke: #12324d; } .heap { stroke: #b3541e; stroke-dasharray: 5 3; }
.plan { stroke: #1f7a4d; stroke-width: 2; } .budget { stroke: #b3261e; stroke-width: 2; stroke-dasharray: 2 3; }
table { border-collapse: collapse; margin: 0.5rem 0 1.5rem; } th { text-align: left; }
td, th { padding: 0.15rem 0.9rem 0.15rem 0; border-bottom: 1px solid #dde3e8; } td.number { text-align: right; }
.key { display: inline-block; width: 1.6rem; height: 0.8rem; margin-right: 0.5rem; } .line { height: 0.2rem; vertical-align: middle; }
</style></head>
<body><h1>Memory over time against the plan</h1>
";

/// Lines of the chart: colour and meaning.
const LINES: [(&str, &str); 4] = [
    ("#12324d", "resident memory, as the system counts it"),
    ("#b3541e", "heap, as the allocator counts it"),
    ("#1f7a4d", "planned peak of the process"),
    ("#b3261e", "budget, if it is not far above"),
];

/// Writes the page of a record. No text in it comes from outside the program: nothing has to be escaped.
pub(super) fn write(out: &mut impl Write, record: &Record) -> io::Result<()> {
    out.write_all(HEAD.as_bytes())?;
    let planned = record.passes.iter().map(|pass| pass.peak_bytes).max().unwrap_or(0);
    let budget = record.passes.iter().map(|pass| pass.budget_bytes).max().unwrap_or(0);
    match record.peak_resident_bytes {
        Some(peak) => write!(out, "<p id=\"peak\">Peak resident {} ({peak} bytes)", Bytes(peak))?,
        None => write!(out, "<p id=\"peak\">Peak resident: this system does not say")?,
    }
    writeln!(
        out,
        " of {} planned and {} allowed; peak heap {}; {:.3} seconds, {} samples.</p>",
        Bytes(planned),
        Bytes(budget),
        Bytes(record.peak_heap_bytes),
        record.seconds,
        record.samples.len()
    )?;
    chart::write(out, record)?;
    write!(out, "<p>")?;
    for (colour, meaning) in LINES {
        write!(out, "<span class=\"key line\" style=\"background: {colour}\"></span>{meaning}<br/>")?;
    }
    writeln!(out, "</p>")?;
    for (index, pass) in record.passes.iter().enumerate() {
        write_pass(out, index + 1, pass)?;
    }
    writeln!(out, "<p>Plimsoll {}</p></body></html>", env!("CARGO_PKG_VERSION"))
}

fn write_pass(out: &mut impl Write, number: usize, pass: &PassRecord) -> io::Result<()> {
    let PassRecord { at, purpose, strip_rows, workers, .. } = pass;
    write!(
        out,
        "<h2>Pass {number}: {purpose}</h2><p>From {at:.3} s; strips of {strip_rows} rows, {workers} thread(s)."
    )?;
    match pass.more {
        0 => {}
        more => write!(out, " {more} later passes are not drawn apart: this is the plan of the largest.")?,
    }
    writeln!(out, "</p><table><tr><th>Consumer</th><th>Bytes</th><th></th><th>Where</th></tr>")?;
    for (index, consumer) in pass.consumers.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        writeln!(
            out,
            "<tr><td><span class=\"key\" style=\"background: {colour}\"></span>{consumer}</td><td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td></tr>",
            consumer.bytes,
            Bytes(consumer.bytes),
            crate::report::place(consumer.place)
        )?;
    }
    writeln!(
        out,
        "<tr><th>Peak</th><th class=\"number\">{}</th><th class=\"number\">{}</th><th></th></tr></table>",
        pass.peak_bytes,
        Bytes(pass.peak_bytes)
    )
}

#[cfg(test)]
mod tests {
    use super::super::sampler::Sample;
    use super::*;
    use plimsoll_core::pipeline::plan::{Consumer, Place};

    /// Whatever the figures, the page is well-formed, and loads nothing.
    #[test]
    fn pages_are_well_formed() {
        let consumer = |role, bytes, place| Consumer { role, stage: None, bytes, place };
        let pass = |at, more| PassRecord {
            at,
            purpose: "write the output",
            strip_rows: 16,
            workers: 2,
            peak_bytes: 5 << 20,
            budget_bytes: u64::MAX,
            consumers: vec![
                consumer("program and libraries", 2 << 20, Place::Process),
                consumer("window", u64::MAX, Place::Arena),
                consumer("names", 0, Place::Heap),
            ],
            more,
        };
        let sample = |at, resident_bytes| Sample { at, resident_bytes, heap_bytes: 77 };
        let records = [
            Record::default(),
            Record { passes: vec![pass(0.0, 0)], ..Record::default() },
            Record {
                samples: vec![sample(0.0, 1), sample(0.5, u64::MAX), sample(2.0, 3)],
                passes: vec![pass(0.0, 0), pass(1.0, 7)],
                seconds: 1.5,
                peak_resident_bytes: Some(4 << 20),
                peak_heap_bytes: 3,
            },
        ];
        for record in records {
            let mut page = Vec::new();
            write(&mut page, &record).unwrap();
            let page = String::from_utf8(page).unwrap();
            assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
            let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
            let document = roxmltree::Document::parse_with_options(&page, options).unwrap();
            let count = |class: &str| {
                document.descendants().filter(|node| node.attribute("class") == Some(class)).count()
            };
            assert_eq!(count("plan"), record.passes.len());
            assert_eq!(count("consumer"), 3 * record.passes.len());
            assert_eq!(count("resident"), 1);
            for node in document.descendants() {
                assert!(node.attribute("src").is_none() && node.attribute("href").is_none());
                assert!(!["script", "link", "img"].contains(&node.tag_name().name()));
            }
        }
    }
}
