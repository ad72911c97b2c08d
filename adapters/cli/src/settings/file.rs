//! `plimsoll.toml`: read bounded, and every word of it understood or refused by name.
//!
//! ```toml
//! within = "60%"              # or memory_limit_mb = 4096
//! chunk_size = 500_000        # pixels of a strip
//! profile = "scans"
//!
//! [profiles.scans]
//! workers = 4
//!
//! [[rules]]
//! over_pixels = 100_000_000
//! chunk_size = 250_000
//! ```

use super::key::{self, NAMES, Setting, Value};
use super::layers::Layer;
use super::rules::Rule;
use crate::failure::Failure;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};
use toml::de::{DeTable, DeValue};

/// The most bytes of a file.
const MOST_BYTES: u64 = 64 << 10;

/// The most bytes of it that are neither comments nor blank lines: what a parser makes of a byte may be a hundred, and
/// all of it is in the plan's part for arguments.
const MOST_MEANT_BYTES: usize = 4 << 10;

/// Who says that a file counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// The user named it, or it is the user's own.
    User,
    /// It was found in the current folder, whoever put it there: it names no files outside.
    Found,
}

/// What a file says.
#[derive(Debug)]
pub(super) struct FileSettings {
    pub(super) layer: Layer,
    pub(super) profiles: Vec<(String, Layer)>,
    pub(super) rules: Vec<Rule>,
}

impl FileSettings {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Failure::Io`] if it cannot be read, [`Failure::Usage`] with file and line if it says what is not known.
    pub(super) fn read(path: &Path, trust: Trust) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::io("read the settings", path, &error);
        // A pipe would be waited for.
        if !path.metadata().map_err(failed)?.is_file() {
            return Err(Failure::Usage(format!("{}: settings are read from regular files", path.display())));
        }
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(failed)?;
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        Self::parse(&bytes, path, trust)
            .map_err(|wrong| Failure::Usage(format!("{}: {wrong}", path.display())))
    }

    fn parse(bytes: &[u8], path: &Path, trust: Trust) -> Result<Self, String> {
        if bytes.len() as u64 > MOST_BYTES {
            return Err(format!("settings have at most {MOST_BYTES} bytes"));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| format!("it is no UTF-8: {error}"))?;
        let meant = Meant::of(text);
        if meant.text.len() > MOST_MEANT_BYTES {
            return Err(format!(
                "settings have at most {MOST_MEANT_BYTES} bytes beside comments and blank lines, these have {}",
                meant.text.len()
            ));
        }
        let table = DeTable::parse(&meant.text).map_err(|error| {
            let line = meant.line(error.span().map_or(0, |span| span.start));
            format!("line {line}: {}", error.message().replace('\n', ", "))
        })?;
        let reading = Reading { meant: &meant, path, trust };
        reading.file(table.get_ref())
    }
}

/// The lines of a text that mean something, and which they are.
struct Meant {
    text: String,
    numbers: Vec<u32>,
}

impl Meant {
    fn of(text: &str) -> Self {
        let mut meant = Self { text: String::new(), numbers: Vec::new() };
        for (line, number) in text.lines().zip(1..) {
            let words = line.trim();
            if words.is_empty() || words.starts_with('#') {
                continue;
            }
            meant.text.push_str(line);
            meant.text.push('\n');
            meant.numbers.push(number);
        }
        meant
    }

    /// The line of the file in which byte `at` of the text stands, from 1.
    fn line(&self, at: usize) -> u32 {
        let before = self.text.bytes().take(at).filter(|byte| *byte == b'\n').count();
        self.numbers.get(before).or(self.numbers.last()).copied().unwrap_or(1)
    }
}

/// A file that is being understood.
struct Reading<'a> {
    meant: &'a Meant,
    path: &'a Path,
    trust: Trust,
}

impl Reading<'_> {
    fn file(&self, table: &DeTable<'_>) -> Result<FileSettings, String> {
        let mut found = FileSettings {
            layer: Layer { kind: "file", entries: Vec::new() },
            profiles: Vec::new(),
            rules: Vec::new(),
        };
        for (name, value) in table {
            let line = self.meant.line(name.span().start);
            let at = |wrong: String| format!("line {line}: {wrong}");
            match (name.get_ref().as_ref(), value.get_ref()) {
                ("profiles", DeValue::Table(profiles)) => {
                    for (name, profile) in profiles {
                        let name = name.get_ref().as_ref();
                        let DeValue::Table(profile) = profile.get_ref() else {
                            return Err(at(format!("profiles.{name} is no table")));
                        };
                        let from = format!("profile {name} of {}", self.path.display());
                        let mut layer = Layer { kind: "profile", entries: Vec::new() };
                        self.settings(profile, &mut layer, &from)?;
                        if layer.find(Setting::Profile).is_some() {
                            return Err(at(format!("profile {name} names a profile: settings are needed")));
                        }
                        found.profiles.push((name.to_owned(), layer));
                    }
                }
                ("rules", DeValue::Array(rules)) => {
                    for rule in rules {
                        let line = self.meant.line(rule.span().start);
                        let DeValue::Table(rule) = rule.get_ref() else {
                            return Err(format!("line {line}: a rule is a table: write [[rules]]"));
                        };
                        let rule = self.rule(rule).map_err(|wrong| format!("line {line}: {wrong}"))?;
                        found.rules.push(rule);
                    }
                }
                ("profiles", _) => return Err(at("profiles are tables: write [profiles.NAME]".to_owned())),
                ("rules", _) => return Err(at("rules are a list of tables: write [[rules]]".to_owned())),
                (name, value) => {
                    let from = self.path.display().to_string();
                    let known = || NAMES.iter().map(|(name, _)| *name).chain(["profiles", "rules"]);
                    if !known().any(|known| known == name) {
                        return Err(at(key::unknown(name, "setting", known())));
                    }
                    self.setting(name, value, &mut found.layer, &from).map_err(at)?;
                }
            }
        }
        Ok(found)
    }

    /// The settings of a table.
    fn settings(&self, table: &DeTable<'_>, layer: &mut Layer, from: &str) -> Result<(), String> {
        for (name, value) in table {
            let line = self.meant.line(name.span().start);
            self.setting(name.get_ref(), value.get_ref(), layer, from)
                .map_err(|wrong| format!("line {line}: {wrong}"))?;
        }
        Ok(())
    }

    fn setting(&self, name: &str, value: &DeValue<'_>, layer: &mut Layer, from: &str) -> Result<(), String> {
        let text = scalar(name, value)?;
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let (setting, value) = key::read(name, &text, folder)?;
        if let Value::Path(path) = &value
            && self.trust == Trust::Found
            && !(plain(&text) && lies_in(folder, path))
        {
            return Err(format!(
                "{name}: settings found in the current folder name no file outside it, and `{text}` is: \
                 name the settings with --config to mean it"
            ));
        }
        layer.add(setting, value, from.to_owned())
    }

    fn rule(&self, table: &DeTable<'_>) -> Result<Rule, String> {
        let mut rule = Rule { from: self.path.display().to_string(), ..Rule::default() };
        let (mut over, mut layer) = (None, Layer::default());
        for (name, value) in table {
            let (name, value) = (name.get_ref().as_ref(), value.get_ref());
            if name == OVER_PIXELS {
                let pixels = key::count(&scalar(name, value)?, 0, u64::MAX);
                over = Some(pixels.map_err(|wrong| format!("{name}: {wrong}"))?);
                continue;
            }
            let about = |(_, setting): &&(&str, Setting)| Rule::SETTINGS.contains(setting);
            let known = || NAMES.iter().filter(about).map(|(name, _)| *name).chain([OVER_PIXELS]);
            if !known().any(|known| known == name) {
                return Err(key::unknown(name, "setting of a rule", known()));
            }
            self.setting(name, value, &mut layer, "")?;
        }
        rule.over_pixels =
            over.ok_or_else(|| format!("a rule says for which pictures: {OVER_PIXELS} = 100_000_000"))?;
        layer.entries.iter().for_each(|entry| rule.set(entry.setting, &entry.value));
        Ok(rule)
    }
}

/// Whether these words name nothing above or beside where they begin.
fn plain(text: &str) -> bool {
    let down = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    Path::new(text).components().all(down)
}

/// Whether a file is in this folder or one below, whatever links there are; what cannot be looked at is not.
fn lies_in(folder: &Path, path: &Path) -> bool {
    let real = |folder: &Path| match folder.as_os_str().is_empty() {
        true => Path::new(".").canonicalize(),
        false => folder.canonicalize(),
    };
    let within = |above: &Path| match (real(folder), real(above)) {
        (Ok(folder), Ok(above)) => above.starts_with(folder),
        // Whoever opens it says that there is no such folder.
        (Ok(_), Err(error)) => error.kind() == std::io::ErrorKind::NotFound,
        (Err(_), _) => false,
    };
    path.parent().is_some_and(within) && !path.is_symlink()
}

/// The key of a rule that is no setting.
const OVER_PIXELS: &str = "over_pixels";

/// A value as it would be written in the environment.
fn scalar(name: &str, value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(|number| number.to_string())
            .map_err(|_| format!("{name}: it has too many digits")),
        DeValue::Boolean(yes) => Ok(yes.to_string()),
        _ => Err(format!("{name} is a word, a whole number, true or false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<FileSettings, String> {
        FileSettings::parse(text.as_bytes(), Path::new("plimsoll.toml"), Trust::Found)
    }

    fn refused(text: &str, said: &[&str]) {
        let error = parse(text).unwrap_err();
        said.iter().for_each(|word| assert!(error.contains(word), "{text:?}: no `{word}`: {error}"));
        assert!(!error.contains('\n'), "{error:?}");
    }

    #[test]
    fn lines_are_those_of_the_file() {
        refused("# a comment\n\nwithin = \"8MiB\"\n\n# more\nchunksize = 3\n", &["line 6", "`chunk_size`"]);
        refused("within = \"8MiB\"\n\nwithin = \"9MiB\"\n", &["line 3", "duplicate"]);
        refused("workers = \n", &["line 1"]);
        refused("[profiles.a]\n\n#\nworker = 2\n", &["line 4", "`workers`"]);
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        refused("within = \"8MiB\"\nmemory_limit_mb = 8\n", &["within is set twice", "8MiB"]);
        refused("memory_limit_mb = 1.5\n", &["memory_limit_mb", "whole number"]);
        refused("workers = [1]\n", &["workers"]);
        refused("within = 8192\n", &["within", "8192MiB"]);
        refused("profile = \"a\"\nprofiles = 3\n", &["[profiles.NAME]"]);
        refused("[rules]\nworkers = 1\n", &["[[rules]]"]);
        refused("[[rules]]\nworkers = 1\n", &["over_pixels"]);
        refused("[[rules]]\nover_pixel = 1\n", &["`over_pixels`"]);
        refused("[[rules]]\nover_pixels = 1\nlog_file = \"x\"\n", &["log_file", "rule"]);
        refused("[profiles.a]\nprofile = \"b\"\n", &["profile a names a profile"]);
        refused("log_file = \"/etc/motd\"\n", &["log_file", "/etc/motd", "--config"]);
        refused("profile_memory = \"../x.html\"\n", &["profile_memory", "../x.html"]);
        refused("workers = 0x999999999999999999999999\n", &["workers", "digits"]);
        assert!(FileSettings::parse(b"within = \"\xff\"", Path::new("x"), Trust::User).is_err());
    }

    #[test]
    fn size_is_bounded_and_comments_are_free() {
        let comments = "# ".repeat(100) + "\n";
        let many = comments.repeat(300) + "workers = 0x2\n";
        assert!(many.len() < MOST_BYTES as usize && parse(&many).unwrap().layer.entries.len() == 1);
        refused(&comments.repeat(400), &["65536 bytes"]);
        refused(&"a = 1\n".repeat(700), &["4096 bytes"]);
    }

    #[test]
    fn files_are_seen_from_the_settings() {
        let read = |trust| FileSettings::parse(b"log_file = \"a.log\"", Path::new("/x/plimsoll.toml"), trust);
        let file = read(Trust::User).unwrap();
        assert_eq!(file.layer.entries[0].value, Value::Path("/x/a.log".into()));
    }
}
