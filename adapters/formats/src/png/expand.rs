//! Turns stored samples into those that are given: byte order of the machine, 8 bits at least, colours instead of
//! palette indices, alpha instead of a transparent colour.

use super::header::{Colour, Header};
use std::ops::Range;

/// Writes the pixels `cols` of the stored row `stored` to `out`, which has room for just those.
pub(super) fn expand(header: &Header, stored: &[u8], cols: Range<usize>, out: &mut [u8]) {
    let samples = header.colour.samples() as usize;
    if header.depth < 8 || header.colour == Colour::Palette {
        return indices(header, stored, cols, out);
    }
    let pixel = samples * usize::from(header.depth / 8);
    let Some(stored) = stored.get(cols.start * pixel..cols.end * pixel) else { return };
    match (header.depth, header.key) {
        (16, None) => words(stored, out),
        (16, Some([key, ..])) if samples == 1 => keyed::<2, 4>(stored, out, |&[a, b]| {
            let (word, alpha) = (u16::from_be_bytes([a, b]), alpha(key == u16::from_be_bytes([a, b])));
            let ([a, b], [c, d]) = (word.to_ne_bytes(), alpha.to_ne_bytes());
            [a, b, c, d]
        }),
        (16, Some(key)) => keyed::<6, 8>(stored, out, |&[a, b, c, d, e, f]| {
            let words = [[a, b], [c, d], [e, f]].map(u16::from_be_bytes);
            let ([a, b], [c, d], [e, f]) =
                (words[0].to_ne_bytes(), words[1].to_ne_bytes(), words[2].to_ne_bytes());
            let [g, h] = alpha(words == key).to_ne_bytes();
            [a, b, c, d, e, f, g, h]
        }),
        (_, None) => {
            // `out` has room for just these pixels.
            if out.len() == stored.len() {
                out.copy_from_slice(stored);
            }
        }
        (_, Some([key, ..])) if samples == 1 => {
            keyed::<1, 2>(stored, out, |&[grey]| [grey, alpha(u16::from(grey) == key) as u8]);
        }
        (_, Some(key)) => keyed::<3, 4>(stored, out, |&[red, green, blue]| {
            [red, green, blue, alpha([red, green, blue].map(u16::from) == key) as u8]
        }),
    }
}

/// Alpha of the largest value, or none; its low byte does for 8 bits.
fn alpha(transparent: bool) -> u16 {
    if transparent { 0 } else { u16::MAX }
}

fn words(stored: &[u8], out: &mut [u8]) {
    for (to, from) in out.as_chunks_mut::<2>().0.iter_mut().zip(stored.as_chunks::<2>().0) {
        *to = u16::from_be_bytes(*from).to_ne_bytes();
    }
}

#[inline(always)]
fn keyed<const FROM: usize, const TO: usize>(
    stored: &[u8],
    out: &mut [u8],
    pixel: impl Fn(&[u8; FROM]) -> [u8; TO],
) {
    for (to, from) in out.as_chunks_mut::<TO>().0.iter_mut().zip(stored.as_chunks::<FROM>().0) {
        *to = pixel(from);
    }
}

/// Samples of 1, 2, 4 bits, the first in the highest bits, and palette indices of up to 8.
fn indices(header: &Header, stored: &[u8], cols: Range<usize>, out: &mut [u8]) {
    let depth = usize::from(header.depth.min(8));
    let largest = u8::MAX >> (8 - depth);
    let index = |col: usize| {
        let byte = stored.get(col * depth / 8).copied().unwrap_or(0);
        byte >> (8 - depth - col * depth % 8) & largest
    };
    match (&header.palette, header.palette_alpha, header.key) {
        (Some(palette), false, _) => {
            for (to, col) in out.as_chunks_mut::<3>().0.iter_mut().zip(cols) {
                let [red, green, blue, _] = palette[usize::from(index(col))];
                *to = [red, green, blue];
            }
        }
        (Some(palette), true, _) => {
            for (to, col) in out.as_chunks_mut::<4>().0.iter_mut().zip(cols) {
                *to = palette[usize::from(index(col))];
            }
        }
        (None, _, key) => {
            // 255 is a multiple of 1, 3 and 15: the spread is exact.
            let spread = u8::MAX / largest;
            match key {
                None => {
                    for (to, col) in out.iter_mut().zip(cols) {
                        *to = index(col) * spread;
                    }
                }
                Some([key, ..]) => {
                    for (to, col) in out.as_chunks_mut::<2>().0.iter_mut().zip(cols) {
                        let grey = index(col);
                        *to = [grey * spread, alpha(u16::from(grey) == key) as u8];
                    }
                }
            }
        }
    }
}
