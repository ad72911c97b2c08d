//! PNG against the `png` crate's whole-image decoder and files made by hand.

mod png_files;
mod rows;

use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::plan::Place;
use plimsoll_core::shape::{Cols, Region, Rows, SampleKind, Shape};
use plimsoll_formats::{Compression, Format, Png, Wanted};
use png_files::{KINDS, file_of, make, oracle};
use rows::{open, read, read_all, samples, write, write_to};
use std::sync::Arc;
#[test]
fn every_kind_of_file_is_read_as_by_the_png_crate_whatever_the_strips() {
    for (depth, colour) in KINDS {
        for interlaced in [false, true] {
            for (cols, rows) in [(1, 1), (3, 2), (13, 11), (37, 40)] {
                let transparency = match colour {
                    0 => vec![vec![], vec![(b"tRNS", vec![0, 1])]],
                    2 => vec![vec![], vec![(b"tRNS", vec![0, 5, 0, 6, 0, 7])]],
                    3 => vec![vec![], vec![(b"tRNS", vec![0, 128])]],
                    _ => vec![vec![]],
                };
                for extra in transparency {
                    let made = (cols, rows, depth, colour, interlaced);
                    let content = make(made, 50, &extra);
                    let expected = oracle(&content);
                    for strip_rows in [1, 3, rows] {
                        assert!(
                            read_all(&content, strip_rows).unwrap() == expected,
                            "{made:?} {extra:?} by {strip_rows}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn any_region_is_that_part_of_the_whole() {
    for (depth, colour) in KINDS {
        for interlaced in [false, true] {
            let content = make((23, 17, depth, colour, interlaced), 1000, &[]);
            let (shape, whole) = oracle(&content);
            let page = open(&content).unwrap().page(0).unwrap().unwrap();
            let (pixel, row_bytes) = (shape.pixel_bytes(), shape.row_bytes() as usize);
            for (rows, cols) in [((0, 17), (5, 6)), ((4, 9), (1, 23)), ((16, 17), (0, 23)), ((3, 3), (2, 9))]
            {
                let region = Region::new(Rows::new(rows.0, rows.1), Cols::new(cols.0, cols.1));
                let expected: Vec<u8> = (rows.0 as usize..rows.1 as usize)
                    .flat_map(|y| {
                        &whole
                            [y * row_bytes + cols.0 as usize * pixel..y * row_bytes + cols.1 as usize * pixel]
                    })
                    .copied()
                    .collect();
                assert_eq!(
                    read(&*page, region, 2).unwrap(),
                    expected,
                    "{region} of {depth} bits, type {colour}"
                );
            }
        }
    }
}

#[test]
fn known_pixels() {
    // Grey, 2 bits: 0 1 2 3 is spread to 0 85 170 255.
    let content = file_of((4, 1, 2, 0, false), &[0, 0b00_01_10_11], 99, &[]);
    assert_eq!(read_all(&content, 1).unwrap(), (Shape::new(1, 4, 1, SampleKind::U8), vec![0, 85, 170, 255]));
    // 16 bits: the high byte is first in the file.
    let content = file_of((1, 1, 16, 4, false), &[0, 0x01, 0x02, 0xff, 0xfe], 2, &[]);
    let words: Vec<u8> = [0x0102u16, 0xfffe].iter().flat_map(|x| x.to_ne_bytes()).collect();
    assert_eq!(read_all(&content, 1).unwrap(), (Shape::new(1, 1, 2, SampleKind::U16), words));
    // A palette of two; the third index has no colour and is black.
    let palette = [(b"PLTE", vec![1, 2, 3, 4, 5, 6]), (b"tRNS", vec![9])];
    let content = file_of((3, 1, 8, 3, false), &[0, 0, 1, 2], 99, &palette);
    assert_eq!(read_all(&content, 1).unwrap().1, [1, 2, 3, 9, 4, 5, 6, 255, 0, 0, 0, 255]);
    // The transparent colour alone is transparent.
    let content =
        file_of((2, 1, 8, 2, false), &[0, 1, 2, 3, 1, 2, 4], 99, &[(b"tRNS", vec![0, 1, 0, 2, 0, 3])]);
    assert_eq!(read_all(&content, 1).unwrap().1, [1, 2, 3, 0, 1, 2, 4, 255]);
    // Adam7 of 2 x 2: first pixel, the one to its right, then the second row.
    let content = file_of((2, 2, 8, 0, true), &[0, 10, 0, 11, 0, 12, 13], 99, &[]);
    assert_eq!(read_all(&content, 1).unwrap().1, [10, 11, 12, 13]);
}

#[test]
fn an_interlaced_file_is_priced_by_its_region() {
    let content = make((600, 500, 8, 2, true), 1 << 20, &[]);
    let page = open(&content).unwrap().page(0).unwrap().unwrap();
    let arena = |region| rows::bytes_in(&page.needs(region), Place::Arena);
    let whole = arena(page.facts().shape.region());
    assert!(whole >= 600 * 500 * 3, "{whole} bytes");
    assert!(whole < 600 * 500 * 3 + (40 << 10), "{whole} bytes");
    let part = arena(Region::new(Rows::new(100, 200), Cols::new(0, 300)));
    let less = whole - part;
    assert!(less.abs_diff(600 * 500 * 3 - 100 * 300 * 3) < 64, "a region costs its own bytes: {less} less");
}

#[test]
fn memory_is_what_is_stated_at_every_width() {
    for cols in [1, 1000, 40_000, 300_000] {
        for (kind, bands) in [(SampleKind::U8, 1), (SampleKind::U8, 3), (SampleKind::U16, 4)] {
            let shape = Shape::new(9, cols, bands, kind);
            let data = samples(shape.image_bytes() as usize);
            let target = Png.target(shape, Wanted::default()).unwrap();
            // `write` and `read` count the heap and give just the arena that was stated.
            let content = write(&*target, shape, &data, 1, 4).unwrap();
            assert!(read_all(&content, 4).unwrap().1 == data);
            let page = open(&content).unwrap().page(0).unwrap().unwrap();
            let needs = page.needs(shape.region());
            let total = rows::bytes_in(&needs, Place::Arena) + rows::bytes_in(&needs, Place::Heap);
            assert!(
                total <= 2 * shape.row_bytes() + (90 << 10),
                "{total} bytes to read rows of {}",
                shape.row_bytes()
            );
        }
    }
}

#[test]
fn stated_codec_states_are_close_to_what_is_taken() {
    let shape = Shape::new(40, 100, 3, SampleKind::U8);
    let data = samples(shape.image_bytes() as usize);
    for compression in [Compression::Usual, Compression::None] {
        let target = Png.target(shape, Wanted { compression, ..Wanted::default() }).unwrap();
        let output = Arc::new(rows::Memory::default());
        output.content.lock().unwrap().reserve(1 << 16);
        let stated = rows::bytes_in(&target.needs(), Place::Heap);
        let (result, heap) = rows::heap(|| write_to(output, &*target, shape, &data, 1, 8));
        result.unwrap();
        // The helper's ring and arena are in this count.
        assert!(heap.peak > stated / 2, "{} bytes of heap, {stated} are stated: too many", heap.peak);
        let content = write(&*target, shape, &data, 1, 8).unwrap();
        let page = open(&content).unwrap().page(0).unwrap().unwrap();
        let needs = page.needs(shape.region());
        let stated = rows::bytes_in(&needs, Place::Heap);
        let taken = rows::with_arena(rows::bytes_in(&needs, Place::Arena), |arena| {
            rows::heap(|| page.source(shape.region(), &mut Budget::new(arena)).map(|_| ()).unwrap()).1.peak
        });
        assert!(taken <= stated && taken + 4096 > stated, "{taken} bytes of heap, {stated} are stated");
    }
}
