//! Promise: a `.pls` file gives back every point that is whole in it, whatever happened to the rest.

mod file;

use file::File;
use plimsoll_core::series::{Header, Kind, TimeUnit, Word};
use plimsoll_formats::FormatError;
use plimsoll_formats::series::{
    Coder, Damaged, Index, MOST_ENTRIES, PlsEvent, PlsInput, PlsItem, PlsOptions, PlsPoints, PlsWriter,
    Scanner, Schema, Seeking, Streaming, TimeRange, ValueColumn, resume_at,
};
use proptest::prelude::*;

type Point = (i64, Vec<Word>);

fn schema(columns: usize) -> Schema {
    let kinds = [Kind::F64, Kind::I32, Kind::I64, Kind::F32];
    let column = |at: usize| ValueColumn::new(format!("c{at}"), kinds[at % 4]);
    Schema::new(TimeUnit::Seconds, (0..columns).map(column).collect())
}

/// Points of a plausible kind: a walk, with a clock that once goes back.
fn points(count: usize, columns: usize) -> Vec<Point> {
    let mut state = 1u64;
    let mut random = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as i32 % 100
    };
    let mut level = 0;
    (0..count)
        .map(|at| {
            level += random();
            let time = 1_700_000_000 + 60 * at as i64 - if at > count / 2 { 3300 } else { 0 };
            let values = (0..columns).map(|column| match column % 4 {
                0 => Word::from(f64::from(level) / 100.0),
                1 => Word::from(level),
                2 => Word::from(i64::from(level) * 1_000_000_007),
                _ => Word::from(random() as f32 / 8.0),
            });
            (time, values.collect())
        })
        .collect()
}

fn options(block_points: u32) -> PlsOptions {
    PlsOptions { block_points, coder: Coder::Small, ..PlsOptions::default() }
}

fn file(points: &[Point], columns: usize, options: PlsOptions) -> Vec<u8> {
    let mut buffer = vec![0; 8192];
    let mut writer = PlsWriter::new(Vec::new(), schema(columns), options, &mut buffer).unwrap();
    points.iter().for_each(|(time, values)| writer.push(*time, values).unwrap());
    let (file, written) = writer.finish().unwrap();
    assert_eq!((written.points, written.bytes), (points.len() as u64, file.len() as u64));
    file
}

#[derive(Default, Debug, PartialEq)]
struct Got {
    points: Vec<Point>,
    damaged: Vec<Damaged>,
    schemas: usize,
}

fn read<I: PlsInput>(mut reader: PlsPoints<I>, range: TimeRange) -> Result<Got, FormatError> {
    let mut got = Got::default();
    reader.read(range, |event| {
        match event {
            PlsEvent::Schema(_) => got.schemas += 1,
            PlsEvent::Block(_) => {}
            PlsEvent::Point(time, values) => got.points.push((time, values.to_vec())),
            PlsEvent::Damaged(damaged) => got.damaged.push(damaged.clone()),
        }
        Ok::<(), FormatError>(())
    })?;
    Ok(got)
}

fn stream(file: &[u8]) -> Got {
    read(PlsPoints::new(Streaming(file)), TimeRange::ALL).unwrap()
}

#[test]
fn points_come_back_from_files_and_pipes() {
    for (count, columns, block_points) in
        [(0, 1, 10), (1, 1, 10), (5000, 1, 100), (3000, 8, 77), (20_000, 2, 4096)]
    {
        let points = points(count, columns);
        for coder in [Coder::Small, Coder::Large, Coder::Lean, Coder::Rice, Coder::Pack] {
            for (ranges, index) in [(false, true), (true, false)] {
                let file = file(
                    &points,
                    columns,
                    PlsOptions { coder, block_points, ranges, index, ..PlsOptions::default() },
                );
                let expected = Got { points: points.clone(), damaged: vec![], schemas: 1 };
                assert_eq!(stream(&file), expected);
                let seeking = Seeking::new(File::new(&file));
                assert_eq!(
                    read(PlsPoints::with_index(seeking, TimeRange::ALL).unwrap(), TimeRange::ALL).unwrap(),
                    expected
                );
            }
        }
    }
}

#[test]
fn ranges_equal_brute_force_and_read_little() {
    let points = points(60_000, 1);
    let file = file(&points, 1, options(64));
    let start = points[0].0;
    let (mut reads, mut wanted) = (0, 0);
    for from in [
        i64::MIN,
        start - 5,
        start,
        start + 60,
        start + 777_777,
        start + 1_800_000 - 1000,
        start + 3_600_000,
        i64::MAX,
    ] {
        for length in [Some(0), Some(1), Some(61), Some(100_000), None] {
            let range = TimeRange { from, to: length.and_then(|length| from.checked_add(length)) };
            let expected: Vec<Point> =
                points.iter().filter(|(time, _)| range.contains(*time)).cloned().collect();
            let plain = read(PlsPoints::new(Streaming(&file[..])), range).unwrap();
            assert_eq!((&plain.points, plain.schemas), (&expected, 1));
            let counted = File::new(&file);
            let with = read(PlsPoints::with_index(Seeking::new(&counted), range).unwrap(), range).unwrap();
            assert_eq!((&with.points, with.schemas), (&expected, 1));
            assert_eq!(with.damaged, []);
            if expected.len() < 2000 {
                reads += counted.bytes_read();
                wanted += 1;
            }
        }
    }
    assert!(reads / wanted < file.len() as u64 * 3, "{} bytes a query of {}", reads / wanted, file.len());
}

#[test]
fn files_put_together_are_a_file() {
    let points = points(3000, 1);
    let whole = [&points[..1000], &points[1000..1001], &points[1001..]]
        .map(|part| file(part, 1, options(100)))
        .concat();
    let got = stream(&whole);
    assert_eq!((got.points, got.schemas, got.damaged), (points, 3, vec![]));
}

#[test]
fn appending_goes_on_and_the_index_knows_all() {
    let points = points(5000, 1);
    for index in [true, false] {
        let mut file = file(&points[..1234], 1, PlsOptions { index, ..options(50) });
        for part in [1234..1235, 1235..3000, 3000..5000] {
            let (end, schema, index) = resume_at(&File::new(&file)).unwrap();
            file.truncate(end as usize);
            let mut buffer = vec![0; 4096];
            let mut writer =
                PlsWriter::behind(Vec::new(), schema, options(50), &mut buffer, index, end).unwrap();
            points[part].iter().for_each(|(time, values)| writer.push(*time, values).unwrap());
            let (more, _) = writer.finish().unwrap();
            file.extend_from_slice(&more);
        }
        assert_eq!(stream(&file).points, points);
        let (index, _) = Index::find(&File::new(&file)).unwrap().expect("it was finished");
        assert_eq!(index.entries().iter().map(|entry| entry.points).sum::<u64>(), 5000);
        let range = TimeRange { from: points[2500].0, to: Some(points[2600].0) };
        let expected: Vec<Point> = points.iter().filter(|(time, _)| range.contains(*time)).cloned().collect();
        let seeking = Seeking::new(File::new(&file));
        assert_eq!(read(PlsPoints::with_index(seeking, range).unwrap(), range).unwrap().points, expected);
    }
}

#[test]
fn an_index_is_bounded_and_still_tells_where_things_are() {
    let points = points(4 * MOST_ENTRIES, 1);
    let file = file(&points, 1, options(1));
    let (index, at) = Index::find(&File::new(&file)).unwrap().unwrap();
    assert!(index.entries().len() <= MOST_ENTRIES && index.entries().len() > MOST_ENTRIES / 4);
    assert!(file.len() as u64 - at < 24 << 10);
    for point in points.iter().step_by(97) {
        let range = TimeRange { from: point.0, to: Some(point.0 + 1) };
        let seeking = Seeking::new(File::new(&file));
        let expected: Vec<Point> = points.iter().filter(|(time, _)| range.contains(*time)).cloned().collect();
        assert_eq!(read(PlsPoints::with_index(seeking, range).unwrap(), range).unwrap().points, expected);
    }
}

#[test]
fn a_file_that_is_being_written_gives_all_but_its_last_block() {
    let points = points(300, 1);
    let file = file(&points, 1, options(50));
    // Where each block ends, by the scanner on the whole file.
    let mut scanner = Scanner::new(Streaming(&file[..]));
    let (mut ends, mut after) = (vec![], 0);
    while let Some(item) = scanner.next_item(|_| true).unwrap() {
        let block = matches!(item, PlsItem::Block(..));
        if block {
            after = scanner.offset();
            ends.push(after as usize);
        }
    }
    assert_eq!((ends.len(), after as usize), (6, *ends.last().unwrap()));
    for length in 0..file.len() {
        let got = read(PlsPoints::new(Streaming(&file[..length])), TimeRange::ALL).unwrap();
        let whole = ends.iter().filter(|end| **end <= length).count();
        assert_eq!(got.points, points[..50 * whole], "cut at {length}");
        assert!(got.damaged.len() <= 1);
        if let Some(damaged) = got.damaged.first() {
            assert!(
                damaged.unfinished && damaged.offset + damaged.bytes == length as u64,
                "cut at {length}: {damaged}"
            );
        }
    }
}

#[test]
fn a_damaged_byte_costs_its_block_only() {
    let points = points(300, 1);
    let file = file(&points, 1, options(50));
    let head = 12 + schema(1).to_words().len() + 4;
    for at in 0..file.len() {
        for flip in [1, 0x80, 0xff] {
            let mut damaged = file.clone();
            damaged[at] ^= flip;
            if at < head {
                let error = read(PlsPoints::new(Streaming(&damaged[..])), TimeRange::ALL);
                assert!(error.is_err(), "without a head nobody knows what the points are");
                continue;
            }
            let check = |got: Got| {
                // Whole blocks of the original, in order, at most one missing.
                let mut blocks = points.chunks(50).peekable();
                let mut missing = 0;
                for block in got.points.chunks(50) {
                    while blocks.next().is_some_and(|expected| expected != block) {
                        missing += 1;
                    }
                }
                missing += blocks.count();
                assert!(
                    got.points.len().is_multiple_of(50) && missing <= 1,
                    "byte {at}: {missing} blocks are missing"
                );
                assert!(missing == 0 || !got.damaged.is_empty(), "byte {at}: nothing is said of it");
            };
            check(stream(&damaged));
            let seeking = Seeking::new(File::new(&damaged));
            check(read(PlsPoints::with_index(seeking, TimeRange::ALL).unwrap(), TimeRange::ALL).unwrap());
        }
    }
}

#[test]
fn a_wrong_header_does_not_lead_the_skipping_astray() {
    // Large blocks, so that skipping goes by headers; a length in a header is changed together with its check.
    let points = points(200_000, 1);
    let file = file(&points, 1, PlsOptions { index: false, ..options(4096) });
    let mut scanner = Scanner::new(Streaming(&file[..]));
    let mut starts = vec![];
    while let Some(item) = scanner.next_item(|_| true).unwrap() {
        if matches!(item, PlsItem::Block(..)) {
            starts.push(scanner.given_offset() as usize);
        }
    }
    let last = points.len() / 4096 * 4096;
    let range = TimeRange { from: points[last].0, to: None };
    let expected: Vec<Point> = points.iter().filter(|(time, _)| range.contains(*time)).cloned().collect();
    for start in &starts[1..starts.len() - 1] {
        let mut damaged = file.clone();
        let header = Header::read(&file[*start..]).unwrap();
        // The payload's length stands behind sync, version, shape and one byte of kinds.
        damaged[start + 5] ^= 0x15;
        let content = &damaged[*start..start + header.header_bytes - 1];
        damaged[start + header.header_bytes - 1] = plimsoll_core::series::crc32c(content) as u8;
        let seeking = Seeking::new(File::new(&damaged));
        let got = read(PlsPoints::new(seeking), range).unwrap();
        assert_eq!(got.points, expected);
        assert_eq!(got.damaged.len(), 1);
    }
}

#[test]
fn hostile_candidates_take_linear_time() {
    // Headers of blocks of 60 KB every 14 bytes, none of which is true.
    let points = points(60_000, 1);
    let good = file(&points, 1, PlsOptions { index: false, ..options(1 << 16) });
    let mut scanner = Scanner::new(Streaming(&good[..]));
    while !matches!(scanner.next_item(|_| true).unwrap().unwrap(), PlsItem::Block(..)) {}
    let start = scanner.given_offset() as usize;
    let bytes = Header::read(&good[start..]).unwrap().header_bytes;
    let hostile = good[start..start + bytes].repeat((4 << 20) / bytes);
    let since = std::time::Instant::now();
    let got = read(PlsPoints::new(Streaming(&hostile[..])), TimeRange::ALL).unwrap();
    assert_eq!(
        (got.points.len(), got.damaged.iter().map(|damaged| damaged.bytes).sum::<u64>()),
        (0, hostile.len() as u64)
    );
    // Without the limit it is tens of gigabytes of check sums.
    assert!(since.elapsed().as_secs() < 5, "{:?}", since.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_to_their_end(
        bytes in prop::collection::vec(prop::sample::select(b"\xd3\x9c\x10\x00\x01\x89PLS\r\n\x1a\nX\x03\xff".to_vec()), 0..2000),
        cut in 0usize..500,
    ) {
        let points = points(100, 1);
        let good = file(&points, 1, options(20));
        let mixed = [&good[..cut.min(good.len())], &bytes[..], &good[..]].concat();
        for content in [&bytes[..], &mixed[..]] {
            let _ = read(PlsPoints::new(Streaming(content)), TimeRange::ALL);
            let seeking = Seeking::new(File::new(content));
            let range = TimeRange { from: 1_700_000_100, to: Some(1_700_000_200) };
            if let Ok(reader) = PlsPoints::with_index(seeking, range) {
                let _ = read(reader, range);
            }
        }
        // What is whole is found behind it, wherever it was put.
        if let Ok(got) = read(PlsPoints::new(Streaming(&mixed[..])), TimeRange::ALL) {
            prop_assert!(got.points.ends_with(&points));
        }
    }
}
