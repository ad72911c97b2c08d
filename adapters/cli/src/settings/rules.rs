//! Rules by size: what pictures of more than so many pixels are held to.

use super::key::{Setting, Value};
use crate::job::{Budgeted, Settings};
use crate::size::Within;
use plimsoll_core::shape::Shape;
use std::sync::Arc;

/// What pictures of more than `over_pixels` pixels are held to, beside what all are: the lower figure counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// Pictures with more pixels than this are meant; one with exactly as many is not.
    pub over_pixels: u64,
    /// The file that it stands in.
    pub from: String,
    /// Peak resident memory.
    pub within: Option<Within>,
    /// The most rows of a strip.
    pub strip_rows: Option<u32>,
    /// The most input pixels of a strip.
    pub strip_pixels: Option<u64>,
    /// The most workers.
    pub workers: Option<u32>,
}

impl Rule {
    /// What a rule can be about, beside `over_pixels`.
    pub(super) const SETTINGS: [Setting; 4] =
        [Setting::Within, Setting::StripPixels, Setting::StripRows, Setting::Workers];

    pub(super) fn set(&mut self, setting: Setting, value: &Value) {
        match (setting, value) {
            (Setting::Within, Value::Within(within)) => self.within = Some(*within),
            (Setting::StripPixels, Value::Count(pixels)) => self.strip_pixels = Some(*pixels),
            (Setting::StripRows, Value::Count(rows)) => self.strip_rows = u32::try_from(*rows).ok(),
            (Setting::Workers, Value::Count(workers)) => self.workers = u32::try_from(*workers).ok(),
            _ => {}
        }
    }

    /// Takes back what a higher layer decides.
    pub(super) fn unset(&mut self, setting: Setting) {
        match setting {
            Setting::Within => self.within = None,
            Setting::StripPixels => self.strip_pixels = None,
            Setting::StripRows => self.strip_rows = None,
            Setting::Workers => self.workers = None,
            _ => {}
        }
    }
}

impl Settings {
    /// The settings and the budget for a picture of this shape: of the rules for fewer pixels than it has, that for
    /// the most applies.
    pub(crate) fn for_picture(&self, source: Shape, budget: &Budgeted) -> (Self, Budgeted) {
        let pixels = u64::from(source.rows) * u64::from(source.cols);
        let rules = self.layers.rules.iter().filter(|rule| pixels > rule.over_pixels);
        let (mut settings, mut budget) = (self.clone(), budget.clone());
        let Some(rule) = rules.max_by_key(|rule| rule.over_pixels).cloned() else {
            return (settings, budget);
        };
        let from = format!("the rule of {} for more than {} pixels", rule.from, rule.over_pixels);
        let layers = Arc::make_mut(&mut settings.layers);
        if let Some(within) = rule.within {
            let own = Budgeted::resolve(&Self { within: Some(within), ..Self::default() });
            if own.bytes < budget.bytes {
                layers.overrule(Setting::Within.name(), Value::Within(within).to_string(), &from);
                budget = Budgeted { bytes: own.bytes, reason: from.clone() };
            }
        }
        let mut lower = |setting: Setting, mine: Option<u64>, rule: Option<u64>| {
            let Some(rule) = rule.filter(|rule| mine.is_none_or(|mine| *rule < mine)) else { return mine };
            layers.overrule(setting.name(), rule.to_string(), &from);
            Some(rule)
        };
        let narrow = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        settings.strip_pixels = lower(Setting::StripPixels, settings.strip_pixels, rule.strip_pixels);
        settings.strip_rows =
            lower(Setting::StripRows, settings.strip_rows.map(u64::from), rule.strip_rows.map(u64::from))
                .map(narrow);
        settings.workers =
            lower(Setting::Workers, settings.workers.map(u64::from), rule.workers.map(u64::from)).map(narrow);
        (settings, budget)
    }
}
