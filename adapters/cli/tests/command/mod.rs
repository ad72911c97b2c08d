//! The command in a folder of its own, with an environment that holds no settings but those that a test makes.

use serde_json::Value;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{self, Stdio};
use tempfile::TempDir;

/// A folder, and the variables of a command that runs in it.
pub(crate) struct Command {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// A command that has ended.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

#[allow(dead_code, reason = "each test that has this module uses some of it")]
impl Command {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder can be made"), variables: Vec::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a grey picture of 8 bits; its pixels are a hole in the file, so that a large one takes no room.
    pub(crate) fn grey(&self, name: &str, cols: u64, rows: u64) {
        let header = format!("P5\n{cols} {rows}\n255\n");
        let mut file = File::create(self.path(name)).expect("the picture can be made");
        file.write_all(header.as_bytes()).expect("the picture can be written");
        file.set_len(header.len() as u64 + cols * rows).expect("the picture can be written");
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("the file is there")
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).expect("the file is there");
    }

    pub(crate) fn set(&mut self, variable: &str, value: &str) {
        self.variables.push((variable.to_owned(), value.to_owned()));
    }

    pub(crate) fn unset(&mut self, variable: &str) {
        self.variables.retain(|(name, _)| name != variable);
    }

    pub(crate) fn run(&self, line: &str) -> Done {
        let mut command = process::Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(line.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        let foreign = std::env::vars_os().map(|(name, _)| name);
        for name in foreign.filter(|name| name.as_encoded_bytes().starts_with(b"PLIMSOLL_")) {
            command.env_remove(name);
        }
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let output = command.output().expect("the command can be run");
        Done {
            code: output.status.code().expect("an exit code"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    pub(crate) fn done(&self, line: &str) -> Done {
        let done = self.run(line);
        assert_eq!(done.code, 0, "{line}: {}", done.stderr);
        done
    }

    pub(crate) fn json(&self, line: &str) -> Value {
        serde_json::from_str(&self.done(line).stdout).expect("JSON")
    }

    /// Runs what must fail with one line that says all of `said`.
    pub(crate) fn fails(&self, code: i32, line: &str, said: &[&str]) {
        let done = self.run(line);
        assert_eq!(done.code, code, "{line}: {}", done.stderr);
        assert_eq!(done.stderr.trim_end().lines().count(), 1, "{line}: {}", done.stderr);
        said.iter()
            .for_each(|word| assert!(done.stderr.contains(word), "{line}: no `{word}`: {}", done.stderr));
    }
}
