//! Every pair of kinds against its naive twin, by long division where floats would not do.

use crate::harness::Image;
use crate::shape::by_kind;
use crate::shape::{Sample, SampleKind, Shape};
use crate::transform::built::{built, every_cut, refuses};
use std::{format, vec, vec::Vec};

fn white(kind: SampleKind) -> u128 {
    match kind {
        SampleKind::U64 => u128::from(u64::MAX),
        SampleKind::I64 => i64::MAX as u128,
        kind => kind.white() as u128,
    }
}

/// An integer sample as it is; a float without its fraction.
fn whole<A: Sample>(x: A) -> i128 {
    match A::KIND {
        SampleKind::U64 => i128::from(bytemuck::cast::<A, u64>(x)),
        SampleKind::I64 => i128::from(bytemuck::cast::<A, i64>(x)),
        _ => x.to_f64() as i128,
    }
}

/// The integer sample nearest to `x`.
fn of_whole<B: Sample>(x: i128) -> B {
    match B::KIND {
        SampleKind::U64 => bytemuck::cast(x.clamp(0, i128::from(u64::MAX)) as u64),
        SampleKind::I64 => bytemuck::cast(x.clamp(i64::MIN.into(), i64::MAX.into()) as i64),
        _ => B::from_f64(x as f64),
    }
}

/// `x / by` as a float, ties to even, by long division: bit after bit.
fn quotient<B: Sample>(x: i128, by: u128) -> B {
    let size = x.unsigned_abs();
    let mut exponent = 0;
    let (mut digits, mut rest) = (size / by, size % by);
    let places = if B::KIND == SampleKind::F32 { 24 } else { 53 };
    // Two bits more than there are places, unless nothing is left: the last of them stands for all that follow.
    while rest > 0 && digits >> (places + 1) == 0 {
        (digits, rest, exponent) = ((digits << 1) | (rest * 2 / by), rest * 2 % by, exponent - 1);
    }
    let mut dropped = rest > 0;
    while digits >> (places + 1) > 0 {
        dropped |= digits & 1 == 1;
        (digits, exponent) = (digits >> 1, exponent + 1);
    }
    // One bit is left for the halves.
    if digits >> places > 0 {
        let up = digits & 1 == 1 && (dropped || digits & 2 == 2);
        (digits, exponent) = ((digits >> 1) + u128::from(up), exponent + 1);
    }
    let value = digits as f64 * 2f64.powi(exponent);
    B::from_f64(if x < 0 { -value } else { value })
}

/// By the rules as they are stated, in 128 bits or one step of floating point after the other.
fn naive<A: Sample, B: Sample>(x: A, cast: bool) -> B {
    let (from, to) = (A::KIND, B::KIND);
    let whole = whole(x);
    let x = x.to_f64();
    match (from.is_float(), to.is_float()) {
        (false, false) if cast => of_whole(whole),
        (false, true) if cast && from.bytes() == 8 => quotient(whole, 1),
        _ if cast => B::from_f64(x),
        (false, false) => {
            let (from, to) = (white(from), white(to));
            // No tie can occur: it is the quotient before it or the one after.
            let product = whole.unsigned_abs() * to;
            let size = product / from + u128::from(product % from > from / 2);
            of_whole(if whole < 0 { -(size as i128) } else { size as i128 })
        }
        (false, true) if from.bytes() == 8 => quotient(whole, white(from)),
        (false, true) => B::from_f64(x / from.white()),
        (true, false) if from == SampleKind::F32 && to.bytes() <= 2 => {
            B::from_f64(f64::from(x as f32 * to.white() as f32))
        }
        (true, false) => B::from_f64(x * to.white()),
        (true, true) => B::from_f64(x),
    }
}

/// Values at all ends and ties, then noise (for 16 bits and less: all values).
fn values<A: Sample>() -> Vec<A> {
    let mut values = vec![];
    for kind in SampleKind::ALL {
        let white = kind.white();
        for near in [0.0, 0.5, 1.0, 1.5, 127.5, white / 2.0, white, white + 1.0, white * 2.0] {
            values.extend([near - 0.5, near, near + 0.5].map(A::from_f64));
            values.extend([-near, near / 255.0, near / 65535.0].map(A::from_f64));
        }
    }
    values.extend([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -1e-300].map(A::from_f64));
    if A::KIND.bytes() <= 2 {
        values.extend((-32768..=65535).map(|x| A::from_f64(f64::from(x))));
    } else {
        values.extend(Image::<A>::noise(64, 64, 3, 8).samples);
    }
    values
}

fn check<A: Sample, B: Sample>() {
    let values = values::<A>();
    let image = Image::<A>::new(values.len().div_ceil(64) as u32, 64, 1, |y, x, _| {
        values.get((y * 64 + x) as usize).copied().unwrap_or_default()
    });
    for (cast, words) in [(false, format!("to:{}", B::KIND)), (true, format!("to:{},cast", B::KIND))] {
        let made = every_cut::<A, B>(&words, &image);
        assert_eq!(made.shape, image.shape.with_kind(B::KIND));
        for (made, from) in made.samples.iter().zip(&image.samples) {
            let expected = naive::<A, B>(*from, cast);
            let both_nan = made.to_f64().is_nan() && expected.to_f64().is_nan();
            assert!(*made == expected || both_nan, "{words}: {from:?} gives {made:?}, not {expected:?}");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "every value: minutes under the interpreter")]
fn every_pair_of_kinds_equals_its_naive_twin() {
    for from in SampleKind::ALL {
        for to in SampleKind::ALL {
            by_kind!(from, A => by_kind!(to, B => check::<A, B>()));
        }
    }
}

#[test]
fn known_values() {
    let bytes = Image::<u8>::new(1, 3, 1, |_, x, _| [0, 128, 255][x as usize]);
    assert_eq!(every_cut::<u8, u16>("to:u16", &bytes).samples, [0, 0x8080, 0xffff]);
    assert_eq!(every_cut::<u8, u32>("to:u32", &bytes).samples, [0, 0x8080_8080, u32::MAX]);
    assert_eq!(every_cut::<u8, f32>("to:f32", &bytes).samples, [0.0, 128.0 / 255.0, 1.0]);
    let floats =
        Image::<f32>::new(1, 6, 1, |_, x, _| [f32::NAN, -1.0, 0.5, 1.0, 7.0, f32::INFINITY][x as usize]);
    assert_eq!(every_cut::<f32, u8>("to:u8", &floats).samples, [0, 0, 128, 255, 255, 255]);
    assert_eq!(every_cut::<f32, i16>("to:i16", &floats).samples, [0, -32767, 16384, 32767, 32767, 32767]);
    assert_eq!(every_cut::<f32, u8>("to:u8,cast", &floats).samples, [0, 0, 0, 1, 7, 255]);
    let signed = Image::<i16>::new(1, 4, 1, |_, x, _| [-32768, -1, 0, 32767][x as usize]);
    assert_eq!(every_cut::<i16, u16>("to:u16", &signed).samples, [0, 0, 0, 65535]);
    assert_eq!(every_cut::<u8, u64>("to:u64", &bytes).samples, [0, 0x8080_8080_8080_8080, u64::MAX]);
    let long = Image::<i64>::new(1, 5, 1, |_, x, _| [i64::MIN, -1, 0, (1 << 53) + 1, i64::MAX][x as usize]);
    assert_eq!(every_cut::<i64, i64>("to:i64", &long).samples, long.samples);
    assert_eq!(every_cut::<i64, u64>("to:u64", &long).samples, [0, 0, 0, (1 << 54) + 2, u64::MAX]);
    assert_eq!(every_cut::<i64, i16>("to:i16,cast", &long).samples, [-32768, -1, 0, 32767, 32767]);
    assert_eq!(every_cut::<i64, u64>("to:u64,cast", &long).samples[3..], [(1 << 53) + 1, i64::MAX as u64]);
    assert_eq!(every_cut::<i64, f32>("to:f32", &long).samples[3..], [2f32.powi(-10), 1.0]);
    assert_eq!(
        every_cut::<f32, u64>("to:u64", &floats).samples,
        [0, 0, 1 << 63, u64::MAX, u64::MAX, u64::MAX]
    );
    assert_eq!(every_cut::<i16, i32>("to:i32", &signed).samples, [i32::MIN, -65538, 0, i32::MAX]);
}

#[test]
#[cfg_attr(miri, ignore = "every value: minutes under the interpreter")]
fn there_and_back_is_the_same_for_every_value() {
    fn check<A: Sample, B: Sample>(image: &Image<A>) {
        let there = every_cut::<A, B>(&format!("to:{}", B::KIND), image);
        let back = every_cut::<B, A>(&format!("to:{}", A::KIND), &there);
        assert_eq!(back.samples, image.samples, "{} by way of {}", A::KIND, B::KIND);
    }
    let bytes = Image::<u8>::new(16, 16, 1, |y, x, _| (y * 16 + x) as u8);
    check::<u8, u16>(&bytes);
    check::<u8, i16>(&bytes);
    check::<u8, u32>(&bytes);
    check::<u8, f32>(&bytes);
    check::<u8, u64>(&bytes);
    let words = Image::<u16>::new(256, 256, 1, |y, x, _| (y * 256 + x) as u16);
    check::<u16, u32>(&words);
    check::<u16, i32>(&words);
    check::<u16, f32>(&words);
    check::<u16, f64>(&words);
    check::<u16, u64>(&words);
    check::<u16, i64>(&words);
}

#[test]
fn wrong_settings_are_named() {
    let shape = Shape::new(4, 4, 1, SampleKind::U8);
    refuses("to", shape, "KIND");
    refuses("to:u128", shape, "KIND");
    refuses("to:u8,keep", shape, "the setting after KIND");
    refuses("to:u8,cast,cast", shape, "the number of settings");
    assert!(built("to:u16", shape).unwrap().output(shape.with_kind(SampleKind::F32)).is_err());
}
