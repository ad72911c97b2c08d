//! Numbers as text: read exactly, written in the shortest form that reads back to the same bits.
//!
//! Reading rounds correctly and writing is shortest (both by the standard library, after Lemire 2021 and Ryū-like
//! Grisu with fallback), so text in its shortest form comes back as it was.

use std::fmt::LowerExp;
use std::io::{self, Write};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number in 64 bits, written with digits only: `45`, `-3`, `+7`.
    Whole(i64),
    /// Any other number, `NaN` and infinities among them; so is `-0`, which no whole number is.
    Decimal(f64),
    /// Nothing was measured: an empty field, or `NA`, `N/A`, `null`, `none`, `-` in any case.
    Missing,
}

/// How a file writes the whole ones among decimal numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumberText {
    /// `45`: shortest.
    #[default]
    Shortest,
    /// `45.0`.
    Point,
    /// `45`, and what is very large or small as Python, C and what is written with them do: `1e-05`, `1e+16`, `nan`.
    Python,
    /// `45.0`, and the same.
    PythonPoint,
}

impl NumberText {
    /// Of these two facts.
    pub const fn of(point: bool, python: bool) -> Self {
        match (point, python) {
            (false, false) => Self::Shortest,
            (true, false) => Self::Point,
            (false, true) => Self::Python,
            (true, true) => Self::PythonPoint,
        }
    }

    /// Whether whole numbers have a point.
    pub const fn has_point(self) -> bool {
        matches!(self, Self::Point | Self::PythonPoint)
    }

    /// Whether exponents have a sign and two digits.
    pub const fn is_python(self) -> bool {
        matches!(self, Self::Python | Self::PythonPoint)
    }

    /// The style in which `field` is what is written for `value`, if that is another one than this. Only where the two
    /// kinds of exponents differ is there anything to see.
    pub fn other_for(self, value: f64, field: &[u8]) -> Option<Self> {
        let size = value.abs();
        if !size.is_nan()
            && (size == 0.0 || size.is_infinite() || (PYTHON_LEAST..PYTHON_MOST).contains(&size))
        {
            return None;
        }
        let same = |text: Self| {
            let mut again = [0; 64];
            let mut rest = &mut again[..];
            let fits = write_f64(value, text, &mut rest).is_ok();
            let left = rest.len();
            fits && again[..64 - left] == *field
        };
        let other = Self::of(self.has_point(), !self.is_python());
        (!same(self) && same(other)).then_some(other)
    }
}

/// The NaN that stands for a missing value: quiet, with the payload 1954 that R gives its `NA`.
pub const MISSING_F64: f64 = f64::from_bits(0x7ff8_0000_0000_07a2);

/// The same in 32 bits.
pub const MISSING_F32: f32 = f32::from_bits(0x7fc0_07a2);

const MISSING_WORDS: [&str; 5] = ["na", "n/a", "null", "none", "-"];

/// Reads a field; `None` if it is no number. Blanks around it do not count.
pub fn parse_number(field: &[u8]) -> Option<Number> {
    let field = field.trim_ascii();
    if field.is_empty() {
        return Some(Number::Missing);
    }
    let text = std::str::from_utf8(field).ok()?;
    if let Ok(whole) = text.parse::<i64>()
        && (whole != 0 || !text.starts_with('-'))
    {
        return Some(Number::Whole(whole));
    }
    match text.parse::<f64>() {
        Ok(value) => Some(Number::Decimal(value)),
        Err(_) => MISSING_WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)).then_some(Number::Missing),
    }
}

/// Whether a whole number is the same as `f64`: up to 2^53, and beyond that some.
pub fn exact_in_f64(whole: i64) -> bool {
    // The conversion back saturates: without a look at the largest, i64::MAX would seem exact.
    whole != i64::MAX && (whole as f64) as i64 == whole
}

/// Below this, numbers are written with an exponent.
const LEAST_PLAIN: f64 = 1e-5;
/// From this on, too.
const MOST_PLAIN: f64 = 1e17;

/// The same in Python.
const PYTHON_LEAST: f64 = 1e-4;
const PYTHON_MOST: f64 = 1e16;

/// Writes a float in its shortest form: `0.1`, `45` (or `45.0`), `1e-7`, `NaN`, `inf`; nothing at all for
/// [`MISSING_F64`]. Other NaNs' payloads are not shown.
///
/// # Errors
/// The writer's.
pub fn write_f64(value: f64, text: NumberText, out: &mut impl Write) -> io::Result<()> {
    if value.is_nan() {
        return if value.to_bits() == MISSING_F64.to_bits() { Ok(()) } else { out.write_all(nan(text)) };
    }
    let size = value.abs();
    let plain = if text.is_python() { PYTHON_LEAST..PYTHON_MOST } else { LEAST_PLAIN..MOST_PLAIN };
    if size == 0.0 || plain.contains(&size) || size.is_infinite() {
        write!(out, "{value}")?;
        point(size.fract() == 0.0, text, out)
    } else {
        exponent(value, text, out)
    }
}

/// The same for 32 bits.
///
/// # Errors
/// The writer's.
pub fn write_f32(value: f32, text: NumberText, out: &mut impl Write) -> io::Result<()> {
    if value.is_nan() {
        return if value.to_bits() == MISSING_F32.to_bits() { Ok(()) } else { out.write_all(nan(text)) };
    }
    let size = value.abs();
    let plain = if text.is_python() { PYTHON_LEAST..PYTHON_MOST } else { LEAST_PLAIN..MOST_PLAIN };
    if size == 0.0 || (plain.start as f32..plain.end as f32).contains(&size) || size.is_infinite() {
        write!(out, "{value}")?;
        point(size.fract() == 0.0, text, out)
    } else {
        exponent(value, text, out)
    }
}

const fn nan(text: NumberText) -> &'static [u8] {
    if text.is_python() { b"nan" } else { b"NaN" }
}

fn point(whole: bool, text: NumberText, out: &mut impl Write) -> io::Result<()> {
    if whole && text.has_point() { out.write_all(b".0") } else { Ok(()) }
}

/// With an exponent: `1e-7`, or `1e-07`.
fn exponent(value: impl LowerExp, text: NumberText, out: &mut impl Write) -> io::Result<()> {
    if !text.is_python() {
        return write!(out, "{value:e}");
    }
    let mut short = [0; 32];
    let mut rest = &mut short[..];
    write!(rest, "{value:e}")?;
    let left = rest.len();
    let written = &short[..32 - left];
    let at = written.iter().position(|byte| *byte == b'e').map_or(written.len(), |at| at + 1);
    let (mantissa, power) = written.split_at(at);
    let (sign, power) = match power.strip_prefix(b"-") {
        Some(power) => (b"-", power),
        None => (b"+", power),
    };
    out.write_all(mantissa)?;
    out.write_all(sign)?;
    out.write_all(if power.len() < 2 { b"0" } else { b"" })?;
    out.write_all(power)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(value: f64, text: NumberText) -> String {
        let mut out = Vec::new();
        write_f64(value, text, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_are_read_as_what_they_say() {
        use Number::{Decimal, Missing, Whole};
        let cases = [
            ("45", Whole(45)),
            (" +7 ", Whole(7)),
            ("-9223372036854775808", Whole(i64::MIN)),
            ("9223372036854775808", Decimal(9223372036854775808.0)),
            ("45.0", Decimal(45.0)),
            ("-0", Decimal(-0.0)),
            ("1e5", Decimal(1e5)),
            (".5", Decimal(0.5)),
            ("inf", Decimal(f64::INFINITY)),
            ("-Infinity", Decimal(f64::NEG_INFINITY)),
            ("", Missing),
            ("NA", Missing),
            ("-", Missing),
        ];
        for (text, number) in cases {
            assert_eq!(parse_number(text.as_bytes()), Some(number), "{text}");
        }
        assert!(matches!(parse_number(b"nan"), Some(Decimal(value)) if value.is_nan()));
        assert!(matches!(parse_number(b"-0"), Some(Decimal(value)) if value.is_sign_negative()));
        for text in ["abc", "1,5", "0x10", "1_000", "12:30", "1 2", "\u{ff11}"] {
            assert_eq!(parse_number(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers_that_a_float_cannot_hold_are_known() {
        for (whole, exact) in [
            (1 << 53, true),
            ((1 << 53) + 1, false),
            ((1 << 53) + 2, true),
            (i64::MAX, false),
            (i64::MIN, true),
            (-(1 << 53) - 1, false),
        ] {
            assert_eq!(exact_in_f64(whole), exact, "{whole}");
            assert_eq!(exact_in_f64(whole), (whole as f64) as i128 == i128::from(whole), "{whole}");
        }
    }

    #[test]
    fn forms_are_the_shortest() {
        let cases = [
            (0.1, "0.1"),
            (45.0, "45"),
            (-0.0, "-0"),
            (1e16, "10000000000000000"),
            (1e17, "1e17"),
            (1.5e-7, "1.5e-7"),
            (0.00001, "0.00001"),
            (f64::MAX, "1.7976931348623157e308"),
            (f64::from_bits(1), "5e-324"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "NaN"),
            (MISSING_F64, ""),
        ];
        for (value, text) in cases {
            assert_eq!(written(value, NumberText::Shortest), text);
        }
        for (value, text) in [
            (1e-5, "1e-05"),
            (-1.5e-7, "-1.5e-07"),
            (0.0001, "0.0001"),
            (1e16, "1e+16"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::from_bits(1), "5e-324"),
            (f64::NAN, "nan"),
            (MISSING_F64, ""),
            (45.0, "45"),
        ] {
            assert_eq!(written(value, NumberText::Python), text);
        }
        assert_eq!(written(1e16, NumberText::PythonPoint), "1e+16");
        assert_eq!(written(1e15, NumberText::PythonPoint), "1000000000000000.0");
        assert_eq!(written(45.0, NumberText::Point), "45.0");
        assert_eq!(written(45.5, NumberText::Point), "45.5");
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(bits in any::<u64>(), point in any::<bool>(), python in any::<bool>()) {
            let value = f64::from_bits(bits);
            let text = NumberText::of(point, python);
            match parse_number(written(value, text).as_bytes()) {
                Some(Number::Decimal(read)) => prop_assert!(read.to_bits() == bits || read.is_nan() && value.is_nan()),
                Some(Number::Whole(read)) => prop_assert_eq!((read as f64).to_bits(), bits),
                other => prop_assert!(bits == MISSING_F64.to_bits(), "{other:?}"),
            }
        }

        #[test]
        fn narrow_floats_read_back(bits in any::<u32>(), python in any::<bool>()) {
            let value = f32::from_bits(bits);
            let mut out = Vec::new();
            write_f32(value, NumberText::of(false, python), &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            prop_assume!(bits != MISSING_F32.to_bits());
            let read: f32 = text.parse().unwrap();
            prop_assert!(read.to_bits() == bits || read.is_nan() && value.is_nan(), "{text}");
        }
    }
}
