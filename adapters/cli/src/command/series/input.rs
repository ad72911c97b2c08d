//! Where series come from: a file, a pipe, or the standard input (`-`).

use crate::failure::Failure;
use plimsoll_formats::series::{Damaged, PlsInput, Seeking, Streaming};
use plimsoll_os::input::PositionedFile;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The name that stands for the standard input or output.
const STANDARD: &str = "-";

/// Whether `path` is the standard input or output.
pub(super) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == STANDARD
}

/// `path` for messages.
pub(super) fn name(path: &Path) -> PathBuf {
    if is_standard(path) { PathBuf::from("the standard input") } else { path.to_owned() }
}

/// Opens text for reading once.
pub(super) fn open_text(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if is_standard(path) {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(path).map_err(|error| Failure::io("open", path, &error))?;
    let facts = file.metadata().map_err(|error| Failure::io("open", path, &error))?;
    if facts.is_dir() {
        return Err(Failure::Usage(format!("{}: it is a folder, not a file", path.display())));
    }
    Ok(Box::new(file))
}

/// A packed file: one that can be read at any offset, or a stream.
pub(super) enum Packed {
    /// A regular file.
    File(Seeking<PositionedFile>),
    /// Anything else.
    Stream(Streaming<Box<dyn Read>>),
}

impl Packed {
    /// Opens it.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let regular = !is_standard(path) && path.metadata().is_ok_and(|facts| facts.is_file());
        if !regular {
            return Ok(Self::Stream(Streaming(open_text(path)?)));
        }
        let file = PositionedFile::open(path).map_err(|error| Failure::opening(&error))?;
        Ok(Self::File(Seeking::new(file)))
    }
}

impl PlsInput for Packed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read(into),
            Self::Stream(stream) => stream.read(into),
        }
    }

    fn reaches(&self, offset: u64) -> bool {
        match self {
            Self::File(file) => file.reaches(offset),
            Self::Stream(stream) => stream.reaches(offset),
        }
    }

    fn seek(&mut self, offset: u64) {
        match self {
            Self::File(file) => file.seek(offset),
            Self::Stream(stream) => stream.seek(offset),
        }
    }
}

/// Says once a place what could not be read; the rest goes on.
pub(super) fn warn(path: &Path, damaged: &Damaged) {
    tracing::warn!("{}: {damaged}", name(path).display());
}
