//! Where the workers of a pass meet: at the source, or behind the stages that make the rows they share few.
//!
//! Nothing here changes the result, nor how often a row is read.

use super::plan::{Limits, PassPlan, PassRequest, attempt};
use super::prefix::{self, Prefix};
use super::route::Route;
use super::settings::Settings;
use crate::failure::Failure;
use plimsoll_core::pipeline::bands::{bands, seam_bytes};
use plimsoll_core::pipeline::plan::Binding;
use plimsoll_core::pipeline::{Chain, Plan};

/// Bytes of a worker's windows before the seams, from the fastest to what fits where less is left. More than the first
/// were not found to be faster.
const PREFIX_WINDOW_BYTES: [u64; 2] = [192 << 10, 64 << 10];

/// Rows read at once behind the seams, where they are few and cheap.
const BEHIND_SEAMS_ROWS: u32 = 8;

/// The better of `whole`, where workers meet at the source, and of plans where they meet behind some stages.
///
/// # Errors
/// The chain's own as a [`Failure`].
pub(super) fn meet(
    request: &PassRequest<'_>,
    whole: PassPlan,
    budget_bytes: u64,
    settings: &Settings,
) -> Result<PassPlan, Failure> {
    let mut best: Option<PassPlan> = None;
    for prefix in prefixes(request, settings)? {
        if let Some(pass) = behind(request, prefix, (settings.most_workers(), 0), budget_bytes, settings)?
            && best.as_ref().map_or(1, |best| best.plan.workers) < pass.plan.workers
        {
            best = Some(pass);
        }
    }
    // Behind stages there may be few places where the source has a unit's start.
    let Some(mut best) = best.filter(|best| best.speed() * 1.2 > whole.speed()) else { return Ok(whole) };
    best.plan.smallest_bytes = whole.plan.smallest_bytes;
    Ok(best)
}

/// The ways to make some stages part of the source, the fastest one first; none where workers share no source rows.
fn prefixes(request: &PassRequest<'_>, settings: &Settings) -> Result<Vec<Prefix>, Failure> {
    let facts = request.page.facts();
    let chain = Route::new(None, request.page, request.stages)?.chain()?;
    let most = settings.most_workers();
    let apart = bands(&chain, most, facts.unit_rows);
    if most <= 1 || apart.len() as u32 == most && seam_bytes(&apart, &chain) == 0 {
        return Ok(Vec::new());
    }
    let Some(stages) = prefix::longest(&chain) else { return Ok(Vec::new()) };
    let first = chain.stages().get(..stages).unwrap_or_default();
    let first = Chain::new(first, facts.shape).map_err(|error| Failure::Usage(error.to_string()))?;
    let rows = limits(settings, facts.shape.cols).map(|(rows, _)| rows).min().unwrap_or(u32::MAX);
    let most = rows.min(facts.shape.rows);
    let of = |bytes: u64| Prefix {
        stages,
        strip_rows: prefix::strip_rows(&first, bytes, most),
        by_columns: false,
    };
    Ok(PREFIX_WINDOW_BYTES.map(of).to_vec())
}

/// The source rows that the caller's settings allow at once.
pub(super) fn limits(settings: &Settings, cols: u32) -> impl Iterator<Item = (u32, Binding)> {
    let rows_of = move |pixels: u64| (pixels / u64::from(cols.max(1))).clamp(1, u64::from(u32::MAX)) as u32;
    let rows = settings.strip_rows.map(|rows| (rows.max(1), Binding::StripRows));
    let pixels = settings.strip_pixels.map(|pixels| (rows_of(pixels), Binding::StripPixels));
    rows.into_iter().chain(pixels)
}

/// Plans the pass with workers that meet behind `prefix`, if they fit.
pub(super) fn behind(
    request: &PassRequest<'_>,
    prefix: Prefix,
    (workers, compressors): (u32, u32),
    budget_bytes: u64,
    settings: &Settings,
) -> Result<Option<PassPlan>, Failure> {
    let route = Route::new(Some(prefix), request.page, request.stages)?;
    let attempted = attempt(
        request,
        &route,
        &Limits {
            budget_bytes,
            io: settings.io,
            workers,
            compressors,
            strip_rows: Some(BEHIND_SEAMS_ROWS),
            strip_pixels: None,
            profile: settings.profile,
        },
    )?;
    let meets_well = |plan: &Plan| route.prefixed().is_some_and(|page| page.meet_well(&plan.bands));
    let Some(mut pass) = attempted.ok().filter(|pass| meets_well(&pass.plan)) else { return Ok(None) };
    // The strips that count are those of the source.
    let mut named = limits(settings, request.page.facts().shape.cols);
    pass.plan.binding = match named.find(|(rows, _)| prefix.strip_rows >= *rows) {
        Some((_, binding)) => binding,
        None if prefix.strip_rows >= request.page.facts().shape.rows => Binding::Image,
        None => Binding::Speed,
    };
    for consumer in &mut pass.plan.consumers {
        // Stages are counted from the first of the chain.
        if let Some((_, number)) = &mut consumer.stage {
            *number = number.saturating_add(u8::try_from(prefix.stages).unwrap_or(u8::MAX));
        }
    }
    Ok(Some(PassPlan { prefix: Some(prefix), ..pass }))
}
