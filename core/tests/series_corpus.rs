//! Real series come back bit for bit, and within a tolerance no value is further off and no block longer.

use plimsoll_core::series::*;
use std::path::PathBuf;

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

fn encode<P: Profile>(series: &Read, column: Column, points: u32) -> Vec<u8> {
    let mut buffer = vec![0; MAX_BLOCK_BYTES];
    let settings = Settings::new(TimeUnit::Seconds, [column]).block_points(points);
    let mut encoder = Encoder::<P, 1>::try_new(settings, &mut buffer).unwrap();
    let words: Vec<Word> = series.values.iter().map(|value| word(column.kind, *value)).collect();
    let (mut all, mut taken) = (Vec::new(), 0);
    while taken < words.len() {
        taken += encoder.push_slice(&series.times[taken..], &words[taken..]).unwrap();
        all.extend_from_slice(encoder.seal().expect("it has points"));
    }
    all
}

fn word(kind: Kind, value: f64) -> Word {
    match kind {
        Kind::F32 => Word::from(value as f32),
        Kind::F64 => Word::from(value),
        Kind::I32 => Word::from(value as i32),
        Kind::I64 => Word::from(value as i64),
    }
}

fn decode(blocks: &[u8]) -> (Vec<i64>, Vec<Word>) {
    let (mut times, mut words) = (Vec::new(), Vec::new());
    for block in Blocks::of(blocks) {
        let block = block.unwrap();
        let count = block.header.points as usize;
        let (mut some_times, mut some_words) = (vec![0; count], vec![Word::default(); count]);
        let mut decoder = AnyDecoder::<1>::try_new(block.bytes).unwrap();
        assert_eq!(decoder.decode_into(&mut some_times, &mut some_words), Ok(count));
        times.extend(some_times);
        words.extend(some_words);
    }
    (times, words)
}

#[test]
fn every_series_comes_back() {
    for series in corpus() {
        for kind in Kind::ALL {
            let column = Column::new(kind);
            let words: Vec<Word> = series.values.iter().map(|value| word(kind, *value)).collect();
            for blocks in [
                encode::<Small>(&series, column, 1024),
                encode::<Large>(&series, column, 4096),
                encode::<Larger>(&series, column, 4096),
                encode::<Lean>(&series, column, 1024),
                encode::<Rice>(&series, column, 1024),
                encode::<Pack>(&series, column, 1024),
            ] {
                let (times, read) = decode(&blocks);
                assert!(times == series.times, "{}", series.name);
                assert!(read == words, "{} {kind:?}", series.name);
            }
        }
    }
}

/// Blocks within the tolerance of `column`: none is longer than the lossless one of the same points.
fn within<P: Profile>(series: &Series<'_>, column: Column, lossless: usize) {
    let (mut one, mut other) = (vec![0; MAX_BLOCK_BYTES], vec![0; MAX_BLOCK_BYTES]);
    let settings = Settings::new(TimeUnit::Seconds, [column]).block_points(1024);
    let mut encoder = NeverLonger::<P, 1>::try_new(settings, &mut one, &mut other).unwrap();
    let (mut blocks, mut taken) = (Vec::new(), 0);
    while taken < series.words.len() {
        taken += encoder.push_slice(&series.read.times[taken..], &series.words[taken..]).unwrap();
        blocks.extend_from_slice(encoder.seal().expect("it has points"));
    }
    let name = format!("{} as {:?} within {:?}", series.read.name, column.kind, column.tolerance);
    assert!(blocks.len() <= lossless, "{name}: {} bytes, {lossless} lossless", blocks.len());
    let alone = encode::<P>(series.read, column, 1024);
    for blocks in [blocks, alone] {
        let (times, words) = decode(&blocks);
        assert!(times == series.read.times, "{name}");
        for (word, became) in series.words.iter().zip(words) {
            let (value, became) = (number(column.kind, *word), number(column.kind, became));
            let most = match column.tolerance {
                Tolerance::Absolute(most) => most,
                Tolerance::Relative(part) => part * value.abs(),
                Tolerance::Lossless => 0.0,
            };
            assert!((became - value).abs() <= most, "{name}: {value} became {became}");
        }
    }
}

/// A file as values of one kind.
struct Series<'a> {
    read: &'a Read,
    words: Vec<Word>,
}

fn number(kind: Kind, word: Word) -> f64 {
    match kind {
        Kind::F32 => f64::from(word.f32()),
        Kind::F64 => word.f64(),
        Kind::I32 => f64::from(word.i32()),
        Kind::I64 => word.i64() as f64,
    }
}

#[test]
fn no_value_is_further_off_than_it_may_and_nothing_is_longer() {
    for read in corpus() {
        for kind in Kind::ALL {
            let series =
                Series { read: &read, words: read.values.iter().map(|value| word(kind, *value)).collect() };
            let finite =
                series.words.iter().map(|word| number(kind, *word)).filter(|value| value.is_finite());
            let (least, most) = (finite.clone().fold(f64::MAX, f64::min), finite.fold(f64::MIN, f64::max));
            let lossless = [
                encode::<Small>(&read, Column::new(kind), 1024).len(),
                encode::<Large>(&read, Column::new(kind), 1024).len(),
                encode::<Rice>(&read, Column::new(kind), 1024).len(),
                encode::<Pack>(&read, Column::new(kind), 1024).len(),
            ];
            for part in [1e-6, 1e-4, 1e-3, 1e-2] {
                let mut tolerances = vec![Tolerance::Relative(part)];
                if most > least {
                    tolerances.push(Tolerance::Absolute((most - least) * part));
                }
                for tolerance in tolerances {
                    let column = Column::new(kind).within(tolerance);
                    within::<Small>(&series, column, lossless[0]);
                    within::<Pack>(&series, column, lossless[3]);
                    if kind == Kind::F32 || part == 1e-3 {
                        within::<Large>(&series, column, lossless[1]);
                        within::<Rice>(&series, column, lossless[2]);
                    }
                }
            }
        }
    }
}

/// S6 of the bars: at a thousandth of the range.
#[test]
fn the_bench_series_take_few_bits_within_a_thousandth_of_their_range() {
    for series in corpus() {
        let (least, most) =
            series.values.iter().fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(*x), b.max(*x)));
        if most > least && series.values.len() >= 1000 {
            let column = Column::new(Kind::F64).within(Tolerance::Absolute((most - least) * 1e-3));
            let bytes = encode::<Small>(&series, column, 1024).len();
            println!("{}: {:.2} bits a point", series.name, bytes as f64 * 8.0 / series.values.len() as f64);
        }
    }
}
