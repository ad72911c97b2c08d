//! Rows out of tiles: a row of tiles is decoded, tile after tile, when the first of its rows is asked for.
//!
//! Where a component has a sample for several pixels and tiles end between these, a sample reaches into the pixels of the
//! next tile to the right and of the next row of tiles: these rows are kept, with what they have of them, for the next one.

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
    /// Columns of tiles that hold samples of the region.
    pub(super) across: Span,
    /// A decoded tile, plane after plane.
    pub(super) tile: &'a mut [u8],
    /// The region's part of a row of tiles, and of the rows below it that its samples reach into; empty where one tile
    /// holds it.
    pub(super) band: &'a mut [u8],
    /// Whether each tile holds all samples that its pixels are made of.
    pub(super) keeps: bool,
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
            if self.band.is_empty() {
                let place = [self.across.start(), self.at.unwrap_or(0)];
                self.planes.row(place, self.tile, row, cols, out);
            } else {
                let skip = (cols.start() - self.region.cols.start()) as usize * self.shape.pixel_bytes();
                let from = (row - rows.start()) as usize * self.line_bytes() + skip;
                let from = self.band.get(from..from + out.len());
                out.copy_from_slice(from.unwrap_or_default());
            }
        }
        Ok(())
    }
}

impl TileRows<'_> {
    /// Bytes of a row of the region.
    fn line_bytes(&self) -> usize {
        self.region.cols.len() as usize * self.shape.pixel_bytes()
    }

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
        let made_of = if self.keeps { index } else { self.planes.header.made_of(index, self.planes.reduce) };
        let before = self.at.take().filter(|at| *at < index && at + 1 >= made_of);
        let first = before.map_or(made_of, |at| at + 1);
        for index in first..=index {
            if self.band.is_empty() {
                self.decode([self.across.start(), index])?;
            } else {
                self.fill(index, before.is_some() || index > first)?;
            }
        }
        let (line, rows_in_all) = (self.line_bytes(), rows.len() as usize);
        self.planes.complete(self.band.get_mut(..line * rows_in_all).unwrap_or_default());
        self.at = Some(index);
        Ok(rows)
    }

    /// Puts what row `index` of tiles has into the band, beside what the one before it left there if it `follows`.
    fn fill(&mut self, index: u32, follows: bool) -> Result<(), FormatError> {
        let (header, reduce, line) = (self.planes.header, self.planes.reduce, self.line_bytes());
        if !self.keeps {
            // What no sample reaches is zero: it lies before the image's first one.
            let mut kept = 0;
            if let Some(before) = index.checked_sub(1).filter(|_| follows) {
                let start = self.planes.rows(before).len() as usize * line;
                kept = header.overhang(before, reduce) as usize * line;
                self.band.copy_within(start..start + kept, 0);
            }
            self.band.get_mut(kept..).unwrap_or_default().fill(0);
        }
        let rows = self.planes.rows(index);
        let rows = Span::new(rows.start(), rows.end() + header.overhang(index, reduce));
        for column in self.across.iter() {
            let place = [column, index];
            self.decode(place)?;
            for (row, line) in rows.iter().zip(self.band.chunks_exact_mut(line.max(1))) {
                self.planes.gather(place, self.tile, row, self.region.cols, line);
            }
        }
        Ok(())
    }

    /// Decodes a tile.
    fn decode(&mut self, place: [u32; 2]) -> Result<(), FormatError> {
        let bytes = self.planes.tile_bytes(place);
        let tile = self.tile.get_mut(..bytes).unwrap_or_default();
        if bytes > 0 { self.tiles.decode(place[0], place[1], tile) } else { Ok(()) }
    }
}
