//! Plans of whole jobs: one for each pass, and what they come to.

use super::budget::Budgeted;
use super::columns::Columns;
use super::edge::line;
use super::prefix::Prefix;
use super::price::{PROGRAM, START_BYTES, START_HEAP_BYTES, process_needs};
use super::route::Route;
use super::seams::{behind, limits, meet};
use super::settings::{Io, Settings};
use crate::failure::Failure;
use crate::profile::{PROFILE_BYTES, STACK_BYTES as PROFILE_STACK_BYTES};
use crate::settings::Layers;
use plimsoll_core::pipeline::plan::{Consumer, Each, Place, START, WORTHWHILE_ROWS};
use plimsoll_core::pipeline::{Need, Plan, Refusal, Request, Stage, plan};
use plimsoll_core::shape::Shape;
use plimsoll_formats::Page;
use plimsoll_os::input::MAPPED_WINDOW_BYTES;
use plimsoll_os::memory::{Arena, return_free_blocks};
use std::sync::Arc;

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
    /// The stages before the seams between workers, if they meet behind some.
    pub prefix: Option<Prefix>,
    /// The most bytes of pixels that it reads, where it reads a part of them and that can be said.
    pub region_bytes: Option<u64>,
}

impl PassPlan {
    /// The most heap, the arena included.
    pub fn heap_bytes(&self) -> u64 {
        self.plan.bytes_in(Place::Heap) + self.plan.bytes_in(Place::Arena)
    }

    /// Source rows that a worker reads at once.
    pub fn strip_rows(&self) -> u32 {
        self.prefix.map_or(self.plan.strip_rows, |prefix| prefix.strip_rows)
    }

    /// How many times faster than one worker they all are if rows are all that counts.
    pub(super) fn speed(&self) -> f64 {
        let rows = || self.plan.bands.iter().map(|band| f64::from(band.reads.len()));
        rows().sum::<f64>() / rows().fold(1.0, f64::max)
    }

    /// The one arena of this pass: all its windows, states and buffers. What passes, pages and files before it held
    /// goes back first.
    pub(crate) fn arena(&self) -> Result<Arena, Failure> {
        return_free_blocks();
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
    /// Pages that become one file after each other: the passes are those of the one that needs the most.
    pub pages: u64,
    /// The most heap of any of these pages, arenas included.
    pub(crate) most_heap_bytes: u64,
    /// The smallest budget of all these pages, or of another way to do the same, if it is not that of the passes.
    pub(crate) smallest: Option<u64>,
    /// What the whole image would cost in memory as a program holds it that keeps source, result and one copy.
    pub whole_image_bytes: u64,
    /// Three times the source: the estimate by which some programs decide whether to work in parts.
    pub thrice_bytes: u64,
    /// Where its settings come from.
    pub layers: Arc<Layers>,
}

impl JobPlan {
    /// The plan of these passes over one page; a program that holds whole images would hold `beside` bytes, too.
    pub(super) fn new(
        budget: Budgeted,
        passes: Vec<PassPlan>,
        (source, beside): (Shape, u64),
        layers: &Arc<Layers>,
    ) -> Self {
        Self {
            budget,
            passes,
            pages: 1,
            most_heap_bytes: 0,
            smallest: None,
            whole_image_bytes: source.image_bytes().saturating_add(beside),
            thrice_bytes: source.image_bytes().saturating_mul(3),
            layers: Arc::clone(layers),
        }
    }

    /// The plan of work that reads headers and no pixels: it needs what every command takes to start.
    pub(crate) fn of_headers(budget: Budgeted, picture: Shape) -> Self {
        Self { smallest: Some(START_BYTES), ..Self::new(budget, Vec::new(), (picture, 0), &Arc::default()) }
    }

    /// The pass that needs the most; none where no pixels are read.
    pub fn dominant(&self) -> Option<&PassPlan> {
        self.passes.iter().max_by_key(|pass| pass.plan.peak_bytes)
    }

    /// The smallest budgets of its passes are those of `other`, which is a cut of the same work.
    pub(super) fn take_smallest(&mut self, other: &Self) {
        for (pass, other) in self.passes.iter_mut().zip(&other.passes) {
            pass.plan.smallest_bytes = other.plan.smallest_bytes;
        }
    }

    /// The peak of the whole job.
    pub fn peak_bytes(&self) -> u64 {
        self.dominant().map_or(START_BYTES, |pass| pass.plan.peak_bytes)
    }

    /// The smallest budget for which there is a plan.
    pub fn smallest_bytes(&self) -> u64 {
        let of_passes = || self.passes.iter().map(|pass| pass.plan.smallest_bytes).max().unwrap_or(0);
        self.smallest.unwrap_or_else(of_passes)
    }

    /// The peak beside what the process takes once, however many jobs it runs at the same time.
    pub fn beside_process_bytes(&self) -> u64 {
        let is_own = |consumer: &&Consumer| ![PROGRAM, START].contains(&consumer.role);
        let own = |pass: &PassPlan| pass.plan.consumers.iter().filter(is_own).map(|it| it.bytes).sum();
        self.passes.iter().map(own).max().unwrap_or(0)
    }

    /// The most heap, arenas included: that of the start, if the work needs less.
    pub fn heap_bytes(&self) -> u64 {
        let least = self.most_heap_bytes.max(START_HEAP_BYTES);
        self.passes.iter().map(PassPlan::heap_bytes).fold(least, u64::max)
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

/// Plans one pass. Where workers would share many source rows, they meet behind the stages that make them few.
///
/// # Errors
/// [`Refusal`] if it does not fit; the chain's own error as a [`Failure`].
pub(crate) fn plan_pass(
    request: &PassRequest<'_>,
    budget_bytes: u64,
    settings: &Settings,
) -> Result<Result<PassPlan, Refusal>, Failure> {
    let route = Route::new(None, request.page, request.stages)?;
    let most = settings.most_workers();
    let columns = columns(request, settings)?;
    let by_columns = |workers: u32, compressors: u32, budget_bytes: u64| match columns {
        Some(prefix) => behind(request, prefix, (workers, compressors), budget_bytes, settings),
        None => Ok(None),
    };
    let by_rows = |workers: u32, compressors: u32| {
        let limits = Limits {
            budget_bytes,
            io: settings.io,
            workers,
            compressors,
            strip_rows: settings.strip_rows,
            strip_pixels: settings.strip_pixels,
            profile: settings.profile,
        };
        attempt(request, &route, &limits)
    };
    // By columns is faster; by rows needs less where rows are short.
    let attempt = |workers: u32, compressors: u32| {
        let rows = by_rows(workers, compressors)?;
        let columns = match by_columns(workers, compressors, budget_bytes)? {
            None if workers > 1 => by_columns(1, compressors, budget_bytes)?,
            columns => columns,
        };
        Ok(match (rows, columns) {
            (Ok(mut rows), Some(mut columns)) => {
                let smallest = columns.plan.smallest_bytes.min(rows.plan.smallest_bytes);
                (rows.plan.smallest_bytes, columns.plan.smallest_bytes) = (smallest, smallest);
                let fast = columns.plan.workers >= rows.plan.workers && columns.speed() * 1.2 > rows.speed();
                Ok(if fast { columns } else { rows })
            }
            (Err(_), Some(columns)) => Ok(columns),
            (Ok(rows), None) => Ok(rows),
            // The price is that of the way that needs less.
            (Err(refusal), None) => match by_columns(1, compressors, refusal.required_bytes)? {
                Some(pass) => {
                    let required_bytes = pass.plan.smallest_bytes;
                    let smallest = by_columns(1, compressors, required_bytes)?.unwrap_or(pass);
                    let largest = smallest.plan.largest().unwrap_or(refusal.largest);
                    Err(Refusal { required_bytes, largest, ..refusal })
                }
                None => Err(refusal),
            },
        })
    };
    if !request.ordered {
        return match attempt(most, 0)? {
            Ok(whole) if whole.prefix.is_none() => meet(request, whole, budget_bytes, settings).map(Ok),
            planned => Ok(planned),
        };
    }
    // The smallest plan is the one without helpers; more of them are taken as long as the strips stay worth it.
    let alone = match attempt(1, 0)? {
        Ok(alone) => alone,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let helps = |compressors: &u32| (request.sink_needs)(*compressors) != (request.sink_needs)(0);
    for compressors in (1..most).rev().filter(helps) {
        if let Ok(mut pass) = attempt(1, compressors)?
            && pass.plan.strip_rows >= alone.plan.strip_rows.min(WORTHWHILE_ROWS)
        {
            pass.plan.smallest_bytes = alone.plan.smallest_bytes;
            return Ok(Ok(pass));
        }
    }
    Ok(Ok(alone))
}

/// How the first stage takes columns of blocks, where that suits it and the page.
fn columns(request: &PassRequest<'_>, settings: &Settings) -> Result<Option<Prefix>, Failure> {
    let [stage, _, ..] = request.stages else { return Ok(None) };
    if !Columns::suit(request.page, *stage) {
        return Ok(None);
    }
    let shape = request.page.facts().shape;
    let rows = limits(settings, shape.cols).map(|(rows, _)| rows).min().unwrap_or(u32::MAX);
    let region = stage.output(shape).map(|shape| shape.region());
    let columns = region.and_then(|region| Columns::new(request.page, *stage, region, rows));
    let columns = columns.map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(Some(Prefix { stages: 1, strip_rows: columns.rows(), by_columns: true }))
}

/// What a plan may use at most.
pub(super) struct Limits {
    pub(super) budget_bytes: u64,
    pub(super) io: Io,
    pub(super) workers: u32,
    pub(super) compressors: u32,
    pub(super) strip_rows: Option<u32>,
    pub(super) strip_pixels: Option<u64>,
    pub(super) profile: bool,
}

/// Plans one pass along one route.
pub(super) fn attempt(
    request: &PassRequest<'_>,
    route: &Route<'_>,
    limits: &Limits,
) -> Result<Result<PassPlan, Refusal>, Failure> {
    let (page, chain) = (route.page(), route.chain()?);
    let mut needs = process_needs();
    if limits.io == Io::Mmap {
        let bytes = MAPPED_WINDOW_BYTES * request.files;
        needs.push(Need::fixed("mapped window of the input", bytes, Each::Job, Place::Process));
    }
    if limits.profile {
        let stack = PROFILE_STACK_BYTES as u64;
        needs.push(Need::fixed("memory profile", PROFILE_BYTES, Each::Job, Place::Heap));
        needs.push(Need::fixed("memory profile's thread", stack, Each::Job, Place::Process));
    }
    needs.extend(page.needs(chain.input()));
    needs.extend((request.sink_needs)(limits.compressors));
    let planned = plan(&Request {
        chain: &chain,
        needs: &needs,
        budget_bytes: limits.budget_bytes,
        floor_bytes: START_BYTES,
        strip_rows: limits.strip_rows,
        strip_pixels: limits.strip_pixels,
        workers: limits.workers,
        unit_rows: page.facts().unit_rows,
    });
    let (purpose, compressors) = (request.purpose, limits.compressors);
    Ok(planned.map(|plan| PassPlan { purpose, plan, compressors, needs, prefix: None, region_bytes: None }))
}

/// The one line with which a job of one pass is refused.
pub(crate) fn refuse(refusal: &Refusal, budget: &Budgeted) -> Failure {
    Failure::Refused(line(Some(refusal.largest), refusal.required_bytes, 0, budget))
}
