//! What stands before the tiles: boxes (ISO/IEC 15444-1, annex I) and the codestream's main header.

use super::settings::{Extras, Resolution};
use crate::TileGrid;
use crate::jp2::boxes::SIGNATURE;
use crate::jp2::codec::Coding;
use crate::jp2::codestream::{MAGIC, marker};

/// The number of XMP among UUID boxes (XMP specification, part 3).
const XMP: [u8; 16] =
    [0xBE, 0x7A, 0xCF, 0xCB, 0x97, 0xA9, 0x42, 0xE8, 0x9C, 0x71, 0x99, 0x94, 0x91, 0xE3, 0xAF, 0xAC];

/// Bytes that all boxes before the codestream have at most, profile and XMP left out.
pub(super) const BOXES_BYTES: u64 = 512;

/// Appends a box.
fn put(out: &mut Vec<u8>, name: &[u8; 4], content: &[&[u8]]) {
    let len: usize = 8 + content.iter().map(|part| part.len()).sum::<usize>();
    out.extend_from_slice(&(len as u32).to_be_bytes());
    out.extend_from_slice(name);
    content.iter().for_each(|part| out.extend_from_slice(part));
}

/// All boxes up to the head of the codestream's, whose length is patched when it is known. `long` leaves room for one
/// of more than 32 bits.
pub(super) fn before_codestream(grid: &TileGrid, coding: &Coding, extras: &Extras, long: bool) -> Vec<u8> {
    let room = BOXES_BYTES + extras.bytes();
    let mut out = Vec::with_capacity(room as usize);
    out.extend_from_slice(&SIGNATURE);
    put(&mut out, b"ftyp", &[b"jp2 ", &[0; 4], b"jp2 "]);
    // The header box holds what follows; its length is known in the end.
    let header = out.len();
    put(&mut out, b"jp2h", &[]);
    let bands = coding.bands;
    put(
        &mut out,
        b"ihdr",
        &[
            &grid.shape.rows.to_be_bytes(),
            &grid.shape.cols.to_be_bytes(),
            &bands.to_be_bytes(),
            &[coding.bits - 1, 7, 0, 0],
        ],
    );
    match &extras.icc {
        Some(profile) => put(&mut out, b"colr", &[&[2, 0, 0], profile]),
        None => {
            // sRGB or grey (table I.10).
            let space: u32 = if bands >= 3 { 16 } else { 17 };
            put(&mut out, b"colr", &[&[1, 0, 0], &space.to_be_bytes()]);
        }
    }
    if bands == 2 || bands == 4 {
        // Colours in their order, then opacity of the whole image (I.5.3.6).
        let mut content = [0u8; 2 + 6 * 4];
        content[1] = bands as u8;
        for (index, record) in content[2..].chunks_exact_mut(6).enumerate().take(usize::from(bands)) {
            let alpha = index + 1 == usize::from(bands);
            let association = if alpha { 0 } else { index as u8 + 1 };
            record.copy_from_slice(&[0, index as u8, 0, u8::from(alpha), 0, association]);
        }
        put(&mut out, b"cdef", &[&content[..2 + 6 * usize::from(bands)]]);
    }
    if let Some(resolution) = extras.resolution {
        let mut inner = Vec::with_capacity(18);
        put(&mut inner, b"resc", &[&stored(resolution)]);
        put(&mut out, b"res ", &[&inner]);
    }
    let len = (out.len() - header) as u32;
    out[header..header + 4].copy_from_slice(&len.to_be_bytes());
    if let Some(packet) = &extras.xmp {
        put(&mut out, b"uuid", &[&XMP, packet]);
    }
    if long {
        out.extend_from_slice(&[0, 0, 0, 1, b'j', b'p', b'2', b'c', 0, 0, 0, 0, 0, 0, 0, 0]);
    } else {
        out.extend_from_slice(&[0, 0, 0, 0, b'j', b'p', b'2', b'c']);
    }
    out
}

/// A resolution as two fractions with powers of ten (I.5.3.7.1).
fn stored(resolution: Resolution) -> [u8; 10] {
    let fraction = |value: f64| -> ([u8; 4], u8) {
        let value = if value.is_finite() && value > 0.0 { value.clamp(1e-6, 1e12) } else { 1.0 };
        // 300 points an inch are 15000 / 127 * 10^2 points a metre: of all powers and denominators the nearest.
        let (mut best, mut nearest) = ((1u16, 1u16, 0i8), f64::INFINITY);
        for exponent in -12i8..=12 {
            let scaled = value / 10f64.powi(i32::from(exponent));
            if !(10.0..65_535.0).contains(&scaled) {
                continue;
            }
            for denominator in 1u16..=1000 {
                let product = scaled * f64::from(denominator);
                let error = (product - product.round()).abs() / product;
                if product < 65_535.0 && error < nearest {
                    (best, nearest) = ((product.round() as u16, denominator, exponent), error);
                }
            }
        }
        let (over, denominator, exponent) = best;
        let ([a, b], [c, d]) = (over.to_be_bytes(), denominator.to_be_bytes());
        ([a, b, c, d], exponent as u8)
    };
    let ([a, b, c, d], down) = fraction(resolution.down);
    let ([e, f, g, h], across) = fraction(resolution.across);
    [a, b, c, d, e, f, g, h, down, across]
}

/// The image's main header: sizes of all of it, and the coding style as the codec wrote it for a tile (`tile_header`:
/// a main header from its start-of-codestream marker up to the first tile-part).
pub(super) fn main_header(grid: &TileGrid, coding: &Coding, tile_header: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(tile_header.len() + 64);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&(38 + 3 * coding.bands).to_be_bytes());
    out.extend_from_slice(&[0, 0]);
    for number in [grid.shape.cols, grid.shape.rows, 0, 0, grid.side, grid.side, 0, 0] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out.extend_from_slice(&coding.bands.to_be_bytes());
    for _ in 0..coding.bands {
        out.extend_from_slice(&[coding.bits - 1, 1, 1]);
    }
    let mut rest = tile_header.get(2..)?;
    while let Some(([a, b, c, d], _)) = rest.split_first_chunk::<4>() {
        let (name, len) = (u16::from_be_bytes([*a, *b]), usize::from(u16::from_be_bytes([*c, *d])));
        let (segment, after) = rest.split_at_checked(2 + len)?;
        if !matches!(name, marker::SIZ | marker::COM) {
            let start = out.len();
            out.extend_from_slice(segment);
            // The order that was asked for: the codec may have been told another one with the same packets.
            if let (marker::COD, Some(order)) = (name, out.get_mut(start + 5)) {
                *order = coding.progression;
            }
        }
        rest = after;
    }
    rest.is_empty().then_some(out)
}
