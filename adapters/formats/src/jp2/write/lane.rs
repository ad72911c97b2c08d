//! A lane: what one thread needs to turn a tile's samples into a tile-part.

use crate::TileGrid;
use crate::jp2::codec::memory::{coding_bytes, packets_bytes};
use crate::jp2::codec::{Coding, Tile};
use crate::jp2::codestream::geometry::{AxisStyle, ComponentCount, count_axis};
use crate::jp2::codestream::marker;
use plimsoll_core::shape::Region;

/// Side of code-blocks as a power of two: the library's usual.
const BLOCK_BITS: u8 = 6;

/// Everything about tiles and how they are coded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    pub(super) grid: TileGrid,
    pub(super) coding: Coding,
}

/// A coded tile within the codestream of its own: where its main header ends and where its tile-part does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Lane {
    /// Bytes that coding one tile takes, its planes included.
    pub(super) fn coding_bytes(&self) -> u64 {
        let grid = self.grid;
        let count = self.count();
        let blocks = count.blocks.saturating_mul(u64::from(self.coding.bands));
        let width = u64::from(grid.side.min(grid.shape.cols));
        let height = u64::from(grid.side.min(grid.shape.rows));
        coding_bytes(&self.coding, (width * height).saturating_mul(u64::from(self.coding.bands)), blocks)
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

    /// The most bytes of a coded tile's codestream.
    pub(super) fn out_bytes(&self) -> u64 {
        packets_bytes(&self.coding) + 4096
    }

    /// The empty tile `index`.
    pub(super) fn tile(&self, index: u64) -> Option<Tile> {
        let Region { rows, cols } = self.grid.tile(index);
        Tile::new(self.coding, [cols.start(), rows.start(), cols.end(), rows.end()]).ok()
    }

    /// Codes `tile`, which is tile `index`, into `out`, whose capacity is [`Lane::out_bytes`].
    pub(super) fn encode(&self, tile: Tile, index: u64, out: &mut Vec<u8>) -> Option<Part> {
        tile.encode(out).ok()?;
        number(out, u16::try_from(index).ok()?)
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

/// Finds the only tile-part of a codestream and gives it the number `tile`.
fn number(codestream: &mut [u8], tile: u16) -> Option<Part> {
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
    if rest != marker::EOC.to_be_bytes() || stated < 14 {
        return None;
    }
    codestream.get_mut(at + 4..at + 6)?.copy_from_slice(&tile.to_be_bytes());
    Some(Part { start: at, end })
}
