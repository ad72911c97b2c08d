//! Promise: what does not fit is refused before any output exists, with who needs how much and the cheapest change
//! that makes it fit; applying that change works. And every other way not to succeed has its exit code and one line.

use plimsoll_tests::{Done, Kind, Packing, Picture, Storage, Work, programs};

/// Pictures of every kind of input.
fn work() -> Work {
    let work = Work::new(programs!());
    let none = Storage::strips(16, Packing::None);
    let rgb = Picture::new(600, 500, 3, Kind::U8);
    work.picture("in.ppm", &rgb, &none);
    work.picture("in.tif", &rgb, &none);
    work.picture("in-lzw.tif", &rgb, &Storage::strips(64, Packing::Lzw));
    work.picture("in-tiles.tif", &rgb, &Storage::tiles(128, Packing::Deflate));
    work.picture("in-16.pgm", &Picture::new(700, 400, 1, Kind::U16), &none);
    work.picture("in-float.tif", &Picture::new(400, 300, 1, Kind::F32), &none);
    work
}

/// Pictures so wide that rows decide what is needed, and not the program's start.
fn wide() -> Work {
    let work = Work::new(programs!());
    let none = Storage::strips(16, Packing::None);
    let rgb = Picture::new(60, 20_000, 3, Kind::U8);
    work.picture("in.ppm", &rgb, &none);
    work.picture("in-tiles.tif", &rgb, &Storage::tiles(128, Packing::Deflate));
    work.picture("in-turned.tif", &Picture::new(6000, 600, 3, Kind::U8), &none.seen(6));
    // Of these pages the first needs the most rows at once, and the second the least.
    work.picture("in-large.tif", &Picture::new(120, 20_000, 1, Kind::U16), &none);
    work.done("convert in-large.tif -o in-pages.tif --pyramid pages --tile 64");
    work
}

/// Jobs of several passes and pages, whose plans depend on the budget in more ways than by their strips: what refuses
/// first is not what needs the most, and how an output is written decides what reading it back needs.
const WIDE_JOBS: [&str; 12] = [
    "convert in.ppm -o out.tif --do normalize --do blur:60",
    "convert in.ppm -o out.ppm --do median:5 --do normalize:percentiles,1,99 --do blur:80",
    "stats in.ppm --do normalize --do blur:60",
    "convert in.ppm -o out.tif --tile 256 --compression deflate --verify",
    "convert in-tiles.tif -o out.tif --verify --do blur:40",
    "convert in.ppm -o out.jp2 --verify --do blur:30",
    "convert in.ppm -o out.jp2 --ratio 8 --do blur:20 --min-ssim 0.9 --on-miss keep",
    "convert in.ppm -o out.jp2 --ratio 8 --min-psnr 30 --on-miss lossless --do blur:20",
    "convert in-turned.tif -o out.tif --upright --verify --do blur:90",
    "convert in-turned.tif -o out.tif --upright --verify --pyramid subifd",
    "convert in-pages.tif -o out.tif --pages 2,1 --do blur:60",
    "convert in-pages.tif -o out-{page}.ppm --pages 2,1 --do blur:60",
];

/// Twenty jobs: every command, every kind of input, one pass and several.
const JOBS: [&str; 20] = [
    "convert in.ppm -o out.ppm",
    "convert in.tif -o out.tif --do invert",
    "convert in.tif -o out.ppm --do blur:12",
    "convert in.tif -o out.ppm --do crop:10,20,400,500 --do resize:0.9,linear --do sharpen",
    "convert in.tif -o out.png --do median:5 --workers 1",
    "convert in.tif -o out.ppm --do normalize",
    "convert in.tif -o out.ppm --do normalize:percentiles,1,99 --do normalize:deviations,2 --do blur:3",
    "convert in-lzw.tif -o out.ppm --do gray --do to:u16",
    "convert in-lzw.tif -o out.tif --do flip --compression deflate",
    "convert in-tiles.tif -o out.ppm --do resize:2,lanczos3 --workers 2",
    "convert in-tiles.tif -o out.tif --tile 64 --workers 2",
    "convert in-16.pgm -o out.pgm --do resize:0.2,cubic --io mmap",
    "convert in-16.pgm -o out.png --do conv:5,25,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1",
    "convert in-float.tif -o out.pfm --do blur:2.5 --workers 2",
    "convert in-float.tif -o out.pgm --do normalize --do to:u8 --do median:3",
    "thumbnail in.tif -o out.ppm --size 64",
    "thumbnail in-tiles.tif -o out.png --size 100 --kernel area",
    "stats in.ppm",
    "stats in-16.pgm --histogram --do blur:1",
    "compare in.tif in.ppm --ssim 11",
];

/// The change that a refusal advises.
fn advice(refused: &Done) -> String {
    let change = refused.stderr.split("The cheapest change that works: ").nth(1).expect("a refusal advises");
    change.trim().to_owned()
}

/// What the plans of a job name as the smallest budget; a job of several outputs has a plan for each.
fn smallest(work: &Work, job: &str) -> u64 {
    let done = work.run(&format!("plan {job} --json"));
    assert_eq!(done.code, 0, "{job}: {}", done.stderr);
    let plans = serde_json::Deserializer::from_str(&done.stdout).into_iter::<serde_json::Value>();
    let smallest = |plan: serde_json::Value| plan["smallest_bytes"].as_u64().expect("a smallest budget");
    plans.map(|plan| smallest(plan.expect("a plan is JSON"))).max().expect("a plan")
}

/// The smallest budget of each job works and one byte less does not.
fn check_smallest(work: &Work, jobs: &[&str]) {
    for job in jobs {
        let smallest = smallest(work, job);
        for given in [smallest - 1, smallest / 2, 1] {
            let refused = work.run(&format!("{job} --within {given}B"));
            let [needed, missing] = [smallest, smallest - given].map(|bytes| format!("{bytes} bytes"));
            refused.fails(3, &["needs", &needed, &format!("{given} bytes"), &missing, "are missing"]);
            assert_eq!(work.outputs(), [""; 0], "{job}");
            assert_eq!(advice(&refused), format!("--within {smallest}B"), "{job}");
        }
        let advised = advice(&work.run(&format!("{job} --within 2B")));
        let done = work.done(&format!("{job} {advised}"));
        assert!(done.number("/plan/peak_bytes") <= smallest, "{job}");
        work.outputs().iter().for_each(|name| work.remove(name));
    }
}

#[test]
fn the_smallest_budget_works_and_one_byte_less_is_refused_with_advice_that_works() {
    check_smallest(&work(), &JOBS);
}

#[test]
fn of_several_passes_and_pages_the_one_that_needs_the_most_decides() {
    let work = wide();
    check_smallest(&work, &WIDE_JOBS);
    // These are figures of the work, not of the program's start.
    let start = smallest(&work, "stats in-turned.tif");
    for job in WIDE_JOBS {
        assert!(smallest(&work, job) > start, "{job}");
    }
}

/// What a batch refuses is advised a budget that works, and what reads its outputs back is not priced at its largest.
#[test]
fn batches_refuse_with_advice_that_works() {
    let work = wide();
    let job = "convert in.ppm in-turned.tif -o out/ --to jp2 --verify --do blur:30";
    let refused = work.run(&format!("{job} --within 4600KiB"));
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    let change = |line: &str| Some(line.split("The cheapest change that works: ").nth(1)?.trim().to_owned());
    let advised: Vec<String> = refused.stderr.lines().filter_map(change).collect();
    assert!(!advised.is_empty(), "{}", refused.stderr);
    let bytes =
        |advice: &String| advice["--within ".len()..].trim_end_matches('B').parse::<u64>().expect("bytes");
    let most = advised.iter().map(bytes).max().expect("one at least");
    assert_eq!(work.run(&format!("{job} --skip-existing --within {}B", most - 1)).code, 3);
    assert_eq!(work.run(&format!("{job} --skip-existing --within {most}B")).code, 0);
}

#[test]
fn a_refusal_names_a_consumer_that_the_plan_lists() {
    let work = work();
    let job = "convert in.tif -o out.ppm --do blur:12";
    let smallest = work.plan(job)["smallest_bytes"].as_u64().expect("a number");
    let plan = work.plan(&format!("{job} --within {smallest}B"));
    let consumers = plan["consumers"].as_array().expect("consumers");
    let largest = consumers.iter().max_by_key(|consumer| consumer["bytes"].as_u64()).expect("a consumer");
    let name = largest["name"].as_str().expect("a name");
    let bytes = format!("({} bytes)", largest["bytes"]);
    work.run(&format!("{job} --within {}B", smallest - 1)).fails(3, &[&format!("{name} needs"), &bytes]);
}

#[test]
fn wrong_words_are_exit_code_2() {
    let work = work();
    let words = |line: &str, said: &[&str]| {
        let done = work.run(line);
        assert_eq!(done.code, 2, "{line}: {}", done.stderr);
        said.iter()
            .for_each(|word| assert!(done.stderr.contains(word), "{line}: no `{word}`: {}", done.stderr));
        assert_eq!(work.outputs(), [""; 0], "{line}");
    };
    words("convert in.ppm -o out.ppm --within 8192", &["no unit", "8192MiB"]);
    words("convert in.ppm -o out.ppm --within 5parsecs", &["no unit", "MiB"]);
    words("convert in.ppm -o out.ppm --do polish", &["polish", "invert", "sharpen"]);
    words("convert in.ppm -o out.ppm --workers 0", &["--workers"]);
    words("convert in.ppm", &["--output"]);
    words("embellish in.ppm", &["embellish"]);
    words("", &["Usage"]);
    // From here on the words are understood, and what they ask for makes no sense: one line.
    let line = |line: &str, said: &[&str]| {
        work.run(line).fails(2, said);
        assert_eq!(work.outputs(), [""; 0], "{line}");
    };
    line("convert in.ppm -o out.ppm --do blur:-1", &["blur:-1", "SIGMA", "blur:2"]);
    line("convert in.ppm -o out.ppm --do median:4", &["median:4", "median:3"]);
    line("convert in.ppm -o out.ppm --do crop:0,0,9000,10", &["crop", "9000"]);
    line("convert in.ppm -o out.ppm --do resize", &["resize", "resize:0.9,linear"]);
    line("convert in-float.tif -o out.ppm", &["f32"]);
    line("convert in.ppm -o out.xyz", &["out.xyz", "tif"]);
    line("convert in.ppm -o out", &["out", "ppm"]);
    line("convert in.ppm -o out.ppm --pages 2", &["no page 2"]);
    line("convert in.ppm -o out.ppm --pages 1-2", &["{page}"]);
    work.done("convert in.tif -o in-pages.tif --pyramid pages --tile 64 --within 64MiB");
    line("convert in-pages.tif -o out.png --pages 1-2", &["{page}"]);
    line("convert in.ppm -o in.ppm --overwrite", &["would replace the input"]);
    line("convert in.ppm -o ./in.ppm --overwrite", &["would replace the input"]);
    line("compare in.ppm in-16.pgm", &["cannot be compared"]);
    // What would be of no use is not taken for something that is done.
    line("convert in.ppm -o out.tif --ratio 5", &["--ratio", "JPEG 2000", "TIFF"]);
    line("convert in.ppm -o out.png --layers 2", &["--layers", "JPEG 2000", "PNG"]);
    line("convert in.ppm -o out/ --to tif --progression rlcp", &["--progression", "JPEG 2000"]);
    line("convert in.ppm -o out.png --bigtiff", &["--bigtiff", "TIFF"]);
    line("convert in.ppm -o out.jp2 --on-miss keep", &["--on-miss", "--min-psnr"]);
    line("convert in.ppm -o out.jp2 --verify --on-miss keep", &["--on-miss", "--min-psnr"]);
    line("convert in.ppm -o out/ --to tif --report in-report.txt", &["in-report.txt", ".json", ".html"]);
    line("convert in.ppm -o out/ --to xyz", &["--to xyz", "tif"]);
    line("doctor in.ppm --to xyz", &["--to xyz", "tif"]);
    line("plan stats in.ppm --receipt in-receipt.json", &["--receipt", "--json"]);
    line("doctor in.ppm --receipt in-receipt.json", &["--receipt", "--json"]);
    words("convert in.ppm -o out.jp2 --min-psnr nan", &["--min-psnr", "decibels"]);
    words("convert in.ppm -o out.jp2 --min-psnr=-5", &["--min-psnr", "decibels"]);
    words("convert in.ppm -o out.jp2 --min-ssim 2", &["--min-ssim", "between -1 and 1"]);
    for name in ["in-report.txt", "in-receipt.json"] {
        assert!(!work.path(name).exists(), "{name}");
    }
    line("compare in.ppm in.ppm --ssim 9", &["--ssim 9"]);
    let before = work.read("in-16.pgm");
    line("convert in.ppm -o in-16.pgm", &["exists already", "--overwrite"]);
    assert_eq!(work.read("in-16.pgm"), before);
}

#[test]
fn malformed_and_unknown_input_is_exit_code_4() {
    let work = work();
    let input = |name: &str, content: &[u8]| std::fs::write(work.path(name), content).expect("written");
    let tiff = work.read("in.tif");
    input("in-text.tif", b"this is no picture at all\n");
    input("in-stub.tif", b"II*\0\xff\xff\xff\0");
    input("in-header.ppm", b"P6\n12 x\n255\n");
    input("in-large.ppm", b"P6\n100000 100000\n255\n");
    input("in-short.tif", &tiff[..tiff.len() - 40]);
    input("in-png.png", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR");
    for name in ["in-text.tif", "in-stub.tif", "in-header.ppm", "in-large.ppm", "in-short.tif", "in-png.png"]
    {
        for line in [
            format!("info {name}"),
            format!("stats {name}"),
            format!("plan stats {name}"),
            format!("convert {name} -o out.ppm"),
            format!("compare {name} {name}"),
        ] {
            // Headers may be sound where pixels are missing.
            if name == "in-large.ppm" && (line.starts_with("info") || line.starts_with("plan")) {
                continue;
            }
            work.run(&line).fails(4, &[name]);
            assert_eq!(work.outputs(), [""; 0], "{line}");
        }
    }
}

#[test]
fn what_the_system_refuses_is_exit_code_5() {
    let work = work();
    std::fs::write(work.path("in-empty.tif"), b"").expect("written");
    std::fs::create_dir(work.path("in-folder.tif")).expect("made");
    for name in ["in-none.tif", "in-empty.tif", "in-folder.tif"] {
        for line in [format!("info {name}"), format!("stats {name}"), format!("convert {name} -o out.ppm")] {
            work.run(&line).fails(5, &[name]);
        }
    }
    work.run("convert in.ppm -o in-none/out.ppm").fails(5, &["in-none"]);
    // No file can be made in there, by root neither.
    work.run("convert in.ppm -o /proc/self/out.ppm").fails(5, &["/proc/self"]);
    // What is to be written beside an output is known to have its place before there is one.
    for beside in
        ["--receipt in-none/a.json", "--profile-memory in-none/a.html", "--receipt /proc/self/a.json"]
    {
        for line in ["stats in.ppm", "convert in.ppm -o out.ppm", "convert in.ppm -o out/ --to png"] {
            let done = work.run(&format!("{line} {beside}"));
            done.fails(
                5,
                &[beside.split_whitespace().last().expect("a name").rsplit_once('/').expect("a folder").0],
            );
            assert_eq!((done.stdout.as_str(), work.outputs()), ("", vec![]), "{line} {beside}");
        }
    }
    let batch = "convert in.ppm -o out/ --to png --report in-none/a.html";
    work.run(batch).fails(5, &["in-none"]);
    assert_eq!(work.outputs(), [""; 0]);
}
