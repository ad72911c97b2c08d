//! The memory that a TIFF target states is what its writer takes: counted by the allocator, worst cases included, and
//! nothing is allocated between the making of a sink and its end.

use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::plan::Place;
use plimsoll_core::shape::{Region, Rows, SampleKind, Shape};
use plimsoll_core::strip::Strip;
use plimsoll_formats::{Compression, Format, Pyramid, Target, Tiff, Wanted, WriteAt};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Counts bytes; a block that grows is counted twice while it is copied.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all work is the system allocator's; only counters are added.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, SeqCst);
        let now = NOW.fetch_add(layout.size(), SeqCst) + layout.size();
        PEAK.fetch_max(now, SeqCst);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), SeqCst);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A device that keeps nothing.
struct Nothing;

impl WriteAt for Nothing {
    fn write_at(&self, _offset: u64, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

fn stated(target: &dyn Target, place: Place) -> usize {
    target.needs().iter().filter(|need| need.place == place).map(|need| need.bytes as usize).sum()
}

/// Writes the image and returns the heap's peak, stated and counted.
fn peak(shape: Shape, wanted: Wanted, image: &[u8]) -> (usize, usize) {
    let target = Tiff.target(shape, wanted).unwrap();
    let leased = stated(&*target, Place::Arena);
    let mut arena = vec![0; leased + 64];
    let offset = arena.as_ptr().align_offset(64);
    let output = Arc::new(Nothing);
    let kept = output.clone();
    let heap = stated(&*target, Place::Heap);
    let before = NOW.load(SeqCst);
    PEAK.store(before, SeqCst);
    let writer = target.create(output).unwrap();
    {
        let mut budget = Budget::new(&mut arena[offset..offset + leased]);
        let mut sink = writer.sink(shape.all_rows(), &mut budget).unwrap();
        // Threads may allocate as they start.
        let mut calls = usize::MAX;
        while calls != CALLS.load(SeqCst) {
            calls = CALLS.load(SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        for start in (0..shape.rows).step_by(16) {
            let rows = Rows::new(start, (start + 16).min(shape.rows));
            let strip = Strip::new(image, Region::new(rows, shape.all_cols()), shape).unwrap();
            sink.write(&strip).unwrap();
        }
        sink.finish().unwrap();
        assert_eq!(CALLS.load(SeqCst), calls, "allocations while writing {shape} {wanted:?}");
    }
    writer.finish().unwrap();
    let counted = PEAK.load(SeqCst) - before;
    let left = NOW.load(SeqCst);
    drop(kept);
    assert_eq!(left, before, "not all was given back");
    (heap, counted)
}

fn noise(bytes: usize, mask: u8) -> Vec<u8> {
    let mut state = 88172645463325252u64;
    let step = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8 & mask
    };
    std::iter::repeat_with(step).take(bytes).collect()
}

const METHODS: [(Compression, Option<u8>); 5] = [
    (Compression::Lzw, None),
    (Compression::Deflate, None),
    (Compression::Zstd, None),
    (Compression::Zstd, Some(1)),
    (Compression::Zstd, Some(19)),
];

// A program of its own: the usual one's main thread allocates to say that a test has been running for over a minute,
// which it does on a busy machine, and every byte is counted here.
fn main() {
    needs_are_what_is_taken();
    println!("test needs_are_what_is_taken ... ok");
}

fn needs_are_what_is_taken() {
    // The runtime's own first allocations for threads are not the writer's.
    std::thread::Builder::new().name("warm".into()).spawn(|| ()).unwrap().join().unwrap();
    let shape = Shape::new(500, 700, 3, SampleKind::U8);
    let float = Shape::new(500, 200, 1, SampleKind::F32);
    let tile = Wanted { tile: Some(64), ..Wanted::default() };
    let sub_ifds = Wanted { pyramid: Some(Pyramid::SubIfds), ..tile };
    let pages = Wanted { pyramid: Some(Pyramid::Pages), ..tile };
    let many = Wanted { file_strip_rows: Some(1), ..Wanted::default() };
    for mask in [255, 63, 3, 0] {
        for shape in [shape, float] {
            let image = noise(shape.image_bytes() as usize, mask);
            for layout in [Wanted::default(), tile, many, sub_ifds, pages] {
                let (heap, counted) = peak(shape, layout, &image);
                assert!(counted <= heap, "{counted} of {heap} bytes");
                for (compression, level) in METHODS {
                    for compressors in [0, 1, 3] {
                        let wanted = Wanted { compression, level, compressors, ..layout };
                        let (heap, counted) = peak(shape, wanted, &image);
                        assert!(counted <= heap, "{counted} of {heap} bytes for {shape} {wanted:?}");
                        // Stated closely: what is not used is the slack of states and threads.
                        let slack = 80_000 * (compressors as usize + 1);
                        assert!(counted + slack >= heap, "{counted} of {heap} bytes for {shape} {wanted:?}");
                    }
                }
            }
        }
    }
}
