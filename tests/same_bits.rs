//! Promise: the same bytes on every target and in every later version. `same_bits.tsv` holds what each transform made
//! of a fixed small picture, by kind of sample, and what was measured of it; any target must make the same.
//!
//! Where results are changed on purpose (say so in the change log):
//! `PLIMSOLL_GOLDEN=write cargo test -p plimsoll-tests --test same_bits`, and look at what `git diff` shows.

use plimsoll_core::budget::{ALIGN, Budget};
use plimsoll_core::measure::{Range, RangeOf};
use plimsoll_core::pipeline::{Chain, Job, Sink, Source, Stage};
use plimsoll_core::shape::{SampleKind, Shape};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_core::transform::WORDS;
use plimsoll_os::cpu::build;
use plimsoll_tests::{Kind, Packing, Picture, Storage, Work, programs};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write;

/// Each transform, with the settings that lead through other arithmetic.
const STEPS: [&str; 45] = [
    "invert",
    "crop:3,2,20,15",
    "linear:1.5,-20",
    "linear:-0.3,0.7",
    "gamma:2.2",
    "gamma:0.4",
    "levels:0.1,0.8,1.2",
    "levels:16,235,1.2",
    "to:u8",
    "to:u16",
    "to:i16",
    "to:u32",
    "to:i32",
    "to:f32",
    "to:f64",
    "to:u8,cast",
    "to:f32,cast",
    "bands:2,1,0",
    "bands:1",
    "gray",
    "flip",
    "conv:3,16,1,2,1,2,4,2,1,2,1",
    "conv:5,7,0,-1,2,-1,0,1,0,3,0,1,2,3,-9,3,2,1,0,3,0,1,0,-1,2,-1,0,3",
    "sharpen",
    "blur:0.5",
    "blur:2",
    "blur:9.7",
    "median:3",
    "median:5",
    "resize:0.9,linear",
    "resize:0.37,box",
    "resize:0.21,cubic",
    "resize:0.11,lanczos3",
    "resize:2.5,lanczos3",
    "resize:3,linear",
    "resize:17x40,cubic",
    "resize:1.7,box",
    "shrink:2",
    "shrink:5",
    "thumbnail:8",
    "thumbnail:11,area",
    "thumbnail:64,cubic",
    "normalize",
    "normalize:percentiles,1,99",
    "normalize:deviations,2",
];

/// Where results are kept.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/same_bits.tsv");

/// The range that a normalizing transform asks for: it has uneven ends.
fn range(of: &RangeOf) -> Range {
    match of {
        RangeOf::MinMax => Range { low: 0.05, high: 201.3 },
        RangeOf::Percentiles { .. } => Range { low: 13.7, high: 40_000.1 },
        _ => Range { low: -0.3, high: 0.77 },
    }
}

/// A picture's samples in this machine's byte order.
struct Samples(Shape, Vec<u8>);

impl Source for Samples {
    type Error = Infallible;

    fn shape(&self) -> Shape {
        self.0
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), Infallible> {
        let pixel = self.0.pixel_bytes();
        for row in strip.rows().iter() {
            let start = row as usize * self.0.row_bytes() as usize + strip.cols().start() as usize * pixel;
            let bytes = strip.cols().len() as usize * pixel;
            strip.row_bytes_mut(row).copy_from_slice(&self.1[start..start + bytes]);
        }
        Ok(())
    }
}

/// Hashes rows, samples little-endian.
struct Hash(Sha256);

impl Sink for Hash {
    type Error = Infallible;

    fn write(&mut self, strip: &Strip<'_>) -> Result<(), Infallible> {
        for row in strip.rows().iter() {
            let mut bytes = strip.row_bytes(row).to_vec();
            little_endian(&mut bytes, strip.image().kind.bytes());
            self.0.update(&bytes);
        }
        Ok(())
    }
}

/// Turns samples of `width` bytes from this machine's order to little-endian, or back.
fn little_endian(bytes: &mut [u8], width: usize) {
    if cfg!(target_endian = "big") {
        bytes.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The picture: 31 x 37 of three bands, a multiple of nothing. Floats go from -0.5 to 1.5.
fn source(kind: Kind) -> Samples {
    let picture = Picture::new(31, 37, 3, kind);
    let mut samples = picture.samples();
    let name = match kind {
        Kind::U8 => SampleKind::U8,
        Kind::U16 => SampleKind::U16,
        Kind::F32 => SampleKind::F32,
    };
    if kind == Kind::F32 {
        for sample in samples.as_chunks_mut::<4>().0 {
            *sample = (f32::from_le_bytes(*sample) * 2.0 - 0.5).to_le_bytes();
        }
    }
    little_endian(&mut samples, kind.bytes());
    Samples(Shape::new(picture.rows, picture.cols, picture.bands, name), samples)
}

/// What `step` makes of the picture: shape and hash, or why there is nothing.
fn result(step: &str, kind: Kind) -> String {
    let source = source(kind);
    let (name, settings) = step.split_once(':').unwrap_or((step, ""));
    // Once to hear which ranges it asks for, and once with them.
    let asking = build(name, settings, source.0, &[]).map(|built| built.asked);
    let known: Vec<Range> = asking.iter().flatten().map(range).collect();
    let built = match build(name, settings, source.0, &known) {
        Ok(built) => built,
        Err(error) => return format!("refused: {error}"),
    };
    let stages: Vec<&dyn Stage> = built.stages.iter().map(|stage| &**stage).collect();
    let chain = match Chain::new(&stages, source.0) {
        Ok(chain) => chain,
        Err(error) => return format!("refused: {error}"),
    };
    let bytes = chain.bytes(4) as usize;
    let mut arena = vec![0u8; bytes + ALIGN];
    let skip = arena.as_ptr().align_offset(ALIGN);
    let mut budget = Budget::new(&mut arena[skip..skip + bytes]);
    let mut job = Job::new(&chain, 4, &mut budget, source, Hash(Sha256::new())).expect("planned");
    job.run().expect("it runs");
    let (_, hash) = job.finish().expect("it ends");
    let Shape { rows, cols, bands, kind } = chain.output_shape();
    format!("{rows}x{cols}x{bands} {kind} {}", hex(hash.0))
}

/// Hashes the numbers that were measured, under their names; what else a result says may change.
fn hash_numbers(value: &Value, name: &str, hash: &mut Sha256) {
    const NAMES: [&str; 11] = [
        "count",
        "nans",
        "min",
        "max",
        "mean",
        "deviation",
        "mse",
        "psnr",
        "max_difference",
        "differing",
        "ssim",
    ];
    match value {
        Value::Object(fields) => {
            for name in NAMES.iter().chain(&["overall", "by_band", "histogram", "ssim_by_band"]) {
                if let Some(value) = fields.get(*name) {
                    hash_numbers(value, name, hash);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| hash_numbers(value, name, hash)),
        value => hash.update(format!("{name} {value}\n")),
    }
}

/// Everything that is kept, in order: what was done, and what came of it.
fn results() -> Vec<(String, String)> {
    let kinds = [(Kind::U8, "u8"), (Kind::U16, "u16"), (Kind::F32, "f32")];
    let mut results = Vec::new();
    for step in STEPS {
        results.extend(kinds.map(|(kind, name)| (format!("{step}\t{name}"), result(step, kind))));
    }
    // What is measured is printed to the last bit: shortest decimals that read back as the same double.
    let work = Work::new(programs!());
    for (kind, name) in kinds {
        let picture = Picture::new(31, 37, 3, kind);
        let ending = if kind == Kind::F32 { "pfm" } else { "ppm" };
        work.picture("in.tif", &picture, &Storage::strips(4, Packing::None));
        work.done(&format!("convert in.tif -o in-blurred.{ending} --overwrite --do blur:1"));
        for measure in [
            "stats in.tif --json".to_owned(),
            "stats in.tif --json --histogram --do resize:0.7,cubic".to_owned(),
            format!("compare in.tif in-blurred.{ending} --json --ssim 8"),
            format!("compare in.tif in-blurred.{ending} --json --ssim 11"),
        ] {
            let said = work.run(&measure);
            assert_eq!(said.code, 0, "{measure}: {}", said.stderr);
            let said = serde_json::from_str(&said.stdout).expect("it is JSON");
            let mut hash = Sha256::new();
            hash_numbers(&said, "", &mut hash);
            let measure = measure.replace(&format!(".{ending}"), "");
            results.push((format!("{measure}\t{name}"), hex(hash)));
        }
    }
    results
}

#[test]
fn results_are_those_that_were_kept() {
    let results = results();
    if std::env::var_os("PLIMSOLL_GOLDEN").is_some_and(|wish| wish == "write") {
        let mut text = String::from("step\tkind\tresult\n");
        results.iter().for_each(|(what, result)| {
            let _ = writeln!(text, "{what}\t{result}");
        });
        std::fs::write(GOLDEN, text).expect("the results can be kept");
        return;
    }
    let golden = std::fs::read_to_string(GOLDEN).expect("the results are kept");
    let mut kept: BTreeMap<&str, &str> =
        golden.lines().skip(1).filter_map(|line| line.rsplit_once('\t')).collect();
    let mut wrong = Vec::new();
    for (what, result) in &results {
        match kept.remove(what.as_str()) {
            Some(kept) if kept == result => {}
            kept => wrong.push(format!("{what}: {result}, kept was {}", kept.unwrap_or("nothing"))),
        }
    }
    assert!(wrong.is_empty(), "other bits than kept:\n{}", wrong.join("\n"));
    assert!(kept.is_empty(), "kept, but no longer tried: {kept:?}");
}

#[test]
fn every_transform_is_among_them_and_works_for_all_kinds() {
    let golden = std::fs::read_to_string(GOLDEN).expect("the results are kept");
    for words in WORDS {
        for kind in ["u8", "u16", "f32"] {
            let is_there = golden.lines().any(|line| {
                let step = line.split([':', '\t']).next();
                step == Some(words.name) && line.contains(&format!("\t{kind}\t")) && !line.contains("refused")
            });
            assert!(is_there, "{} of {kind}", words.name);
        }
    }
}
