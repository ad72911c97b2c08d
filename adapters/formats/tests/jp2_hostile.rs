//! Promise: any bytes give rows or a typed error, within the memory that was stated and work that the bytes pay for.

mod jp2_files;

use jp2_files::{components, corpus, difference, has, page, picture, read, read_all, stated, write};
use plimsoll_core::shape::{SampleKind, Shape};
use plimsoll_formats::{Format, FormatError, Jpeg2000, Wanted};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};

/// What reading may take for a few hundred bytes; the promise is 10 s for any of them.
const SOON: Duration = Duration::from_secs(10);

/// Reads a file if it asks for no more than 64 MiB.
fn try_all(content: &[u8]) -> Result<Vec<u8>, FormatError> {
    let begun = Instant::now();
    let page = page(content)?;
    let shape = page.facts().shape;
    let needs = page.needs(shape.region());
    let result = if stated(&needs) > 64 << 20 || shape.image_bytes() > 64 << 20 {
        Ok(Vec::new())
    } else {
        read(&*page, shape.region(), 8)
    };
    assert!(begun.elapsed() < SOON, "{:?} for {} bytes", begun.elapsed(), content.len());
    result
}

#[test]
fn corpus_files_are_exact_or_within_one() {
    let Some(folder) = corpus() else { return };
    let manifest = std::fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let mut seen = 0;
    for line in manifest.lines().filter(|line| line.starts_with("jp2/")) {
        let fields: Vec<&str> = line.split('\t').collect();
        let (name, hash) = (fields[0], fields.last().unwrap().split("sha256=").nth(1).unwrap_or(""));
        let path = folder.join(name);
        let content = std::fs::read(&path).unwrap();
        let (shape, samples) = read_all(&content).unwrap_or_else(|error| panic!("{name}: {error}"));
        // The hash is of OpenJPEG's raw output: plane after plane, least significant byte first.
        let (width, bands) = (shape.kind.bytes(), usize::from(shape.bands));
        let planar: Vec<u8> = (0..bands)
            .flat_map(|band| samples.chunks_exact(width).skip(band).step_by(bands))
            .flat_map(|sample| {
                let mut sample = sample.to_vec();
                if cfg!(target_endian = "big") {
                    sample.reverse();
                }
                sample
            })
            .collect();
        let ours: String = Sha256::digest(&planar).iter().map(|byte| format!("{byte:02x}")).collect();
        if ours != hash {
            assert!(page(&content).unwrap().facts().compression.contains("9/7"), "{name}: {shape}");
            if has("opj_decompress") {
                assert!(difference(shape, &samples, &components(&path, 0)) <= 1, "{name}");
            }
        }
        seen += 1;
    }
    assert!(seen >= 12, "{seen} files");
}

#[test]
fn malformed_files_are_refused_soon() {
    let Some(folder) = corpus() else { return };
    for entry in std::fs::read_dir(folder.join("jp2_malformed")).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read(&path).unwrap();
        let error = try_all(&content).expect_err(&path.display().to_string());
        let by_culprit = matches!(error, FormatError::Malformed { .. } | FormatError::Unsupported { .. });
        assert!(by_culprit, "{}: {error}", path.display());
        println!("{}: {error}", path.display());
    }
}

fn small() -> Vec<u8> {
    let shape = Shape::new(60, 70, 3, SampleKind::U8);
    let target = Jpeg2000::Jp2.target(shape, Wanted { tile: Some(32), ..Wanted::default() }).unwrap();
    write(&*target, shape, &picture(shape, false), 8).unwrap()
}

#[test]
fn truncated_files_are_refused() {
    let file = small();
    for len in (12..file.len() - 2).step_by(7) {
        assert!(try_all(&file[..len]).is_err(), "{len} of {} bytes", file.len());
    }
}

#[test]
fn changed_headers_do_no_harm() {
    let file = small();
    let first = file.windows(2).position(|two| two == [0xFF, 0x90]).unwrap();
    for at in (12..first + 40).chain((first + 40..file.len()).step_by(11)) {
        for value in [0, 1, 0x7F, 0x80, 0xFF, file[at] ^ 1, file[at].wrapping_add(16)] {
            let mut changed = file.clone();
            changed[at] = value;
            // Whatever comes of it: no panic, no hang, no memory beyond what is stated.
            let _ = try_all(&changed);
        }
    }
}

/// A codestream of so many pixels in one tile with these sizes of precincts, layers, and next to no data.
fn trap(side: u32, tile: u32, layers: u16, progression: u8, levels: u8, precincts: &[u8]) -> Vec<u8> {
    let mut out = vec![0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0, 0];
    for number in [side, side, 0, 0, tile, tile, 0, 0] {
        out.extend(number.to_be_bytes());
    }
    out.extend([0, 1, 7, 1, 1]);
    let precincts: Vec<u8> = precincts.iter().copied().cycle().take(usize::from(levels) + 1).collect();
    out.extend([0xFF, 0x52, 0, 12 + precincts.len() as u8, 1, progression]);
    out.extend(layers.to_be_bytes());
    out.extend([0, levels, 4, 4, 0, 1]);
    out.extend(&precincts);
    out.extend([0xFF, 0x5C, 0, 4 + 3 * levels, 0x40]);
    out.extend(std::iter::repeat_n(0x48, 1 + 3 * usize::from(levels)));
    let tiles = side.div_ceil(tile).pow(2);
    for index in 0..tiles.min(65535) {
        out.extend([0xFF, 0x90, 0, 10]);
        out.extend((index as u16).to_be_bytes());
        out.extend([0, 0, 0, 15, 0, 1, 0xFF, 0x93, 0]);
    }
    out.extend([0xFF, 0xD9]);
    out
}

#[test]
fn work_is_bounded_by_the_bytes_there_are() {
    let traps = [
        ("layers", trap(1024, 1024, 65535, 0, 5, &[0xFF])),
        ("precincts", trap(4096, 4096, 1, 2, 1, &[0x11])),
        ("positions", trap(4096, 4096, 1, 3, 1, &[0xF1, 0x1F])),
        ("tiles and layers", trap(8192, 64, 65535, 0, 5, &[0xFF])),
    ];
    for (name, content) in traps {
        let begun = Instant::now();
        let error = try_all(&content).expect_err(name);
        assert!(matches!(error, FormatError::Malformed { .. }), "{name}: {error}");
        assert!(begun.elapsed() < Duration::from_secs(2), "{name}: {:?}", begun.elapsed());
    }
    let begun = Instant::now();
    assert!(page(&trap(256 * 64, 64, 1, 0, 5, &[0xFF])).is_err(), "more tiles than a file may have");
    let _ = try_all(&trap(4096, 32, 1, 2, 5, &[0xFF]));
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}
