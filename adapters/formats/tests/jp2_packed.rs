//! Headers of packets that stand in the heads of tile-parts (PPT, ISO/IEC 15444-1, A.7.5): files of OpenJPEG's coder, which
//! writes none, put in order anew. Its decoder says whether that was done right.

mod jp2_files;

use jp2_files::{components, difference, has, page, picture, read, read_all};
use plimsoll_core::shape::{Cols, Region, Rows, SampleKind, Shape};
use plimsoll_formats::FormatError;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

const SHAPE: Shape = Shape::new(150, 170, 3, SampleKind::U8);

/// A codestream of the picture whose packets have marks before and after their headers.
fn marked(folder: &Path, options: &[&str]) -> Vec<u8> {
    let (source, path) = (folder.join("in.ppm"), folder.join("marked.j2k"));
    let head = format!("P6\n{} {}\n255\n", SHAPE.cols, SHAPE.rows);
    std::fs::write(&source, [head.as_bytes(), &picture(SHAPE, false)].concat()).unwrap();
    let mut run = Command::new("opj_compress");
    run.arg("-i").arg(&source).arg("-o").arg(&path).args(["-SOP", "-EPH"]).args(options);
    assert!(run.output().unwrap().status.success() && path.exists());
    std::fs::read(path).unwrap()
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// The same codestream with all headers of packets in segments of at most `most` bytes in the heads of tile-parts.
fn packed(file: &[u8], most: usize) -> Vec<u8> {
    let mut at = 2;
    while file[at..at + 2] != [0xFF, 0x90] {
        at += 2 + number(&file[at + 2..at + 4]);
    }
    let mut out = file[..at].to_vec();
    let mut numbers = HashMap::<usize, u8>::new();
    while file[at..at + 2] == [0xFF, 0x90] {
        let (tile, end) = (number(&file[at + 4..at + 6]), at + number(&file[at + 6..at + 10]));
        let begun = out.len();
        out.extend_from_slice(&file[at..at + 12]);
        at += 12;
        while file[at..at + 2] != [0xFF, 0x93] {
            let next = at + 2 + number(&file[at + 2..at + 4]);
            out.extend_from_slice(&file[at..next]);
            at = next;
        }
        at += 2;
        let (mut headers, mut bodies, mut header) = (Vec::new(), Vec::new(), false);
        while at < end {
            // Neither headers nor bodies have bytes that look like marks.
            let (len, ends) = match file[at..end] {
                [0xFF, 0x91, ..] => (6, false),
                [0xFF, 0x92, ..] => (2, true),
                _ => (1, false),
            };
            if len == 6 {
                bodies.extend_from_slice(&file[at..at + 6]);
                header = true;
            } else {
                if header { &mut headers } else { &mut bodies }.extend_from_slice(&file[at..at + len]);
                header &= !ends;
            }
            at += len;
        }
        for part in headers.chunks(most) {
            let number = numbers.entry(tile).or_default();
            out.extend_from_slice(&[0xFF, 0x61]);
            out.extend_from_slice(&(part.len() as u16 + 3).to_be_bytes());
            out.push(*number);
            out.extend_from_slice(part);
            *number += 1;
        }
        out.extend_from_slice(&[0xFF, 0x93]);
        out.extend_from_slice(&bodies);
        let len = ((out.len() - begun) as u32).to_be_bytes();
        out[begun + 6..begun + 10].copy_from_slice(&len);
    }
    out.extend_from_slice(&file[at..]);
    out
}

fn written(folder: &Path, file: &[u8]) -> PathBuf {
    let path = folder.join("packed.j2k");
    std::fs::write(&path, file).unwrap();
    path
}

#[test]
fn headers_in_the_heads_of_tile_parts_are_read() {
    if !has("opj_compress") || !has("opj_decompress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let image = picture(SHAPE, false);
    let cases: &[(&[&str], usize)] = &[
        (&[], 60_000),
        (&["-t", "64,64"], 60_000),
        (&["-t", "64,64", "-n", "3"], 20),
        (&["-t", "128,128", "-TP", "R", "-p", "RPCL"], 60_000),
        (&["-t", "64,100", "-TP", "R", "-p", "RLCP"], 25),
        (&["-t", "100,64", "-r", "40,10,1", "-p", "CPRL", "-c", "[32,32],[32,32]"], 200),
    ];
    for (options, most) in cases {
        let file = marked(folder.path(), options);
        let packed = packed(&file, *most);
        let path = written(folder.path(), &packed);
        let name = format!("{options:?}, segments of {most} bytes");
        assert!(packed.windows(2).any(|two| two == [0xFF, 0x61]) && packed != file, "{name}");
        assert_eq!(difference(SHAPE, &image, &components(&path, 0)), 0, "{name} is put in order wrongly");
        let (shape, samples) = read_all(&packed).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(shape == SHAPE && samples == image, "{name}");
        let page = page(&packed).unwrap();
        let region = Region::new(Rows::new(70, 90), Cols::new(0, SHAPE.cols));
        let row = SHAPE.row_bytes() as usize;
        assert!(read(&*page, region, 3).unwrap() == image[70 * row..90 * row], "{name}, {region}");
        let small = page.reduced(1).unwrap().expect("resolutions");
        let samples = read(&*small, small.facts().shape.region(), 11).unwrap();
        assert_eq!(difference(small.facts().shape, &samples, &components(&path, 1)), 0, "{name}, reduced");
    }
}

#[test]
fn too_many_segments_of_headers_are_refused_by_name() {
    if !has("opj_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = packed(&marked(folder.path(), &["-r", "40,20,10,1"]), 4);
    let error = read_all(&file).expect_err("hundreds of segments");
    assert!(matches!(error, FormatError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("more than 64 segments of packets' headers"), "{error}");
    // Cut short anywhere they are an error.
    let file = packed(&marked(folder.path(), &["-t", "64,64"]), 60_000);
    for len in (100..file.len() - 2).step_by(97) {
        assert!(read_all(&file[..len]).is_err(), "{len} of {} bytes", file.len());
    }
}
