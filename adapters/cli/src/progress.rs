//! Shows how far a job is: a bar on a terminal, or JSON lines for programs.

use crate::job::{Moment, Watcher};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// JSON lines come at most so often, and once at the end of each pass.
const LINE_EVERY: Duration = Duration::from_millis(200);

/// `--progress`
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressArg {
    /// A bar if the standard error is a terminal
    Auto,
    /// Nothing
    Never,
    /// A line of JSON at a time
    Json,
}

/// The watcher that the user asked for, if any.
pub(crate) fn watcher(wanted: ProgressArg) -> Option<Box<dyn Watcher>> {
    match wanted {
        ProgressArg::Never => None,
        ProgressArg::Json => Some(Box::new(Lines { last: Mutex::new(None) })),
        ProgressArg::Auto if std::io::stderr().is_terminal() => Some(Box::new(Bar::new())),
        ProgressArg::Auto => None,
    }
}

struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(5));
        let style = "{msg} [{bar:40}] {percent:>3} % {pos}/{len} rows, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }
}

impl Watcher for Bar {
    fn at(&self, moment: Moment) {
        if self.0.length() != Some(moment.rows_in_all) || moment.rows == 0 {
            self.0.set_length(moment.rows_in_all);
            self.0.set_message(format!("pass {}/{}", moment.pass, moment.passes));
        }
        self.0.set_position(moment.rows);
        if moment.rows >= moment.rows_in_all && moment.pass == moment.passes {
            self.0.finish_and_clear();
        }
    }
}

struct Lines {
    last: Mutex<Option<Instant>>,
}

impl Watcher for Lines {
    fn at(&self, moment: Moment) {
        let Ok(mut last) = self.last.lock() else { return };
        let end = moment.rows >= moment.rows_in_all;
        if !end && last.is_some_and(|last| last.elapsed() < LINE_EVERY) {
            return;
        }
        *last = Some(Instant::now());
        let Moment { pass, passes, rows, rows_in_all } = moment;
        let mut line = [0u8; 160];
        let mut cursor = std::io::Cursor::new(&mut line[..]);
        let text = format_args!(
            "{{\"pass\":{pass},\"passes\":{passes},\"rows\":{rows},\"rows_in_all\":{rows_in_all}}}\n"
        );
        let written = cursor.write_fmt(text).map(|()| cursor.position() as usize);
        if let Ok(len) = written {
            // Nobody listening is no reason to end a job.
            let _ = std::io::stderr().write_all(&line[..len]);
        }
    }
}
