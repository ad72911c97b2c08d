//! A file operation that failed: which, on what path, and why.

use std::io;
use std::path::{Path, PathBuf};

/// An operation on a file that the system, or a rule of this crate, refused.
#[derive(Debug)]
pub struct FileError {
    /// What was tried: `open`, `create`, `rename` ...
    pub operation: &'static str,
    /// On which file or folder.
    pub path: PathBuf,
    /// Why it failed.
    pub source: io::Error,
}

impl FileError {
    /// The error of `operation` on `path`.
    pub fn new(operation: &'static str, path: &Path, source: io::Error) -> Self {
        Self { operation, path: path.to_path_buf(), source }
    }

    /// The same in the form that `Result::map_err` takes.
    pub(crate) fn at<'a>(operation: &'static str, path: &'a Path) -> impl Fn(io::Error) -> Self + 'a {
        move |source| Self::new(operation, path, source)
    }
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.operation, self.path.display(), self.source)
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
