//! PNG that is cut, damaged or against the rules, and systems that fail: each a typed error.

mod png_files;
mod rows;

use flate2::Crc;
use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::plan::Place;
use plimsoll_core::shape::{SampleKind, Shape};
use plimsoll_formats::{Format, FormatError, Png, Wanted};
use png_files::{KINDS, chunk, file_of, make, stored};
use proptest::prelude::*;
use rows::{failing_file, file, open, read, read_all, samples, write_to};
use std::io::Write;
use std::sync::Arc;
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
    // Sizes that the file cannot hold say nothing: not a row of them, nor all rows where all are held at once.
    for (cols, rows_, interlaced) in
        [(i32::MAX as u32, 1, false), (1 << 15, 1 << 16, true), (i32::MAX as u32, i32::MAX as u32, true)]
    {
        let vast = file_of((cols, rows_, 16, 6, interlaced), &rows, 99, &[]);
        let (opened, heap) = rows::heap(|| Png.open(file(&vast)));
        assert!(heap.peak < 4096, "{} bytes to open", heap.peak);
        let error = opened.err().expect("refused").to_string();
        assert!(error.contains("bytes of pixels, more than a file of"), "{error}");
    }
}

#[test]
fn what_a_file_could_hold_is_priced() {
    // A grey row of all that the file could inflate to is no lie yet; one more byte is.
    let rows = stored((4, 2, 8, 0, false));
    let len = file_of((1, 1, 8, 0, false), &rows, 99, &[]).len() as u32;
    for (cols, rows_, interlaced) in [(len * 1032, 1 << 30, false), (len * 8, 129, true)] {
        let page = open(&file_of((cols, rows_, 8, 0, interlaced), &rows, 99, &[]))
            .unwrap()
            .page(0)
            .unwrap()
            .unwrap();
        let region = page.facts().shape.region();
        assert!(rows::bytes_in(&page.needs(region), Place::Arena) > u64::from(len) * 1032);
        let mut small = [0; 1 << 15];
        let source = page.source(region, &mut Budget::new(&mut small));
        assert!(matches!(source.err(), Some(FormatError::Memory(_))));
    }
    for (cols, rows_, interlaced) in [(len * 1032 + 1, 1, false), (len * 8, 130, true)] {
        let lie = file_of((cols, rows_, 8, 0, interlaced), &rows, 99, &[]);
        assert!(matches!(Png.open(file(&lie)).err(), Some(FormatError::Malformed { .. })));
    }
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
