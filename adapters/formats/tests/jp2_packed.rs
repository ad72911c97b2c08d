//! Headers of packets that stand in the heads of tile-parts (PPT, ISO/IEC 15444-1, A.7.5) or in the main header (PPM, A.7.4):
//! files of OpenJPEG's coder, which writes none, put in order anew. Its decoder says whether that was done right.

mod jp2_files;

use jp2_files::apart::{Apart, marked, segment};
use jp2_files::{components, difference, has, page, picture, read, read_all};
use plimsoll_core::shape::{Cols, Region, Rows, SampleKind, Shape};
use plimsoll_formats::FormatError;
use std::path::{Path, PathBuf};

const SHAPE: Shape = Shape::new(150, 170, 3, SampleKind::U8);

fn written(folder: &Path, file: &[u8]) -> PathBuf {
    let path = folder.join("packed.j2k");
    std::fs::write(&path, file).unwrap();
    path
}

/// All of it, and a region, are the picture.
fn is_read(name: &str, file: &[u8], image: &[u8]) {
    let (shape, samples) = read_all(file).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(shape == SHAPE && samples == image, "{name}");
    let region = Region::new(Rows::new(70, 90), Cols::new(0, SHAPE.cols));
    let row = SHAPE.row_bytes() as usize;
    assert!(read(&*page(file).unwrap(), region, 3).unwrap() == image[70 * row..90 * row], "{name}, {region}");
}

/// All of it and a smaller version are what OpenJPEG's decoder makes of it.
fn is_read_as_by_openjpeg(folder: &Path, name: &str, file: &[u8], image: &[u8], levels: u8) {
    let path = written(folder, file);
    assert_eq!(difference(SHAPE, image, &components(&path, 0)), 0, "{name} is put in order wrongly");
    let small = page(file).unwrap().reduced(levels).unwrap().expect("resolutions");
    let (shape, reduced) = (small.facts().shape, components(&path, u32::from(levels)));
    assert_eq!(
        difference(shape, &read(&*small, shape.region(), 11).unwrap(), &reduced),
        0,
        "{name}, reduced"
    );
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
        let file = marked(folder.path(), SHAPE, options);
        let packed = Apart::new(&file).in_parts(*most);
        let name = format!("{options:?}, segments of {most} bytes");
        assert!(packed.windows(2).any(|two| two == [0xFF, 0x61]) && packed != file, "{name}");
        is_read(&name, &packed, &image);
        is_read_as_by_openjpeg(folder.path(), &name, &packed, &image, 1);
    }
}

#[test]
fn too_many_segments_of_headers_are_refused_by_name() {
    if !has("opj_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = Apart::new(&marked(folder.path(), SHAPE, &["-r", "40,20,10,1"])).in_parts(4);
    let error = read_all(&file).expect_err("hundreds of segments");
    assert!(matches!(error, FormatError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("more than 64 segments of packets' headers"), "{error}");
    // Cut short anywhere they are an error.
    let file = Apart::new(&marked(folder.path(), SHAPE, &["-t", "64,64"])).in_parts(60_000);
    for len in (100..file.len() - 2).step_by(97) {
        assert!(read_all(&file[..len]).is_err(), "{len} of {} bytes", file.len());
    }
}

#[test]
fn headers_in_the_main_header_are_read() {
    if !has("opj_compress") || !has("opj_decompress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let image = picture(SHAPE, false);
    let cases: &[(&[&str], usize)] = &[
        (&[], 60_000),
        (&["-t", "64,64"], 60_000),
        // Shares that lie across segments, and segments within a share.
        (&["-t", "64,64", "-n", "3"], 100),
        (&["-t", "128,128", "-TP", "R", "-p", "RPCL"], 90),
        (&["-t", "64,100", "-TP", "R", "-p", "RLCP"], 60_000),
        (&["-t", "100,64", "-r", "40,10,1", "-p", "CPRL", "-c", "[32,32],[32,32]"], 300),
    ];
    for (options, most) in cases {
        let apart = Apart::new(&marked(folder.path(), SHAPE, options));
        let name = format!("{options:?}, segments of {most} bytes");
        is_read(&name, &apart.in_main_header(*most), &image);
        // The order of segments is that of their numbers, wherever they stand in the header.
        let mut turned = apart.segments(*most);
        turned.reverse();
        is_read(&format!("{name}, turned round"), &apart.together(&turned, |_| Vec::new()), &image);
        // OpenJPEG's decoder wants no length cut by the end of a segment.
        if *most >= 60_000 {
            is_read_as_by_openjpeg(folder.path(), &name, &apart.in_main_header(*most), &image, 2);
        }
    }
}

/// Shares stand in the order of tile-parts in the file, which need not be that of tiles.
#[test]
fn headers_in_the_main_header_follow_the_file_and_not_the_tiles() {
    if !has("opj_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let image = picture(SHAPE, false);
    let mut apart = Apart::new(&marked(folder.path(), SHAPE, &["-t", "64,64", "-TP", "R", "-p", "RLCP"]));
    assert!(apart.parts.len() > 50, "{} tile-parts", apart.parts.len());
    // The first parts of all tiles, from the last tile on, then the second ones, and so on.
    let mut numbers = [0; 9];
    let mut order: Vec<_> = apart.parts.drain(..).collect();
    order.sort_by_key(|part| std::cmp::Reverse(part.tile));
    order.sort_by_cached_key(|part| {
        numbers[part.tile] += 1;
        numbers[part.tile]
    });
    apart.parts = order;
    is_read("parts of tiles in turn", &apart.in_main_header(97), &image);
}

/// More than the 64 KiB of one segment for a single tile, in as many segments as there are numbers.
#[test]
fn many_headers_in_the_main_header_are_read() {
    if !has("opj_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let shape = Shape::new(300, 400, 3, SampleKind::U8);
    let options = ["-b", "4,4", "-TP", "L", "-p", "LRCP", "-r", "9,8,7,6,5,4,3,2,1"];
    let apart = Apart::new(&marked(folder.path(), shape, &options));
    let bytes = apart.series().len();
    assert!(bytes > 1 << 16, "{bytes} bytes of headers");
    let plain = read_all(&marked(folder.path(), shape, &options)).unwrap();
    assert!(read_all(&apart.in_main_header(60_000)).unwrap() == plain);
    assert!(read_all(&apart.in_main_header(bytes.div_ceil(256))).unwrap() == plain, "256 segments");
}

#[test]
fn damaged_headers_in_the_main_header_are_errors() {
    if !has("opj_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let apart = Apart::new(&marked(folder.path(), SHAPE, &["-t", "64,64"]));
    let refused = |file: &[u8], why: &str| {
        let error = read_all(file).expect_err(why);
        assert!(matches!(error, FormatError::Malformed { .. }), "{why}: {error}");
        assert!(error.to_string().contains(why), "{why}: {error}");
    };
    let segments = apart.segments(100);
    let all_but_last = apart.together(&segments[..segments.len() - 1], |_| Vec::new());
    refused(&all_but_last, "bytes of packets' headers of a tile-part where");
    refused(&apart.together(&[segment(0x60, 0, &[0; 7])], |_| Vec::new()), "3 bytes of packets' headers");
    refused(&apart.together(&[segment(0x60, 0, &[])], |_| Vec::new()), "headers of packets in 1 bytes");
    refused(&apart.together(&[&segments[..], &segments[1..2]].concat(), |_| Vec::new()), "two segments 1 of");
    let both = apart.together(&segments, |index| segment(0x61, 0, &apart.parts[index].headers));
    refused(&both, "in the head of a tile-part and in the main header");
    let none = apart.together(&[segment(0x60, 0, &[0; 4 * 9])], |_| Vec::new());
    refused(&none, "a tile without headers of packets in the main header");
    // Cut short anywhere it is an error.
    let file = apart.in_main_header(60_000);
    for len in (100..file.len() - 2).step_by(97) {
        assert!(read_all(&file[..len]).is_err(), "{len} of {} bytes", file.len());
    }
    // Any byte of the segments may be wrong: rows of any value or an error.
    let file = apart.in_main_header(100);
    for at in (apart.head.len()..apart.head.len() + apart.series().len()).step_by(3) {
        for value in [0xFF, file[at] ^ 1] {
            let mut changed = file.clone();
            changed[at] = value;
            if let Ok((shape, samples)) = read_all(&changed) {
                assert_eq!(samples.len() as u64, shape.image_bytes());
            }
        }
    }
}
