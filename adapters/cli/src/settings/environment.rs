//! Settings in the environment: `PLIMSOLL_WITHIN=16MiB`.

use super::key::{self, NAMES};
use super::layers::Layer;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What the variables of ours begin with.
const PREFIX: &str = "PLIMSOLL_";

/// Names the settings file.
const CONFIG: &str = "PLIMSOLL_CONFIG";

/// Variables of the project's own tests: no settings.
const OTHERS: [&str; 2] = ["PLIMSOLL_CORPUS", "PLIMSOLL_GOLDEN"];

/// What the environment says.
pub(super) struct Environment {
    pub(super) layer: Layer,
    pub(super) config: Option<PathBuf>,
}

/// Reads the variables of ours among `variables`; empty ones say nothing.
///
/// # Errors
/// One line that names the variable.
pub(super) fn read(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Environment, String> {
    let mut layer = Layer { kind: "environment", entries: Vec::new() };
    let mut config = None;
    for (variable, value) in variables {
        let Some(variable) = variable.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
        if value.is_empty() || OTHERS.contains(&variable) {
            continue;
        }
        if variable == CONFIG {
            config = Some(PathBuf::from(value));
            continue;
        }
        let in_capitals: Vec<String> =
            NAMES.iter().map(|(name, _)| format!("{PREFIX}{}", name.to_ascii_uppercase())).collect();
        let known = || in_capitals.iter().map(String::as_str).chain([CONFIG]);
        if !known().any(|name| name == variable) {
            return Err(key::unknown(variable, "setting", known()));
        }
        let Some(text) = value.to_str() else { return Err(format!("{variable}: it is no UTF-8")) };
        let name = variable.trim_start_matches(PREFIX).to_ascii_lowercase();
        let (setting, value) =
            key::read(&name, text, Path::new("")).map_err(|wrong| format!("{variable}: {wrong}"))?;
        layer.add(setting, value, variable.to_owned()).map_err(|wrong| format!("{variable}: {wrong}"))?;
    }
    Ok(Environment { layer, config })
}
