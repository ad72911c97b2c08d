//! Timestamps as text: whole numbers, decimal numbers of a coarser unit, or ISO 8601, to and from 64-bit counts.
//!
//! Calendar arithmetic is the `jiff` crate's, without time zones' rules: a text without an offset is taken as UTC.

use jiff::SignedDuration;
use jiff::civil::{DateTime, Time, date};
use jiff::fmt::temporal::{Pieces, PiecesOffset};
use jiff::tz::Offset;
use std::io::{self, Write};

/// Where counts begin. They are of days of 86,400 seconds in the calendar of civil time: that reaches to the last second
/// of the year 9999, which some write for a time that never comes.
const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// How a file writes its timestamps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeText {
    /// Whole numbers of the unit: `1386018900`.
    #[default]
    Whole,
    /// Decimal numbers of a unit that is 10^n times the one counted: `0.01` is 10 ms for n = 3.
    Decimal(u8),
    /// ISO 8601: `2014-04-01 00:05:00`.
    Iso(IsoText),
}

/// Which of the many forms of ISO 8601.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IsoText {
    /// Between date and time: `T`, `t` or a blank.
    pub separator: u8,
    /// How far it goes.
    pub precision: Precision,
    /// What it says of the offset from UTC.
    pub zone: Zone,
}

/// How far a date and time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// `2014-04-01`
    Day,
    /// `2014-04-01 00:05`
    Minute,
    /// `2014-04-01 00:05:00`, with so many digits after the point.
    Second(u8),
    /// The same with as many digits as it needs.
    Shortest,
}

/// What a date and time says of its offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Nothing: it counts as UTC.
    Unsaid,
    /// `Z`
    Zulu,
    /// `+02:00`, in minutes.
    Offset(i16),
}

/// A text that is no timestamp, or none of this unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeError {
    /// Neither a number nor ISO 8601.
    NoTime,
    /// It has more digits after the point than the unit holds; with so many (at most 9) it would be held.
    TooFine(u8),
    /// It is outside what 64 bits of the unit hold, or outside the years -9999 to 9999.
    OutOfRange,
}

impl std::fmt::Display for TimeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoTime => f.write_str("it is neither a number nor an ISO 8601 date and time"),
            Self::TooFine(digits) => {
                write!(f, "it has {digits} digits after the point, more than the unit holds")
            }
            Self::OutOfRange => f.write_str("64 bits of the unit do not hold it"),
        }
    }
}

impl std::error::Error for TimeError {}

/// The form that an ISO 8601 text has, and how many digits after the second it needs; `None` if it is none.
pub fn sniff_iso(text: &str) -> Option<(IsoText, u8)> {
    let pieces = pieces(text)?;
    let separator = text.bytes().find(|byte| matches!(byte, b'T' | b't' | b' ')).unwrap_or(b' ');
    let precision = match text.split_once(':') {
        None if pieces.time().is_none() => Precision::Day,
        Some((_, rest)) if !rest.contains(':') || rest.find(['+', '-', 'Z']).is_some_and(|at| at < 3) => {
            Precision::Minute
        }
        _ => {
            let digits = text
                .split_once(['.', ','])
                .map_or(0, |(_, fraction)| fraction.bytes().take_while(u8::is_ascii_digit).count());
            Precision::Second(digits.min(9) as u8)
        }
    };
    let zone = match pieces.offset() {
        None => Zone::Unsaid,
        Some(PiecesOffset::Zulu) => Zone::Zulu,
        Some(offset) => Zone::Offset(i16::try_from(offset.to_numeric_offset().seconds() / 60).ok()?),
    };
    let nanos = pieces.time().map_or(0, |time| time.subsec_nanosecond());
    let needed = (0..=9).find(|digits| nanos % 10_i32.pow(9 - u32::from(*digits)) == 0).unwrap_or(9);
    Some((IsoText { separator, precision, zone }, needed))
}

fn pieces(text: &str) -> Option<Pieces<'_>> {
    // A bare number of eight digits would be a date in the basic form; here it is a number.
    if text.len() < 10 || text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The name of a zone without an offset from UTC is no instant to those who do not know the zones' rules.
    Pieces::parse(text)
        .ok()
        .filter(|pieces| pieces.offset().is_some() || pieces.time_zone_annotation().is_none())
}

/// Reads ISO 8601 as a count of units, of which a second has 10^`digits`.
///
/// # Errors
/// [`TimeError`]
pub fn parse_iso(text: &str, digits: u8) -> Result<i64, TimeError> {
    let pieces = pieces(text).ok_or(TimeError::NoTime)?;
    let time = pieces.time().unwrap_or(Time::midnight());
    let offset = pieces.offset().map_or(Offset::UTC, |offset| offset.to_numeric_offset());
    let since = pieces.date().to_datetime(time).duration_since(EPOCH);
    let nanos = since.as_nanos() - i128::from(offset.seconds()) * 1_000_000_000;
    let step = 10_i128.pow(9 - u32::from(digits.min(9)));
    if nanos % step != 0 {
        let needed = (digits..=9).find(|digits| nanos % 10_i128.pow(9 - u32::from(*digits)) == 0);
        return Err(TimeError::TooFine(needed.unwrap_or(9)));
    }
    i64::try_from(nanos / step).map_err(|_| TimeError::OutOfRange)
}

/// Writes a count of units, of which a second has 10^`digits`, as ISO 8601; as a whole number if it is outside the
/// years -9999 to 9999.
///
/// # Errors
/// The writer's.
pub fn write_iso(count: i64, digits: u8, text: IsoText, out: &mut impl Write) -> io::Result<()> {
    let per_second = 10_i64.pow(u32::from(digits.min(9)));
    let seconds = count.div_euclid(per_second);
    let nanos = count.rem_euclid(per_second) * (1_000_000_000 / per_second);
    let minutes = match text.zone {
        Zone::Offset(minutes) => i32::from(minutes),
        Zone::Unsaid | Zone::Zulu => 0,
    };
    let since =
        seconds.checked_add(i64::from(minutes) * 60).map(|all| SignedDuration::new(all, nanos as i32));
    let Some(civil) = since.and_then(|since| EPOCH.checked_add(since).ok()) else {
        return write!(out, "{count}");
    };
    match civil.year() {
        year @ 0..=9999 => write!(out, "{year:04}")?,
        year => write!(out, "{}{:06}", if year < 0 { '-' } else { '+' }, year.unsigned_abs())?,
    }
    write!(out, "-{:02}-{:02}", civil.month(), civil.day())?;
    if text.precision == Precision::Day && civil.time() == Time::midnight() && text.zone == Zone::Unsaid {
        return Ok(());
    }
    write!(out, "{}{:02}:{:02}", char::from(text.separator), civil.hour(), civil.minute())?;
    if text.precision != Precision::Minute || civil.second() != 0 || nanos != 0 {
        write!(out, ":{:02}", civil.second())?;
    }
    let shortest = (0..9).find(|digits| nanos % 10_i64.pow(9 - digits) == 0).unwrap_or(9);
    let digits = match text.precision {
        Precision::Second(digits) => shortest.max(u32::from(digits.min(9))),
        _ => shortest,
    };
    if digits > 0 {
        write!(out, ".{:0width$}", nanos / 10_i64.pow(9 - digits), width = digits as usize)?;
    }
    match text.zone {
        Zone::Unsaid => Ok(()),
        Zone::Zulu => out.write_all(b"Z"),
        Zone::Offset(minutes) => {
            let sign = if minutes < 0 { '-' } else { '+' };
            write!(out, "{sign}{:02}:{:02}", minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60)
        }
    }
}

/// Reads a decimal number times 10^`shift` as a whole one, exactly.
///
/// # Errors
/// [`TimeError`]
pub fn parse_decimal(text: &str, shift: u8) -> Result<i64, TimeError> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (mut value, mut after, mut point, mut any) = (0_i128, 0_u8, false, false);
    let mut zeros = 0_u8;
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                any = true;
                if point && *byte == b'0' {
                    // Zeros count only if something follows them.
                    zeros = zeros.saturating_add(1);
                    continue;
                }
                for _ in 0..zeros {
                    value = value.checked_mul(10).ok_or(TimeError::OutOfRange)?;
                }
                after = after.saturating_add(zeros).saturating_add(u8::from(point));
                zeros = 0;
                let digit = i128::from(byte - b'0');
                value = value
                    .checked_mul(10)
                    .and_then(|value| value.checked_add(digit))
                    .ok_or(TimeError::OutOfRange)?;
            }
            b'.' if !point => point = true,
            _ => return Err(TimeError::NoTime),
        }
    }
    if !any {
        return Err(TimeError::NoTime);
    }
    let Some(left) = shift.checked_sub(after) else { return Err(TimeError::TooFine(after)) };
    let scaled = 10_i128.checked_pow(u32::from(left)).and_then(|scale| value.checked_mul(scale));
    let value = scaled.ok_or(TimeError::OutOfRange)?;
    i64::try_from(if negative { -value } else { value }).map_err(|_| TimeError::OutOfRange)
}

/// Writes a whole number divided by 10^`shift`, exactly, without zeros that mean nothing.
///
/// # Errors
/// The writer's.
pub fn write_decimal(count: i64, shift: u8, out: &mut impl Write) -> io::Result<()> {
    let scale = 10_u64.saturating_pow(u32::from(shift.min(19)));
    let size = count.unsigned_abs();
    write!(out, "{}{}", if count < 0 { "-" } else { "" }, size / scale)?;
    let (mut rest, mut width) = (size % scale, usize::from(shift.min(19)));
    if rest == 0 {
        return Ok(());
    }
    while rest.is_multiple_of(10) {
        (rest, width) = (rest / 10, width - 1);
    }
    write!(out, ".{rest:0width$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn iso(count: i64, digits: u8, text: IsoText) -> String {
        let mut out = Vec::new();
        write_iso(count, digits, text, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn texts_come_back_as_they_were() {
        for (text, digits, count) in [
            ("2014-04-01 00:05:00", 0, 1_396_310_700),
            ("2014-04-01T00:05:00Z", 3, 1_396_310_700_000),
            ("2014-04-01T02:05:00.250+02:00", 3, 1_396_310_700_250),
            ("2014-04-01 00:05:00.000000001", 9, 1_396_310_700_000_000_001),
            ("2014-04-01T00:05", 0, 1_396_310_700),
            ("2014-04-01 00:05-03:30", 0, 1_396_323_300),
            ("2014-04-01", 0, 1_396_310_400),
            ("1969-12-31 23:59:59.5", 3, -500),
            ("0001-01-01 00:00:00", 0, -62_135_596_800),
            ("-000044-03-15T00:00:00Z", 0, -63_549_360_000),
            ("9999-12-31T23:59:59Z", 0, 253_402_300_799),
            ("9999-12-31 23:59:59.999-11:00", 3, 253_402_340_399_999),
        ] {
            let (form, _) = sniff_iso(text).expect(text);
            assert_eq!(parse_iso(text, digits), Ok(count), "{text}");
            assert_eq!(iso(count, digits, form), text);
        }
    }

    #[test]
    fn what_is_no_time_is_refused_and_what_is_too_fine_says_so() {
        for text in [
            "",
            "20140401",
            "abc",
            "2014-13-01",
            "2014-04-01 25:00:00",
            "1e5",
            "12:30",
            "2014-04-01 00:05:00[Europe/Berlin]",
        ] {
            assert_eq!(sniff_iso(text), None, "{text}");
            assert_eq!(parse_iso(text, 0), Err(TimeError::NoTime), "{text}");
        }
        assert_eq!(parse_iso("2014-04-01T02:05:00+02:00[Europe/Berlin]", 0), Ok(1_396_310_700));
        assert_eq!(parse_iso("2014-04-01 00:05:00.25", 0), Err(TimeError::TooFine(2)));
        assert_eq!(parse_iso("2300-04-01 00:05:00", 9), Err(TimeError::OutOfRange));
        assert_eq!(sniff_iso("2014-04-01 00:05:00.250").unwrap().1, 2);
    }

    #[test]
    fn decimals_are_exact() {
        for (text, shift, count) in [
            ("0.01", 3, 10),
            ("-1.5", 1, -15),
            ("1386018900.25", 6, 1_386_018_900_250_000),
            ("7", 0, 7),
            ("7.000", 0, 7),
        ] {
            assert_eq!(parse_decimal(text, shift), Ok(count), "{text}");
        }
        assert_eq!(parse_decimal("0.0105", 3), Err(TimeError::TooFine(4)));
        assert_eq!(parse_decimal("9223372036854775808", 0), Err(TimeError::OutOfRange));
        for text in ["", "-", ".", "1.2.3", "1e3", "x"] {
            assert_eq!(parse_decimal(text, 3), Err(TimeError::NoTime), "{text}");
        }
    }

    proptest! {
        #[test]
        fn counts_come_back(count in any::<i64>(), shift in 0u8..18, digits in prop::sample::select(vec![0u8, 3, 6, 9])) {
            let mut out = Vec::new();
            write_decimal(count, shift, &mut out).unwrap();
            prop_assert_eq!(parse_decimal(std::str::from_utf8(&out).unwrap(), shift), Ok(count));
            let form = IsoText { separator: b'T', precision: Precision::Shortest, zone: Zone::Offset(-90) };
            let text = iso(count, digits, form);
            if text.contains('T') {
                prop_assert_eq!(parse_iso(&text, digits), Ok(count), "{}", text);
            } else {
                prop_assert_eq!(text, count.to_string());
            }
        }

        #[test]
        fn any_text_is_no_panic(text in "[0-9TZ:+. -]{0,40}", digits in 0u8..10) {
            let _ = (sniff_iso(&text), parse_iso(&text, digits), parse_decimal(&text, digits));
        }
    }
}
