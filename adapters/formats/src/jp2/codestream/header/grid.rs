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
        (0..2).all(|axis| {
            let first = self.first(axis, reduce);
            let spread = self.components.iter().map(|component| self.pixels_a_sample(component)[axis]);
            spread.filter(|pixels| *pixels > 1).all(|pixels| {
                let begins = |index| first + self.tile_span(axis, index, reduce).start();
                (1..self.tiles_along(axis)).all(|index| begins(index) % pixels == 0)
            })
        })
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

    /// Rows from which on the source can begin: those of a tile, where all rows of tiles are equally high.
    pub(in crate::jp2) fn unit_rows(&self, reduce: u8) -> u32 {
        let first = self.tile_span(1, 0, reduce);
        let regular = (0..self.tiles_along(1)).all(|index| {
            u64::from(self.tile_span(1, index, reduce).start()) == u64::from(index) * u64::from(first.len())
        });
        if regular { first.len() } else { self.rows(reduce) }
    }

    /// The tiles that share pixels with `region`, as columns and rows of tiles.
    pub(in crate::jp2) fn tiles_of(&self, region: Region, reduce: u8) -> [Span; 2] {
        let along = |axis: usize, wanted: Span| {
            let tiles = self.tiles_along(axis);
            let touches = |index: &u32| !self.tile_span(axis, *index, reduce).intersect(wanted).is_empty();
            let first = (0..tiles).find(|index| touches(index)).unwrap_or(0);
            let last = (first..tiles).rev().find(|index| touches(index)).map_or(first, |last| last + 1);
            Span::new(first, last)
        };
        [along(0, region.cols), along(1, region.rows)]
    }
}
