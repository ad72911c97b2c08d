//! The examples on the host: the bytes that every board must give.
//!
//! What goes into blocks is also decoded here, by a decoder that takes any back end, and compared with the input.

use crate::Failure;
use plimsoll_core::journal::RamFlash;
use plimsoll_core::series::{
    AnyDecoder, Blocks, Column, Encoder, Kind, Large, Lean, Narrow, Pack, Profile, Pushed, Rice, Settings,
    Small, TimeUnit, Word,
};
use std::fs;
use std::path::Path;
use stories::{frame, logger, sensor, series, survey};

/// Reads the inputs in `folder` and writes the outputs beside them.
pub(crate) fn all(folder: &Path) -> Result<(), Failure> {
    frame(folder)?;
    logger(folder)?;
    survey(folder)?;
    let points = fs::read(folder.join("points.bin"))?;
    one::<Small>(folder, "series_small.bin", &points)?;
    one::<Narrow>(folder, "series_narrow.bin", &points)?;
    one::<Lean>(folder, "series_lean.bin", &points)?;
    one::<Large>(folder, "series_large.bin", &points)?;
    one::<Rice>(folder, "series_rice.bin", &points)?;
    one::<Pack>(folder, "series_pack.bin", &points)?;
    interrupts(folder)
}

fn frame(folder: &Path) -> Result<(), Failure> {
    let camera = fs::read(folder.join("camera.u8"))?;
    let mut outputs = Vec::new();
    // The picture does not depend on the arena, and so on the strips.
    for bytes in [12 << 10, 48 << 10, 4 << 20] {
        let mut output = Vec::new();
        let report = frame::run(&mut vec![0; bytes], &camera[..], &mut output)
            .map_err(|error| format!("frame: {error:?}"))?;
        println!("frame in {bytes} bytes: {report:?}");
        outputs.push(output);
    }
    if outputs.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err("frame: the picture depends on the arena".into());
    }
    fs::write(folder.join("frame.f32"), &outputs[0])?;
    Ok(())
}

fn logger(folder: &Path) -> Result<(), Failure> {
    let samples = fs::read(folder.join("samples.bin"))?;
    let count = (samples.len() / logger::SAMPLE_BYTES) as u32;
    let (mut flash, mut output) = (vec![0; logger::FLASH[0] as usize], Vec::new());
    let report = logger::run(
        count,
        &samples[..],
        &mut output,
        RamFlash::new(&mut flash, logger::FLASH[1], logger::FLASH[2]),
    )
    .map_err(|error| format!("logger: {error:?}"))?;
    println!("logger: {report:?}");
    check("logger", &output, &samples, 2)?;
    fs::write(folder.join("blocks.bin"), output)?;
    fs::write(folder.join("flash.bin"), flash)?;
    Ok(())
}

fn survey(folder: &Path) -> Result<(), Failure> {
    let camera = fs::read(folder.join("camera.u8"))?;
    let (mut flash, mut output) = (vec![0; logger::FLASH[0] as usize], Vec::new());
    let region = RamFlash::new(&mut flash, logger::FLASH[1], logger::FLASH[2]);
    let report = survey::run(&mut [0; survey::ARENA_BYTES], &camera[..], &mut output, region)
        .map_err(|error| format!("survey: {error:?}"))?;
    println!("survey: {report:?}");
    check("survey", &output, &quarters(&camera), survey::COLUMNS)?;
    fs::write(folder.join("survey.bin"), output)?;
    fs::write(folder.join("survey.flash"), flash)?;
    Ok(())
}

/// What `survey` logs, from the whole picture at once.
fn quarters(camera: &[u8]) -> Vec<u8> {
    let (rows, cols) = (frame::CAMERA.rows as usize, frame::CAMERA.cols as usize);
    // Beyond the picture its edge goes on.
    let at =
        |row: usize, col: usize| i32::from(camera[row.clamp(1, rows) * cols - cols + col.clamp(1, cols) - 1]);
    let sharp = |row: usize, col: usize| {
        let around: i32 = (row..row + 3).flat_map(|y| (col..col + 3).map(move |x| at(y, x))).sum();
        // 16 in the middle, -1 around, over 8, halves up.
        (17 * at(row + 1, col + 1) - around + 4).div_euclid(8).clamp(0, 255)
    };
    let side = usize::from(survey::SHRINK);
    let small = |row: usize, col: usize| {
        let sum: i32 = (row * side..(row + 1) * side)
            .flat_map(|y| (col * side..(col + 1) * side).map(move |x| sharp(y, x)))
            .sum();
        let count = (side * side) as i32;
        (sum + count / 2) / count
    };
    let width = cols / side / survey::COLUMNS;
    let mut points = Vec::new();
    for row in 0..rows / side {
        points.extend(((row * side) as i64).to_le_bytes());
        for quarter in 0..survey::COLUMNS {
            let sum: i32 = (quarter * width..(quarter + 1) * width).map(|col| small(row, col)).sum();
            points.extend(sum.to_le_bytes());
        }
    }
    points
}

fn one<P: Profile>(folder: &Path, name: &str, points: &[u8]) -> Result<(), Failure> {
    let mut output = Vec::new();
    let count = (points.len() / series::POINT_BYTES) as u32;
    let report = series::run::<P, _, _>(count, points, &mut output, &())
        .map_err(|error| format!("{name}: {error:?}"))?;
    println!("{name}: {report:?}");
    check(name, &output, points, 1)?;
    fs::write(folder.join(name), output)?;
    Ok(())
}

fn interrupts(folder: &Path) -> Result<(), Failure> {
    let (mut buffer, mut output, mut input) = ([0; sensor::BLOCK_BYTES], Vec::new(), Vec::new());
    let settings = Settings::new(TimeUnit::Ticks, [Column::new(Kind::I32)]);
    let mut encoder = Encoder::<Narrow, 1>::try_new(settings, &mut buffer)?;
    for number in 0..sensor::SAMPLES {
        let (time, value) = (i64::from(number), sensor::value(number));
        input.extend(time.to_le_bytes());
        input.extend(value.to_le_bytes());
        while encoder.push(time, &[Word::from(value)])? == Pushed::Full {
            output.extend(encoder.seal()?);
        }
    }
    output.extend(encoder.seal()?);
    check("interrupts", &output, &input, 1)?;
    fs::write(folder.join("interrupts.bin"), output)?;
    Ok(())
}

/// Whether `blocks` hold the points of `input`: times of 64 bits and `columns` values of 32, little-endian.
fn check(name: &str, blocks: &[u8], input: &[u8], columns: usize) -> Result<(), Failure> {
    let mut decoded = Vec::new();
    for block in Blocks::of(blocks) {
        let mut decoder = AnyDecoder::<8>::try_new(block?.bytes)?;
        let mut words = [Word::default(); 8];
        while let Some(time) = decoder.next_into(&mut words)? {
            decoded.extend(time.to_le_bytes());
            decoded.extend(words[..columns].iter().flat_map(|word| word.i32().to_le_bytes()));
        }
    }
    if decoded == input { Ok(()) } else { Err(format!("{name}: the blocks do not hold the input").into()) }
}
