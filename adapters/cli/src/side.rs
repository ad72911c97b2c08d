//! What is written beside the outputs: receipts, reports, memory profiles. Each appears whole or not at all, and that
//! it can be written is known before the work begins.

use crate::failure::Failure;
use plimsoll_os::FileError;
use plimsoll_os::output::{AtomicOutput, Sequential};
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Bytes written at once.
pub(crate) const BUFFER_BYTES: usize = 8 << 10;

/// A file that is to be written when the work is done.
pub(crate) struct Side {
    what: &'static str,
    path: PathBuf,
    /// None for pipes and devices, which are what they are.
    file: Option<AtomicOutput>,
}

impl Side {
    /// Makes room for `what` at `path`, where it replaces what is there.
    ///
    /// # Errors
    /// [`Failure::Io`] if no file can be made there.
    pub(crate) fn create(what: &'static str, path: &Path) -> Result<Self, Failure> {
        let facts = path.metadata();
        if facts.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
            return Err(Failure::Io(format!("cannot write {what} {}: it is a folder", path.display())));
        }
        let is_device = facts.is_ok_and(|facts| !facts.is_file());
        let file = if is_device { None } else { Some(AtomicOutput::create(path, true)) };
        let file = file.transpose().map_err(|error| failed(what, &error))?;
        Ok(Self { what, path: path.to_owned(), file })
    }

    /// Writes it, and gives it its name; with `sync` not before it is on the disk.
    ///
    /// # Errors
    /// [`Failure::Io`]; what was there before stays.
    pub(crate) fn write(
        self,
        sync: bool,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let Self { what, path, file } = self;
        let in_file = |error: io::Error| Failure::io(&format!("write {what}"), &path, &error);
        let Some(file) = file else {
            let device = OpenOptions::new().write(true).open(&path).map_err(in_file)?;
            return through(BufWriter::with_capacity(BUFFER_BYTES, device), content).map_err(in_file);
        };
        through(BufWriter::with_capacity(BUFFER_BYTES, Sequential::new(&file)), content).map_err(in_file)?;
        file.commit(sync).map_err(|error| failed(what, &error))
    }
}

/// Writes all of it.
fn through(mut to: impl Write, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    content(&mut to)?;
    to.flush()
}

fn failed(what: &str, error: &FileError) -> Failure {
    Failure::Io(format!("cannot write {what}: {error}"))
}
