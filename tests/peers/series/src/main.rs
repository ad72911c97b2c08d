//! Plimsoll's series beside its peers: sizes and speeds on the same files in one run.
//!
//! `cargo run --release -- FILE.csv ...` prints both tables as Markdown. `--sizes` leaves the speeds out, `--only=PART`
//! all codecs without PART in their names.

mod codec;
mod load;
mod peers;
mod plimsoll;

use codec::Codec;
use load::Series;
use std::time::{Duration, Instant};

/// Each speed is the best of so many goes, each as long as this.
const GOES: usize = 3;
const GO: Duration = Duration::from_millis(40);

fn main() {
    let (options, paths): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let with_speeds = !options.iter().any(|option| option == "--sizes");
    if paths.is_empty() {
        eprintln!("usage: plimsoll-peers-series [--sizes] [--only=PART] FILE.csv ...");
        std::process::exit(2);
    }
    let all: Vec<Series> = paths.iter().filter_map(|path| load::load(path)).collect();
    let mut codecs = plimsoll::codecs();
    codecs.extend(peers::codecs());
    if let Some(part) = options.iter().find_map(|option| option.strip_prefix("--only=")) {
        codecs.retain(|codec| codec.name().contains(part));
    }
    let rows: Vec<Row> = codecs.iter().map(|codec| measure(codec.as_ref(), &all, with_speeds)).collect();

    let names: Vec<&str> = all.iter().map(|series| series.name.as_str()).collect();
    println!(
        "Bits a point, timestamp and value together, lossless (raw 128); geometric mean of the files.\n"
    );
    println!("| codec | {} | mean |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len() + 1));
    for row in &rows {
        let cells: Vec<String> = row.bits.iter().map(|bits| cell(*bits, 2)).collect();
        println!("| {} | {} | {} |", row.name, cells.join(" | "), cell(mean(&row.bits), 2));
    }
    if with_speeds {
        println!("\nMB/s at 16 bytes a point, one core, geometric mean of the files.\n");
        println!("| codec | encode | decode |\n|---|---|---|");
        for row in &rows {
            println!("| {} | {} | {} |", row.name, cell(mean(&row.encode), 0), cell(mean(&row.decode), 0));
        }
    }
    println!("\nA codec that does not give a series back to the bit has a dash there and no mean.");
}

struct Row {
    name: String,
    bits: Vec<Option<f64>>,
    encode: Vec<Option<f64>>,
    decode: Vec<Option<f64>>,
}

fn measure(codec: &dyn Codec, all: &[Series], with_speeds: bool) -> Row {
    let mut row = Row { name: codec.name(), bits: vec![], encode: vec![], decode: vec![] };
    for series in all {
        let packed = std::panic::catch_unwind(|| codec.encode(series)).ok().flatten();
        let back = packed.as_ref().and_then(|packed| {
            std::panic::catch_unwind(|| codec.decode(packed, series.times.len())).ok().flatten()
        });
        let exact = back.is_some_and(|(times, values)| {
            times == series.times
                && values
                    .iter()
                    .map(|value| value.to_bits())
                    .eq(series.values.iter().map(|value| value.to_bits()))
        });
        let Some(packed) = packed.filter(|_| exact) else {
            row.bits.push(None);
            row.encode.push(None);
            row.decode.push(None);
            continue;
        };
        let bytes: usize = packed.iter().map(Vec::len).sum();
        row.bits.push(Some(bytes as f64 * 8.0 / series.times.len() as f64));
        if with_speeds {
            let megabytes = series.times.len() as f64 * 16e-6;
            row.encode.push(Some(megabytes / seconds(|| drop(codec.encode(series)))));
            row.decode.push(Some(megabytes / seconds(|| drop(codec.decode(&packed, series.times.len())))));
        }
    }
    row
}

/// Seconds of one call.
fn seconds(mut work: impl FnMut()) -> f64 {
    let go = |work: &mut dyn FnMut()| {
        let (since, mut calls) = (Instant::now(), 0);
        while since.elapsed() < GO {
            work();
            calls += 1;
        }
        since.elapsed().as_secs_f64() / f64::from(calls)
    };
    (0..GOES).map(|_| go(&mut work)).fold(f64::INFINITY, f64::min)
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let sum: f64 = values.iter().map(|value| value.map(f64::ln)).sum::<Option<f64>>()?;
    Some((sum / values.len() as f64).exp())
}

fn cell(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
}
