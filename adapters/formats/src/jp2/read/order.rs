//! Rows tile after tile ([`TileGrid`]): one decoded tile is held, and not a row of them.

use super::page::Image;
use super::planes::Planes;
use super::tile::Tiles;
use crate::{Facts, FormatError, Page, RowSource, TileGrid};
use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::{Need, Source};
use plimsoll_core::shape::{Region, Shape, Span};
use plimsoll_core::strip::StripMut;

/// The tiles of an image below each other.
pub(super) struct InOrder {
    image: Image,
    grid: TileGrid,
    facts: Facts,
}

impl InOrder {
    /// `None` if the file's tiles are not squares of `side` from the first pixel on, with all samples of their pixels.
    pub(super) fn new(image: Image, side: u32) -> Option<Self> {
        let grid = TileGrid { shape: image.facts().shape, side: side.max(1) };
        let header = &image.content.header;
        let along = |axis: usize, tiles: u32, of: &dyn Fn(u32) -> Span| {
            header.tiles_along(axis) == tiles
                && (0..tiles).all(|index| header.tile_span(axis, index, image.reduce) == of(index))
        };
        let same = header.keeps_to_tiles(image.reduce)
            && along(0, grid.across(), &|index| grid.cols(index))
            && along(1, grid.down(), &|index| grid.rows(index));
        let shape = grid.order_shape().filter(|_| same)?;
        let facts = Facts { shape, unit_rows: grid.side, ..image.facts().clone() };
        Some(Self { image, grid, facts })
    }
}

impl Page for InOrder {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn needs(&self, _region: Region) -> Vec<Need> {
        self.image.needs_in_order()
    }

    fn source<'a>(&'a self, _region: Region, budget: &mut Budget<'a>) -> Result<RowSource<'a>, FormatError> {
        Ok(Box::new(self.image.in_order(self.grid, budget)?))
    }
}

/// A source of their rows.
pub(super) struct TilesInOrder<'a> {
    pub(super) tiles: Tiles<'a>,
    pub(super) planes: Planes<'a>,
    pub(super) grid: TileGrid,
    /// A decoded tile, plane after plane.
    pub(super) tile: &'a mut [u8],
    /// Which one it is.
    pub(super) at: Option<u64>,
}

impl Source for TilesInOrder<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.grid.order_shape().unwrap_or(self.grid.shape)
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let (cols, pixel) = (strip.cols(), self.grid.shape.pixel_bytes());
        for row in strip.rows().iter() {
            let (tile, down) = (u64::from(row / self.grid.side), row % self.grid.side);
            let region = self.grid.tile(tile);
            let size = [region.cols.len(), region.rows.len()];
            // What lies beyond the picture's edges is zero.
            let wanted = cols.intersect(Span::new(0, if down < size[1] { size[0] } else { 0 }));
            let out = strip.row_bytes_mut(row);
            let (out, beyond) = out.split_at_mut((wanted.len() as usize * pixel).min(out.len()));
            beyond.fill(0);
            if out.is_empty() {
                continue;
            }
            let across = u64::from(self.grid.across().max(1));
            let place = [(tile % across) as u32, (tile / across) as u32];
            if self.at != Some(tile) {
                self.at = None;
                let bytes = self.planes.tile_bytes(place);
                self.tiles.decode(place[0], place[1], self.tile.get_mut(..bytes).unwrap_or_default())?;
                self.at = Some(tile);
            }
            let cols = Span::new(region.cols.start() + wanted.start(), region.cols.start() + wanted.end());
            self.planes.row(place, self.tile, region.rows.start() + down, cols, out);
        }
        Ok(())
    }
}
