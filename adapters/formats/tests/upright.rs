//! Promise: a page is set upright by its orientation, out of every layout, for every region and strip height, in the
//! memory that it states, with every unit decoded once.
//!
//! Judge: the whole picture turned pixel by pixel, as section 8 of TIFF 6.0 names the sides; and the bytes read.

mod tiff_files;

use plimsoll_core::shape::{Region, Shape, Span};
use plimsoll_formats::{Bytes, Format, Page, Tiff, UprightPage};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tiff_files::{Builder, Counted, Pixels, Storage, read, read_whole, total_bytes};

/// Where stored pixel (`row`, `col`) of `rows` x `cols` is shown, from the sides where the first row and column are.
fn shown(orientation: u64, row: u32, col: u32, rows: u32, cols: u32) -> (u32, u32) {
    let (from_bottom, from_right) = (rows - 1 - row, cols - 1 - col);
    match orientation {
        1 => (row, col),
        2 => (row, from_right),
        3 => (from_bottom, from_right),
        4 => (from_bottom, col),
        // The first row at the left, the first column at the top: rows are columns.
        5 => (col, row),
        6 => (col, from_bottom),
        7 => (from_right, from_bottom),
        8 => (from_right, row),
        _ => unreachable!(),
    }
}

/// The whole picture, turned.
fn turned(pixels: &Pixels, orientation: u64) -> Pixels {
    let (rows, cols) = (pixels.rows, pixels.cols);
    let (new_rows, new_cols) = if orientation > 4 { (cols, rows) } else { (rows, cols) };
    let pixel = usize::from(pixels.bands) * pixels.width;
    let mut bytes = vec![0; pixels.bytes.len()];
    for row in 0..rows {
        for col in 0..cols {
            let (new_row, new_col) = shown(orientation, row, col, rows, cols);
            let from = (row * cols + col) as usize * pixel;
            let to = (new_row * new_cols + new_col) as usize * pixel;
            bytes[to..to + pixel].copy_from_slice(&pixels.bytes[from..from + pixel]);
        }
    }
    Pixels { rows: new_rows, cols: new_cols, bytes, ..*pixels }
}

/// A page with an orientation, and the file that counts what is read of it.
fn stored(pixels: &Pixels, storage: &Storage, orientation: u64) -> (Arc<dyn Page>, Arc<Counted>) {
    let mut builder = Builder::new(storage.big_endian, storage.big);
    let mut fields = builder.page_fields(pixels, storage);
    fields.push((274, 3, vec![orientation]));
    builder.directory(&fields);
    let counted = Counted::new(builder.words.bytes);
    let bytes: Bytes = counted.clone();
    let page = Tiff.open(bytes).expect("a good header").page(0).expect("a good page").expect("a page");
    (page, counted)
}

fn layouts() -> Vec<Storage> {
    let plain = Storage::default();
    let mut layouts = Vec::new();
    for compression in [1, 5, 8, 32773] {
        for planar in [false, true] {
            for (tile, strip_rows) in
                [(None, 5), (None, 1), (None, 1000), (Some((16, 16)), 5), (Some((32, 16)), 5)]
            {
                layouts.push(Storage { tile, strip_rows, planar, compression, ..plain });
            }
        }
    }
    layouts.push(Storage { big_endian: true, tile: Some((16, 32)), ..plain });
    layouts.push(Storage { big_endian: true, big: true, compression: 8, predictor: 2, ..plain });
    layouts
}

/// All of a picture, its ends, and a part that begins and ends inside units.
fn regions(shape: Shape) -> [Region; 4] {
    let (rows, cols) = (shape.rows, shape.cols);
    [
        shape.region(),
        Region::new(Span::new(0, 3), Span::new(cols - 2, cols)),
        Region::new(Span::new(rows - 4, rows), Span::new(0, 5)),
        Region::new(Span::new(7, rows - 6), Span::new(9, cols - 3)),
    ]
}

#[test]
fn every_orientation_of_every_layout_is_undone() {
    for storage in layouts() {
        for (bands, width, format) in [(1, 1, 1), (3, 1, 1), (3, 2, 1), (5, 4, 3)] {
            let pixels = Pixels::new(33, 41, bands, width, format);
            for orientation in 1..=8 {
                let (page, _) = stored(&pixels, &storage, orientation);
                let expected = turned(&pixels, orientation);
                for band_bytes in [0, 700, 1 << 20] {
                    let upright = UprightPage::new(Arc::clone(&page), band_bytes);
                    let shape = upright.facts().shape;
                    assert_eq!((shape.rows, shape.cols), (expected.rows, expected.cols));
                    for region in regions(shape) {
                        for strip_rows in [1, 7, 100] {
                            let found =
                                read(&upright, region, strip_rows).expect("small").expect("a good file");
                            assert!(
                                found == expected.region(region),
                                "orientation {orientation}, {region}, strips of {strip_rows}, bands of \
                                 {band_bytes} bytes, {bands} bands of {width} bytes, {storage:?}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn workers_that_begin_at_units_see_the_same_rows() {
    for storage in layouts() {
        let pixels = Pixels::new(50, 70, 3, 1, 1);
        for orientation in 1..=8 {
            let (page, _) = stored(&pixels, &storage, orientation);
            let upright = UprightPage::new(page, 700);
            let whole = upright.needs(upright.facts().shape.region());
            let expected = turned(&pixels, orientation);
            let Shape { rows, .. } = upright.facts().shape;
            let unit = upright.facts().unit_rows;
            for start in (0..rows).step_by(unit as usize).take(3) {
                let region = upright.facts().shape.region().with_rows(Span::new(start, rows));
                let found = read(&upright, region, 4).expect("small").expect("a good file");
                assert!(
                    found == expected.region(region),
                    "orientation {orientation}, from {start}, {storage:?}"
                );
                // A plan has one figure for all workers.
                for (part, whole) in upright.needs(region).iter().zip(&whole) {
                    assert!(part.bytes <= whole.bytes, "{part:?} of {whole:?}, {orientation}, {storage:?}");
                }
            }
        }
    }
}

#[test]
fn compressed_units_are_read_once_and_the_plan_knows_the_bytes() {
    for storage in layouts() {
        let pixels = Pixels::new(48, 64, 3, 1, 1);
        for orientation in 1..=8 {
            let (page, counted) = stored(&pixels, &storage, orientation);
            let upright = UprightPage::new(page, 1 << 20);
            let region = upright.facts().shape.region();
            let promised = upright.reads(region).expect("good tables").expect("few units");
            counted.read.store(0, Ordering::Relaxed);
            read_whole(&upright, 4).expect("small").expect("a good file");
            let read = counted.read.load(Ordering::Relaxed);
            // The tables of offsets and sizes come on top, of which windows of some entries are read.
            let units = 2 * 3 * 48 * 4 * 8;
            let file = counted.bytes.len() as u64;
            assert!(promised <= file, "orientation {orientation}: {promised} bytes of {file}, {storage:?}");
            assert!(
                read <= promised + units,
                "orientation {orientation}: {read} bytes read, {promised} promised, {storage:?}"
            );
        }
    }
}

#[test]
fn memory_is_what_a_row_of_units_takes() {
    let pixels = Pixels::new(4000, 500, 3, 1, 1);
    let tiles = Storage { tile: Some((64, 64)), compression: 8, ..Storage::default() };
    let needs = |storage: &Storage, orientation: u64| {
        let (page, _) = stored(&pixels, storage, orientation);
        let upright = UprightPage::new(page, 0);
        total_bytes(&upright, upright.facts().shape.region())
    };
    let other = 700 << 10;
    // A column of tiles, then a row of them.
    assert!(needs(&tiles, 6) < 4000 * 64 * 3 + other, "{}", needs(&tiles, 6));
    assert!(needs(&tiles, 4) < 500 * 64 * 3 + other, "{}", needs(&tiles, 4));
    let plain = Storage { strip_rows: 4000, ..Storage::default() };
    assert!(needs(&plain, 6) < other && needs(&plain, 3) < other);
    // One compressed strip is held whole, unless it is only mirrored.
    let strip = Storage { strip_rows: 4000, compression: 8, ..Storage::default() };
    assert!(needs(&strip, 3) > 4000 * 500 * 3 && needs(&strip, 5) > 4000 * 500 * 3);
    assert!(needs(&strip, 2) < other);
}

#[test]
fn metadata_of_the_upright_picture_is_true_of_it() {
    let pixels = Pixels::new(20, 30, 1, 1, 1);
    for (orientation, swapped) in [(1u64, false), (3, false), (6, true), (8, true)] {
        let mut builder = Builder::new(true, false);
        let mut fields = builder.page_fields(&pixels, &Storage { big_endian: true, ..Storage::default() });
        fields.push((274, 3, vec![orientation]));
        // Rationals 300/1 and 150/1, as the builder writes numbers of 8 bytes.
        fields.push((282, 5, vec![300 << 32 | 1]));
        fields.push((283, 5, vec![150 << 32 | 1]));
        builder.directory(&fields);
        let page = tiff_files::page(builder.words.bytes, 0).expect("a good file");
        let upright = UprightPage::new(page, 0);
        let metadata = upright.metadata().expect("it can be read").expect("TIFF has some");
        let value = |tag: u16| {
            let index = metadata.fields().iter().position(|field| field.tag == tag).expect("it is there");
            let mut bytes = vec![0; metadata.fields()[index].bytes() as usize];
            metadata.read(index, 0, &mut bytes).expect("it can be read");
            bytes
        };
        assert_eq!(value(274), [1, 0]);
        let rational = |over: u32| [over.to_le_bytes(), 1u32.to_le_bytes()].concat();
        let (across, down) = if swapped { (150, 300) } else { (300, 150) };
        assert_eq!(value(282), rational(across), "orientation {orientation}");
        assert_eq!(value(283), rational(down), "orientation {orientation}");
    }
}
