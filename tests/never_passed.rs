//! Promise: the process's peak resident memory, as the system reports it, is at most `--within`, and the heap's peak is
//! at most the plan, byte for byte. That the run allocates nothing is held by `never_passed_heap.rs`, and the ceilings
//! at full size by `limits.sh`.

use plimsoll_tests::{Kind, LARGER_PROGRAM_BYTES, Packing, Picture, Storage, Work, programs};

fn work() -> Work {
    let work = Work::new(programs!());
    let rgb = Picture::new(1500, 1300, 3, Kind::U8);
    for (name, storage) in [
        ("in.ppm", Storage::strips(1, Packing::None)),
        ("in-strips.tif", Storage::strips(16, Packing::None)),
        ("in-tiles.tif", Storage::tiles(256, Packing::None)),
        ("in-lzw.tif", Storage::strips(64, Packing::Lzw)),
        ("in-deflate.tif", Storage::strips(16, Packing::Deflate)),
        ("in-deflate-tiles.tif", Storage::tiles(256, Packing::Deflate)),
    ] {
        work.picture(name, &rgb, &storage);
    }
    work.picture("in-16.pgm", &Picture::new(1400, 1200, 1, Kind::U16), &Storage::strips(1, Packing::None));
    work.picture("in-float.tif", &Picture::new(1100, 1000, 1, Kind::F32), &Storage::tiles(128, Packing::Lzw));
    work
}

/// Runs jobs, each within the smallest budget that works and within more.
fn stay_within(work: &Work, jobs: &[impl AsRef<str>]) {
    let mut all = Vec::new();
    for (job, workers) in jobs.iter().flat_map(|job| [(job.as_ref(), 1), (job.as_ref(), 2)]) {
        let line = format!("{job} --workers {workers}");
        let smallest = work.plan(&line)["smallest_bytes"].as_u64().expect("a number");
        let budgets = [smallest, 8 << 20, 24 << 20].into_iter().filter(|budget| *budget >= smallest);
        all.extend(budgets.filter_map(|budget| work.done(&format!("{line} --within {budget}B")).passed()));
    }
    assert!(all.is_empty(), "{} runs passed what was planned:\n{}", all.len(), all.join("\n"));
}

/// Then the start is what takes the most.
#[test]
fn a_picture_of_a_few_pixels_stays_within() {
    let work = work();
    work.picture("in-tiny.tif", &Picture::new(30, 40, 3, Kind::U8), &Storage::strips(30, Packing::None));
    let jobs = [
        "convert in-tiny.tif -o out.ppm --overwrite --no-sync --do invert",
        "thumbnail in-tiny.tif -o out.tif --overwrite --size 16",
        "stats in-tiny.tif",
    ];
    stay_within(&work, &jobs);
}

#[test]
fn every_layout_stays_within() {
    let work = work();
    let inputs =
        ["in.ppm", "in-strips.tif", "in-tiles.tif", "in-lzw.tif", "in-deflate.tif", "in-deflate-tiles.tif"];
    let job = |input: &str, io: &str| {
        format!(
            "convert {input} -o out.ppm --overwrite --no-sync --do crop:100,100,1100,1200 --do resize:0.9,linear \
             --do sharpen --io {io}"
        )
    };
    let jobs: Vec<String> =
        inputs.iter().flat_map(|input| ["read", "mmap"].map(|io| job(input, io))).collect();
    stay_within(&work, &jobs);
}

#[test]
fn every_command_stays_within() {
    let jobs = [
        "convert in-strips.tif -o out.tif --overwrite",
        "convert in-tiles.tif -o out.tif --overwrite --tile 128 --do invert",
        "convert in.ppm -o out.tif --overwrite --compression deflate --do blur:2",
        "convert in.ppm -o out.tif --overwrite --compression lzw --tile 64 --do flip",
        "convert in.ppm -o out.tif --overwrite --compression deflate --tile 64 --pyramid subifd",
        "convert in-tiles.tif -o out.tif --overwrite --tile 128 --pyramid pages --do invert",
        "convert in.ppm -o out.tif --overwrite --compression zstd --do flip",
        "convert in-strips.tif -o out.png --overwrite --do blur:20",
        "convert in-lzw.tif -o out.ppm --overwrite --do normalize --do median:5",
        "convert in-16.pgm -o out.pgm --overwrite --do normalize:percentiles,1,99 --do resize:1.5,cubic",
        "convert in-float.tif -o out.pfm --overwrite --do normalize:deviations,2 --do resize:0.13,lanczos3",
        "thumbnail in-strips.tif -o out.ppm --overwrite --size 200",
        "thumbnail in-deflate-tiles.tif -o out.png --overwrite --size 64 --kernel area",
        "stats in-tiles.tif",
        "stats in-16.pgm --histogram --do blur:3",
        "compare in-strips.tif in-tiles.tif --ssim 0",
        "compare in-deflate.tif in.ppm --ssim 11",
        "compare in-strips.tif in-lzw.tif --io mmap",
        "stats in-lzw.tif --io mmap",
    ];
    stay_within(&work(), &jobs);
}

/// Each pass and each page has an arena of its own: what one has held is given back before the next one begins, whatever
/// the sizes that follow each other.
#[test]
fn what_comes_after_each_other_is_not_held_at_once() {
    let work = work();
    work.picture(
        "in-deep.tif",
        &Picture::new(1500, 2000, 3, Kind::U16),
        &Storage::strips(16, Packing::Deflate),
    );
    work.done("convert in-deep.tif -o in-pages.tif --pyramid pages --tile 128 --within 64MiB");
    let jobs = [
        "convert in-deep.tif -o out.png --overwrite --verify --do to:u8 --do normalize --do sharpen",
        "convert in-deep.tif -o out.png --overwrite --verify --do normalize --do median:5 --do blur:0.6 --do to:u8",
        "convert in-deep.tif -o out.tif --overwrite --do normalize --do gamma:1.8 --do normalize --do blur:7.5",
        "convert in-deflate.tif -o out.tif --overwrite --verify --compression zstd --do normalize --do median:3",
        "convert in-pages.tif -o out.tif --overwrite --pages 1,2,3 --do blur:5",
        "convert in-pages.tif -o out.tif --overwrite --pages 3,2,1,2 --do normalize --do blur:5",
        "stats in-deep.tif --do normalize --do blur:3 --do normalize",
    ];
    stay_within(&work, &jobs);
}

/// Reading back is planned anew with the file at hand, which may let more rows fit than were planned: not more heap.
#[test]
fn reading_back_takes_no_more_than_was_planned() {
    let work = work();
    work.picture("in-long.tif", &Picture::new(79, 1957, 4, Kind::F32), &Storage::strips(100, Packing::Lzw));
    let job = "convert in-long.tif -o out.tif --overwrite --verify --do resize:0.4,lanczos3 --do to:u16";
    let fits = |bytes: u64| work.done(&format!("{job} --within {bytes}B")).passed();
    let all: Vec<String> = (0..16).filter_map(|step| fits((5 << 20) + step * 30_000)).collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

/// Looking at headers is planned, too: it takes what the command takes to start, whatever the picture.
#[test]
fn headers_cost_what_their_plan_says() {
    let work = work();
    for name in ["in.ppm", "in-tiles.tif", "in-16.pgm"] {
        let plan = work.plan(&format!("info {name}"));
        let peak = plan["peak_bytes"].as_u64().expect("a number");
        assert_eq!(
            (plan["smallest_bytes"].as_u64(), plan["passes"].as_u64()),
            (Some(peak), Some(0)),
            "{plan}"
        );
        for line in [format!("info {name}"), format!("info {name} --json"), format!("plan info {name}")] {
            let done = work.run(&line);
            assert_eq!(done.code, 0, "{line}: {}", done.stderr);
            let kernel = done.peak_resident_bytes;
            assert!(
                kernel <= peak + LARGER_PROGRAM_BYTES,
                "{line}: {kernel} bytes were resident, planned were {peak}"
            );
        }
    }
}
