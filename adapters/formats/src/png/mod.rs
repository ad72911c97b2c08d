//! PNG by rows both ways.
//!
//! Reading has its own container, inflated by `flate2` into rows leased from the budget: the row decoder of the `png`
//! crate grows its buffers while it runs, to many times a row, and buffers metadata of any size. Ours holds two rows
//! and the inflate state, all of it when it is made. Writing is the `png` crate's stream writer, whose buffers are
//! fixed.

mod data;
mod exif;
mod expand;
mod filter;
mod header;
mod interlace;
mod page;
mod rows;
mod write;

use crate::{Bytes, Format, FormatError, Picture, Target, Wanted};
use plimsoll_core::shape::Shape;

/// The first bytes of every PNG file (PNG specification, 5.2).
const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// PNG: u8 and u16; grey, grey and alpha, RGB, RGB and alpha.
///
/// Fewer than 8 bits a sample are spread over 0 to 255, a palette becomes RGB, a transparent colour becomes an alpha
/// band. Of an animation the default image is read.
#[derive(Clone, Copy, Debug)]
pub struct Png;

impl Format for Png {
    fn name(&self) -> &'static str {
        "PNG"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["png"]
    }

    fn sniff(&self, first: &[u8]) -> bool {
        first.starts_with(&SIGNATURE)
    }

    fn open(&self, bytes: Bytes) -> Result<Box<dyn Picture>, FormatError> {
        Ok(Box::new(page::OnePage::open(bytes)?))
    }

    fn target(&self, shape: Shape, wanted: Wanted) -> Result<Box<dyn Target>, FormatError> {
        Ok(Box::new(write::Settings::new(shape, wanted)?))
    }
}

/// An error about a file's content.
fn malformed(problem: impl Into<String>, offset: u64) -> FormatError {
    FormatError::Malformed { format: "PNG", problem: problem.into(), offset: Some(offset) }
}
