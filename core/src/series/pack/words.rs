//! Eight numbers of one width in as many bytes as the width has bits.

use super::super::bits::BitWriter;
use super::super::lane::Lane;
use super::{BLOCK, SMALL};

/// Writes the low `width` bits of each of `numbers`, whose other bits must be zero.
#[inline(always)]
pub(super) fn write<L: Lane>(out: &mut BitWriter<'_>, numbers: &[L::Magnitude; BLOCK], width: u32) {
    if SMALL {
        match width {
            ..=24 => small(out, &numbers.map(|number| number.into() as u32), width),
            _ => apart(out, &numbers.map(Into::into), width),
        }
        return;
    }
    whole(out, &numbers.map(Into::into), width);
}

/// Numbers of up to 24 bits, for cores of 32.
#[inline(always)]
fn small(out: &mut BitWriter<'_>, numbers: &[u32; BLOCK], width: u32) {
    let at = out.state.at as usize;
    let place = out.out.get_mut(at..).and_then(|place| place.first_chunk_mut());
    match place {
        Some(place) if width <= 8 => {
            *place = halves(numbers, width);
            out.state.at += width;
        }
        _ => by_bytes(out, numbers, width),
    }
}

/// Of up to 8 bits: four of them are a word.
#[inline(always)]
fn halves(numbers: &[u32; BLOCK], width: u32) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h] = *numbers;
    let low = ((d << width | c) << width | b) << width | a;
    let high = ((h << width | g) << width | f) << width | e;
    // In two steps, because it may be by all 32 bits.
    let way = 4 * width;
    let (first, rest) = (low | high << (way - 1) << 1, high >> (32 - way));
    let ([a, b, c, d], [e, f, g, h]) = (first.to_le_bytes(), rest.to_le_bytes());
    [a, b, c, d, e, f, g, h]
}

/// Of up to 24 bits, byte by byte.
#[inline(never)]
fn by_bytes(out: &mut BitWriter<'_>, numbers: &[u32; BLOCK], width: u32) {
    let at = out.state.at as usize;
    out.state.at += width;
    let Some(place) = out.out.get_mut(at..at + width as usize) else {
        out.state.over = true;
        return;
    };
    let (mut place, mut held, mut count) = (place.iter_mut(), 0, 0);
    for number in numbers {
        held |= number << count;
        count += width;
        while count >= 8
            && let Some(byte) = place.next()
        {
            *byte = held as u8;
            held >>= 8;
            count -= 8;
        }
    }
}

/// Wide ones, out of the way of the others.
#[inline(never)]
fn apart(out: &mut BitWriter<'_>, numbers: &[u64; BLOCK], width: u32) {
    wide(out, numbers, width);
}

#[inline(always)]
fn whole(out: &mut BitWriter<'_>, numbers: &[u64; BLOCK], width: u32) {
    if width <= 8 {
        let mut word = 0;
        for (at, number) in numbers.iter().enumerate() {
            word |= number << (at as u32 * width);
        }
        out.word(word, width as usize);
    } else if width <= 16 {
        let (low, high) = numbers.split_at(BLOCK / 2);
        let four = |numbers: &[u64]| {
            numbers.iter().enumerate().fold(0, |word, (at, number)| word | number << (at as u32 * width))
        };
        let word = u128::from(four(low)) | u128::from(four(high)) << (4 * width);
        out.word(word as u64, 8);
        out.word((word >> 64) as u64, width as usize - 8);
    } else {
        wide(out, numbers, width);
    }
}

#[inline(always)]
fn wide(out: &mut BitWriter<'_>, numbers: &[u64; BLOCK], width: u32) {
    let (mut held, mut count) = (0, 0);
    for number in numbers {
        held |= number << count;
        let room = 64 - count;
        count += width;
        if width >= room {
            out.word(held, 8);
            // In two steps, because the room may be all 64 bits.
            held = number >> (room - 1) >> 1;
            count = width - room;
        }
    }
    if count > 0 {
        out.word(held, count as usize / 8);
    }
}

/// Reads them again, as what `to` makes of each; of lanes of 32 bits its low ones. After the end of `bytes` there are zeros.
#[inline(always)]
pub(super) fn read<L: Lane>(bytes: &[u8], at: usize, width: u32, to: impl Fn(u64) -> i64) -> [L; BLOCK] {
    if SMALL && width <= 24 {
        return read_small(bytes, at, width).map(|number| L::from_wide(to(u64::from(number))));
    }
    read_whole(bytes, at, width).map(|number| L::from_wide(to(number)))
}

/// Numbers of 1 to 24 bits, for cores of 32.
#[inline(always)]
pub(super) fn read_small(bytes: &[u8], at: usize, width: u32) -> [u32; BLOCK] {
    match bytes.get(at..).and_then(|bytes| bytes.first_chunk()) {
        Some(bytes) if width <= 8 => read_halves(*bytes, width),
        _ => read_by_bytes(bytes, at, width),
    }
}

#[inline(always)]
fn read_halves(bytes: [u8; 8], width: u32) -> [u32; BLOCK] {
    let [a, b, c, d, e, f, g, h] = bytes;
    let (low, rest) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    let way = 4 * width;
    let high = low >> (way - 1) >> 1 | rest << (32 - way);
    let mask = (1 << width) - 1;
    let of = |word: u32| {
        let (second, third) = (word >> width, word >> width >> width);
        [word & mask, second & mask, third & mask, third >> width & mask]
    };
    let ([a, b, c, d], [e, f, g, h]) = (of(low), of(high));
    [a, b, c, d, e, f, g, h]
}

/// Of up to 24 bits, byte by byte.
#[inline(never)]
fn read_by_bytes(bytes: &[u8], at: usize, width: u32) -> [u32; BLOCK] {
    let mut bytes = bytes.get(at..).unwrap_or_default().iter();
    let (mut numbers, mut held, mut count) = ([0; BLOCK], 0, 0);
    for number in &mut numbers {
        while count < width {
            held |= u32::from(bytes.next().copied().unwrap_or(0)) << count;
            count += 8;
        }
        *number = held & ((1 << width) - 1);
        held >>= width;
        count -= width;
    }
    numbers
}

#[inline(always)]
fn read_whole(bytes: &[u8], at: usize, width: u32) -> [u64; BLOCK] {
    if let Some(word) = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<8>())
        && width <= 8
    {
        let (word, mask) = (u64::from_le_bytes(*word), (1 << width) - 1);
        return core::array::from_fn(|at| word >> (at as u32 * width) & mask);
    }
    // Eight bytes from where a number begins have all of it, up to 57 bits; the last one begins before byte 50.
    if let Some(own) = bytes.get(at..).and_then(|bytes| bytes.first_chunk::<58>())
        && width <= 57
    {
        let mask = (1_u64 << width) - 1;
        return core::array::from_fn(|at| {
            let first = at as u32 * width;
            let bytes = own.get(first as usize / 8..).and_then(|bytes| bytes.first_chunk::<8>());
            bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes)) >> (first % 8) & mask
        });
    }
    let mask = if width < 64 { (1 << width) - 1 } else { u64::MAX };
    let mut own = [0; 64 + 16];
    for (to, from) in own.iter_mut().zip(bytes.get(at..).unwrap_or_default()).take(width as usize) {
        *to = *from;
    }
    core::array::from_fn(|at| {
        let first = at as u32 * width;
        let bytes = own.get(first as usize / 8..).and_then(|bytes| bytes.first_chunk::<16>());
        (bytes.map_or(0, |bytes| u128::from_le_bytes(*bytes)) >> (first % 8)) as u64 & mask
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::bits::BitState;
    use super::*;

    #[test]
    fn every_width_comes_back() {
        for width in 0..=64_u32 {
            let mask = if width < 64 { (1 << width) - 1 } else { u64::MAX };
            let numbers = core::array::from_fn(|at| {
                0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(at as u64 + 1 + u64::from(width)).rotate_left(17)
                    & mask
            });
            for room in [width as usize, 200] {
                let mut bytes = std::vec![0; room + 3];
                let mut out = BitWriter::new(BitState::at(3), &mut bytes);
                whole(&mut out, &numbers, width);
                assert_eq!((out.state.at, out.state.over), (3 + width, false));
                assert_eq!(read_whole(&bytes, 3, width), numbers, "width {width}");
                if width <= 24 {
                    let mut others = std::vec![0; room + 3];
                    let mut out = BitWriter::new(BitState::at(3), &mut others);
                    by_bytes(&mut out, &numbers.map(|number| number as u32), width);
                    assert_eq!((out.state.at, out.state.over), (3 + width, false));
                    assert_eq!(others[..3 + width as usize], bytes[..3 + width as usize], "width {width}");
                    assert_eq!(read_by_bytes(&bytes, 3, width).map(u64::from), numbers, "width {width}");
                }
                if (1..=24).contains(&width) {
                    let mut others = std::vec![0; room + 3];
                    let mut out = BitWriter::new(BitState::at(3), &mut others);
                    small(&mut out, &numbers.map(|number| number as u32), width);
                    assert_eq!((out.state.at, out.state.over), (3 + width, false));
                    assert_eq!(others[..3 + width as usize], bytes[..3 + width as usize], "width {width}");
                    assert_eq!(read_small(&bytes, 3, width).map(u64::from), numbers, "width {width}");
                }
            }
        }
    }
}
