//! The container as it is written: header, directories, and the tables of the units.
//!
//! Tables and carried fields pass through blocks of 4 KiB, so a file of millions of units, or with a profile of any
//! size, needs no more memory than one of a single unit.

use super::block::Block;
use super::form::{Entry, Form, Kind, Values, WRITER, aligned};
use crate::{FormatError, WriteAt};

/// Bytes of a carried value that are held at once.
const PIECE_BYTES: usize = 2048;

/// Where the units are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Places<'a> {
    /// One after the other from `first` on, all full but perhaps the last.
    Even { first: u64 },
    /// Of so many bytes each, in rows of `across` units that follow each other; each row begins where `starts` says,
    /// the first one at `first` if it says nothing.
    Packed { first: u64, starts: &'a [u64], across: u64, counts: &'a [u32] },
}

/// What a directory says of other directories.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Others<'a> {
    /// The page that follows; 0 for none.
    pub(super) next: u64,
    /// Its parts.
    pub(super) sub_ifds: &'a [u64],
}

/// Writes the header. `directory` is 0 until the directory is written.
pub(super) fn write_header(form: &Form, output: &dyn WriteAt, directory: u64) -> Result<(), FormatError> {
    let mut block = Block::new(output, 0);
    block.put(b"II")?;
    if form.big {
        for value in [43u16, 8, 0] {
            block.put(&value.to_le_bytes())?;
        }
    } else {
        block.put(&42u16.to_le_bytes())?;
    }
    put_word(form, &mut block, directory)?;
    block.flush()
}

/// Writes at `link` where the next directory is.
pub(super) fn write_link(
    form: &Form,
    output: &dyn WriteAt,
    link: u64,
    directory: u64,
) -> Result<(), FormatError> {
    let mut block = Block::new(output, link);
    put_word(form, &mut block, directory)?;
    block.flush()
}

/// Writes the directory and its tables at `start`, a multiple of 8, and returns where they end. Bytes from
/// `end_before` to there become zeros.
pub(super) fn write_directory(
    form: &Form,
    output: &dyn WriteAt,
    end_before: u64,
    start: u64,
    places: Places<'_>,
    others: Others<'_>,
) -> Result<u64, FormatError> {
    let mut block = Block::new(output, end_before);
    block.pad_to(start)?;
    let entries = form.entries().count() as u64;
    if form.big {
        block.put(&entries.to_le_bytes())?;
    } else {
        block.put(&(entries as u16).to_le_bytes())?;
    }
    let mut outside = form.values_start(start);
    for entry in form.entries() {
        block.put(&entry.tag.to_le_bytes())?;
        block.put(&entry.kind.to_le_bytes())?;
        put_word(form, &mut block, entry.count)?;
        if entry.bytes <= form.inline_bytes() {
            put_values(form, &mut block, &entry, places, others)?;
            block.pad(form.inline_bytes() - entry.bytes)?;
        } else {
            put_word(form, &mut block, outside)?;
            outside += aligned(entry.bytes);
        }
    }
    put_word(form, &mut block, others.next)?;
    block.pad_to(form.values_start(start))?;
    for entry in form.entries().filter(|entry| entry.bytes > form.inline_bytes()) {
        put_values(form, &mut block, &entry, places, others)?;
        block.pad(aligned(entry.bytes) - entry.bytes)?;
    }
    block.flush()?;
    Ok(block.position())
}

/// A number as wide as the form's offsets.
fn put_word(form: &Form, block: &mut Block<'_>, value: u64) -> Result<(), FormatError> {
    block.number(if form.big { Kind::Long8 } else { Kind::Long }, value)
}

fn put_values(
    form: &Form,
    block: &mut Block<'_>,
    entry: &Entry,
    places: Places<'_>,
    others: Others<'_>,
) -> Result<(), FormatError> {
    let (unit, last) = (form.grid.unit_bytes(), form.grid.last_unit_bytes());
    match (entry.values, places) {
        (Values::Name, _) => block.put(WRITER),
        (Values::All(kind, value), _) => (0..entry.count).try_for_each(|_| block.number(kind, value)),
        (Values::SubIfds(kind), _) => others.sub_ifds.iter().try_for_each(|at| block.number(kind, *at)),
        (Values::Carried(index), _) => put_carried(form, block, entry, index),
        (Values::Offsets(kind), Places::Even { first }) => {
            (0..entry.count).try_for_each(|index| block.number(kind, first + index * unit))
        }
        (Values::Counts(kind), Places::Even { .. }) => {
            (1..entry.count).try_for_each(|_| block.number(kind, unit))?;
            block.number(kind, last)
        }
        (Values::Offsets(kind), Places::Packed { first, starts, across, counts }) => {
            let mut at = first;
            let rows = counts.chunks(usize::try_from(across).unwrap_or(usize::MAX).max(1));
            for (number, row) in rows.enumerate() {
                at = starts.get(number).copied().unwrap_or(at);
                for count in row {
                    block.number(kind, at)?;
                    at += u64::from(*count);
                }
            }
            Ok(())
        }
        (Values::Counts(kind), Places::Packed { counts, .. }) => {
            counts.iter().try_for_each(|count| block.number(kind, u64::from(*count)))
        }
    }
}

/// Copies the values of a carried field, piece by piece.
fn put_carried(form: &Form, block: &mut Block<'_>, entry: &Entry, index: usize) -> Result<(), FormatError> {
    let Some(metadata) = &form.metadata else { return Ok(()) };
    let mut piece = [0; PIECE_BYTES];
    let mut at = 0;
    while at < entry.bytes {
        let bytes = (entry.bytes - at).min(PIECE_BYTES as u64);
        let piece = piece.get_mut(..bytes as usize).unwrap_or(&mut []);
        metadata.read(index, at, piece)?;
        block.put(piece)?;
        at += bytes;
    }
    Ok(())
}
