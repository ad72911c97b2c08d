//! Change of kind: every sample as a number of another kind, rescaled from white to white or with its value kept.

use super::nearest::Nearest;
use super::{Args, Host, Words};
use crate::pipeline::{Stage, StageError, View};
use crate::shape::{Region, Sample, SampleKind, Shape, by_kind};
use crate::strip::{Strip, StripMut};

/// What a change of kind keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// The brightness: white stays white, so values are rescaled.
    #[default]
    White,
    /// The value: what the new kind does not hold saturates.
    Value,
}

/// Changes samples of kind `A` to kind `B`. Needs no memory.
///
/// Keeping [white](Keep::White), which is the largest value of an integer kind and 1.0 for floats:
/// * integer to integer: `x * white of B / white of A`, to the nearest integer (a tie cannot occur, as every white is
///   odd), in integer arithmetic. From u8 to u16 that is `x * 257`. Below zero, sign and size are rescaled each, and
///   saturate; unsigned kinds get 0.
/// * integer to float: `x / white of A`, rounded to the float once.
/// * float to integer: `x * white of B`, a product in single precision from f32 to 8 and 16 bits, in double precision
///   otherwise (where white of 64 bits is the nearest double, one more); then as below.
///
/// Keeping the [value](Keep::Value): float to integer gives the nearest, ties to even. In both, integers saturate, NaN
/// becomes 0, and a number goes to a narrower float as the nearest one, ties to even (to infinity beyond its range).
#[derive(Clone, Copy, Debug, Default)]
pub struct To<A, B> {
    keep: Keep,
    kinds: core::marker::PhantomData<fn(A) -> B>,
}

/// A sample that can be changed to kind `B`.
pub trait Convert<B>: Sample {
    /// White stays white.
    fn rescaled(self) -> B;

    /// The value stays, or saturates.
    fn cast(self) -> B;
}

/// `x * TO / FROM` to the nearest integer, where `TO` and `FROM` are whites. `x` is at most one above `FROM`.
#[inline(always)]
fn rescale<const FROM: u32, const TO: u32>(x: u32) -> u32 {
    let wide = FROM as u64 * TO as u64 + (FROM / 2) as u64;
    if FROM == TO {
        x
    } else if TO.is_multiple_of(FROM) {
        x.wrapping_mul(TO / FROM)
    } else if FROM == u16::MAX as u32 && wide <= u32::MAX as u64 {
        // The quotient by 2^16 - 1, two shifts instead of a multiplication in 64 bits.
        let n = x.wrapping_mul(TO).wrapping_add(FROM / 2);
        n.wrapping_add(n >> 16).wrapping_add(1) >> 16
    } else if wide <= u32::MAX as u64 {
        x.wrapping_mul(TO).wrapping_add(FROM / 2) / FROM
    } else {
        ((u64::from(x) * u64::from(TO) + u64::from(FROM / 2)) / u64::from(FROM)) as u32
    }
}

macro_rules! integer_to_integer {
    ($a:ty => $($b:ty),*) => {$(
        impl Convert<$b> for $a {
            #[inline(always)]
            fn rescaled(self) -> $b {
                const FROM: u32 = <$a>::MAX as u32;
                const TO: u32 = <$b>::MAX as u32;
                const SIGNED: bool = <$a>::MIN != 0 && <$b>::MIN != 0;
                if SIGNED {
                    let x = i64::from(self);
                    let size = i64::from(rescale::<FROM, TO>(x.unsigned_abs() as u32));
                    // Only below zero there is one value more than white.
                    (if x < 0 { -size } else { size }).max(<$b>::MIN as i64) as $b
                } else {
                    rescale::<FROM, TO>(self.max(0) as u32) as $b
                }
            }

            #[inline(always)]
            fn cast(self) -> $b {
                i64::from(self).clamp(<$b>::MIN as i64, <$b>::MAX as i64) as $b
            }
        }
    )*};
}
integer_to_integer!(u8 => u8, u16, i16, u32, i32);
integer_to_integer!(u16 => u8, u16, i16, u32, i32);
integer_to_integer!(i16 => u8, u16, i16, u32, i32);
integer_to_integer!(u32 => u8, u16, i16, u32, i32);
integer_to_integer!(i32 => u8, u16, i16, u32, i32);

/// `x * to / from` to the nearest integer, where `to` and `from` are whites and `x` is at most one above `from`: even for
/// 64 bits the product is below 2^128. One function for all pairs with such a kind: they are rare, and many.
#[inline(never)]
fn rescale_long(x: u128, from: u64, to: u64) -> u128 {
    let product = x.wrapping_mul(u128::from(to));
    product.wrapping_add(u128::from(from / 2)).checked_div(u128::from(from)).unwrap_or(0)
}

/// [`integer_to_integer`] where one of the two kinds, or both, are of 64 bits.
macro_rules! long_to_integer {
    ($a:ty => $($b:ty),*) => {$(
        impl Convert<$b> for $a {
            #[inline(always)]
            fn rescaled(self) -> $b {
                const FROM: u64 = <$a>::MAX as u64;
                const TO: u64 = <$b>::MAX as u64;
                const SIGNED: bool = <$a>::MIN != 0 && <$b>::MIN != 0;
                let x = i128::from(self);
                let size = |x: u128| rescale_long(x, FROM, TO) as i128;
                if SIGNED && x < 0 {
                    (-size(x.unsigned_abs())).max(<$b>::MIN as i128) as $b
                } else {
                    size(x.max(0) as u128) as $b
                }
            }

            #[inline(always)]
            fn cast(self) -> $b {
                i128::from(self).clamp(<$b>::MIN as i128, <$b>::MAX as i128) as $b
            }
        }
    )*};
}
long_to_integer!(u8 => u64, i64);
long_to_integer!(u16 => u64, i64);
long_to_integer!(i16 => u64, i64);
long_to_integer!(u32 => u64, i64);
long_to_integer!(i32 => u64, i64);
long_to_integer!(u64 => u8, u16, i16, u32, i32, u64, i64);
long_to_integer!(i64 => u8, u16, i16, u32, i32, u64, i64);

macro_rules! integer_to_float {
    ($($a:ty, by $real:ty => $b:ty),*) => {$(
        impl Convert<$b> for $a {
            #[inline(always)]
            fn rescaled(self) -> $b {
                // Through double precision the result is that of rounding once: the quotient by 2^n - 1 repeats its n
                // bits, so it is never so near to a tie between singles that a double takes it for one.
                (self as $real / <$a>::MAX as $real) as $b
            }

            #[inline(always)]
            fn cast(self) -> $b {
                self as $b
            }
        }
    )*};
}
integer_to_float!(u8, by f32 => f32, u16, by f32 => f32, i16, by f32 => f32, u32, by f64 => f32, i32, by f64 => f32);
integer_to_float!(u8, by f64 => f64, u16, by f64 => f64, i16, by f64 => f64, u32, by f64 => f64, i32, by f64 => f64);

/// From kinds whose white is `2^BITS - 1`. In binary the quotient repeats the number, `BITS` bits each time: enough of it in
/// 128 bits, with what follows as a last bit, is rounded to the float once, and then moved behind the point.
macro_rules! long_to_float {
    ($($a:ty, $bits:literal);*) => {$(
        impl Convert<f64> for $a {
            #[inline(always)]
            fn rescaled(self) -> f64 {
                const UNIT: f64 = 1.0 / ((1u128 << $bits) as f64 * (1u128 << $bits) as f64);
                let size = i128::from(self).unsigned_abs();
                let size = ((size << $bits).wrapping_add(size)) as f64 * UNIT;
                if self < <$a>::default() { -size } else { size }
            }

            #[inline(always)]
            fn cast(self) -> f64 {
                self as f64
            }
        }

        impl Convert<f32> for $a {
            #[inline(always)]
            fn rescaled(self) -> f32 {
                const UNIT: f32 = 1.0 / ((1u128 << $bits) as f32 * (1u128 << 32) as f32);
                let size = i128::from(self).unsigned_abs();
                let size = (size << 32 | u128::from(size != 0)) as f32 * UNIT;
                if self < <$a>::default() { -size } else { size }
            }

            #[inline(always)]
            fn cast(self) -> f32 {
                self as f32
            }
        }
    )*};
}
long_to_float!(u64, 64; i64, 63);

macro_rules! float_to_integer {
    ($a:ty, by $real:ident => $($b:ty),*) => {$(
        impl Convert<$b> for $a {
            #[inline(always)]
            fn rescaled(self) -> $b {
                <$b>::nearest($real::from(self) * <$b>::MAX as $real)
            }

            #[inline(always)]
            fn cast(self) -> $b {
                <$b>::nearest($real::from(self))
            }
        }
    )*};
}
float_to_integer!(f32, by f32 => u8, u16, i16);
float_to_integer!(f32, by f64 => u32, i32, u64, i64);
float_to_integer!(f64, by f64 => u8, u16, i16, u32, i32, u64, i64);

macro_rules! float_to_float {
    ($($a:ty => $b:ty),*) => {$(
        impl Convert<$b> for $a {
            #[inline(always)]
            fn rescaled(self) -> $b {
                self as $b
            }

            #[inline(always)]
            fn cast(self) -> $b {
                self as $b
            }
        }
    )*};
}
float_to_float!(f32 => f32, f32 => f64, f64 => f32, f64 => f64);

impl<A: Convert<B>, B: Sample> To<A, B> {
    /// A change that keeps white or the value.
    pub const fn new(keep: Keep) -> Self {
        Self { keep, kinds: core::marker::PhantomData }
    }
}

#[inline(always)]
fn rescale_row<A: Convert<B>, B: Sample>(from: &[A], to: &mut [B]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = from.rescaled();
    }
}

#[inline(always)]
fn cast_row<A: Convert<B>, B: Sample>(from: &[A], to: &mut [B]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = from.cast();
    }
}

impl<A: Convert<B>, B: Sample> Stage for To<A, B> {
    fn name(&self) -> &'static str {
        "to"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind == A::KIND {
            Ok(input.with_kind(B::KIND))
        } else {
            Err(StageError::Kind { stage: "to", kind: input.kind })
        }
    }

    fn input(&self, output: Region, _input: Shape) -> Region {
        output
    }

    #[inline(always)]
    fn process(
        &self,
        _view: &View,
        _memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        for row in output.rows().iter() {
            let (from, to) = (input.row::<A>(row), output.row_mut::<B>(row));
            match self.keep {
                Keep::White => rescale_row(from, to),
                Keep::Value => cast_row(from, to),
            }
        }
        Ok(())
    }
}

/// The change of any kind to any other by a function for whole rows: one stage for all pairs that are rare. Each pair then
/// costs a program its loop, and not a stage of its own. Needs no memory.
#[derive(Clone, Copy, Debug)]
struct ByRow {
    from: SampleKind,
    to: SampleKind,
    row: fn(&[u8], &mut [u8]),
}

impl ByRow {
    fn new<A: Convert<B>, B: Sample>(keep: Keep) -> Self {
        let row: fn(&[u8], &mut [u8]) = match keep {
            Keep::White => |from: &[u8], to: &mut [u8]| rescale_row::<A, B>(samples(from), samples_mut(to)),
            Keep::Value => |from: &[u8], to: &mut [u8]| cast_row::<A, B>(samples(from), samples_mut(to)),
        };
        Self { from: A::KIND, to: B::KIND, row }
    }

    /// A change of which one end, or both, is an integer of 64 bits.
    fn long(from: SampleKind, to: SampleKind, keep: Keep) -> Self {
        match (from, to) {
            (SampleKind::U64, _) => by_kind!(to, B => Self::new::<u64, B>(keep)),
            (SampleKind::I64, _) => by_kind!(to, B => Self::new::<i64, B>(keep)),
            (_, SampleKind::U64) => by_kind!(from, A => Self::new::<A, u64>(keep), else Self::new::<u64, u64>(keep)),
            _ => by_kind!(from, A => Self::new::<A, i64>(keep), else Self::new::<i64, i64>(keep)),
        }
    }
}

/// The samples of a row, which is aligned to them.
fn samples<T: Sample>(row: &[u8]) -> &[T] {
    bytemuck::try_cast_slice(row).unwrap_or(&[])
}

/// The same, to be written.
fn samples_mut<T: Sample>(row: &mut [u8]) -> &mut [T] {
    bytemuck::try_cast_slice_mut(row).unwrap_or(&mut [])
}

impl Stage for ByRow {
    fn name(&self) -> &'static str {
        "to"
    }

    fn output(&self, input: Shape) -> Result<Shape, StageError> {
        if input.kind == self.from {
            Ok(input.with_kind(self.to))
        } else {
            Err(StageError::Kind { stage: "to", kind: input.kind })
        }
    }

    fn input(&self, output: Region, _input: Shape) -> Region {
        output
    }

    fn process(
        &self,
        _view: &View,
        _memory: &mut [u8],
        input: &Strip<'_>,
        output: &mut StripMut<'_>,
    ) -> Result<(), StageError> {
        for row in output.rows().iter() {
            (self.row)(input.row_bytes(row), output.row_bytes_mut(row));
        }
        Ok(())
    }
}

/// `to:KIND[,cast]`
#[derive(Debug)]
pub struct Op;

impl super::Op for Op {
    const WORDS: Words = Words {
        name: "to",
        settings: "KIND[,cast]",
        about: "change the kind of sample: u8, u16, i16, u32, i32, u64, i64, f32 or f64; rescaled from white to white, \
                or cast (values kept)",
        example: "to:u8",
    };

    fn build<H: Host>(args: Args<'_>, input: Shape, host: &mut H) -> Result<H::Built, StageError> {
        let mut args = args.of("to");
        let kind = args.next_word().and_then(SampleKind::from_name);
        let kind = kind.ok_or(args.wrong("KIND", "u8, u16, i16, u32, i32, u64, i64, f32 or f64"))?;
        let keep = match args.next_word() {
            None => Keep::White,
            Some("cast") => Keep::Value,
            Some(_) => return Err(args.wrong("the setting after KIND", "cast")),
        };
        args.end()?;
        Ok(by_kind!(
            input.kind,
            A => by_kind!(
                kind,
                B => host.accept(To::<A, B>::new(keep)),
                else host.accept(ByRow::long(input.kind, kind, keep))
            ),
            else host.accept(ByRow::long(input.kind, kind, keep))
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::built::{built, every_cut, refuses};
    use crate::harness::Image;
    use crate::shape::by_kind;
    use crate::shape::{Sample, SampleKind, Shape};
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
        assert_eq!(every_cut::<f32, u64>("to:u64", &floats).samples, [0, 0, 1 << 63, u64::MAX, u64::MAX, u64::MAX]);
        assert_eq!(every_cut::<i16, i32>("to:i32", &signed).samples, [i32::MIN, -65538, 0, i32::MAX]);
    }

    #[test]
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
}
