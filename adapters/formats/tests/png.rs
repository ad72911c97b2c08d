//! PNG against the `png` crate's whole-image decoder, files made by hand, and a slow obvious encoder.

mod rows;

use flate2::Crc;
use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::plan::Place;
use plimsoll_core::shape::{Cols, Region, Rows, SampleKind, Shape};
use plimsoll_formats::{Compression, Format, FormatError, Png, Wanted};
use proptest::prelude::*;
use rows::{failing_file, file, open, read, read_all, samples, write, write_to};
use std::io::{Cursor, Write};
use std::sync::Arc;

/// Columns, rows, bits a sample, colour type, interlaced.
type Made = (u32, u32, u8, u8, bool);

fn chunk(into: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    into.extend((content.len() as u32).to_be_bytes());
    let mut sum = Crc::new();
    sum.update(name);
    sum.update(content);
    into.extend(name);
    into.extend(content);
    into.extend(sum.sum().to_be_bytes());
}

fn bits_of_pixel(depth: u8, colour: u8) -> usize {
    usize::from(depth) * [1, 0, 3, 1, 2, 0, 4][usize::from(colour)]
}

/// One row with filter `filter`, as the specification writes it, byte by byte.
fn filtered(filter: u8, pixel: usize, above: &[u8], row: &[u8]) -> Vec<u8> {
    let at = |row: &[u8], i: isize| if i < 0 { 0 } else { i32::from(row[i as usize]) };
    let mut out = vec![filter];
    for i in 0..row.len() as isize {
        let (a, b, c) = (at(row, i - pixel as isize), at(above, i), at(above, i - pixel as isize));
        let paeth = {
            let p = a + b - c;
            let (pa, pb, pc) = ((p - a).abs(), (p - b).abs(), (p - c).abs());
            if pa <= pb && pa <= pc {
                a
            } else if pb <= pc {
                b
            } else {
                c
            }
        };
        let predicted = [0, a, b, (a + b) / 2, paeth][usize::from(filter)];
        out.push((at(row, i) - predicted) as u8);
    }
    out
}

/// The filtered rows of an image whose stored rows are noise, with every filter in turn.
fn stored(made: Made) -> Vec<u8> {
    let (cols, rows, depth, colour, interlaced) = made;
    let bits = bits_of_pixel(depth, colour);
    let passes: &[(u32, u32, u32, u32)] = match interlaced {
        false => &[(0, 0, 1, 1)],
        true => &[
            (0, 0, 8, 8),
            (4, 0, 8, 8),
            (0, 4, 4, 8),
            (2, 0, 4, 4),
            (0, 2, 2, 4),
            (1, 0, 2, 2),
            (0, 1, 1, 2),
        ],
    };
    let (mut out, mut number) = (Vec::new(), 0);
    for (x0, y0, dx, dy) in passes {
        let count = |n: u32, first: u32, step: u32| (first..n).step_by(step as usize).count();
        let len = (count(cols, *x0, *dx) * bits).div_ceil(8);
        let mut above = vec![0; len];
        for _ in 0..count(rows, *y0, *dy) {
            if len == 0 {
                continue;
            }
            let row = samples(len + number)[number..].to_vec();
            out.extend(filtered((number % 5) as u8, bits.div_ceil(8), &above, &row));
            above = row;
            number += 1;
        }
    }
    out
}

/// A file of these filtered rows, in chunks of `idat` bytes, with these chunks before them.
fn file_of(made: Made, filtered: &[u8], idat: usize, extra: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let (cols, rows, depth, colour, interlaced) = made;
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut ihdr = [cols.to_be_bytes(), rows.to_be_bytes()].concat();
    ihdr.extend([depth, colour, 0, 0, u8::from(interlaced)]);
    chunk(&mut out, b"IHDR", &ihdr);
    extra.iter().for_each(|(name, content)| chunk(&mut out, name, content));
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
    deflate.write_all(filtered).unwrap();
    deflate.finish().unwrap().chunks(idat).for_each(|part| chunk(&mut out, b"IDAT", part));
    chunk(&mut out, b"tEXt", b"after\0the pixels");
    chunk(&mut out, b"IEND", &[]);
    out
}

fn make(made: Made, idat: usize, extra: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut all = vec![(b"eXIf", vec![7; 3000]), (b"zzZz", vec![])];
    if made.3 == 3 {
        all.push((b"PLTE", samples(3 * (1 << made.2))));
    }
    all.extend(extra.iter().cloned());
    file_of(made, &stored(made), idat, &all)
}

/// What the `png` crate makes of the whole file, in the machine's byte order.
fn oracle(content: &[u8]) -> (Shape, Vec<u8>) {
    let mut decoder = png::Decoder::new(Cursor::new(content));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().expect("a sound file");
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut samples).expect("a sound file");
    let kind = match info.bit_depth {
        png::BitDepth::Sixteen => SampleKind::U16,
        _ => SampleKind::U8,
    };
    if kind == SampleKind::U16 {
        samples
            .chunks_mut(2)
            .for_each(|x| x.copy_from_slice(&u16::from_be_bytes([x[0], x[1]]).to_ne_bytes()));
    }
    (Shape::new(info.height, info.width, info.color_type.samples() as u16, kind), samples)
}

const KINDS: [(u8, u8); 15] = [
    (1, 0),
    (2, 0),
    (4, 0),
    (8, 0),
    (16, 0),
    (8, 2),
    (16, 2),
    (1, 3),
    (2, 3),
    (4, 3),
    (8, 3),
    (8, 4),
    (16, 4),
    (8, 6),
    (16, 6),
];

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

#[test]
fn what_is_written_is_read_back_by_both() {
    for (kind, bands) in
        [SampleKind::U8, SampleKind::U16].iter().flat_map(|kind| (1..=4).map(move |b| (*kind, b)))
    {
        for compression in [Compression::Usual, Compression::Deflate, Compression::None] {
            let shape = Shape::new(14, 31, bands, kind);
            let data = samples(shape.image_bytes() as usize);
            let target = Png.target(shape, Wanted { compression, ..Wanted::default() }).unwrap();
            assert!(target.ordered());
            let content = write(&*target, shape, &data, 1, 5).unwrap();
            assert!(oracle(&content) == (shape, data.clone()), "{shape}");
            assert!(read_all(&content, 4).unwrap() == (shape, data.clone()), "{shape}");
            assert!(write(&*target, shape, &data, 1, 1).unwrap() == content, "the strips show");
        }
    }
}

#[test]
fn what_cannot_be_written_names_what_would_do() {
    let refused = |kind, bands, wanted| {
        Png.target(Shape::new(4, 4, bands, kind), wanted).err().expect("refused").to_string()
    };
    let usual = Wanted::default();
    assert!(refused(SampleKind::F32, 1, usual).contains("--do to:u16"));
    assert!(refused(SampleKind::U8, 5, usual).contains("--do bands:"));
    assert!(
        refused(SampleKind::U8, 1, Wanted { compression: Compression::Lzw, ..usual }).contains("deflate")
    );
    assert!(refused(SampleKind::U8, 1, Wanted { tile: Some(64), ..usual }).contains("TIFF"));
    let huge = Png.target(Shape::new(u32::MAX, 4, 1, SampleKind::U8), usual);
    assert!(matches!(huge.err(), Some(FormatError::Usage { .. })));
}

#[test]
fn a_file_cut_anywhere_is_malformed() {
    for made in [(9, 7, 8, 2, false), (9, 7, 4, 3, true)] {
        let content = make(made, 40, &[]);
        read_all(&content, 2).unwrap();
        for len in 0..content.len() {
            let result = Png.open(file(&content[..len])).and_then(|picture| {
                let page = picture.page(0)?.expect("a page");
                read(&*page, page.facts().shape.region(), 2)
            });
            assert!(
                matches!(result, Err(FormatError::Malformed { .. })),
                "{len} bytes of {made:?}: {result:?}"
            );
        }
    }
}

#[test]
fn damage_that_changes_pixels_is_malformed() {
    let content = make((9, 7, 8, 2, false), 40, &[]);
    let (_, sound) = read_all(&content, 7).unwrap();
    for at in 8..content.len() {
        let mut damaged = content.clone();
        damaged[at] ^= 0x10;
        match Png.open(file(&damaged)).and_then(|picture| {
            let page = picture.page(0)?.expect("a page");
            read(&*page, page.facts().shape.region(), 2)
        }) {
            Ok(samples) => assert_eq!(samples, sound, "byte {at} shows in the pixels"),
            Err(error) => assert!(matches!(error, FormatError::Malformed { .. }), "byte {at}: {error}"),
        }
    }
}

#[test]
fn rules_that_are_broken_are_named() {
    let made = (4, 2, 8, 0, false);
    let rows = stored(made);
    let refused = |content: Vec<u8>| read_all(&content, 1).expect_err("refused").to_string();
    assert!(refused(file_of((4, 2, 3, 0, false), &rows, 99, &[])).contains("3 bits"));
    assert!(refused(file_of((0, 2, 8, 0, false), &rows, 99, &[])).contains("0 x 2"));
    assert!(refused(file_of((4, 2, 8, 3, false), &rows, 99, &[])).contains("palette"));
    assert!(refused(file_of(made, &rows, 99, &[(b"tRNS", vec![1])])).contains("tRNS"));
    assert!(refused(file_of(made, &rows, 99, &[(b"ABCD", vec![1])])).contains("ABCD"));
    assert!(refused(file_of(made, &rows[..9], 99, &[])).contains("fewer"));
    assert!(refused(file_of(made, &[[9].as_slice(), &rows[1..]].concat(), 99, &[])).contains("filter 9"));
    // A header that promises 2^62 bytes costs nothing to open.
    let vast = file_of((i32::MAX as u32, i32::MAX as u32, 16, 6, true), &rows, 99, &[]);
    let (page, heap) = rows::heap(|| open(&vast).unwrap().page(0).unwrap().unwrap());
    assert!(heap.peak < 4096, "{} bytes to open", heap.peak);
    let region = page.facts().shape.region();
    assert!(rows::bytes_in(&page.needs(region), Place::Arena) > 1 << 62);
    let mut small = [0; 1 << 16];
    let source = page.source(region, &mut Budget::new(&mut small));
    assert!(matches!(source.err(), Some(FormatError::Memory(_))));
}

#[test]
fn every_failing_read_and_write_is_an_error() {
    let content = make((40, 30, 8, 2, false), 999, &[]);
    let whole = |fail: usize| {
        let page = Png.open(failing_file(&content, fail))?.page(0)?.expect("a page");
        read(&*page, page.facts().shape.region(), 3)
    };
    let reads = (0..).find(|fail| whole(*fail).is_ok()).unwrap();
    assert!(reads > 6, "signature, header, chunks, pixels: {reads}");
    assert!((0..reads).all(|fail| matches!(whole(fail), Err(FormatError::Io { operation: "read", .. }))));

    let shape = Shape::new(300, 200, 3, SampleKind::U8);
    let data = samples(shape.image_bytes() as usize);
    let target = Png.target(shape, Wanted::default()).unwrap();
    let run = |fail: usize| {
        let output = Arc::new(rows::Memory { fail: Some(fail), ..Default::default() });
        write_to(output, &*target, shape, &data, 1, 3)
    };
    let writes = (0..).find(|fail| run(*fail).is_ok()).unwrap();
    assert!(writes > 10, "header, two chunks, end: {writes}");
    for fail in 0..writes {
        let result = run(fail);
        assert!(
            matches!(result, Err(FormatError::Io { operation: "write", .. })),
            "write {fail}: {result:?}"
        );
    }
}

proptest! {
    #[test]
    fn mutated_files_give_rows_or_an_error(
        which in 0usize..15,
        interlaced: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        repair: bool,
        cut in any::<prop::sample::Index>(),
    ) {
        let (depth, colour) = KINDS[which];
        let mut content = make((11, 6, depth, colour, interlaced), 30, &[]);
        for (index, value) in changes {
            let at = index.index(content.len() - 8) + 8;
            content[at] = value;
        }
        if repair {
            // Sums that fit, so that what is behind them is reached.
            let mut at = 8;
            while let Some(&[a, b, c, d]) = content.get(at..at + 4).and_then(|x| x.first_chunk::<4>()) {
                let end = at + 8 + u32::from_be_bytes([a, b, c, d]) as usize;
                if end + 4 > content.len() {
                    break;
                }
                let mut sum = Crc::new();
                sum.update(&content[at + 4..end]);
                content[end..end + 4].copy_from_slice(&sum.sum().to_be_bytes());
                at = end + 4;
            }
        } else {
            content.truncate(content.len() - cut.index(content.len() - 8));
        }
        if let Ok(picture) = Png.open(file(&content)) {
            let page = picture.page(0).unwrap().unwrap();
            let shape = page.facts().shape;
            if shape.image_bytes() < 1 << 20 {
                let _ = read(&*page, shape.region(), 2);
            }
        }
    }
}

#[test]
fn the_orientation_of_an_exif_chunk_is_known() {
    let made = |exif: Option<&[u8]>| {
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        // 2 rows of 3 grey pixels.
        chunk(&mut file, b"IHDR", &[0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0]);
        if let Some(exif) = exif {
            chunk(&mut file, b"eXIf", exif);
        }
        let mut data = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::new(6));
        data.write_all(&[0, 1, 2, 3, 0, 4, 5, 6]).unwrap();
        chunk(&mut file, b"IDAT", &data.finish().unwrap());
        chunk(&mut file, b"IEND", &[]);
        let page = open(&file).unwrap().page(0).unwrap().unwrap();
        let upright = plimsoll_formats::UprightPage::new(page, 0);
        let shape = plimsoll_formats::Page::facts(&upright).shape;
        (shape.rows, read(&upright, shape.region(), 2).unwrap())
    };
    let exif = |order: &[u8], number: u16| {
        let word = |n: u16| if order == b"II" { n.to_le_bytes() } else { n.to_be_bytes() };
        let long = |n: u32| if order == b"II" { n.to_le_bytes() } else { n.to_be_bytes() };
        let entry =
            |tag: u16, value: u16| [&word(tag)[..], &word(3), &long(1), &word(value), &[0, 0]].concat();
        [order, &word(42), &long(8), &word(2), &entry(256, 7), &entry(274, number), &long(0)].concat()
    };
    assert_eq!(made(None), (2, vec![1, 2, 3, 4, 5, 6]));
    for order in [b"II", b"MM"] {
        assert_eq!(made(Some(&exif(order, 1))), (2, vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(made(Some(&exif(order, 2))), (2, vec![3, 2, 1, 6, 5, 4]));
        assert_eq!(made(Some(&exif(order, 3))), (2, vec![6, 5, 4, 3, 2, 1]));
        assert_eq!(made(Some(&exif(order, 6))), (3, vec![4, 1, 5, 2, 6, 3]));
        assert_eq!(made(Some(&exif(order, 9))), (2, vec![1, 2, 3, 4, 5, 6]));
        // Cut anywhere it says nothing, or what it says.
        let whole = exif(order, 3);
        for len in 0..whole.len() {
            let (rows, mut samples) = made(Some(&whole[..len]));
            samples.sort_unstable();
            assert_eq!((rows, samples), (2, vec![1, 2, 3, 4, 5, 6]), "{len} bytes");
        }
    }
}
