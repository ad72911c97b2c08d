//! For tests of the TIFF writer: pictures, files in memory, and what another decoder reads of them.
#![allow(dead_code, reason = "each test file uses a part")]

use plimsoll_core::budget::Budget;
use plimsoll_core::shape::{Region, Rows, SampleKind, Shape};
use plimsoll_core::strip::Strip;
use plimsoll_formats::{Compression, Format, FormatError, Output, Tiff, Wanted, WriteAt};
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult};
use tiff::tags::Tag;

/// A file in memory. What was never written is 0xEE, so that gaps show.
#[derive(Default)]
pub(crate) struct Memory(pub(crate) Mutex<Vec<u8>>);

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
pub(crate) fn picture(shape: Shape) -> Vec<u8> {
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
pub(crate) fn feed(
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
pub(crate) fn write(
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

pub(crate) fn write_to(
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
pub(crate) fn read(file: &[u8], shape: Shape) -> Vec<u8> {
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
        DecodingResult::U64(samples) => samples.iter().flat_map(|s| s.to_ne_bytes()).collect(),
        DecodingResult::I64(samples) => samples.iter().flat_map(|s| s.to_ne_bytes()).collect(),
        DecodingResult::F32(samples) => samples.iter().flat_map(|s| s.to_ne_bytes()).collect(),
        DecodingResult::F64(samples) => samples.iter().flat_map(|s| s.to_ne_bytes()).collect(),
        _ => panic!("another kind"),
    }
}

/// The units of a compressed file, before compression.
pub(crate) fn units(file: &[u8]) -> Vec<Vec<u8>> {
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

pub(crate) fn layouts() -> [Wanted; 4] {
    [
        Wanted::default(),
        Wanted { file_strip_rows: Some(5), ..Wanted::default() },
        Wanted { tile: Some(16), ..Wanted::default() },
        Wanted { tile: Some(64), ..Wanted::default() },
    ]
}

/// One file whatever the strips, bands and compressors, within its stated size and without gaps.
pub(crate) fn one_file(shape: Shape, wanted: Wanted) -> Vec<u8> {
    let image = picture(shape);
    let what = format!("{shape} {wanted:?}");
    let target = Tiff.target(shape, wanted).unwrap();
    let first = write(shape, wanted, &image, shape.rows, 1).unwrap();
    if target.is_compressed() {
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
