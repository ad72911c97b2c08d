//! High-throughput JPEG 2000 (ISO/IEC 15444-15): files of Grok's coder, which is no relative of the codec here. Where
//! nothing is lost the oracle is the picture; otherwise it is Grok's decoder.

mod jp2_files;

use jp2_files::{components, difference, has, high_throughput, page, picture, read, read_all};
use plimsoll_core::shape::{Cols, Region, Rows, SampleKind, Shape};
use plimsoll_formats::FormatError;
use std::path::Path;
use std::process::Command;

const SHAPE: Shape = Shape::new(177, 203, 3, SampleKind::U8);

/// What Grok's decoder makes of a file of [`SHAPE`].
fn groks(file: &Path) -> Vec<u8> {
    let output = file.with_extension("ppm");
    assert!(Command::new("grk_decompress").arg("-i").arg(file).arg("-o").arg(&output).output().is_ok());
    let pixels = std::fs::read(output).unwrap();
    pixels[pixels.len() - SHAPE.image_bytes() as usize..].to_vec()
}

#[test]
fn files_without_loss_are_the_picture() {
    if !has("grk_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let cases: &[(u16, SampleKind, bool, &[&str])] = &[
        (3, SampleKind::U8, false, &[]),
        (3, SampleKind::U8, true, &["-n", "1"]),
        (3, SampleKind::U8, false, &["-t", "64,64", "-n", "4"]),
        (
            3,
            SampleKind::U8,
            false,
            &["-p", "RPCL", "-c", "[64,64],[32,64]", "-b", "16,32", "-t", "96,64", "-n", "4"],
        ),
        (3, SampleKind::U8, false, &["-p", "CPRL", "-b", "4,64", "-S", "-E"]),
        (1, SampleKind::U8, false, &["-b", "1024,4"]),
        (1, SampleKind::U16, false, &["-t", "100,64", "-n", "3"]),
        (1, SampleKind::U16, true, &[]),
    ];
    for (bands, kind, noise, options) in cases {
        let shape = Shape::new(SHAPE.rows, SHAPE.cols, *bands, *kind);
        let image = picture(shape, *noise);
        let path = high_throughput(folder.path(), shape, *noise, options);
        let (name, file) = (format!("{shape} {options:?}"), std::fs::read(&path).unwrap());
        let (found, samples) = read_all(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(found == shape && samples == image, "{name}");
        let page = page(&file).unwrap();
        assert!(page.facts().more.iter().any(|(_, what)| what == "high throughput"), "{name}");
        let region = Region::new(Rows::new(70, 90), Cols::new(31, 200));
        let row = shape.row_bytes() as usize;
        let cols = 31 * shape.pixel_bytes()..200 * shape.pixel_bytes();
        let wanted: Vec<u8> =
            image.chunks(row).take(90).skip(70).flat_map(|row| row[cols.clone()].to_vec()).collect();
        assert!(read(&*page, region, 3).unwrap() == wanted, "{name}, {region}");
        if let (Some(small), true) = (page.reduced(2).unwrap(), has("opj_decompress")) {
            let samples = read(&*small, small.facts().shape.region(), 11).unwrap();
            assert_eq!(
                difference(small.facts().shape, &samples, &components(&path, 2)),
                0,
                "{name}, reduced"
            );
        }
    }
}

#[test]
fn files_with_loss_are_what_another_decoder_makes_of_them() {
    if !has("grk_compress") || !has("grk_decompress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for options in [&["-I"][..], &["-I", "-t", "64,64", "-n", "4"], &["-I", "-b", "32,16", "-p", "PCRL"]] {
        let path = high_throughput(folder.path(), SHAPE, false, options);
        let (shape, samples) = read_all(&std::fs::read(&path).unwrap()).unwrap();
        let theirs = groks(&path);
        let most = samples.iter().zip(&theirs).map(|(ours, theirs)| ours.abs_diff(*theirs)).max().unwrap();
        assert!(shape == SHAPE && samples.len() == theirs.len() && most <= 1, "{options:?}: {most}");
    }
}

#[test]
fn what_the_codec_does_not_decode_is_refused_by_name() {
    if !has("grk_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::read(high_throughput(folder.path(), SHAPE, false, &[])).unwrap();
    let at = |marker: u8| file.windows(2).position(|two| two == [0xFF, marker]).unwrap();
    let (style, capabilities) = (at(0x52), at(0x50));
    for (place, value, why) in [
        (style + 7, 2, "high-throughput coding in 2 layers"),
        (style + 12, 0xC0, "high-throughput coding with code-block style 0xc0"),
        (style + 12, 0x41, "high-throughput coding with code-block style 0x41"),
        (capabilities + 4, 1, "capabilities of other parts of the standard (0x01000000)"),
    ] {
        let mut changed = file.clone();
        changed[place] = value;
        let error = read_all(&changed).expect_err(why);
        assert!(matches!(error, FormatError::Unsupported { .. }), "{why}: {error}");
        assert!(error.to_string().contains(why), "{why}: {error}");
    }
}

/// Shifted samples of a component have more bit-planes than the codec's decoder of such blocks takes.
#[test]
fn regions_of_interest_are_refused_by_name() {
    if !has("grk_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = high_throughput(folder.path(), SHAPE, false, &["-R", "c=1,U=3"]);
    let error = read_all(&std::fs::read(path).unwrap()).expect_err("a region of interest");
    assert!(matches!(error, FormatError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("high-throughput coding with a region of interest"), "{error}");
}

/// Cut or changed anywhere: rows or an error. The codec's lengths and passes are the file's.
#[test]
fn damaged_files_do_no_harm() {
    if !has("grk_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let shape = Shape::new(60, 70, 3, SampleKind::U8);
    let file =
        std::fs::read(high_throughput(folder.path(), shape, false, &["-t", "32,32", "-n", "2"])).unwrap();
    for len in (12..file.len() - 2).step_by(7) {
        assert!(read_all(&file[..len]).is_err(), "{len} of {} bytes", file.len());
    }
    let first = file.windows(2).position(|two| two == [0xFF, 0x90]).unwrap();
    for at in (first..file.len()).step_by(3) {
        for value in [0, 0xFF, file[at] ^ 1, file[at].wrapping_add(16)] {
            let mut changed = file.clone();
            changed[at] = value;
            let _ = read_all(&changed);
        }
    }
}
