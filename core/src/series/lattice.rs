//! Front ends: what the values of a column are multiples of. A lattice makes each value an integer index, sometimes
//! with a correction of a few units in the last place; a value that is not on it is an escape.

use super::coder::Coder;
use super::settings::{Column, Tolerance};
use super::word::{Kind, Word};

/// The lattice in use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Front {
    /// `offset + index * unit`.
    Integer { unit: u64, offset: i64 },
    /// `index / 10^digits`, rounded to the nearest float, then `ulps` floats further.
    Decimal { digits: u8 },
    /// The bits of the float in order of the numbers, without `shift` low ones that are zero.
    Bits { shift: u8 },
    /// `index * step`.
    Grid { step: f64 },
}

/// Where a value lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) index: i64,
    /// Units in the last place from there: -7 to 7.
    pub(crate) ulps: i32,
}

/// Corrections go up to this far.
pub(crate) const MOST_ULPS: i32 = 7;

/// Digits after the point go up to this far.
pub(crate) const MOST_DIGITS: u8 = 17;

const POWERS: [f64; 18] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17];

fn power(digits: u8) -> f64 {
    POWERS.get(usize::from(digits)).copied().unwrap_or(1.0)
}

/// Adding this to a float below 2^51 leaves no room for a fraction: 1.5 * 2^52.
const WHOLE: f64 = 6_755_399_441_055_744.0;

/// The nearest integer, the even one of two, as a float and as an integer; and whether there is one within 2^51.
#[inline(always)]
fn rounded(x: f64) -> (f64, i64, bool) {
    const MOST: f64 = 2_251_799_813_685_248.0;
    let shifted = x + WHOLE;
    // The low bits of the sum are the integer: no conversion, so that loops over it become vectors.
    let index = (shifted.to_bits() as i64).wrapping_sub(WHOLE.to_bits() as i64);
    (shifted - WHOLE, index, (x < MOST) & (x > -MOST))
}

/// The nearest integer, the even one of two; none beyond 2^51.
#[inline(always)]
fn nearest(x: f64) -> Option<i64> {
    let (_, index, fits) = rounded(x);
    fits.then_some(index)
}

/// Bits of a float as an integer that is larger where the number is larger.
#[inline(always)]
fn ordered(word: Word, kind: Kind) -> i64 {
    match kind {
        Kind::F32 | Kind::I32 => {
            let bits = word.i32();
            i64::from(bits ^ (((bits >> 31) as u32) >> 1) as i32)
        }
        Kind::F64 | Kind::I64 => {
            let bits = word.i64();
            bits ^ (((bits >> 63) as u64) >> 1) as i64
        }
    }
}

#[inline(always)]
fn unordered(ordered: i64, kind: Kind) -> Word {
    match kind {
        Kind::F32 | Kind::I32 => {
            let bits = ordered as i32;
            Word::from(bits ^ (((bits >> 31) as u32) >> 1) as i32)
        }
        Kind::F64 | Kind::I64 => Word::from(ordered ^ (((ordered >> 63) as u64) >> 1) as i64),
    }
}

/// The float of `kind` nearest to `number`.
#[inline(always)]
fn float(number: f64, kind: Kind) -> Word {
    match kind {
        Kind::F32 => Word::from(number as f32),
        _ => Word::from(number),
    }
}

/// The float that is `ulps` floats behind `word`.
#[inline(always)]
pub(crate) fn moved(word: Word, kind: Kind, ulps: i32) -> Word {
    match ulps {
        0 => word,
        _ => unordered(ordered(word, kind).wrapping_add(i64::from(ulps)), kind),
    }
}

/// The place of `word` among the decimals of which `power` are 1, and whether it is one.
#[inline(always)]
fn decimal(kind: Kind, word: Word, power: f64) -> (Place, bool) {
    let (whole, index, fits) = rounded(word.number(kind) * power);
    let ulps = ordered(word, kind).wrapping_sub(ordered(float(whole / power, kind), kind));
    let far = i64::from(MOST_ULPS);
    (Place { index, ulps: ulps as i32 }, fits & (-far <= ulps) & (ulps <= far))
}

impl Front {
    /// Where many words lie, all of them: their `indices`, and how many `ulps` more than `-MOST_ULPS`; whether they all
    /// do.
    #[inline(always)]
    pub(crate) fn split_all(self, kind: Kind, words: &[Word], indices: &mut [i64], ulps: &mut [u8]) -> bool {
        let places = words.iter().zip(indices).zip(ulps);
        match (self, kind) {
            // The usual ones get loops of their own, which decide nothing inside.
            (Front::Decimal { digits }, Kind::F64) => {
                let (power, mut all, mut far) = (power(digits), true, 0);
                for ((word, index), ulps) in places {
                    let (whole, nearest, fits) = rounded(word.f64() * power);
                    let decimal = ordered(float(whole / power, Kind::F64), Kind::F64);
                    let off =
                        ordered(*word, Kind::F64).wrapping_sub(decimal).wrapping_add(i64::from(MOST_ULPS));
                    (*index, *ulps) = (nearest, off as u8);
                    // One that is 15 sets the bit, too.
                    far |= (off | off.wrapping_add(1)) as u64 & !15;
                    all &= fits;
                }
                all & (far == 0)
            }
            (Front::Integer { unit: 1, offset: 0 }, Kind::I64) => {
                places.for_each(|((word, index), _)| *index = word.i64());
                true
            }
            _ => {
                let mut all = true;
                for ((word, index), ulps) in places {
                    let place = self.split(kind, *word);
                    all &= place.is_some();
                    let place = place.unwrap_or_default();
                    (*index, *ulps) = (place.index, (place.ulps + MOST_ULPS) as u8);
                }
                all
            }
        }
    }

    /// Before anything is known.
    pub(crate) fn first(kind: Kind) -> Self {
        match kind.is_float() {
            true => Front::Decimal { digits: 0 },
            false => Front::Integer { unit: 1, offset: 0 },
        }
    }

    /// Where `word` lies exactly.
    #[inline(always)]
    pub(crate) fn split(self, kind: Kind, word: Word) -> Option<Place> {
        match self {
            Front::Integer { unit: 1, offset: 0 } => {
                let index = if kind == Kind::I32 { i64::from(word.i32()) } else { word.i64() };
                Some(Place { index, ulps: 0 })
            }
            Front::Integer { unit, offset } => {
                let index = match kind {
                    Kind::I32 => {
                        let away = word.i32().checked_sub(offset as i32)?;
                        let unit = i32::try_from(unit).ok()?;
                        (away.checked_rem(unit)? == 0).then_some(i64::from(away.checked_div(unit)?))?
                    }
                    _ => {
                        let away = word.i64().checked_sub(offset)?;
                        let unit = i64::try_from(unit).ok()?;
                        (away.checked_rem(unit)? == 0).then_some(away.checked_div(unit)?)?
                    }
                };
                Some(Place { index, ulps: 0 })
            }
            Front::Decimal { digits } => {
                let (place, fits) = decimal(kind, word, power(digits));
                fits.then_some(place)
            }
            Front::Bits { shift } => {
                let at = ordered(word, kind);
                let magnitude = if at < 0 { !at } else { at };
                let index = magnitude >> shift;
                (index << shift == magnitude)
                    .then_some(Place { index: if at < 0 { !index } else { index }, ulps: 0 })
            }
            Front::Grid { step } => {
                let index = nearest(word.number(kind) / step)?;
                (self.join(kind, index, 0) == word).then_some(Place { index, ulps: 0 })
            }
        }
    }

    /// The value there.
    #[inline(always)]
    pub(crate) fn join(self, kind: Kind, index: i64, ulps: i32) -> Word {
        match self {
            Front::Integer { unit: 1, offset: 0 } => Word(index as u64).of(kind),
            Front::Integer { unit, offset } => match kind {
                Kind::I32 => {
                    Word::from((offset as i32).wrapping_add((index as i32).wrapping_mul(unit as i32)))
                }
                _ => Word::from(offset.wrapping_add(index.wrapping_mul(unit as i64))),
            },
            Front::Decimal { digits } => moved(float(index as f64 / power(digits), kind), kind, ulps),
            Front::Bits { shift } => {
                let at = match index < 0 {
                    true => !((!index) << shift),
                    false => index << shift,
                };
                unordered(at, kind)
            }
            Front::Grid { step } => float(index as f64 * step, kind),
        }
    }

    /// The values at many `indices`, as [`Self::join`] gives them without corrections.
    #[inline(always)]
    pub(crate) fn join_all<'w>(self, kind: Kind, indices: &[i64], words: impl Iterator<Item = &'w mut Word>) {
        let places = words.zip(indices);
        match (self, kind) {
            // The usual ones get loops of their own, which decide nothing inside.
            (Front::Decimal { digits }, Kind::F64) => {
                let power = power(digits);
                places.for_each(|(word, index)| *word = Word::from(*index as f64 / power));
            }
            (Front::Integer { unit: 1, offset: 0 }, Kind::I64) => {
                places.for_each(|(word, index)| *word = Word::from(*index));
            }
            _ => places.for_each(|(word, index)| *word = self.join(kind, *index, 0)),
        }
    }

    /// Where `word` lies, or a place whose value `column` tolerates in its stead.
    #[inline(always)]
    pub(crate) fn fit(self, column: &Column, word: Word) -> Option<Place> {
        if column.tolerance == Tolerance::Lossless {
            return self.split(column.kind, word);
        }
        if !matches!(self, Front::Grid { .. })
            && let Some(place) = self.split(column.kind, word)
        {
            return Some(place);
        }
        self.round(column, word)
    }

    /// The nearest place that `column` tolerates.
    fn round(self, column: &Column, word: Word) -> Option<Place> {
        let kind = column.kind;
        let index = match self {
            Front::Grid { step } => nearest(word.number(kind) / step)?,
            Front::Bits { shift } if shift > 0 => {
                let at = ordered(word, kind);
                let magnitude = if at < 0 { !at } else { at };
                let index = magnitude.checked_add(1 << (shift - 1))? >> shift;
                if at < 0 { !index } else { index }
            }
            Front::Integer { unit, offset } => {
                let unit = i64::try_from(unit).ok()?;
                let value = if kind == Kind::I32 { i64::from(word.i32()) } else { word.i64() };
                value.checked_sub(offset)?.checked_add(unit / 2)?.checked_div_euclid(unit)?
            }
            _ => return None,
        };
        // A tie may be rounded to the side that floating point puts just out of bounds.
        [index, index.wrapping_sub(1), index.wrapping_add(1)].into_iter().find_map(|index| {
            tolerated(column, word, self.join(kind, index, 0)).then_some(Place { index, ulps: 0 })
        })
    }

    /// Writes which lattice it is, or reads it; none where what is read is no lattice for `kind`.
    pub(crate) fn code<C: Coder>(self, coder: &mut C, kind: Kind) -> Option<Front> {
        let tag = match self {
            Front::Integer { .. } => 0,
            Front::Decimal { .. } => 1,
            Front::Bits { .. } => 2,
            Front::Grid { .. } => 3,
        };
        let (unit, offset) = if let Front::Integer { unit, offset } = self { (unit, offset) } else { (1, 0) };
        match (coder.raw(tag, 2), kind.is_float()) {
            (0, false) => {
                let unit = coder.number(unit);
                let offset = coder.signed(offset);
                let most = if kind == Kind::I32 { i32::MAX as u64 } else { i64::MAX as u64 };
                (1..=most).contains(&unit).then_some(Front::Integer { unit, offset })
            }
            (1, true) => {
                let digits = if let Front::Decimal { digits } = self { digits } else { 0 };
                let digits = coder.raw(u32::from(digits), 5) as u8;
                (digits <= MOST_DIGITS).then_some(Front::Decimal { digits })
            }
            (2, true) => {
                let shift = if let Front::Bits { shift } = self { shift } else { 0 };
                let shift = coder.raw(u32::from(shift), 6) as u8;
                (u32::from(shift) < kind.bits()).then_some(Front::Bits { shift })
            }
            (3, true) => {
                let step = if let Front::Grid { step } = self { step.to_bits() } else { 0 };
                let step = f64::from_bits(coder.raw_long(step, 64));
                (step > 0.0 && step < f64::INFINITY).then_some(Front::Grid { step })
            }
            _ => None,
        }
    }
}

/// Whether `column` tolerates `other` in the stead of `word`.
pub(crate) fn tolerated(column: &Column, word: Word, other: Word) -> bool {
    if word == other {
        return true;
    }
    if column.kind.is_float() {
        let (value, other) = (word.number(column.kind), other.number(column.kind));
        let error = if value > other { value - other } else { other - value };
        match column.tolerance {
            Tolerance::Lossless => false,
            Tolerance::Absolute(most) => error <= most,
            Tolerance::Relative(most) => {
                let most = most * value.abs();
                // Below the normal numbers the product may be rounded up by any part of itself.
                error <= most && (most >= f64::MIN_POSITIVE || error == 0.0)
            }
        }
    } else {
        let wide = |word: Word| if column.kind == Kind::I32 { i64::from(word.i32()) } else { word.i64() };
        match column.tolerance {
            Tolerance::Absolute(most) => wide(word).abs_diff(wide(other)) as f64 <= most,
            _ => false,
        }
    }
}
