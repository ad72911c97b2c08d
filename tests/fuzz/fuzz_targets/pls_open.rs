//! Any bytes as a `.pls` file, half of the time behind a sound head, and with checks that fit, so that what is behind
//! them is reached: streamed, sought, by its index, in a range, and as a file to append to.
#![no_main]

#[path = "../../../adapters/formats/tests/file/mod.rs"]
mod file;

use file::File;
use libfuzzer_sys::fuzz_target;
use plimsoll_core::series::{Header, Kind, SYNC, TimeUnit, Word, crc32c};
use plimsoll_formats::FormatError;
use plimsoll_formats::series::{
    PlsEvent, PlsInput, PlsOptions, PlsPoints, PlsWriter, Schema, Seeking, Streaming, TimeRange, ValueColumn,
    resume_at,
};

/// Points that are read at most, to keep the fuzzer quick.
const MOST_POINTS: usize = 300_000;

/// Ends a reading early; the points read are what counts.
enum Stop {
    Enough,
    Failed,
}

impl From<FormatError> for Stop {
    fn from(_: FormatError) -> Self {
        Self::Failed
    }
}

fn read<I: PlsInput>(mut reader: PlsPoints<I>, range: TimeRange) -> (Vec<(i64, Vec<Word>)>, u64, bool) {
    let (mut points, mut damaged) = (Vec::new(), 0);
    let result = reader.read(range, |event| {
        match event {
            PlsEvent::Point(time, values) => {
                assert!(range.contains(time));
                points.push((time, values.to_vec()));
            }
            PlsEvent::Damaged(place) => damaged += place.bytes,
            PlsEvent::Schema(_) | PlsEvent::Block(_) => {}
        }
        if points.len() > MOST_POINTS { Err(Stop::Enough) } else { Ok(()) }
    });
    (points, damaged, result.is_ok())
}

fuzz_target!(|input: (u8, i64, &[u8])| {
    let (options, from, bytes) = input;
    let mut content = Vec::new();
    if options & 1 == 1 {
        let schema = Schema::new(
            TimeUnit::Seconds,
            vec![ValueColumn::new("v", Kind::ALL[usize::from(options >> 1 & 3)])],
        );
        let mut buffer = [0; 1024];
        let writer = PlsWriter::new(
            &mut content,
            schema,
            PlsOptions { index: false, ..PlsOptions::default() },
            &mut buffer,
        );
        let _ = writer.and_then(PlsWriter::finish);
    }
    content.extend_from_slice(bytes);
    if options & 8 == 8 {
        repair(&mut content);
    }
    let (all, damaged, whole) = read(PlsPoints::new(Streaming(&content[..])), TimeRange::ALL);
    assert!(damaged <= content.len() as u64);
    let (sought, ..) = read(PlsPoints::new(Seeking::new(File::new(&content))), TimeRange::ALL);
    assert!(sought == all, "a file and a pipe differ");
    let range = TimeRange { from, to: (options & 16 == 16).then_some(from.saturating_add(1000)) };
    let (some, ..) = read(PlsPoints::new(Streaming(&content[..])), range);
    // With made-up checks a header may state times that its points do not have.
    if whole && options & 8 == 0 {
        assert!(some == all.into_iter().filter(|(time, _)| range.contains(*time)).collect::<Vec<_>>());
    }
    if let Ok(reader) = PlsPoints::with_index(Seeking::new(File::new(&content)), range) {
        let _ = read(reader, range);
    }
    if let Ok((end, ..)) = resume_at(&File::new(&content)) {
        assert!(end <= content.len() as u64);
    }
});

/// Gives every block's header its check, and every whole block its check sum.
fn repair(content: &mut [u8]) {
    let mut at = 0;
    while at + 2 < content.len() {
        if content[at..].starts_with(&SYNC) {
            // A header's check is its last byte: try the lengths that there are.
            for length in 10..48.min(content.len() - at) {
                let check = crc32c(&content[at..at + length - 1]) as u8;
                let before = std::mem::replace(&mut content[at + length - 1], check);
                match Header::read(&content[at..]) {
                    Ok(header) if header.header_bytes == length => {
                        let end = at + header.block_bytes();
                        if end <= content.len() {
                            let sum = crc32c(&content[at..end - 4]).to_le_bytes();
                            content[end - 4..end].copy_from_slice(&sum);
                            at = end - 1;
                        }
                        break;
                    }
                    _ => content[at + length - 1] = before,
                }
            }
        }
        at += 1;
    }
}
