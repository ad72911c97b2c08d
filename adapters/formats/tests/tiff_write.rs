//! What the TIFF writer writes, another decoder reads: every kind, band count, layout and compression gives the right
//! pixels, and one file whatever the strips, workers and compressors.

mod tiff_written;

use plimsoll_core::budget::Budget;
use plimsoll_core::shape::{Region, Rows, SampleKind, Shape};
use plimsoll_core::strip::Strip;
use plimsoll_formats::{Compression, Format, Pyramid, Tiff, Wanted, WriteAt};
use proptest::prelude::*;
use std::io::{self, Cursor};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;
use tiff_written::{layouts, one_file, picture};

#[test]
fn every_kind_band_count_layout_and_compression_comes_back() {
    for kind in SampleKind::ALL {
        for bands in [1, 2, 3, 4, 7] {
            for wanted in layouts() {
                for compression in [Compression::None, Compression::Lzw, Compression::Deflate] {
                    one_file(Shape::new(37, 53, bands, kind), Wanted { compression, ..wanted });
                }
            }
        }
    }
}

#[test]
fn every_size_comes_back() {
    for (rows, cols) in [(1, 1), (1, 100), (100, 1), (15, 17), (16, 16), (64, 128), (65, 127)] {
        for wanted in layouts() {
            for compression in [Compression::Usual, Compression::Lzw, Compression::Deflate] {
                for (bands, kind) in [(3, SampleKind::U8), (1, SampleKind::F32)] {
                    one_file(Shape::new(rows, cols, bands, kind), Wanted { compression, ..wanted });
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_shape_comes_back(
        (rows, cols, bands) in (1u32..90, 1u32..90, 1u16..6),
        kind in proptest::sample::select(SampleKind::ALL.to_vec()),
        (side, strip_rows) in (0u32..5, 0u32..100),
        compression in proptest::sample::select(vec![Compression::None, Compression::Lzw, Compression::Deflate]),
    ) {
        let tile = (side > 0).then_some(16 * side);
        let file_strip_rows = (tile.is_none() && strip_rows > 0).then_some(strip_rows);
        one_file(Shape::new(rows, cols, bands, kind), Wanted { compression, tile, file_strip_rows, ..Wanted::default() });
    }
}

#[test]
fn tables_longer_than_a_block_come_back() {
    let wanted = Wanted { file_strip_rows: Some(1), ..Wanted::default() };
    let shape = Shape::new(3000, 3, 1, SampleKind::U16);
    one_file(shape, wanted);
    one_file(shape, Wanted { compression: Compression::Deflate, ..wanted });
    // A directory with more samples than fit a block.
    one_file(Shape::new(2, 2, 5000, SampleKind::U8), wanted);
}

#[test]
fn tags_say_what_is_stored() {
    let file = one_file(Shape::new(9, 9, 4, SampleKind::U8), Wanted::default());
    let mut decoder = Decoder::new(Cursor::new(&file)).unwrap();
    assert_eq!(decoder.get_tag_ascii_string(Tag::Software).unwrap(), "Plimsoll");
    assert_eq!(decoder.get_tag_u32(Tag::Unknown(338)).unwrap(), 2, "unassociated alpha");
    assert_eq!(decoder.get_tag_u32(Tag::PhotometricInterpretation).unwrap(), 2);
    assert_eq!(decoder.get_tag_u32(Tag::RowsPerStrip).unwrap(), 9);
    assert!(decoder.find_tag(Tag::Predictor).unwrap().is_none());
    let file = one_file(
        Shape::new(9, 9, 6, SampleKind::I16),
        Wanted { compression: Compression::Lzw, ..layouts()[2] },
    );
    let mut decoder = Decoder::new(Cursor::new(&file)).unwrap();
    assert_eq!(decoder.get_tag_u32_vec(Tag::Unknown(338)).unwrap(), [0; 5], "samples of no stated meaning");
    assert_eq!(decoder.get_tag_u32_vec(Tag::SampleFormat).unwrap(), [2; 6]);
    assert_eq!(decoder.get_tag_u32(Tag::Predictor).unwrap(), 2);
    assert_eq!(decoder.get_tag_u32(Tag::Compression).unwrap(), 5);
}

#[test]
fn large_files_are_bigtiff_and_small_ones_are_not() {
    let describe = |rows, compression| {
        let shape = Shape::new(rows, 1 << 16, 1, SampleKind::U8);
        Tiff.target(shape, Wanted { compression, ..Wanted::default() }).unwrap().describe()
    };
    assert_eq!(describe(65_530, Compression::None), "TIFF, strips of 8 rows, no compression");
    assert_eq!(describe(65_535, Compression::None), "BigTIFF, strips of 8 rows, no compression");
    // The worst case counts: LZW may make half as much again of it.
    assert_eq!(describe(40_000, Compression::Lzw), "TIFF, strips of 4 rows, lzw");
    assert_eq!(describe(45_000, Compression::Lzw), "BigTIFF, strips of 4 rows, lzw");
    assert_eq!(describe(60_000, Compression::Deflate), "BigTIFF, strips of 4 rows, deflate");
}

struct Sparse(std::fs::File);

impl WriteAt for Sparse {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }
}

#[test]
fn rows_beyond_four_gib_are_where_they_should_be() {
    for wanted in [Wanted::default(), Wanted { tile: Some(256), ..Wanted::default() }] {
        let shape = Shape::new(51_200, 100_000, 1, SampleKind::U8);
        let target = Tiff.target(shape, wanted).unwrap();
        assert!(target.describe().starts_with("BigTIFF"));
        let file = tempfile::tempfile().unwrap();
        let writer = target.create(Arc::new(Sparse(file.try_clone().unwrap()))).unwrap();
        let rows = Rows::new(51_000, 51_200);
        let row: Vec<u8> = (0..100_000u32).map(|x| (x % 251) as u8).collect();
        let mut arena = vec![0; 1 << 20];
        let mut sink = writer.sink(rows, &mut Budget::new(&mut arena)).unwrap();
        for y in rows.iter() {
            let mut row = row.clone();
            row[0] = y as u8;
            sink.write(&Strip::new(&row, Region::new(Rows::one(y), shape.all_cols()), shape).unwrap())
                .unwrap();
        }
        sink.finish().unwrap();
        drop(sink);
        assert!(writer.finish().is_err(), "most rows are missing");
        assert_eq!(file.metadata().unwrap().len(), target.file_bytes());
        let mut decoder = Decoder::new(file).unwrap();
        let (last, chunk_rows) = match wanted.tile {
            None => (shape.rows.div_ceil(5) - 1, 5),
            Some(_) => (shape.rows.div_ceil(256) * 391 - 391, 256),
        };
        let (cols, _) = decoder.chunk_data_dimensions(last);
        let DecodingResult::U8(samples) = decoder.read_chunk(last).unwrap() else { panic!() };
        for (index, samples) in samples.chunks(cols as usize).enumerate() {
            let y = shape.rows - chunk_rows + index as u32;
            let expected = if rows.contains(y) { (y as u8, &row[1..cols as usize]) } else { (0, &[][..]) };
            assert_eq!(samples[0], expected.0);
            assert!(samples[1..].starts_with(expected.1));
        }
    }
}

/// The mean of blocks of 2 x 2 pixels, cut at the edges, halves rounded up.
fn half(image: &[u8], shape: Shape) -> (Vec<u8>, Shape) {
    let small = Shape { rows: shape.rows.div_ceil(2), cols: shape.cols.div_ceil(2), ..shape };
    let mut out = Vec::new();
    for y in 0..small.rows {
        for x in 0..small.cols {
            for band in 0..u32::from(shape.bands) {
                let (mut sum, mut count) = (0u32, 0u32);
                for (y, x) in [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(dy, dx)| (2 * y + dy, 2 * x + dx)) {
                    if y < shape.rows && x < shape.cols {
                        let at = (y * shape.cols + x) * u32::from(shape.bands) + band;
                        (sum, count) = (sum + u32::from(image[at as usize]), count + 1);
                    }
                }
                out.push(((sum + count / 2) / count) as u8);
            }
        }
    }
    (out, small)
}

#[test]
fn smaller_copies_are_halves_of_halves() {
    let shape = Shape::new(150, 209, 3, SampleKind::U8);
    for compression in [Compression::None, Compression::Deflate] {
        let wanted = Wanted { compression, tile: Some(64), ..Wanted::default() };
        one_file(shape, Wanted { pyramid: Some(Pyramid::SubIfds), ..wanted });
        let file = one_file(shape, Wanted { pyramid: Some(Pyramid::Pages), ..wanted });
        let mut decoder = Decoder::new(Cursor::new(&file)).unwrap();
        let (mut image, mut level) = (picture(shape), shape);
        while level.rows > 64 || level.cols > 64 {
            (image, level) = half(&image, level);
            decoder.next_image().unwrap();
            assert_eq!(decoder.dimensions().unwrap(), (level.cols, level.rows));
            assert_eq!(decoder.get_tag_u32(Tag::NewSubfileType).unwrap(), 1);
            let DecodingResult::U8(samples) = decoder.read_image().unwrap() else { panic!("another kind") };
            assert!(samples == image, "{} x {}", level.cols, level.rows);
        }
        assert!(!decoder.more_images());
    }
}
