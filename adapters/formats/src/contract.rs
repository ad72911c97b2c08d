//! What a format gives and takes.
//!
//! The rule for memory: opening reads headers and holds a few KiB whatever the file says. A source or writer first
//! states its needs ([`Page::needs`], [`Target::needs`]); what it then takes is at most that: buffers from the budget
//! it is handed (`Place::Arena`), codec states and threads from the heap (`Place::Heap`), all of it when it is made
//! and none while it runs.

use crate::{FormatError, Metadata, Orientation, Wanted};
use plimsoll_core::budget::Budget;
use plimsoll_core::bytes::ReadAt;
use plimsoll_core::pipeline::{Need, Sink, Source};
use plimsoll_core::shape::{Region, Rows, Shape};
use std::fmt;
use std::io;
use std::sync::Arc;

/// An input file, by positioned reads or mapped.
pub type Bytes = Arc<dyn ReadAt<Error = io::Error> + Send + Sync>;

/// An output file that takes bytes at any offset, from several threads.
pub trait WriteAt: Send + Sync {
    /// Writes all of `bytes` at `offset`; the file grows as it must.
    ///
    /// # Errors
    /// The system's.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
}

/// An output file.
pub type Output = Arc<dyn WriteAt>;

/// A source of a page's rows.
pub type RowSource<'a> = Box<dyn Source<Error = FormatError> + Send + 'a>;

/// A sink for an output's rows.
pub type RowSink<'a> = Box<dyn Sink<Error = FormatError> + Send + 'a>;

/// A file format.
pub trait Format: Send + Sync {
    /// Its name in messages: `TIFF`.
    fn name(&self) -> &'static str;

    /// Endings of its files' names, lower case, the usual one first.
    fn extensions(&self) -> &'static [&'static str];

    /// Whether a file that begins like this is one of its files.
    fn sniff(&self, first: &[u8]) -> bool;

    /// Reads the headers that lead to the first page.
    ///
    /// # Errors
    /// [`FormatError`] if they are malformed or cannot be read.
    fn open(&self, bytes: Bytes) -> Result<Box<dyn Picture>, FormatError>;

    /// Whether and how a picture of this shape can be written: checks everything that can be known.
    ///
    /// # Errors
    /// [`FormatError::Unsupported`] or [`FormatError::Usage`] that name what cannot be done and what would do.
    fn target(&self, shape: Shape, wanted: Wanted) -> Result<Box<dyn Target>, FormatError>;

    /// Whether a file that this writes holds several pages.
    fn is_multipage(&self) -> bool {
        false
    }
}

impl fmt::Debug for dyn Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An opened file: a row of pages.
pub trait Picture: Send + Sync {
    /// The format's name, with its variant: `BigTIFF`.
    fn format(&self) -> &'static str;

    /// Page `index` from zero, `None` after the last. Reads that page's headers only.
    ///
    /// # Errors
    /// [`FormatError`] if they are malformed, unsupported or cannot be read.
    fn page(&self, index: u32) -> Result<Option<Arc<dyn Page>>, FormatError>;

    /// A page below another one, as TIFF's SubIFDs are: `path` holds the index of the page, of the page below it, and
    /// so on, each from zero. `None` if there is none. Reads the headers on the way only.
    ///
    /// # Errors
    /// [`FormatError`] if they are malformed, unsupported or cannot be read.
    fn page_at(&self, path: &[u32]) -> Result<Option<Arc<dyn Page>>, FormatError> {
        match path {
            [index] => self.page(*index),
            _ => Ok(None),
        }
    }

    /// How many directories the file has room for: who meets more of them goes in circles.
    fn most_pages(&self) -> u64 {
        u64::MAX
    }
}

/// What a header says of one page.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Shape as rows come out of the source.
    pub shape: Shape,
    /// Name of the compression: `none`, `lzw` ...
    pub compression: &'static str,
    /// What the bands mean: `grey`, `rgb`, `palette` ...
    pub colour: &'static str,
    /// The source decodes units of so many rows from their start: 1 where any row can be read alone, the height of a
    /// compressed strip or tile, the image's height where there is one stream.
    pub unit_rows: u32,
    /// Anything else worth a line in `info`: name and value.
    pub more: Vec<(&'static str, String)>,
}

/// The smallest part of a page that costs no more than its share to read, in rows and columns: 1 where any can be read
/// alone, a compressed tile's sides where there are tiles, the whole page where rows come only in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// Rows.
    pub rows: u32,
    /// Columns.
    pub cols: u32,
}

/// What a source of [`Page::windows`] is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Windows {
    /// All columns of the region.
    Rows,
    /// So many columns at most: those of a block, or any number where a block is one column wide.
    Cols(u32),
}

/// One image of a file.
pub trait Page: Send + Sync {
    /// What its header says.
    fn facts(&self) -> &Facts;

    /// What the page says of itself beside its pixels, if another file can hold it as it is.
    ///
    /// # Errors
    /// [`FormatError::Io`] if the list of it cannot be read.
    fn metadata(&self) -> Result<Option<Arc<dyn Metadata>>, FormatError> {
        Ok(None)
    }

    /// The most bytes of pixels, compressed or not, that a source over `region` reads from the file; tables of offsets
    /// are left out. `None` if nobody can say without reading as much as that.
    ///
    /// # Errors
    /// [`FormatError`] if tables of offsets that lead to it are malformed or cannot be read.
    fn reads(&self, _region: Region) -> Result<Option<u64>, FormatError> {
        Ok(None)
    }

    /// The same image `2^levels` times smaller, if the file holds it and it can be read without the larger ones.
    ///
    /// # Errors
    /// [`FormatError::Io`] if nobody can say, as the device fails.
    fn reduced(&self, _levels: u8) -> Result<Option<Arc<dyn Page>>, FormatError> {
        Ok(None)
    }

    /// Whether a source of [`Page::windows`] gives any columns of any rows, in any order and whatever [`Page::blocks`]
    /// says, and reads little more than their bytes: whoever wants tiles may take them one by one.
    fn gives_columns(&self) -> bool {
        false
    }

    /// The same page, its rows tile after tile over square tiles of `side` ([`crate::TileGrid`]), if the file holds it
    /// in just these: one of them is held then, and not a row of them.
    fn in_tile_order(&self, _side: u32) -> Option<Arc<dyn Page>> {
        None
    }

    /// How it should be seen: a source gives rows as they are stored, [`crate::UprightPage`] as they should be seen.
    fn orientation(&self) -> Orientation {
        Orientation::UPRIGHT
    }

    /// Whether its rows are not those that the file stores, as it was set upright.
    fn was_turned(&self) -> bool {
        false
    }

    /// What a source of [`Page::windows`] can be asked for.
    fn blocks(&self) -> Blocks {
        Blocks { rows: self.facts().shape.rows, cols: self.facts().shape.cols }
    }

    /// Memory that one source of [`Page::windows`] needs, beside the strips it fills.
    fn window_needs(&self, region: Region, _windows: Windows) -> Vec<Need> {
        self.needs(region)
    }

    /// A source that gives rows of `region` also out of order, and some of its columns. The columns of a strip begin
    /// with a block, or where the region does, and end so, too. Its rows begin with a block, or where the region does,
    /// or follow those of the strip before.
    ///
    /// # Errors
    /// As [`Page::source`].
    fn windows<'a>(
        &'a self,
        region: Region,
        _windows: Windows,
        budget: &mut Budget<'a>,
    ) -> Result<RowSource<'a>, FormatError> {
        self.source(region, budget)
    }

    /// Memory that one source over this region needs, beside the strips it fills.
    fn needs(&self, region: Region) -> Vec<Need>;

    /// A source that gives the rows of `region` once, in order, with the columns of `region`.
    ///
    /// # Errors
    /// [`FormatError`] if the page cannot be decoded or `budget` holds less than `needs` said.
    fn source<'a>(&'a self, region: Region, budget: &mut Budget<'a>) -> Result<RowSource<'a>, FormatError>;
}

/// A kind of output that was found possible.
pub trait Target: Send + Sync {
    /// How it will be stored, in a few words: `BigTIFF, 256 x 256 tiles, deflate`.
    fn describe(&self) -> String;

    /// Whether rows must come in order through one sink. If not, each worker has a sink for a band of its own.
    fn ordered(&self) -> bool;

    /// Whether its samples decide how many bytes it has. What is compressed comes in order.
    fn is_compressed(&self) -> bool {
        self.ordered()
    }

    /// Whether the same samples come back when it is read.
    fn lossless(&self) -> bool {
        true
    }

    /// Side of its tiles in pixels if rows may come tile after tile instead ([`crate::TileOrderPage`]).
    fn tile_order(&self) -> Option<u32> {
        None
    }

    /// Memory that one source over what was written needs at most, its rows in order, or tile after tile; `None` where
    /// that is no more than the writer needs.
    fn reading(&self, _tile_order: bool) -> Option<Vec<Need>> {
        None
    }

    /// Memory that the writer and its sinks need: those of a sink with `Each::Worker`.
    fn needs(&self) -> Vec<Need>;

    /// Bytes of the complete file, or the most it may have if it is compressed.
    fn file_bytes(&self) -> u64;

    /// The same with the metadata of another file; `None` if the format does not hold it.
    fn carry(&self, _metadata: &Arc<dyn Metadata>) -> Option<Box<dyn Target>> {
        None
    }

    /// Begins the output: writes what stands before the pixels.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    fn create(&self, output: Output) -> Result<Box<dyn Writer>, FormatError>;

    /// The same for a page that stands behind others in its file: `after` is the [`Writer::tail`] of the last one.
    ///
    /// # Errors
    /// [`FormatError::Unsupported`] if the format is not [multipage](Format::is_multipage), [`FormatError::Io`].
    fn append(&self, _output: Output, _after: Tail) -> Result<Box<dyn Writer>, FormatError> {
        let feature = "a file of several pages; write one file a page".to_owned();
        Err(FormatError::Unsupported { format: "output", feature })
    }
}

/// What the pages of an output leave to the one that follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tail {
    /// Bytes that are written; 0 if there is no page yet.
    pub bytes: u64,
    /// Where the file is to say where the next page is.
    pub link: u64,
}

/// An output being written.
pub trait Writer: Send + Sync {
    /// A sink for the output rows `rows` (all of them where the target is ordered). Its `finish` completes its rows.
    ///
    /// # Errors
    /// [`FormatError`] if `budget` holds less than `needs` said.
    fn sink<'a>(&'a self, rows: Rows, budget: &mut Budget<'a>) -> Result<RowSink<'a>, FormatError>;

    /// From the next rows on at most so many of its own threads go on; the others wait after what they are at. What is
    /// written stays the same.
    fn allow_compressors(&self, _compressors: u32) {}

    /// All sinks have finished: where the next page may begin.
    fn tail(&self) -> Tail {
        Tail::default()
    }

    /// All sinks have finished: completes the file, or the page where others follow.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    fn finish(self: Box<Self>) -> Result<(), FormatError>;
}

impl WriteAt for plimsoll_os::output::AtomicOutput {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        Self::write_at(self, offset, bytes)
    }
}
