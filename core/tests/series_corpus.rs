//! Real series come back bit for bit, and within a tolerance no value is further off and no block longer.

mod one_column;

use one_column::{Points, number};
use plimsoll_core::series::*;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// One numeric column of a file; rows are the timestamps where the first column is none.
struct Read {
    name: String,
    times: Vec<i64>,
    values: Vec<f64>,
}

fn corpus() -> Vec<Read> {
    let mut all = Vec::new();
    for folder in ["series", "series_bench"] {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus")).join(folder);
        let Ok(files) = std::fs::read_dir(&folder) else {
            println!("SKIPPED: no {}", folder.display());
            continue;
        };
        for path in
            files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "csv"))
        {
            let text = std::fs::read_to_string(&path).unwrap();
            let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split([',', ' ']).collect()).collect();
            let width = rows.iter().map(Vec::len).max().unwrap_or(0);
            for column in 0..width {
                let (mut times, mut values) = (Vec::new(), Vec::new());
                for (number, row) in rows.iter().enumerate() {
                    if let Some(Ok(value)) =
                        row.get(column).map(|field| field.trim_matches('"').parse::<f64>())
                    {
                        let time = row.first().and_then(|field| field.parse().ok());
                        times.push(if column > 0 { time.unwrap_or(number as i64) } else { number as i64 });
                        values.push(value);
                    }
                }
                if values.len() > 10 {
                    let name = format!("{} column {column}", path.file_name().unwrap().to_string_lossy());
                    all.push(Read { name, times, values });
                }
            }
        }
    }
    all
}

/// Checks every series of the corpus, on all processors: one test alone would take as long as all others.
fn each_series(check: impl Fn(&Read) + Sync) {
    let (all, next) = (corpus(), AtomicUsize::new(0));
    let check_next = || {
        while let Some(series) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            check(series);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(check_next);
        }
    });
}

#[test]
#[cfg_attr(miri, ignore = "real series: hours under the interpreter")]
fn every_series_comes_back() {
    each_series(|series| {
        for kind in Kind::ALL {
            let column = Column::new(kind);
            let points = Points::of(kind, &series.times, &series.values);
            for blocks in [
                points.blocks::<Small>(column, 1024, MAX_BLOCK_BYTES),
                points.blocks::<Large>(column, 4096, MAX_BLOCK_BYTES),
                points.blocks::<Larger>(column, 4096, MAX_BLOCK_BYTES),
                points.blocks::<Lean>(column, 1024, MAX_BLOCK_BYTES),
                points.blocks::<Rice>(column, 1024, MAX_BLOCK_BYTES),
                points.blocks::<Pack>(column, 1024, MAX_BLOCK_BYTES),
            ] {
                points.check_against(&blocks, column, &series.name);
            }
        }
    });
}

/// Blocks within the tolerance of `column`: none is longer than the lossless one of the same points.
fn within<P: Profile>(name: &str, points: &Points, column: Column, lossless: usize) {
    let blocks = points.blocks_never_longer::<P>(column, 1024, MAX_BLOCK_BYTES);
    assert!(blocks.len() <= lossless, "{name}: {column:?}: {} bytes, {lossless} lossless", blocks.len());
    // Integers stay lossless within a part of their own.
    let kept = match column.tolerance {
        Tolerance::Relative(_) if !column.kind.is_float() => column.within(Tolerance::Lossless),
        _ => column,
    };
    points.check_against(&blocks, kept, name);
    // Mostly the same bytes.
    let by_itself = points.blocks::<P>(column, 1024, MAX_BLOCK_BYTES);
    if by_itself != blocks {
        points.check_against(&by_itself, kept, name);
    }
}

#[test]
#[cfg_attr(miri, ignore = "real series: hours under the interpreter")]
fn no_value_is_further_off_than_it_may_and_nothing_is_longer() {
    each_series(|series| {
        for kind in Kind::ALL {
            let points = Points::of(kind, &series.times, &series.values);
            let finite =
                points.words.iter().map(|word| number(kind, *word)).filter(|value| value.is_finite());
            let (least, most) = (finite.clone().fold(f64::MAX, f64::min), finite.fold(f64::MIN, f64::max));
            let exact = Column::new(kind);
            let lossless = [
                points.blocks::<Small>(exact, 1024, MAX_BLOCK_BYTES).len(),
                points.blocks::<Large>(exact, 1024, MAX_BLOCK_BYTES).len(),
                points.blocks::<Rice>(exact, 1024, MAX_BLOCK_BYTES).len(),
                points.blocks::<Pack>(exact, 1024, MAX_BLOCK_BYTES).len(),
                points.blocks::<Lean>(exact, 1024, MAX_BLOCK_BYTES).len(),
                points.blocks::<Larger>(exact, 1024, MAX_BLOCK_BYTES).len(),
            ];
            for part in [1e-6, 1e-4, 1e-3, 1e-2] {
                let mut tolerances = vec![Tolerance::Relative(part)];
                if most > least {
                    tolerances.push(Tolerance::Absolute((most - least) * part));
                }
                for tolerance in tolerances {
                    let column = Column::new(kind).within(tolerance);
                    within::<Small>(&series.name, &points, column, lossless[0]);
                    within::<Pack>(&series.name, &points, column, lossless[3]);
                    if kind == Kind::F32 || part == 1e-3 {
                        within::<Large>(&series.name, &points, column, lossless[1]);
                        within::<Rice>(&series.name, &points, column, lossless[2]);
                        within::<Lean>(&series.name, &points, column, lossless[4]);
                        within::<Larger>(&series.name, &points, column, lossless[5]);
                    }
                }
            }
        }
    });
}

/// S6 of the bars: at a thousandth of the range at most 3.5 bits, in the geometric mean of all series.
#[test]
#[cfg_attr(miri, ignore = "real series: hours under the interpreter")]
fn series_take_few_bits_within_a_thousandth_of_their_range() {
    let (mut logarithms, mut count) = (0.0, 0);
    for series in corpus() {
        let (least, most) =
            series.values.iter().fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(*x), b.max(*x)));
        if most > least && series.values.len() >= 1000 {
            let column = Column::new(Kind::F64).within(Tolerance::Absolute((most - least) * 1e-3));
            let points = Points::of(Kind::F64, &series.times, &series.values);
            let bytes = points.blocks::<Small>(column, 1024, MAX_BLOCK_BYTES).len();
            let bits = bytes as f64 * 8.0 / series.values.len() as f64;
            println!("{}: {bits:.2} bits a point", series.name);
            (logarithms, count) = (logarithms + bits.ln(), count + 1);
        }
    }
    if count > 0 {
        let mean = (logarithms / f64::from(count)).exp();
        assert!(mean <= 3.5, "{mean:.2} bits a point in the mean of {count} series");
    }
}
