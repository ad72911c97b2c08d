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
mod io;
mod key;
mod layers;
mod profiles;
mod rules;

pub(crate) use io::IoArg;
pub(crate) use key::{Setting, Value};
pub(crate) use layers::Layer;
pub use layers::{Chosen, Layers};
pub use rules::Rule;

use crate::failure::Failure;
use file::{FileSettings, Trust};
use layers::Entry;
use std::path::{Path, PathBuf};

/// The name of a settings file.
const FILE_NAME: &str = "plimsoll.toml";

/// What holds when the command line says `flags`: the values, with where each comes from. With `config` that file is
/// the only one.
///
/// # Errors
/// [`Failure::Usage`] that names file, line, variable or flag; [`Failure::Io`] if a file cannot be read.
pub(crate) fn resolve(
    flags: Layer,
    config: Option<&Path>,
) -> Result<(Vec<(Setting, Value)>, Layers), Failure> {
    let environment = environment::read(std::env::vars_os()).map_err(Failure::Usage)?;
    let files = files(config.or(environment.config.as_deref()))?;
    let mut stack = vec![flags, environment.layer];
    stack.extend(files.iter().map(|file| file.layer.clone()));
    insert_profile(&mut stack, &files)?;
    let mut values = Vec::with_capacity(Setting::ALL.len());
    let mut chosen = Vec::with_capacity(Setting::ALL.len());
    for setting in Setting::ALL {
        let top = stack.iter().find_map(|layer| Some((layer.kind, layer.find(setting)?)));
        chosen.push(match top {
            Some((kind, entry)) => {
                let Entry { value, from, .. } = entry;
                values.push((setting, value.clone()));
                Chosen { setting: setting.name(), value: value.to_string(), layer: kind, from: from.clone() }
            }
            None => {
                let value = setting.usual().to_owned();
                Chosen { setting: setting.name(), value, layer: "default", from: String::new() }
            }
        });
    }
    let rules = rules(&stack, files);
    Ok((values, Layers { chosen, rules }))
}

/// The settings files, the one that is heard first first.
fn files(config: Option<&Path>) -> Result<Vec<FileSettings>, Failure> {
    if let Some(path) = config {
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
