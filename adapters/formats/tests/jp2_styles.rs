//! Components that are coded each in its own way (COC, QCC; ISO/IEC 15444-1, A.6.2 and A.6.5): codestreams of
//! OpenJPEG's coder, one for each component, put together in the order component by component.

mod jp2_files;

use jp2_files::{components, difference, has, number, page, picture, read, read_all};
use plimsoll_core::shape::{SampleKind, Shape};
use plimsoll_formats::FormatError;
use std::path::Path;
use std::process::Command;

const SHAPE: Shape = Shape::new(150, 170, 3, SampleKind::U8);
const ONE: Shape = Shape::new(150, 170, 1, SampleKind::U8);

/// One component's codestream: what COD and QCD say, and the packets of each tile.
struct Plane {
    style: Vec<u8>,
    steps: Vec<u8>,
    tiles: Vec<Vec<u8>>,
}

impl Plane {
    /// Of these samples.
    fn new(folder: &Path, samples: &[u8], options: &[&str]) -> Self {
        let (source, path) = (folder.join("in.pgm"), folder.join("plane.j2k"));
        let head = format!("P5\n{} {}\n255\n", SHAPE.cols, SHAPE.rows);
        std::fs::write(&source, [head.as_bytes(), samples].concat()).unwrap();
        let mut run = Command::new("opj_compress");
        run.arg("-i").arg(&source).arg("-o").arg(&path).args(["-p", "CPRL"]).args(options);
        assert!(run.output().unwrap().status.success());
        let file = std::fs::read(path).unwrap();
        let (mut at, mut plane) = (2, Self { style: Vec::new(), steps: Vec::new(), tiles: Vec::new() });
        while file[at..at + 2] != [0xFF, 0xD9] {
            let end = at + 2 + number(&file[at + 2..at + 4]);
            let said = file[at + 4..end].to_vec();
            match file[at + 1] {
                0x52 => plane.style = said,
                0x5C => plane.steps = said,
                0x90 => {
                    let part_end = at + number(&said[2..6]);
                    assert_eq!(file[end..end + 2], [0xFF, 0x93], "nothing else in the head of a tile-part");
                    plane.tiles.push(file[end + 2..part_end].to_vec());
                    at = part_end;
                    continue;
                }
                _ => {}
            }
            at = end;
        }
        plane
    }

    /// COD and QCD.
    fn of_all(&self) -> [Vec<u8>; 2] {
        [segment(0x52, &self.style), segment(0x5C, &self.steps)]
    }

    /// COC and QCC of component `index`.
    fn of_one(&self, index: u8) -> [Vec<u8>; 2] {
        // In COD the order, layers and transform of colours stand between.
        let style = [&[index, self.style[0] & 1], &self.style[5..]].concat();
        [segment(0x53, &style), segment(0x5D, &[&[index], &self.steps[..]].concat())]
    }
}

fn segment(name: u8, said: &[u8]) -> Vec<u8> {
    let len = (said.len() as u16 + 2).to_be_bytes();
    [&[0xFF, name], &len[..], said].concat()
}

/// A codestream of these components in tiles of this size, with what the main header and the heads of tiles say.
fn together(planes: &[Plane], tile: [u32; 2], main: &[Vec<u8>], of_tile: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0xFF, 0x4F];
    let mut size = vec![0, 0];
    for number in [SHAPE.cols, SHAPE.rows, 0, 0, tile[0], tile[1], 0, 0] {
        size.extend(number.to_be_bytes());
    }
    size.extend((planes.len() as u16).to_be_bytes());
    size.extend([7, 1, 1].repeat(planes.len()));
    out.extend(segment(0x51, &size));
    out.extend(main.concat());
    for index in 0..planes[0].tiles.len() {
        let packets: Vec<u8> = planes.iter().flat_map(|plane| plane.tiles[index].clone()).collect();
        let head = of_tile.concat();
        let bytes = 14 + head.len() + packets.len();
        let mut start = (index as u16).to_be_bytes().to_vec();
        start.extend((bytes as u32).to_be_bytes());
        start.extend([0, 1]);
        out.extend([segment(0x90, &start), head, vec![0xFF, 0x93], packets].concat());
    }
    out.extend([0xFF, 0xD9]);
    out
}

fn interleaved(planes: &[Vec<u8>; 3]) -> Vec<u8> {
    (0..planes[0].len()).flat_map(|at| planes.each_ref().map(|plane| plane[at])).collect()
}

#[test]
fn what_is_said_of_one_component_counts_wherever_it_stands() {
    if !has("opj_compress") || !has("opj_decompress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let samples: [Vec<u8>; 3] =
        [picture(ONE, false), picture(ONE, true), picture(ONE, false).into_iter().rev().collect()];
    let image = interleaved(&samples);
    for (tile, size) in [([SHAPE.cols, SHAPE.rows], "170,150"), ([64, 50], "64,50")] {
        let coded = [
            (&samples[0], &["-t", size, "-n", "5"][..]),
            (&samples[1], &["-t", size, "-n", "3", "-b", "32,16"]),
            (&samples[2], &["-t", size, "-n", "4", "-b", "4,256", "-c", "[64,64],[32,32]", "-M", "8"]),
        ];
        let planes = coded.map(|(samples, options)| Plane::new(folder.path(), samples, options));
        let ([style, steps], [[style_1, steps_1], [style_2, steps_2]]) =
            (planes[0].of_all(), [planes[1].of_one(1), planes[2].of_one(2)]);
        let usual = [&style, &style_1, &style_2, &steps, &steps_1, &steps_2].map(|segment| segment.clone());
        let mut turned = usual.clone();
        turned.reverse();
        let others = [planes[2].of_all(), planes[1].of_one(0), planes[0].of_one(2)].concat();
        let wrong = [planes[2].of_one(1), planes[1].of_all(), planes[1].of_one(2)].concat();
        let anew = [&wrong[..], &usual].concat();
        let files = [
            ("main header", together(&planes, tile, &usual, &[])),
            ("main header, said anew", together(&planes, tile, &anew, &[])),
            ("heads of tiles, said anew", together(&planes, tile, &others, &anew)),
            ("main header, turned round", together(&planes, tile, &turned, &[])),
            // What a tile says of all components overrides what the main header says of one.
            ("heads of tiles", together(&planes, tile, &others, &usual)),
            ("heads of tiles, turned round", together(&planes, tile, &others, &turned)),
            // What the main header says of one stands, where the tile says nothing of any.
            ("one in the heads of tiles", together(&planes, tile, &usual[..5], &usual[5..])),
        ];
        for (name, file) in &files {
            let name = format!("tiles of {size}, {name}");
            let (shape, found) = read_all(file).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(shape == SHAPE && found == image, "{name}");
            let small = page(file).unwrap().reduced(1).unwrap().expect("resolutions");
            let halves = small.facts().shape;
            let reduced = read(&*small, halves.region(), 11).unwrap();
            // OpenJPEG's decoder lets the last segment count: it is asked where the order is the usual one.
            let path = folder.path().join("together.j2k");
            std::fs::write(&path, &files[0].1).unwrap();
            assert_eq!(difference(SHAPE, &found, &components(&path, 0)), 0, "{name} is put together wrongly");
            assert_eq!(difference(halves, &reduced, &components(&path, 1)), 0, "{name}, reduced");
        }
    }
}

#[test]
fn styles_of_components_that_are_not_there_are_refused() {
    if !has("opj_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let plane = || Plane::new(folder.path(), &picture(ONE, false), &[]);
    let planes = [plane(), plane(), plane()];
    let tile = [SHAPE.cols, SHAPE.rows];
    let [style, steps] = planes[0].of_all();
    let [beyond, _] = planes[0].of_one(3);
    let [own, _] = planes[0].of_one(1);
    for (main, of_tile, why) in [
        (vec![style.clone(), beyond.clone(), steps.clone()], vec![], "a style of component 3 of 3"),
        (vec![style, steps.clone()], vec![beyond], "a style of component 3 of 3"),
        (vec![own, steps], vec![], "no coding style"),
    ] {
        let error = read_all(&together(&planes, tile, &main, &of_tile)).expect_err(why);
        assert!(matches!(error, FormatError::Malformed { .. }), "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
}
