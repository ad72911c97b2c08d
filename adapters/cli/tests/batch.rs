//! Batches as their users run them: what they leave in the folder of outputs, whatever ends them.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a development build's program takes beside what the plan says for a release build, whose code is smaller.
const LARGER_PROGRAM_BYTES: u64 = if cfg!(debug_assertions) { 2 << 20 } else { 0 };

struct Work(TempDir);

impl Work {
    fn new() -> Self {
        let work = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(work.path("in")).unwrap();
        work
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(line.split_whitespace()).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Runs a command that must end with `code`; gives its standard error.
    fn run(&self, line: &str, code: i32) -> String {
        let Output { status, stderr, .. } = self.command(line).output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(code), "{line}: {stderr}");
        stderr
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// The names of all files below a folder, in order. What is renamed meanwhile has one name or the other.
    fn names(&self, folder: &str) -> Vec<String> {
        let top = self.path(folder);
        let mut names = Vec::new();
        let mut folders = vec![top.clone()];
        while let Some(folder) = folders.pop() {
            let Ok(list) = std::fs::read_dir(&folder) else { continue };
            for entry in list.map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    names.push(path.strip_prefix(&top).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        names.sort();
        names
    }

    /// All files below a folder that nobody writes to: their names and contents.
    fn files(&self, folder: &str) -> BTreeMap<String, Vec<u8>> {
        let top = self.path(folder);
        let content = |name: &String| std::fs::read(top.join(name)).unwrap();
        self.names(folder).into_iter().map(|name| (name.clone(), content(&name))).collect()
    }
}

/// Repeatable samples.
fn noise(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// A PGM of 8 or 16 bits or a PPM, by the number.
fn pnm(number: u32) -> Vec<u8> {
    let (rows, cols) = (40 + number % 37, 30 + number % 53);
    let (magic, largest, bytes) = [("P5", 255, 1), ("P6", 255, 3), ("P5", 65535, 2)][number as usize % 3];
    let header = format!("{magic}\n{cols} {rows}\n{largest}\n");
    [header.into_bytes(), noise(number, (rows * cols * bytes) as usize)].concat()
}

/// A little-endian TIFF of 8-bit grey pages, uncompressed, each in one strip: the first page of `pages` is seeded with
/// 1, and so on. Gives the places of the numbers that say where the pages' strips are, too.
fn tiff(pages: u32, rows: u32, cols: u32) -> (Vec<u8>, Vec<usize>) {
    let mut file = b"II\x2a\0\x08\0\0\0".to_vec();
    let mut places = Vec::new();
    for page in 1..=pages {
        let directory = file.len() as u32;
        let fields = [
            (256u16, cols),
            (257, rows),
            (258, 8),
            (259, 1),
            (262, 1),
            (273, directory + 2 + 9 * 12 + 4),
            (277, 1),
            (278, rows),
            (279, rows * cols),
        ];
        file.extend(9u16.to_le_bytes());
        for (tag, value) in fields {
            file.extend(tag.to_le_bytes());
            file.extend(4u16.to_le_bytes());
            file.extend(1u32.to_le_bytes());
            if tag == 273 {
                places.push(file.len());
            }
            file.extend(value.to_le_bytes());
        }
        let next = if page == pages { 0 } else { directory + 2 + 9 * 12 + 4 + rows * cols };
        file.extend(next.to_le_bytes());
        file.extend(noise(page, (rows * cols) as usize));
    }
    (file, places)
}

/// What a page of that becomes as PGM.
fn pgm_of_page(page: u32, rows: u32, cols: u32) -> Vec<u8> {
    [format!("P5\n{cols} {rows}\n255\n").into_bytes(), noise(page, (rows * cols) as usize)].concat()
}

/// 196 good pictures of several formats in folders, and what each becomes as PNM.
fn mixed(work: &Work) -> BTreeMap<String, Vec<u8>> {
    let mut expected = BTreeMap::new();
    for number in 0..196u32 {
        let folder = ["", "a/", "a/b/"][number as usize % 3];
        let name = format!("{folder}{number:03}");
        if number % 7 == 0 {
            work.write(&format!("in/{name}.tif"), &tiff(1, 50, 61).0);
            expected.insert(format!("{name}.pnm"), pgm_of_page(1, 50, 61));
        } else {
            let picture = pnm(number);
            let ending = if picture.starts_with(b"P5") { "pgm" } else { "ppm" };
            work.write(&format!("in/{name}.{ending}"), &picture);
            expected.insert(format!("{name}.pnm"), picture);
        }
    }
    expected
}

#[test]
fn two_hundred_files_share_a_budget() {
    let work = Work::new();
    let expected = mixed(&work);
    // A row of these is 120 MB. Their bytes are never written, so they take no disk.
    for name in ["in/wide-1.ppm", "in/a/wide-2.ppm", "in/a/b/wide-3.ppm"] {
        work.write(name, b"P6\n40000000 1\n255\n");
        let file = std::fs::File::options().write(true).open(work.path(name)).unwrap();
        file.set_len(18 + 120_000_000).unwrap();
    }
    // A strip that lies outside the file is found when it is read.
    let (mut broken, places) = tiff(1, 50, 61);
    broken[places[0]..places[0] + 4].copy_from_slice(&0x7fff_0000u32.to_le_bytes());
    work.write("in/a/broken.tif", &broken);
    let before = work.files("in").len();
    for workers in [2, 1, 3] {
        let line = format!(
            "convert in -o out/ --to pnm --recursive --keep-going --within 64MiB --workers {workers} --no-sync \
             --report report.json --report report.html"
        );
        let said = work.run(&line, 4);
        assert!(said.contains("1 of 200 failed: in/a/broken.tif"), "{said}");
        for wide in ["in/wide-1.ppm", "in/a/wide-2.ppm", "in/a/b/wide-3.ppm"] {
            assert!(said.contains(&format!("{wide}: does not fit")), "{said}");
        }
        assert!(work.files("out") == expected, "{workers} workers: other outputs");
        let report = work.json("report.json");
        let number = |path: &str| report.pointer(path).and_then(Value::as_u64).unwrap();
        let totals = ["done", "refused", "failed", "skipped"].map(|name| number(&format!("/totals/{name}")));
        assert_eq!(totals, [196, 3, 1, 0]);
        assert!(number("/plan/peak_bytes") <= 64 << 20);
        assert!(
            number("/actual/peak_resident_bytes") <= number("/plan/peak_bytes") + LARGER_PROGRAM_BYTES,
            "{report}"
        );
        assert!(number("/actual/peak_heap_bytes") <= number("/plan/heap_bytes"), "{report}");
        assert_eq!(number("/plan/in_flight"), workers);
        let page = std::fs::read_to_string(work.path("report.html")).unwrap();
        assert_eq!(page.matches("<tr>").count(), 201);
        assert!(page.contains("<svg") && !page.contains("src=") && !page.contains("href="));
        std::fs::remove_dir_all(work.path("out")).unwrap();
    }
    assert_eq!(work.files("in").len(), before);
}

/// The smallest budget with which what was refused is done is the one that the refusal names.
#[test]
fn a_refusal_names_the_budget_that_works() {
    let work = Work::new();
    work.write("in/small.pgm", &pnm(3));
    work.write("in/wide.pgm", &[b"P5\n9000000 2\n255\n".to_vec(), noise(1, 18_000_000)].concat());
    let said = work.run("convert in -o out/ --to pnm --within 8MiB --no-sync", 3);
    assert_eq!(work.names("out"), ["small.pnm"]);
    let (_, advice) = said.split_once("The cheapest change that works: ").unwrap();
    let advice = advice.lines().next().unwrap();
    work.run(&format!("convert in -o out/ --to pnm --skip-existing --no-sync {advice}"), 0);
    assert_eq!(work.names("out"), ["small.pnm", "wide.pnm"]);
    let bytes: u64 = advice.trim_start_matches("--within ").trim_end_matches('B').parse().unwrap();
    std::fs::remove_dir_all(work.path("out")).unwrap();
    work.run(&format!("convert in -o out/ --to pnm --within {}B --no-sync", bytes - 1), 3);
}

#[test]
fn what_was_killed_goes_on_where_it_ended() {
    let work = Work::new();
    let expected = mixed(&work);
    let line = "convert in -o out/ --to pnm --recursive --within 64MiB --workers 2";
    let mut child = work.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while work.names("out").len() < 20 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What has its name is complete.
    let left = work.files("out");
    let complete: Vec<_> = left.iter().filter(|(name, _)| !name.ends_with(".tmp")).collect();
    assert!(complete.len() < expected.len(), "it had ended");
    assert!(complete.iter().all(|(name, content)| expected.get(*name) == Some(content)));
    assert!(work.run(line, 2).contains("--skip-existing"));
    work.run(&format!("{line} --skip-existing --receipt again.json"), 0);
    assert!(work.files("out") == expected, "{:?}", work.names("out"));
    let again = work.json("again.json");
    assert_eq!(again.pointer("/totals/skipped").and_then(Value::as_u64), Some(complete.len() as u64));
    // Where nothing is left to do, the start is what holds most: the plan says so.
    work.run(&format!("{line} --skip-existing --receipt none.json"), 0);
    let none = work.json("none.json");
    let bytes = |at| none.pointer(at).and_then(Value::as_u64).unwrap();
    assert!(bytes("/actual/peak_heap_bytes") <= bytes("/plan/heap_bytes"), "{none}");
}

/// The plan chooses the tiles' size: not by what happens to run beside a file.
#[test]
fn what_goes_on_with_less_beside_it_makes_the_same_files() {
    let work = Work::new();
    for number in 0..5u32 {
        let pixels = noise(number + 1, 700 * 900 * 3);
        work.write(&format!("in/{number}.ppm"), &[b"P6\n900 700\n255\n".to_vec(), pixels].concat());
    }
    let line = "convert in -o out/ --to jp2 --within 64MiB --workers 2 --no-sync";
    work.run(&format!("{line} --receipt whole.json"), 0);
    assert_eq!(work.json("whole.json").pointer("/plan/in_flight").and_then(Value::as_u64), Some(2));
    let whole = work.files("out");
    for left in [1, 2, 4] {
        for number in 0..left {
            std::fs::remove_file(work.path(&format!("out/{number}.jp2"))).unwrap();
        }
        work.run(&format!("{line} --skip-existing"), 0);
        assert!(work.files("out") == whole, "{left} left to do: other files");
    }
}

#[test]
fn pages_become_files_with_numbers() {
    let work = Work::new();
    work.write("pages.tif", &tiff(12, 20, 31).0);
    work.write("one.tif", &tiff(1, 20, 31).0);
    let page = |number| pgm_of_page(number, 20, 31);
    work.run("convert pages.tif one.tif -o out/ --to pgm --within 24MiB", 0);
    let files = work.files("out");
    assert_eq!(files.len(), 13);
    for number in 1..=12 {
        assert!(files[&format!("pages_p{number:04}.pgm")] == page(number), "page {number}");
    }
    assert!(files["one.pgm"] == page(1));
    // An existing folder needs no slash; the ending is the input's if no other is asked for.
    work.run("convert pages.tif -o out --pages 11-12 --template {page:2}/{stem}.{ext}", 0);
    assert!(work.names("out").contains(&"11/pages.tif".to_owned()));
    assert!(work.names("out").contains(&"12/pages.tif".to_owned()));
    work.run("convert one.tif -o single/ --to png --verify", 0);
    assert_eq!(work.names("single"), ["one.png"]);
}

#[test]
fn a_failure_stops_or_is_passed_over() {
    let work = Work::new();
    let (mut pages, places) = tiff(5, 20, 31);
    pages[places[2]..places[2] + 4].copy_from_slice(&0x7fff_0000u32.to_le_bytes());
    work.write("pages.tif", &pages);
    let said = work.run("convert pages.tif -o out/ --to pgm --workers 1", 4);
    assert!(said.contains("pages.tif") && said.contains("2 of 5 outputs were made"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(work.names("out"), ["pages_p0001.pgm", "pages_p0002.pgm"]);
    let said = work.run("convert pages.tif -o out/ --to pgm --workers 1 --keep-going --skip-existing", 4);
    assert!(said.contains("1 of 5 failed: pages.tif page 3"), "{said}");
    let names = ["pages_p0001.pgm", "pages_p0002.pgm", "pages_p0004.pgm", "pages_p0005.pgm"];
    assert_eq!(work.names("out"), names);
    assert!(work.files("out")["pages_p0005.pgm"] == pgm_of_page(5, 20, 31));
    // Too short for any page: it is no input of none.
    work.write("short/a.tif", &pages[..16]);
    work.write("short/b.pgm", &pnm(0));
    let said = work.run("convert short -o short-out/ --to pgm", 4);
    assert!(said.contains("a.tif") && !work.path("short-out").exists(), "{said}");
    let said = work.run("convert short -o short-out/ --to pgm --keep-going", 4);
    assert!(said.contains("1 of 2 failed: short/a.tif"), "{said}");
    assert_eq!(work.names("short-out"), ["b.pgm"]);
    // A page that does not fit refuses the one input before anything is written, unless others are to be done.
    work.write("wide.tif", &tiff(2, 1, 30_000_000).0);
    let said = work.run("convert wide.tif -o wide/ --to pgm --within 8MiB", 3);
    assert!(said.contains("does not fit") && !work.path("wide").exists(), "{said}");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_written() {
    let work = Work::new();
    work.write("a/x.pgm", &pnm(0));
    work.write("b/x.pgm", &pnm(3));
    for (line, word) in [
        ("convert a/x.pgm b/x.pgm -o out.pgm", "need a folder"),
        ("convert a/x.pgm b/x.pgm -o out/", "would both become out/x.pgm"),
        ("convert a/x.pgm -o out.pgm --keep-going", "--keep-going is for outputs in a folder"),
        ("convert a/x.pgm -o out/ --to xyz", "no format has this ending"),
        ("convert none*.pgm -o out/", "no pictures are there"),
        ("convert b -o b/ --overwrite", "would replace an input"),
        ("convert a/x.pgm -o a", "would replace an input"),
        ("convert a/x.pgm -o out/ --template ../{stem}.pgm", "leads out of the folder"),
        ("convert a/x.pgm -o out/ --template {name}.pgm", "is no part of a name"),
    ] {
        let said = work.run(line, 2);
        assert!(said.contains(word), "{line}: {said}");
        assert!(!work.path("out").exists() && !work.path("out.pgm").exists(), "{line}");
    }
    assert!(work.files("b")["x.pgm"] == pnm(3));
    let plan = work
        .command("plan convert a b -o out/ --to tif --template {folder}{stem}.{ext} --json")
        .output()
        .unwrap();
    assert_eq!(plan.status.code(), Some(2));
    let plan = work.command("plan convert a -o out/ --to tif --within 8MiB --json").output().unwrap();
    let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert!(plan["peak_bytes"].as_u64().unwrap() <= 8 << 20);
    assert!(!Path::new(&work.path("out")).exists());
}

/// Whatever is written is read back within the smallest budget that the plan names.
#[test]
fn outputs_are_read_back_within_the_smallest_budget() {
    let work = Work::new();
    let picture = [b"P6\n500 400\n255\n".to_vec(), noise(5, 600_000)].concat();
    work.write("in.ppm", &picture);
    for options in [
        "out.tif",
        "out.tif --tile 64",
        "out.tif --compression deflate",
        "out.tif --compression deflate --tile 64",
        "out.tif --compression lzw",
        "out.tif --compression zstd --tile 128",
        "out.tif --compression deflate --tile 64 --pyramid subifd",
        "out.png",
        "out.ppm",
        "out.tif --do blur:5 --do normalize --do median:3",
        "out.png --do resize:0.7,lanczos3 --do flip",
    ] {
        for workers in [1, 2] {
            let line =
                format!("convert in.ppm -o {options} --overwrite --no-sync --verify --workers {workers}");
            let plan = work.command(&format!("plan {line} --json")).output().unwrap();
            let plan: Value = serde_json::from_slice(&plan.stdout).unwrap();
            let smallest = plan["smallest_bytes"].as_u64().unwrap();
            for within in [smallest, 24 << 20] {
                work.run(&format!("{line} --within {within}B --receipt receipt.json"), 0);
                let receipt = work.json("receipt.json");
                let number = |path: &str| receipt.pointer(path).and_then(Value::as_u64).unwrap();
                assert_eq!(receipt.pointer("/output/quality/identical"), Some(&Value::Bool(true)), "{line}");
                assert!(number("/actual/peak_heap_bytes") <= number("/plan/heap_bytes"), "{line}: {receipt}");
            }
        }
    }
}
