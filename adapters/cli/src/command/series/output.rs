//! Where series go: a file that appears when it is complete, or the standard output.

use super::input::is_standard;
use crate::failure::Failure;
use clap::Args;
use plimsoll_os::output::{AtomicOutput, Sequential};
use std::io::{self, BufWriter, StdoutLock, Write};
use std::path::{Path, PathBuf};

/// Options of every subcommand that writes.
#[derive(Clone, Debug, Args)]
pub(super) struct OutputArgs {
    /// The output; the standard output if absent or `-`
    #[arg(short, long, value_name = "OUT", default_value = "-", hide_default_value = true)]
    pub output: PathBuf,
    /// Replace an existing output
    #[arg(long)]
    pub overwrite: bool,
    /// Do not wait until the output is on the disk: faster, and a power cut may lose it
    #[arg(long)]
    pub no_sync: bool,
}

impl OutputArgs {
    /// Whether it is the standard output.
    pub(super) fn is_standard(&self) -> bool {
        is_standard(&self.output)
    }

    /// Its name for messages.
    pub(super) fn name(&self) -> &Path {
        if self.is_standard() { Path::new("the standard output") } else { &self.output }
    }

    /// Begins it, with a buffer of so many bytes.
    pub(super) fn begin(&self, buffer_bytes: usize) -> Result<BufWriter<Output>, Failure> {
        let output = if self.is_standard() {
            Output::Standard(io::stdout().lock())
        } else {
            let file = AtomicOutput::create(&self.output, self.overwrite).map_err(|error| {
                let hint = match error.source.kind() {
                    io::ErrorKind::AlreadyExists => "; --overwrite replaces it",
                    _ => "",
                };
                Failure::Io(format!("cannot {error}{hint}"))
            })?;
            Output::File(Sequential::new(Box::new(file)))
        };
        Ok(BufWriter::with_capacity(buffer_bytes, output))
    }

    /// Ends it: a file gets its name.
    pub(super) fn finish(&self, out: BufWriter<Output>) -> Result<(), Failure> {
        match out.into_inner() {
            Ok(Output::File(file)) => {
                let file = file.into_inner();
                file.commit(!self.no_sync).map_err(|error| Failure::Io(format!("cannot {error}")))
            }
            Ok(Output::Standard(_)) => Ok(()),
            Err(error) => self.failed(error.into_error()),
        }
    }

    /// What a failed write means: nothing, if the reader of a pipe has gone away.
    pub(super) fn failed(&self, error: io::Error) -> Result<(), Failure> {
        if self.is_standard() && error.kind() == io::ErrorKind::BrokenPipe {
            return Ok(());
        }
        Err(Failure::io("write", self.name(), &error))
    }
}

/// An output that is being written.
pub(super) enum Output {
    /// The standard output.
    Standard(StdoutLock<'static>),
    /// A file.
    File(Sequential<Box<AtomicOutput>>),
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Standard(out) => out.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Standard(out) => out.flush(),
            Self::File(file) => file.flush(),
        }
    }
}
