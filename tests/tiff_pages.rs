//! Promise: a TIFF's strips may be larger than the memory, its pages are named and listed in little of it, and a source
//! that changes under a run is an error.

use plimsoll_tests::{Kind, Packing, Picture, Storage, Work, programs};
use std::process::Command;

fn huge_strip(work: &Work, words: &[&str]) {
    let status =
        Command::new(env!("CARGO_BIN_EXE_huge-strip")).args(words).current_dir(work.folder()).status();
    assert!(status.expect("it can be started").success(), "{words:?}");
}

/// `huge_strip.sh` does the same with 4 GiB.
#[test]
fn one_strip_larger_than_the_budget_converts() {
    let work = Work::new(programs!());
    for packing in ["deflate", "lzw", "none"] {
        huge_strip(&work, &["make", "in.tif", "9000", "8192", packing]);
        for workers in [1, 2] {
            let line =
                format!("convert in.tif -o out.pgm --overwrite --no-sync --within 8MiB --workers {workers}");
            let done = work.done(&line);
            assert!(done.peak_resident_bytes <= 9 << 20, "{packing}: {} bytes", done.peak_resident_bytes);
            huge_strip(&work, &["check", "out.pgm", "9000", "8192"]);
        }
    }
}

/// A file of `pages` pages of one pixel, each with two below it.
fn book(pages: u32) -> Vec<u8> {
    let mut file = b"II*\0\0\0\0\0".to_vec();
    let mut link = 4;
    let page = |file: &mut Vec<u8>, cols: u32, below: Option<[u32; 2]>, link: Option<usize>| {
        let table = file.len() as u32;
        file.extend(below.iter().flatten().flat_map(|at| at.to_le_bytes()));
        let data = file.len() as u32;
        file.extend([cols as u8; 4]);
        let at = file.len();
        let mut fields = vec![
            (256u16, 4u16, 1u32, cols),
            (257, 4, 1, 1),
            (258, 3, 1, 8),
            (262, 3, 1, 1),
            (273, 4, 1, data),
        ];
        fields.extend(below.map(|_| (330, 4, 2, table)));
        file.extend((fields.len() as u16).to_le_bytes());
        for (tag, kind, count, value) in fields {
            file.extend(tag.to_le_bytes());
            file.extend(kind.to_le_bytes());
            file.extend(count.to_le_bytes());
            file.extend(value.to_le_bytes());
        }
        file.extend([0; 4]);
        if let Some(link) = link {
            file[link..link + 4].copy_from_slice(&(at as u32).to_le_bytes());
        }
        at as u32
    };
    for _ in 0..pages {
        let below = [page(&mut file, 2, None, None), page(&mut file, 3, None, None)];
        page(&mut file, 4, Some(below), Some(link));
        link = file.len() - 4;
    }
    file
}

#[test]
fn pages_below_pages_are_listed_and_converted_by_name() {
    let work = Work::new(programs!());
    std::fs::write(work.path("in.tif"), book(3)).expect("written");
    let listed = work.run("info in.tif");
    let names: Vec<&str> =
        listed.stdout.lines().filter_map(|line| line.strip_prefix("page ")?.split(':').next()).collect();
    assert_eq!(names, ["1", "1/1", "1/2", "2", "2/1", "2/2", "3", "3/1", "3/2"], "{}", listed.stdout);
    assert_eq!(listed.code, 0);
    let json: serde_json::Value = serde_json::from_str(&work.run("info in.tif --json").stdout).expect("JSON");
    assert_eq!(json["pages"][4]["page"], "2/1");
    assert_eq!(json["pages"][3]["page"], 2);
    work.done("convert in.tif -o out-{page}.pgm --pages 2,3/1-2 --no-sync");
    assert_eq!(work.outputs(), ["out-2.pgm", "out-3-1.pgm", "out-3-2.pgm"]);
    assert_eq!(work.read("out-2.pgm"), b"P5\n4 1\n255\n\x04\x04\x04\x04");
    assert_eq!(work.read("out-3-2.pgm"), b"P5\n3 1\n255\n\x03\x03\x03");
    work.run("convert in.tif -o none.pgm --pages 3/3").fails(2, &["no page 3/3"]);
    work.run("convert in.tif -o none.pgm --pages 1/1/1").fails(2, &["no page 1/1/1"]);
    assert_eq!(work.run("stats in.tif --page 2/2").code, 0);
}

#[test]
fn ten_thousand_pages_are_listed_in_the_memory_of_a_few() {
    let work = Work::new(programs!());
    let mut peaks = Vec::new();
    for (pages, lines) in [(3, 9), (10_000, 30_000)] {
        std::fs::write(work.path("in.tif"), book(pages)).expect("written");
        let done = work.run("info in.tif");
        assert_eq!((done.code, done.stdout.lines().count()), (0, lines + 1), "{}", done.stderr);
        peaks.push(done.peak_resident_bytes);
    }
    assert!(peaks[1] <= peaks[0] + (512 << 10), "{peaks:?}");
}

/// Each directory points at all of them: the list must end.
#[test]
fn pages_that_lead_in_circles_end_in_an_error() {
    let work = Work::new(programs!());
    let mut file = book(2);
    // The first page below page 1 gets the same pages below it as page 1 has, and so on.
    let page = u32::from_le_bytes(file[4..8].try_into().expect("four bytes")) as usize;
    let copy = file[page..page + 2 + 12 * 6 + 4].to_vec();
    let at = file.len() as u32;
    file.extend(copy);
    let table =
        u32::from_le_bytes(file[page + 2 + 12 * 5 + 8..][..4].try_into().expect("four bytes")) as usize;
    file[table..table + 4].copy_from_slice(&at.to_le_bytes());
    file[table + 4..table + 8].copy_from_slice(&at.to_le_bytes());
    std::fs::write(work.path("in.tif"), file).expect("written");
    let done = work.run("info in.tif");
    assert_eq!(done.code, 4, "{}", done.stderr);
    assert!(done.stdout.lines().count() < 100);
}

/// A source that is changed or cut while a long job reads it: exit 5, one line, no output.
#[test]
fn a_source_that_changes_is_an_error() {
    let work = Work::new(programs!());
    let picture = Picture::new(3000, 2500, 3, Kind::U8);
    for (io, cut) in [("read", true), ("mmap", true), ("read", false), ("mmap", false)] {
        for packing in [Packing::None, Packing::Deflate] {
            work.picture("in.tif", &picture, &Storage::strips(16, packing));
            let line = format!(
                "convert in.tif -o out.ppm --do blur:60 --do median:5 --io {io} --within 64MiB --workers 1"
            );
            let mut child = work
                .command(&line)
                .stdout(std::process::Stdio::null())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .expect("the command can be started");
            while !work.outputs().iter().any(|name| name.ends_with(".tmp")) {
                assert!(
                    child.try_wait().expect("it can be asked").is_none(),
                    "{line}: it ended before it wrote"
                );
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            let file = std::fs::File::options().write(true).open(work.path("in.tif")).expect("it is there");
            match cut {
                true => file.set_len(10_000).expect("it can be cut"),
                false => {
                    use std::os::unix::fs::FileExt;
                    file.write_all_at(b"something else", 1000).expect("it can be written");
                }
            }
            let ended = child.wait_with_output().expect("it ends");
            let said = String::from_utf8_lossy(&ended.stderr);
            assert_eq!(ended.status.code(), Some(5), "{line}: {said}");
            assert_eq!(said.lines().count(), 1, "{said}");
            let expected = if cut { "shrank while it was read" } else { "changed while it was read" };
            assert!(said.contains(expected) && said.contains("in.tif"), "{said}");
            assert_eq!(work.outputs(), [""; 0], "{line}");
        }
    }
}
