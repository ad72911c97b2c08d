//! TIFF and BigTIFF: tables and pixels through small windows, so that memory does not grow with the file.
//!
//! [`Tiff`] is the format as the list of formats knows it; `read` gives the rows of pages, `write` takes rows, and
//! `tags` holds the numbers that both use.

mod read;
mod tags;
mod write;

use crate::{Bytes, Format, FormatError, Picture, Target, Wanted};
use plimsoll_core::shape::Shape;

/// The format's name in errors.
const NAME: &str = "TIFF";

/// TIFF and BigTIFF.
#[derive(Clone, Copy, Debug)]
pub struct Tiff;

impl Format for Tiff {
    fn name(&self) -> &'static str {
        NAME
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["tif", "tiff", "btf", "tf8"]
    }

    fn sniff(&self, first: &[u8]) -> bool {
        matches!(first.first_chunk(), Some(b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+"))
    }

    fn open(&self, bytes: Bytes) -> Result<Box<dyn Picture>, FormatError> {
        read::open(bytes)
    }

    fn target(&self, shape: Shape, wanted: Wanted) -> Result<Box<dyn Target>, FormatError> {
        write::target(shape, wanted)
    }

    fn is_multipage(&self) -> bool {
        true
    }
}
