//! What another file says beside its pixels, as far as boxes hold it: profile, XMP and resolution.

use super::settings::{Extras, Resolution};
use crate::{FormatError, Metadata};
use std::sync::Arc;

/// Tags of TIFF that have a place here.
mod tag {
    pub(super) const X_RESOLUTION: u16 = 282;
    pub(super) const Y_RESOLUTION: u16 = 283;
    pub(super) const RESOLUTION_UNIT: u16 = 296;
    pub(super) const XMP: u16 = 700;
    pub(super) const ICC_PROFILE: u16 = 34675;
}

/// The most bytes of a profile or of XMP that go along: they are read while the plan is made.
const MOST_CARRIED_BYTES: u64 = 2 << 20;

/// The extras among `metadata`'s fields, for a picture of `bands`; what cannot be read or does not fit is left out.
pub(super) fn carried(metadata: &dyn Metadata, bands: u16) -> Option<Extras> {
    let read = |tag: u16| field(metadata, tag).ok().flatten();
    let icc = read(tag::ICC_PROFILE).filter(|profile| is_for(profile, bands)).map(Arc::from);
    let xmp = read(tag::XMP).map(Arc::from);
    // Points a metre from points an inch, which is the usual unit, or a centimetre; others are none (TIFF 6.0).
    let scale = match read(tag::RESOLUTION_UNIT).as_deref() {
        None | Some([2, 0, ..]) => Some(1.0 / 0.0254),
        Some([3, 0, ..]) => Some(100.0),
        _ => None,
    };
    let along = |tag| Some(fraction(&read(tag)?)? * scale?);
    let resolution = along(tag::Y_RESOLUTION)
        .zip(along(tag::X_RESOLUTION))
        .map(|(down, across)| Resolution { down, across });
    let some = icc.is_some() || xmp.is_some() || resolution.is_some();
    some.then_some(Extras { icc, resolution, xmp })
}

/// The bytes of a field's values, if it is there and not too long.
fn field(metadata: &dyn Metadata, tag: u16) -> Result<Option<Vec<u8>>, FormatError> {
    let found = metadata.fields().iter().enumerate().find(|(_, field)| field.tag == tag);
    let Some((index, field)) = found.filter(|(_, field)| field.bytes() <= MOST_CARRIED_BYTES) else {
        return Ok(None);
    };
    let mut bytes = vec![0; field.bytes() as usize];
    metadata.read(index, 0, &mut bytes)?;
    Ok(Some(bytes))
}

/// Whether a profile's colours (ICC.1:2010, 7.2.6) are as many as the picture's, the last of an even number of bands
/// being opacity.
fn is_for(profile: &[u8], bands: u16) -> bool {
    match profile.get(16..20) {
        Some(b"GRAY") => bands <= 2,
        Some(b"RGB ") => bands >= 3,
        _ => false,
    }
}

/// A positive fraction of two 32-bit numbers.
fn fraction(bytes: &[u8]) -> Option<f64> {
    let (over, under) = bytes.get(..8)?.split_first_chunk::<4>()?;
    let (over, under) = (u32::from_le_bytes(*over), u32::from_le_bytes(*under.first_chunk()?));
    (over > 0 && under > 0).then(|| f64::from(over) / f64::from(under))
}
