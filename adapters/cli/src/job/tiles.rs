//! Outputs of tiles that a codec holds whole: how large the tiles are, and in which order their rows come.
//!
//! A tile's side is the user's, or the largest that lets every worker code; below 512 pixels only where nothing larger
//! fits. Rows come tile after tile where the source gives any columns for what they cost alone and nothing stands
//! between: one tile is held then, and not a row of them.

use super::budget::Budgeted;
use super::plan::{PassPlan, PassRequest, plan_pass, refuse};
use super::settings::Settings;
use crate::failure::Failure;
use plimsoll_core::pipeline::{Need, Stage};
use plimsoll_core::shape::Shape;
use plimsoll_formats::{FormatError, Page, Target, TileGrid, Wanted, in_tile_order};
use std::sync::Arc;

/// Sides that are tried, the best first.
const SIDES: [u32; 5] = [1024, 512, 256, 128, 64];

/// The smallest side that is taken to have all workers code.
const FULL_SPEED_SIDE: u32 = 512;

/// The most rows of a strip on its way into a tile: coding takes a thousand times longer than reading, so more would
/// only be held.
const STRIP_ROWS: u32 = 64;

/// What is to be written, and from what.
pub(super) struct Tiling<'a> {
    pub(super) page: &'a Arc<dyn Page>,
    pub(super) stages: &'a [&'a dyn Stage],
    pub(super) output: Shape,
    pub(super) wanted: Wanted,
    pub(super) target: &'a dyn Fn(Wanted) -> Result<Box<dyn Target>, FormatError>,
}

/// A decided way: the pass, the page that it reads, and what the output is told.
pub(super) struct Tiled {
    pub(super) pass: PassPlan,
    pub(super) page: Arc<dyn Page>,
    pub(super) wanted: Wanted,
}

impl Tiling<'_> {
    /// Plans the pass that writes; `None` where the format has no such tiles.
    ///
    /// # Errors
    /// As [`plan_pass`], and [`Failure::Refused`] if no side fits.
    pub(super) fn plan(&self, budget: &Budgeted, settings: &Settings) -> Result<Option<Tiled>, Failure> {
        let asked = |side: Option<u32>| (self.target)(Wanted { tile: side, ..self.wanted });
        if asked(self.wanted.tile).ok().and_then(|target| target.tile_order()).is_none() {
            return Ok(None);
        }
        let given = self.wanted.tile.map(|side| vec![side]);
        let sides = given.unwrap_or_else(|| SIDES.to_vec());
        let mut best: Option<Tiled> = None;
        let mut refusal = None;
        let mut smallest = u64::MAX;
        for side in sides {
            // Too small for the number of tiles that a file may have.
            let Some(side) = asked(Some(side)).ok().and_then(|target| target.tile_order()) else { continue };
            let (page, wanted) = self.in_order(side);
            let sink_needs = |compressors: u32| {
                (self.target)(Wanted { compressors, ..wanted })
                    .map_or_else(|_| Vec::<Need>::new(), |it| it.needs())
            };
            let request = PassRequest {
                purpose: purpose(side, wanted.tile_order),
                stages: self.stages,
                page: &*page,
                files: 1,
                sink_needs: &sink_needs,
                ordered: true,
            };
            let mut settings = settings.clone();
            if wanted.tile_order {
                settings.strip_rows = Some(settings.strip_rows.unwrap_or(STRIP_ROWS).min(STRIP_ROWS));
            }
            match plan_pass(&request, budget.bytes, &settings)? {
                Ok(pass) => {
                    smallest = smallest.min(pass.plan.smallest_bytes);
                    let tiles = TileGrid { shape: self.output, side }.tiles();
                    let useful = u64::from(settings.most_workers()).min(tiles);
                    let full = u64::from(pass.compressors) + 1 >= useful && side >= FULL_SPEED_SIDE;
                    let better = best.as_ref().is_none_or(|best| full && !best.is_full(useful));
                    if better {
                        best = Some(Tiled { pass, page, wanted });
                    }
                }
                Err(refused) => {
                    smallest = smallest.min(refused.required_bytes);
                    refusal = Some(refused);
                }
            }
        }
        match (best, refusal) {
            (Some(mut best), _) => {
                best.pass.plan.smallest_bytes = smallest;
                Ok(Some(best))
            }
            (None, Some(refused)) => Err(refuse(&refused, budget)),
            (None, None) => Ok(None),
        }
    }

    /// The page whose rows are written in tiles of `side`, and what the output is told.
    fn in_order(&self, side: u32) -> (Arc<dyn Page>, Wanted) {
        let wanted = Wanted { tile: Some(side), ..self.wanted };
        let page = self.stages.is_empty().then(|| in_tile_order(self.page, side)).flatten();
        match page {
            Some(page) => (page, Wanted { tile_order: true, ..wanted }),
            None => (Arc::clone(self.page), wanted),
        }
    }
}

impl Tiled {
    /// Whether as many workers code as are of use.
    fn is_full(&self, useful: u64) -> bool {
        u64::from(self.pass.compressors) + 1 >= useful
    }
}

/// What the pass does, for the plan.
fn purpose(side: u32, tile_order: bool) -> &'static str {
    match (side, tile_order) {
        (1024, true) => "write the output, one tile of 1024 after the other",
        (512, true) => "write the output, one tile of 512 after the other",
        (256, true) => "write the output, one tile of 256 after the other",
        (128, true) => "write the output, one tile of 128 after the other",
        (64, true) => "write the output, one tile of 64 after the other",
        (_, true) => "write the output, one tile after the other",
        (1024, false) => "write the output by rows of tiles of 1024",
        (512, false) => "write the output by rows of tiles of 512",
        (256, false) => "write the output by rows of tiles of 256",
        (128, false) => "write the output by rows of tiles of 128",
        (64, false) => "write the output by rows of tiles of 64",
        (_, false) => "write the output by rows of tiles",
    }
}
