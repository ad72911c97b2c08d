//! The main header: image and tile sizes, and the segments that a tile's codestream needs from it.

use super::geometry::{ComponentCount, ceil_shift};
use super::marker;
use super::passes::Packets;
use super::style::Styles;
use crate::jp2::codec::memory::TileCount;
use crate::jp2::{malformed, read_at, unsupported};
use crate::{Bytes, FormatError};
use plimsoll_core::shape::{Region, Span};

/// The most components.
const MOST_COMPONENTS: u16 = 32;

/// The most pixels along an axis that a sample may stand for: colours are thinned out by 2 or 4, and what a few samples
/// become must be in proportion to them.
const MOST_PIXELS_A_SAMPLE: u32 = 16;

/// The most bytes of segments that are kept of a header.
pub(in crate::jp2) const MOST_KEPT_BYTES: usize = 64 << 10;

/// The most segments of a header: comments and tables of lengths may be many.
const MOST_SEGMENTS: u32 = 1 << 14;

/// The most tiles (ISO/IEC 15444-1, A.5.1).
pub(in crate::jp2) const MOST_TILES: u64 = 65535;

/// One component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jp2) struct Component {
    /// Bits of a sample: 1 to 31.
    pub(in crate::jp2) bits: u8,
    /// Whether samples may be negative.
    pub(in crate::jp2) signed: bool,
    /// From one sample to the next on the reference grid, across and down: 1 to 255.
    pub(in crate::jp2) step: [u32; 2],
}

impl Component {
    /// Bytes of one of its decoded samples.
    pub(in crate::jp2) fn bytes(&self) -> usize {
        match self.bits {
            0..=8 => 1,
            9..=16 => 2,
            _ => 4,
        }
    }

    /// The samples that lie at such a span of the reference grid.
    pub(in crate::jp2) fn samples(&self, axis: usize, grid: Span) -> Span {
        Span::new(grid.start().div_ceil(self.step[axis]), grid.end().div_ceil(self.step[axis]))
    }
}

/// A main header.
#[derive(Clone, Debug)]
pub(in crate::jp2) struct Header {
    /// Left, top, right, bottom of the image on the reference grid.
    area: [u32; 4],
    /// Size of a tile, and where the first one begins.
    tile: [u32; 2],
    origin: [u32; 2],
    /// Steps of pixels on the grid: the largest that every component's samples keep to.
    step: [u32; 2],
    /// The components.
    pub(in crate::jp2) components: Vec<Component>,
    /// Styles of tiles that say nothing else.
    pub(in crate::jp2) styles: Styles,
    /// Segments that tiles need, as they stand in the file.
    pub(in crate::jp2) kept: Vec<u8>,
    /// Where the first tile-part begins.
    pub(in crate::jp2) end: u64,
}

/// Whether the decoder needs a segment. What it can do without is left out.
pub(in crate::jp2) fn is_kept(name: u16) -> bool {
    matches!(name, marker::COD | marker::COC | marker::QCD | marker::QCC | marker::RGN | marker::POC)
}

/// Whether a segment says nothing about how packets are decoded.
pub(in crate::jp2) fn is_skipped(name: u16) -> bool {
    matches!(name, marker::TLM | marker::PLM | marker::PLT | marker::CRG | marker::COM)
}

/// The greatest common divisor.
fn common(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common(b, a % b) }
}

/// The head of a segment: its marker and the length of its data.
pub(in crate::jp2) fn segment(bytes: &Bytes, at: u64) -> Result<(u16, u16), FormatError> {
    let mut head = [0u8; 4];
    read_at(bytes, at, &mut head[..2])?;
    let name = u16::from_be_bytes([head[0], head[1]]);
    if matches!(name, marker::SOD | marker::EOC) {
        return Ok((name, 0));
    }
    read_at(bytes, at, &mut head)?;
    let len = u16::from_be_bytes([head[2], head[3]]);
    if name < 0xFF00 {
        return Err(malformed(format!("{name:#06X} where a marker is due"), at));
    }
    match len.checked_sub(2) {
        Some(len) => Ok((name, len)),
        None => Err(malformed(format!("a segment {name:#06X} of {len} bytes"), at)),
    }
}

impl Header {
    /// Reads the header of the codestream at `start`.
    ///
    /// # Errors
    /// [`FormatError`] for what is malformed or not supported.
    pub(in crate::jp2) fn read(bytes: &Bytes, start: u64) -> Result<Self, FormatError> {
        let mut magic = [0u8; 4];
        read_at(bytes, start, &mut magic)?;
        if magic != super::MAGIC {
            return Err(malformed("no codestream begins here", start));
        }
        let mut at = start + 2;
        let (_, len) = segment(bytes, at)?;
        let mut siz = [0u8; 36 + 3 * MOST_COMPONENTS as usize];
        let fixed = siz.get_mut(..36.min(usize::from(len))).unwrap_or_default();
        read_at(bytes, at + 4, fixed)?;
        let mut header = Self::size(&siz, len, at)?;
        read_at(bytes, at + 4, siz.get_mut(..usize::from(len)).unwrap_or_default())?;
        header.read_components(&siz, at)?;
        at += 4 + u64::from(len);
        let mut quantised = false;
        for _ in 0..MOST_SEGMENTS {
            let (name, len) = segment(bytes, at)?;
            match name {
                marker::SOT => {
                    if header.styles.components.is_empty() || !quantised {
                        return Err(malformed(
                            "no coding style or no quantisation stands before the first tile",
                            at,
                        ));
                    }
                    header.end = at;
                    return Ok(header);
                }
                name if is_kept(name) => {
                    let from = header.kept.len();
                    let to = from + 4 + usize::from(len);
                    if to > MOST_KEPT_BYTES {
                        return Err(unsupported(format!("a header of more than {MOST_KEPT_BYTES} bytes")));
                    }
                    header.kept.resize(to, 0);
                    let kept = header.kept.get_mut(from..).unwrap_or_default();
                    read_at(bytes, at, kept)?;
                    header.styles.apply(
                        name,
                        kept.get(4..).unwrap_or_default(),
                        header.components.len(),
                        at,
                    )?;
                    quantised |= name == marker::QCD;
                }
                // Those of all tiles one after the other; the codec is given one tile.
                marker::PPM => return Err(unsupported("packet headers packed into the main header")),
                marker::CAP => return Err(unsupported("capabilities of part 15 (high throughput)")),
                marker::SOD | marker::EOC | marker::SIZ => {
                    return Err(malformed(format!("a marker {name:#06X} within the main header"), at));
                }
                // Unknown ones say how long they are.
                _ => {}
            }
            at += 4 + u64::from(len);
        }
        Err(malformed(format!("a main header of more than {MOST_SEGMENTS} segments"), at))
    }

    /// Image and tile sizes (A.5.1).
    fn size(siz: &[u8], len: u16, at: u64) -> Result<Self, FormatError> {
        let number = |index: usize| {
            let from = 2 + 4 * index;
            let bytes = siz.get(from..from + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; 4]);
            u32::from_be_bytes(bytes)
        };
        let components = siz.get(34..36).map_or(0, |two| u16::from_be_bytes([two[0], two[1]]));
        if len < 39 || u32::from(len) != 36 + 3 * u32::from(components) {
            return Err(malformed(format!("{components} components described in {len} bytes"), at));
        }
        if components > MOST_COMPONENTS {
            return Err(unsupported(format!("{components} components: {MOST_COMPONENTS} are the most")));
        }
        let header = Self {
            area: [number(2), number(3), number(0), number(1)],
            tile: [number(4), number(5)],
            origin: [number(6), number(7)],
            step: [1, 1],
            components: vec![Component { bits: 0, signed: false, step: [1, 1] }; usize::from(components)],
            styles: Styles::none(),
            kept: Vec::new(),
            end: 0,
        };
        for axis in 0..2 {
            let (start, end) = (header.area[axis], header.area[axis + 2]);
            let (tile, origin) = (header.tile[axis], header.origin[axis]);
            let fits = start < end
                && end <= i32::MAX as u32
                && tile > 0
                && origin <= start
                && u64::from(origin) + u64::from(tile) > u64::from(start);
            if !fits {
                let problem = format!("an image from {start} to {end} in tiles of {tile} from {origin} on");
                return Err(malformed(problem, at));
            }
        }
        let tiles = u64::from(header.tiles_along(0)) * u64::from(header.tiles_along(1));
        if tiles > MOST_TILES {
            return Err(malformed(format!("{tiles} tiles, of which there are {MOST_TILES} at most"), at));
        }
        Ok(header)
    }

    fn read_components(&mut self, siz: &[u8], at: u64) -> Result<(), FormatError> {
        let records = siz.get(36..).unwrap_or_default().as_chunks::<3>().0;
        for (index, (component, [depth, dx, dy])) in self.components.iter_mut().zip(records).enumerate() {
            let step = [u32::from(*dx), u32::from(*dy)];
            *component = Component { bits: (depth & 0x7F) + 1, signed: depth & 0x80 != 0, step };
            if *dx == 0 || *dy == 0 || component.bits > 38 {
                let problem = format!("component {index} of {} bits in steps of {dx} x {dy}", component.bits);
                return Err(malformed(problem, at));
            }
            if component.bits > 31 {
                return Err(unsupported(format!("components of {} bits", component.bits)));
            }
            self.step =
                if index == 0 { step } else { [0, 1].map(|axis| common(self.step[axis], step[axis])) };
        }
        for (index, component) in self.components.iter().enumerate() {
            let pixels = self.pixels_a_sample(component);
            if pixels.iter().any(|pixels| *pixels > MOST_PIXELS_A_SAMPLE) {
                let [across, down] = pixels;
                return Err(unsupported(format!(
                    "component {index} with a sample for {across} x {down} pixels: {MOST_PIXELS_A_SAMPLE} are the most"
                )));
            }
        }
        let area = [0, 1].map(|axis| Span::new(self.area[axis], self.area[axis + 2]));
        let is_empty =
            |component: &Component| (0..2).any(|axis| component.samples(axis, area[axis]).is_empty());
        if self.components.iter().any(is_empty) {
            return Err(malformed("the image has no samples between the steps of its components", at));
        }
        if !self.keeps_to_tiles(0) {
            let [across, down] = self.tile;
            return Err(unsupported(format!(
                "tiles of {across} x {down} that end between the samples of subsampled components"
            )));
        }
        Ok(())
    }

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

    /// Where tile `index` lies along an axis on the reference grid.
    fn tile_on_grid(&self, axis: usize, index: u32) -> Span {
        let start = u64::from(self.origin[axis]) + u64::from(index) * u64::from(self.tile[axis]);
        let end = (start + u64::from(self.tile[axis])).min(u64::from(self.area[axis + 2]));
        Span::new((start.min(end) as u32).max(self.area[axis]), end as u32)
    }

    /// The samples of a component in tile `index` along an axis, counted from the grid's origin.
    pub(in crate::jp2) fn samples(&self, component: &Component, axis: usize, index: u32, reduce: u8) -> Span {
        let span = component.samples(axis, self.tile_on_grid(axis, index));
        Span::new(ceil_shift(span.start(), u32::from(reduce)), ceil_shift(span.end(), u32::from(reduce)))
    }

    /// Bytes of the decoded tile at this column and row of tiles: all components' planes.
    pub(in crate::jp2) fn tile_bytes(&self, [column, row]: [u32; 2], reduce: u8) -> u64 {
        let plane = |component: &Component| {
            let len = |axis, index| u64::from(self.samples(component, axis, index, reduce).len());
            (len(0, column) * len(1, row)).saturating_mul(component.bytes() as u64)
        };
        self.components.iter().map(plane).fold(0, u64::saturating_add)
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

    /// The packets of the tile at this column and row of tiles.
    pub(in crate::jp2) fn packets<'a>(
        &'a self,
        styles: &'a Styles,
        [column, row]: [u32; 2],
        reduce: u8,
    ) -> Packets<'a> {
        let tile = [self.tile_on_grid(0, column), self.tile_on_grid(1, row)];
        Packets { styles, tile, components: &self.components, reduce }
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

    /// Writes the head of a codestream that has only the tile at these columns and rows of tiles.
    pub(in crate::jp2) fn write_one_tile(&self, column: u32, row: u32, out: &mut Vec<u8>) {
        let (x, y) = (self.tile_on_grid(0, column), self.tile_on_grid(1, row));
        out.extend_from_slice(&super::MAGIC);
        let components = self.components.len() as u16;
        out.extend_from_slice(&(38 + 3 * components).to_be_bytes());
        out.extend_from_slice(&[0, 0]);
        for number in [x.end(), y.end(), x.start(), y.start(), x.len(), y.len(), x.start(), y.start()] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&components.to_be_bytes());
        for component in &self.components {
            let depth = (component.bits - 1) | if component.signed { 0x80 } else { 0 };
            let [dx, dy] = component.step.map(|step| step as u8);
            out.extend_from_slice(&[depth, dx, dy]);
        }
        out.extend_from_slice(&self.kept);
    }
}
