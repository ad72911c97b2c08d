//! Promise: after a run starts, nothing is allocated: neither by sources, stages and sinks, nor by the job around them.
//!
//! It counts every allocation of this very process, so it is a program without a test harness, whose threads would
//! allocate in between.

use plimsoll::Step;
use plimsoll::job::{Control, ConvertJob, Input, Io, MeasureJob, Moment, Settings, Watcher};
use plimsoll_formats::{Compression, Wanted};
use plimsoll_os::memory::CountingAllocator;
use plimsoll_tests::{Kind, Packing, Picture, Storage};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();

/// Counts allocations from a moment of each pass on.
struct Books {
    /// Allocations at that moment; before it the largest number.
    first: AtomicU64,
    /// The most allocations since.
    since: AtomicU64,
    /// How often it was looked.
    moments: AtomicUsize,
}

struct Counter(Arc<Books>, u32);

impl Watcher for Counter {
    fn at(&self, moment: Moment) {
        let now = HEAP.snapshot().allocations;
        // With several workers only the half that one of them cannot have read alone shows that all have begun.
        let begun = self.1 == 1 || moment.rows > moment.rows_in_all / 2 + moment.rows_in_all / 8;
        if moment.pass < moment.passes || !begun {
            self.0.first.store(u64::MAX, Relaxed);
        } else {
            let first = self.0.first.fetch_min(now, Relaxed).min(now);
            self.0.since.fetch_max(now.saturating_sub(first), Relaxed);
            self.0.moments.fetch_add(1, Relaxed);
        }
    }
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("in.tif");
    let picture = Picture::new(1200, 1000, 3, Kind::U8);
    let chain = ["crop:50,50,900,1100", "resize:0.9,linear", "sharpen", "blur:2", "normalize"];
    let wide = |compression, tile| Wanted { compression, tile, ..Wanted::default() };
    for storage in [
        Storage::strips(16, Packing::None),
        Storage::tiles(128, Packing::None),
        Storage::strips(16, Packing::Deflate),
        Storage::strips(16, Packing::Lzw),
        Storage::tiles(128, Packing::Deflate),
    ] {
        picture.write_tiff(&input, &storage).expect("written");
        for workers in [1, 2] {
            for io in [Io::Read, Io::Mmap] {
                let settings = |hash| Settings {
                    within: Some("16MiB".parse().expect("a size")),
                    workers: Some(workers),
                    io,
                    // So that there are many moments.
                    strip_rows: Some(8),
                    overwrite: true,
                    sync: false,
                    hash,
                    ..Settings::default()
                };
                let steps =
                    |steps: &[&str]| steps.iter().map(|step| step.parse::<Step>().expect("a step")).collect();
                let opened = Input::open(&input, io).expect("it can be opened");
                for (output, wanted) in [
                    ("out.ppm", Wanted::default()),
                    ("out.tif", Wanted::default()),
                    ("out.tif", wide(Compression::Deflate, None)),
                    ("out.tif", wide(Compression::Lzw, Some(64))),
                    ("out.png", Wanted::default()),
                ] {
                    let output = folder.path().join(output);
                    let job =
                        ConvertJob::plan(&opened, 1, steps(&chain), &output, wanted, settings(workers == 1));
                    let job = job.expect("it fits");
                    let what =
                        format!("{storage:?} to {} {wanted:?}, {workers} workers, {io:?}", name(&output));
                    counted(&what, workers, |control| drop(job.run(control).expect("it runs")));
                }
                let job = MeasureJob::plan(&opened, 1, steps(&["blur:1"]), true, &settings(false))
                    .expect("it fits");
                counted(
                    &format!("statistics of {storage:?}, {workers} workers, {io:?}"),
                    workers,
                    |control| {
                        drop(job.run(control, |_, _| Ok(())).expect("it runs"));
                    },
                );
            }
        }
    }
    println!("nothing is allocated while a job runs: ok");
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().display().to_string()
}

/// Runs a job and asserts that nothing was allocated between its first moment and its last.
fn counted(what: &str, workers: u32, run: impl FnOnce(&Control)) {
    let books = Arc::new(Books {
        first: AtomicU64::new(u64::MAX),
        since: AtomicU64::new(0),
        moments: AtomicUsize::new(0),
    });
    let control =
        Control::new(Arc::new(AtomicBool::new(false)), Some(Box::new(Counter(Arc::clone(&books), workers))));
    run(&control);
    let [since, moments] = [books.since.load(Relaxed), books.moments.load(Relaxed) as u64];
    assert!(moments >= 20, "{what}: only {moments} moments were seen");
    assert_eq!(since, 0, "{what}: allocations while it ran, over {moments} moments");
}
