//! A range query: one hour out of a year of minutes, by the index and the blocks' headers.
//!
//! `cargo run -p plimsoll-examples --example series_range`
//! prints: `60 of 525600 points, ... of ... bytes read; mean 20.20`

use plimsoll_core::bytes::ReadAt;
use plimsoll_core::series::{Kind, TimeUnit, Word};
use plimsoll_formats::FormatError;
use plimsoll_formats::series::{
    PlsEvent, PlsOptions, PlsPoints, PlsWriter, Schema, Seeking, TimeRange, ValueColumn,
};
use plimsoll_os::input::{Input, PositionedFile};
use std::fs::File;

const YEAR: i64 = 1_704_067_200;

fn main() -> Result<(), FormatError> {
    let path = std::env::temp_dir().join(format!("plimsoll-series-range-{}.pls", std::process::id()));
    let schema = Schema::new(TimeUnit::Seconds, vec![ValueColumn::new("degrees", Kind::F64)]);
    let file = File::create(&path).map_err(|error| FormatError::write(0, error))?;
    let mut buffer = vec![0; 64 << 10];
    let mut writer =
        PlsWriter::new(file, schema, PlsOptions { block_points: 512, ..PlsOptions::default() }, &mut buffer)?;
    for minute in 0..525_600 {
        writer.push(YEAR + 60 * minute, &[Word::from(degrees(minute))])?;
    }
    writer.finish()?;

    // 2 July 2024, 12:00 to 13:00.
    let noon = YEAR + 183 * 86_400 + 12 * 3600;
    let range = TimeRange { from: noon, to: Some(noon + 3600) };
    let file = PositionedFile::open(&path).map_err(|error| FormatError::read(0, error.source))?;
    let (mut points, mut sum) = (0, 0.0);
    PlsPoints::with_index(Seeking::new(&file), range)?.read(range, |event| {
        if let PlsEvent::Point(_, values) = event {
            (points, sum) = (points + 1, sum + values[0].f64());
        }
        Ok::<(), FormatError>(())
    })?;
    let (read, all) = (file.bytes_read(), file.len());
    println!("{points} of 525600 points, {read} of {all} bytes read; mean {:.2}", sum / f64::from(points));
    assert!(points == 60 && read < all / 2);
    std::fs::remove_file(&path).map_err(|error| FormatError::write(0, error))
}

/// A day's wave in hundredths.
fn degrees(minute: i64) -> f64 {
    let wave = 720 - (minute % 1440 - 720).abs();
    (1500 + wave * 3 / 4 + minute * 7919 % 7) as f64 / 100.0
}

#[test]
fn runs() {
    main().expect("the file is read");
}
