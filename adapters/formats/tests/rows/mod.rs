//! For tests of formats: files in memory that fail when told to, rows read and written through the public seams in
//! arenas of exactly the stated size, and a heap that counts.
#![allow(dead_code, reason = "each test file uses a part of it")]

#[path = "../heap/mod.rs"]
mod counted;

pub(crate) use counted::heap;

use plimsoll_core::budget::{ALIGN, Budget};
use plimsoll_core::bytes::ReadAt;
use plimsoll_core::pipeline::Need;
use plimsoll_core::pipeline::plan::Place;
use plimsoll_core::shape::{Region, Rows, Shape};
use plimsoll_core::strip::{Strip, StripMut};
use plimsoll_formats::{Bytes, FormatError, Page, Picture, Target, WriteAt, detect};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// A file in memory. Its `fail`th read, from zero, fails.
pub(crate) struct File {
    pub(crate) content: Vec<u8>,
    pub(crate) fail: usize,
    pub(crate) calls: AtomicUsize,
}

impl ReadAt for File {
    type Error = io::Error;
    fn len(&self) -> u64 {
        self.content.len() as u64
    }
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        if self.calls.fetch_add(1, Relaxed) == self.fail {
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        self.content.as_slice().read_at(offset, into).map_err(|_| io::ErrorKind::UnexpectedEof.into())
    }
}

pub(crate) fn file(content: &[u8]) -> Bytes {
    failing_file(content, usize::MAX)
}

pub(crate) fn failing_file(content: &[u8], fail: usize) -> Bytes {
    Arc::new(File { content: content.to_vec(), fail, calls: AtomicUsize::new(0) })
}

pub(crate) fn open(content: &[u8]) -> Result<Box<dyn Picture>, FormatError> {
    detect(content).expect("a format knows it").open(file(content))
}

/// Bytes of `needs` in one place for one worker.
pub(crate) fn bytes_in(needs: &[Need], place: Place) -> u64 {
    needs.iter().filter(|need| need.place == place).fold(0, |sum, need| need.bytes.saturating_add(sum))
}

/// Runs `work` with an aligned arena of exactly `bytes`.
pub(crate) fn with_arena<R>(bytes: u64, work: impl FnOnce(&mut [u8]) -> R) -> R {
    work(aligned(&mut vec![0xa5; bytes as usize + ALIGN]))
}

/// The part of `bytes` that begins where an arena may, and leaves [`ALIGN`] bytes in all.
fn aligned(bytes: &mut [u8]) -> &mut [u8] {
    let (skip, len) = (bytes.as_ptr().align_offset(ALIGN), bytes.len() - ALIGN);
    &mut bytes[skip..skip + len]
}

/// Reads a region in strips, within exactly what the page says it needs, allocating nothing once it has begun.
pub(crate) fn read(page: &dyn Page, region: Region, strip_rows: u32) -> Result<Vec<u8>, FormatError> {
    let needs = page.needs(region);
    let shape = page.facts().shape;
    let row_bytes = region.cols.len() as usize * shape.pixel_bytes();
    let mut samples = Vec::with_capacity(region.rows.len() as usize * row_bytes);
    let mut ring = vec![0u64; (strip_rows as usize * row_bytes).div_ceil(8)];
    let ring: &mut [u8] = &mut bytemuck::cast_slice_mut(&mut ring)[..strip_rows as usize * row_bytes];
    with_arena(bytes_in(&needs, Place::Arena), |arena| {
        let mut budget = Budget::new(arena);
        let (result, taken) = heap(|| {
            let mut source = page.source(region, &mut budget)?;
            let (result, running) = heap(|| {
                let mut start = region.rows.start();
                while start < region.rows.end() {
                    let end = start.saturating_add(strip_rows).min(region.rows.end());
                    let part = region.with_rows(Rows::new(start, end));
                    let mut strip = StripMut::new(ring, part, shape).expect("the ring has room");
                    source.read(&mut strip)?;
                    part.rows.iter().for_each(|row| samples.extend_from_slice(strip.row_bytes_mut(row)));
                    start = end;
                }
                Ok::<(), FormatError>(())
            });
            if result.is_ok() {
                assert_eq!(running.calls, 0, "the source allocates while it runs");
            }
            result
        });
        // An error's message is beside what was stated.
        let stated = bytes_in(&needs, Place::Heap) + if result.is_ok() { 0 } else { 1024 };
        assert!(taken.peak <= stated, "{} bytes of heap, {stated} were stated", taken.peak);
        result
    })?;
    Ok(samples)
}

/// All of the first page, in strips of `strip_rows`.
pub(crate) fn read_all(content: &[u8], strip_rows: u32) -> Result<(Shape, Vec<u8>), FormatError> {
    let page = open(content)?.page(0)?.expect("a first page");
    let shape = page.facts().shape;
    read(&*page, shape.region(), strip_rows).map(|samples| (shape, samples))
}

/// An output in memory. Its `fail`th write, from zero, fails, and all after it.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) content: Mutex<Vec<u8>>,
    pub(crate) fail: Option<usize>,
    pub(crate) calls: AtomicUsize,
}

impl WriteAt for Memory {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if self.fail.is_some_and(|fail| self.calls.fetch_add(1, Relaxed) >= fail) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut content = self.content.lock().unwrap();
        let end = offset as usize + bytes.len();
        if content.len() < end {
            content.resize(end, 0);
        }
        content[offset as usize..end].copy_from_slice(bytes);
        Ok(())
    }
}

/// Writes an image in bands, the last band first unless the target wants order, in strips of `strip_rows`.
pub(crate) fn write_to(
    output: Arc<Memory>,
    target: &dyn Target,
    shape: Shape,
    samples: &[u8],
    bands: u32,
    strip_rows: u32,
) -> Result<(), FormatError> {
    let row_bytes = shape.row_bytes() as usize;
    let mut ring = vec![0u64; (strip_rows as usize * row_bytes).div_ceil(8)];
    let ring: &mut [u8] = &mut bytemuck::cast_slice_mut(&mut ring)[..strip_rows as usize * row_bytes];
    let needs = target.needs();
    let bands = if target.ordered() { 1 } else { bands };
    // The output's own growth is not the writer's.
    output.content.lock().unwrap().reserve(target.file_bytes() as usize);
    let (result, taken) = heap(|| {
        let writer = target.create(output)?;
        for band in (0..bands).rev() {
            let rows = Rows::new(shape.rows * band / bands, shape.rows * (band + 1) / bands);
            with_arena_uncounted(bytes_in(&needs, Place::Arena), |arena| {
                let mut budget = Budget::new(arena);
                let mut sink = writer.sink(rows, &mut budget)?;
                let (result, running) = heap(|| {
                    let mut start = rows.start();
                    while start < rows.end() {
                        let end = start.saturating_add(strip_rows).min(rows.end());
                        let region = shape.region().with_rows(Rows::new(start, end));
                        for row in region.rows.iter() {
                            let slot = (row % strip_rows) as usize * row_bytes;
                            let from = &samples[row as usize * row_bytes..][..row_bytes];
                            ring[slot..slot + row_bytes].copy_from_slice(from);
                        }
                        let strip = Strip::new(ring, region, shape).expect("the ring has room");
                        sink.write(&strip)?;
                        start = end;
                    }
                    Ok::<(), FormatError>(())
                });
                if result.is_ok() {
                    assert_eq!(running.calls, 0, "the sink allocates while it runs");
                }
                result?;
                sink.finish()
            })?;
        }
        writer.finish()
    });
    if result.is_ok() {
        let stated = bytes_in(&needs, Place::Heap);
        assert!(taken.peak <= stated, "{} bytes of heap, {stated} were stated", taken.peak);
    }
    result
}

/// As [`with_arena`], with the arena not counted as heap.
fn with_arena_uncounted<R>(bytes: u64, work: impl FnOnce(&mut [u8]) -> R) -> R {
    counted::uncounted(|| vec![0xa5; bytes as usize + ALIGN], |arena| work(aligned(arena)))
}

/// Writes an image and returns the file.
pub(crate) fn write(
    target: &dyn Target,
    shape: Shape,
    samples: &[u8],
    bands: u32,
    strip_rows: u32,
) -> Result<Vec<u8>, FormatError> {
    let output = Arc::new(Memory::default());
    write_to(output.clone(), target, shape, samples, bands, strip_rows)?;
    let content = std::mem::take(&mut *output.content.lock().unwrap());
    assert!(content.len() as u64 <= target.file_bytes(), "the file is larger than was said");
    Ok(content)
}

/// Repeatable bytes: smooth in the first half, noise in the second.
pub(crate) fn samples(len: usize) -> Vec<u8> {
    let mut state = 1u32;
    (0..len)
        .map(|i| {
            state = state.wrapping_mul(1664525).wrapping_add(1013904223);
            if i < len / 2 { (i / 7) as u8 } else { (state >> 24) as u8 }
        })
        .collect()
}
