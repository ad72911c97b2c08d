//! Outputs that are read back: what a damaged writer leaves never appears, and what a lossy one loses is measured. The
//! writers here are none of the program's: they hand rows to TIFF that are not the ones they were given.

use plimsoll::Failure;
use plimsoll::job::{Checks, Control, Input, Io, OnMiss, Request, Settings, VerifiedJob};
use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::{Need, Sink};
use plimsoll_core::shape::{Rows, Shape};
use plimsoll_core::strip::Strip;
use plimsoll_formats::{Bytes, Format, FormatError, Output, Picture, RowSink, Target, Tiff, Wanted, Writer};
use std::path::Path;

const ROWS: u32 = 120;
const COLS: u32 = 150;

/// What a writer does to the samples.
#[derive(Clone, Copy, Debug)]
enum Flaw {
    /// One bit of one sample of row 77 is wrong.
    Bit,
    /// The four low bits of every sample are lost, unless nothing may be.
    Coarse,
}

struct Flawed(Flaw);

impl Format for Flawed {
    fn name(&self) -> &'static str {
        "flawed"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["flawed"]
    }

    fn sniff(&self, _first: &[u8]) -> bool {
        false
    }

    fn open(&self, bytes: Bytes) -> Result<Box<dyn Picture>, FormatError> {
        Tiff.open(bytes)
    }

    fn target(&self, shape: Shape, wanted: Wanted) -> Result<Box<dyn Target>, FormatError> {
        let flaw = Some(self.0).filter(|flaw| matches!(flaw, Flaw::Bit) || !wanted.lossless);
        Ok(Box::new(FlawedTarget(Tiff.target(shape, wanted)?, flaw)))
    }
}

struct FlawedTarget(Box<dyn Target>, Option<Flaw>);

impl Target for FlawedTarget {
    fn describe(&self) -> String {
        format!("{}, {:?}", self.0.describe(), self.1)
    }

    fn ordered(&self) -> bool {
        self.0.ordered()
    }

    fn lossless(&self) -> bool {
        !matches!(self.1, Some(Flaw::Coarse))
    }

    fn needs(&self) -> Vec<Need> {
        self.0.needs()
    }

    fn file_bytes(&self) -> u64 {
        self.0.file_bytes()
    }

    fn create(&self, output: Output) -> Result<Box<dyn Writer>, FormatError> {
        Ok(Box::new(FlawedWriter(self.0.create(output)?, self.1)))
    }
}

struct FlawedWriter(Box<dyn Writer>, Option<Flaw>);

impl Writer for FlawedWriter {
    fn sink<'a>(&'a self, rows: Rows, budget: &mut Budget<'a>) -> Result<RowSink<'a>, FormatError> {
        Ok(Box::new(FlawedSink(self.0.sink(rows, budget)?, self.1)))
    }

    fn finish(self: Box<Self>) -> Result<(), FormatError> {
        self.0.finish()
    }
}

struct FlawedSink<'a>(RowSink<'a>, Option<Flaw>);

impl Sink for FlawedSink<'_> {
    type Error = FormatError;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), FormatError> {
        for row in strip.rows().iter() {
            let mut samples = strip.row_bytes(row).to_vec();
            match self.1 {
                Some(Flaw::Bit) if row == 77 => samples[3 * 40 + 1] ^= 1,
                Some(Flaw::Coarse) => samples.iter_mut().for_each(|sample| *sample &= 0xf0),
                _ => {}
            }
            let region = strip.narrowed(Rows::one(row)).region();
            self.0.write(&Strip::new(&samples, region, strip.image()).expect("a row of the same length"))?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), FormatError> {
        self.0.finish()
    }
}

static BIT: Flawed = Flawed(Flaw::Bit);
static COARSE: Flawed = Flawed(Flaw::Coarse);

fn samples() -> Vec<u8> {
    (0..ROWS * COLS * 3).map(|at| (at.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect()
}

fn run(
    folder: &Path,
    format: &'static dyn Format,
    checks: Option<Checks>,
    workers: u32,
    steps: &[&str],
) -> Result<plimsoll::job::Converted, Failure> {
    let path = folder.join("in.ppm");
    std::fs::write(&path, [format!("P6\n{COLS} {ROWS}\n255\n").into_bytes(), samples()].concat()).unwrap();
    let input = Input::open(&path, Io::Read).unwrap();
    let request = Request {
        steps: steps.iter().map(|step| step.parse().unwrap()).collect(),
        output: folder.join("out.tif"),
        wanted: Wanted::default(),
        format: Some(format),
        metadata: true,
        upright: false,
    };
    let settings = Settings { workers: Some(workers), sync: false, ..Settings::default() };
    VerifiedJob::plan(&input, 1, request, settings, checks).unwrap().run(&Control::default())
}

fn names(folder: &Path) -> Vec<String> {
    let list = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = list.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn one_wrong_bit_is_found_and_the_output_does_not_appear() {
    for workers in [1, 3] {
        for steps in [&[][..], &["blur:2", "invert"]] {
            let folder = tempfile::tempdir().unwrap();
            let error = run(folder.path(), &BIT, Some(Checks::default()), workers, steps).unwrap_err();
            assert_eq!(error.exit_code(), 6, "{error}");
            let said = error.to_string();
            assert!(said.contains("1 samples differ, the first in row 77, column 40, band 1"), "{said}");
            assert_eq!(names(folder.path()), ["in.ppm"]);
        }
    }
    // Nobody sees it who does not look.
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), &BIT, None, 1, &[]).unwrap().checked.is_none());
    assert_eq!(names(folder.path()), ["in.ppm", "out.tif"]);
}

/// The PSNR of samples whose four low bits are lost, by its definition.
fn coarse_psnr() -> (f64, f64) {
    let squares: u64 = samples().iter().map(|sample| u64::from(sample & 15).pow(2)).sum();
    let mse = squares as f64 / samples().len() as f64;
    (mse, 10.0 * (255.0f64 * 255.0 / mse).log10())
}

#[test]
fn what_is_lost_is_measured_and_held_against_what_was_asked_for() {
    let (mse, psnr) = coarse_psnr();
    let checks =
        |min_psnr: f64, on_miss| Some(Checks { min_psnr: Some(min_psnr), min_ssim: Some(0.2), on_miss });
    for workers in [1, 2] {
        let folder = tempfile::tempdir().unwrap();
        let done = run(folder.path(), &COARSE, checks(psnr - 0.01, OnMiss::Fail), workers, &[]).unwrap();
        let found = done.checked.unwrap();
        assert!((found.mse - mse).abs() <= 1e-9 * mse && (found.psnr - psnr).abs() <= 1e-9 * psnr);
        assert!(!found.identical && !found.missed && found.max_difference == 15.0);
        assert!(found.ssim.is_some_and(|ssim| ssim > 0.2 && ssim < 1.0));

        let folder = tempfile::tempdir().unwrap();
        let error = run(folder.path(), &COARSE, checks(psnr + 0.01, OnMiss::Fail), workers, &[]).unwrap_err();
        assert_eq!(error.exit_code(), 6);
        assert!(error.to_string().contains("its PSNR is"), "{error}");
        assert_eq!(names(folder.path()), ["in.ppm"]);

        let done = run(folder.path(), &COARSE, checks(psnr + 0.01, OnMiss::Keep), workers, &[]).unwrap();
        assert!(done.checked.unwrap().missed);
        assert_eq!(names(folder.path()), ["in.ppm", "out.tif"]);

        let folder = tempfile::tempdir().unwrap();
        let done = run(folder.path(), &COARSE, checks(psnr + 0.01, OnMiss::Lossless), workers, &[]).unwrap();
        let found = done.checked.unwrap();
        assert!(found.identical && found.before.is_some_and(|(before, _)| (before - psnr).abs() < 1e-6));
        assert!(done.stored.ends_with("None"), "{}", done.stored);
        assert_eq!(names(folder.path()), ["in.ppm", "out.tif"]);
    }
}

#[test]
fn too_little_similarity_is_a_miss_too() {
    let folder = tempfile::tempdir().unwrap();
    let checks = Checks { min_ssim: Some(0.9999), ..Checks::default() };
    let error = run(folder.path(), &COARSE, Some(checks), 1, &[]).unwrap_err();
    assert!(error.to_string().contains("its SSIM is"), "{error}");
    assert_eq!(names(folder.path()), ["in.ppm"]);
}
