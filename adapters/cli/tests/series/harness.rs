//! Runs `plimsoll series` in a folder.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(crate) fn corpus(name: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let path = std::env::var_os("PLIMSOLL_CORPUS").map_or(beside, PathBuf::from).join(name);
    if !path.exists() {
        println!("skipped: no corpus in {}; set PLIMSOLL_CORPUS", path.display());
        return None;
    }
    Some(path)
}

pub(crate) fn run_with(folder: &Path, args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .arg("series")
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || {
        // A command that ends before it has read all is judged by its exit code.
        let _ = pipe.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    output
}

pub(crate) fn run(folder: &Path, args: &[&str]) -> String {
    let output = run_with(folder, args, b"");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn fails(folder: &Path, args: &[&str], code: i32) -> String {
    let output = run_with(folder, args, b"");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Minutes with a value that rises and falls.
pub(crate) fn table(points: i64) -> String {
    let value = |at: i64| ((at * at) % 1009) as f64 / 8.0;
    let line = |at: i64| format!("{},{},{at}\n", 1_396_310_400 + 60 * at, value(at));
    String::from("time,level,count\n") + &(0..points).map(line).collect::<String>()
}
