//! Promise: the codec takes no more than its formula says, over sizes, bands, depths and noise.
//!
//! OpenJPEG takes its memory from the system's `malloc` and not from Rust's allocator, so this program puts itself in
//! front of both: every block of the process is counted, in the bytes that were asked for.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod jp2_files;

use jp2_files::apart::{Apart, marked};
use jp2_files::{has, high_throughput, page, picture, read, stated, subsampled, write};
use plimsoll_core::shape::{SampleKind, Shape};
use plimsoll_formats::{Format, Jp2Wanted, Jpeg2000, Page, Progression, Quality, Wanted};
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" {
    fn __libc_malloc(bytes: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, bytes: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, bytes: usize) -> *mut c_void;
    fn __libc_memalign(align: usize, bytes: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
    fn malloc_usable_size(block: *mut c_void) -> usize;
}

/// Counts a block as the allocator keeps it, a few bytes more than was asked for.
fn took(block: *mut c_void) -> *mut c_void {
    // SAFETY: a living block, or none.
    let bytes = unsafe { malloc_usable_size(block) };
    let held = HELD.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(held, Relaxed);
    block
}

fn gave(block: *mut c_void) {
    // SAFETY: a living block, or none.
    let bytes = unsafe { malloc_usable_size(block) };
    HELD.fetch_sub(bytes, Relaxed);
}

// SAFETY: these stand before the system's functions of the same names and hand every call on to them unchanged.
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(bytes: usize) -> *mut c_void {
    // SAFETY: the caller's promise is the same; so below.
    took(unsafe { __libc_malloc(bytes) })
}

// SAFETY: as `malloc`.
#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: usize, bytes: usize) -> *mut c_void {
    // SAFETY: as in `malloc`.
    took(unsafe { __libc_calloc(count, bytes) })
}

// SAFETY: as `malloc`.
#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(block: *mut c_void, bytes: usize) -> *mut c_void {
    gave(block);
    // SAFETY: as in `malloc`.
    took(unsafe { __libc_realloc(block, bytes) })
}

// SAFETY: as `malloc`.
#[unsafe(no_mangle)]
unsafe extern "C" fn memalign(align: usize, bytes: usize) -> *mut c_void {
    // SAFETY: as in `malloc`.
    took(unsafe { __libc_memalign(align, bytes) })
}

// SAFETY: as `malloc`.
#[unsafe(no_mangle)]
unsafe extern "C" fn aligned_alloc(align: usize, bytes: usize) -> *mut c_void {
    // SAFETY: as in `malloc`.
    took(unsafe { __libc_memalign(align, bytes) })
}

// SAFETY: as `malloc`; `block` is a place for a pointer.
#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(block: *mut *mut c_void, align: usize, bytes: usize) -> i32 {
    // SAFETY: as in `malloc`.
    unsafe { *block = took(__libc_memalign(align, bytes)) };
    0
}

// SAFETY: as `malloc`.
#[unsafe(no_mangle)]
unsafe extern "C" fn free(block: *mut c_void) {
    gave(block);
    // SAFETY: as in `malloc`.
    unsafe { __libc_free(block) }
}

/// Runs `work` and says how much it held at most beyond what was held before.
fn peak<R>(work: impl FnOnce() -> R) -> (R, usize) {
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    let result = work();
    (result, PEAK.load(Relaxed).saturating_sub(before))
}

/// One test: the counters are the process's.
#[test]
fn writing_and_reading_stay_within_what_they_state() {
    let (u8, u16) = (SampleKind::U8, SampleKind::U16);
    let shapes = [
        (Shape::new(100, 100, 1, u8), 64),
        (Shape::new(512, 512, 3, u8), 512),
        (Shape::new(300, 1100, 3, u8), 256),
        (Shape::new(333, 517, 4, u16), 100),
        (Shape::new(1024, 1024, 3, u8), 1024),
        (Shape::new(640, 640, 2, u16), 640),
    ];
    let qualities = [Quality::Lossless, Quality::Ratio(8.0), Quality::Psnr(45.0)];
    for (shape, tile) in shapes {
        for (noise, quality) in [false, true].into_iter().flat_map(|noise| qualities.map(|it| (noise, it))) {
            for (layers, progression, compressors) in [(1, Progression::Rpcl, 0), (5, Progression::Lrcp, 2)] {
                let jp2 = Jp2Wanted { quality, layers: Some(layers), progression, ..Jp2Wanted::default() };
                let wanted = Wanted { jp2, tile: Some(tile), compressors, ..Wanted::default() };
                let target = Jpeg2000::Jp2.target(shape, wanted).unwrap();
                let image = picture(shape, noise);
                // The file in memory, its growth, and a strip are the test's own.
                let own = 3 * image.len() + (256 << 10) + 64 * shape.row_bytes() as usize;
                let (file, taken) = peak(|| write(&*target, shape, &image, 32).unwrap());
                let most = stated(&target.needs()) + own;
                let what = format!("{shape}, tiles of {tile}, noise {noise}, {quality:?}, {layers} layers");
                // Lossless components are coded one after the other, others together.
                let together = if quality == Quality::Lossless { 1 } else { usize::from(shape.bands) };
                let planes = 4 * together * tile.min(shape.cols) as usize * tile.min(shape.rows) as usize;
                assert!(taken > planes, "{what}: the coder's blocks are not counted");
                assert!(taken <= most, "writing {what}: {taken} bytes of {most}");
                let page = page(&file).unwrap();
                reading_stays_within_what_it_states(&what, &page);
            }
        }
    }
    components_of_different_sizes();
    headers_of_packets_apart();
    high_throughput_blocks();
}

/// The page itself and a smaller version of it.
fn reading_stays_within_what_it_states(what: &str, page: &Arc<dyn Page>) {
    for page in [Some(page.clone()), page.reduced(1).unwrap()].into_iter().flatten() {
        let small = page.facts().shape;
        let own = small.image_bytes() as usize + (64 << 10) + 32 * small.row_bytes() as usize;
        let (_, taken) = peak(|| read(&*page, small.region(), 16).unwrap());
        let most = stated(&page.needs(small.region())) + own;
        assert!(taken <= most, "reading {what}: {taken} bytes of {most}");
    }
}

/// Files of another coder, whose components have a sample for several pixels: they are priced at their own size.
fn components_of_different_sizes() {
    if !has("opj_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (raw, options) in [
        ("1024,1024,3,8,u@1x1:2x2:2x2", &["-t", "512,512"][..]),
        ("1024,1000,3,8,u@1x1:2x2:2x2", &[]),
        ("640,600,2,16,u@1x1:2x1", &["-t", "128,128", "-p", "PCRL", "-c", "[64,64],[32,32]"]),
        ("900,640,4,8,u@4x4:1x1:2x4:1x2", &["-t", "256,256", "-r", "40,9,1", "-b", "8,8"]),
        // Tiles that end between samples, and some that have none of a component.
        ("900,640,2,8,u@1x1:4x4", &["-t", "255,257"]),
        ("600,700,2,16,u@1x1:16x1", &["-t", "10,700", "-n", "3"]),
    ] {
        let path = subsampled(folder.path(), "in.jp2", raw, options);
        let page = page(&std::fs::read(&path).unwrap()).unwrap();
        let what = format!("{raw} {options:?}");
        reading_stays_within_what_it_states(&what, &page);
        // Chroma is not priced as if it had a sample for each pixel.
        let shape = page.facts().shape;
        let heap = page.needs(shape.region()).into_iter().find(|need| need.consumer == "JPEG 2000 decoder");
        let whole = 4 * shape.image_bytes() as usize;
        if options.is_empty() {
            assert!((heap.unwrap().bytes as usize) < whole, "{what}");
        }
    }
}

/// Files whose headers of packets stand apart from these, in tile-parts' heads or in the main header.
fn headers_of_packets_apart() {
    if !has("opj_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let shape = Shape::new(600, 700, 3, SampleKind::U8);
    for options in [
        &["-b", "4,4", "-r", "16,8,4,2,1"][..],
        &["-b", "4,4", "-t", "128,128", "-TP", "R", "-p", "RPCL", "-r", "16,8,4,2,1"],
    ] {
        let apart = Apart::new(&marked(folder.path(), shape, options));
        let most = apart.series().len().div_ceil(256).max(60_000);
        for (place, file) in
            [("tile-parts", apart.in_parts(60_000)), ("the main header", apart.in_main_header(most))]
        {
            let page = page(&file).unwrap();
            reading_stays_within_what_it_states(&format!("{options:?}, headers in {place}"), &page);
        }
    }
}

/// Files of Grok's coder.
fn high_throughput_blocks() {
    if !has("grk_compress") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let shape = Shape::new(600, 700, 3, SampleKind::U8);
    for options in [&["-b", "64,64"][..], &["-b", "4,4", "-t", "256,256"], &["-b", "8,8", "-I"]] {
        for noise in [false, true] {
            let path = high_throughput(folder.path(), shape, noise, options);
            let page = page(&std::fs::read(path).unwrap()).unwrap();
            reading_stays_within_what_it_states(
                &format!("high throughput, {options:?}, noise {noise}"),
                &page,
            );
        }
    }
}
