//! The smaller copies that a file holds of a page: as SubIFDs of it, or as pages after it. Their directories say that
//! they are reduced (`NewSubfileType`, TIFF 6.0 section 8), and their sizes how far.

use super::directory::{self, Directory};
use super::file::File;
use super::page::TiffPage;
use crate::FormatError;
use crate::tiff::tags::tag;
use plimsoll_core::shape::Shape;

/// The most directories that are looked at: a pyramid has half a dozen.
const MOST: u32 = 16;

/// The copy of the page whose directory lies at `at`, of shape `whole`, that is `2^levels` times smaller, if there is
/// one that can be read. What is broken about other directories is no reason not to read this page.
///
/// # Errors
/// [`FormatError::Io`]: a device that fails now and then must not decide which pixels are taken.
pub(super) fn reduced(
    file: &File,
    at: u64,
    whole: Shape,
    levels: u8,
) -> Result<Option<TiffPage>, FormatError> {
    match sound(below(file, at, whole, levels))? {
        Some(page) => Ok(Some(page)),
        None => sound(after(file, at, whole, levels)),
    }
}

/// Nothing is found where directories are broken.
fn sound(found: Result<Option<TiffPage>, FormatError>) -> Result<Option<TiffPage>, FormatError> {
    match found {
        Err(error @ FormatError::Io { .. }) => Err(error),
        found => Ok(found.unwrap_or_default()),
    }
}

/// Among the SubIFDs.
fn below(file: &File, at: u64, whole: Shape, levels: u8) -> Result<Option<TiffPage>, FormatError> {
    let Some(table) = Directory::read(file, at)?.field(tag::SUB_IFDS) else { return Ok(None) };
    for index in 0..table.count.min(u64::from(MOST)) {
        let place = table.number(file, index)?;
        if let Some(page) = fitting(file, place, whole, levels)? {
            return Ok(Some(page));
        }
    }
    // One entry may be the first of a chain.
    if table.count == 1 { after(file, table.number(file, 0)?, whole, levels) } else { Ok(None) }
}

/// Among the pages that follow, as long as they are reduced ones.
fn after(file: &File, mut at: u64, whole: Shape, levels: u8) -> Result<Option<TiffPage>, FormatError> {
    for _ in 0..MOST {
        at = directory::next(file, at)?;
        if at == 0 || !is_reduced(file, &Directory::read(file, at)?)? {
            break;
        }
        if let Some(page) = fitting(file, at, whole, levels)? {
            return Ok(Some(page));
        }
    }
    Ok(None)
}

fn is_reduced(file: &File, directory: &Directory) -> Result<bool, FormatError> {
    Ok(directory.number(file, tag::NEW_SUBFILE_TYPE)?.is_some_and(|bits| bits & 1 == 1))
}

/// The page at `at`, if it is reduced so many times and made of the same samples. Writers round sizes up or down.
fn fitting(file: &File, at: u64, whole: Shape, levels: u8) -> Result<Option<TiffPage>, FormatError> {
    let directory = Directory::read(file, at)?;
    let number = |tag: u16| directory.number(file, tag);
    let (rows, cols) = (number(tag::IMAGE_LENGTH)?, number(tag::IMAGE_WIDTH)?);
    // No picture can be made smaller so often.
    if levels >= u32::BITS as u8 {
        return Ok(None);
    }
    let part = |whole: u32| u64::from(whole) >> levels..=u64::from(whole).div_ceil(1 << levels);
    let fits = rows.is_some_and(|rows| part(whole.rows).contains(&rows))
        && cols.is_some_and(|cols| part(whole.cols).contains(&cols));
    if !fits || !is_reduced(file, &directory)? {
        return Ok(None);
    }
    let page = TiffPage::read(file, at)?;
    let shape = page.shape();
    Ok(((shape.bands, shape.kind) == (whole.bands, whole.kind)).then_some(page))
}
