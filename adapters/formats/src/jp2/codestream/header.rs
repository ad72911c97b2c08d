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
}

/// A main header.
#[derive(Clone, Debug)]
pub(in crate::jp2) struct Header {
    /// Left, top, right, bottom of the image on the reference grid.
    area: [u32; 4],
    /// Size of a tile, and where the first one begins.
    tile: [u32; 2],
    origin: [u32; 2],
    /// Steps of all components' samples on the grid.
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
            components: vec![Component { bits: 0, signed: false }; usize::from(components)],
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
            *component = Component { bits: (depth & 0x7F) + 1, signed: depth & 0x80 != 0 };
            if *dx == 0 || *dy == 0 || component.bits > 38 {
                let problem = format!("component {index} of {} bits in steps of {dx} x {dy}", component.bits);
                return Err(malformed(problem, at));
            }
            if component.bits > 31 {
                return Err(unsupported(format!("components of {} bits", component.bits)));
            }
            let step = [u32::from(*dx), u32::from(*dy)];
            if index == 0 {
                self.step = step;
            } else if step != self.step {
                return Err(unsupported("components of different sizes (subsampled colour)"));
            }
        }
        if self.cols(0) == 0 || self.rows(0) == 0 {
            return Err(malformed("the image has no samples between the steps of its components", at));
        }
        Ok(())
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

    /// The same in samples of a component, counted from the grid's origin.
    fn tile_samples(&self, axis: usize, index: u32) -> Span {
        let span = self.tile_on_grid(axis, index);
        Span::new(span.start().div_ceil(self.step[axis]), span.end().div_ceil(self.step[axis]))
    }

    /// First sample of the image along an axis with `reduce` resolutions left out.
    fn first(&self, axis: usize, reduce: u8) -> u32 {
        ceil_shift(self.area[axis].div_ceil(self.step[axis]), u32::from(reduce))
    }

    /// Columns or rows of tile `index` along an axis, in the image as it is given.
    pub(in crate::jp2) fn tile_span(&self, axis: usize, index: u32, reduce: u8) -> Span {
        let span = self.tile_samples(axis, index);
        let (reduce, first) = (u32::from(reduce), self.first(axis, reduce));
        Span::new(ceil_shift(span.start(), reduce) - first, ceil_shift(span.end(), reduce) - first)
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
        &self,
        styles: &'a Styles,
        [column, row]: [u32; 2],
        reduce: u8,
    ) -> Packets<'a> {
        let tile = [self.tile_samples(0, column), self.tile_samples(1, row)];
        Packets { styles, tile, components: self.components.len(), reduce }
    }

    /// The most that any tile of these `styles` has, of `bytes` compressed bytes in `parts` parts.
    pub(in crate::jp2) fn count(&self, styles: &Styles, reduce: u8, bytes: u64, parts: u64) -> TileCount {
        let all = [Span::new(0, self.tiles_along(0)), Span::new(0, self.tiles_along(1))];
        self.count_of(all, styles, reduce, bytes, parts)
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
        let spans = |axis: usize| tiles[axis].iter().map(move |index| self.tile_samples(axis, index));
        let longest = |axis: usize, reduce: u8| {
            tiles[axis].iter().map(|index| self.tile_span(axis, index, reduce).len()).max().unwrap_or(0)
        };
        let components = self.components.len() as u64;
        let mut count = TileCount {
            samples: u64::from(longest(0, reduce)) * u64::from(longest(1, reduce)) * components,
            layers: u64::from(styles.layers),
            segments: styles.segments(),
            side: u64::from(longest(0, 0).max(longest(1, 0))),
            components,
            bytes,
            parts,
            ..TileCount::default()
        };
        let (mut most_precincts, mut resolutions) = (0, 0);
        let mut known: Option<(usize, ComponentCount)> = None;
        for index in 0..self.components.len() {
            // Most files have one style for all components.
            let component = match known {
                Some((first, component)) if styles.same(first, index) => component,
                _ => styles.count(index, spans(0), spans(1)),
            };
            known = Some((index, component));
            count.blocks = count.blocks.saturating_add(component.blocks);
            count.band_precincts = count.band_precincts.saturating_add(component.band_precincts);
            count.packets =
                count.packets.saturating_add(component.precincts.saturating_mul(u64::from(styles.layers)));
            most_precincts = most_precincts.max(component.most_precincts);
            let levels = styles.components.get(index).map_or(0, |style| u64::from(style.levels));
            resolutions = resolutions.max(levels + 1);
        }
        count.positions = components.saturating_mul(resolutions).saturating_mul(most_precincts);
        if styles.by_position() {
            let [across, down] = styles.finest_steps();
            let steps = |axis: usize, bits: u32| (u64::from(longest(axis, 0)) >> bits.min(63)) + 2;
            count.walked = steps(0, across)
                .saturating_mul(steps(1, down))
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
            out.extend_from_slice(&[depth, self.step[0] as u8, self.step[1] as u8]);
        }
        out.extend_from_slice(&self.kept);
    }
}
