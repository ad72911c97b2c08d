//! Input out of a mapping, of which only a small window is resident.
//!
//! A mapped page counts as resident memory from its first touch on, so reads copy out, and what lies behind is let
//! go. Invariant: at most [`MAPPED_WINDOW_BYTES`] of the mapping are resident, however many threads read wherever.
#![allow(unsafe_code)]

use super::window::{Entry, UNITS, Window};
use super::{Input, open_regular, past_end, shrank};
use crate::FileError;
use memmap2::{Mmap, UncheckedAdvice};
use plimsoll_core::bytes::ReadAt;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What is let go at once. Units begin at multiples of this *address*, not offset: a page fault maps neighbours that
/// are cached, too (64 KiB of aligned addresses, unless the machine was tuned), and so never leaves its unit.
const UNIT_BYTES: usize = 128 << 10;

/// The most bytes of a [`MappedFile`] that are resident at any time, in bytes: for the whole process, not for each
/// reader.
pub const MAPPED_WINDOW_BYTES: u64 = (UNITS * UNIT_BYTES) as u64;

/// A mapped file.
///
/// A read past the file's present end would be answered with a signal that kills the process (`SIGBUS`), so the
/// length is asked for before each copy of up to 128 KiB, and a file that shrank gives an error. A file that is
/// truncated by somebody else between that question and the copy can still kill: where that matters, use
/// [`PositionedFile`](super::PositionedFile).
#[derive(Debug)]
pub struct MappedFile {
    file: File,
    map: Mmap,
    len: u64,
    window: Mutex<Window>,
    left: Condvar,
    bytes_read: AtomicU64,
}

impl MappedFile {
    /// Maps `path` read-only. Nothing of it is resident yet.
    ///
    /// # Errors
    /// As [`open_input`](super::open_input); also where the addresses do not suffice (32-bit machines).
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let (file, len) = open_regular(path)?;
        let fail = FileError::at("map", path);
        let bytes = usize::try_from(len).map_err(|_| fail(io::ErrorKind::FileTooLarge.into()))?;
        // SAFETY: the mapping is read-only and shared, and no reference to its bytes is ever made: they are only
        // copied out through pointers, so a change by somebody else gives other bytes and nothing worse. Truncation
        // is the one hazard left; see the type's documentation.
        let map = unsafe { memmap2::MmapOptions::new().len(bytes).map(&file) }.map_err(fail)?;
        // A huge page would map 2 MiB at one touch. The kernel's read-ahead stays on: it fills the page cache only,
        // which is nobody's resident memory. A kernel without huge pages says no, which is as good.
        #[cfg(target_os = "linux")]
        let _ = map.advise(memmap2::Advice::NoHugePage);
        let window = Mutex::default();
        Ok(Self { file, map, len, window, left: Condvar::new(), bytes_read: AtomicU64::new(0) })
    }

    /// The number of the unit that holds this offset.
    fn unit(&self, offset: usize) -> usize {
        (self.map.as_ptr() as usize + offset) / UNIT_BYTES
    }

    /// The offsets of a unit.
    fn offsets(&self, unit: usize) -> std::ops::Range<usize> {
        let base = self.map.as_ptr() as usize;
        let start = (unit * UNIT_BYTES).saturating_sub(base);
        let end = ((unit + 1) * UNIT_BYTES).saturating_sub(base);
        start..end.min(self.map.len())
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the pages of a unit go.
    fn let_go(&self, unit: usize) -> io::Result<()> {
        let range = self.offsets(unit);
        // SAFETY: the range lies inside the mapping, which is a read-only view of the file: pages that are touched
        // again come back with the file's bytes.
        unsafe { self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, range.start, range.len()) }
    }

    /// Waits until `unit` may be touched; it may until the guard is dropped.
    fn enter(&self, unit: usize) -> io::Result<Inside<'_>> {
        let owner = std::thread::current().id();
        let mut window = self.window();
        loop {
            match window.enter(unit, owner) {
                Entry::Free => return Ok(Inside { file: self, unit }),
                Entry::Evict(other) => {
                    let inside = Inside { file: self, unit };
                    // Under the lock: what replaces it must not be touched before it is gone.
                    let gone = self.let_go(other);
                    drop(window);
                    return gone.map(|()| inside);
                }
                Entry::Full => window = self.left.wait(window).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Copies bytes that lie in one unit.
    fn copy(&self, unit: usize, offset: usize, into: &mut [u8]) -> io::Result<()> {
        let _inside = self.enter(unit)?;
        if self.file.metadata()?.len() < (offset + into.len()) as u64 {
            return Err(shrank(&self.file, self.len));
        }
        // SAFETY: `read_at` checked that the range lies inside the mapping; `into` is memory of ours and so does not
        // overlap it. The file's own length was checked just now.
        unsafe {
            std::ptr::copy_nonoverlapping(self.map.as_ptr().add(offset), into.as_mut_ptr(), into.len());
        }
        Ok(())
    }
}

/// A reader is copying from a unit.
struct Inside<'a> {
    file: &'a MappedFile,
    unit: usize,
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.file.window().leave(self.unit);
        self.file.left.notify_one();
    }
}

impl ReadAt for MappedFile {
    type Error = io::Error;

    /// The length when it was opened.
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let past = || past_end(offset, into.len(), self.len);
        let mut at = usize::try_from(offset).map_err(|_| past())?;
        if at.checked_add(into.len()).is_none_or(|end| end > self.map.len()) {
            return Err(past());
        }
        let mut rest = &mut *into;
        while !rest.is_empty() {
            let unit = self.unit(at);
            let here = rest.len().min(self.offsets(unit).end - at);
            let (part, after) = rest.split_at_mut(here);
            self.copy(unit, at, part)?;
            at += here;
            rest = after;
        }
        self.bytes_read.fetch_add(into.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Lets go what the calling thread has read before `offset`.
    fn release_before(&self, offset: u64) {
        let unit = self.unit(usize::try_from(offset).map_or(self.map.len(), |at| at.min(self.map.len())));
        let owner = std::thread::current().id();
        let mut window = self.window();
        while let Some(behind) = window.take_below(unit, owner) {
            if self.let_go(behind).is_err() {
                // Only a hint failed: nothing is wrong with the bytes. The unit is one of the window's no more, and
                // the system did not say why it keeps it; it has no other use for the pages.
                return;
            }
        }
    }
}

impl Input for MappedFile {
    fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }
}
