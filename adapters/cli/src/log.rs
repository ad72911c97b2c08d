//! Messages about what is done: to the standard error or to a file that is rotated by size.

use crate::failure::Failure;
use clap::{Args, ValueEnum};
use rolling_file::{BasicRollingFileAppender, RollingConditionBasic};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use tracing_subscriber::filter::LevelFilter;

/// A log file is closed at this size.
const FILE_BYTES: u64 = 10 << 20;

/// So many closed log files are kept beside the open one: five in all.
const CLOSED_FILES: usize = 4;

/// Where messages go.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Messages and settings", next_display_order = 1000)]
pub(crate) struct LogArgs {
    /// How much is logged
    #[arg(long, value_enum, global = true, default_value_t = LogLevel::Warn, hide_possible_values = false)]
    pub log_level: LogLevel,
    /// Log to this file instead of the standard error; at 10 MiB a new one is begun and the last 5 are kept
    #[arg(long, value_name = "FILE", global = true)]
    pub log_file: Option<PathBuf>,
}

/// Log levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// Nothing
    Off,
    /// What ended a command
    Error,
    /// What may surprise
    Warn,
    /// What is done
    Info,
    /// Everything
    Debug,
}

/// Begins logging as the user asked.
///
/// # Errors
/// [`Failure::Io`] if the log file cannot be opened.
pub(crate) fn begin(args: &LogArgs) -> Result<(), Failure> {
    let level = match args.log_level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let builder = tracing_subscriber::fmt().with_max_level(level).with_target(false).with_ansi(false);
    // A log that cannot be written must not end the work.
    let builder = builder.log_internal_errors(false);
    match &args.log_file {
        None => builder.with_writer(std::io::stderr).without_time().init(),
        Some(path) => {
            let rotation = RollingConditionBasic::new().max_size(FILE_BYTES);
            let file = BasicRollingFileAppender::new(path, rotation, CLOSED_FILES)
                .map_err(|error| Failure::io("open the log file", path, &error))?;
            builder.with_writer(Mutex::new(Whole(file))).init();
        }
    }
    Ok(())
}

/// Logs what is done: a plan or a receipt, line by line. The text is made only if somebody wants it.
pub(crate) fn tell(text: impl FnOnce() -> String) {
    if tracing::enabled!(tracing::Level::INFO) {
        text().lines().for_each(|line| tracing::info!("{line}"));
    }
}

/// A log file that holds each message as soon as it is written: the buffer in it is lost when the process ends.
struct Whole(BasicRollingFileAppender);

impl Write for Whole {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.0.write(bytes)?;
        self.0.flush()?;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}
