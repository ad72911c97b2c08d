//! Promise: files of other people's software come out as two other readers see them, or are refused by name.
//!
//! Needs the corpus (`PLIMSOLL_CORPUS`, or `../../../shared/corpus` beside the crate); without it there is nothing to
//! judge and the tests say so.

mod tiff_files;

use plimsoll_formats::FormatError;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tiff_files::{page, read_whole};

fn corpus() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("PLIMSOLL_CORPUS").map_or(beside, PathBuf::from);
    let found = folder.join("tiff_pages.tsv").is_file();
    if !found {
        println!("skipped: no corpus in {}; set PLIMSOLL_CORPUS", folder.display());
    }
    found.then_some(folder)
}

/// What became of a page.
enum Outcome {
    Samples(String),
    Unsupported(String),
    Refused(String),
    TooLarge,
}

/// Samples as the table hashes them: little-endian, and as narrow as they are stored.
fn as_stored(samples: &mut Vec<u8>, width: usize, dtype: &str) {
    if cfg!(target_endian = "big") {
        samples.chunks_exact_mut(width).for_each(<[u8]>::reverse);
    }
    match dtype {
        "|i1" => {
            let narrow = |sample: &[u8]| {
                let value = i16::from_le_bytes([sample[0], sample[1]]);
                i8::try_from(value).expect("a sample of 8 bits fits 8 bits") as u8
            };
            *samples = samples.chunks_exact(2).map(narrow).collect();
        }
        "<f2" => {
            let narrow = |sample: &[u8]| {
                let value = f32::from_le_bytes([sample[0], sample[1], sample[2], sample[3]]);
                let half = half::f16::from_f32(value);
                assert!(half.to_f32() == value || value.is_nan(), "a sample of 16 bits fits 16 bits");
                half.to_le_bytes()
            };
            *samples = samples.chunks_exact(4).flat_map(narrow).collect();
        }
        _ => {}
    }
}

fn outcome(bytes: Vec<u8>, index: u32, dtype: &str) -> Outcome {
    let sorted = |error: FormatError| match error {
        FormatError::Unsupported { feature, .. } => Outcome::Unsupported(feature),
        other => Outcome::Refused(other.to_string()),
    };
    let page = match page(bytes, index) {
        Ok(page) => page,
        Err(error) => return sorted(error),
    };
    let mut results = [1, 3, u32::MAX].map(|strip_rows| read_whole(&*page, strip_rows));
    let width = page.facts().shape.kind.bytes();
    let mut hashes = results.iter_mut().flatten().filter_map(|result| result.as_mut().ok()).map(|samples| {
        as_stored(samples, width, dtype);
        Sha256::digest(samples).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    });
    let hash = hashes.next();
    assert!(hashes.all(|other| Some(&other) == hash.as_ref()), "strip heights change the samples");
    match (hash, results) {
        (_, [None, ..]) => Outcome::TooLarge,
        (Some(hash), [Some(Ok(_)), Some(Ok(_)), Some(Ok(_))]) => Outcome::Samples(hash),
        (_, [Some(Err(error)), ..]) => sorted(error),
        _ => panic!("some strip heights fail, others do not"),
    }
}

#[test]
fn every_page_is_exact_or_refused_by_name() {
    let Some(folder) = corpus() else { return };
    let table = std::fs::read_to_string(folder.join("tiff_pages.tsv")).expect("the table can be read");
    let mut counts = BTreeMap::<&str, u32>::new();
    let mut names = BTreeMap::<String, u32>::new();
    let mut wrong = Vec::new();
    for line in table.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [file, index, expected, .., info] = columns[..] else { panic!("a short line: {line}") };
        let bytes = std::fs::read(folder.join(file)).expect("the table names files that are there");
        let outcome = outcome(bytes, index.parse().expect("a page number"), columns[6]);
        let result = match (expected, &outcome) {
            ("pixels", Outcome::Samples(hash)) if hash == columns[7] => "pixels: exact",
            ("pixels", Outcome::Unsupported(feature)) => {
                *names.entry(feature.clone()).or_default() += 1;
                "pixels: refused by name"
            }
            ("reject", Outcome::Unsupported(_) | Outcome::Refused(_)) => "reject: refused",
            ("reject", Outcome::TooLarge) | ("bomb", _) => "reject: too large, stated before",
            ("ambiguous" | "unsupported", Outcome::Samples(_)) => "ambiguous: samples",
            ("ambiguous" | "unsupported", _) => "ambiguous: refused",
            _ => "WRONG",
        };
        *counts.entry(result).or_default() += 1;
        if result == "WRONG" {
            let what = match outcome {
                Outcome::Samples(hash) => format!("samples {hash}"),
                Outcome::Unsupported(what) => format!("unsupported: {what}"),
                Outcome::Refused(what) => what,
                Outcome::TooLarge => "too large".to_string(),
            };
            wrong.push(format!("{file} page {index}: expected {expected}, got {what} ({info})"));
        }
    }
    println!("{counts:#?}\n{names:#?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(counts.get("pixels: exact").is_some_and(|exact| *exact >= 149), "{counts:?}");
}
