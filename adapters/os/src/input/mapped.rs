//! Input out of mappings, of which only a small window exists at any time.
//!
//! A mapped page counts as resident memory from its first touch on, and so do its neighbours: recent kernels map as
//! much of a cached folio as the mapping covers, up to 2 MiB at one touch, whatever was advised. So the file is never
//! mapped as a whole. Units of it are mapped where they are read and unmapped behind; what is not mapped cannot be
//! resident. Invariant: at most [`MAPPED_WINDOW_BYTES`] are mapped, however many threads read wherever.
#![allow(unsafe_code)]

use super::window::{UNITS, Window};
use super::{Input, Opened, open_regular, past_end};
use crate::FileError;
use crate::retry;
use memmap2::{Mmap, MmapOptions};
use plimsoll_core::bytes::ReadAt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

/// What is mapped at once: a multiple of every machine's page. Measured reading 300 MB on two threads: 256 KiB
/// take half the time of 128 KiB, and 512 KiB three quarters of that.
const UNIT_BYTES: usize = 256 << 10;

/// The most bytes of a [`MappedFile`] that are resident at any time: for the whole process, not for each reader.
pub const MAPPED_WINDOW_BYTES: u64 = (UNITS * UNIT_BYTES) as u64;

/// A file that is read out of mappings.
///
/// A touch past the file's present end would be answered with a signal that kills the process (`SIGBUS`), and no
/// question asked before it helps, as the file may shrink in between. So the process never touches the mapping: the
/// kernel copies out of it (`process_vm_readv` on the process itself), and meets a missing page with an error where a
/// load would meet it with the signal. No handler of signals is needed, and a program around this library keeps its
/// own. Where the kernel does not offer that (another system, or a container that forbids it) bytes come by positioned
/// reads instead. So they do where a page is missing: of a device that fails the kernel says only that there is none
/// (`EFAULT`), a read says why, and is tried again as every other.
#[derive(Debug)]
pub struct MappedFile {
    file: File,
    opened: Opened,
    window: Mutex<Window>,
    left: Condvar,
    slots: [RwLock<Option<Unit>>; UNITS],
    bytes_read: AtomicU64,
}

/// A mapped part of the file.
#[derive(Debug)]
struct Unit {
    number: u64,
    map: Mmap,
}

impl MappedFile {
    /// Opens `path` read-only. Nothing of it is resident yet.
    ///
    /// # Errors
    /// As [`open_input`](super::open_input); also where its file system has no mappings.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let (file, opened) = open_regular(path)?;
        let input = Self {
            file,
            opened,
            window: Mutex::default(),
            left: Condvar::new(),
            slots: Default::default(),
            bytes_read: AtomicU64::new(0),
        };
        input.map(0).map_err(FileError::at("map", path))?;
        Ok(input)
    }

    fn map(&self, number: u64) -> io::Result<Unit> {
        let offset = number * UNIT_BYTES as u64;
        let bytes = self.opened.len.saturating_sub(offset).min(UNIT_BYTES as u64) as usize;
        // SAFETY: the mapping is read-only and shared, and no reference to its bytes is ever made: only the kernel
        // copies out of it, so a change or truncation by somebody else gives other bytes or an error.
        let map = unsafe { MmapOptions::new().offset(offset).len(bytes).map(&self.file) }?;
        Ok(Unit { number, map })
    }

    fn window(&self) -> MutexGuard<'_, Window> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a slot may be used for this unit; it may until the guard is dropped.
    fn enter(&self, number: u64) -> Inside<'_> {
        let owner = std::thread::current().id();
        let mut window = self.window();
        loop {
            if let Some(slot) = window.enter(number, owner) {
                return Inside { file: self, slot };
            }
            window = self.left.wait(window).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Fills `into` from the bytes at `start` of a unit, which holds them all.
    fn copy(&self, number: u64, start: usize, into: &mut [u8]) -> io::Result<()> {
        let inside = self.enter(number);
        let slot = inside.mapped(number)?;
        let map = slot.as_ref().map(|unit| &unit.map).filter(|map| start + into.len() <= map.len());
        let map = map.ok_or_else(|| past_end(start as u64, into.len(), self.opened.len))?;
        if copy_out(map.as_ptr() as usize + start, into) {
            return Ok(());
        }
        let offset = number * UNIT_BYTES as u64 + start as u64;
        retry::again(|| self.file.read_exact_at(into, offset))
    }
}

/// Lets the kernel fill `into` from address `from` of this process. `false` if it does not do that, or not here.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn copy_out(mut from: usize, mut into: &mut [u8]) -> bool {
    use nix::errno::Errno;
    use nix::sys::uio::{RemoteIoVec, process_vm_readv};
    let me = nix::unistd::Pid::this();
    while !into.is_empty() {
        let remote = [RemoteIoVec { base: from, len: into.len() }];
        match process_vm_readv(me, &mut [io::IoSliceMut::new(into)], &remote) {
            // It stops at the first page that is not there, and fails there when it is asked again.
            Ok(bytes @ 1..) => {
                from += bytes;
                into = into.split_at_mut(bytes).1;
            }
            Err(Errno::EINTR) => {}
            Ok(0) | Err(_) => return false,
        }
    }
    true
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn copy_out(_from: usize, _into: &mut [u8]) -> bool {
    false
}

/// A reader is in a slot: it keeps its unit. Slots are locked only by those who are in them, or while nobody is.
struct Inside<'a> {
    file: &'a MappedFile,
    slot: usize,
}

impl<'a> Inside<'a> {
    /// The slot with this unit mapped in it.
    fn mapped(&self, number: u64) -> io::Result<RwLockReadGuard<'a, Option<Unit>>> {
        let slot = &self.file.slots[self.slot];
        loop {
            let there = slot.read().unwrap_or_else(PoisonError::into_inner);
            if there.as_ref().is_some_and(|unit| unit.number == number) {
                return Ok(there);
            }
            drop(there);
            let mut change = slot.write().unwrap_or_else(PoisonError::into_inner);
            if change.as_ref().is_none_or(|unit| unit.number != number) {
                // The old one goes before the new one comes, so that there are never more than UNITS.
                *change = None;
                *change = Some(self.file.map(number)?);
            }
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.file.window().leave(self.slot);
        self.file.left.notify_one();
    }
}

impl ReadAt for MappedFile {
    type Error = io::Error;

    /// The length when it was opened.
    fn len(&self) -> u64 {
        self.opened.len
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(into.len() as u64).is_none_or(|end| end > self.len()) {
            return Err(past_end(offset, into.len(), self.len()));
        }
        let mut number = offset / UNIT_BYTES as u64;
        let mut start = (offset % UNIT_BYTES as u64) as usize;
        let mut rest = &mut *into;
        while !rest.is_empty() {
            let (part, after) = rest.split_at_mut(rest.len().min(UNIT_BYTES - start));
            let copied = self.copy(number, start, part);
            // The tail of a page that the file ends in reads as zeros: what is there counts, not what was copied.
            self.opened.check(&self.file)?;
            copied?;
            (number, start, rest) = (number + 1, 0, after);
        }
        self.bytes_read.fetch_add(into.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// Unmaps what the calling thread has read before `offset`.
    fn release_before(&self, offset: u64) {
        let owner = std::thread::current().id();
        let mut window = self.window();
        while let Some(slot) = window.take_below(offset / UNIT_BYTES as u64, owner) {
            *self.slots[slot].write().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

impl Input for MappedFile {
    fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }
}
