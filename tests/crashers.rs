//! Files that once did harm, replayed through the command: `crashers/README.md` says what their names promise.

use plimsoll_tests::{Done, Work, programs};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(1);
const MEMORY: u64 = 64 << 20;

fn crashers() -> Vec<(String, PathBuf)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("crashers");
    let entries = std::fs::read_dir(folder).expect("the folder is part of the tests");
    let files = entries.map(|entry| entry.expect("it can be listed").path());
    let mut files: Vec<(String, PathBuf)> = files
        .filter(|path| path.extension().is_some_and(|ending| ending != "md" && ending != "py"))
        .map(|path| (path.file_name().expect("a file").to_string_lossy().into_owned(), path))
        .collect();
    files.sort();
    files
}

/// Runs a command that must end soon, if the machine lets it once, and within little memory.
fn run(work: &Work, name: &str, line: &str) -> Done {
    let attempts = (0..3).map(|_| {
        let began = Instant::now();
        (work.run(line), began.elapsed())
    });
    let soon = attempts.into_iter().find(|(_, took)| *took < SOON);
    let (done, _) = soon.unwrap_or_else(|| panic!("{name}: {line}: not within {SOON:?}"));
    assert!(done.peak_resident_bytes < MEMORY, "{name}: {line}: {} bytes", done.peak_resident_bytes);
    assert!(done.stderr.lines().count() <= 1, "{name}: {line}: {}", done.stderr);
    done
}

#[test]
fn files_that_once_did_harm_end_as_their_names_say() {
    let files = crashers();
    assert!(files.len() >= 30, "the folder is not empty: {}", files.len());
    let work = Work::new(programs!());
    for (name, path) in files {
        let (promise, _) = name.split_once('-').expect("a promise before the first hyphen");
        let ending = path.extension().expect("an ending").to_string_lossy().into_owned();
        let input = format!("in.{ending}");
        std::fs::copy(&path, work.path(&input)).expect("copied");
        let info = run(&work, &name, &format!("info {input}"));
        let stats = run(&work, &name, &format!("stats {input} --within 64MiB"));
        let made = run(&work, &name, &format!("convert {input} -o out.tif --within 64MiB --quiet --no-sync"));
        match promise {
            "reject" => {
                // Headers alone may be sound; the picture is not.
                if info.code != 0 {
                    info.fails(4, &[&input]);
                }
                stats.fails(4, &[&input]);
                made.fails(4, &[&input]);
                assert_eq!(work.outputs(), [""; 0], "{name}");
            }
            "read" => {
                assert_eq!((info.code, stats.code, made.code), (0, 0, 0), "{name}: {}", made.stderr);
                assert_eq!(work.outputs(), ["out.tif"], "{name}");
            }
            "list" => {
                info.fails(4, &[&input]);
                let good = info
                    .stdout
                    .lines()
                    .filter(|line| line.starts_with("page ") && line.contains(": 4 x 1 pixels"));
                let expected = if name.contains("of-three") { 2 } else { 1 };
                let good = good.count();
                assert!(good >= expected, "{name}: {}", info.stdout);
                let json: serde_json::Value = {
                    let done = run(&work, &name, &format!("info {input} --json"));
                    assert_eq!(done.code, 4, "{name}");
                    serde_json::from_str(&done.stdout).expect("JSON, also where a page is broken")
                };
                let pages = json["pages"].as_array().expect("a list");
                assert_eq!(pages.iter().filter(|page| page["cols"] == 4).count(), good, "{name}: {json}");
                assert_eq!(made.code, 0, "{name}: {}", made.stderr);
            }
            other => panic!("{name}: nobody knows what {other} promises"),
        }
        work.remove("out.tif");
        work.remove(&input);
    }
}
