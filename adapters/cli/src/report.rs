//! Plans and receipts, for people and as JSON.

use crate::job::{Decision, JobPlan, PassPlan};
use crate::settings::{Chosen, Layers};
use crate::size::Bytes;
use plimsoll_core::pipeline::governor::{Cause, Pace};
use plimsoll_core::pipeline::plan::{Consumer, Place};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

/// What happened, beside what was planned.
#[derive(Clone, Debug, Default)]
pub struct Actual {
    /// The process's own peak, as the system reports it.
    pub peak_resident_bytes: Option<u64>,
    /// The peak of the heap, exact.
    pub peak_heap_bytes: u64,
    /// Inputs: path, length, bytes read.
    pub inputs: Vec<(String, u64, u64)>,
    /// Wall seconds from the first look at the input to the end.
    pub seconds: f64,
    /// Seconds in each source, stage and sink, over all workers and passes.
    pub stages: Vec<(String, f64)>,
    /// How often the pace was changed while running.
    pub adaptations: u32,
    /// These changes.
    pub decisions: Vec<Decision>,
}

/// A change of the pace.
pub(crate) fn decision_json(it: &Decision) -> Value {
    let pace = |pace: Pace| json!({ "workers": pace.workers, "strip_rows": pace.strip_rows });
    let because = |cause| match cause {
        Cause::Pressure => "tasks wait for memory",
        Cause::Scarcity => "little memory is available",
        Cause::Use => "the process is close to its budget",
        Cause::Calm => "memory is there again",
    };
    json!({
        "pass": it.pass,
        "rows": it.rows,
        "from": pace(it.from),
        "to": pace(it.to),
        "because": because(it.cause),
    })
}

/// A plan as JSON.
pub fn plan_json(plan: &JobPlan) -> Value {
    let dominant = plan.dominant();
    json!({
        "peak_bytes": plan.peak_bytes(),
        "heap_bytes": plan.heap_bytes(),
        "smallest_bytes": plan.smallest_bytes(),
        "budget_bytes": plan.budget.bytes,
        "budget_from": plan.budget.reason,
        "whole_image_bytes": plan.whole_image_bytes,
        "thrice_bytes": plan.thrice_bytes,
        "strip_rows": dominant.map(PassPlan::strip_rows),
        "workers": dominant.map(threads),
        "passes": plan.passes.len(),
        "pages": plan.pages,
        "reads_per_input_byte": reads(plan),
        "binding": dominant.map(|pass| pass.plan.binding.name()),
        "consumers": dominant.map(|pass| consumers_json(&pass.plan.consumers)),
        "pass_plans": plan.passes.iter().map(pass_json).collect::<Vec<_>>(),
        "settings": layers_json(&plan.layers),
    })
}

/// Every setting with the layer it comes from.
fn layers_json(layers: &Layers) -> Value {
    let entry = |chosen: &Chosen| {
        let Chosen { setting, value, layer, from } = chosen;
        json!({ "setting": setting, "value": value, "layer": layer, "from": from })
    };
    layers.chosen.iter().map(entry).collect()
}

fn pass_json(pass: &PassPlan) -> Value {
    json!({
        "purpose": pass.purpose,
        "peak_bytes": pass.plan.peak_bytes,
        "smallest_bytes": pass.plan.smallest_bytes,
        "strip_rows": pass.strip_rows(),
        "stages_before_seams": pass.prefix.map_or(0, |prefix| prefix.stages),
        "rows_behind_seams": pass.prefix.map(|_| pass.plan.strip_rows),
        "workers": pass.plan.workers,
        "compressors": pass.compressors,
        "reads_per_row": pass.plan.reads_per_row,
        "region_bytes": pass.region_bytes,
        "binding": pass.plan.binding.name(),
        "consumers": consumers_json(&pass.plan.consumers),
    })
}

fn consumers_json(consumers: &[Consumer]) -> Value {
    let entry = |consumer: &Consumer| json!({ "name": consumer.to_string(), "bytes": consumer.bytes, "place": place(consumer.place) });
    consumers.iter().map(entry).collect()
}

pub(crate) fn place(place: Place) -> &'static str {
    match place {
        Place::Arena => "arena",
        Place::Heap => "heap",
        Place::Process => "process",
    }
}

/// Threads that work in a pass.
fn threads(pass: &PassPlan) -> u32 {
    pass.plan.workers + pass.compressors
}

/// How often each needed input byte is read, over all passes.
fn reads(plan: &JobPlan) -> f32 {
    plan.passes.iter().map(|pass| pass.plan.reads_per_row).sum()
}

/// A plan for people.
pub fn plan_text(plan: &JobPlan) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "plan: peak {} of {} ({}); smallest that works {}; whole images would take {}, three times the source is {}",
        Bytes(plan.peak_bytes()),
        Bytes(plan.budget.bytes),
        plan.budget.reason,
        Bytes(plan.smallest_bytes()),
        Bytes(plan.whole_image_bytes),
        Bytes(plan.thrice_bytes),
    );
    let said: Vec<String> =
        plan.layers.said().map(|it| format!("{} {} ({})", it.setting, it.value, it.from)).collect();
    if !said.is_empty() {
        let _ = writeln!(text, "settings: {}", said.join(", "));
    }
    if plan.pages > 1 {
        let _ = writeln!(text, "{} pages, one after the other; the one that needs the most:", plan.pages);
    }
    for (number, pass) in plan.passes.iter().enumerate() {
        let compressors = match pass.compressors {
            0 => String::new(),
            n => format!(" + {n} compressing"),
        };
        let behind = match pass.prefix {
            Some(prefix) => format!(
                "{} and of {} rows behind the first {} stage(s), where workers meet",
                if prefix.by_columns { " of one column of tiles after the other" } else { "" },
                pass.plan.strip_rows,
                prefix.stages
            ),
            None => String::new(),
        };
        let _ = writeln!(
            text,
            "pass {} of {}: {}; strips of {} rows (limited by {}){behind}, {} worker(s){compressors}, each input row read {:.2} time(s)",
            number + 1,
            plan.passes.len(),
            pass.purpose,
            pass.strip_rows(),
            pass.plan.binding.name(),
            pass.plan.workers,
            pass.plan.reads_per_row,
        );
        if let Some(bytes) = pass.region_bytes {
            let _ =
                writeln!(text, "  of the input's pixels at most {bytes} bytes are read ({})", Bytes(bytes));
        }
        for consumer in &pass.plan.consumers {
            let _ = writeln!(
                text,
                "  {:36} {:>10} bytes  {:>10}  {}",
                consumer.to_string(),
                consumer.bytes,
                Bytes(consumer.bytes).to_string(),
                place(consumer.place)
            );
        }
        let _ = writeln!(
            text,
            "  {:36} {:>10} bytes  {:>10}",
            "in all",
            pass.plan.peak_bytes,
            Bytes(pass.plan.peak_bytes).to_string()
        );
    }
    text
}

/// A receipt as JSON: plan against what happened. `output` describes what was made.
pub fn receipt_json(command: &str, plan: &JobPlan, actual: &Actual, output: Value) -> Value {
    let inputs: Vec<Value> = actual
        .inputs
        .iter()
        .map(|(path, bytes, read)| json!({ "path": path, "bytes": bytes, "bytes_read": read }))
        .collect();
    let stages: Vec<Value> =
        actual.stages.iter().map(|(name, seconds)| json!({ "name": name, "seconds": seconds })).collect();
    json!({
        "plimsoll": env!("CARGO_PKG_VERSION"),
        "command": command,
        "plan": plan_json(plan),
        "actual": {
            "peak_resident_bytes": actual.peak_resident_bytes,
            "peak_heap_bytes": actual.peak_heap_bytes,
            "adaptations": actual.adaptations,
            "decisions": actual.decisions.iter().map(decision_json).collect::<Vec<Value>>(),
            "retries": plimsoll_os::retry::count(),
            "instructions": plimsoll_os::cpu::level(),
        },
        "input": inputs.first(),
        "inputs": inputs,
        "output": output,
        "seconds": { "total": actual.seconds, "stages": stages },
    })
}

/// A receipt for people.
pub fn receipt_text(plan: &JobPlan, actual: &Actual) -> String {
    let mut text = String::new();
    let resident = match actual.peak_resident_bytes {
        Some(bytes) => format!(
            "peak resident {} of {} planned and {} allowed",
            Bytes(bytes),
            Bytes(plan.peak_bytes()),
            Bytes(plan.budget.bytes)
        ),
        None => "peak resident: this system does not say".to_owned(),
    };
    let _ = writeln!(
        text,
        "receipt: {resident}; peak heap {} of {} planned",
        Bytes(actual.peak_heap_bytes),
        Bytes(plan.heap_bytes())
    );
    for (path, bytes, read) in &actual.inputs {
        let _ = writeln!(text, "  read {} of the {} of {path}", Bytes(*read), Bytes(*bytes));
    }
    let stages: Vec<String> =
        actual.stages.iter().map(|(name, seconds)| format!("{name} {seconds:.3}")).collect();
    let _ = writeln!(text, "  {:.3} seconds; over all workers: {}", actual.seconds, stages.join(", "));
    text
}

/// A path as the receipt shows it.
pub fn path_text(path: &Path) -> String {
    path.display().to_string()
}
