//! A lane: what one thread needs to turn a tile's samples into a tile-part.

use super::packets::Apart;
use crate::TileGrid;
use crate::jp2::codec::memory::{TileCount, coding_bytes, packets_bytes};
use crate::jp2::codec::{CPRL, Coding, Loss, PCRL, Tile};
use crate::jp2::codestream::geometry::{AxisStyle, ComponentCount, count_axis};
use crate::jp2::codestream::marker;
use crate::jp2::codestream::parts::Totals;
use crate::queue::{Code, Lent};
use plimsoll_core::shape::Region;

/// Side of code-blocks as a power of two: the library's usual.
const BLOCK_BITS: u8 = 6;

/// Bytes before a tile-part's packets: marker segment and marker (ISO/IEC 15444-1, A.4.2 and A.4.3).
pub(super) const PART_HEAD_BYTES: usize = 14;

/// Everything about tiles and how they are coded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    pub(super) grid: TileGrid,
    pub(super) coding: Coding,
    /// Components are coded one after the other.
    apart: bool,
}

/// A coded tile: where its tile-part begins, the main header before it, and where the packets of each component are
/// (or all of them).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) start: usize,
    pub(super) components: [(usize, usize); 4],
}

impl Lane {
    /// Where nothing is to be weighed between components (no rate, one layer) and each has one packet for each
    /// resolution, they are coded one after the other: memory is that of one, the file is the same.
    pub(super) fn new(grid: TileGrid, coding: Coding) -> Self {
        let lane = Self { grid, coding, apart: false };
        let apart = coding.bands > 1
            && coding.loss == Loss::None
            && coding.layers == 1
            && coding.progression != PCRL
            && lane.count().most_precincts == 1;
        Self { apart, ..lane }
    }

    /// Whether components are coded one after the other.
    pub(super) fn apart(&self) -> bool {
        self.apart
    }

    /// Components that are coded together, and how.
    fn together(&self) -> Coding {
        if self.apart { self.coding.one_component() } else { self.coding }
    }

    /// Bytes that coding one tile takes, its planes included.
    pub(super) fn coding_bytes(&self) -> u64 {
        let (grid, coding) = (self.grid, self.together());
        let bands = u64::from(coding.bands);
        let blocks = self.count().blocks.saturating_mul(bands);
        let width = u64::from(grid.side.min(grid.shape.cols));
        let height = u64::from(grid.side.min(grid.shape.rows));
        coding_bytes(&coding, (width * height).saturating_mul(bands), blocks)
    }

    /// The most that a component of a tile has.
    pub(super) fn count(&self) -> ComponentCount {
        let grid = self.grid;
        let style = [15u8; 33];
        let style = AxisStyle {
            precincts: style.get(..usize::from(self.coding.resolutions)).unwrap_or(&style),
            block: BLOCK_BITS,
        };
        let across = count_axis((0..grid.across()).map(|index| grid.cols(index)), style);
        let down = count_axis((0..grid.down()).map(|index| grid.rows(index)), style);
        ComponentCount::new(&across, &down)
    }

    /// The most that decoding finds in a tile, and in the file.
    pub(super) fn reading(&self) -> (TileCount, Totals) {
        let (grid, coding, of_one) = (self.grid, self.coding, self.count());
        let bands = u64::from(coding.bands);
        let sides = [grid.side.min(grid.shape.cols), grid.side.min(grid.shape.rows)].map(u64::from);
        let most_bytes = self.out_bytes() + PART_HEAD_BYTES as u64;
        let count = TileCount {
            samples: (sides[0] * sides[1]).saturating_mul(bands),
            blocks: of_one.blocks.saturating_mul(bands),
            band_precincts: of_one.band_precincts.saturating_mul(bands),
            positions: of_one.most_precincts.saturating_mul(bands * u64::from(coding.resolutions)),
            layers: coding.layers.into(),
            side: sides[0].max(sides[1]),
            components: bands,
            bytes: most_bytes,
            parts: 1,
            ..TileCount::default()
        };
        (count, Totals { parts: grid.tiles(), most_parts: 1, most_bytes, packed_segments: 0 })
    }

    /// The most bytes of a coded tile's codestream, or of those of its components.
    pub(super) fn out_bytes(&self) -> u64 {
        let coding = self.together();
        (packets_bytes(&coding) + 4096).saturating_mul(u64::from(self.coding.bands / coding.bands.max(1)))
    }

    /// Left, top, right, bottom of tile `index`.
    fn area(&self, index: u64) -> [u32; 4] {
        let Region { rows, cols } = self.grid.tile(index);
        [cols.start(), rows.start(), cols.end(), rows.end()]
    }

    /// The empty tile `index`.
    pub(super) fn tile(&self, index: u64) -> Option<Tile> {
        Tile::new(self.coding, self.area(index)).ok()
    }

    /// Codes `tile`, which is tile `index`, into `out`, whose capacity is [`Lane::out_bytes`].
    pub(super) fn encode(&self, tile: Tile, index: u64, out: &mut Vec<u8>) -> Option<Part> {
        out.clear();
        tile.encode(out).ok()?;
        let (start, end) = find_part(out)?;
        number(out.get_mut(start..)?, index, None)?;
        Some(Part { start, components: [(start + PART_HEAD_BYTES, end), (0, 0), (0, 0), (0, 0)] })
    }

    /// Codes tile `index` from its raw rows into `out`, one component after the other.
    pub(super) fn encode_apart(&self, raw: &[u8], index: u64, out: &mut Vec<u8>) -> Option<Part> {
        out.clear();
        let mut components = [(0, 0); 4];
        let mut first = None;
        for (band, place) in components.iter_mut().enumerate().take(usize::from(self.coding.bands)) {
            let transformed = self.coding.bands >= 3;
            let component = match band {
                0 if transformed => Component::Luma,
                1 if transformed => Component::Difference { band: 2 },
                2 if transformed => Component::Difference { band: 0 },
                band => Component::Plain { band },
            };
            let signed = matches!(component, Component::Difference { .. });
            let mut tile = Tile::component(self.coding, self.area(index), signed).ok()?;
            for (row, pixels) in raw.chunks_exact(self.row_bytes().max(1)).enumerate().take(tile.height()) {
                if self.coding.bits == 8 {
                    self.take(component, tile.row_mut(row, 0), pixels, |[sample]| i32::from(sample));
                } else {
                    let wide = |sample| i32::from(u16::from_ne_bytes(sample));
                    self.take(component, tile.row_mut(row, 0), pixels, wide);
                }
            }
            let before = out.len();
            tile.encode(out).ok()?;
            let (start, end) = find_part(out.get(before..)?)?;
            first.get_or_insert(start);
            *place = (before + start + PART_HEAD_BYTES, before + end);
        }
        let start = first?;
        let bytes = self.packets(out, components)?.bytes() + PART_HEAD_BYTES;
        number(out.get_mut(start..)?, index, Some(u32::try_from(bytes).ok()?))?;
        Some(Part { start, components })
    }

    /// The packets of components that were coded apart; `None` where they are not.
    pub(super) fn packets<'a>(&self, out: &'a [u8], components: [(usize, usize); 4]) -> Option<Apart<'a>> {
        let of = |(start, end)| out.get(start..end).unwrap_or_default();
        self.apart.then(|| Apart::new(components.map(of), self.coding.progression != CPRL)).flatten()
    }

    /// One component of a row of interleaved pixels.
    fn take<const BYTES: usize>(
        &self,
        component: Component,
        plane: &mut [i32],
        pixels: &[u8],
        sample: impl Fn([u8; BYTES]) -> i32,
    ) {
        let (samples, _) = pixels.as_chunks::<BYTES>();
        let pixels = samples.chunks_exact(usize::from(self.coding.bands).max(1));
        let at = |pixel: &[[u8; BYTES]], band: usize| pixel.get(band).map_or(0, |bytes| sample(*bytes));
        let pairs = plane.iter_mut().zip(pixels);
        match component {
            Component::Plain { band } => pairs.for_each(|(out, pixel)| *out = at(pixel, band)),
            Component::Luma => pairs.for_each(|(out, pixel)| {
                *out = (at(pixel, 0) + 2 * at(pixel, 1) + at(pixel, 2)) >> 2;
            }),
            Component::Difference { band } => {
                pairs.for_each(|(out, pixel)| *out = at(pixel, band) - at(pixel, 1));
            }
        }
    }

    /// Bytes of a row of a raw tile.
    pub(super) fn row_bytes(&self) -> usize {
        self.grid.side.min(self.grid.shape.cols) as usize * self.grid.shape.pixel_bytes()
    }

    /// Tile `index` with the samples of these raw rows.
    pub(super) fn load(&self, index: u64, raw: &[u8]) -> Option<Tile> {
        let mut tile = self.tile(index)?;
        for (row, pixels) in raw.chunks_exact(self.row_bytes().max(1)).enumerate().take(tile.height()) {
            tile.set_row(row, pixels);
        }
        Some(tile)
    }
}

/// What a component is made of: a band, or those of the reversible colour transform (ISO/IEC 15444-1, G.2).
#[derive(Clone, Copy, Debug)]
enum Component {
    /// The band itself.
    Plain { band: usize },
    /// (R + 2 G + B) / 4, rounded down: shifting all bands shifts it by as much.
    Luma,
    /// A band less the second one.
    Difference { band: usize },
}

/// Gives a tile-part's head the tile's number and, if it changes, its length.
fn number(part: &mut [u8], tile: u64, bytes: Option<u32>) -> Option<()> {
    part.get_mut(4..6)?.copy_from_slice(&u16::try_from(tile).ok()?.to_be_bytes());
    if let Some(bytes) = bytes {
        part.get_mut(6..10)?.copy_from_slice(&bytes.to_be_bytes());
    }
    Some(())
}

/// Finds start and end of the only tile-part of a codestream.
fn find_part(codestream: &[u8]) -> Option<(usize, usize)> {
    let mut at = 2;
    loop {
        let [a, b, c, d] = *codestream.get(at..)?.first_chunk::<4>()?;
        if u16::from_be_bytes([a, b]) == marker::SOT {
            break;
        }
        at += 2 + usize::from(u16::from_be_bytes([c, d]));
    }
    let stated = u32::from_be_bytes(*codestream.get(at + 6..)?.first_chunk::<4>()?);
    let end = at.checked_add(stated as usize)?;
    // One part, and then the end.
    let rest = codestream.get(end..)?;
    let data = codestream.get(at + 12..at + PART_HEAD_BYTES)?;
    let sound = rest == marker::EOC.to_be_bytes() && data == marker::SOD.to_be_bytes();
    (sound && end >= at + PART_HEAD_BYTES).then_some((at, end))
}

impl Code for Lane {
    type Raw = ();
    type Coded = Part;

    fn code(&mut self, number: u64, tile: Lent<'_, Self>, out: &mut Vec<u8>) -> Option<Part> {
        if self.apart() {
            return self.encode_apart(tile.bytes(), number, out);
        }
        // Loading is a small part of the work, and the raw tile is lent for it alone.
        let loaded = self.load(number, tile.bytes());
        drop(tile);
        self.encode(loaded?, number, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jp2::codec::RPCL;
    use crate::jp2::write::boxes::main_header;
    use plimsoll_core::shape::{SampleKind, Shape};

    /// The oracle is the library, which knows all components at once.
    #[test]
    fn components_apart_give_the_bytes_of_components_together() {
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for (bands, kind) in
            [(2, SampleKind::U8), (3, SampleKind::U8), (3, SampleKind::U16), (4, SampleKind::U16)]
        {
            for (progression, extremes) in [(0, false), (1, true), (RPCL, false), (CPRL, false)] {
                let shape = Shape::new(150, 211, bands, kind);
                let grid = TileGrid { shape, side: 128 };
                let bits = 8 * kind.bytes() as u8;
                let coding = Coding {
                    bands,
                    bits,
                    tile: 128,
                    resolutions: 4,
                    progression,
                    layers: 1,
                    loss: Loss::None,
                };
                let apart = Lane::new(grid, coding);
                assert!(apart.apart());
                let together = Lane { apart: false, ..apart };
                for index in 0..grid.tiles() {
                    let mut raw = vec![0u8; apart.row_bytes() * 128];
                    raw.iter_mut().for_each(|byte| {
                        *byte = if extremes { 255 * (random() & 1) } else { random() };
                    });
                    let mut one = Vec::with_capacity(together.out_bytes() as usize);
                    let part = together.encode(together.load(index, &raw).unwrap(), index, &mut one).unwrap();
                    let mut other = Vec::with_capacity(apart.out_bytes() as usize);
                    let pieces = apart.encode_apart(&raw, index, &mut other).unwrap();
                    let start = pieces.start;
                    let mut joined = other[start..start + PART_HEAD_BYTES].to_vec();
                    let packets = apart.packets(&other, pieces.components).unwrap();
                    packets
                        .each(|packet| {
                            joined.extend_from_slice(packet);
                            Ok::<(), ()>(())
                        })
                        .unwrap();
                    let expected = &one[part.start..part.components[0].1];
                    assert!(joined == expected, "{bands} bands of {kind}, order {progression}, tile {index}");
                    let header = |head| main_header(&grid, &coding, head).unwrap();
                    assert_eq!(header(&one[..part.start]), header(&other[..start]));
                }
            }
        }
    }
}
