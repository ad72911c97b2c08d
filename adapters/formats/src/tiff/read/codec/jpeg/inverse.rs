//! The inverse transform of a block of 8 x 8, in the arithmetic that libjpeg calls "slow integer": the algorithm of
//! Loeffler, Ligtenberg and Moschytz (ICASSP 1989) with 12 multiplications, 13 bits of fraction, 2 more between the
//! passes. Other roundings would differ by one here and there from what everybody else shows.

use std::num::Wrapping as W;

const FRACTION: usize = 13;
const BETWEEN: usize = 2;

/// 2^13 times the number, rounded.
const fn fixed(number: f64) -> W<i32> {
    W((number * (1 << FRACTION) as f64 + 0.5) as i32)
}

/// Eight numbers, transformed; `down` bits are rounded away.
#[inline(always)]
fn transform(v: [W<i32>; 8], down: usize) -> [W<i32>; 8] {
    // Even part.
    let z1 = (v[2] + v[6]) * fixed(0.541_196_100);
    let t2 = z1 - v[6] * fixed(1.847_759_065);
    let t3 = z1 + v[2] * fixed(0.765_366_865);
    let t0 = (v[0] + v[4]) << FRACTION;
    let t1 = (v[0] - v[4]) << FRACTION;
    let even = [t0 + t3, t1 + t2, t1 - t2, t0 - t3];
    // Odd part.
    let (z1, z2, z3, z4) = (v[7] + v[1], v[5] + v[3], v[7] + v[3], v[5] + v[1]);
    let z5 = (z3 + z4) * fixed(1.175_875_602);
    let (z1, z2) = (z1 * -fixed(0.899_976_223), z2 * -fixed(2.562_915_447));
    let (z3, z4) = (z3 * -fixed(1.961_570_560) + z5, z4 * -fixed(0.390_180_644) + z5);
    let odd = [
        v[1] * fixed(1.501_321_110) + z1 + z4,
        v[3] * fixed(3.072_711_026) + z2 + z3,
        v[5] * fixed(2.053_119_869) + z2 + z4,
        v[7] * fixed(0.298_631_336) + z1 + z3,
    ];
    let half = W(1 << (down - 1));
    std::array::from_fn(|at| match at {
        0..4 => (even[at] + odd[at] + half) >> down,
        _ => (even[7 - at] - odd[7 - at] + half) >> down,
    })
}

fn sample(value: W<i32>) -> u8 {
    (value.0.saturating_add(128)).clamp(0, 255) as u8
}

/// Writes the samples of `block` to rows of `stride` bytes.
pub(super) fn inverse(block: &[i32; 64], into: &mut [u8], stride: usize) {
    let mut columns = [[W(0); 8]; 8];
    for x in 0..8 {
        let column = std::array::from_fn(|y| W(block[8 * y + x]));
        for (row, value) in columns.iter_mut().zip(transform(column, FRACTION - BETWEEN)) {
            row[x] = value;
        }
    }
    for (row, into) in columns.into_iter().zip(into.chunks_mut(stride)) {
        for (sample_at, value) in into.iter_mut().zip(transform(row, FRACTION + BETWEEN + 3)) {
            *sample_at = sample(value);
        }
    }
}

/// Writes the samples of a block that has a first coefficient only.
pub(super) fn flat(first: i32, into: &mut [u8], stride: usize) {
    let value = sample(((W(first) << BETWEEN) + W(16)) >> (BETWEEN + 3));
    into.chunks_mut(stride).take(8).for_each(|row| row.iter_mut().take(8).for_each(|sample| *sample = value));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The transform by its definition (T.81 section A.3.3).
    fn by_definition(block: &[i32; 64], x: usize, y: usize) -> f64 {
        let scale = |n: usize| if n == 0 { 0.5f64.sqrt() } else { 1.0 };
        let wave = |n: usize, at: usize| ((2 * at + 1) as f64 * n as f64 * std::f64::consts::PI / 16.0).cos();
        let mut sum = 0.0;
        for (v, row) in block.chunks(8).enumerate() {
            for (u, value) in row.iter().enumerate() {
                sum += scale(u) * scale(v) * f64::from(*value) * wave(u, x) * wave(v, y);
            }
        }
        (sum / 4.0 + 128.0).clamp(0.0, 255.0)
    }

    #[test]
    fn it_is_the_transform_within_one() {
        let mut seed = 3u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as i32
        };
        for round in 0..200 {
            let mut block = [0; 64];
            block[0] = next() % 1000 - 500;
            for _ in 0..round % 20 {
                block[next() as usize % 64] = next() % 400 - 200;
            }
            let mut into = [0; 64];
            inverse(&block, &mut into, 8);
            for (at, found) in into.iter().enumerate() {
                let expected = by_definition(&block, at % 8, at / 8);
                assert!((f64::from(*found) - expected).abs() <= 1.0, "{found} for {expected}");
            }
            if round % 20 == 0 {
                let mut also = [0; 64];
                flat(block[0], &mut also, 8);
                assert_eq!(also, into);
            }
        }
    }
}
