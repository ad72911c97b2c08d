//! Rows out of tiles: a row of tiles is decoded, tile after tile, when the first of its rows is asked for.

use super::planes::Planes;
use super::tile::Tiles;
use crate::FormatError;
use plimsoll_core::pipeline::Source;
use plimsoll_core::shape::{Region, Shape, Span};
use plimsoll_core::strip::StripMut;

/// A source of rows.
pub(super) struct TileRows<'a> {
    pub(super) tiles: Tiles<'a>,
    pub(super) planes: Planes<'a>,
    pub(super) shape: Shape,
    pub(super) region: Region,
    /// Columns of tiles that share pixels with the region.
    pub(super) across: Span,
    /// A decoded tile, plane after plane.
    pub(super) tile: &'a mut [u8],
    /// The region's part of a row of tiles; empty where one tile holds it.
    pub(super) band: &'a mut [u8],
    /// The row of tiles that is decoded.
    pub(super) at: Option<u32>,
}

impl Source for TileRows<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.shape
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let cols = strip.cols();
        for row in strip.rows().iter() {
            let rows = self.go_to(row)?;
            let out = strip.row_bytes_mut(row);
            let down = row - rows.start();
            if self.across.len() == 1 {
                let place = [self.across.start(), self.at.unwrap_or(0)];
                let span = self.planes.cols(place[0]);
                let wanted = Span::new(cols.start() - span.start(), cols.end() - span.start());
                self.planes.row(place, self.tile, down, wanted, out);
            } else {
                let pixel = self.shape.pixel_bytes();
                let line = self.region.cols.len() as usize * pixel;
                let skip = (cols.start() - self.region.cols.start()) as usize * pixel;
                let from = down as usize * line + skip;
                let from = self.band.get(from..from + out.len());
                out.copy_from_slice(from.unwrap_or_default());
            }
        }
        Ok(())
    }
}

impl TileRows<'_> {
    /// Makes the row of tiles that holds `row` the decoded one, and gives its rows.
    fn go_to(&mut self, row: u32) -> Result<Span, FormatError> {
        if let Some(at) = self.at {
            let rows = self.planes.rows(at);
            if rows.contains(row) {
                return Ok(rows);
            }
        }
        let down = self.planes.header.tiles_along(1);
        let next = self.at.map_or(0, |at| at + 1);
        let holds = |index: &u32| self.planes.rows(*index).contains(row);
        // In row order it is the next one or soon after; a source may also go back.
        let index = (next..down).chain(0..next.min(down)).find(holds).unwrap_or(0);
        let rows = self.planes.rows(index);
        self.at = None;
        for column in self.across.iter() {
            let (place, span) = ([column, index], self.planes.cols(column));
            let bytes = self.planes.tile_bytes(place);
            let tile = self.tile.get_mut(..bytes).unwrap_or_default();
            if bytes > 0 {
                self.tiles.decode(column, index, tile)?;
            }
            if self.across.len() == 1 {
                break;
            }
            let shared = span.intersect(self.region.cols);
            let pixel = self.shape.pixel_bytes();
            let line = self.region.cols.len() as usize * pixel;
            let wanted = Span::new(shared.start() - span.start(), shared.end() - span.start());
            let start = (shared.start() - self.region.cols.start()) as usize * pixel;
            for (row, line) in self.band.chunks_exact_mut(line.max(1)).enumerate().take(rows.len() as usize) {
                let out = line.get_mut(start..start + shared.len() as usize * pixel).unwrap_or_default();
                self.planes.row(place, tile, row as u32, wanted, out);
            }
        }
        self.at = Some(index);
        Ok(rows)
    }
}
