//! Promises that must hold wherever workers meet: same bits as ever, each row read once, memory as planned.

use plimsoll::Within;
use plimsoll::job::{Control, ConvertJob, Input, Io, Settings};
use plimsoll_formats::Wanted;
use plimsoll_os::memory::CountingAllocator;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[global_allocator]
static HEAP: CountingAllocator = CountingAllocator::new();

/// The heap is everybody's: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const ROWS: u32 = 613;
const COLS: u32 = 437;

/// Repeatable noise of 32 bits.
fn noise(row: u32, col: u32, band: u32) -> u32 {
    let mut hash = 7 ^ row.wrapping_mul(0x9e37_79b9) ^ col.wrapping_mul(0x85eb_ca6b) ^ band << 13;
    for _ in 0..3 {
        hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d).wrapping_add(7);
    }
    hash
}

/// A picture of a kind as a file, and the ending of its name.
fn picture(kind: &str) -> (Vec<u8>, &'static str) {
    let pixels = |rows: &mut dyn Iterator<Item = u32>, sample: &dyn Fn(u32, u32) -> Vec<u8>| -> Vec<u8> {
        rows.flat_map(|row| (0..COLS).flat_map(move |col| sample(row, col))).collect()
    };
    let down = &mut (0..ROWS);
    let (header, samples, ending) = match kind {
        "u8" => {
            let sample = |row, col| (0..3).map(|band| (noise(row, col, band) >> 24) as u8).collect();
            (format!("P6\n{COLS} {ROWS}\n255\n"), pixels(down, &sample), "ppm")
        }
        "u16" => {
            let sample = |row, col| ((noise(row, col, 0) >> 16) as u16).to_be_bytes().to_vec();
            (format!("P5\n{COLS} {ROWS}\n65535\n"), pixels(down, &sample), "pgm")
        }
        _ => {
            let sample =
                |row, col| ((noise(row, col, 0) >> 8) as f32 / (1 << 24) as f32).to_le_bytes().to_vec();
            (format!("Pf\n{COLS} {ROWS}\n-1.0\n"), pixels(&mut (0..ROWS).rev(), &sample), "pfm")
        }
    };
    ([header.into_bytes(), samples].concat(), ending)
}

fn write_picture(folder: &Path, kind: &str) -> PathBuf {
    let (bytes, ending) = picture(kind);
    let path = folder.join(format!("in.{ending}"));
    std::fs::write(&path, bytes).unwrap();
    path
}

fn settings(within: u64, workers: u32, strip_rows: Option<u32>) -> Settings {
    Settings {
        within: Some(Within::Bytes(within)),
        workers: Some(workers),
        strip_rows,
        overwrite: true,
        sync: false,
        ..Settings::default()
    }
}

fn plan(input: &Input, steps: &str, settings: Settings) -> ConvertJob {
    let ending = input.path().extension().unwrap();
    let output = input.path().with_file_name("out").with_extension(ending);
    let steps = steps.split(' ').map(|step| step.parse().unwrap()).collect();
    ConvertJob::plan(input, 1, steps, &output, Wanted::default(), settings).unwrap()
}

/// Runs a chain, checks what it read and held, and gives the first half of the output's SHA-256, and whether workers
/// met behind some of its stages.
fn run(path: &Path, steps: &str, settings: Settings) -> (String, bool) {
    let input = Input::open(path, Io::Read).unwrap();
    let job = plan(&input, steps, settings);
    let planned = job.job_plan().heap_bytes();
    HEAP.reset_peak();
    let before = HEAP.snapshot().current_bytes as u64;
    let done = job.run(&Control::default()).unwrap();
    let held = HEAP.snapshot().peak_bytes as u64 - before;
    assert!(held <= planned, "the heap held {held} bytes, {planned} were planned");
    // Headers are read twice at most.
    assert!(input.bytes_read() <= input.bytes() + 4096, "{} bytes read", input.bytes_read());
    let names: Vec<&str> = done.seconds.iter().map(|(name, _)| name.as_str()).collect();
    let wanted: Vec<&str> = steps.split(' ').map(|step| step.split(':').next().unwrap()).collect();
    assert_eq!(names, [&["source", "sink"], &wanted[..]].concat());
    let hash = Sha256::digest(std::fs::read(&done.path).unwrap());
    let meets = job.job_plan().passes.last().is_some_and(|pass| pass.prefix.is_some());
    (hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect(), meets)
}

/// What one worker made when a reduction was one stage only.
const GOLDEN: [(&str, &str, &str); 12] = [
    ("u8", "lanczos3", "a7a5849817c030cc"),
    ("u8", "area", "464bdce966bc2aca"),
    ("u8", "linear", "af773085ee303ebe"),
    ("u8", "cubic", "ed976c54c3611e4e"),
    ("u16", "lanczos3", "7911abaf4810b5a4"),
    ("u16", "area", "b1747a54f721291f"),
    ("u16", "linear", "c84c7b93ab4c2838"),
    ("u16", "cubic", "206602053d0f251f"),
    ("f32", "lanczos3", "48e1c54bfedd98c2"),
    ("f32", "area", "b181d85de57bf617"),
    ("f32", "linear", "11e2cd905558fe3d"),
    ("f32", "cubic", "e059d04100aeb8c6"),
];

#[test]
fn thumbnails_are_what_they_were() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    for (kind, kernel, golden) in GOLDEN {
        let path = write_picture(folder.path(), kind);
        for workers in 1..=3 {
            for (within, strip_rows) in
                [(5 << 20, None), (6 << 20, Some(1)), (6 << 20, Some(7)), (64 << 20, None)]
            {
                let case = format!("{kind} {kernel}, {workers} workers, {within} bytes, {strip_rows:?} rows");
                let steps = format!("thumbnail:40,{kernel}");
                let (hash, meets) = run(&path, &steps, settings(within, workers, strip_rows));
                assert_eq!(hash, golden, "{case}");
                if within > 5 << 20 {
                    assert_eq!(meets, workers > 1 && kernel != "area", "{case}");
                }
            }
        }
    }
}

#[test]
fn chains_around_the_seams_are_the_same_for_all() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    for (kind, steps, meets) in [
        ("u8", "invert crop:9,31,400,570 thumbnail:60 blur:2", true),
        ("u16", "shrink:4 blur:3 invert", true),
        ("u8", "shrink:4 shrink:2 blur:1.5", true),
        ("u8", "blur:2 thumbnail:40", false),
        ("u8", "thumbnail:95,cubic", true),
        ("f32", "shrink:8 invert", false),
        ("u8", "thumbnail:300 invert", false),
    ] {
        let path = write_picture(folder.path(), kind);
        let (alone, _) = run(&path, steps, settings(64 << 20, 1, None));
        for workers in 2..=5 {
            for strip_rows in [None, Some(3)] {
                let (hash, met) = run(&path, steps, settings(64 << 20, workers, strip_rows));
                assert_eq!(hash, alone, "{kind} {steps}, {workers} workers");
                assert_eq!(met, meets, "{kind} {steps}, {workers} workers");
            }
        }
    }
}

#[test]
fn two_workers_fit_where_their_seam_would_not() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.ppm");
    let header = b"P6\n20000 20000\n255\n";
    let file = std::fs::File::create(&path).unwrap();
    std::io::Write::write_all(&mut &file, header).unwrap();
    // A hole: it is planned and never read.
    file.set_len(header.len() as u64 + 1_200_000_000).unwrap();
    let input = Input::open(&path, Io::Read).unwrap();
    let job = plan(&input, "thumbnail:512", settings(5 << 20, 2, None));
    let pass = job.job_plan().passes.last().unwrap();
    assert_eq!(pass.plan.workers, 2);
    assert_eq!(pass.plan.reads_per_row, 1.0);
    assert!(pass.plan.peak_bytes <= 5 << 20);
    let sum: u64 = pass.plan.consumers.iter().map(|consumer| consumer.bytes).sum();
    assert_eq!(sum, pass.plan.peak_bytes);
    let names: Vec<String> = pass.plan.consumers.iter().map(ToString::to_string).collect();
    for name in [
        "windows before the seams",
        "states before the seams",
        "seams between workers",
        "state of resize (2)",
    ] {
        assert!(names.iter().any(|there| there == name), "{name} is not in {names:?}");
    }
    // What is refused still names a budget that works.
    let smallest = job.job_plan().smallest_bytes();
    assert_eq!(plan(&input, "thumbnail:512", settings(smallest, 2, None)).job_plan().peak_bytes(), smallest);
}
