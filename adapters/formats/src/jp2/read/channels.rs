//! From decoded components to bands: component mapping, palettes, channel order, and the kind of samples.

use super::ycc::Ycc;
use crate::FormatError;
use crate::jp2::boxes::{Boxes, Channel, Palette};
use crate::jp2::codestream::header::Component;
use crate::jp2::malformed;
use plimsoll_core::shape::SampleKind;

/// How bands are made.
#[derive(Clone, Debug)]
pub(super) struct Channels {
    /// Where each band comes from.
    pub(super) bands: Vec<Channel>,
    pub(super) palette: Option<Palette>,
    /// Where the first three are luma and chroma, which become RGB.
    pub(super) ycc: Option<Ycc>,
    /// The kind of all samples.
    pub(super) kind: SampleKind,
    /// What the bands mean.
    pub(super) colour: &'static str,
}

impl Channels {
    /// From the boxes of a file, if it has some.
    ///
    /// # Errors
    /// [`FormatError::Malformed`] for channels of components or columns that are not there.
    pub(super) fn new(components: &[Component], boxes: Option<&Boxes>, at: u64) -> Result<Self, FormatError> {
        let direct = |component| Channel { component, column: None };
        let mut bands: Vec<Channel> = (0..components.len()).map(direct).collect();
        let palette = boxes.and_then(|boxes| boxes.palette.clone());
        if let Some(boxes) = boxes
            && let Some(palette) = &palette
        {
            // A palette without a mapping is that of the first component.
            bands = if boxes.channels.is_empty() {
                (0..palette.columns()).map(|column| Channel { component: 0, column: Some(column) }).collect()
            } else {
                boxes.channels.clone()
            };
            let columns = palette.columns();
            let wrong = |band: &&Channel| {
                band.component >= components.len() || band.column.is_some_and(|column| column >= columns)
            };
            if let Some(band) = bands.iter().find(wrong) {
                let problem =
                    format!("a channel of component {} and column {:?}", band.component, band.column);
                return Err(malformed(problem, at));
            }
        }
        let mut alpha = false;
        if let Some(boxes) = boxes {
            alpha = boxes.definitions.iter().any(|[_, kind, _]| matches!(kind, 1 | 2));
            bands = in_order(bands, &boxes.definitions);
        }
        let kind = kind_of(components, &bands, palette.as_ref());
        let said = boxes.is_some_and(|boxes| boxes.colour == Some(18));
        // Nobody thins out red, green and blue: OpenJPEG's own program takes three components with fewer samples in the
        // second for luma and chroma, whatever is said about them, and its coder says RGB of such.
        let thinned = matches!(components, [first, second, _] if first.step == [1, 1] && second.step[0] != 1);
        let is_ycc = (said || thinned) && palette.is_none();
        let ycc = if is_ycc { ycc_of(components, &bands, kind) } else { None };
        let colour = match (boxes.and_then(|boxes| boxes.colour), bands.len()) {
            _ if palette.is_some() => "palette",
            _ if is_ycc && ycc.is_none() => "ycc",
            (Some(12), _) => "cmyk",
            (_, 1) => "grey",
            (_, 2) => "grey+alpha",
            (_, 3) => "rgb",
            (_, 4) if alpha || boxes.is_none_or(|boxes| matches!(boxes.colour, Some(16 | 18))) => "rgb+alpha",
            _ => "several",
        };
        Ok(Self { bands, palette, ycc, kind, colour })
    }
}

/// Colour channels in the order of their association, others after them (I.5.3.6).
fn in_order(bands: Vec<Channel>, definitions: &[[u16; 3]]) -> Vec<Channel> {
    if definitions.len() != bands.len() {
        return bands;
    }
    let mut places: Vec<(u32, u16)> = definitions
        .iter()
        .map(|[channel, kind, association]| match (kind, association) {
            (0, 1..=0xFFFE) => (u32::from(*association), *channel),
            _ => (0x1_0000 + u32::from(*channel), *channel),
        })
        .collect();
    places.sort_unstable();
    let ordered: Option<Vec<Channel>> =
        places.iter().map(|(_, channel)| bands.get(usize::from(*channel)).copied()).collect();
    let mut named: Vec<u16> = places.iter().map(|(_, channel)| *channel).collect();
    named.sort_unstable();
    named.dedup();
    // A definition that names a channel twice orders nothing.
    ordered.filter(|_| named.len() == bands.len()).unwrap_or(bands)
}

/// How luma and chroma become RGB: where there are three bands of the same depth, without sign, chroma with a sample for
/// each pixel, each second one or each square of four, and no other band makes them anything but whole numbers of 8 or
/// 16 bits.
fn ycc_of(components: &[Component], bands: &[Channel], kind: SampleKind) -> Option<Ycc> {
    if !matches!(kind, SampleKind::U8 | SampleKind::U16) {
        return None;
    }
    let [first, second, third, ..] = bands else { return None };
    let [first, second, third] = [first, second, third].map(|band| components.get(band.component));
    let first = first.filter(|component| !component.signed && component.bits <= 16)?;
    let alike = [second, third].into_iter().flatten().filter(|chroma| {
        let spread = matches!((first.step, chroma.step), ([1, 1], [2, 1 | 2])) || chroma.step == first.step;
        chroma.bits == first.bits && !chroma.signed && spread
    });
    (alike.count() == 2 && second?.step == third?.step).then_some(Ycc { bits: first.bits })
}

/// The smallest kind that holds all bands exactly.
fn kind_of(components: &[Component], bands: &[Channel], palette: Option<&Palette>) -> SampleKind {
    let (mut bits, mut signed_bits) = (0, 0);
    for band in bands {
        match (band.column, palette, components.get(band.component)) {
            (Some(_), Some(palette), _) => bits = bits.max(palette.bits),
            (_, _, Some(component)) if component.signed => signed_bits = signed_bits.max(component.bits),
            (_, _, Some(component)) => bits = bits.max(component.bits),
            _ => {}
        }
    }
    match (bits, signed_bits) {
        (0..=8, 0) => SampleKind::U8,
        (9..=16, 0) => SampleKind::U16,
        (_, 0) => SampleKind::U32,
        (0..=15, 1..=16) => SampleKind::I16,
        _ => SampleKind::I32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_made_rgb_is_not_called_so() {
        let luma = Component { bits: 8, signed: false, step: [1, 1] };
        let boxes = Boxes {
            codestream: (0, 1),
            colour: Some(18),
            icc_bytes: 0,
            palette: None,
            channels: Vec::new(),
            definitions: Vec::new(),
            resolution: None,
        };
        let of = |components: &[Component]| {
            let channels = Channels::new(components, Some(&boxes), 0).unwrap();
            (channels.kind, channels.ycc.is_some(), channels.colour)
        };
        assert_eq!(of(&[luma; 3]), (SampleKind::U8, true, "rgb"));
        assert_eq!(of(&[luma; 4]), (SampleKind::U8, true, "rgb+alpha"));
        let deep = Component { bits: 12, ..luma };
        assert_eq!(of(&[luma, luma, luma, deep]), (SampleKind::U16, true, "rgb+alpha"));
        let signed = Component { signed: true, ..luma };
        assert_eq!(of(&[luma, luma, luma, signed]), (SampleKind::I16, false, "ycc"));
        let wide = Component { bits: 20, ..luma };
        assert_eq!(of(&[luma, luma, luma, wide]), (SampleKind::U32, false, "ycc"));
        let thin = Component { step: [2, 2], ..signed };
        assert_eq!(of(&[signed, thin, thin]).2, "ycc");
        assert_eq!(of(&[luma; 2]).2, "ycc");
    }
}
