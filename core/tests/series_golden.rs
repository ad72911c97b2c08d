//! Blocks of the first version of the format stay readable, are the same bytes on every target, and are read alike by
//! an independent decoder (`tests/series/decode.py`, written from `FORMAT.md`).
//!
//! `PLIMSOLL_BLESS=1` writes the golden files anew: only for a new version of the format.

use plimsoll_core::series::*;
use std::path::{Path, PathBuf};
use std::process::Command;

const COLUMNS: usize = 5;

type Point = (i64, [Word; COLUMNS]);

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/series"))
}

/// What every lattice, predictor and escape has to do with: made of integers, so it is the same everywhere.
fn points() -> Vec<Point> {
    let (mut random, mut time, mut walk) = (0x2545_F491_u64, 1_700_000_000_i64, 0_i64);
    let mut points = Vec::new();
    for i in 0..1500_i64 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        time += match i {
            400 => -3300,
            800 => 86_400 * 365,
            1000..1100 => (random % 7) as i64,
            1200 => i64::MIN / 4,
            _ => 60,
        };
        walk += (random % 41) as i64 - 20;
        let double = match i {
            100..110 => f64::NAN,
            110 => -0.0,
            111 => f64::INFINITY,
            112 => f64::from_bits(1),
            113 => f64::from_bits(0x7FF0_0000_0000_0001),
            500..700 => f64::from_bits(random),
            700..900 => 0.1 * walk as f64,
            900..1000 => 7.25,
            _ => walk as f64 / 100.0,
        };
        let wide = match i {
            300 => i64::MIN,
            301 => i64::MAX,
            302..600 => walk * 3600 + 7,
            _ => walk * walk,
        };
        let single = if i % 256 == 3 { f32::NAN } else { (walk % 1000) as f32 / 8.0 };
        let narrow = if i % 500 == 77 { i32::MIN } else { walk as i32 + (i % 24) as i32 * 1000 };
        // A coarse converter: a few levels, each a little beside itself.
        let level = ((random >> 20) % 9) as i64 * 610_352 + (random % 50) as i64;
        let levels = level as f64 / 1e7;
        points.push((time, [double.into(), wide.into(), single.into(), narrow.into(), levels.into()]));
    }
    points
}

fn settings() -> Settings<COLUMNS> {
    let kinds = [Kind::F64, Kind::I64, Kind::F32, Kind::I32, Kind::F64];
    Settings::new(TimeUnit::Seconds, kinds.map(Column::new)).block_points(600).with_ranges()
}

fn encode<P: Profile>(points: Vec<Point>) -> Vec<u8> {
    let mut buffer = vec![0; 20_000];
    let mut encoder = Encoder::<P, COLUMNS>::try_new(settings(), &mut buffer).unwrap();
    let mut all = Vec::new();
    for (time, values) in points {
        if encoder.push(time, &values).unwrap() == Pushed::Full {
            all.extend_from_slice(encoder.seal().unwrap());
            assert_eq!(encoder.push(time, &values).unwrap(), Pushed::Taken);
        }
    }
    all.extend_from_slice(encoder.seal().unwrap());
    all
}

/// As `decode.py` prints them.
fn text() -> String {
    let mut text = String::new();
    for (time, values) in points() {
        text += &time.to_string();
        for value in values {
            text += &format!(" {:x}", value.0);
        }
        text.push('\n');
    }
    text
}

/// Writes a golden file anew if asked to, and reads it.
fn golden(path: &Path, bytes: &[u8]) -> Vec<u8> {
    if std::env::var_os("PLIMSOLL_BLESS").is_some() {
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::read(path).unwrap()
}

/// All points of a back end. The interpreter is too slow for so many, and cannot start another program.
fn check<P: Profile>(name: &str) {
    if cfg!(miri) {
        return;
    }
    let bytes = encode::<P>(points());
    let path = folder().join("golden").join(name);
    let golden = golden(&path, &bytes);
    let mut read = Vec::new();
    for block in Blocks::of(&golden) {
        let mut decoder = AnyDecoder::<COLUMNS>::try_new(block.unwrap().bytes).unwrap();
        let mut values = [Word::default(); COLUMNS];
        while let Some(time) = decoder.next_into(&mut values).unwrap() {
            read.push((time, values));
        }
    }
    assert_eq!(read, points(), "{name} is not read as it was written");
    assert!(golden == bytes, "{name}: the encoder writes other bytes than it did");
    match Command::new("python3").arg(folder().join("decode.py")).arg(&path).output() {
        Ok(output) if output.status.code() != Some(127) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "decode.py {name}: {errors}");
            let printed = String::from_utf8(output.stdout).unwrap();
            for (line, (got, wanted)) in printed.lines().zip(text().lines()).enumerate() {
                assert_eq!(got, wanted, "decode.py {name}, point {line}");
            }
            assert_eq!(printed.len(), text().len(), "{name}");
        }
        _ => println!("{name}: SKIPPED decode.py: no python3 here"),
    }
}

#[test]
fn small() {
    check::<Small>("small.bin");
}

#[test]
fn large() {
    check::<Large>("large.bin");
}

#[test]
fn larger() {
    check::<Larger>("larger.bin");
}

#[test]
fn lean() {
    check::<Lean>("lean.bin");
}

#[test]
fn rice() {
    check::<Rice>("rice.bin");
}

#[test]
fn pack() {
    check::<Pack>("pack.bin");
}

/// A few points, which an interpreter of any target has time for: among them NaN, infinities, -0 and subnormals.
fn few<P: Profile>(name: &str) {
    let few: Vec<Point> = points().into_iter().skip(75).take(40).collect();
    let bytes = encode::<P>(few.clone());
    let golden = golden(&folder().join("golden").join(name), &bytes);
    assert!(golden == bytes, "{name}: the encoder writes other bytes than it did");
    let decoder = Decoder::<P, COLUMNS>::try_new(&golden).unwrap();
    let read: Vec<Point> = decoder.into_iter().flatten().map(|point| (point.time, point.values)).collect();
    assert_eq!(read, few, "{name} is not read as it was written");
}

#[test]
fn few_points_of_each() {
    few::<Small>("few_small.bin");
    few::<Large>("few_large.bin");
    few::<Larger>("few_larger.bin");
    few::<Lean>("few_lean.bin");
    few::<Rice>("few_rice.bin");
    few::<Pack>("few_pack.bin");
}
