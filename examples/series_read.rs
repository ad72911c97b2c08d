//! Read on a host: what a device's port gave becomes a `.pls` file, and that a table of text.
//!
//! `cargo run -p plimsoll-examples --example series_read`
//! prints: `900 readings, 1 damaged place`, then the first and last line of the table
//!
//! The port's bytes have a block that was hit on the way: it costs its own readings only.

use plimsoll_core::series::{Column, Kind, Settings, Small, TimeUnit, Word, WriteBlocks};
use plimsoll_formats::FormatError;
use plimsoll_formats::series::{
    CsvOutput, PlsEvent, PlsOptions, PlsPoints, PlsWriter, Schema, Streaming, TimeRange, ValueColumn,
};

fn main() -> Result<(), FormatError> {
    let schema = Schema::new(TimeUnit::Milliseconds, vec![ValueColumn::new("volts", Kind::F32)]);
    // A head, then the device's blocks as they came: that is a file already.
    let mut buffer = vec![0; 4096];
    let (mut file, _) = PlsWriter::new(Vec::new(), schema, PlsOptions::default(), &mut buffer)?.finish()?;
    let mut port = device();
    let hit = port.len() / 2;
    port[hit] ^= 0x10;
    file.extend_from_slice(&port);

    let mut table = CsvOutput::new(Vec::new());
    let (mut readings, mut damaged, mut now) = (0, 0, None);
    PlsPoints::new(Streaming(&file[..])).read(TimeRange::ALL, |event| {
        match event {
            PlsEvent::Schema(schema) => {
                table.begin(schema).expect("memory takes it");
                now = Some(schema.clone());
            }
            PlsEvent::Point(time, values) => {
                table
                    .point(now.as_ref().expect("a schema comes first"), time, values)
                    .expect("memory takes it");
                readings += 1;
            }
            PlsEvent::Damaged(_) => damaged += 1,
            PlsEvent::Block(_) => {}
        }
        Ok::<(), FormatError>(())
    })?;
    let table = String::from_utf8(table.finish().expect("memory takes it")).expect("numbers are text");

    println!("{readings} readings, {damaged} damaged place");
    println!("{}\n{}", table.lines().nth(1).unwrap_or_default(), table.lines().last().unwrap_or_default());
    assert_eq!((readings, damaged), (900, 1));
    Ok(())
}

/// What came out of the device: ten blocks of 100 readings.
fn device() -> Vec<u8> {
    let (mut port, mut page) = (vec![0_u8; 16 << 10], [0; 1024]);
    let settings = Settings::new(TimeUnit::Milliseconds, [Column::new(Kind::F32)]).block_points(100);
    let mut log =
        WriteBlocks::<_, Small, 1>::try_new(&mut port[..], settings, &mut page).expect("one column");
    for at in 0..1000_i64 {
        let volts = 3.3 - (at % 50) as f32 * 0.01;
        log.push(1_700_000_000_000 + 20 * at, &[Word::from(volts)]).expect("the port takes it");
    }
    let left = log.finish().expect("the port takes it").len();
    port.truncate((16 << 10) - left);
    port
}

#[test]
fn runs() {
    main().expect("the file is read");
}
