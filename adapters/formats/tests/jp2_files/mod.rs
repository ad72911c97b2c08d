//! For tests of JPEG 2000: pictures through the public seams, and what OpenJPEG's own programs make of them.
#![allow(dead_code, reason = "each test file uses a part of it")]

pub(crate) mod apart;

use plimsoll_core::budget::{ALIGN, Budget};
use plimsoll_core::bytes::ReadAt;
use plimsoll_core::pipeline::Need;
use plimsoll_core::pipeline::plan::Place;
use plimsoll_core::shape::{Region, Rows, SampleKind, Shape};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_formats::{Bytes, FormatError, Output, Page, Target, TileOrderPage, WriteAt, detect};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

/// A file in memory.
pub(crate) struct File(pub(crate) Vec<u8>);

impl ReadAt for File {
    type Error = io::Error;
    fn len(&self) -> u64 {
        self.0.len() as u64
    }
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.0.as_slice().read_at(offset, into).map_err(|_| io::ErrorKind::UnexpectedEof.into())
    }
}

/// A number of these bytes, the most significant one first.
pub(crate) fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// The first page of a file.
pub(crate) fn page(content: &[u8]) -> Result<Arc<dyn Page>, FormatError> {
    let bytes: Bytes = Arc::new(File(content.to_vec()));
    let picture = detect(content).expect("a format knows it").open(bytes)?;
    Ok(picture.page(0)?.expect("a first page"))
}

fn bytes_in(needs: &[Need], place: Place) -> usize {
    needs.iter().filter(|need| need.place == place).map(|need| need.bytes as usize).sum()
}

/// Bytes of heap and arena that these needs come to.
pub(crate) fn stated(needs: &[Need]) -> usize {
    bytes_in(needs, Place::Heap) + bytes_in(needs, Place::Arena)
}

fn with_arena<R>(needs: &[Need], work: impl FnOnce(&mut [u8]) -> R) -> R {
    let bytes = bytes_in(needs, Place::Arena);
    let mut arena = vec![0u8; bytes + ALIGN];
    let skip = arena.as_ptr().align_offset(ALIGN);
    work(&mut arena[skip..skip + bytes])
}

/// Reads a region in strips of `strip_rows`, in an arena of exactly what the page says it needs.
pub(crate) fn read(page: &dyn Page, region: Region, strip_rows: u32) -> Result<Vec<u8>, FormatError> {
    let shape = page.facts().shape;
    let row_bytes = region.cols.len() as usize * shape.pixel_bytes();
    let mut samples = Vec::with_capacity(region.rows.len() as usize * row_bytes);
    let mut ring = vec![0u64; (strip_rows as usize * row_bytes).div_ceil(8)];
    let ring: &mut [u8] = &mut bytemuck::cast_slice_mut(&mut ring)[..strip_rows as usize * row_bytes];
    with_arena(&page.needs(region), |arena| {
        let mut source = page.source(region, &mut Budget::new(arena))?;
        let mut start = region.rows.start();
        while start < region.rows.end() {
            let end = start.saturating_add(strip_rows).min(region.rows.end());
            let part = region.with_rows(Rows::new(start, end));
            let mut strip = StripMut::new(ring, part, shape).expect("the ring has room");
            source.read(&mut strip)?;
            part.rows.iter().for_each(|row| samples.extend_from_slice(strip.row_bytes_mut(row)));
            start = end;
        }
        Ok(samples)
    })
}

pub(crate) fn read_all(content: &[u8]) -> Result<(Shape, Vec<u8>), FormatError> {
    let page = page(content)?;
    let shape = page.facts().shape;
    read(&*page, shape.region(), 17.min(shape.rows)).map(|samples| (shape, samples))
}

#[derive(Default)]
pub(crate) struct Memory(pub(crate) Mutex<Vec<u8>>);

impl WriteAt for Memory {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut content = self.0.lock().unwrap();
        let end = offset as usize + bytes.len();
        let len = content.len().max(end);
        content.resize(len, 0);
        content[offset as usize..end].copy_from_slice(bytes);
        Ok(())
    }
}

/// Writes rows as they come, in strips of `strip_rows`.
pub(crate) fn write(
    target: &dyn Target,
    shape: Shape,
    samples: &[u8],
    strip_rows: u32,
) -> Result<Vec<u8>, FormatError> {
    let output = Arc::new(Memory::default());
    let writer = target.create(Arc::clone(&output) as Output)?;
    let row_bytes = shape.row_bytes() as usize;
    with_arena(&target.needs(), |arena| {
        let mut sink = writer.sink(shape.all_rows(), &mut Budget::new(arena))?;
        for (index, part) in samples.chunks(strip_rows as usize * row_bytes).enumerate() {
            let start = index as u32 * strip_rows;
            let rows = Rows::new(start, start + (part.len() / row_bytes) as u32);
            // The ring's slots follow the rows' numbers.
            let mut ring = vec![0u64; (strip_rows as usize * row_bytes).div_ceil(8)];
            let ring: &mut [u8] = &mut bytemuck::cast_slice_mut(&mut ring)[..strip_rows as usize * row_bytes];
            ring[..part.len()].copy_from_slice(part);
            sink.write(&Strip::new(ring, shape.region().with_rows(rows), shape).expect("room"))?;
        }
        sink.finish()
    })?;
    writer.finish()?;
    let content = std::mem::take(&mut *output.0.lock().unwrap());
    assert!(content.len() as u64 <= target.file_bytes(), "the file is larger than was said");
    Ok(content)
}

/// The rows of an image's tiles, one after the other, by way of a PAM.
pub(crate) fn in_tile_order(shape: Shape, samples: &[u8], side: u32) -> (Shape, Vec<u8>) {
    let page = page(&pam(shape, samples)).unwrap();
    let page = TileOrderPage::new(page, side).expect("a PAM gives columns");
    let shape = page.facts().shape;
    (shape, read(&page, shape.region(), 13.min(shape.rows)).unwrap())
}

/// An image as a PAM.
pub(crate) fn pam(shape: Shape, samples: &[u8]) -> Vec<u8> {
    let most = if shape.kind == SampleKind::U8 { 255 } else { 65535 };
    let (w, h, d) = (shape.cols, shape.rows, shape.bands);
    let mut file = format!("P7\nWIDTH {w}\nHEIGHT {h}\nDEPTH {d}\nMAXVAL {most}\nENDHDR\n").into_bytes();
    match shape.kind {
        SampleKind::U8 => file.extend_from_slice(samples),
        _ => file
            .extend(samples.as_chunks::<2>().0.iter().flat_map(|it| u16::from_ne_bytes(*it).to_be_bytes())),
    }
    file
}

/// A picture with slopes, edges and some noise; all noise if `noise`.
pub(crate) fn picture(shape: Shape, noise: bool) -> Vec<u8> {
    let mut seed = 7u32;
    let mut out = Vec::with_capacity(shape.image_bytes() as usize);
    for (row, col, band) in (0..shape.rows).flat_map(|row| {
        (0..shape.cols).flat_map(move |col| (0..shape.bands).map(move |band| (row, col, band)))
    }) {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let slope = (row * (u32::from(band) + 2) + col * 3) / 8 % 256;
        let disc = if (row % 90).pow(2) + (col % 70).pow(2) < 1600 { 70 } else { 0 };
        let value = if noise { seed >> 24 } else { (slope / 2 + disc + ((seed >> 24) & 3)).min(255) };
        match shape.kind {
            SampleKind::U8 => out.push(value as u8),
            _ => out.extend_from_slice(&((value << 8) as u16 | (seed >> 8) as u8 as u16).to_ne_bytes()),
        }
    }
    out
}

/// Whether one of OpenJPEG's programs is there.
pub(crate) fn has(program: &str) -> bool {
    let there = Command::new(program).arg("-h").output().is_ok();
    if !there {
        println!("skipped: no {program} (Debian: libopenjp2-tools, grokj2k-tools)");
    }
    there
}

/// A file of `opj_compress`: so many columns and rows of components with these bits and steps (`1x1:2x2`), of noise.
pub(crate) fn subsampled(folder: &Path, name: &str, raw: &str, options: &[&str]) -> PathBuf {
    let (input, output) = (folder.join("noise.rawl"), folder.join(name));
    let mut numbers = raw.split(',').map(|word| word.parse::<usize>().unwrap_or(0));
    let [cols, rows, bands, bits] = [(); 4].map(|()| numbers.next().unwrap());
    // Samples of more than 8 bits have two bytes, the less significant one first.
    let beyond = if bits > 8 { 16 - bits } else { 0 };
    let mut seed = 5u32;
    let noise = (0..cols * rows * bands * 2).map(|at| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8 >> if at % 2 == 1 { beyond } else { 0 }
    });
    std::fs::write(&input, noise.collect::<Vec<u8>>()).unwrap();
    let mut run = Command::new("opj_compress");
    run.arg("-i").arg(&input).arg("-o").arg(&output).args(["-F", raw]).args(options);
    let run = run.output().unwrap();
    assert!(output.exists(), "{name}: {}", String::from_utf8_lossy(&run.stderr));
    output
}

/// A codestream of high-throughput code-blocks by `grk_compress`.
pub(crate) fn high_throughput(folder: &Path, shape: Shape, noise: bool, options: &[&str]) -> PathBuf {
    let (input, output) = (folder.join("ht.pnm"), folder.join("ht.j2k"));
    let kind = if shape.bands == 1 { "P5" } else { "P6" };
    let most = if shape.kind == SampleKind::U8 { 255 } else { 65535 };
    let head = format!("{kind}\n{} {}\n{most}\n", shape.cols, shape.rows);
    let mut samples = picture(shape, noise);
    if shape.kind != SampleKind::U8 {
        samples = samples.as_chunks().0.iter().flat_map(|it| u16::from_ne_bytes(*it).to_be_bytes()).collect();
    }
    std::fs::write(&input, [head.as_bytes(), &samples].concat()).unwrap();
    let _ = std::fs::remove_file(&output);
    let mut run = Command::new("grk_compress");
    run.arg("-i").arg(&input).arg("-o").arg(&output).args(["-M", "64"]).args(options);
    let run = run.output().unwrap();
    assert!(output.exists(), "{options:?}: {}", String::from_utf8_lossy(&run.stderr));
    output
}

/// Components of a file as `opj_decompress` gives them: columns, rows, samples.
pub(crate) fn components(file: &Path, reduce: u32) -> Vec<(usize, usize, Vec<i64>)> {
    components_with(file, &["-r", &reduce.to_string()])
}

/// The same with options of its own.
pub(crate) fn components_with(file: &Path, options: &[&str]) -> Vec<(usize, usize, Vec<i64>)> {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.pgx");
    let run = Command::new("opj_decompress")
        .args(options)
        .arg("-i")
        .arg(file)
        .arg("-o")
        .arg(&output)
        .output()
        .unwrap();
    let mut all = Vec::new();
    for index in 0.. {
        let path = folder.path().join(format!("out_{index}.pgx"));
        let Ok(bytes) = std::fs::read(&path) else { break };
        let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let words: Vec<&str> = head.split([' ', '+', '-']).filter(|word| !word.is_empty()).collect();
        let [_, _, bits, cols, rows] = words[..] else { panic!("{head}") };
        let (bits, signed): (u32, bool) = (bits.parse().unwrap(), head.contains('-'));
        let samples =
            bytes[end + 1..].chunks(if bits > 8 { 2 } else { 1 }).map(|sample| match (sample, signed) {
                ([a], false) => i64::from(*a),
                ([a], true) => i64::from(*a as i8),
                ([a, b], false) => i64::from(u16::from_be_bytes([*a, *b])),
                ([a, b], true) => i64::from(i16::from_be_bytes([*a, *b])),
                _ => panic!("{bits} bits"),
            });
        all.push((cols.parse().unwrap(), rows.parse().unwrap(), samples.collect()));
    }
    assert!(!all.is_empty(), "{}", String::from_utf8_lossy(&run.stderr));
    all
}

/// The largest difference between interleaved samples of ours and components of theirs.
pub(crate) fn difference(shape: Shape, samples: &[u8], theirs: &[(usize, usize, Vec<i64>)]) -> i64 {
    assert_eq!(theirs.len(), usize::from(shape.bands), "bands");
    let width = shape.kind.bytes();
    let mut most = 0;
    for (band, (cols, rows, component)) in theirs.iter().enumerate() {
        assert_eq!((*cols, *rows), (shape.cols as usize, shape.rows as usize));
        let ours =
            samples.chunks(width).skip(band).step_by(theirs.len()).map(|sample| match (sample, shape.kind) {
                ([a], _) => i64::from(*a),
                ([a, b], SampleKind::I16) => i64::from(i16::from_ne_bytes([*a, *b])),
                ([a, b], _) => i64::from(u16::from_ne_bytes([*a, *b])),
                _ => panic!("{}", shape.kind),
            });
        assert_eq!(component.len(), cols * rows);
        most = ours.zip(component).map(|(a, b)| (a - b).abs()).fold(most, i64::max);
    }
    most
}

/// The folder with files of other people's software, if it is there.
pub(crate) fn corpus() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("PLIMSOLL_CORPUS").map_or(beside, PathBuf::from);
    let found = folder.join("jp2").is_dir();
    if !found {
        println!("skipped: no corpus in {}; set PLIMSOLL_CORPUS", folder.display());
    }
    found.then_some(folder)
}
