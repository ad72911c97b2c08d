//! Decides before the first byte of input is read: strip rows, workers and the exact bytes of every consumer.
//!
//! A pure function of shapes, settings and the budget. More is never worse: among the cuts that fit it takes the most
//! workers whose strips are still worth their while, then the highest strips up to the height beyond which nothing
//! gets faster.

use super::bands::{Bands, bands, seam_bytes};
use super::chain::{Chain, MAX_STAGES};
use crate::budget::Layout;

/// Windows of one worker beyond this many bytes in all do not make a job faster: they leave the processor's cache.
pub const USEFUL_WINDOW_BYTES: u64 = 1536 << 10;

/// A second worker is worth having if each still gets strips of so many rows.
pub const WORTHWHILE_ROWS: u32 = 4;

/// The consumer that stands for what the process held before the work, where the work itself needs less.
pub const START: &str = "start of the process";

/// The most entries of a plan's list of consumers.
pub const MAX_CONSUMERS: usize = 3 * MAX_STAGES + 16;

/// Who holds the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Place {
    /// The arena of a worker.
    Arena,
    /// The heap: codec states, queues, file tables.
    Heap,
    /// The process itself: program, libraries, stacks.
    Process,
}

/// How often a need arises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Each {
    /// Once in a job.
    Job,
    /// Once for each worker.
    Worker,
}

/// Memory that a source, a sink or the process needs beside the windows: `bytes + per_strip_row * strip rows`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Need {
    /// Who needs it.
    pub consumer: &'static str,
    /// Whatever the strips' height.
    pub bytes: u64,
    /// For each row of a strip.
    pub per_strip_row: u64,
    /// How often.
    pub each: Each,
    /// Where.
    pub place: Place,
}

impl Need {
    /// A need that does not depend on the strips.
    pub const fn fixed(consumer: &'static str, bytes: u64, each: Each, place: Place) -> Self {
        Self { consumer, bytes, per_strip_row: 0, each, place }
    }

    /// Bytes of one of it; whole lines where it is leased from an arena.
    pub const fn one(&self, strip_rows: u32) -> u64 {
        let bytes = self.bytes.saturating_add(self.per_strip_row.saturating_mul(strip_rows as u64));
        match self.place {
            Place::Arena => Layout::new().with::<u8>(bytes).bytes(),
            Place::Heap | Place::Process => bytes,
        }
    }

    fn total(&self, strip_rows: u32, workers: u32) -> u64 {
        match self.each {
            Each::Job => self.one(strip_rows),
            Each::Worker => self.one(strip_rows).saturating_mul(u64::from(workers)),
        }
    }
}

/// What is to be planned.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The chain, laid out for what is wanted of its output.
    pub chain: &'a Chain<'a>,
    /// What source, sink and process need beside the windows.
    pub needs: &'a [Need],
    /// What there is, in bytes.
    pub budget_bytes: u64,
    /// What the process has held at its peak before the work begins, in bytes, and given back: no peak is lower.
    pub floor_bytes: u64,
    /// The most rows of a strip, if the caller names one.
    pub strip_rows: Option<u32>,
    /// The most source pixels of a strip, if the caller names one.
    pub strip_pixels: Option<u64>,
    /// The most workers.
    pub workers: u32,
    /// The source decodes units of so many rows from their start (1: any row alone).
    pub unit_rows: u32,
}

/// What decided the height of the strips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Binding {
    /// The budget: more would have been faster.
    Budget,
    /// The caller's strip rows.
    StripRows,
    /// The caller's strip pixels.
    StripPixels,
    /// Nothing: higher strips would not be faster.
    Speed,
    /// The image has no more rows.
    Image,
}

impl Binding {
    /// One word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::StripRows => "strip-rows",
            Self::StripPixels => "strip-pixels",
            Self::Speed => "speed",
            Self::Image => "image",
        }
    }
}

/// One line of a plan: who holds how much at the peak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Consumer {
    /// What it is: `window`, `state`, or the name that a [`Need`] gave.
    pub role: &'static str,
    /// The stage it belongs to: its name and its place in the chain from 1; the sink's window has none.
    pub stage: Option<(&'static str, u8)>,
    /// Bytes, over all workers.
    pub bytes: u64,
    /// Where they are.
    pub place: Place,
}

impl core::fmt::Display for Consumer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.stage {
            Some((stage, number)) => write!(f, "{} of {stage} ({number})", self.role),
            None => f.write_str(self.role),
        }
    }
}

/// The decision: everything a run will use, in bytes.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Rows read at once by each worker.
    pub strip_rows: u32,
    /// Workers; each has the band of the same number.
    pub workers: u32,
    /// What each worker does.
    pub bands: Bands,
    /// Everything, summed: the peak.
    pub peak_bytes: u64,
    /// The smallest budget for which there is a plan.
    pub smallest_bytes: u64,
    /// What decided the strips' height.
    pub binding: Binding,
    /// Source rows read, over the rows that are needed: 1.0 means each is read once.
    pub reads_per_row: f32,
    /// Every consumer.
    pub consumers: heapless::Vec<Consumer, MAX_CONSUMERS>,
}

impl Plan {
    /// Bytes of the consumers in one place.
    pub fn bytes_in(&self, place: Place) -> u64 {
        self.consumers.iter().filter(|consumer| consumer.place == place).map(|consumer| consumer.bytes).sum()
    }

    /// The largest consumer.
    pub fn largest(&self) -> Option<Consumer> {
        self.consumers.iter().copied().max_by_key(|consumer| consumer.bytes)
    }
}

/// No plan fits the budget: who needs how much, and what would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Refusal {
    /// The smallest budget that works, in bytes.
    pub required_bytes: u64,
    /// What was given, in bytes.
    pub given_bytes: u64,
    /// The largest consumer of the smallest plan.
    pub largest: Consumer,
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "{} bytes are {} short of the smallest plan ({} bytes; largest consumer: {}, {} bytes)",
            self.given_bytes,
            self.required_bytes.saturating_sub(self.given_bytes),
            self.required_bytes,
            self.largest,
            self.largest.bytes
        )
    }
}

impl core::error::Error for Refusal {}

/// One way to cut the work.
struct Cut<'r, 'a> {
    request: &'r Request<'a>,
    bands: Bands,
}

impl Cut<'_, '_> {
    fn workers(&self) -> u32 {
        self.bands.len() as u32
    }

    fn peak(&self, strip_rows: u32) -> u64 {
        self.sum(strip_rows).max(self.request.floor_bytes)
    }

    fn sum(&self, strip_rows: u32) -> u64 {
        let arenas = self.request.chain.bytes(strip_rows).saturating_mul(u64::from(self.workers()));
        let needs = self.request.needs.iter().map(|need| need.total(strip_rows, self.workers()));
        needs.fold(arenas, u64::saturating_add).saturating_add(seam_bytes(&self.bands, self.request.chain))
    }

    /// The highest strip of `1..=most` rows that fits, if any does. The peak never falls as strips grow.
    fn highest(&self, most: u32) -> Option<u32> {
        let fits = |rows: u32| self.peak(rows) <= self.request.budget_bytes;
        if !fits(1) {
            return None;
        }
        let (mut low, mut high) = (1, most.max(1));
        while low < high {
            let rows = high - (high - low) / 2;
            if fits(rows) {
                low = rows;
            } else {
                high = rows - 1;
            }
        }
        Some(low)
    }
}

/// The most rows that a strip may and should have, and why.
fn wanted_rows(request: &Request<'_>) -> (u32, Binding) {
    let chain = request.chain;
    let row: u64 =
        (0..chain.windows()).map(|index| chain.window_row_bytes(index)).fold(0, u64::saturating_add);
    let image = chain.input().rows.len().max(1);
    let useful = (USEFUL_WINDOW_BYTES / row.max(1)).clamp(8, 1024) as u32;
    let pixels = request.strip_pixels.map(|pixels| {
        let rows = pixels / u64::from(chain.source().cols.max(1));
        (rows.clamp(1, u64::from(u32::MAX)) as u32, Binding::StripPixels)
    });
    let rows = request.strip_rows.map(|rows| (rows.max(1), Binding::StripRows));
    let limits = [Some((image, Binding::Image)), rows, pixels, Some((useful, Binding::Speed))];
    limits.into_iter().flatten().min_by_key(|(rows, _)| *rows).unwrap_or((1, Binding::Image))
}

/// Plans one pass.
///
/// Costs no memory beyond its result and time in proportion to the stages and workers, not to the image.
///
/// # Errors
/// [`Refusal`] if not even one worker with strips of one row fits.
pub fn plan(request: &Request<'_>) -> Result<Plan, Refusal> {
    let cut = |workers: u32| Cut { request, bands: bands(request.chain, workers, request.unit_rows) };
    let (most, reason) = wanted_rows(request);
    let smallest = cut(1);
    let required = smallest.peak(1);
    let mut workers = request.workers.max(1);
    let (chosen, rows) = loop {
        let candidate = cut(workers);
        match candidate.highest(most) {
            Some(rows) if rows >= most.min(WORTHWHILE_ROWS) || candidate.workers() <= 1 => {
                break (candidate, rows);
            }
            _ if candidate.workers() > 1 => workers = candidate.workers() - 1,
            _ => {
                let consumers = consumers(&smallest, 1);
                let largest = consumers.iter().copied().max_by_key(|consumer| consumer.bytes);
                let nothing = Consumer { role: "nothing", stage: None, bytes: 0, place: Place::Process };
                return Err(Refusal {
                    required_bytes: required,
                    given_bytes: request.budget_bytes,
                    largest: largest.unwrap_or(nothing),
                });
            }
        }
    };
    let needed = u64::from(request.chain.input().rows.len());
    let read: u64 = chosen.bands.iter().map(|band| u64::from(band.reads.len())).sum();
    Ok(Plan {
        strip_rows: rows,
        workers: chosen.workers(),
        peak_bytes: chosen.peak(rows),
        smallest_bytes: required,
        binding: if rows < most { Binding::Budget } else { reason },
        reads_per_row: if needed == 0 { 0.0 } else { read as f32 / needed as f32 },
        consumers: consumers(&chosen, rows),
        bands: chosen.bands,
    })
}

/// Every consumer of one cut. Those of no bytes are left out.
fn consumers(cut: &Cut<'_, '_>, strip_rows: u32) -> heapless::Vec<Consumer, MAX_CONSUMERS> {
    let chain = cut.request.chain;
    let workers = u64::from(cut.workers());
    let mut list = heapless::Vec::new();
    let mut add = |role, stage, bytes: u64, place| {
        if bytes > 0 {
            // Sized for MAX_STAGES; a caller with very many needs would see the last ones only in the sum.
            let _ = list.push(Consumer { role, stage, bytes, place });
        }
    };
    for need in cut.request.needs {
        add(need.consumer, None, need.total(strip_rows, cut.workers()), need.place);
    }
    // What was held before and is not needed while the work runs counts where the work itself needs less.
    let before = cut.request.floor_bytes.saturating_sub(cut.sum(strip_rows));
    add(START, None, before, Place::Process);
    add("seams between workers", None, seam_bytes(&cut.bands, chain), Place::Arena);
    for (index, stage) in chain.stages().iter().enumerate() {
        let owner = Some((stage.name(), index as u8 + 1));
        add("window", owner, chain.window_bytes(index, strip_rows).saturating_mul(workers), Place::Arena);
        add("state", owner, chain.stage_bytes(index).saturating_mul(workers), Place::Arena);
    }
    let last = chain.windows() - 1;
    add(
        "window of the output",
        None,
        chain.window_bytes(last, strip_rows).saturating_mul(workers),
        Place::Arena,
    );
    list
}
