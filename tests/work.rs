//! A folder of one's own, and the command run in it.

use crate::{Picture, Storage};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What a development build's program takes beside what the plan says for a release build, whose code is smaller:
/// measured at most 0.4 MiB in these jobs. None in release, where the plan must hold as it is.
pub const LARGER_PROGRAM_BYTES: u64 = if cfg!(debug_assertions) { 1 << 20 } else { 0 };

/// A temporary folder with pictures, in which the command runs. All names are relative to it.
pub struct Work {
    folder: TempDir,
    programs: [&'static str; 2],
}

/// A command that has ended.
#[derive(Clone, Debug)]
pub struct Done {
    /// What was run.
    pub line: String,
    /// Its exit code.
    pub code: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Its receipt; null if it wrote none.
    pub receipt: Value,
    /// Its peak resident memory by the kernel's books.
    pub peak_resident_bytes: u64,
    /// Bytes that its reads gave by the kernel's books: from its input and everything else, but not out of a mapping.
    pub bytes_read: u64,
}

impl Work {
    /// An empty folder; `programs!()` says where the programs are.
    pub fn new(programs: [&'static str; 2]) -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made"), programs }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// The names of all files in it that are not its own inputs or receipts, sorted.
    pub fn outputs(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder())
            .expect("the folder can be listed")
            .map(|entry| {
                entry.expect("the folder can be listed").file_name().into_string().expect("a name of ours")
            })
            .filter(|name| !name.starts_with("in") && !name.ends_with(".json") && name != "peak")
            .collect();
        names.sort();
        names
    }

    /// Writes a picture into it: as PNM, or as TIFF where the name ends with `.tif`.
    pub fn picture(&self, name: &str, picture: &Picture, storage: &Storage) {
        let path = self.path(name);
        let written = if name.ends_with(".tif") {
            picture.write_tiff(&path, storage)
        } else {
            picture.write_pnm(&path)
        };
        written.expect("the picture can be written");
    }

    /// Bytes of a file in it.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("the file is there")
    }

    /// Removes a file in it, if it is there.
    pub fn remove(&self, name: &str) {
        let _ = std::fs::remove_file(self.path(name));
    }

    /// The command with the words of `line`, not yet started.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(self.programs[0]);
        command.args(line.split_whitespace()).current_dir(self.folder()).stdin(Stdio::null());
        command
    }

    /// Runs the command with the words of `line`.
    pub fn run(&self, line: &str) -> Done {
        let output = Command::new(self.programs[1])
            .args(["peak", self.programs[0]])
            .args(line.split_whitespace())
            .current_dir(self.folder())
            .stdin(Stdio::null())
            .output()
            .expect("the command can be started");
        let kernel = std::fs::read_to_string(self.path("peak")).expect("the figures were written");
        let mut kernel = kernel.split_whitespace().map(|number| number.parse().expect("a number"));
        let mut figure = || kernel.next().expect("two numbers");
        let receipt = line.split_whitespace().skip_while(|word| *word != "--receipt").nth(1);
        let receipt = receipt.and_then(|name| std::fs::read(self.path(name)).ok());
        Done {
            line: line.to_owned(),
            code: output.status.code().expect("the command ended by itself"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
            receipt: receipt
                .map_or(Value::Null, |text| serde_json::from_slice(&text).expect("a receipt is JSON")),
            peak_resident_bytes: figure(),
            bytes_read: figure(),
        }
    }

    /// Runs a command that must succeed, with a receipt, replacing its output.
    pub fn done(&self, line: &str) -> Done {
        self.remove("receipt.json");
        let done = self.run(&format!("{line} --receipt receipt.json"));
        assert_eq!(done.code, 0, "{line}: {}", done.stderr);
        done
    }

    /// The plan of a command as JSON; it must fit.
    pub fn plan(&self, line: &str) -> Value {
        let done = self.run(&format!("plan {line} --json"));
        assert_eq!(done.code, 0, "plan {line}: {}", done.stderr);
        serde_json::from_str(&done.stdout).expect("a plan is JSON")
    }
}

impl Done {
    /// A number of the receipt, by its path: `/plan/peak_bytes`.
    pub fn number(&self, path: &str) -> u64 {
        let value = self.receipt.pointer(path).and_then(Value::as_u64);
        value.unwrap_or_else(|| panic!("{}: the receipt has no number {path}: {}", self.line, self.receipt))
    }

    /// Holds the run against its plan and its budget, by its own figures and by the kernel's. Gives what it passed.
    pub fn passed(&self) -> Option<String> {
        let line = &self.line;
        let [heap, planned_heap] =
            ["/actual/peak_heap_bytes", "/plan/heap_bytes"].map(|what| self.number(what));
        if heap > planned_heap {
            return Some(format!("{line}: the heap held {heap} bytes, planned were {planned_heap}"));
        }
        let [peak, budget] = ["/plan/peak_bytes", "/plan/budget_bytes"].map(|what| self.number(what));
        if peak > budget {
            return Some(format!("{line}: {peak} bytes were planned"));
        }
        let (own, kernel) = (self.number("/actual/peak_resident_bytes"), self.peak_resident_bytes);
        if own.max(kernel) > peak + LARGER_PROGRAM_BYTES {
            return Some(format!(
                "{line}: {kernel} bytes were resident ({own} by the receipt), planned were {peak}"
            ));
        }
        // The receipt is written before the process ends, and the kernel's figure is taken after; both count in batches.
        let agree = own.abs_diff(kernel) <= 1 << 20;
        (!agree).then(|| format!("{line}: the receipt says {own} bytes, the kernel {kernel}"))
    }

    /// A text of the receipt, by its path.
    pub fn text(&self, path: &str) -> String {
        let value = self.receipt.pointer(path).and_then(Value::as_str);
        value
            .unwrap_or_else(|| panic!("{}: the receipt has no text {path}: {}", self.line, self.receipt))
            .to_owned()
    }

    /// Asserts the exit code, and that the standard error is one line that holds all of `words`.
    pub fn fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, code, "{}: {}", self.line, self.stderr);
        assert_eq!(self.stderr.lines().count(), 1, "{}: {}", self.line, self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "{}: no `{word}` in: {}", self.line, self.stderr);
        }
    }
}
