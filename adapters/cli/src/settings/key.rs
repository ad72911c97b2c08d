//! The settings that a layer may hold: their names, and how each value is written.

use super::io::IoArg;
use crate::log::LogLevel;
use crate::progress::ProgressArg;
use crate::size::Within;
use clap::ValueEnum;
use std::fmt;
use std::path::{Path, PathBuf};

/// What can be set outside the command line, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    Within,
    StripPixels,
    StripRows,
    Workers,
    Io,
    Progress,
    LogLevel,
    LogFile,
    ProfileMemory,
    Profile,
}

/// Every name: in a file as it stands here, in the environment in capitals behind `PLIMSOLL_`. Some settings have two:
/// the second is for those who come from programs that count in megabytes, chunks and workers.
pub(crate) const NAMES: [(&str, Setting); 14] = [
    ("within", Setting::Within),
    (MEMORY_LIMIT, Setting::Within),
    ("strip_pixels", Setting::StripPixels),
    ("chunk_size", Setting::StripPixels),
    ("strip_rows", Setting::StripRows),
    ("workers", Setting::Workers),
    ("max_workers", Setting::Workers),
    ("io", Setting::Io),
    (MEMORY_MAPPING, Setting::Io),
    ("progress", Setting::Progress),
    ("log_level", Setting::LogLevel),
    ("log_file", Setting::LogFile),
    ("profile_memory", Setting::ProfileMemory),
    ("profile", Setting::Profile),
];

/// A number of mebibytes; its founding name says MB, and its founding formula divides by 1024 * 1024.
const MEMORY_LIMIT: &str = "memory_limit_mb";

/// True or false.
const MEMORY_MAPPING: &str = "use_memory_mapping";

/// The most workers.
const MOST_WORKERS: u64 = 64;

impl Setting {
    /// All of them, in the order in which plans list them.
    pub(crate) const ALL: [Self; 10] = [
        Self::Within,
        Self::StripPixels,
        Self::StripRows,
        Self::Workers,
        Self::Io,
        Self::Progress,
        Self::LogLevel,
        Self::LogFile,
        Self::ProfileMemory,
        Self::Profile,
    ];

    /// Its first name.
    pub(crate) fn name(self) -> &'static str {
        NAMES.iter().find(|(_, setting)| *setting == self).map_or("", |(name, _)| name)
    }

    /// What is taken where no layer says anything, in words.
    pub(crate) fn usual(self) -> &'static str {
        match self {
            Self::Within => "half of what there is",
            Self::StripPixels | Self::StripRows => "as many as are of use",
            Self::Workers => "one for each processor",
            Self::Io => "read",
            Self::Progress => "auto",
            Self::LogLevel => "warn",
            Self::LogFile => "the standard error",
            Self::ProfileMemory | Self::Profile => "none",
        }
    }
}

/// A setting's value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Within(Within),
    Count(u64),
    Io(IoArg),
    Progress(ProgressArg),
    LogLevel(LogLevel),
    Path(PathBuf),
    Name(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(Within::Bytes(bytes)) if bytes % (1 << 20) == 0 => write!(f, "{}MiB", bytes >> 20),
            Self::Within(Within::Bytes(bytes)) => write!(f, "{bytes}B"),
            Self::Within(Within::Share(share)) => write!(f, "{}%", share * 100.0),
            Self::Count(count) => write!(f, "{count}"),
            Self::Io(io) => f.write_str(&word(io)),
            Self::Progress(progress) => f.write_str(&word(progress)),
            Self::LogLevel(level) => f.write_str(&word(level)),
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Reads the value of the setting called `name`. Files are named as seen from `folder`.
///
/// # Errors
/// What is wrong with it, and what is written instead; for an unknown name the nearest one.
pub(crate) fn read(name: &str, text: &str, folder: &Path) -> Result<(Setting, Value), String> {
    let Some((_, setting)) = NAMES.iter().find(|(known, _)| *known == name) else {
        return Err(unknown(name, "setting", NAMES.iter().map(|(name, _)| *name)));
    };
    let within = |wrong: String| format!("{name}: {wrong}");
    let value = match (setting, name) {
        (_, MEMORY_LIMIT) => {
            let mebibytes = count(text, 1, u64::MAX >> 20).map_err(within)?;
            Value::Within(Within::Bytes(mebibytes << 20))
        }
        (_, MEMORY_MAPPING) => match text {
            "true" => Value::Io(IoArg::Mmap),
            "false" => Value::Io(IoArg::Read),
            _ => return Err(within(format!("`{text}` is neither true nor false"))),
        },
        (Setting::Within, _) => Value::Within(text.parse().map_err(within)?),
        (Setting::StripPixels, _) => Value::Count(count(text, 1, u64::MAX).map_err(within)?),
        (Setting::StripRows, _) => Value::Count(count(text, 1, u64::from(u32::MAX)).map_err(within)?),
        (Setting::Workers, _) => Value::Count(count(text, 1, MOST_WORKERS).map_err(within)?),
        (Setting::Io, _) => Value::Io(one_of(text).map_err(within)?),
        (Setting::Progress, _) => Value::Progress(one_of(text).map_err(within)?),
        (Setting::LogLevel, _) => Value::LogLevel(one_of(text).map_err(within)?),
        (Setting::LogFile | Setting::ProfileMemory, _) => Value::Path(folder.join(text)),
        (Setting::Profile, _) => Value::Name(text.to_owned()),
    };
    Ok((*setting, value))
}

/// A whole number.
pub(super) fn count(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let number = text.parse::<u64>().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("`{text}` is no whole number from {least} to {most}"))
}

/// A word out of a few.
fn one_of<T: ValueEnum>(text: &str) -> Result<T, String> {
    T::from_str(text, false).map_err(|_| {
        let words: Vec<String> = T::value_variants().iter().map(word).collect();
        format!("`{text}` is none of {}", words.join(", "))
    })
}

fn word<T: ValueEnum>(value: &T) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Refuses a name that is not known, with the nearest one that is.
pub(super) fn unknown<'n>(name: &str, what: &str, known: impl Iterator<Item = &'n str>) -> String {
    let distance =
        |other: &&str| strsim::osa_distance(&name.to_ascii_lowercase(), &other.to_ascii_lowercase());
    match known.min_by_key(distance) {
        Some(nearest) => format!("`{name}` is no {what}: the nearest is `{nearest}`"),
        None => format!("`{name}` is no {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str, text: &str) -> Result<Value, String> {
        read(name, text, Path::new("")).map(|(_, value)| value)
    }

    #[test]
    fn founding_names_mean_the_same_settings() {
        assert_eq!(value("memory_limit_mb", "1536"), value("within", "1536MiB"));
        assert_eq!(value("chunk_size", "250000"), value("strip_pixels", "250000"));
        assert_eq!(value("max_workers", "4"), value("workers", "4"));
        assert_eq!(value("use_memory_mapping", "true"), value("io", "mmap"));
        assert_eq!(value("use_memory_mapping", "false"), value("io", "read"));
    }

    #[test]
    fn wrong_words_name_the_setting_and_the_nearest_name() {
        for (name, text, said) in [
            ("within", "8192", "8192MiB"),
            ("memory_limit_mb", "0", "from 1"),
            ("memory_limit_mb", "99999999999999999", "to 17592186044415"),
            ("workers", "65", "to 64"),
            ("io", "pipe", "read, mmap"),
            ("chunksize", "1", "`chunk_size`"),
            ("max_worker", "1", "`max_workers`"),
            ("memory_limit", "1", "`memory_limit_mb`"),
            ("logfile", "x", "`log_file`"),
        ] {
            let error = value(name, text).unwrap_err();
            assert!(error.contains(name) && error.contains(said), "{error}");
        }
    }

    #[test]
    fn every_setting_has_a_name_and_is_listed() {
        for (name, setting) in NAMES {
            assert!(Setting::ALL.contains(&setting), "{name}");
        }
        assert!(Setting::ALL.iter().all(|setting| !setting.name().is_empty()));
    }
}
