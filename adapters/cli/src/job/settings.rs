//! What every job can be told beside its work.

use super::budget::Budgeted;
use super::edge::price;
use super::pages::{Input, PageName};
use super::plan::JobPlan;
use crate::failure::Failure;
use crate::settings::{Layers, Setting, Value};
use crate::size::Within;
use plimsoll_core::shape::Shape;
use std::sync::Arc;

pub use plimsoll_os::input::Io;

/// How a job may use the machine. Nothing in here changes the result.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The peak resident memory of the whole process; half of what there is if absent.
    pub within: Option<Within>,
    /// The most workers; one for each processor if absent.
    pub workers: Option<u32>,
    /// How inputs are read.
    pub io: Io,
    /// The most rows of a strip.
    pub strip_rows: Option<u32>,
    /// The most source pixels of a strip.
    pub strip_pixels: Option<u64>,
    /// Whether an existing output may be replaced.
    pub overwrite: bool,
    /// Whether an output is forced to the disk before it gets its name.
    pub sync: bool,
    /// Whether the pixels of the output are hashed, for the receipt.
    pub hash: bool,
    /// Whether a memory profile is drawn beside: it has its place in the plan.
    pub profile: bool,
    /// Where these come from, and the rules for large pictures.
    pub layers: Arc<Layers>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            within: None,
            workers: None,
            io: Io::Read,
            strip_rows: None,
            strip_pixels: None,
            overwrite: false,
            sync: true,
            hash: false,
            profile: false,
            layers: Arc::default(),
        }
    }
}

impl Settings {
    /// The most workers, as a number.
    pub fn most_workers(&self) -> u32 {
        let machine = || std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
        self.workers.unwrap_or_else(machine).max(1)
    }

    /// A refusal of a job with these settings says what all of it needs, whichever of its passes did not fit first.
    /// Other failures stay as they are.
    pub(crate) fn explain(
        &self,
        failure: Failure,
        input: &Input,
        page: PageName,
        plan: &dyn Fn(Self) -> Result<JobPlan, Failure>,
    ) -> Failure {
        let (Failure::Refused(_), Ok(page)) = (&failure, input.page(page)) else { return failure };
        let (_, budget) = self.for_picture(page.facts().shape, &Budgeted::resolve(self));
        let priced = price(&budget, 0, &|bytes| plan(self.within_bytes(bytes)));
        // What the planner said stands if no budget is enough.
        priced.map_or(failure, |(_, line)| Failure::Refused(line))
    }

    /// The same with another budget, whatever the rules for large pictures say of it.
    pub(crate) fn within_bytes(&self, bytes: u64) -> Self {
        let mut settings = Self { within: Some(Within::Bytes(bytes)), ..self.clone() };
        if settings.layers.rules.iter().any(|rule| rule.within.is_some()) {
            Arc::make_mut(&mut settings.layers).rules.iter_mut().for_each(|rule| rule.within = None);
        }
        settings
    }

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
