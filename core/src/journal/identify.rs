//! What the first bytes of an image say of the flash that it came from.

use super::flash::Geometry;
use super::page::{Header, Parsed};

/// How many bytes of a sector [`identify`] wants.
pub const HEADER_BYTES: usize = 64;

/// The geometry of the flash whose sector begins with these bytes, if it is a sector of a journal.
///
/// A sector may be free, torn or retired; a tool tries the places where other sectors could begin.
pub fn identify(start: &[u8]) -> Option<Geometry> {
    let Parsed::Header(header) = Header::parse(start) else { return None };
    let sector_bytes = 1u32.checked_shl(header.sector_log2.into())?;
    Some(Geometry {
        capacity_bytes: sector_bytes.checked_mul(header.sectors.into())?,
        sector_bytes,
        word_bytes: 1u32.checked_shl(header.word_log2.into())?,
        erased: header.erased,
    })
}
