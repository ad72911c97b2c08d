//! What the TIFF writer writes, another decoder reads: every kind, band count, layout and compression gives the right
//! pixels, and one file whatever the strips, workers and compressors. Failing devices end in one error and no hang.

use plimsoll_core::budget::Budget;
use plimsoll_core::shape::{Region, Rows, SampleKind, Shape};
use plimsoll_core::strip::Strip;

use plimsoll_formats::{Compression, Format, FormatError, Output, Pyramid, Tiff, Wanted, WriteAt};
use proptest::prelude::*;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

/// A file in memory. What was never written is 0xEE, so that gaps show.
#[derive(Default)]
struct Memory(Mutex<Vec<u8>>);

impl WriteAt for Memory {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.0.lock().unwrap();
        let start = offset as usize;
        if file.len() < start + bytes.len() {
            file.resize(start + bytes.len(), 0xEE);
        }
        file[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }
}

/// A picture with smooth and rough parts; floats have every exponent.
fn picture(shape: Shape) -> Vec<u8> {
    let mut state = 88172645463325252u64;
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut bytes = Vec::new();
    for y in 0..shape.rows {
        for x in 0..shape.cols {
            for band in 0..shape.bands {
                let smooth = u64::from(x * 3 + y * 5 + u32::from(band) * 40);
                let value = if (x / 8 + y / 8) % 3 == 0 { noise() } else { smooth * 0x0101 };
                match shape.kind {
                    SampleKind::F32 => bytes.extend((value as u32 as f32 * 1e-3 - 7.0).to_ne_bytes()),
                    SampleKind::F64 => bytes.extend((value as f64 * 1e-3 - 7.0).to_ne_bytes()),
                    kind => bytes.extend(&value.to_ne_bytes()[..kind.bytes()]),
                }
            }
        }
    }
    bytes
}

/// Writes rows `rows` of `image` in strips of `height` through a ring that is one row longer.
fn feed(
    sink: &mut plimsoll_formats::RowSink<'_>,
    shape: Shape,
    image: &[u8],
    rows: Rows,
    height: u32,
) -> Result<(), FormatError> {
    let row_bytes = shape.row_bytes() as usize;
    let slots = height as usize + 1;
    let mut ring = vec![0; slots * row_bytes];
    let mut start = rows.start();
    while start < rows.end() {
        let end = (start + height).min(rows.end());
        for row in start..end {
            let (from, to) = (row as usize * row_bytes, row as usize % slots * row_bytes);
            ring[to..to + row_bytes].copy_from_slice(&image[from..from + row_bytes]);
        }
        sink.write(&Strip::new(&ring, Region::new(Rows::new(start, end), shape.all_cols()), shape).unwrap())?;
        start = end;
    }
    sink.finish()
}

/// Writes a file with `workers` bands at once.
fn write(
    shape: Shape,
    wanted: Wanted,
    image: &[u8],
    height: u32,
    workers: u32,
) -> Result<Vec<u8>, FormatError> {
    let memory = Arc::new(Memory::default());
    write_to(memory.clone(), shape, wanted, image, height, workers)?;
    Ok(std::mem::take(&mut *memory.0.lock().unwrap()))
}

fn write_to(
    output: Output,
    shape: Shape,
    wanted: Wanted,
    image: &[u8],
    height: u32,
    workers: u32,
) -> Result<(), FormatError> {
    let target = Tiff.target(shape, wanted)?;
    let workers = if target.ordered() { 1 } else { workers };
    let writer = target.create(output)?;
    let result = std::thread::scope(|scope| {
        let bands: Vec<_> = (0..workers)
            .map(|index| {
                let rows = Rows::new(shape.rows * index / workers, shape.rows * (index + 1) / workers);
                let writer = &writer;
                scope.spawn(move || {
                    let mut arena = vec![0; 1 << 20];
                    let mut budget = Budget::new(&mut arena);
                    let mut sink = writer.sink(rows, &mut budget)?;
                    feed(&mut sink, shape, image, rows, height)
                })
            })
            .collect();
        bands.into_iter().map(|band| band.join().unwrap()).collect::<Result<Vec<()>, _>>()
    });
    result?;
    writer.finish()
}

/// The pixels of a file as native bytes, by the other decoder.
fn read(file: &[u8], shape: Shape) -> Vec<u8> {
    let mut decoder = Decoder::new(Cursor::new(file)).unwrap();
    assert_eq!(decoder.dimensions().unwrap(), (shape.cols, shape.rows));
    let bits = 8 * shape.kind.bytes() as u8;
    let colour = match shape.bands {
        1 => ColorType::Gray(bits),
        3 => ColorType::RGB(bits),
        4 => ColorType::RGBA(bits),
        n => ColorType::Multiband { bit_depth: bits, num_samples: n },
    };
    assert_eq!(decoder.colortype().unwrap(), colour, "{shape}");
    match decoder.read_image().unwrap() {
        DecodingResult::U8(samples) => samples,
        DecodingResult::U16(samples) => samples.iter().flat_map(|s| s.to_ne_bytes()).collect(),
        DecodingResult::I16(samples) => samples.iter().flat_map(|s| s.to_ne_bytes()).collect(),
        DecodingResult::U32(samples) => samples.iter().flat_map(|s| s.to_ne_bytes()).collect(),
        DecodingResult::I32(samples) => samples.iter().flat_map(|s| s.to_ne_bytes()).collect(),
        DecodingResult::F32(samples) => samples.iter().flat_map(|s| s.to_ne_bytes()).collect(),
        DecodingResult::F64(samples) => samples.iter().flat_map(|s| s.to_ne_bytes()).collect(),
        _ => panic!("another kind"),
    }
}

/// The units of a compressed file, before compression.
fn units(file: &[u8]) -> Vec<Vec<u8>> {
    let mut decoder = Decoder::new(Cursor::new(file)).unwrap();
    let (offsets, counts) = match decoder.find_tag(Tag::TileOffsets).unwrap() {
        Some(_) => (Tag::TileOffsets, Tag::TileByteCounts),
        None => (Tag::StripOffsets, Tag::StripByteCounts),
    };
    let offsets = decoder.get_tag_u64_vec(offsets).unwrap();
    let counts = decoder.get_tag_u64_vec(counts).unwrap();
    let lzw = decoder.get_tag_u32(Tag::Compression).unwrap() == 5;
    let unpack = |(offset, count): (u64, u64)| {
        let packed = &file[offset as usize..][..count as usize];
        if lzw {
            return weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
                .decode(packed)
                .unwrap();
        }
        let mut raw = Vec::new();
        flate2::read::ZlibDecoder::new(packed).read_to_end(&mut raw).unwrap();
        raw
    };
    offsets.into_iter().zip(counts).map(unpack).collect()
}

fn layouts() -> [Wanted; 4] {
    [
        Wanted::default(),
        Wanted { file_strip_rows: Some(5), ..Wanted::default() },
        Wanted { tile: Some(16), ..Wanted::default() },
        Wanted { tile: Some(64), ..Wanted::default() },
    ]
}

/// One file whatever the strips, bands and compressors, within its stated size and without gaps.
fn one_file(shape: Shape, wanted: Wanted) -> Vec<u8> {
    let image = picture(shape);
    let what = format!("{shape} {wanted:?}");
    let target = Tiff.target(shape, wanted).unwrap();
    let first = write(shape, wanted, &image, shape.rows, 1).unwrap();
    if target.ordered() {
        assert!(first.len() as u64 <= target.file_bytes(), "{what}");
    } else {
        assert_eq!(first.len() as u64, target.file_bytes(), "{what}");
    }
    for (height, workers, compressors) in [(1, 3, 0), (7, 2, 1), (7, 1, 2), (1, 1, 2), (shape.rows, 3, 1)] {
        let wanted = Wanted { compressors, ..wanted };
        let other = write(shape, wanted, &image, height, workers).unwrap();
        assert!(first == other, "{what}: strips of {height}, {workers} workers, {compressors} compressors");
    }
    // Of LZW the other decoder (tiff 0.11.3 with weezl 0.1.12) loses the end of some padded tiles, whoever wrote them:
    // it is asked about a twin with Deflate, whose units must be the same before compression.
    if wanted.compression == Compression::Lzw {
        let twin = Wanted { compression: Compression::Deflate, ..wanted };
        let twin = write(shape, twin, &image, shape.rows, 1).unwrap();
        assert!(units(&first) == units(&twin), "{what}: other units");
        assert!(read(&twin, shape) == image, "{what}: other pixels");
    }
    if wanted.compression != Compression::Lzw || wanted.tile.is_none() {
        assert!(read(&first, shape) == image, "{what}: other pixels");
    }
    first
}

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

/// A device that fails at one call.
struct Failing {
    memory: Memory,
    left: AtomicUsize,
}

impl WriteAt for Failing {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            return Err(io::Error::other("this device is full"));
        }
        self.memory.write_at(offset, bytes)
    }
}

#[test]
fn a_failing_device_gives_its_error_and_no_hang() {
    let shape = Shape::new(70, 61, 3, SampleKind::U8);
    let image = picture(shape);
    for compression in [Compression::None, Compression::Lzw, Compression::Deflate] {
        for layout in layouts() {
            for compressors in 0..3 {
                let wanted = Wanted { compression, compressors, ..layout };
                let mut failures = 0;
                for call in 1.. {
                    let device = Failing { memory: Memory::default(), left: AtomicUsize::new(call) };
                    match write_to(Arc::new(device), shape, wanted, &image, 7, 1) {
                        Ok(()) => break,
                        Err(FormatError::Io { operation: "write", source, .. }) => {
                            assert_eq!(source.to_string(), "this device is full");
                            failures += 1;
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
                assert!(failures >= 4, "header, unit, directory, header: {failures}");
            }
        }
    }
}

#[test]
fn a_sink_that_failed_stays_failed_and_the_file_is_not_completed() {
    let shape = Shape::new(64, 64, 1, SampleKind::U8);
    let image = picture(shape);
    let wanted = Wanted { compression: Compression::Deflate, compressors: 1, ..layouts()[1] };
    let device = Arc::new(Failing { memory: Memory::default(), left: AtomicUsize::new(2) });
    let writer = Tiff.target(shape, wanted).unwrap().create(device).unwrap();
    let mut sink = writer.sink(shape.all_rows(), &mut Budget::new(&mut [])).unwrap();
    let strip = Strip::new(&image, shape.region(), shape).unwrap();
    let failed = sink.write(&strip).and_then(|()| sink.finish());
    assert!(matches!(failed, Err(FormatError::Io { .. })));
    assert!(matches!(sink.finish(), Err(FormatError::Usage { .. })));
    drop(sink);
    assert!(writer.finish().is_err());
}

#[test]
fn rows_out_of_order_or_missing_are_refused() {
    let shape = Shape::new(8, 8, 1, SampleKind::U8);
    let image = picture(shape);
    for compression in [Compression::None, Compression::Deflate] {
        let wanted = Wanted { compression, ..Wanted::default() };
        let writer = Tiff.target(shape, wanted).unwrap().create(Arc::new(Memory::default())).unwrap();
        let strip = |start, end| {
            Strip::new(&image, Region::new(Rows::new(start, end), shape.all_cols()), shape).unwrap()
        };
        let mut sink = writer.sink(shape.all_rows(), &mut Budget::new(&mut [])).unwrap();
        assert!(matches!(sink.write(&strip(1, 2)), Err(FormatError::Usage { .. })));
        drop(sink);
        let mut sink = writer.sink(shape.all_rows(), &mut Budget::new(&mut [])).unwrap();
        sink.write(&strip(0, 7)).unwrap();
        assert!(matches!(sink.finish(), Err(FormatError::Usage { .. })));
    }
}

#[test]
fn what_cannot_be_written_is_refused_beforehand() {
    let shape = Shape::new(100, 100, 3, SampleKind::U8);
    let refused = |shape: Shape, wanted: Wanted| match Tiff.target(shape, wanted) {
        Err(FormatError::Usage { problem, .. }) => problem,
        Err(other) => panic!("{other}"),
        Ok(target) => panic!("{}", target.describe()),
    };
    let tile = |side| Wanted { tile: Some(side), ..Wanted::default() };
    for side in [0, 1, 17, 4112] {
        assert!(refused(shape, tile(side)).contains("multiple of 16"));
    }
    assert!(refused(shape, Wanted { file_strip_rows: Some(0), ..Wanted::default() }).contains("0 rows"));
    assert!(refused(shape, Wanted { file_strip_rows: Some(8), ..tile(16) }).contains("exclude"));
    assert!(refused(shape.with_bands(0), Wanted::default()).contains("one pixel"));
    let largest = Shape::new(u32::MAX, u32::MAX, u16::MAX, SampleKind::F64);
    assert!(refused(largest, Wanted::default()).contains("2^62"));
    assert!(refused(largest, tile(4096)).contains("2^62"));
    let tall = Wanted { file_strip_rows: Some(u32::MAX), compression: Compression::Lzw, ..Wanted::default() };
    assert!(refused(Shape::new(2_000_000, 1000, 1, SampleKind::U8), tall).contains("fewer rows"));
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
