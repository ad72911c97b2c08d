//! Starts one program and writes what the kernel says of it into a file: its peak resident bytes, and the bytes that
//! its reads gave. A process's peak begins with that of the process that forked it, so this one is small.
//!
//! usage: `measured FILE PROGRAM [ARGUMENT ...]`

use nix::sys::resource::{UsageWho, getrusage};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(file), Some(program)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: measured FILE PROGRAM [ARGUMENT ...]");
        return ExitCode::from(2);
    };
    let before = bytes_read();
    let status = match Command::new(&program).args(arguments).status() {
        Ok(status) => status,
        Err(error) => {
            eprintln!("measured: {}: {error}", program.display());
            return ExitCode::from(127);
        }
    };
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).map_or(0, |usage| usage.max_rss() * 1024);
    let read = bytes_read() - before;
    if let Err(error) = std::fs::write(&file, format!("{peak} {read}\n")) {
        eprintln!("measured: {}: {error}", file.display());
        return ExitCode::from(127);
    }
    ExitCode::from(status.code().map_or(128, |code| code as u8))
}

/// Bytes that this process and those it has waited for have read, from files or anything else.
fn bytes_read() -> u64 {
    let books = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = books.lines().find_map(|line| line.strip_prefix("rchar: "));
    line.and_then(|number| number.parse().ok()).unwrap_or(0)
}
