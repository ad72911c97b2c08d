//! Promise: any bytes give rows or a typed error, within the memory that was stated and work that the bytes pay for.

mod jp2_files;

use jp2_files::{components, corpus, difference, has, page, picture, read, read_all, stated, write};
use plimsoll_core::shape::{SampleKind, Shape};
use plimsoll_formats::{Format, FormatError, Jp2Wanted, Jpeg2000, Wanted};
use plimsoll_os::timing::processor_time;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// What reading may take for a few hundred bytes; the promise is 10 s for any of them.
const SOON: Duration = Duration::from_secs(10);

/// Reads a file if it asks for no more than 64 MiB.
fn try_all(content: &[u8]) -> Result<Vec<u8>, FormatError> {
    let begun = processor_time();
    let page = page(content)?;
    let shape = page.facts().shape;
    let needs = page.needs(shape.region());
    let result = if stated(&needs) > 64 << 20 || shape.image_bytes() > 64 << 20 {
        Ok(Vec::new())
    } else {
        read(&*page, shape.region(), 8)
    };
    let spent = processor_time() - begun;
    assert!(spent < SOON, "{spent:?} for {} bytes", content.len());
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
        let Err(error) = try_all(&content) else { panic!("{} is read", path.display()) };
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

/// A box that ends before its codestream's header does, or within its first tile-part: what follows is another box's.
#[test]
fn codestreams_longer_than_their_box_are_refused() {
    let file = small();
    let at = file.windows(4).position(|four| four == b"jp2c").unwrap() - 4;
    let header = file.windows(4).position(|four| four == [0xFF, 0x90, 0, 10]).unwrap() - at;
    for len in (10..header + 40).chain([header - 1, header + 1]) {
        let mut changed = file.clone();
        changed[at..at + 4].copy_from_slice(&(len as u32).to_be_bytes());
        let error = try_all(&changed).expect_err("a short box");
        assert!(matches!(error, FormatError::Malformed { .. }), "{len} bytes: {error}");
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

/// Bits of packets' headers, stuffed after bytes of all ones.
#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    byte: u8,
    used: u8,
}

impl Bits {
    fn put(&mut self, number: u32, bits: u32) {
        for bit in (0..bits).rev() {
            let most = if self.out.last() == Some(&0xFF) { 7 } else { 8 };
            self.byte = self.byte << 1 | (number >> bit & 1) as u8;
            self.used += 1;
            if self.used == most {
                self.out.push(std::mem::take(&mut self.byte));
                self.used = 0;
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        while self.used > 0 || self.out.last() == Some(&0xFF) {
            self.put(0, 1);
        }
        self.out
    }
}

/// One packet of a grid of `side` x `side` code-blocks, each with 88 coding passes and no byte for them.
fn empty_passes(side: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(1, 1);
    let mut known = [vec![false; 2 * side * side + 64], vec![false; 2 * side * side + 64]];
    for block in 0..side * side {
        // Both tag trees: all numbers are 0, which is told once for each node.
        for known in &mut known {
            let (mut x, mut y, mut width, mut start) = (block % side, block / side, side, 0);
            loop {
                if !std::mem::replace(&mut known[start + y * width + x], true) {
                    bits.put(1, 1);
                }
                if width == 1 {
                    break;
                }
                start += width * width;
                (x, y, width) = (x / 2, y / 2, width.div_ceil(2));
            }
        }
        bits.put(0b1111_11111, 9);
        bits.put(88 - 37, 7);
        bits.put(0, 1 + 3 + 6);
    }
    bits.finish()
}

/// A codestream of one resolution whose tiles all have this body; blocks of 2^`block` a side, 30 bit-planes.
fn of_bodies(side: u32, tile: u32, layers: u16, block: u8, body: &[u8]) -> Vec<u8> {
    of_packets(side, tile, layers, block, None, body)
}

/// The same, with headers of packets in the heads of tile-parts.
fn of_packets(side: u32, tile: u32, layers: u16, block: u8, packed: Option<&[u8]>, body: &[u8]) -> Vec<u8> {
    let packed = packed.map_or(Vec::new(), |headers| {
        let len = (headers.len() as u16 + 3).to_be_bytes();
        [&[0xFF, 0x61, len[0], len[1], 0], headers].concat()
    });
    let mut out = vec![0xFF, 0x4F, 0xFF, 0x51, 0, 41, 0, 0];
    for number in [side, side, 0, 0, tile, tile, 0, 0] {
        out.extend(number.to_be_bytes());
    }
    out.extend([0, 1, 7, 1, 1, 0xFF, 0x52, 0, 12, 0, 0]);
    out.extend(layers.to_be_bytes());
    out.extend([0, 0, block - 2, block - 2, 0, 1, 0xFF, 0x5C, 0, 4, 0x40, 29 << 3]);
    for index in 0..side.div_ceil(tile).pow(2) {
        out.extend([0xFF, 0x90, 0, 10]);
        out.extend((index as u16).to_be_bytes());
        out.extend((14 + packed.len() as u32 + body.len() as u32).to_be_bytes());
        out.extend([0, 1]);
        out.extend(&packed);
        out.extend([0xFF, 0x93]);
        out.extend(body);
    }
    out.extend([0xFF, 0xD9]);
    out
}

/// Each packet goes over 65536 code-blocks to find that none has a part in it: four thousand million visits in 59 KiB.
#[test]
fn visits_of_code_blocks_are_bounded() {
    let content = of_bodies(1024, 1024, 60000, 2, &[0x80; 60000]);
    let begun = processor_time();
    let page = page(&content);
    let error = page.and_then(|page| read(&*page, page.facts().shape.region(), 8)).expect_err("a trap");
    assert!(matches!(error, FormatError::Malformed { .. }), "{error}");
    let spent = processor_time() - begun;
    assert!(spent < Duration::from_secs(2), "{spent:?}");
}

/// Coding passes without bytes: three bytes for 88 passes over 4096 samples.
#[test]
fn coding_passes_are_bounded() {
    let headers = empty_passes(16);
    for content in [of_bodies(8192, 1024, 1, 6, &headers), of_packets(8192, 1024, 1, 6, Some(&headers), &[])]
    {
        assert!(content.len() < 70_000, "{}", content.len());
        let begun = processor_time();
        let page = page(&content).unwrap();
        let error = read(&*page, page.facts().shape.region(), 8).expect_err("a trap");
        assert!(error.to_string().contains("coding passes"), "{error}");
        let spent = processor_time() - begun;
        assert!(spent < Duration::from_secs(1), "{spent:?}");
    }
}

/// What has few bytes because there is nothing in it is no trap.
#[test]
fn pictures_of_next_to_nothing_are_read() {
    for (kind, bits) in [(SampleKind::U8, 8), (SampleKind::U16, 16)] {
        let shape = Shape::new(1500, 1300, 1, kind);
        let mut empty = vec![0u8; shape.image_bytes() as usize];
        let mut points = empty.clone();
        for point in points.chunks_exact_mut(kind.bytes()).step_by(128 * 1300 + 128) {
            point.copy_from_slice(&(1u32 << (bits - 1)).to_ne_bytes()[..kind.bytes()]);
        }
        empty.fill(0);
        for (image, block) in [(&empty, 6), (&points, 6), (&points, 3)] {
            for tile in [256, 1500] {
                let jp2 = Jp2Wanted { layers: Some(block), ..Jp2Wanted::default() };
                let wanted = Wanted { jp2, tile: Some(tile), ..Wanted::default() };
                let target = Jpeg2000::Jp2.target(shape, wanted).unwrap();
                let file = write(&*target, shape, image, 64).unwrap();
                assert!(read_all(&file).unwrap().1 == *image, "{kind}, tiles of {tile}");
            }
        }
    }
}

/// Tiles of a few samples each: what a tile costs beside its samples counts.
#[test]
fn many_small_tiles_are_read_soon() {
    let content = of_bodies(16 * 255, 16, 1, 6, &[0]);
    let begun = processor_time();
    let (shape, _) = read_all(&content).unwrap();
    assert_eq!(shape.rows, 4080);
    let spent = processor_time() - begun;
    assert!(spent < SOON, "{spent:?}");
}

/// The decoder reads what the main header says for each tile: saying it four thousand times costs nothing there.
#[test]
fn styles_that_are_said_again_and_again_are_read_once() {
    let mut content = of_bodies(16 * 255, 16, 1, 6, &[0]);
    let style = content.windows(2).position(|two| two == [0xFF, 0x52]).unwrap();
    let steps = content.windows(2).position(|two| two == [0xFF, 0x5C]).unwrap();
    let of_all = content[style..steps].to_vec();
    let of_one = [&[0xFF, 0x53, 0, 9, 0, 0], &of_all[9..]].concat();
    let again = [&of_one[..], &of_all].concat().repeat(2000);
    content.splice(steps..steps, again);
    let begun = processor_time();
    let (shape, _) = read_all(&content).unwrap();
    assert_eq!(shape.rows, 4080);
    let spent = processor_time() - begun;
    assert!(spent < SOON, "{spent:?}");
    // None of them is longer than it may be.
    let long = [&[0xFF, 0x5C, 1, 0, 0x40][..], &[29 << 3; 253]].concat();
    content.splice(steps..steps, long);
    let error = read_all(&content).expect_err("a long segment");
    assert!(error.to_string().contains("a segment 0xFF5C of 254 bytes: 224 are the most"), "{error}");
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
        let begun = processor_time();
        let error = try_all(&content).expect_err(name);
        assert!(matches!(error, FormatError::Malformed { .. }), "{name}: {error}");
        let spent = processor_time() - begun;
        assert!(spent < Duration::from_secs(2), "{name}: {spent:?}");
    }
    let begun = processor_time();
    assert!(page(&trap(256 * 64, 64, 1, 0, 5, &[0xFF])).is_err(), "more tiles than a file may have");
    let _ = try_all(&trap(4096, 32, 1, 2, 5, &[0xFF]));
    let spent = processor_time() - begun;
    assert!(spent < SOON, "{spent:?}");
}
