//! Sizes as a user writes them: always with a unit, or as a share of what there is.

use std::fmt;
use std::str::FromStr;

/// Bytes, or a share of what the container or machine has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Within {
    /// So many bytes.
    Bytes(u64),
    /// A share of what is available, 0.0 to 1.0.
    Share(f64),
}

const UNITS: [(&str, u64); 12] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("bytes", 1),
    ("byte", 1),
    ("b", 1),
    ("%", 0),
];

impl FromStr for Within {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
        let (number, unit) = lower.split_at(digits);
        let value: f64 =
            number.parse().map_err(|_| format!("`{text}` is not a size: write 16MiB, 1GB or 60%"))?;
        let unit = unit.trim();
        if unit.is_empty() {
            return Err(format!("`{text}` has no unit: write {text}MiB, {text}MB, {text}B or {text}%"));
        }
        let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("`{unit}` is no unit: write B, KiB, MiB, GiB, kB, MB, GB or %"));
        };
        if *factor == 0 {
            return if value > 0.0 && value <= 100.0 {
                Ok(Self::Share(value / 100.0))
            } else {
                Err(format!("`{text}` is no share: write more than 0% and at most 100%"))
            };
        }
        // Whole numbers are exact, whatever their size; fractions are rounded down to a byte.
        let exact = number.parse::<u64>().ok().and_then(|whole| whole.checked_mul(*factor));
        let bytes = exact.unwrap_or((value * *factor as f64) as u64);
        if bytes == 0 { Err(format!("`{text}` is no memory at all")) } else { Ok(Self::Bytes(bytes)) }
    }
}

/// Bytes for people: the exact number where it is short, otherwise with a binary unit.
#[derive(Clone, Copy, Debug)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self.0 {
            bytes if bytes < 10 << 10 => format!("{bytes} B"),
            bytes if bytes < 10 << 20 => format!("{:.1} KiB", bytes as f64 / 1024.0),
            bytes if bytes < 10 << 30 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
            bytes => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_exact() {
        let cases =
            [("16MiB", 16 << 20), ("1GB", 1_000_000_000), ("1.5 KiB", 1536), ("77B", 77), ("2tib", 2 << 40)];
        for (text, bytes) in cases {
            assert_eq!(text.parse(), Ok(Within::Bytes(bytes)), "{text}");
        }
        assert_eq!("60%".parse(), Ok(Within::Share(0.6)));
    }

    #[test]
    fn a_bare_number_is_refused_with_a_hint() {
        let error = "8192".parse::<Within>().unwrap_err();
        assert!(error.contains("no unit") && error.contains("8192MiB"), "{error}");
        for text in ["", "MiB", "5 parsecs", "0MiB", "0%", "101%", "-3MiB", "1.2.3GB"] {
            assert!(text.parse::<Within>().is_err(), "{text}");
        }
    }
}
