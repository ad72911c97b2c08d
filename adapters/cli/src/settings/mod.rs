//! Settings in layers, the first that says something is heard:
//!
//! ```text
//!  flags > the profile they name > environment > its profile > ./plimsoll.toml > its profile > the user's > its profile
//!                                                 \______________ or --config FILE ______________/
//! ```
//!
//! One profile counts: that of the highest layer that names one. Rules by size stand beside the file's settings, and
//! the lower figure of both counts; what a higher layer says is free of them.

mod environment;
mod file;
mod key;
mod layers;
mod profiles;
mod rules;

pub use layers::{Chosen, Layers};
pub use rules::Rule;

use crate::command::args::{Command, CommandLine, IoArg, LogArgs, RunArgs};
use crate::failure::Failure;
use crate::size::Within;
use clap::ArgMatches;
use clap::parser::ValueSource;
use environment::Environment;
use file::{FileSettings, Trust};
use key::{Setting, Value};
use layers::{Entry, Layer};
use std::path::PathBuf;
use std::sync::Arc;

/// The name of a settings file.
const FILE_NAME: &str = "plimsoll.toml";

/// Puts what the layers below the flags say into the command line, where it says nothing itself.
///
/// # Errors
/// [`Failure::Usage`] that names file, line, variable or flag; [`Failure::Io`] if a file cannot be read.
pub(crate) fn resolve(line: &mut CommandLine, matches: &ArgMatches) -> Result<(), Failure> {
    // A shell that starts asks for these wherever it is.
    if matches!(line.command, Command::Completions { .. }) {
        return Ok(());
    }
    let flags = flags(line, matches).map_err(Failure::Usage)?;
    let environment = environment::read(std::env::vars_os()).map_err(Failure::Usage)?;
    let files = files(line, &environment)?;
    let mut stack = vec![flags, environment.layer];
    stack.extend(files.iter().map(|file| file.layer.clone()));
    insert_profile(&mut stack, &files)?;
    let mut chosen = Vec::with_capacity(Setting::ALL.len());
    for setting in Setting::ALL {
        let top = stack.iter().find_map(|layer| Some((layer.kind, layer.find(setting)?)));
        chosen.push(match top {
            Some((kind, entry)) => {
                let Entry { value, from, .. } = entry;
                put(line, setting, value);
                Chosen { setting: setting.name(), value: value.to_string(), layer: kind, from: from.clone() }
            }
            None => {
                let value = setting.usual().to_owned();
                Chosen { setting: setting.name(), value, layer: "default", from: String::new() }
            }
        });
    }
    let rules = rules(&stack, files);
    if let Some(run) = line.command.run_mut() {
        run.layers = Arc::new(Layers { chosen, rules });
    }
    Ok(())
}

/// What the command line itself says.
fn flags(line: &mut CommandLine, matches: &ArgMatches) -> Result<Layer, String> {
    let mut leaf = matches;
    while let Some((_, below)) = leaf.subcommand() {
        leaf = below;
    }
    let given = |id: &str| leaf.value_source(id) == Some(ValueSource::CommandLine);
    let mut layer = Layer { kind: "flag", entries: Vec::new() };
    let mut says = |setting, flag: &str, value: Option<Value>| match value {
        Some(value) => layer.add(setting, value, format!("--{flag}")),
        None => Ok(()),
    };
    if let Some(run) = line.command.run_mut() {
        let RunArgs { within, memory_limit_mb, workers, io, use_memory_mapping, .. } = run;
        let limit = memory_limit_mb.map(|mebibytes| Within::Bytes(mebibytes << 20));
        says(Setting::Within, "within", within.map(Value::Within))?;
        says(Setting::Within, "memory-limit-mb", limit.map(Value::Within))?;
        says(Setting::Workers, "workers", workers.map(|workers| Value::Count(u64::from(workers))))?;
        says(Setting::Io, "io", given("io").then_some(Value::Io(*io)))?;
        let mapping = use_memory_mapping.then_some(Value::Io(IoArg::Mmap));
        says(Setting::Io, "use-memory-mapping", mapping)?;
        let RunArgs { strip_rows, strip_pixels, progress, profile_memory, profile, .. } = run;
        says(Setting::StripRows, "strip-rows", strip_rows.map(|rows| Value::Count(u64::from(rows))))?;
        says(Setting::StripPixels, "strip-pixels", strip_pixels.map(Value::Count))?;
        says(Setting::Progress, "progress", given("progress").then_some(Value::Progress(*progress)))?;
        says(Setting::ProfileMemory, "profile-memory", profile_memory.clone().map(Value::Path))?;
        says(Setting::Profile, "profile", profile.clone().map(Value::Name))?;
    }
    let LogArgs { log_level, log_file } = &line.log;
    says(Setting::LogLevel, "log-level", given("log_level").then_some(Value::LogLevel(*log_level)))?;
    says(Setting::LogFile, "log-file", log_file.clone().map(Value::Path))?;
    Ok(layer)
}

/// The settings files, the one that is heard first first.
fn files(line: &CommandLine, environment: &Environment) -> Result<Vec<FileSettings>, Failure> {
    if let Some(path) = line.settings.config.as_ref().or(environment.config.as_ref()) {
        return Ok(vec![FileSettings::read(path, Trust::User)?]);
    }
    let here = Some((PathBuf::from(FILE_NAME), Trust::Found));
    let own = user_folder().map(|folder| (folder.join("plimsoll").join(FILE_NAME), Trust::User));
    let there = |(path, trust): (PathBuf, Trust)| match path.try_exists() {
        Ok(true) => Some(FileSettings::read(&path, trust)),
        // What cannot be looked at was not put there for us.
        Ok(false) | Err(_) => None,
    };
    [here, own].into_iter().flatten().filter_map(there).collect()
}

/// The folder of the user's configuration, by the rules of the XDG base directories.
fn user_folder() -> Option<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let named = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(absolute);
    let home = || std::env::var_os("HOME").map(PathBuf::from).filter(absolute);
    named.or_else(|| Some(home()?.join(".config")))
}

/// Puts the profile that the highest layer names below that layer.
fn insert_profile(stack: &mut Vec<Layer>, files: &[FileSettings]) -> Result<(), Failure> {
    let named = stack.iter().enumerate().find_map(|(at, layer)| Some((at, layer.find(Setting::Profile)?)));
    let Some((at, entry)) = named else { return Ok(()) };
    let name = entry.value.to_string();
    let defined = || files.iter().flat_map(|file| &file.profiles);
    let profile = defined().find(|(known, _)| *known == name).map(|(_, layer)| layer.clone());
    let Some(profile) = profile.or_else(|| profiles::built_in(&name)) else {
        let known = defined().map(|(name, _)| name.as_str()).chain(profiles::names());
        return Err(Failure::Usage(format!("{}: {}", entry.from, key::unknown(&name, "profile", known))));
    };
    stack.insert(at + 1, profile);
    Ok(())
}

/// The rules of the highest file that has some, without what layers above all files decide.
fn rules(stack: &[Layer], files: Vec<FileSettings>) -> Vec<Rule> {
    let mut rules =
        files.into_iter().map(|file| file.rules).find(|rules| !rules.is_empty()).unwrap_or_default();
    let above = stack.iter().take_while(|layer| layer.kind != "file");
    for entry in above.flat_map(|layer| &layer.entries) {
        rules.iter_mut().for_each(|rule| rule.unset(entry.setting));
    }
    rules
}

/// Puts a value where the command looks for it.
fn put(line: &mut CommandLine, setting: Setting, value: &Value) {
    match (setting, value) {
        (Setting::LogLevel, Value::LogLevel(level)) => line.log.log_level = *level,
        (Setting::LogFile, Value::Path(path)) => line.log.log_file = Some(path.clone()),
        _ => {}
    }
    let Some(run) = line.command.run_mut() else { return };
    match (setting, value) {
        (Setting::Within, Value::Within(within)) => run.within = Some(*within),
        (Setting::StripPixels, Value::Count(pixels)) => run.strip_pixels = Some(*pixels),
        (Setting::StripRows, Value::Count(rows)) => run.strip_rows = u32::try_from(*rows).ok(),
        (Setting::Workers, Value::Count(workers)) => run.workers = u32::try_from(*workers).ok(),
        (Setting::Io, Value::Io(io)) => run.io = *io,
        (Setting::Progress, Value::Progress(progress)) => run.progress = *progress,
        (Setting::ProfileMemory, Value::Path(path)) => run.profile_memory = Some(path.clone()),
        _ => {}
    }
}
