//! Plans of whole jobs: one for each pass, and what they come to.

use super::budget::Budgeted;
use super::price::{START_BYTES, process_needs};
use super::settings::{Io, Settings};
use crate::failure::Failure;
use crate::size::Bytes;
use plimsoll_core::pipeline::plan::{Each, Place, WORTHWHILE_ROWS};
use plimsoll_core::pipeline::{Chain, Need, Plan, Refusal, Request, Stage, plan};
use plimsoll_formats::Page;
use plimsoll_os::input::MAPPED_WINDOW_BYTES;
use plimsoll_os::memory::Arena;

/// One pass over the input.
#[derive(Clone, Debug)]
pub struct PassPlan {
    /// What it is for.
    pub purpose: &'static str,
    /// Its plan.
    pub plan: Plan,
    /// Threads that compress beside the workers.
    pub compressors: u32,
    /// What process, source and sink need, as it was planned with.
    pub needs: Vec<Need>,
}

impl PassPlan {
    /// The most heap, the arena included.
    pub fn heap_bytes(&self) -> u64 {
        self.plan.bytes_in(Place::Heap) + self.plan.bytes_in(Place::Arena)
    }

    /// The one arena of this pass: all its windows, states and buffers.
    pub(crate) fn arena(&self) -> Result<Arena, Failure> {
        let bytes = usize::try_from(self.plan.bytes_in(Place::Arena)).unwrap_or(usize::MAX);
        Arena::new(bytes).map_err(|exhausted| Failure::Refused(exhausted.to_string()))
    }
}

/// The plan of a job.
#[derive(Clone, Debug)]
pub struct JobPlan {
    /// The budget it was made for.
    pub budget: Budgeted,
    /// Its passes over the input, in order.
    pub passes: Vec<PassPlan>,
    /// What the whole image would cost in memory as a program holds it that keeps source, result and one copy.
    pub whole_image_bytes: u64,
}

impl JobPlan {
    /// The pass that needs the most.
    pub fn dominant(&self) -> Option<&PassPlan> {
        self.passes.iter().max_by_key(|pass| pass.plan.peak_bytes)
    }

    /// The peak of the whole job.
    pub fn peak_bytes(&self) -> u64 {
        self.dominant().map_or(0, |pass| pass.plan.peak_bytes)
    }

    /// The smallest budget for which there is a plan.
    pub fn smallest_bytes(&self) -> u64 {
        self.passes.iter().map(|pass| pass.plan.smallest_bytes).max().unwrap_or(0)
    }

    /// The most heap, arenas included.
    pub fn heap_bytes(&self) -> u64 {
        self.passes.iter().map(PassPlan::heap_bytes).max().unwrap_or(0)
    }
}

/// What one pass looks at and must hold beside its windows.
pub(crate) struct PassRequest<'a> {
    pub purpose: &'static str,
    pub stages: &'a [&'a dyn Stage],
    pub page: &'a dyn Page,
    /// Input files behind the page.
    pub files: u64,
    /// Needs of the sink, given the number of compressing threads beside the one that computes.
    pub sink_needs: &'a dyn Fn(u32) -> Vec<Need>,
    /// Rows must come in order through one sink: more workers help by compressing.
    pub ordered: bool,
}

/// Plans one pass.
///
/// # Errors
/// [`Refusal`] if it does not fit; the chain's own error as a [`Failure`].
pub(crate) fn plan_pass(
    request: &PassRequest<'_>,
    budget_bytes: u64,
    settings: &Settings,
) -> Result<Result<PassPlan, Refusal>, Failure> {
    let shape = request.page.facts().shape;
    let chain = Chain::new(request.stages, shape).map_err(|error| Failure::Usage(error.to_string()))?;
    let most = settings.most_workers();
    let attempt = |workers: u32, compressors: u32| {
        let mut needs = process_needs();
        if settings.io == Io::Mmap {
            let bytes = MAPPED_WINDOW_BYTES * request.files;
            needs.push(Need::fixed("mapped window of the input", bytes, Each::Job, Place::Process));
        }
        needs.extend(request.page.needs(chain.input()));
        needs.extend((request.sink_needs)(compressors));
        let planned = plan(&Request {
            chain: &chain,
            needs: &needs,
            budget_bytes,
            floor_bytes: START_BYTES,
            strip_rows: settings.strip_rows,
            strip_pixels: settings.strip_pixels,
            workers,
            unit_rows: request.page.facts().unit_rows,
        });
        planned.map(|plan| PassPlan { purpose: request.purpose, plan, compressors, needs })
    };
    if !request.ordered {
        return Ok(attempt(most, 0));
    }
    // The smallest plan is the one without helpers; more of them are taken as long as the strips stay worth it.
    let alone = match attempt(1, 0) {
        Ok(alone) => alone,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let helps = |compressors: &u32| (request.sink_needs)(*compressors) != (request.sink_needs)(0);
    for compressors in (1..most).rev().filter(helps) {
        if let Ok(mut pass) = attempt(1, compressors)
            && pass.plan.strip_rows >= alone.plan.strip_rows.min(WORTHWHILE_ROWS)
        {
            pass.plan.smallest_bytes = alone.plan.smallest_bytes;
            return Ok(Ok(pass));
        }
    }
    Ok(Ok(alone))
}

/// Makes the one line with which a job is refused: who needs how much, what was given, and what works.
pub(crate) fn refuse(refusal: &Refusal, budget: &Budgeted) -> Failure {
    let needed = refusal.required_bytes;
    let line = format!(
        "does not fit: {} needs {} ({} bytes), the smallest plan is {} ({needed} bytes) and the budget is {} \
         ({} bytes, from {}): {} bytes are missing. The cheapest change that works: --within {needed}B",
        refusal.largest,
        Bytes(refusal.largest.bytes),
        refusal.largest.bytes,
        Bytes(needed),
        Bytes(refusal.given_bytes),
        refusal.given_bytes,
        budget.reason,
        needed.saturating_sub(refusal.given_bytes),
    );
    Failure::Refused(line)
}
