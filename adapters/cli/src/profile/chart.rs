//! The chart: what the plan gives to whom, stacked, and over it what the system and the heap say was there.

use super::sampler::{PassRecord, Record, Sample};
use crate::size::Bytes;
use plimsoll_core::pipeline::plan::Place;
use std::io::{self, Write};

/// The size of the whole chart, and the place of the axes in it, in the chart's own units.
const WIDE: f64 = 1000.0;
const HIGH: f64 = 420.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 984.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 380.0;

/// The most marks on the axis of bytes, and on that of time, beside the one at zero.
const MOST_MARKS: f64 = 6.0;

/// Colours of consumers, round and round: muted, so that the lines over them stand out.
pub(super) const COLOURS: [&str; 10] = [
    "#c6d8ea", "#f3d6b3", "#cfe3c4", "#e9c9d6", "#d9d3ee", "#efe5a9", "#bfe0dd", "#ddd2c6", "#f0c7bb",
    "#d3d8dc",
];

/// Seconds and bytes to places in the chart.
struct Scale {
    seconds: f64,
    bytes: f64,
}

impl Scale {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + (RIGHT - LEFT) * (seconds / self.seconds).clamp(0.0, 1.0)
    }

    fn y(&self, bytes: u64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * (bytes as f64 / self.bytes).clamp(0.0, 1.0)
    }
}

/// Draws the record.
pub(super) fn write(out: &mut impl Write, record: &Record) -> io::Result<()> {
    let planned = record.passes.iter().map(|pass| pass.peak_bytes);
    let seen = record.samples.iter().map(|sample| sample.resident_bytes);
    let most = planned.chain(seen).chain(record.peak_resident_bytes).max().unwrap_or(1).max(1);
    let scale = Scale { seconds: record.seconds.max(1e-6), bytes: most as f64 * 1.08 };
    write!(out, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDE} {HIGH}\" role=\"img\"")?;
    writeln!(out, " aria-label=\"Memory over time against the plan\">")?;
    for (index, pass) in record.passes.iter().enumerate() {
        let end = record.passes.get(index + 1).map_or(record.seconds, |next| next.at);
        write_pass(out, &scale, pass, end)?;
    }
    write_axes(out, &scale)?;
    write_line(out, &scale, &record.samples, "heap", |sample| sample.heap_bytes)?;
    write_line(out, &scale, &record.samples, "resident", |sample| sample.resident_bytes)?;
    for pass in &record.passes {
        if pass.budget_bytes as f64 <= scale.bytes {
            let (x, y) = (scale.x(pass.at), scale.y(pass.budget_bytes));
            writeln!(
                out,
                "<line class=\"budget\" x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"><title>budget: {}</title></line>",
                Bytes(pass.budget_bytes)
            )?;
            break;
        }
    }
    writeln!(out, "</svg>")
}

/// The consumers of a pass, the process below, and the line of its peak.
fn write_pass(out: &mut impl Write, scale: &Scale, pass: &PassRecord, end: f64) -> io::Result<()> {
    let (left, right) = (scale.x(pass.at), scale.x(end));
    let wide = (right - left).max(0.5);
    let mut below = 0u64;
    for place in [Place::Process, Place::Heap, Place::Arena] {
        let consumers = pass.consumers.iter().enumerate();
        for (index, consumer) in consumers.filter(|(_, consumer)| consumer.place == place) {
            let above = below.saturating_add(consumer.bytes);
            let (top, bottom) = (scale.y(above), scale.y(below));
            writeln!(
                out,
                "<rect class=\"consumer\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{wide:.1}\" height=\"{:.1}\" fill=\"{}\"><title>{consumer}: {}</title></rect>",
                bottom - top,
                COLOURS[index % COLOURS.len()],
                Bytes(consumer.bytes)
            )?;
            below = above;
        }
    }
    let peak = scale.y(pass.peak_bytes);
    writeln!(
        out,
        "<line class=\"plan\" x1=\"{left:.1}\" y1=\"{peak:.1}\" x2=\"{:.1}\" y2=\"{peak:.1}\"><title>planned peak: {}</title></line>",
        left + wide,
        Bytes(pass.peak_bytes)
    )
}

fn write_axes(out: &mut impl Write, scale: &Scale) -> io::Result<()> {
    writeln!(out, "<path class=\"axis\" d=\"M{LEFT} {TOP}V{BOTTOM}H{RIGHT}\"/>")?;
    for bytes in marks(scale.bytes, &[1.0, 2.0, 4.0, 8.0], 16.0) {
        let (left, y) = (LEFT - 8.0, scale.y(bytes as u64) + 4.0);
        writeln!(out, "<text x=\"{left}\" y=\"{y:.1}\" text-anchor=\"end\">{}</text>", Bytes(bytes as u64))?;
    }
    for seconds in marks(scale.seconds, &[1.0, 2.0, 5.0], 10.0) {
        let (x, below) = (scale.x(seconds), BOTTOM + 22.0);
        // What stands at the edge stays within the picture.
        let anchor = if x > RIGHT - 20.0 { "end" } else { "middle" };
        writeln!(
            out,
            "<text x=\"{x:.1}\" y=\"{below}\" text-anchor=\"{anchor}\">{} s</text>",
            Short(seconds)
        )?;
    }
    Ok(())
}

/// Places of marks up to `most`: multiples of one of `steps`, times a power of `base`, that give few enough.
fn marks(most: f64, steps: &[f64], base: f64) -> impl Iterator<Item = f64> {
    let least = most / MOST_MARKS;
    let power = base.powf(least.log(base).floor());
    // One of them, or the first one of the next power.
    let step = steps.iter().map(|step| step * power).find(|step| *step >= least).unwrap_or(base * power);
    (0..=MOST_MARKS as u32).map(move |mark| f64::from(mark) * step).take_while(move |mark| *mark <= most)
}

/// A number without zeros at its end.
struct Short(f64);

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = format!("{:.6}", self.0);
        f.write_str(digits.trim_end_matches('0').trim_end_matches('.'))
    }
}

fn write_line(
    out: &mut impl Write,
    scale: &Scale,
    samples: &[Sample],
    class: &str,
    figure: impl Fn(&Sample) -> u64,
) -> io::Result<()> {
    write!(out, "<polyline class=\"{class}\" points=\"")?;
    for (index, sample) in samples.iter().enumerate() {
        let space = if index > 0 { " " } else { "" };
        write!(out, "{space}{:.1},{:.1}", scale.x(sample.at), scale.y(figure(sample)))?;
    }
    writeln!(out, "\"/>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_few() {
        let mib = 1024.0 * 1024.0;
        let bytes: Vec<f64> = marks(5.3 * mib, &[1.0, 2.0, 4.0, 8.0], 16.0).collect();
        assert_eq!(bytes, [0.0, mib, 2.0 * mib, 3.0 * mib, 4.0 * mib, 5.0 * mib]);
        let seconds: Vec<String> =
            marks(0.29, &[1.0, 2.0, 5.0], 10.0).map(|mark| Short(mark).to_string()).collect();
        assert_eq!(seconds, ["0", "0.05", "0.1", "0.15", "0.2", "0.25"]);
        for most in [1e-6, 0.9, 1.0, 5.999, 6.0, 17.0, 1e9, 1.8e19] {
            for (steps, base) in [(&[1.0, 2.0, 4.0, 8.0][..], 16.0), (&[1.0, 2.0, 5.0], 10.0)] {
                let marks: Vec<f64> = marks(most, steps, base).collect();
                assert!((3..=7).contains(&marks.len()), "{most}: {marks:?}");
            }
        }
    }
}
