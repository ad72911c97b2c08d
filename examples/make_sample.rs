//! A source of your own: computes a picture row by row, however large, and writes it as TIFF in a few hundred KiB.
//!
//! `cargo run -p plimsoll-examples --example make_sample -- OUT.tif [COLS ROWS]`
//! prints: `OUT.tif: 1600 x 1200 pixels, 3 band(s) of u8`
//!
//! This made `data/harbour.tif`: a hull at its load line. On the hull the mark that Samuel Plimsoll fought for.

use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::plan::Place;
use plimsoll_core::pipeline::{Chain, Job, Source};
use plimsoll_core::shape::{SampleKind, Shape};
use plimsoll_core::strip::StripMut;
use plimsoll_formats::{Compression, Format, FormatError, Tiff, Wanted};
use plimsoll_os::memory::Arena;
use plimsoll_os::output::AtomicOutput;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: make_sample OUT.tif [COLS ROWS]")?;
    let cols = args.next().map_or(Ok(1600), |cols| cols.parse())?;
    let rows = args.next().map_or(Ok(1200), |rows| rows.parse())?;
    let shape = write(Path::new(&path), cols, rows)?;
    println!("{path}: {shape}");
    Ok(())
}

fn write(path: &Path, cols: u32, rows: u32) -> Result<Shape, Box<dyn Error>> {
    let shape = Shape::new(rows, cols, 3, SampleKind::U8);
    let wanted = Wanted { compression: Compression::Deflate, ..Wanted::default() };
    let target = Tiff.target(shape, wanted)?;
    let chain = Chain::new(&[], shape)?;
    let strip_rows = 16;
    let needs = target.needs();
    let leased = needs.iter().filter(|need| need.place == Place::Arena).map(|need| need.one(strip_rows));
    let mut arena = Arena::new((chain.bytes(strip_rows) + leased.sum::<u64>()) as usize)?;

    let file = Arc::new(AtomicOutput::create(path, true)?);
    let writer = target.create(file.clone())?;
    let mut budget = Budget::new(arena.as_mut());
    let mut sink = writer.sink(shape.all_rows(), &mut budget)?;
    let mut job = Job::new(&chain, strip_rows, &mut budget, Harbour { shape }, &mut *sink)?;
    job.run()?;
    job.finish()?;
    drop(sink);
    writer.finish()?;
    Arc::into_inner(file).ok_or("the file is still in use")?.commit(true)?;
    Ok(shape)
}

/// Sky, sea, and a hull at its load line.
struct Harbour {
    shape: Shape,
}

impl Source for Harbour {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let Shape { rows, cols, .. } = self.shape;
        for row in strip.rows().iter() {
            let y = f64::from(row) / f64::from(rows);
            for (col, pixel) in strip.cols().iter().zip(strip.row_mut::<u8>(row).chunks_exact_mut(3)) {
                // Columns in units of the height, so that any size shows the same scene.
                let x = f64::from(col) / f64::from(rows);
                let middle = f64::from(cols) / f64::from(rows) / 2.0;
                let grain = 2.0 * noise(row, col);
                for (sample, value) in pixel.iter_mut().zip(colour(x - middle, y)) {
                    *sample = (value + grain).round().clamp(0.0, 255.0) as u8;
                }
            }
        }
        Ok(())
    }
}

/// The scene: `x` from the middle, `y` from the top, both in heights of the picture.
fn colour(x: f64, y: f64) -> [f64; 3] {
    let water = 0.70 + 0.006 * (x * 37.0).sin() + 0.003 * (x * 91.0 + 1.3).sin();
    if y > water {
        let wave = (x * 60.0 / (y - 0.6)).sin() * (y * 170.0).sin() * 14.0;
        let deep = (y - water) * 180.0;
        return [38.0 + wave - deep * 0.1, 84.0 + wave - deep * 0.2, 104.0 + wave - deep * 0.15];
    }
    // The sheer of the deck rises to bow and stern.
    let deck = 0.33 - 0.10 * x * x;
    let bow = 0.56 + 0.16 * (0.70 - y);
    if y > deck && x.abs() < bow {
        return hull(x, y);
    }
    let sun = (-((x + 0.42).powi(2) + (y - 0.16).powi(2)) / 0.008).exp() * 90.0;
    let cloud = ((x * 9.0 + (y * 23.0).sin()).sin() * (y * 31.0 + x * 3.0).sin()).max(0.0) * 26.0;
    [
        150.0 + y * 90.0 + sun + cloud,
        178.0 + y * 48.0 + sun * 0.8 + cloud,
        214.0 + y * 8.0 + sun * 0.3 + cloud,
    ]
}

/// Plates, rivets, the load line, and the mark.
fn hull(x: f64, y: f64) -> [f64; 3] {
    let radius = (x * x + (y - 0.52).powi(2)).sqrt();
    let ring = (radius - 0.075).abs() < 0.007;
    let line = (y - 0.52).abs() < 0.007 && x.abs() < 0.125;
    let ladder = x > 0.20 && x < 0.207 && (y - 0.52).abs() < 0.09;
    let rungs = x > 0.20
        && x < 0.26
        && [-0.09, -0.06, -0.03, 0.0, 0.03, 0.06].iter().any(|at| (y - 0.52 - at).abs() < 0.004);
    if ring || line || ladder || rungs {
        return [236.0, 232.0, 220.0];
    }
    let plates = if (y * 14.0).fract() < 0.02 || (x * 5.0 + (y * 14.0).floor() * 0.5).rem_euclid(1.0) < 0.008
    {
        -16.0
    } else {
        0.0
    };
    let rivet = ((y * 14.0).fract() - 0.06).abs() < 0.02 && (x * 60.0).rem_euclid(1.0) < 0.25;
    let shade =
        plates + if rivet { 10.0 } else { 0.0 } + 24.0 * (0.5 - x.abs()) + 6.0 * (x * 13.0 + y * 7.0).sin();
    if y > 0.60 {
        [128.0 + shade, 38.0 + shade * 0.4, 34.0 + shade * 0.4]
    } else {
        [46.0 + shade, 50.0 + shade, 58.0 + shade]
    }
}

/// A repeatable value of -1.0 to 1.0 for each pixel.
fn noise(row: u32, col: u32) -> f64 {
    let mut hash = row.wrapping_mul(0x9e37_79b9) ^ col.wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0x297a_2d39);
    f64::from(hash ^ (hash >> 16)) / f64::from(u32::MAX) * 2.0 - 1.0
}

#[test]
fn runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("small.tif");
    let shape = write(&path, 160, 120).expect("it fits");
    let input = plimsoll::job::Input::open(&path, plimsoll::job::Io::Read).expect("a TIFF");
    assert_eq!(input.page(1).expect("a page").facts().shape, shape);
}
