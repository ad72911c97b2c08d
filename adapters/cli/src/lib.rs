//! The `plimsoll` command, and the jobs behind it for programs that want the work without the command line.
//!
//! ```text
//!  command (words)  ->  job::plan  ->  job::run: threads, arenas, seams  ->  report (plan, receipt)
//!                           |                 |
//!                    core's planner     core's Job over formats' sources and sinks, in os's arena
//! ```

mod batch;
mod command;
mod failure;
pub mod job;
mod log;
mod number;
mod profile;
mod progress;
pub mod report;
pub mod settings;
mod side;
mod size;
mod stages;

pub use failure::Failure;
pub use size::{Bytes, Within};
pub use stages::{Stages, Step};

use clap::{CommandFactory, FromArgMatches};
use command::Session;
use command::args::CommandLine;
use plimsoll_os::memory::{CountingAllocator, divide_code, release_code};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The whole command: reads the arguments, does the work, gives the exit code. `heap` is the program's global
/// allocator, so that receipts can say what the heap held.
pub fn main(heap: &'static CountingAllocator) -> ExitCode {
    divide_code();
    let parsed = CommandLine::command()
        .try_get_matches()
        .and_then(|matches| CommandLine::from_arg_matches(&matches).map(|line| (line, matches)));
    let (mut line, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version are no failures; clap has its own opinion of where each goes.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let cancelled = Arc::new(AtomicBool::new(false));
    let handler = Arc::clone(&cancelled);
    // Without a handler Ctrl-C still ends the process; then the next run of the same output cleans up.
    let handled = ctrlc::set_handler(move || handler.store(true, Ordering::Relaxed));
    let resolved = command::args::settle(&mut line, &matches);
    drop(matches);
    // From the first header on.
    let attempts = line.command.run_mut().map_or(command::args::ATTEMPTS, |run| run.attempts);
    plimsoll_os::retry::set_attempts(attempts);
    // What reading the command line and the settings needed is not needed again.
    release_code();
    let logs_to_file = resolved.is_ok() && line.log.log_file.is_some();
    let result = resolved.and_then(|()| log::begin(&line.log)).and_then(|()| {
        if let Err(error) = handled {
            tracing::warn!("Ctrl-C cannot be caught: {error}");
        }
        let session = match line.command.working() {
            Some(run) => Session::new(heap, cancelled).beside(run)?,
            None => Session::new(heap, cancelled),
        };
        let done = command::run(line, &session);
        // How far a job came before it failed is worth a page; why it failed comes first.
        done.and(session.finish_profile())
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if logs_to_file {
                tracing::error!("{failure}");
            }
            // The exit code says it, too, where nobody can be told.
            let _ = writeln!(std::io::stderr(), "plimsoll: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
