//! Reading: from a file's header to rows of samples, in memory that does not depend on the file.
//!
//! ```text
//! file -> chain -> directory -> layout -> page -> raw   (uncompressed: reads straight into the strip)
//!                                             -> coded (compressed: lanes of codecs side by side)
//! ```
//! Only `layout` interprets tags; the sources work from it, and find units by `cut` (which) and `units` (where).

mod carried;
mod chain;
mod codec;
mod coded;
mod cut;
mod directory;
mod facts;
mod file;
mod lane;
mod layout;
mod names;
mod page;
mod raw;
mod reads;
mod samples;
mod table;
mod units;

use crate::{Bytes, FormatError, Page, Picture};
use chain::Walk;
use file::File;
use page::TiffPage;
use std::sync::{Arc, Mutex, PoisonError};

/// An opened TIFF file.
struct TiffPicture {
    file: File,
    /// Where the last page asked for lies, so that pages in order cost one step each.
    walk: Mutex<Walk>,
}

/// Opens a TIFF or BigTIFF file: reads its header.
///
/// # Errors
/// [`FormatError::Malformed`] if it is none or names no page.
pub(super) fn open(bytes: Bytes) -> Result<Box<dyn Picture>, FormatError> {
    let (file, first) = File::open(bytes)?;
    if first == 0 {
        return Err(file::malformed(4, "the file has no page"));
    }
    Ok(Box::new(TiffPicture { file, walk: Mutex::new(Walk::new(first)) }))
}

impl Picture for TiffPicture {
    fn format(&self) -> &'static str {
        if self.file.is_big() { "BigTIFF" } else { "TIFF" }
    }

    fn page(&self, index: u32) -> Result<Option<Arc<dyn Page>>, FormatError> {
        let at = self.walk.lock().unwrap_or_else(PoisonError::into_inner).go(&self.file, index)?;
        match at {
            Some(at) => Ok(Some(Arc::new(TiffPage::read(&self.file, at)?))),
            None => Ok(None),
        }
    }
}
