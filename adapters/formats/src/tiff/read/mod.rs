//! Reading: from a file's header to rows of samples, in memory that does not depend on the file.
//!
//! ```text
//! file -> chain -> directory -> layout -> page -> raw   (samples as they are: reads straight into the strip)
//!                                             -> coded (all others: lanes of codecs side by side)
//! ```
//! Only `layout` and `method` interpret tags; the sources work from them, and find units by `cut` (which) and `units`
//! (where). What a codec gives are stored samples: `samples` undoes their byte order and predictor, `coding` makes
//! them samples of one of core's kinds.

mod carried;
mod chain;
mod codec;
mod coded;
mod coding;
mod cut;
mod directory;
mod facts;
mod file;
mod lane;
mod layout;
#[cfg(test)]
mod made;
mod method;
mod names;
mod page;
mod pyramid;
mod raw;
mod reads;
mod samples;
mod table;
mod units;

use crate::tiff::tags::tag;
use crate::{Bytes, FormatError, Page, Picture};
use chain::Walk;
use directory::Directory;
use file::File;
use page::TiffPage;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Depths of SubIFDs whose last place is remembered.
const DEPTHS: usize = 8;

/// An opened TIFF file.
struct TiffPicture {
    file: File,
    /// Where the last page asked for lies, so that pages in order cost one step each.
    walk: Mutex<Walk>,
    /// The same for the chain of SubIFDs that was walked last at each depth.
    below: [Mutex<Walk>; DEPTHS],
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
    let walk = Walk::new(first);
    Ok(Box::new(TiffPicture {
        file,
        walk: Mutex::new(walk),
        below: std::array::from_fn(|_| Mutex::new(walk)),
    }))
}

impl TiffPicture {
    /// Where the directory at `path` lies.
    fn find(&self, path: &[u32]) -> Result<Option<u64>, FormatError> {
        let Some((first, below)) = path.split_first() else { return Ok(None) };
        let mut at = lock(&self.walk).go(&self.file, *first)?;
        for (depth, index) in below.iter().enumerate() {
            let Some(above) = at else { return Ok(None) };
            at = self.below(above, depth, *index)?;
            // A tree that bites its own branch: it is enough to notice each directory that comes back to the one above.
            if at == Some(above) {
                let problem = format!("a SubIFD at depth {} is its own page", depth + 1);
                return Err(file::malformed(above, problem));
            }
        }
        Ok(at)
    }

    /// Where SubIFD `index` of the directory at `above` lies. A table names each of them, or the first of a chain.
    fn below(&self, above: u64, depth: usize, index: u32) -> Result<Option<u64>, FormatError> {
        let directory = Directory::read(&self.file, above)?;
        let Some(table) = directory.field(tag::SUB_IFDS) else { return Ok(None) };
        if table.count > 1 {
            return match u64::from(index) < table.count {
                true => table.number(&self.file, u64::from(index)).map(|at| (at != 0).then_some(at)),
                false => Ok(None),
            };
        }
        let first = table.number(&self.file, 0)?;
        let mut walk = lock(&self.below[depth % DEPTHS]);
        if !walk.begins_at(first) {
            *walk = Walk::new(first);
        }
        walk.go(&self.file, index)
    }
}

fn lock(walk: &Mutex<Walk>) -> MutexGuard<'_, Walk> {
    walk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Picture for TiffPicture {
    fn format(&self) -> &'static str {
        if self.file.is_big() { "BigTIFF" } else { "TIFF" }
    }

    fn page(&self, index: u32) -> Result<Option<Arc<dyn Page>>, FormatError> {
        self.page_at(&[index])
    }

    fn page_at(&self, path: &[u32]) -> Result<Option<Arc<dyn Page>>, FormatError> {
        match self.find(path)? {
            Some(at) => Ok(Some(Arc::new(TiffPage::read(&self.file, at)?))),
            None => Ok(None),
        }
    }

    fn most_pages(&self) -> u64 {
        self.file.len() / directory::LEAST_BYTES
    }
}
