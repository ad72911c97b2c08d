//! Layers of settings: which says what, and which is heard.

use super::key::{Setting, Value};
use super::rules::Rule;

/// What one place says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    pub(crate) kind: &'static str,
    pub(crate) entries: Vec<Entry>,
}

/// One setting in a layer.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) setting: Setting,
    pub(crate) value: Value,
    /// The place by name: a flag, a variable, a file, a profile.
    pub(crate) from: String,
}

impl Layer {
    pub(crate) fn find(&self, setting: Setting) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.setting == setting)
    }

    /// Adds a setting.
    ///
    /// # Errors
    /// It is there already, under this name or its other one.
    pub(crate) fn add(&mut self, setting: Setting, value: Value, from: String) -> Result<(), String> {
        if let Some(other) = self.find(setting) {
            let (other, name) = (&other.value, setting.name());
            return Err(format!("{name} is set twice, to {other} and to {value}"));
        }
        self.entries.push(Entry { setting, value, from });
        Ok(())
    }
}

/// A setting as a job uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its name in `plimsoll.toml`.
    pub setting: &'static str,
    /// Its value; in words where no layer says anything.
    pub value: String,
    /// The kind of layer that it comes from: flag, environment, profile, file, rule or default.
    pub layer: &'static str,
    /// The flag, variable, profile or file by name; empty for defaults.
    pub from: String,
}

/// Where a job's settings come from, and the rules for pictures of some size. Empty for programs that set them
/// themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layers {
    /// Every setting.
    pub chosen: Vec<Chosen>,
    /// What large pictures are held to beside them.
    pub rules: Vec<Rule>,
}

impl Layers {
    /// The place that a setting comes from, if one says something.
    pub fn place_of(&self, setting: &str) -> Option<&str> {
        let chosen = self.chosen.iter().find(|chosen| chosen.setting == setting)?;
        (!chosen.from.is_empty()).then_some(chosen.from.as_str())
    }

    /// The settings of which some layer says something.
    pub fn said(&self) -> impl Iterator<Item = &Chosen> {
        self.chosen.iter().filter(|chosen| !chosen.from.is_empty())
    }

    /// Notes that a rule decides on a setting.
    pub(crate) fn overrule(&mut self, setting: &'static str, value: String, from: &str) {
        if let Some(chosen) = self.chosen.iter_mut().find(|chosen| chosen.setting == setting) {
            *chosen = Chosen { setting, value, layer: "rule", from: from.to_owned() };
        }
    }
}
