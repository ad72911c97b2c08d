//! Promise: the output is the same to the bit for every budget, strip height, worker count and way to read, and for
//! every way to store it.

use plimsoll_tests::{Kind, Packing, Picture, Storage, Work, programs};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A chain of five and more steps on a picture.
struct Case {
    input: &'static str,
    picture: Picture,
    storage: Storage,
    chain: &'static str,
    /// Endings of outputs that hold such samples.
    endings: &'static [&'static str],
}

const CASES: [Case; 4] = [
    Case {
        input: "in.tif",
        picture: Picture::new(900, 700, 3, Kind::U8),
        storage: Storage::strips(16, Packing::None),
        chain: "--do crop:20,30,650,840 --do resize:0.9,linear --do sharpen --do normalize --do blur:3 --do flip",
        endings: &["ppm", "pam", "png"],
    },
    Case {
        input: "in-tiles.tif",
        picture: Picture::new(700, 900, 3, Kind::U8),
        storage: Storage::tiles(128, Packing::Deflate),
        chain: "--do invert --do blur:7 --do resize:333x259,lanczos3 --do gray --do median:5 --do levels:16,235,1.2",
        endings: &["pgm", "pam", "png"],
    },
    Case {
        input: "in-16.pgm",
        picture: Picture::new(900, 700, 1, Kind::U16),
        storage: Storage::strips(1, Packing::None),
        chain: "--do median:3 --do normalize:percentiles,1,99 --do resize:1.3,cubic --do gamma:1.8 --do shrink:2 \
                --do conv:3,16,1,2,1,2,4,2,1,2,1",
        endings: &["pgm", "pam", "png"],
    },
    Case {
        input: "in-float.tif",
        picture: Picture::new(900, 700, 1, Kind::F32),
        storage: Storage::strips(13, Packing::Lzw),
        chain: "--do blur:1.5 --do linear:1.5,-0.2 --do resize:0.31,lanczos3 --do normalize:deviations,2 --do sharpen \
                --do flip",
        endings: &["pfm"],
    },
];

/// Budgets from the smallest that works to one in which everything fits.
fn budgets(smallest: u64) -> impl Iterator<Item = u64> {
    let steps = [0, 1, 4096, 20_000, 60_000, 150_000, 400_000, 1 << 20, 3 << 20, 8 << 20, 24 << 20, 64 << 20];
    steps.into_iter().map(move |more| smallest + more)
}

#[test]
fn one_hash_and_one_file_for_every_cut() {
    let work = Work::new(programs!());
    for case in &CASES {
        work.picture(case.input, &case.picture, &case.storage);
        let ending = case.endings[0];
        let line =
            format!("convert {} -o out.{ending} --quiet --overwrite --no-sync {}", case.input, case.chain);
        let smallest = work.plan(&line)["smallest_bytes"].as_u64().expect("a number");
        let mut cuts = BTreeSet::new();
        let mut first: Option<(String, Vec<u8>)> = None;
        let mut check = |options: &str| {
            let done = work.done(&format!("{line} {options}"));
            let result = (done.text("/output/sha256_pixels"), work.read(&format!("out.{ending}")));
            let first = first.get_or_insert_with(|| result.clone());
            assert_eq!(result.0, first.0, "{}", done.line);
            assert!(result.1 == first.1, "{}: other bytes in the file", done.line);
            cuts.insert([done.number("/plan/strip_rows"), done.number("/plan/workers")]);
        };
        for budget in budgets(smallest) {
            for workers in 1..=3 {
                for io in ["read", "mmap"] {
                    // A mapping takes more.
                    let budget = budget + if io == "mmap" { 4 << 20 } else { 0 };
                    check(&format!("--within {budget}B --workers {workers} --io {io}"));
                }
            }
        }
        for rows in [1, 3, 7, 64] {
            check(&format!("--strip-rows {rows} --workers 3"));
        }
        check("--strip-pixels 5000 --workers 2");
        // The cuts must really have been different ones.
        assert!(cuts.len() >= 12, "{}: only {cuts:?}", case.input);
    }
}

#[test]
fn one_hash_for_every_way_to_store() {
    let work = Work::new(programs!());
    for case in &CASES {
        work.picture(case.input, &case.picture, &case.storage);
        let mut hashes = BTreeSet::new();
        let mut check = |options: &str| {
            let done = work.done(&format!("convert {} {} {options} --overwrite", case.input, case.chain));
            hashes.insert(done.text("/output/sha256_pixels"));
            // What is read back is what was hashed on the way.
            let output = done.text("/output/path");
            let back = work.done(&format!("convert {output} -o back-{output} --overwrite --workers 1"));
            assert_eq!(
                back.text("/output/sha256_pixels"),
                done.text("/output/sha256_pixels"),
                "{}",
                done.line
            );
        };
        for ending in case.endings {
            check(&format!("-o out.{ending} --workers 1"));
            check(&format!("-o out.{ending} --workers 3"));
        }
        for options in [
            "",
            "--compression lzw",
            "--compression deflate",
            "--tile 64",
            "--tile 128 --compression deflate",
        ] {
            for workers in [1, 3] {
                check(&format!("-o out.tif {options} --workers {workers}"));
            }
        }
        assert_eq!(hashes.len(), 1, "{}", case.input);
    }
}

/// Large reductions take compressed tiles one after the other: blocks of pixels lie across the tiles' edges in every way.
#[test]
fn tiles_do_not_show_in_reductions() {
    let work = Work::new(programs!());
    let mut by_columns = 0;
    for (kind, bands, ending) in
        [(Kind::U8, 3, "ppm"), (Kind::U16, 1, "pgm"), (Kind::F32, 1, "pfm"), (Kind::U8, 4, "pam")]
    {
        let picture = Picture::new(1100, 900, bands, kind);
        work.picture("in.tif", &picture, &Storage::strips(16, Packing::None));
        for (side, packing) in
            [(64, Packing::Deflate), (128, Packing::Lzw), (208, Packing::Deflate), (512, Packing::Deflate)]
        {
            work.picture("in-tiles.tif", &picture, &Storage::tiles(side, packing));
            for size in [5, 17, 60, 100] {
                let line = |name: &str, more: &str| {
                    format!("thumbnail {name} -o out.{ending} --size {size} --overwrite --no-sync {more}")
                };
                work.done(&line("in.tif", "--workers 1"));
                let expected = work.read(&format!("out.{ending}"));
                for more in [
                    "--workers 1",
                    "--workers 3",
                    "--workers 1 --strip-rows 7",
                    "--workers 2 --strip-rows 1 --io mmap",
                ] {
                    let done = work.done(&line("in-tiles.tif", more));
                    assert!(work.read(&format!("out.{ending}")) == expected, "{}: other bytes", done.line);
                    // One worker has nobody to meet.
                    by_columns += u64::from(
                        more.contains("workers 1")
                            && done.number("/plan/pass_plans/0/stages_before_seams") > 0,
                    );
                }
                let smallest =
                    work.plan(&line("in-tiles.tif", ""))["smallest_bytes"].as_u64().expect("a number");
                work.done(&line("in-tiles.tif", &format!("--within {smallest}B")));
                assert!(work.read(&format!("out.{ending}")) == expected, "{smallest} bytes: {side} {size}");
                work.run(&line("in-tiles.tif", &format!("--within {}B", smallest - 1)))
                    .fails(3, &["--within"]);
            }
        }
    }
    assert!(by_columns > 60, "{by_columns} of 128");
}

/// Compressed files, too, do not show how many threads compressed.
#[test]
fn compressed_files_are_the_same_for_every_cut() {
    let work = Work::new(programs!());
    let case = &CASES[0];
    work.picture(case.input, &case.picture, &case.storage);
    for output in [
        "out.png",
        "out.tif --compression deflate",
        "out.tif --compression lzw --tile 64",
        "out.tif --tile 128",
        "out.tif --pyramid subifd --tile 64 --compression zstd",
        "out.tif --pyramid pages --tile 64",
    ] {
        let name = output.split(' ').next().expect("a name");
        let line = format!("convert {} -o {output} --overwrite {}", case.input, case.chain);
        let smallest = work.plan(&line)["smallest_bytes"].as_u64().expect("a number");
        let mut files = BTreeSet::new();
        for budget in [smallest, smallest + (2 << 20), smallest + (64 << 20)] {
            for workers in 1..=3 {
                work.done(&format!("{line} --within {budget}B --workers {workers}"));
                files.insert(hash(&work.read(name)));
            }
        }
        assert_eq!(files.len(), 1, "{line}");
    }
}

/// The hash itself, against a picture worked out here: crop, invert and flip, pixel by pixel.
#[test]
fn the_hash_is_that_of_the_right_picture() {
    let work = Work::new(programs!());
    for (kind, ending) in [(Kind::U8, "ppm"), (Kind::U16, "ppm"), (Kind::F32, "pfm")] {
        let picture = Picture::new(211, 180, 3, kind);
        work.picture("in.tif", &picture, &Storage::strips(10, Packing::Deflate));
        let (left, top, cols, rows) = (7, 11, 150, 190);
        let sample = kind.bytes();
        let (pixel, row) = (3 * sample, picture.row_bytes());
        let samples = picture.samples();
        let mut expected = Vec::new();
        for y in top..top + rows {
            for x in (left..left + cols).rev() {
                let start = y * row + x * pixel;
                for from in samples[start..start + pixel].chunks_exact(sample) {
                    match *from {
                        [byte] => expected.push(255 - byte),
                        [low, high] => {
                            expected.extend((65535 - u16::from_le_bytes([low, high])).to_le_bytes())
                        }
                        [a, b, c, d] => {
                            expected.extend((1.0 - f32::from_le_bytes([a, b, c, d])).to_le_bytes())
                        }
                        _ => unreachable!("samples have 1, 2 or 4 bytes"),
                    }
                }
            }
        }
        for workers in [1, 3] {
            let line = format!(
                "convert in.tif -o out.{ending} --overwrite --do crop:{left},{top},{cols},{rows} --do invert --do flip \
                 --workers {workers}"
            );
            assert_eq!(work.done(&line).text("/output/sha256_pixels"), hash(&expected), "{line}");
        }
    }
}
