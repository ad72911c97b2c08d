//! Where tiles, pixels and samples lie (ISO/IEC 15444-1, annex B): on the reference grid, of each component, and in the
//! image as it is given.

use super::{Component, Header};
use crate::jp2::codestream::geometry::ceil_shift;
use plimsoll_core::shape::{Region, Span};

impl Header {
    /// How many pixels a component's sample stands for, across and down.
    pub(in crate::jp2) fn pixels_a_sample(&self, component: &Component) -> [u32; 2] {
        [0, 1].map(|axis| component.step[axis] / self.step[axis])
    }

    /// Whether each tile holds all samples that its pixels are made of, with `reduce` resolutions left out. Before the
    /// first sample of the image there is none.
    pub(in crate::jp2) fn keeps_to_tiles(&self, reduce: u8) -> bool {
        (0..2).all(|axis| self.keeps_along(axis, reduce))
    }

    /// The same along one axis.
    fn keeps_along(&self, axis: usize, reduce: u8) -> bool {
        (1..self.tiles_along(axis)).all(|index| {
            let start = self.tile_span(axis, index, reduce).start();
            self.made_from(axis, start, reduce) == start
        })
    }

    /// The pixel at which the samples begin that the pixels from `at` on are made of, in the image as it is given: one that
    /// a component has for several pixels is of the tile that holds the first of these.
    fn made_from(&self, axis: usize, at: u32, reduce: u8) -> u32 {
        let first = self.first(axis, reduce);
        let spread = self.components.iter().map(|component| self.pixels_a_sample(component)[axis]);
        // Before the first sample of the image there is none.
        let begin = |pixels: u32| ((first + at) / pixels * pixels).saturating_sub(first);
        spread.map(begin).min().unwrap_or(at)
    }

    /// The first row of tiles that holds samples of row `index` of them.
    pub(in crate::jp2) fn made_of(&self, index: u32, reduce: u8) -> u32 {
        let start = self.made_from(1, self.tile_span(1, index, reduce).start(), reduce);
        let begins = |index: &u32| self.tile_span(1, *index, reduce).start() <= start;
        (0..=index).rev().find(begins).unwrap_or(0)
    }

    /// Pixels of the image as it is given that a component's samples in tile `index` become along an axis: from the first
    /// sample's on up to the next tile's first sample's. To the first tile belong those before the first sample, too.
    pub(in crate::jp2) fn pixels(&self, component: &Component, axis: usize, index: u32, reduce: u8) -> Span {
        let (first, pixels) = (self.first(axis, reduce), self.pixels_a_sample(component)[axis]);
        let samples = self.samples(component, axis, index, reduce);
        let [start, end] =
            [samples.start(), samples.end()].map(|sample| (sample * pixels).saturating_sub(first));
        let end = end.min(self.extent(axis, reduce));
        Span::new(if index == 0 { 0 } else { start.min(end) }, end)
    }

    /// Rows below row `index` of tiles that its samples reach into.
    pub(in crate::jp2) fn overhang(&self, index: u32, reduce: u8) -> u32 {
        let end = self.tile_span(1, index, reduce).end();
        let ends = self.components.iter().map(|component| self.pixels(component, 1, index, reduce).end());
        ends.map(|own| own.saturating_sub(end)).max().unwrap_or(0)
    }

    /// Rows that a row of tiles becomes at most, with those below it that its samples reach into.
    pub(in crate::jp2) fn most_rows(&self, reduce: u8) -> u32 {
        let rows = |index| self.tile_span(1, index, reduce).len() + self.overhang(index, reduce);
        (0..self.tiles_along(1)).map(rows).max().unwrap_or(0)
    }

    /// Tiles along an axis: 0 across, 1 down.
    pub(in crate::jp2) fn tiles_along(&self, axis: usize) -> u32 {
        (self.area[axis + 2] - self.origin[axis]).div_ceil(self.tile[axis])
    }

    /// Tiles in all.
    pub(in crate::jp2) fn tiles(&self) -> u64 {
        u64::from(self.tiles_along(0)) * u64::from(self.tiles_along(1))
    }

    /// Where tile `index` lies along an axis on the reference grid.
    pub(super) fn tile_on_grid(&self, axis: usize, index: u32) -> Span {
        let start = u64::from(self.origin[axis]) + u64::from(index) * u64::from(self.tile[axis]);
        let end = (start + u64::from(self.tile[axis])).min(u64::from(self.area[axis + 2]));
        Span::new((start.min(end) as u32).max(self.area[axis]), end as u32)
    }

    /// The samples of a component in tile `index` along an axis, counted from the grid's origin.
    pub(in crate::jp2) fn samples(&self, component: &Component, axis: usize, index: u32, reduce: u8) -> Span {
        let span = component.samples(axis, self.tile_on_grid(axis, index));
        Span::new(ceil_shift(span.start(), u32::from(reduce)), ceil_shift(span.end(), u32::from(reduce)))
    }

    /// First pixel of the image along an axis with `reduce` resolutions left out.
    pub(in crate::jp2) fn first(&self, axis: usize, reduce: u8) -> u32 {
        ceil_shift(self.area[axis].div_ceil(self.step[axis]), u32::from(reduce))
    }

    /// Columns or rows of tile `index` along an axis, in the image as it is given.
    pub(in crate::jp2) fn tile_span(&self, axis: usize, index: u32, reduce: u8) -> Span {
        let span = self.tile_on_grid(axis, index);
        let [start, end] = [span.start(), span.end()].map(|at| at.div_ceil(self.step[axis]));
        let (reduce, first) = (u32::from(reduce), self.first(axis, reduce));
        Span::new(ceil_shift(start, reduce) - first, ceil_shift(end, reduce) - first)
    }

    fn extent(&self, axis: usize, reduce: u8) -> u32 {
        let end = self.area[axis + 2].div_ceil(self.step[axis]);
        ceil_shift(end, u32::from(reduce)) - self.first(axis, reduce)
    }

    /// Columns of the image as it is given.
    pub(in crate::jp2) fn cols(&self, reduce: u8) -> u32 {
        self.extent(0, reduce)
    }

    /// Rows of the image as it is given.
    pub(in crate::jp2) fn rows(&self, reduce: u8) -> u32 {
        self.extent(1, reduce)
    }

    /// Longest span of a tile along an axis, in the image as it is given.
    pub(in crate::jp2) fn longest(&self, axis: usize, reduce: u8) -> u32 {
        (0..self.tiles_along(axis)).map(|index| self.tile_span(axis, index, reduce).len()).max().unwrap_or(0)
    }

    /// Rows from which on the source can begin: those of a tile, where all rows of tiles are equally high and hold what their
    /// pixels are made of.
    pub(in crate::jp2) fn unit_rows(&self, reduce: u8) -> u32 {
        let first = self.tile_span(1, 0, reduce);
        let regular = (0..self.tiles_along(1)).all(|index| {
            u64::from(self.tile_span(1, index, reduce).start()) == u64::from(index) * u64::from(first.len())
        });
        if regular && self.keeps_along(1, reduce) { first.len() } else { self.rows(reduce) }
    }

    /// The tiles that hold the samples of `region`, as columns and rows of tiles.
    pub(in crate::jp2) fn tiles_of(&self, region: Region, reduce: u8) -> [Span; 2] {
        let along = |axis: usize, wanted: Span| {
            let wanted = Span::new(self.made_from(axis, wanted.start(), reduce), wanted.end());
            let tiles = self.tiles_along(axis);
            let touches = |index: &u32| !self.tile_span(axis, *index, reduce).intersect(wanted).is_empty();
            let first = (0..tiles).find(|index| touches(index)).unwrap_or(0);
            let last = (first..tiles).rev().find(|index| touches(index)).map_or(first, |last| last + 1);
            Span::new(first, last)
        };
        [along(0, region.cols), along(1, region.rows)]
    }
}
