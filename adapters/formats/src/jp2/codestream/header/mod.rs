//! The main header: image and tile sizes, and the segments that a tile's codestream needs from it.

mod component;
mod count;
mod grid;
mod kept;

use super::marker;
use super::packed::PackedHeaders;
use super::passes::Packets;
use super::style::Styles;
use crate::jp2::{malformed, read_at, unsupported};
use crate::{Bytes, FormatError};
pub(in crate::jp2) use component::Component;
pub(in crate::jp2) use kept::{Kept, MOST_KEPT_BYTES, is_kept};
use plimsoll_core::shape::Span;

/// The most components.
pub(in crate::jp2) const MOST_COMPONENTS: u16 = 32;

/// The most pixels along an axis that a sample may stand for: colours are thinned out by 2 or 4, and what a few samples
/// become must be in proportion to them.
const MOST_PIXELS_A_SAMPLE: u32 = 16;

/// The most segments of a header: comments and tables of lengths may be many.
const MOST_SEGMENTS: u32 = 1 << 14;

/// The most tiles (ISO/IEC 15444-1, A.5.1).
pub(in crate::jp2) const MOST_TILES: u64 = 65535;

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
    /// Segments that tiles need, those about all components first.
    pub(in crate::jp2) kept: Vec<u8>,
    /// Headers of packets that stand here and not with their packets.
    pub(in crate::jp2) packed: PackedHeaders,
    /// Where the first tile-part begins.
    pub(in crate::jp2) end: u64,
}

/// Whether a segment says nothing about how packets are decoded.
pub(in crate::jp2) fn is_skipped(name: u16) -> bool {
    matches!(name, marker::TLM | marker::PLM | marker::PLT | marker::CRG | marker::COM)
}

/// The greatest common divisor.
fn common(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common(b, a % b) }
}

/// The bit of a set of capabilities that says part 15 of the standard: high throughput.
const PART_15: u32 = 1 << (32 - 15);

/// Refuses capabilities (A.5.2) beyond high throughput, of which the styles say whether it is used.
fn capabilities(bytes: &Bytes, at: u64, len: u16) -> Result<(), FormatError> {
    let mut parts = [0u8; 4];
    if len < 4 {
        return Err(malformed(format!("capabilities in {len} bytes"), at));
    }
    read_at(bytes, at + 4, &mut parts)?;
    match u32::from_be_bytes(parts) & !PART_15 {
        0 => Ok(()),
        others => Err(unsupported(format!("capabilities of other parts of the standard ({others:#010X})"))),
    }
}

/// The head of a segment: its marker, the length of its data, and where the next one begins.
pub(in crate::jp2) fn segment(bytes: &Bytes, at: u64) -> Result<(u16, u16, u64), FormatError> {
    let mut head = [0u8; 4];
    read_at(bytes, at, &mut head[..2])?;
    let name = u16::from_be_bytes([head[0], head[1]]);
    if matches!(name, marker::SOD | marker::EOC | marker::FIRST_BARE..=marker::LAST_BARE) {
        return Ok((name, 0, at + 2));
    }
    read_at(bytes, at, &mut head)?;
    let len = u16::from_be_bytes([head[2], head[3]]);
    if name < 0xFF00 {
        return Err(malformed(format!("{name:#06X} where a marker is due"), at));
    }
    match len.checked_sub(2) {
        Some(len) => Ok((name, len, at + 4 + u64::from(len))),
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
        let (_, len, next) = segment(bytes, at)?;
        let mut siz = [0u8; 36 + 3 * MOST_COMPONENTS as usize];
        let fixed = siz.get_mut(..36.min(usize::from(len))).unwrap_or_default();
        read_at(bytes, at + 4, fixed)?;
        let mut header = Self::size(&siz, len, at)?;
        read_at(bytes, at + 4, siz.get_mut(..usize::from(len)).unwrap_or_default())?;
        header.read_components(&siz, at)?;
        at = next;
        let (mut quantised, mut kept) = (false, Kept::new(0));
        for _ in 0..MOST_SEGMENTS {
            let (name, len, next) = segment(bytes, at)?;
            match name {
                marker::SOT => {
                    if !header.styles.are_said() || !quantised {
                        return Err(malformed(
                            "no coding style or no quantisation stands before the first tile",
                            at,
                        ));
                    }
                    header.end = at;
                    return Ok(header);
                }
                name if is_kept(name) => {
                    if header.kept.len() + 4 + usize::from(len) > MOST_KEPT_BYTES {
                        return Err(unsupported(format!("a header of more than {MOST_KEPT_BYTES} bytes")));
                    }
                    let segment = kept.add(bytes, (at, name, len), &mut header.kept)?;
                    header.styles.apply(name, segment, at)?;
                    quantised |= name == marker::QCD;
                }
                marker::PPM => header.packed.add(bytes, at, len)?,
                marker::CAP => capabilities(bytes, at, len)?,
                marker::SOD | marker::EOC | marker::SIZ => {
                    return Err(malformed(format!("a marker {name:#06X} within the main header"), at));
                }
                // Unknown ones say how long they are.
                _ => {}
            }
            at = next;
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
            styles: Styles::none(usize::from(components)),
            kept: Vec::new(),
            packed: PackedHeaders::default(),
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
        let tiles = header.tiles();
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
        Ok(())
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
