//! The Netpbm family: PGM and PPM (binary, and plain text to read), bitmaps (to read), PAM and PFM.
//!
//! A short text header, then samples at places that the header alone decides. So the binary kinds need no memory:
//! any rows and columns are read straight into a strip, and several workers write bands of their own.

mod header;
mod picture;
mod plain;
mod raw;
mod write;

use crate::{Bytes, Format, FormatError, Picture, Target, Wanted};
use plimsoll_core::shape::Shape;

/// A member of the family, by what it writes. All of them read every member.
///
/// Samples are given as they are stored: where the largest is not 255 or 65535 it is among the facts, and nothing is
/// rescaled. Bitmaps become 0 for black and 255 for white. A PFM's scale is among the facts, too, and not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Netpbm {
    /// PGM for one band and PPM for three, PAM for other numbers of bands; u8 and u16.
    Pnm,
    /// PAM whatever the bands; u8 and u16.
    Pam,
    /// PFM: one or three bands of f32.
    Pfm,
}

impl Format for Netpbm {
    fn name(&self) -> &'static str {
        match self {
            Self::Pnm => "PNM",
            Self::Pam => "PAM",
            Self::Pfm => "PFM",
        }
    }

    fn extensions(&self) -> &'static [&'static str] {
        match self {
            Self::Pnm => &["pnm", "pgm", "ppm", "pbm"],
            Self::Pam => &["pam"],
            Self::Pfm => &["pfm"],
        }
    }

    fn sniff(&self, first: &[u8]) -> bool {
        let digits: &[u8] = match self {
            Self::Pnm => b"123456",
            Self::Pam => b"7",
            Self::Pfm => b"fF",
        };
        matches!(first, [b'P', variant, after, ..]
            if digits.contains(variant) && (after.is_ascii_whitespace() || *after == b'#'))
    }

    fn open(&self, bytes: Bytes) -> Result<Box<dyn Picture>, FormatError> {
        Ok(Box::new(picture::Pictures::open(bytes)?))
    }

    fn target(&self, shape: Shape, wanted: Wanted) -> Result<Box<dyn Target>, FormatError> {
        Ok(Box::new(write::Layout::new(*self, shape, wanted)?))
    }
}

/// An error about a file's content.
fn malformed(problem: impl Into<String>, offset: u64) -> FormatError {
    FormatError::Malformed { format: "PNM", problem: problem.into(), offset: Some(offset) }
}
