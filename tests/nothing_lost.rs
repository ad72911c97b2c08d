//! Promise: outputs appear complete or not at all, whatever ends a run; sources are never changed.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use plimsoll_tests::{Kind, Packing, Picture, Storage, Work, programs};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A chain that takes seconds on a picture of `LARGE`.
const SLOW: &str = "--do blur:60 --do median:5 --do blur:60 --do median:5 --do blur:150 --do median:5";
const LARGE: Picture = Picture::new(2600, 2500, 3, Kind::U8);

/// Starts a long job and waits until it writes: its temporary file is there.
fn started(work: &Work, line: &str) -> Child {
    let mut child = work
        .command(line)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command can be started");
    let began = Instant::now();
    while !work.outputs().iter().any(|name| name.ends_with(".tmp")) {
        assert!(child.try_wait().expect("it can be asked").is_none(), "{line}: it ended before it wrote");
        assert!(began.elapsed() < Duration::from_secs(60), "{line}: it does not begin to write");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id() as i32), signal).expect("the signal can be sent");
}

/// What an input that ends too early leaves: nothing, and what was there as it was.
#[test]
fn a_cut_input_leaves_nothing() {
    let work = Work::new(programs!());
    let picture = Picture::new(500, 400, 3, Kind::U8);
    work.picture("in.ppm", &picture, &Storage::strips(1, Packing::None));
    work.picture("in-strips.tif", &picture, &Storage::strips(16, Packing::None));
    work.picture("in-deflate.tif", &picture, &Storage::strips(16, Packing::Deflate));
    work.picture("in-tiles.tif", &picture, &Storage::tiles(64, Packing::Lzw));
    for name in ["in.ppm", "in-strips.tif", "in-deflate.tif", "in-tiles.tif"] {
        // Damage in the middle of the pixels: a PNM ends there, a TIFF (whose directory comes last) has a wrong place.
        let mut content = work.read(name);
        let middle = content.len() / 2;
        match name {
            "in.ppm" => content.truncate(middle),
            "in-strips.tif" => point_beyond_the_end(&mut content),
            _ => content[middle..middle + 2000].fill(0),
        }
        std::fs::write(work.path(name), &content).expect("written");
        for workers in [1, 2, 3] {
            for output in ["out.ppm", "out.png"] {
                let line =
                    format!("convert {name} -o {output} --do blur:2 --do normalize --workers {workers}");
                work.run(&line).fails(4, &[name]);
                assert_eq!(work.outputs(), [""; 0], "{line}");
                std::fs::write(work.path(output), b"what was there before").expect("written");
                work.run(&format!("{line} --overwrite")).fails(4, &[name]);
                assert_eq!(work.outputs(), [output], "{line}");
                assert_eq!(work.read(output), b"what was there before", "{line}");
                work.remove(output);
            }
        }
        assert!(work.read(name) == content, "{name} was changed");
    }
}

/// Makes one of the last strips lie outside the file.
fn point_beyond_the_end(content: &mut [u8]) {
    let directory = u32::from_le_bytes(content[4..8].try_into().expect("four bytes")) as usize;
    let count = usize::from(u16::from_le_bytes([content[directory], content[directory + 1]]));
    for entry in (0..count).map(|number| directory + 2 + 12 * number) {
        if u16::from_le_bytes([content[entry], content[entry + 1]]) == 273 {
            let number = |at: usize, content: &[u8]| {
                u32::from_le_bytes(content[at..at + 4].try_into().expect("four bytes"))
            };
            let (strips, table) = (number(entry + 4, content) as usize, number(entry + 8, content) as usize);
            let at = table + 4 * (strips - 3);
            content[at..at + 4].copy_from_slice(&0x7fff_0000u32.to_le_bytes());
        }
    }
}

#[test]
fn ctrl_c_leaves_nothing() {
    let work = Work::new(programs!());
    work.picture("in.tif", &LARGE, &Storage::strips(16, Packing::None));
    let source = work.read("in.tif");
    for (output, options) in
        [("out.ppm", "--workers 2"), ("out.png", "--workers 2"), ("out.ppm", "--workers 1 --io mmap")]
    {
        let line = format!("convert in.tif -o {output} {SLOW} {options}");
        for (before, overwrite) in [(None, ""), (Some(b"before"), " --overwrite")] {
            if let Some(before) = before {
                std::fs::write(work.path(output), before).expect("written");
            }
            let child = started(&work, &format!("{line}{overwrite}"));
            send(&child, Signal::SIGINT);
            let sent = Instant::now();
            let ended = child.wait_with_output().expect("it ends");
            assert!(sent.elapsed() < Duration::from_secs(5), "{line}: {:?} until it ended", sent.elapsed());
            assert_eq!(ended.status.code(), Some(130), "{line}");
            let said = String::from_utf8(ended.stderr).expect("text");
            assert!(said.contains("cancelled") && said.lines().count() == 1, "{line}: {said}");
            match before {
                None => assert_eq!(work.outputs(), [""; 0], "{line}"),
                Some(before) => {
                    assert_eq!(work.outputs(), [output], "{line}");
                    assert_eq!(work.read(output), before, "{line}");
                    work.remove(output);
                }
            }
        }
    }
    assert!(work.read("in.tif") == source, "the source was changed");
}

#[test]
fn what_a_killed_run_left_is_cleaned_up_by_the_next() {
    let work = Work::new(programs!());
    work.picture("in.tif", &LARGE, &Storage::strips(16, Packing::None));
    let source = work.read("in.tif");
    std::fs::write(work.path("out.ppm"), b"before").expect("written");
    for _ in 0..2 {
        let mut child = started(&work, &format!("convert in.tif -o out.ppm {SLOW} --overwrite"));
        send(&child, Signal::SIGKILL);
        child.wait().expect("it ends");
        // The name shows what it showed before, beside a temporary file at worst.
        assert_eq!(work.read("out.ppm"), b"before");
        let left = work.outputs();
        assert!(left.len() == 2 && left.iter().any(|name| name.ends_with(".tmp")), "{left:?}");
    }
    work.done("convert in.tif -o out.ppm --overwrite --do invert");
    assert_eq!(work.outputs(), ["out.ppm"]);
    assert_eq!(work.read("out.ppm").len() as u64, LARGE.bytes() + b"P6\n2500 2600\n255\n".len() as u64);
    assert!(work.read("in.tif") == source, "the source was changed");
}

/// Two runs into one name at the same time: each output that is seen is whole, and nobody's temporary file is removed
/// while it is written.
#[test]
fn two_runs_into_one_name_do_not_disturb_each_other() {
    let work = Work::new(programs!());
    work.picture("in.tif", &LARGE, &Storage::strips(16, Packing::None));
    let slow = started(&work, &format!("convert in.tif -o out.ppm {SLOW} --overwrite --workers 1"));
    work.done("convert in.tif -o out.ppm --overwrite --do invert");
    let inverted = work.read("out.ppm");
    let slow = slow.wait_with_output().expect("it ends");
    assert!(slow.status.success(), "{}", String::from_utf8_lossy(&slow.stderr));
    assert_eq!(work.outputs(), ["out.ppm"]);
    let last = work.read("out.ppm");
    assert!(last.len() == inverted.len() && last != inverted, "the slow one came last");
}

/// Where nobody can be told what went wrong, the exit code says it; nobody is told of a panic.
#[test]
fn a_standard_error_that_is_full_changes_no_exit_code() {
    let work = Work::new(programs!());
    work.picture("in.ppm", &Picture::new(20, 30, 3, Kind::U8), &Storage::strips(16, Packing::None));
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("there is one");
    for (line, code) in [
        ("convert none.ppm -o out.ppm", 5),
        ("convert in.ppm -o out.none", 2),
        ("convert in.ppm -o out.ppm --within 1MiB", 3),
    ] {
        let status =
            work.command(line).stdout(Stdio::null()).stderr(full()).status().expect("it can be started");
        assert_eq!(status.code(), Some(code), "{line}");
        assert_eq!(work.outputs(), [""; 0], "{line}");
    }
    // So does a full standard output; what was not yet made stays so.
    let mut child = work
        .command("convert in.ppm -o out.ppm")
        .stdout(full())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    assert_eq!(child.wait().expect("it ends").code(), Some(5));
    assert_eq!(work.outputs(), [""; 0]);
}

/// A receipt replaces an older one as outputs do: whole, by a new file under its name.
#[test]
fn a_receipt_is_never_written_over_an_older_one() {
    let work = Work::new(programs!());
    work.picture("in.ppm", &Picture::new(20, 30, 3, Kind::U8), &Storage::strips(16, Packing::None));
    std::fs::write(work.path("receipt.json"), b"before").expect("written");
    std::fs::hard_link(work.path("receipt.json"), work.path("in-older.json")).expect("linked");
    let first = work.run("convert in.ppm -o out.ppm --overwrite --receipt receipt.json");
    assert_eq!(first.code, 0, "{}", first.stderr);
    std::fs::hard_link(work.path("receipt.json"), work.path("in-first.json")).expect("linked");
    let first = work.read("receipt.json");
    work.run("convert in.ppm -o out.ppm --overwrite --do invert --receipt receipt.json");
    assert_eq!(work.read("in-older.json"), b"before");
    assert_eq!(work.read("in-first.json"), first);
    assert!(work.read("receipt.json") != first);
    // So do the receipt and the reports of a batch.
    let batch = work.read("receipt.json");
    std::fs::hard_link(work.path("receipt.json"), work.path("in-second.json")).expect("linked");
    std::fs::write(work.path("report.html"), b"before").expect("written");
    std::fs::hard_link(work.path("report.html"), work.path("in-older.html")).expect("linked");
    let done = work.run("convert in.ppm -o pages/ --to png --receipt receipt.json --report report.html");
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!((work.read("in-second.json"), work.read("in-older.html")), (batch, b"before".to_vec()));
    assert!(String::from_utf8(work.read("receipt.json")).expect("text").contains("in_flight"));
    assert!(work.read("report.html").to_ascii_lowercase().starts_with(b"<!doctype html>"));
    // One that cannot be written is said, and a device takes it as it is.
    work.run("convert in.ppm -o out.ppm --overwrite --receipt none/receipt.json")
        .fails(5, &["none/receipt.json", "create"]);
    let mut to_device = work.command("convert in.ppm -o out.ppm --overwrite --receipt /dev/null");
    assert!(to_device.stdout(Stdio::null()).status().expect("it can be started").success());
}
