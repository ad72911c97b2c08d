//! The hash of pixels that did not pass by in the order of rows: written side by side, or tile after tile.

use super::budget::Budgeted;
use super::control::Control;
use super::hash::{Hashing, Nowhere};
use super::pages::{Input, PageName};
use super::pass::Pass;
use super::plan::{JobPlan, PassPlan, PassRequest, plan_pass, refuse};
use super::settings::{Io, Settings};
use crate::failure::Failure;
use plimsoll_core::pipeline::{Chain, Need};
use sha2::Sha256;
use std::path::Path;

/// Hashes a page of a file by reading its rows in order, within what the plan allows: the output that several workers
/// wrote side by side, or the input of tiles. Gives the bytes that were read for it, too.
pub(super) fn hash_back(
    path: &Path,
    page: PageName,
    writing: &PassPlan,
    plan: &JobPlan,
    settings: &Settings,
    hasher: Sha256,
) -> Result<(Sha256, u64), Failure> {
    // A mapping would come on top of the input's.
    let written = Input::open(path, Io::Read)?;
    let page = written.page(page)?;
    let mut settings = Settings { workers: Some(1), io: Io::Read, ..settings.clone() };
    let request = PassRequest {
        purpose: "hash the output",
        stages: &[],
        page: &*page,
        files: 1,
        sink_needs: &|_| Vec::<Need>::new(),
        ordered: true,
    };
    let budget = Budgeted { bytes: writing.plan.peak_bytes, reason: "the plan".to_owned() };
    // The plan's peak may be that of the process's start, when there was little heap yet: its heap counts as well.
    let pass_plan = loop {
        let pass =
            plan_pass(&request, budget.bytes, &settings)?.map_err(|refusal| refuse(&refusal, &budget))?;
        if pass.heap_bytes() <= plan.heap_bytes() || pass.plan.strip_rows == 1 {
            break pass;
        }
        settings.strip_rows = Some(pass.plan.strip_rows / 2);
    };
    let chain = Chain::new(&[], page.facts().shape).map_err(|error| Failure::Usage(error.to_string()))?;
    let control = Control::default();
    let pass = Pass::new(&chain, &pass_plan, &*page, (1, 1), plan, &control);
    let mut arena = pass_plan.arena()?;
    let sinks = pass.run(arena.as_mut(), &|_, _, _| Ok(Hashing::new(Nowhere, hasher.clone())))?;
    let hasher = sinks.into_iter().next().map(Hashing::into_hasher).ok_or(Failure::Cancelled)?;
    Ok((hasher, written.bytes_read()))
}
