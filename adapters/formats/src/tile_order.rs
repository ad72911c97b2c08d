//! Tile after tile instead of row after row: an order that needs one tile of memory where rows need a row of tiles.
//!
//! The tiles stand below each other in an image that is one tile wide: row `r` of it is row `r % side` of tile
//! `r / side`. What lies beyond the picture's edges is zero. So sources, sinks and plans of rows serve for tiles, too.

use crate::{Facts, FormatError, Page, RowSource, Windows};
use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Need, Source};
use plimsoll_core::shape::{Cols, Region, Rows, Shape};
use plimsoll_core::strip::StripMut;
use std::sync::Arc;

/// Square tiles over an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileGrid {
    /// The image.
    pub shape: Shape,
    /// Side of a tile in pixels: 1 at least.
    pub side: u32,
}

impl TileGrid {
    /// Tiles across.
    pub fn across(&self) -> u32 {
        self.shape.cols.div_ceil(self.side.max(1))
    }

    /// Tiles down.
    pub fn down(&self) -> u32 {
        self.shape.rows.div_ceil(self.side.max(1))
    }

    /// All tiles.
    pub fn tiles(&self) -> u64 {
        u64::from(self.across()) * u64::from(self.down())
    }

    /// Columns of the tiles in column `index` of tiles.
    pub fn cols(&self, index: u32) -> Cols {
        let start = index.saturating_mul(self.side);
        Cols::new(start, start.saturating_add(self.side).min(self.shape.cols))
    }

    /// Rows of the tiles in row `index` of tiles.
    pub fn rows(&self, index: u32) -> Rows {
        let start = index.saturating_mul(self.side);
        Rows::new(start, start.saturating_add(self.side).min(self.shape.rows))
    }

    /// The region of tile `index`, counted row by row.
    pub fn tile(&self, index: u64) -> Region {
        let across = u64::from(self.across().max(1));
        Region::new(self.rows((index / across) as u32), self.cols((index % across) as u32))
    }

    /// Shape of the tiles below each other, if it can be counted in rows.
    pub fn order_shape(&self) -> Option<Shape> {
        let rows = u32::try_from(self.tiles().checked_mul(u64::from(self.side))?).ok()?;
        Some(Shape { rows, cols: self.side.min(self.shape.cols), ..self.shape })
    }
}

/// `page` with its rows tile after tile, where that costs little more than one tile: in tiles of its file, or by
/// columns of them that can be read alone.
pub fn in_tile_order(page: &Arc<dyn Page>, side: u32) -> Option<Arc<dyn Page>> {
    let by_columns =
        || TileOrderPage::new(Arc::clone(page), side).map(|page| Arc::new(page) as Arc<dyn Page>);
    page.in_tile_order(side).or_else(by_columns)
}

/// A page whose rows are those of its tiles, one after the other.
pub struct TileOrderPage {
    page: Arc<dyn Page>,
    grid: TileGrid,
    facts: Facts,
}

impl TileOrderPage {
    /// Over a page that gives any columns for what they cost alone ([`Page::gives_columns`]); `None` for others.
    pub fn new(page: Arc<dyn Page>, side: u32) -> Option<Self> {
        let grid = TileGrid { shape: page.facts().shape, side: side.max(1) };
        if !page.gives_columns() {
            return None;
        }
        let facts = Facts { shape: grid.order_shape()?, unit_rows: 1, ..page.facts().clone() };
        Some(Self { page, grid, facts })
    }

    /// Windows of one tile.
    fn windows_of(&self) -> Windows {
        Windows::Cols(self.grid.side.min(self.grid.shape.cols))
    }
}

impl Page for TileOrderPage {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn needs(&self, _region: Region) -> Vec<Need> {
        let mut needs = self.page.window_needs(self.grid.shape.region(), self.windows_of());
        let order = size_of::<TileOrder<'_>>() as u64;
        needs.push(Need::fixed("tiles in order", order, Each::Worker, Place::Heap));
        needs
    }

    fn source<'a>(&'a self, _region: Region, budget: &mut Budget<'a>) -> Result<RowSource<'a>, FormatError> {
        let source = self.page.windows(self.grid.shape.region(), self.windows_of(), budget)?;
        Ok(Box::new(TileOrder { source, grid: self.grid, shape: self.facts.shape }))
    }
}

/// One source for all tiles: what it reads of tables of offsets serves a row of tiles.
struct TileOrder<'a> {
    source: RowSource<'a>,
    grid: TileGrid,
    shape: Shape,
}

impl Source for TileOrder<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let (side, pixel) = (self.grid.side, self.grid.shape.pixel_bytes());
        for row in strip.rows().iter() {
            let region = self.grid.tile(u64::from(row / side));
            let image_row = region.rows.start().saturating_add(row % side);
            let out = strip.row_bytes_mut(row);
            let inside = region.cols.len() as usize * pixel;
            let (samples, beyond) = out.split_at_mut(inside.min(out.len()));
            beyond.fill(0);
            if !region.rows.contains(image_row) {
                samples.fill(0);
                continue;
            }
            let region = region.with_rows(Rows::one(image_row));
            if let Some(mut strip) = StripMut::new(samples, region, self.grid.shape) {
                self.source.read(&mut strip)?;
            }
        }
        Ok(())
    }
}
