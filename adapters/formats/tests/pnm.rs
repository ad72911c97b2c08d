//! The Netpbm family against naive parsers and exact bytes.

mod rows;

use plimsoll_core::pipeline::plan::Place;
use plimsoll_core::shape::{Cols, Region, Rows, SampleKind, Shape};
use plimsoll_formats::{Compression, FormatError, Wanted, by_extension};
use proptest::prelude::*;
use rows::{failing_file, file, open, read, read_all, samples, write, write_to};
use std::sync::Arc;

/// The naive twin: a whole binary PGM or PPM with a header of three words, as samples.
fn naive(content: &[u8]) -> (usize, usize, Vec<u16>) {
    let mut words = content.split(|byte| byte.is_ascii_whitespace());
    let mut number = || std::str::from_utf8(words.next().unwrap()).unwrap().parse::<usize>().ok();
    assert!(number().is_none(), "the magic");
    let (cols, rows, maxval) = (number().unwrap(), number().unwrap(), number().unwrap());
    let header =
        content.iter().enumerate().filter(|(_, byte)| byte.is_ascii_whitespace()).nth(3).unwrap().0 + 1;
    let data = &content[header..];
    let all = match maxval {
        ..=255 => data.iter().map(|x| u16::from(*x)).collect(),
        _ => data.chunks(2).map(|x| u16::from(x[0]) * 256 + u16::from(x[1])).collect(),
    };
    (rows, cols, all)
}

fn widen(shape: Shape, bytes: &[u8]) -> Vec<u16> {
    match shape.kind {
        SampleKind::U8 => bytes.iter().map(|x| u16::from(*x)).collect(),
        _ => bytes.chunks(2).map(|x| u16::from_ne_bytes([x[0], x[1]])).collect(),
    }
}

#[test]
fn binary_files_are_read_as_by_the_naive_parser_whatever_the_strips() {
    for (magic, bands, maxval) in
        [("P5", 1, 255), ("P6", 3, 255), ("P5", 1, 65535), ("P6", 3, 1023), ("P5", 1, 7)]
    {
        let mut content = format!("{magic} 13 9 {maxval}\n").into_bytes();
        content.extend(samples(13 * 9 * bands * if maxval > 255 { 2 } else { 1 }));
        let (rows, cols, expected) = naive(&content);
        for strip_rows in [1, 3, 9] {
            let (shape, bytes) = read_all(&content, strip_rows).unwrap();
            assert_eq!((shape.rows as usize, shape.cols as usize, shape.bands as usize), (rows, cols, bands));
            assert_eq!(widen(shape, &bytes), expected, "{magic} {maxval} by {strip_rows}");
        }
        // Any region, straight from its place.
        let page = open(&content).unwrap().page(0).unwrap().unwrap();
        let shape = page.facts().shape;
        let region = Region::new(Rows::new(2, 7), Cols::new(5, 12));
        let part = widen(shape, &read(&*page, region, 2).unwrap());
        let naive_part: Vec<u16> =
            (2..7).flat_map(|y| expected[(y * cols + 5) * bands..(y * cols + 12) * bands].to_vec()).collect();
        assert_eq!(part, naive_part);
        let unusual = page.facts().more.iter().any(|(name, _)| *name == "largest sample");
        assert_eq!(unusual, !matches!(maxval, 255 | 65535), "an unusual range of samples is reported");
    }
}

#[test]
fn headers_may_hold_comments_and_any_white_space() {
    let content = b"P5#one\n# two\n 2#three\r\n\t1 # four\n\n255 \x0a\x0b";
    assert_eq!(read_all(content, 1).unwrap().1, [0x0a, 0x0b]);
}

#[test]
fn plain_text_gives_the_same_as_binary() {
    let (_, expected) = read_all(b"P6 2 2 255\n\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\xff", 2).unwrap();
    let content = b"P3\n2 2 # size\n255\n1 2 3 4\n5 6\t7 8 # inside\n9 10 11 255";
    for strip_rows in [1, 2, 5] {
        assert_eq!(read_all(content, strip_rows).unwrap().1, expected);
    }
    let page = open(content).unwrap().page(0).unwrap().unwrap();
    let right = Region::new(Rows::new(1, 2), Cols::new(1, 2));
    assert_eq!(read(&*page, right, 1).unwrap(), [10, 11, 255], "rows and columns before are passed over");
    assert_eq!(page.facts().unit_rows, 2, "text has no beginnings of rows");
    let (shape, wide) = read_all(b"P2 3 1 65535 0 258 65535 ", 1).unwrap();
    assert_eq!((shape.kind, widen(shape, &wide)), (SampleKind::U16, vec![0, 258, 65535]));
    for (wrong, what) in [
        (&b"P2 2 1 9 1 10"[..], "larger than the largest"),
        (b"P2 2 1 9 1", "too few"),
        (b"P2 2 1 9 1   ", "too few, which only reading finds out"),
        (b"P2 2 1 9 1 x", "no digit"),
        (b"P2 2 1 9 1 99999999999999", "far too large"),
    ] {
        assert!(matches!(read_all(wrong, 1), Err(FormatError::Malformed { .. })), "{what}");
    }
}

#[test]
fn text_that_is_too_short_for_its_samples_is_no_picture() {
    // As for binary samples: nobody is asked for the memory of rows that cannot be there.
    for (short, enough) in [("P2 3 2 9 1 2 3 4 5 ", "6"), ("P3 1 2 9 1 2 3 4 5 ", "6"), ("P1 3 2 11111", "1")]
    {
        assert!(matches!(open(short.as_bytes()).err(), Some(FormatError::Malformed { .. })), "{short}");
        read_all(format!("{short}{enough}").as_bytes(), 1).unwrap();
    }
    for vast in ["P1 4294967295 1 1", "P2 4294967295 4294967295 9 1", "P3 4294967295 1 9 1"] {
        let error = open(vast.as_bytes()).err().expect("refused").to_string();
        assert!(error.contains("at least are announced"), "{error}");
    }
}

#[test]
fn bitmaps_become_white_and_black_from_any_column() {
    let cols = 77;
    let bits: Vec<u8> = (0..3 * cols).map(|i| (i * i / 3 % 2) as u8).collect();
    let mut packed = format!("P4\n{cols} 3\n").into_bytes();
    let mut text = format!("P1\n{cols} 3\n");
    for row in bits.chunks(cols) {
        for byte in row.chunks(8) {
            packed.push(byte.iter().enumerate().map(|(i, bit)| bit << (7 - i)).sum());
        }
        text.extend(row.iter().map(|bit| char::from(b'0' + bit)));
    }
    let expected: Vec<u8> = bits.iter().map(|bit| if *bit == 1 { 0 } else { 255 }).collect();
    assert_eq!(read_all(&packed, 2).unwrap().1, expected);
    assert_eq!(read_all(text.as_bytes(), 2).unwrap().1, expected);
    let page = open(&packed).unwrap().page(0).unwrap().unwrap();
    for start in 0..20u32 {
        let region = Region::new(Rows::one(1), Cols::new(start, cols as u32 - start));
        let wanted = &expected[cols + start as usize..2 * cols - start as usize];
        assert_eq!(read(&*page, region, 1).unwrap(), wanted, "from column {start}");
    }
}

#[test]
fn wide_bitmaps_are_read_piece_by_piece() {
    let cols = 70_003u32;
    let mut content = format!("P4\n{cols} 1\n").into_bytes();
    content.extend(samples(cols.div_ceil(8) as usize));
    let data = content.len() - cols.div_ceil(8) as usize;
    let page = open(&content).unwrap().page(0).unwrap().unwrap();
    let region = Region::new(Rows::one(0), Cols::new(3, cols));
    let expected: Vec<u8> = (3..cols as usize)
        .map(|col| if content[data + col / 8] >> (7 - col % 8) & 1 == 1 { 0 } else { 255 })
        .collect();
    assert_eq!(read(&*page, region, 1).unwrap(), expected);
}

#[test]
fn arbitrary_maps_have_any_depth() {
    for (tuple, depth, colour) in [
        ("GRAYSCALE", 1, "grey"),
        ("GRAYSCALE_ALPHA", 2, "grey+alpha"),
        ("RGB", 3, "rgb"),
        ("RGB_ALPHA", 4, "rgb+alpha"),
        ("SPECTRUM", 9, "other"),
    ] {
        let mut content = format!(
            "P7\n# a comment\nWIDTH 3\nHEIGHT 2\nDEPTH {depth}\nMAXVAL 65535\nTUPLTYPE {tuple}\nENDHDR\n"
        )
        .into_bytes();
        let data = samples(3 * 2 * depth * 2);
        content.extend(&data);
        let page = open(&content).unwrap().page(0).unwrap().unwrap();
        assert_eq!((page.facts().shape.bands as usize, page.facts().colour), (depth, colour));
        let (shape, bytes) = read_all(&content, 1).unwrap();
        let expected: Vec<u16> = data.chunks(2).map(|x| u16::from(x[0]) * 256 + u16::from(x[1])).collect();
        assert_eq!(widen(shape, &bytes), expected);
    }
}

#[test]
fn float_maps_run_from_the_bottom_in_both_byte_orders() {
    let values = [0.0f32, -1.5, 3.25, f32::INFINITY, 1e-40, 6.0];
    let stored_rows = [&values[4..6], &values[2..4], &values[0..2]];
    for (scale, order) in [("-1.0", f32::to_le_bytes as fn(f32) -> [u8; 4]), ("2.5", f32::to_be_bytes)] {
        let mut content = format!("Pf\n2 3\n{scale}\n").into_bytes();
        stored_rows.iter().for_each(|row| row.iter().for_each(|x| content.extend(order(*x))));
        for strip_rows in [1, 2, 3] {
            let (shape, bytes) = read_all(&content, strip_rows).unwrap();
            assert_eq!(shape, Shape::new(3, 2, 1, SampleKind::F32));
            let expected: Vec<u8> = values.iter().flat_map(|x| x.to_ne_bytes()).collect();
            assert_eq!(bytes, expected);
        }
    }
}

#[test]
fn images_behind_one_another_are_pages() {
    let mut content = b"P5 2 1 255\nabP6 1 1 255\nrgb".to_vec();
    content.extend(b"P5 1 1 65535\n\x01\x02 trailing");
    let picture = open(&content).unwrap();
    let of = |index: u32| {
        let page = picture.page(index).unwrap()?;
        Some(read(&*page, page.facts().shape.region(), 1).unwrap())
    };
    // In any order.
    assert_eq!(of(2), Some(0x0102u16.to_ne_bytes().to_vec()));
    assert_eq!((of(0), of(1)), (Some(b"ab".to_vec()), Some(b"rgb".to_vec())));
    assert_eq!((of(3), of(1), of(77)), (None, Some(b"rgb".to_vec()), None));
    let cut = open(b"P5 2 1 255\nabP6 1 1 255\nrg").unwrap();
    assert!(matches!(cut.page(1), Err(FormatError::Malformed { .. })), "a second image that is cut");
}

#[test]
fn written_files_have_exactly_these_bytes() {
    let target = |extension: &str, shape: Shape| {
        by_extension(extension).unwrap().target(shape, Wanted::default()).unwrap()
    };
    let shape = Shape::new(2, 3, 1, SampleKind::U8);
    assert_eq!(write(&*target("PGM", shape), shape, b"abcdef", 2, 1).unwrap(), b"P5\n3 2\n255\nabcdef");
    let shape = Shape::new(1, 1, 3, SampleKind::U16);
    let words: Vec<u8> = [0x0102u16, 0x0304, 0xfffe].iter().flat_map(|x| x.to_ne_bytes()).collect();
    assert_eq!(
        write(&*target("ppm", shape), shape, &words, 1, 1).unwrap(),
        b"P6\n1 1\n65535\n\x01\x02\x03\x04\xff\xfe"
    );
    let shape = Shape::new(1, 1, 2, SampleKind::U8);
    assert_eq!(
        write(&*target("pam", shape), shape, b"ga", 1, 1).unwrap(),
        b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\nga"
    );
    let shape = Shape::new(2, 1, 1, SampleKind::F32);
    let floats: Vec<u8> = [1.0f32, -2.0].iter().flat_map(|x| x.to_ne_bytes()).collect();
    assert_eq!(
        write(&*target("pfm", shape), shape, &floats, 2, 1).unwrap(),
        b"Pf\n1 2\n-1.0\n\x00\x00\x00\xc0\x00\x00\x80\x3f"
    );
}

#[test]
fn what_is_written_is_read_back_whatever_the_bands_and_strips() {
    for (extension, kind, bands) in [
        ("pgm", SampleKind::U8, 1),
        ("ppm", SampleKind::U16, 3),
        ("pnm", SampleKind::U8, 5),
        ("pam", SampleKind::U16, 4),
        ("pfm", SampleKind::F32, 3),
    ] {
        // Rows longer than the byte order scratch, too.
        for (rows, cols) in [(11, 7), (3, 20_000)] {
            let shape = Shape::new(rows, cols, bands, kind);
            let data = samples(shape.image_bytes() as usize);
            let target = by_extension(extension).unwrap().target(shape, Wanted::default()).unwrap();
            let content = write(&*target, shape, &data, 1, 11).unwrap();
            assert_eq!(content.len() as u64, target.file_bytes());
            assert_eq!(read_all(&content, 2).unwrap(), (shape, data.clone()));
            for (workers, strip_rows) in [(3, 1), (2, 4)] {
                let other = write(&*target, shape, &data, workers, strip_rows).unwrap();
                assert!(other == content, "{extension}: {workers} workers by {strip_rows} rows");
            }
        }
    }
}

#[test]
fn what_cannot_be_written_names_what_would_do() {
    let refused = |extension: &str, kind, bands, wanted| {
        let shape = Shape::new(4, 4, bands, kind);
        by_extension(extension).unwrap().target(shape, wanted).err().expect("refused").to_string()
    };
    let usual = Wanted::default();
    assert!(refused("pgm", SampleKind::I32, 1, usual).contains("--do to:u16"));
    assert!(refused("ppm", SampleKind::F32, 3, usual).contains(".pfm"));
    assert!(refused("pfm", SampleKind::U8, 1, usual).contains("--do to:f32"));
    assert!(refused("pfm", SampleKind::F32, 2, usual).contains("--do bands:"));
    let lzw = Wanted { compression: Compression::Lzw, ..usual };
    assert!(refused("pgm", SampleKind::U8, 1, lzw).contains("TIFF"));
    assert!(refused("pam", SampleKind::U8, 1, Wanted { tile: Some(256), ..usual }).contains("TIFF"));
    assert!(refused("pam", SampleKind::U8, 0, usual).contains("no samples"));
}

#[test]
fn a_file_cut_anywhere_is_malformed() {
    let mut float = b"PF\n1 2\n-1\n".to_vec();
    float.extend([0; 24]);
    for content in [
        &b"P5 # c\n3 2 255\nabcdef"[..],
        b"P6 1 1 65535\nabcdef",
        b"P4 9 2\nabcd",
        b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\nrgb",
        &float,
    ] {
        read_all(content, 1).unwrap();
        let format = plimsoll_formats::detect(content).unwrap();
        for len in 0..content.len() {
            let cut = format.open(file(&content[..len]));
            assert!(matches!(cut.err(), Some(FormatError::Malformed { .. })), "{len} bytes");
        }
    }
}

#[test]
fn headers_that_lie_are_refused_without_memory() {
    for content in [
        &b"P5 4294967295 4294967295 65535\n"[..],
        b"P6 4294967296 1 255\nabc",
        b"P5 0 5 255\n",
        b"P5 1 1 0\na",
        b"P5 1 1 65536\nab",
        b"P5 -1 1 255\na",
        b"P5 +1 1 255\na",
        b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 65536\nMAXVAL 255\nENDHDR\na",
        b"P7\nWIDTH 1\nENDHDR\na",
        b"P7\nSIZE 1\nENDHDR\na",
        b"Pf 1 1 0\nabcd",
        b"Pf 1 1 nan\nabcd",
    ] {
        let (result, heap) = rows::heap(|| open(content).map(|_| ()));
        assert!(matches!(result, Err(FormatError::Malformed { .. })), "{}", content.escape_ascii());
        assert!(heap.peak < 4096, "{} bytes to open {}", heap.peak, content.escape_ascii());
    }
    let endless = [b"P5 #".to_vec(), vec![b'x'; 1 << 20]].concat();
    assert!(matches!(open(&endless).err(), Some(FormatError::Malformed { .. })), "a comment without end");
}

#[test]
fn every_failing_read_and_write_is_an_error() {
    let mut content = b"P6 5 4 65535\n".to_vec();
    content.extend(samples(5 * 4 * 6));
    let whole = |fail: usize| {
        let picture = by_extension("ppm").unwrap().open(failing_file(&content, fail))?;
        let page = picture.page(0)?.expect("a page");
        read(&*page, Region::new(Rows::new(0, 4), Cols::new(1, 4)), 2)
    };
    let reads = (0..).find(|fail| whole(*fail).is_ok()).unwrap();
    assert_eq!(reads, 5, "one for the header, one for each row");
    assert!((0..reads).all(|fail| matches!(whole(fail), Err(FormatError::Io { operation: "read", .. }))));

    let shape = Shape::new(4, 5, 3, SampleKind::U16);
    let target = by_extension("ppm").unwrap().target(shape, Wanted::default()).unwrap();
    let run = |fail: usize| {
        let output = Arc::new(rows::Memory { fail: Some(fail), ..Default::default() });
        write_to(output, &*target, shape, &content[13..], 2, 1)
    };
    let writes = (0..).find(|fail| run(*fail).is_ok()).unwrap();
    assert_eq!(writes, 5);
    assert!((0..writes).all(|fail| matches!(run(fail), Err(FormatError::Io { operation: "write", .. }))));
}

#[test]
fn an_arena_a_line_short_is_refused() {
    let page = open(b"P2 1 1 9 1").unwrap().page(0).unwrap().unwrap();
    let region = page.facts().shape.region();
    let arena = rows::bytes_in(&page.needs(region), Place::Arena);
    rows::with_arena(arena - 64, |arena| {
        let result = page.source(region, &mut plimsoll_core::budget::Budget::new(arena));
        assert!(matches!(result.err(), Some(FormatError::Memory(_))));
    });
}

proptest! {
    #[test]
    fn any_bytes_give_rows_or_an_error(
        magic in "P[1-7fF][ \n]",
        words in prop::collection::vec(prop_oneof!["[0-9]{1,4}", "WIDTH [0-9]{1,2}\n", "HEIGHT [0-9]\n", "DEPTH [0-9]\n", "MAXVAL [0-9]{1,5}\n", "ENDHDR\n", "#[a-z]*\n", "-?[0-9]\\.[0-9]"], 0..9),
        tail in prop::collection::vec(any::<u8>(), 0..200),
        strip_rows in 1u32..5,
    ) {
        let mut content = magic.into_bytes();
        words.iter().for_each(|word| {
            content.extend(word.as_bytes());
            content.push(b' ');
        });
        content.extend(tail);
        if let Ok(picture) = open(&content) {
            for index in 0..4 {
                let Ok(Some(page)) = picture.page(index) else { break };
                let shape = page.facts().shape;
                if shape.row_bytes() <= 1 << 20 && shape.rows <= 10_000 {
                    let _ = read(&*page, shape.region(), strip_rows);
                }
            }
        }
    }
}
