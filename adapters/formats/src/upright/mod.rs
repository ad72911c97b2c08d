//! Pictures set upright: an orientation (TIFF 6.0, section 8; EXIF has the same numbers) undone as a page is read.
//!
//! ```text
//! page -- windows in the order in which the upright picture needs them --> band -- its rows --> strips
//! ```
//! Mirroring left and right is done in the rows as they come. The other six need the last row first, or columns for
//! rows: a band of the upright picture is held then, as high as what the file stores in one piece (a row of tiles, a
//! file strip) is high or wide, so that everything is still read and decoded once. Where that is the whole picture, as
//! in one compressed strip, the whole picture is in the plan.

mod band;
mod metadata;
mod orientation;
mod page;
mod pixels;

pub use orientation::Orientation;
pub use page::UprightPage;
