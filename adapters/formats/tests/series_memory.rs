//! Promise: a `.pls` reader and writer take no more of the heap than they state, for every coder and any number of
//! columns.

mod file;
mod heap;

use file::File;
use heap::heap;
use plimsoll_core::series::{Kind, TimeUnit, Word};
use plimsoll_formats::FormatError;
use plimsoll_formats::series::{
    Coder, PlsEvent, PlsOptions, PlsPoints, PlsWriter, Schema, Seeking, Streaming, TimeRange, ValueColumn,
};

const CODERS: [Coder; 5] = [Coder::Small, Coder::Large, Coder::Lean, Coder::Rice, Coder::Pack];

fn schema(columns: usize) -> Schema {
    let column = |at| ValueColumn::new(format!("column {at} of a long name"), Kind::F64);
    Schema::new(TimeUnit::Seconds, (0..columns).map(column).collect())
}

/// Writes a file into memory that is there already; gives the heap's peak.
fn write(coder: Coder, columns: usize, never_longer: bool, file: &mut Vec<u8>) -> u64 {
    let mut buffer = vec![0; 16 << 10];
    // So many blocks that the index is full.
    let options = PlsOptions { coder, block_points: 4, never_longer, ..PlsOptions::default() };
    let mut schema = schema(columns);
    if never_longer {
        let tolerance = plimsoll_core::series::Tolerance::Absolute(0.25);
        schema.columns.iter_mut().for_each(|column| column.tolerance = tolerance);
    }
    let values: Vec<Word> = (0..columns).map(|at| Word::from(20.0 + at as f64)).collect();
    let ((), taken) = heap(|| {
        let mut writer = PlsWriter::new(&mut *file, schema, options, &mut buffer).unwrap();
        (0..20_000).for_each(|at| writer.push(10 * at, &values).unwrap());
        writer.finish().map(|_| ()).unwrap();
    });
    taken.peak
}

#[test]
fn writers_take_what_they_state() {
    for (coder, columns, never_longer) in CODERS
        .iter()
        .flat_map(|coder| [(*coder, 1, false), (*coder, 2, false), (*coder, 8, true), (*coder, 1, true)])
    {
        // The file itself, and the schema that the caller made, are the caller's.
        let mut file = Vec::with_capacity(8 << 20);
        let peak = write(coder, columns, never_longer, &mut file);
        let stated = PlsWriter::<Vec<u8>>::heap_bytes(coder, columns, never_longer) as u64;
        println!("{coder:?}, {columns} column(s), twice {never_longer}: {peak} of {stated}");
        assert!(peak <= stated, "{coder:?} of {columns} columns: {peak} bytes of heap, {stated} were stated");
    }
}

#[test]
fn readers_take_what_they_state() {
    for (coder, columns) in CODERS.iter().flat_map(|coder| [(*coder, 1), (*coder, 2), (*coder, 8)]) {
        let mut file = Vec::with_capacity(8 << 20);
        write(coder, columns, false, &mut file);
        let count = |event: PlsEvent<'_>, points: &mut u64| {
            *points += u64::from(matches!(event, PlsEvent::Point(..)));
            Ok::<(), FormatError>(())
        };
        let (streamed, by_stream) = heap(|| {
            let mut points = 0;
            PlsPoints::new(Streaming(&file[..]))
                .read(TimeRange::ALL, |event| count(event, &mut points))
                .unwrap();
            points
        });
        let (sought, by_index) = heap(|| {
            let (mut points, seeking) = (0, Seeking::new(File::new(&file)));
            let mut reader = PlsPoints::with_index(seeking, TimeRange::ALL).unwrap();
            reader.read(TimeRange::ALL, |event| count(event, &mut points)).unwrap();
            points
        });
        assert_eq!((streamed, sought), (20_000, 20_000));
        let stated = PlsPoints::<Streaming<&[u8]>>::HEAP_BYTES as u64;
        println!("{coder:?}, {columns} column(s): {} and {} of {stated}", by_stream.peak, by_index.peak);
        let most = by_stream.peak.max(by_index.peak);
        assert!(most <= stated, "{coder:?} of {columns} columns: {most} bytes of heap, {stated} were stated");
    }
}
