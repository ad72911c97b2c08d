//! Where the tile-parts are (ISO/IEC 15444-1, A.4.2): a walk from one to the next, 12 bytes read of each.

use super::{Header, marker};
use crate::jp2::{malformed, read_at, unsupported};
use crate::{Bytes, FormatError};

/// The most tile-parts of a file.
const MOST_PARTS: u64 = 1 << 20;

/// Bytes of a start-of-tile segment with its marker.
pub(in crate::jp2) const SOT_BYTES: u64 = 12;

/// One tile-part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::jp2) struct Part {
    /// The tile it belongs to.
    pub(in crate::jp2) tile: u16,
    /// Where its start-of-tile marker is.
    pub(in crate::jp2) offset: u64,
    /// Its bytes, from that marker on.
    pub(in crate::jp2) bytes: u32,
}

/// Walks over the tile-parts from `at` on, up to `end`. Ends at the end-of-codestream marker, or where the bytes end
/// right after a tile-part.
///
/// # Errors
/// [`FormatError::Malformed`] for a tile-part that is none or reaches beyond `end`; what `each` gives.
pub(in crate::jp2) fn walk(
    bytes: &Bytes,
    mut at: u64,
    end: u64,
    tiles: u64,
    mut each: impl FnMut(Part) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    if at > end {
        return Err(malformed(format!("the codestream ends at byte {end}, within its main header"), at));
    }
    for count in 0.. {
        if at == end {
            return Ok(());
        }
        let mut name = [0u8; 2];
        read_at(bytes, at, &mut name)?;
        let name = u16::from_be_bytes(name);
        if name == marker::EOC {
            return Ok(());
        }
        if count >= MOST_PARTS {
            return Err(unsupported(format!("more than {MOST_PARTS} tile-parts")));
        }
        let mut sot = [0u8; SOT_BYTES as usize];
        read_at(bytes, at, &mut sot)?;
        let [_, _, len_high, len_low, tile_high, tile_low, a, b, c, d, ..] = sot;
        let tile = u16::from_be_bytes([tile_high, tile_low]);
        if name != marker::SOT || [len_high, len_low] != [0, 10] || u64::from(tile) >= tiles {
            return Err(malformed(format!("no tile-part of one of {tiles} tiles begins here"), at));
        }
        let stated = u64::from(u32::from_be_bytes([a, b, c, d]));
        // The last one may leave it open: it reaches to the end of the codestream.
        let part_bytes = if stated == 0 { (end - at).saturating_sub(2) } else { stated };
        if part_bytes < SOT_BYTES + 2 || part_bytes > end - at {
            let problem = format!("a tile-part of {part_bytes} bytes where {} are left", end - at);
            return Err(malformed(problem, at));
        }
        let part_bytes =
            u32::try_from(part_bytes).map_err(|_| unsupported("a tile-part of more than 4 GiB"))?;
        each(Part { tile, offset: at, bytes: part_bytes })?;
        if stated == 0 {
            return Ok(());
        }
        at += stated;
    }
    Ok(())
}

/// What the tile-parts come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::jp2) struct Totals {
    /// Tile-parts.
    pub(in crate::jp2) parts: u64,
    /// The most of one tile.
    pub(in crate::jp2) most_parts: u64,
    /// The most bytes of one tile's parts, with what stands in the main header for them.
    pub(in crate::jp2) most_bytes: u64,
    /// Segments of packets' headers in the main header.
    pub(in crate::jp2) packed_segments: u64,
}

/// Adds up all tile-parts. Holds 8 bytes for each tile while it does.
///
/// # Errors
/// As [`walk`], and [`FormatError::Malformed`] if a tile has none, or a tile-part none of the packets' headers that stand in
/// the main header.
pub(in crate::jp2) fn totals(bytes: &Bytes, header: &Header, end: u64) -> Result<Totals, FormatError> {
    let (at, tiles) = (header.end, header.tiles());
    let mut of_tile = vec![(0u32, 0u32); tiles as usize];
    let mut parts = 0;
    let mut overflow = false;
    let packed_segments = header.packed.segments();
    let mut shares = header.packed.shares();
    walk(bytes, at, end, tiles, |part| {
        parts += 1;
        let packed = if packed_segments > 0 { shares.next(bytes, part.offset)?.bytes } else { 0 };
        if let Some((parts, bytes)) = of_tile.get_mut(usize::from(part.tile)) {
            *parts += 1;
            match bytes.checked_add(part.bytes).and_then(|bytes| bytes.checked_add(packed)) {
                Some(sum) => *bytes = sum,
                None => overflow = true,
            }
        }
        Ok(())
    })?;
    if overflow {
        return Err(unsupported("a tile of more than 4 GiB"));
    }
    if let Some(tile) = of_tile.iter().position(|(parts, _)| *parts == 0) {
        return Err(malformed(format!("tile {tile} of {tiles} is missing"), at));
    }
    let most = |of: fn(&(u32, u32)) -> u32| of_tile.iter().map(of).max().map_or(0, u64::from);
    let (most_parts, most_bytes) = (most(|(parts, _)| *parts), most(|(_, bytes)| *bytes));
    if most_parts > 255 {
        return Err(malformed(format!("a tile in {most_parts} parts, of which there are 255 at most"), at));
    }
    Ok(Totals { parts, most_parts, most_bytes, packed_segments })
}
