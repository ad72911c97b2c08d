//! The command line as the highest layer of settings, and as the place where the settings that hold are put.

use super::{Command, CommandLine, RunArgs};
use crate::failure::Failure;
use crate::log::LogArgs;
use crate::settings::{self, IoArg, Layer, Setting, Value};
use crate::size::Within;
use clap::ArgMatches;
use clap::parser::ValueSource;
use std::sync::Arc;

/// Puts what the layers below the flags say into the command line, where it says nothing itself.
///
/// # Errors
/// [`Failure::Usage`] that names file, line, variable or flag; [`Failure::Io`] if a file cannot be read.
pub(crate) fn settle(line: &mut CommandLine, matches: &ArgMatches) -> Result<(), Failure> {
    // A shell that starts asks for these wherever it is.
    if matches!(line.command, Command::Completions { .. }) {
        return Ok(());
    }
    let flags = flags(line, matches).map_err(Failure::Usage)?;
    let (values, layers) = settings::resolve(flags, line.settings.config.as_deref())?;
    for (setting, value) in &values {
        put(line, *setting, value);
    }
    if let Some(run) = line.command.run_mut() {
        run.layers = Arc::new(layers);
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
