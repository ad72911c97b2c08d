//! Coding styles: how components are cut and coded, as COD, COC and POC segments say (ISO/IEC 15444-1, A.6).

use super::geometry::{AxisStyle, ComponentCount, count_axis};
use super::header::Component;
use super::marker;
use crate::FormatError;
use crate::jp2::{malformed, unsupported};
use plimsoll_core::shape::Span;

/// The most resolutions of a component.
const MOST_RESOLUTIONS: usize = 33;

/// The code-block style bit of high-throughput coding (ISO/IEC 15444-15, A.4), and the one that may stand beside it: context
/// that does not reach into the next four rows.
pub(super) const HIGH_THROUGHPUT: u8 = 0x40;
const CAUSAL: u8 = 0x08;

/// The most changes of the progression order of a tile.
const MOST_CHANGES: usize = 32;

/// One component's style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jp2) struct ComponentStyle {
    /// Decompositions: resolutions but one.
    pub(in crate::jp2) levels: u8,
    /// Width and height of a code-block as powers of two.
    pub(in crate::jp2) block: [u8; 2],
    /// Code-block style bits.
    pub(in crate::jp2) bits: u8,
    /// 5/3 and not 9/7.
    pub(in crate::jp2) reversible: bool,
    /// Width and height of precincts as powers of two, for each resolution.
    precincts: [[u8; MOST_RESOLUTIONS]; 2],
}

/// A change of the progression order (A.6.6): what is left of these packets comes next, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jp2) struct Change {
    /// From this resolution up to before that one.
    pub(in crate::jp2) resolutions: (u8, u8),
    /// From this component up to before that one.
    pub(in crate::jp2) components: (u16, u16),
    /// Up to before this layer.
    pub(in crate::jp2) layers: u16,
    /// The progression order's number.
    pub(in crate::jp2) progression: u8,
}

/// The styles of all components of a tile.
#[derive(Clone, Debug)]
pub(in crate::jp2) struct Styles {
    /// Quality layers.
    pub(in crate::jp2) layers: u16,
    /// The progression order's number.
    pub(in crate::jp2) progression: u8,
    /// The first three components are transformed together.
    pub(in crate::jp2) transform: bool,
    /// Packets may be preceded by markers.
    pub(in crate::jp2) marks: bool,
    /// Packets' headers may be followed by markers.
    pub(in crate::jp2) ends: bool,
    /// A region of interest is coded first: its samples are shifted up.
    shifted: bool,
    /// Changes of the progression order.
    pub(in crate::jp2) changes: Vec<Change>,
    /// As many as the image has.
    pub(in crate::jp2) components: Vec<ComponentStyle>,
    /// Who said so of each of them.
    said_by: Vec<Said>,
    /// Whether what is said now is said of a tile.
    of_tile: bool,
}

/// Who says how a component is coded: what is later in this list overrides what is earlier, wherever both stand
/// (A.6.1, A.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    /// Nobody yet.
    ByNobody,
    /// The main header of all components.
    OfAll,
    /// The main header of this one.
    OfIt,
    /// The tile's of all components.
    OfAllInTile,
    /// The tile's of this one.
    OfItInTile,
}

impl Styles {
    /// None yet of so many components.
    pub(in crate::jp2) fn none(components: usize) -> Self {
        let style =
            ComponentStyle { levels: 0, block: [2; 2], bits: 0, reversible: true, precincts: [[15; _]; 2] };
        Self {
            layers: 0,
            progression: 0,
            transform: false,
            marks: false,
            ends: false,
            shifted: false,
            changes: Vec::new(),
            components: vec![style; components],
            said_by: vec![Said::ByNobody; components],
            of_tile: false,
        }
    }

    /// Whether there is one for every component.
    pub(in crate::jp2) fn are_said(&self) -> bool {
        self.layers > 0
    }

    /// The same for a tile, whose heads may say otherwise.
    pub(in crate::jp2) fn of_tile(&self) -> Self {
        Self { of_tile: true, ..self.clone() }
    }

    /// Takes over what a segment of a header says, if it is about styles.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] for what cannot be, [`FormatError::Unsupported`] for high-throughput
    /// blocks in several layers, beside others or with a region of interest.
    pub(in crate::jp2) fn apply(&mut self, name: u16, data: &[u8], offset: u64) -> Result<(), FormatError> {
        let components = self.components.len();
        let short =
            || malformed(format!("a segment {name:#06X} of {} bytes is too short", data.len()), offset);
        match name {
            marker::COD => {
                let [how, progression, layers_high, layers_low, transform, rest @ ..] = data else {
                    return Err(short());
                };
                self.layers = u16::from_be_bytes([*layers_high, *layers_low]);
                self.progression = *progression;
                self.transform = *transform != 0;
                (self.marks, self.ends) = (how & 2 != 0, how & 4 != 0);
                if self.layers == 0 || *progression > 4 {
                    let problem = format!("{} layers in progression order {progression}", self.layers);
                    return Err(malformed(problem, offset));
                }
                let style = ComponentStyle::parse(how & 1 != 0, rest, offset)?;
                let said = if self.of_tile { Said::OfAllInTile } else { Said::OfAll };
                for (place, before) in self.components.iter_mut().zip(&mut self.said_by) {
                    if said >= *before {
                        (*place, *before) = (style, said);
                    }
                }
            }
            marker::COC => {
                let (component, rest) = if components < 257 {
                    let [component, rest @ ..] = data else { return Err(short()) };
                    (usize::from(*component), rest)
                } else {
                    let [high, low, rest @ ..] = data else { return Err(short()) };
                    (usize::from(u16::from_be_bytes([*high, *low])), rest)
                };
                let [how, rest @ ..] = rest else { return Err(short()) };
                let style = ComponentStyle::parse(how & 1 != 0, rest, offset)?;
                let said = if self.of_tile { Said::OfItInTile } else { Said::OfIt };
                match (self.components.get_mut(component), self.said_by.get_mut(component)) {
                    (Some(place), Some(before)) => (*place, *before) = (style, said),
                    _ => {
                        let problem = format!("a style of component {component} of {components}");
                        return Err(malformed(problem, offset));
                    }
                }
            }
            marker::RGN => self.shifted |= data.last().is_some_and(|shift| *shift > 0),
            marker::POC => {
                // There are fewer than 257 components: each change has 7 bytes.
                let (changes, rest) = data.as_chunks::<7>();
                if changes.is_empty() || !rest.is_empty() || self.changes.len() + changes.len() > MOST_CHANGES
                {
                    let problem = format!("changes of the progression order in {} bytes", data.len());
                    return Err(malformed(problem, offset));
                }
                self.changes.extend(changes.iter().map(Change::parse));
            }
            _ => {}
        }
        // The codec takes passes of a later layer for those of the first.
        if self.layers > 1 && self.high_throughput() {
            return Err(unsupported(format!("high-throughput coding in {} layers", self.layers)));
        }
        if self.shifted && self.high_throughput() {
            return Err(unsupported("high-throughput coding with a region of interest"));
        }
        Ok(())
    }

    /// Whether some of it is of high throughput.
    pub(in crate::jp2) fn high_throughput(&self) -> bool {
        self.components.iter().any(|style| style.bits & HIGH_THROUGHPUT != 0)
    }

    /// The fewest decompositions of a component: so many resolutions can be left out.
    pub(in crate::jp2) fn fewest_levels(&self) -> u8 {
        self.components.iter().map(|style| style.levels).min().unwrap_or(0)
    }

    /// Whether two components are coded alike.
    pub(in crate::jp2) fn same(&self, a: usize, b: usize) -> bool {
        self.components.get(a) == self.components.get(b)
    }

    /// Whether all of it is reversible.
    pub(in crate::jp2) fn reversible(&self) -> bool {
        self.components.iter().all(|style| style.reversible)
    }

    /// Whether coding passes may end on their own (code-block style bits 0 and 2, table A.19; high throughput).
    pub(in crate::jp2) fn segments(&self) -> bool {
        self.components.iter().any(|style| style.bits & (0b101 | HIGH_THROUGHPUT) != 0)
    }

    /// The progression order's name (table A.16).
    pub(in crate::jp2) fn progression_name(&self) -> &'static str {
        ["LRCP", "RLCP", "RPCL", "PCRL", "CPRL"].get(usize::from(self.progression)).unwrap_or(&"unknown")
    }

    /// Whether packets may be ordered by their place (progression orders 2 to 4).
    pub(in crate::jp2) fn by_position(&self) -> bool {
        self.progression >= 2 || !self.changes.is_empty()
    }

    /// How often packets are looked for: once in each order.
    pub(in crate::jp2) fn orders(&self) -> u64 {
        self.changes.len() as u64 + 1
    }

    /// Counts of component `index` over tiles that lie at `columns` and `rows` of its samples.
    pub(in crate::jp2) fn count(
        &self,
        index: usize,
        columns: impl Iterator<Item = Span>,
        rows: impl Iterator<Item = Span>,
    ) -> ComponentCount {
        let Some(style) = self.components.get(index) else { return ComponentCount::default() };
        let resolutions = usize::from(style.levels) + 1;
        let [x, y] = &style.precincts;
        let axis =
            |axis: &'_ [u8; MOST_RESOLUTIONS], block| AxisCountStyle { precincts: *axis, resolutions, block };
        let (x, y) = (axis(x, style.block[0]), axis(y, style.block[1]));
        ComponentCount::new(&count_axis(columns, x.style()), &count_axis(rows, y.style()))
    }

    /// The smallest step of a precinct of these components along both axes of the reference grid: how finely positions
    /// are walked.
    pub(in crate::jp2) fn finest_steps(&self, components: &[Component]) -> [u64; 2] {
        let mut finest = [u64::MAX; 2];
        for (style, component) in self.components.iter().zip(components) {
            for (axis, finest) in finest.iter_mut().enumerate() {
                for resolution in 0..=style.levels {
                    let down = u32::from(style.levels - resolution);
                    let step = u64::from(component.step[axis]) << (style.precinct(resolution)[axis] + down);
                    *finest = step.min(*finest);
                }
            }
        }
        finest
    }
}

impl Change {
    /// One entry of a POC.
    fn parse([resolution, component, high, low, resolutions, components, progression]: &[u8; 7]) -> Self {
        Self {
            resolutions: (*resolution, *resolutions),
            components: (u16::from(*component), u16::from(*components)),
            layers: u16::from_be_bytes([*high, *low]),
            progression: *progression,
        }
    }
}

/// An axis of a style, owned.
struct AxisCountStyle {
    precincts: [u8; MOST_RESOLUTIONS],
    resolutions: usize,
    block: u8,
}

impl AxisCountStyle {
    fn style(&self) -> AxisStyle<'_> {
        AxisStyle { precincts: self.precincts.get(..self.resolutions).unwrap_or(&[]), block: self.block }
    }
}

impl ComponentStyle {
    /// Width and height of precincts of a resolution as powers of two.
    pub(in crate::jp2) fn precinct(&self, resolution: u8) -> [u32; 2] {
        self.precincts
            .each_ref()
            .map(|axis| axis.get(usize::from(resolution)).map_or(15, |bits| u32::from(*bits)))
    }

    /// The parameters of a COD or COC (table A.15, A.20), with sizes of precincts if `sized`.
    fn parse(sized: bool, data: &[u8], offset: u64) -> Result<Self, FormatError> {
        let [levels, width, height, bits, transform, sizes @ ..] = data else {
            return Err(malformed("a coding style is cut short", offset));
        };
        if *levels > 32 {
            return Err(malformed(format!("{levels} decompositions, of which there are 32 at most"), offset));
        }
        // 4 to 1024 samples a side, 4096 in all.
        if *width > 8 || *height > 8 || width + height > 8 {
            let problem =
                format!("code-blocks of 2^{} x 2^{} samples", u32::from(*width) + 2, u32::from(*height) + 2);
            return Err(malformed(problem, offset));
        }
        if bits & HIGH_THROUGHPUT != 0 && bits & !(HIGH_THROUGHPUT | CAUSAL) != 0 {
            return Err(unsupported(format!("high-throughput coding with code-block style {bits:#04x}")));
        }
        if *bits > 0x7F || *transform > 1 {
            return Err(malformed(format!("code-block style {bits:#04x}, transform {transform}"), offset));
        }
        let mut precincts = [[15; MOST_RESOLUTIONS]; 2];
        if sized {
            for resolution in 0..=usize::from(*levels) {
                let Some(size) = sizes.get(resolution) else {
                    return Err(malformed("the sizes of precincts are cut short", offset));
                };
                let (x, y) = (size & 15, size >> 4);
                if resolution > 0 && (x == 0 || y == 0) {
                    return Err(malformed("a precinct of one sample above the smallest resolution", offset));
                }
                for (axis, value) in precincts.iter_mut().zip([x, y]) {
                    if let Some(place) = axis.get_mut(resolution) {
                        *place = value;
                    }
                }
            }
        }
        let block = [width + 2, height + 2];
        Ok(Self { levels: *levels, block, bits: *bits, reversible: *transform == 1, precincts })
    }
}
