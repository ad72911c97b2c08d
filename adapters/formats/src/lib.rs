//! Bounded file formats for Plimsoll.
//!
//! A [`Format`] opens a file into a [`Picture`] by reading headers only, a [`Page`] of it gives rows through a source
//! whose memory is stated before it is taken, and a [`Writer`] takes rows the same way. To add a format: write its
//! file or folder, then name it in [`FORMATS`].

mod contract;
mod crew;
mod error;
mod group;
mod jp2;
mod metadata;
mod png;
mod pnm;
mod queue;
pub mod series;
pub mod text;
mod tiff;
mod tile_order;
mod upright;
mod wanted;

pub use contract::{
    Blocks, Bytes, Facts, Format, Output, Page, Picture, RowSink, RowSource, Tail, Target, Windows, WriteAt,
    Writer,
};
pub use error::FormatError;
pub use group::GroupPage;
pub use jp2::{Extras, Jp2Wanted, Jpeg2000, Progression, Quality, Resolution};
pub use metadata::{Field, Metadata};
pub use png::Png;
pub use pnm::Netpbm;
pub use tiff::Tiff;
pub use tile_order::{TileGrid, TileOrderPage, in_tile_order};
pub use upright::{Orientation, UprightPage};
pub use wanted::{Compression, Pyramid, Wanted};

/// The list of formats, in the order in which a file's first bytes are shown to them.
pub const FORMATS: &[&dyn Format] =
    &[&Tiff, &Png, &Netpbm::Pnm, &Netpbm::Pam, &Netpbm::Pfm, &Jpeg2000::Jp2, &Jpeg2000::J2k];

/// The format whose files begin like `first` (the first 64 bytes, or all there are).
pub fn detect(first: &[u8]) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.sniff(first))
}

/// The format whose files' names end with `extension` (no dot, any case).
pub fn by_extension(extension: &str) -> Option<&'static dyn Format> {
    let extension = extension.to_ascii_lowercase();
    FORMATS.iter().copied().find(|format| format.extensions().contains(&extension.as_str()))
}
