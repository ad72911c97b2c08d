//! JPEG 2000 by tiles both ways: JP2 files and raw codestreams (ISO/IEC 15444-1).
//!
//! ```text
//! read:   boxes -> codestream header -> index of tile-parts -> one tile at a time -> rows
//! write:  rows -> tiles -> each a codestream of its own -> its tile-part, renumbered, in order -> boxes
//! ```
//!
//! Boxes, markers and limits are ours; transforms and entropy coder are OpenJPEG's (`codec`), which never sees more
//! than one tile: its memory depends on a tile's size and not on the picture's, and is stated before it is taken.

mod boxes;
mod codec;
mod codestream;
mod read;
mod write;

use crate::{Bytes, Format, FormatError, Picture, Target, Wanted};
use plimsoll_core::shape::Shape;

pub use write::{Extras, Jp2Wanted, Progression, Quality, Resolution};

/// The name in messages.
const NAME: &str = "JPEG 2000";

/// JPEG 2000, as a file of boxes or as the codestream alone.
///
/// Read: tiles or one tile, any progression and number of layers, palettes, sYCC as RGB, up to 32 components. Components
/// with a sample for several pixels (4:2:0, 4:2:2 and others) are brought to the size of the others. Written: 1 to 4 bands of u8 or u16 in square tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jpeg2000 {
    /// A file of boxes.
    Jp2,
    /// The codestream alone.
    J2k,
}

impl Format for Jpeg2000 {
    fn name(&self) -> &'static str {
        match self {
            Self::Jp2 => "JP2",
            Self::J2k => "JPEG 2000 codestream",
        }
    }

    fn extensions(&self) -> &'static [&'static str] {
        match self {
            Self::Jp2 => &["jp2", "jpf", "jpx"],
            Self::J2k => &["j2k", "j2c", "jpc"],
        }
    }

    fn sniff(&self, first: &[u8]) -> bool {
        match self {
            Self::Jp2 => first.starts_with(&boxes::SIGNATURE),
            Self::J2k => first.starts_with(&codestream::MAGIC),
        }
    }

    fn open(&self, bytes: Bytes) -> Result<Box<dyn Picture>, FormatError> {
        Ok(Box::new(read::open(*self, bytes)?))
    }

    fn target(&self, shape: Shape, wanted: Wanted) -> Result<Box<dyn Target>, FormatError> {
        Ok(Box::new(write::target(*self, shape, wanted, Extras::default())?))
    }
}

impl Jpeg2000 {
    /// As [`Format::target`], with what stands beside the pixels.
    ///
    /// # Errors
    /// As [`Format::target`], and [`FormatError::Unsupported`] for extras of a codestream, which has no boxes.
    pub fn target_with(
        &self,
        shape: Shape,
        wanted: Wanted,
        extras: Extras,
    ) -> Result<Box<dyn Target>, FormatError> {
        Ok(Box::new(write::target(*self, shape, wanted, extras)?))
    }
}

/// An error about a file's content at `offset`.
fn malformed(problem: impl Into<String>, offset: u64) -> FormatError {
    FormatError::Malformed { format: NAME, problem: problem.into(), offset: Some(offset) }
}

/// A legal file that needs what is not there.
fn unsupported(feature: impl Into<String>) -> FormatError {
    FormatError::Unsupported { format: NAME, feature: feature.into() }
}

/// An output asked for that makes no sense.
fn usage(problem: impl Into<String>) -> FormatError {
    FormatError::Usage { format: NAME, problem: problem.into() }
}

/// Reads `into` at `offset`; past the end of the file is the file's fault.
fn read_at(bytes: &Bytes, offset: u64, into: &mut [u8]) -> Result<(), FormatError> {
    if offset.checked_add(into.len() as u64).is_none_or(|end| end > bytes.len()) {
        return Err(malformed(format!("the file ends where {} bytes more are due", into.len()), offset));
    }
    bytes.read_at(offset, into).map_err(|error| FormatError::read(offset, error))
}
