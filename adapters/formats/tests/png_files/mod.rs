//! PNG files made by hand, as the specification writes them, and the `png` crate's whole-image decoder.

#![allow(dead_code, reason = "each test file uses a part of it")]

use crate::rows::samples;
use flate2::Crc;
use plimsoll_core::shape::{SampleKind, Shape};
use std::io::{Cursor, Write};

/// Columns, rows, bits a sample, colour type, interlaced.
pub(crate) type Made = (u32, u32, u8, u8, bool);

pub(crate) fn chunk(into: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    into.extend((content.len() as u32).to_be_bytes());
    let mut sum = Crc::new();
    sum.update(name);
    sum.update(content);
    into.extend(name);
    into.extend(content);
    into.extend(sum.sum().to_be_bytes());
}

pub(crate) fn bits_of_pixel(depth: u8, colour: u8) -> usize {
    usize::from(depth) * [1, 0, 3, 1, 2, 0, 4][usize::from(colour)]
}

/// One row with filter `filter`, as the specification writes it, byte by byte.
pub(crate) fn filtered(filter: u8, pixel: usize, above: &[u8], row: &[u8]) -> Vec<u8> {
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
pub(crate) fn stored(made: Made) -> Vec<u8> {
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
pub(crate) fn file_of(made: Made, filtered: &[u8], idat: usize, extra: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
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

pub(crate) fn make(made: Made, idat: usize, extra: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut all = vec![(b"eXIf", vec![7; 3000]), (b"zzZz", vec![])];
    if made.3 == 3 {
        all.push((b"PLTE", samples(3 * (1 << made.2))));
    }
    all.extend(extra.iter().cloned());
    file_of(made, &stored(made), idat, &all)
}

/// What the `png` crate makes of the whole file, in the machine's byte order.
pub(crate) fn oracle(content: &[u8]) -> (Shape, Vec<u8>) {
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

pub(crate) const KINDS: [(u8, u8); 15] = [
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
