//! Log on a device: a sensor's readings in blocks of at most 256 bytes (a flash page) out of a port, in 2 KiB in all.
//!
//! `cargo run -p plimsoll-examples --example series_log`
//! prints: `3600 readings in ... bytes: ... bits a reading; state ... bytes, block buffer 256`
//!
//! Nothing here allocates: firmware does the same with its own port in place of the slice.

use plimsoll_core::series::{
    Blocks, Column, Decoder, Encoder, Kind, Narrow, Settings, TimeUnit, Word, WriteBlocks,
};

/// The port, as large as an hour may need.
const PORT_BYTES: usize = 16 << 10;

fn main() {
    let mut port = [0_u8; PORT_BYTES];
    let mut page = [0; 256];
    let settings = Settings::new(TimeUnit::Seconds, [Column::new(Kind::I32)]);
    let mut log =
        WriteBlocks::<_, Narrow, 1>::try_new(&mut port[..], settings, &mut page).expect("one column");
    for second in 0..3600 {
        log.push(1_700_000_000 + second, &[Word::from(reading(second))]).expect("the port takes it");
    }
    let left = log.finish().expect("the port takes it").len();
    let bytes = &port[..PORT_BYTES - left];

    let state = Encoder::<Narrow, 1>::STATE_BYTES;
    let bits = bytes.len() as f64 * 8.0 / 3600.0;
    println!(
        "3600 readings in {} bytes: {bits:.2} bits a reading; state {state} bytes, block buffer 256",
        bytes.len()
    );

    assert!(state + page.len() <= 2048);
    let mut readings = 0;
    for block in Blocks::of(bytes) {
        let block = block.expect("nothing is damaged");
        assert!(block.bytes.len() <= 256);
        for point in Decoder::<Narrow, 1>::try_new(block.bytes).expect("it is sound") {
            let point = point.expect("it is sound");
            assert_eq!((point.time, point.values[0].i32()), (1_700_000_000 + readings, reading(readings)));
            readings += 1;
        }
    }
    assert_eq!(readings, 3600);
}

/// Hundredths of a degree: a slow wave and a little noise.
fn reading(second: i64) -> i32 {
    let wave = 1800 - (second - 1800).abs();
    (2000 + wave / 10 + second * 7919 % 5) as i32
}

#[test]
fn runs() {
    main();
}
