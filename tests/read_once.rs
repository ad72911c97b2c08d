//! Promise: row-order work reads each input byte once, whatever the workers, the layout and the way to read; work of
//! several passes reads it as often as the plan says.

use plimsoll_tests::{Kind, Packing, Picture, Storage, Work, programs};

/// Bytes that may be read twice: the first 64 to find the format, then headers and directory through small windows.
const HEADERS: u64 = 3072;

const LAYOUTS: [(&str, Storage); 7] = [
    ("in.ppm", Storage::strips(1, Packing::None)),
    ("in-strips.tif", Storage::strips(16, Packing::None)),
    ("in-one-strip.tif", Storage::strips(1500, Packing::None)),
    ("in-tiles.tif", Storage::tiles(256, Packing::None)),
    ("in-lzw-strips.tif", Storage::strips(64, Packing::Lzw)),
    ("in-deflate-strips.tif", Storage::strips(7, Packing::Deflate)),
    ("in-deflate-tiles.tif", Storage::tiles(128, Packing::Deflate)),
];

const PICTURE: Picture = Picture::new(1500, 1300, 3, Kind::U8);

fn work() -> Work {
    let work = Work::new(programs!());
    for (name, storage) in &LAYOUTS {
        work.picture(name, &PICTURE, storage);
    }
    work
}

/// The fewest bytes that hold all pixels of a file of `bytes`: what fills up tiles at the edges may be left out where
/// it is not compressed with the rest.
fn fewest(name: &str, bytes: u64) -> u64 {
    if name == "in-tiles.tif" { PICTURE.bytes() } else { bytes - HEADERS }
}

#[test]
fn row_order_work_reads_each_byte_once() {
    let work = work();
    for (name, _) in LAYOUTS {
        let bytes = work.read(name).len() as u64;
        for job in [
            format!("convert {name} -o out.ppm --overwrite --do resize:0.9,linear --do sharpen --do blur:4"),
            format!("thumbnail {name} -o out.ppm --overwrite --size 100"),
            format!("stats {name} --histogram"),
        ] {
            for how in [
                "--workers 1",
                "--workers 2",
                "--workers 3",
                "--workers 3 --strip-rows 5",
                "--workers 2 --io mmap",
            ] {
                let done = work.done(&format!("{job} {how} --within 64MiB"));
                let line = &done.line;
                assert_eq!(done.number("/input/bytes"), bytes, "{line}");
                assert_eq!(done.receipt["plan"]["reads_per_input_byte"], 1.0, "{line}");
                let read = done.number("/input/bytes_read");
                // All pixels, and no more than the file.
                assert!(read <= bytes + HEADERS, "{line}: {read} of {bytes} bytes");
                assert!(read >= fewest(name, bytes), "{line}: {read} of {bytes} bytes");
                // What several workers wrote side by side is read back for its hash; mappings are not counted.
                if how.contains("mmap") || (done.text("/command") != "stats" && !how.ends_with("--workers 1"))
                {
                    continue;
                }
                // The kernel agrees; libraries and the machine's figures come on top.
                let kernel = done.bytes_read;
                assert!(
                    kernel >= read && kernel <= read + (64 << 10),
                    "{line}: {kernel} by the kernel, {read} counted"
                );
            }
        }
    }
}

#[test]
fn workers_do_share_the_reading() {
    let work = work();
    for (name, workers) in
        [("in.ppm", 3), ("in-tiles.tif", 3), ("in-lzw-strips.tif", 3), ("in-deflate-tiles.tif", 2)]
    {
        let done = work.done(&format!("stats {name} --workers {workers} --within 64MiB"));
        assert_eq!(done.number("/plan/workers"), workers, "{name}");
    }
}

#[test]
fn what_is_cut_away_is_not_read() {
    let work = work();
    for name in ["in.ppm", "in-strips.tif", "in-tiles.tif"] {
        let done = work.done(&format!("convert {name} -o out-{name}.ppm --do crop:0,600,1300,150"));
        // 150 of 1500 rows, in tiles with what fills up the last one of each row.
        let read = done.number("/input/bytes_read");
        let wanted = PICTURE.bytes() / 10;
        let stored = if name == "in-tiles.tif" { wanted / 1300 * 1536 } else { wanted };
        assert!(read >= wanted && read <= stored + HEADERS, "{name}: {read} for {wanted}");
    }
}

#[test]
fn several_passes_read_as_often_as_planned() {
    let work = work();
    for (name, _) in LAYOUTS {
        let bytes = work.read(name).len() as u64;
        for (steps, passes) in [
            ("--do normalize", 2u32),
            ("--do normalize:percentiles,1,99 --do blur:1 --do normalize:deviations,3", 3),
        ] {
            for workers in [1, 2, 3] {
                let line = format!(
                    "convert {name} -o out.ppm --overwrite {steps} --workers {workers} --within 64MiB"
                );
                let plan = work.plan(&line);
                assert_eq!(
                    (&plan["passes"], &plan["reads_per_input_byte"]),
                    (&passes.into(), &f64::from(passes).into())
                );
                let done = work.done(&line);
                let (read, times) = (done.number("/input/bytes_read"), u64::from(passes));
                let most = times * (bytes + HEADERS);
                assert!(
                    read <= most && read >= times * fewest(name, bytes),
                    "{line}: {read} of {most} bytes"
                );
            }
        }
    }
}

#[test]
fn a_comparison_reads_both_once() {
    let work = work();
    for (a, b) in [("in.ppm", "in-tiles.tif"), ("in-lzw-strips.tif", "in-deflate-tiles.tif")] {
        for how in ["--ssim 0 --workers 1", "--ssim 11 --workers 2"] {
            let done = work.done(&format!("compare {a} {b} {how} --within 64MiB"));
            for input in ["/inputs/0", "/inputs/1"] {
                let [bytes, read] =
                    ["bytes", "bytes_read"].map(|what| done.number(&format!("{input}/{what}")));
                let name = done.text(&format!("{input}/path"));
                let fits = read <= bytes + HEADERS && read >= fewest(&name, bytes);
                assert!(fits, "{}: {read} of {bytes}", done.line);
            }
            assert_eq!(done.receipt["output"]["overall"]["differing"], 0);
        }
    }
}

/// A region costs what its layout makes it cost, and the plan says so beforehand.
#[test]
fn a_region_reads_what_the_plan_says() {
    let work = work();
    let (left, top, cols, rows) = (700, 600, 200, 150);
    for (name, _) in LAYOUTS.iter().filter(|(name, _)| name.ends_with(".tif")) {
        let line =
            format!("convert {name} -o out-{name}.ppm --overwrite --region {left},{top},{cols},{rows}");
        let plan = work.plan(&line);
        let planned = plan["pass_plans"][0]["region_bytes"].as_u64().expect("a region has a price");
        let done = work.done(&line);
        let read = done.number("/input/bytes_read");
        assert!(read <= planned + 2 * HEADERS, "{name}: {read} bytes read, {planned} planned");
        // Uncompressed rows are read from the first column to the last of the next row; compressed units are read whole.
        let wanted = cols * rows * 3;
        let (least, most) = match *name {
            "in-strips.tif" | "in-one-strip.tif" => (wanted, rows * 1300 * 3),
            "in-tiles.tif" => (wanted, 3 * wanted),
            _ => (1, work.read(name).len() as u64),
        };
        assert!(planned >= least && planned <= most, "{name}: {planned} bytes for {wanted}");
        if name.contains("tiles") {
            // 2 x 2 tiles of 256 pixels, or 3 x 3 of 128, of some hundreds.
            assert!(planned < work.read(name).len() as u64 / 5, "{name}: {planned}");
        }
    }
}
