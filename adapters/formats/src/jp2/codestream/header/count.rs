//! The most that tiles hold: what the price of decoding one is made of.

use super::{Component, Header};
use crate::jp2::codec::memory::TileCount;
use crate::jp2::codestream::geometry::ComponentCount;
use crate::jp2::codestream::style::Styles;
use plimsoll_core::shape::Span;

impl Header {
    /// Bytes of the decoded tile at this column and row of tiles: all components' planes.
    pub(in crate::jp2) fn tile_bytes(&self, [column, row]: [u32; 2], reduce: u8) -> u64 {
        let plane = |component: &Component| {
            let len = |axis, index| u64::from(self.samples(component, axis, index, reduce).len());
            (len(0, column) * len(1, row)).saturating_mul(component.bytes() as u64)
        };
        self.components.iter().map(plane).fold(0, u64::saturating_add)
    }

    /// The components that have samples in the tile at this column and row of tiles.
    pub(in crate::jp2) fn with_samples(&self, tile: [u32; 2], reduce: u8) -> impl Iterator<Item = u32> + '_ {
        let held = move |component: &Component| {
            (0..2).all(|axis| !self.samples(component, axis, tile[axis], reduce).is_empty())
        };
        (0..).zip(&self.components).filter_map(move |(index, component)| held(component).then_some(index))
    }

    /// The most samples that a component has in a tile among these columns and rows of tiles, along both axes.
    fn most_samples(&self, component: &Component, tiles: [Span; 2], reduce: u8) -> [u64; 2] {
        [0, 1].map(|axis| {
            let len = |index| u64::from(self.samples(component, axis, index, reduce).len());
            tiles[axis].iter().map(len).max().unwrap_or(0)
        })
    }

    /// The most bytes of a decoded tile.
    pub(in crate::jp2) fn most_tile_bytes(&self, reduce: u8) -> u64 {
        let plane = |component: &Component| {
            let [across, down] = self.most_samples(component, self.all_tiles(), reduce);
            (across * down).saturating_mul(component.bytes() as u64)
        };
        self.components.iter().map(plane).fold(0, u64::saturating_add)
    }

    /// Columns and rows of tiles.
    fn all_tiles(&self) -> [Span; 2] {
        [0, 1].map(|axis| Span::new(0, self.tiles_along(axis)))
    }

    /// The most that any tile of these `styles` has, of `bytes` compressed bytes in `parts` parts.
    pub(in crate::jp2) fn count(&self, styles: &Styles, reduce: u8, bytes: u64, parts: u64) -> TileCount {
        self.count_of(self.all_tiles(), styles, reduce, bytes, parts)
    }

    /// The same over these columns and rows of tiles.
    pub(in crate::jp2) fn count_of(
        &self,
        tiles: [Span; 2],
        styles: &Styles,
        reduce: u8,
        bytes: u64,
        parts: u64,
    ) -> TileCount {
        let components = self.components.len() as u64;
        let mut count = TileCount {
            layers: u64::from(styles.layers),
            segments: styles.segments(),
            components,
            bytes,
            parts,
            ..TileCount::default()
        };
        let (mut most_precincts, mut resolutions) = (0, 0);
        let mut known: Option<(usize, &Component, ComponentCount)> = None;
        for (index, component) in self.components.iter().enumerate() {
            // Most files have one style and one step for all components.
            let counted = match known {
                Some((first, other, counted))
                    if styles.same(first, index) && other.step == component.step =>
                {
                    counted
                }
                _ => {
                    let spans = |axis: usize| {
                        tiles[axis].iter().map(move |index| self.samples(component, axis, index, 0))
                    };
                    styles.count(index, spans(0), spans(1))
                }
            };
            known = Some((index, component, counted));
            let [across, down] = self.most_samples(component, tiles, reduce);
            count.samples = count.samples.saturating_add(across * down);
            count.side = self.most_samples(component, tiles, 0).into_iter().fold(count.side, u64::max);
            count.blocks = count.blocks.saturating_add(counted.blocks);
            count.band_precincts = count.band_precincts.saturating_add(counted.band_precincts);
            count.packets =
                count.packets.saturating_add(counted.precincts.saturating_mul(u64::from(styles.layers)));
            most_precincts = most_precincts.max(counted.most_precincts);
            let levels = styles.components.get(index).map_or(0, |style| u64::from(style.levels));
            resolutions = resolutions.max(levels + 1);
        }
        count.positions = components.saturating_mul(resolutions).saturating_mul(most_precincts);
        if styles.by_position() {
            let finest = styles.finest_steps(&self.components);
            let steps = |axis: usize| {
                let tile =
                    tiles[axis].iter().map(|index| self.tile_on_grid(axis, index).len()).max().unwrap_or(0);
                u64::from(tile) / finest[axis].max(1) + 2
            };
            count.walked = steps(0)
                .saturating_mul(steps(1))
                .saturating_mul(components.saturating_mul(resolutions))
                .saturating_mul(styles.orders());
        }
        count
    }
}
