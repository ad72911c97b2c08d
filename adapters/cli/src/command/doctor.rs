//! `plimsoll doctor`: what a budget buys for one picture: the smallest that works, and what each doubling changes.
//! Reads headers only.

use super::args::DoctorArgs;
use super::session::{print, settings};
use crate::failure::Failure;
use crate::job::{ConvertJob, Input, JobPlan, PLENTY_BYTES, PassPlan, Request, by_ending, smallest};
use crate::report;
use crate::size::Bytes;
use plimsoll_core::pipeline::plan::Consumer;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::PathBuf;

/// The most budgets that are tried: the last is over a thousand times the smallest.
const MOST_DOUBLINGS: u32 = 12;

/// `plimsoll doctor`
pub(crate) fn doctor(args: &DoctorArgs) -> Result<(), Failure> {
    let input = Input::open(&args.input, args.run.io.into())?;
    let diagnosis = Patient::new(args, &input)?.diagnose()?;
    print(&match args.json {
        true => format!("{:#}\n", diagnosis.json(&input)?),
        false => diagnosis.text(&input, args)?,
    })
}

/// A picture, and what is to be done to it.
struct Patient<'a> {
    args: &'a DoctorArgs,
    input: &'a Input,
    /// Ending of the output that plans are made for.
    ending: &'a str,
}

/// What was found.
struct Diagnosis {
    /// Ending of the output that it was planned for.
    ending: String,
    /// The plan under the budget that the settings mean, or why there is none.
    given: Result<JobPlan, String>,
    /// Plans from the smallest budget upwards, each with twice the budget of the one before.
    steps: Vec<JobPlan>,
    facts: Value,
}

impl<'a> Patient<'a> {
    /// Plans are made for an output like the input if nothing else was asked for; for a TIFF, which holds everything,
    /// where the input's format is none that is written, or not with such samples.
    fn new(args: &'a DoctorArgs, input: &'a Input) -> Result<Self, Failure> {
        const HOLDS_ALL: &str = "tif";
        if let Some(ending) = &args.to {
            by_ending(ending, &format!("--to {ending}"))?;
        }
        let known = |ending: &&str| plimsoll_formats::by_extension(ending).is_some();
        let own = || args.input.extension().and_then(|ending| ending.to_str()).filter(known);
        let ending = args.to.as_deref().or_else(own).unwrap_or(HOLDS_ALL);
        let patient = Self { args, input, ending };
        let held = args.to.is_some() || !matches!(patient.plan(Some(PLENTY_BYTES)), Err(Failure::Usage(_)));
        Ok(if held { patient } else { Self { ending: HOLDS_ALL, ..patient } })
    }

    fn diagnose(&self) -> Result<Diagnosis, Failure> {
        let given = match self.plan(None) {
            Ok(plan) => Ok(plan),
            Err(Failure::Refused(line)) => Err(line),
            Err(failure) => return Err(failure),
        };
        let smallest = smallest(&|bytes| self.plan(Some(bytes)))?;
        let mut steps = Vec::new();
        let mut bytes = smallest;
        for _ in 0..MOST_DOUBLINGS {
            let plan = self.plan(Some(bytes))?;
            let unchanged = steps.last().is_some_and(|last| same(last, &plan));
            steps.push(plan);
            // What the last doubling did not change, no further one will.
            if unchanged && self.is_best(steps.last())? {
                break;
            }
            bytes = bytes.saturating_mul(2);
        }
        let page = self.input.page(self.args.page)?;
        let facts = page.facts();
        let facts = json!({
            "page": self.args.page.to_string(),
            "rows": facts.shape.rows,
            "cols": facts.shape.cols,
            "bands": facts.shape.bands,
            "kind": facts.shape.kind.name(),
            "image_bytes": facts.shape.image_bytes(),
            "compression": facts.compression,
            "colour": facts.colour,
            "unit_rows": facts.unit_rows,
        });
        Ok(Diagnosis { ending: self.ending.to_owned(), given, steps, facts })
    }

    /// The plan within a budget that is tried, or the one that the settings mean. Nothing is written, so it does not
    /// matter what the output's name is beside its ending.
    fn plan(&self, tried: Option<u64>) -> Result<JobPlan, Failure> {
        let args = self.args;
        let wanted = args.store.into();
        let output = PathBuf::from(format!("doctor.{}", self.ending));
        let steps = args.steps.clone();
        let request = Request { steps, output, wanted, format: None, metadata: true, upright: false };
        let mut settings = settings(&args.run, None);
        settings.overwrite = true;
        if let Some(bytes) = tried {
            settings = settings.within_bytes(bytes);
        }
        Ok(ConvertJob::plan_request(self.input, args.page, request, settings)?.job_plan().clone())
    }

    /// Whether all the memory in the world would change nothing.
    fn is_best(&self, plan: Option<&JobPlan>) -> Result<bool, Failure> {
        let plenty = self.plan(Some(PLENTY_BYTES))?;
        Ok(plan.is_some_and(|plan| same(plan, &plenty)))
    }
}

/// Whether two plans do the same in the same memory.
fn same(one: &JobPlan, other: &JobPlan) -> bool {
    let figures = |plan: &JobPlan| {
        let pass = |pass: &PassPlan| (pass.strip_rows(), pass.plan.workers, pass.compressors, pass.purpose);
        (plan.peak_bytes(), plan.passes.iter().map(pass).collect::<Vec<_>>())
    };
    figures(one) == figures(other)
}

/// The consumer that holds the most in the pass that needs the most.
fn dominant(plan: &JobPlan) -> Option<Consumer> {
    plan.dominant().and_then(|pass| pass.plan.largest())
}

impl Diagnosis {
    fn smallest(&self) -> Result<&JobPlan, Failure> {
        self.steps.first().ok_or_else(|| Failure::Usage("nothing was planned".to_owned()))
    }

    fn json(&self, input: &Input) -> Result<Value, Failure> {
        let smallest = self.smallest()?;
        let consumer =
            |plan: &JobPlan| dominant(plan).map(|it| json!({ "name": it.to_string(), "bytes": it.bytes }));
        let step = |plan: &JobPlan| {
            let pass = plan.dominant();
            json!({
                "budget_bytes": plan.budget.bytes,
                "peak_bytes": plan.peak_bytes(),
                "passes": plan.passes.len(),
                "strip_rows": pass.map(PassPlan::strip_rows),
                "workers": pass.map(|pass| pass.plan.workers + pass.compressors),
                "limited_by": pass.map(|pass| pass.plan.binding.name()),
                "purpose": plan.passes.last().map(|pass| pass.purpose),
                "dominant": consumer(plan),
            })
        };
        let given = match &self.given {
            Ok(plan) => json!({ "plan": step(plan), "budget_from": plan.budget.reason }),
            Err(line) => json!({ "refused": line }),
        };
        Ok(json!({
            "path": report::path_text(input.path()),
            "format": input.format(),
            "bytes": input.bytes(),
            "header": self.facts,
            "planned_as": self.ending,
            "smallest_bytes": smallest.budget.bytes,
            "dominant": consumer(smallest),
            "whole_image_bytes": smallest.whole_image_bytes,
            "thrice_bytes": smallest.thrice_bytes,
            "given": given,
            "doublings": self.steps.iter().map(step).collect::<Vec<_>>(),
        }))
    }

    fn text(&self, input: &Input, args: &DoctorArgs) -> Result<String, Failure> {
        let smallest = self.smallest()?;
        let mut text = String::new();
        let page = input.page(args.page)?;
        let facts = page.facts();
        let _ = writeln!(
            text,
            "{}: {}, page {}: {} ({}), {} of samples, compression {}, {} row(s) in a unit of the file",
            input.path().display(),
            input.format(),
            args.page,
            facts.shape,
            facts.colour,
            Bytes(facts.shape.image_bytes()),
            facts.compression,
            facts.unit_rows,
        );
        let _ = writeln!(
            text,
            "smallest budget that works (writing {}): {} ({} bytes); whole images would take {}, three times the source is {}",
            self.ending,
            Bytes(smallest.budget.bytes),
            smallest.budget.bytes,
            Bytes(smallest.whole_image_bytes),
            Bytes(smallest.thrice_bytes),
        );
        if let Some(consumer) = dominant(smallest) {
            let _ = writeln!(text, "what dominates it: {consumer}, {}", Bytes(consumer.bytes));
        }
        match &self.given {
            Ok(plan) => {
                let _ = writeln!(
                    text,
                    "the budget given: {} ({}): {}",
                    Bytes(plan.budget.bytes),
                    plan.budget.reason,
                    bought(plan)
                );
            }
            Err(line) => {
                let _ = writeln!(text, "the budget given: {line}");
            }
        }
        let _ = writeln!(text, "what each doubling buys:");
        let mut last = None;
        for plan in &self.steps {
            let words = match last.is_some_and(|last| same(last, plan)) {
                true => "nothing more".to_owned(),
                false => bought(plan),
            };
            let _ = writeln!(text, "  {:>10}  {words}", Bytes(plan.budget.bytes).to_string());
            last = Some(plan);
        }
        Ok(text)
    }
}

/// What a budget buys.
fn bought(plan: &JobPlan) -> String {
    let Some(pass) = plan.dominant() else { return String::new() };
    let dominant =
        dominant(plan).map_or_else(String::new, |it| format!("; most in {it}, {}", Bytes(it.bytes)));
    format!(
        "peak {}, {} pass(es), strips of {} rows (limited by {}), {} worker(s){dominant}",
        Bytes(plan.peak_bytes()),
        plan.passes.len(),
        pass.strip_rows(),
        pass.plan.binding.name(),
        pass.plan.workers + pass.compressors,
    )
}
