//! For tests of TIFF: files built field by field by the book, and a reader that collects rows under the exact memory
//! that a page states.
#![allow(dead_code, unused_imports, reason = "each test file uses a part")]

mod build;
mod counted;
mod encode;
mod words;

pub(crate) use build::{Builder, Pixels, Storage, build};
pub(crate) use counted::Counted;

use plimsoll_core::budget::{ALIGN, Budget};
use plimsoll_core::pipeline::plan::Place;
use plimsoll_core::shape::{Region, Rows};
use plimsoll_core::strip::StripMut;
use plimsoll_formats::{Bytes, Format, FormatError, Page, Tiff};
use std::sync::Arc;

/// The page of a file in memory.
pub(crate) fn page(bytes: Vec<u8>, index: u32) -> Result<Arc<dyn Page>, FormatError> {
    let bytes: Bytes = Counted::new(bytes);
    let picture = Tiff.open(bytes)?;
    picture.page(index)?.ok_or(FormatError::Malformed {
        format: "test",
        problem: "no such page".to_string(),
        offset: None,
    })
}

/// The most bytes that `read` lets a file ask for: hostile headers ask for more and are refused as a plan would.
pub(crate) const MOST_BYTES: u64 = 64 << 20;

/// Bytes in the arena that a page states for a region.
pub(crate) fn arena_bytes(page: &dyn Page, region: Region) -> u64 {
    let needs = page.needs(region);
    needs.iter().filter(|need| need.place == Place::Arena).fold(0, |sum, need| sum.saturating_add(need.bytes))
}

/// All needs of a page for a region, in bytes.
pub(crate) fn total_bytes(page: &dyn Page, region: Region) -> u64 {
    page.needs(region).iter().fold(0, |sum, need| sum.saturating_add(need.bytes))
}

/// The bytes of a region's rows, read in strips of `strip_rows`, in an arena of exactly what the page states.
/// `None` if that is more than `MOST_BYTES`.
pub(crate) fn read(page: &dyn Page, region: Region, strip_rows: u32) -> Option<Result<Vec<u8>, FormatError>> {
    let shape = page.facts().shape;
    let row_bytes = u64::from(region.cols.len()) * shape.pixel_bytes() as u64;
    let out_bytes = row_bytes.checked_mul(u64::from(region.rows.len()))?;
    if out_bytes > MOST_BYTES || total_bytes(page, region) > MOST_BYTES {
        return None;
    }
    let arena_bytes = arena_bytes(page, region) as usize;
    let mut arena = vec![0xa5u8; arena_bytes + ALIGN];
    let skip = arena.as_ptr().align_offset(ALIGN);
    let mut budget = Budget::new(&mut arena[skip..skip + arena_bytes]);
    let mut source = match page.source(region, &mut budget) {
        Ok(source) => source,
        Err(error) => return Some(Err(error)),
    };
    assert_eq!(budget.stats().peak, arena_bytes, "the source leases what the page states");
    assert_eq!(source.shape(), shape);
    // One slot more than a strip has rows, so that strips wrap around their ring.
    let slots = strip_rows.min(region.rows.len()) as usize + 1;
    let mut ring = vec![0x5au64; (slots * row_bytes as usize).div_ceil(8)];
    let ring = &mut bytemuck::cast_slice_mut::<u64, u8>(&mut ring)[..slots * row_bytes as usize];
    let mut out = Vec::with_capacity(out_bytes as usize);
    let mut row = region.rows.start();
    while row < region.rows.end() {
        let rows = Rows::new(row, row.saturating_add(strip_rows).min(region.rows.end()));
        let mut strip = StripMut::new(ring, region.with_rows(rows), shape).expect("the ring holds a strip");
        if let Err(error) = source.read(&mut strip) {
            return Some(Err(error));
        }
        for row in rows.iter() {
            out.extend_from_slice(strip.as_strip().row_bytes(row));
        }
        row = rows.end();
    }
    Some(Ok(out))
}

/// Reads a whole page.
pub(crate) fn read_whole(page: &dyn Page, strip_rows: u32) -> Option<Result<Vec<u8>, FormatError>> {
    read(page, page.facts().shape.region(), strip_rows)
}
