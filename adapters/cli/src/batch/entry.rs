//! One page of a batch, and what becomes of it.

use super::inputs::Found;
use super::naming::{Names, Template};
use crate::job::{Checked, PageName};
use std::path::{Path, PathBuf};

/// A page that becomes a file.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Number of its input in the list.
    pub(crate) file: u32,
    pub(crate) page: PageName,
    /// Whether its input has other pages.
    pub(crate) several: bool,
    /// Side of its output's tiles, where the format has them: whatever runs beside it, so that a batch that goes on
    /// after an interruption makes the same files.
    pub(crate) tile: Option<u32>,
    /// The smallest budget for it alone, as planned; 0 if it could not be planned.
    pub(crate) smallest_bytes: u64,
    /// Bytes that its plan has beside the process.
    pub(crate) own_bytes: u64,
    /// The most heap of its plan.
    pub(crate) heap_bytes: u64,
    pub(crate) status: Status,
}

/// What became of it.
#[derive(Clone, Debug)]
pub(crate) enum Status {
    /// It is to be done.
    Waiting,
    /// Its output is complete.
    Done(Box<Outcome>),
    /// Its output was there.
    Skipped,
    /// It never fits the budget.
    Refused(String),
    /// It cannot be done, or went wrong.
    Failed(String),
}

impl Status {
    /// In a word.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Waiting => "not begun",
            Self::Done(_) => "done",
            Self::Skipped => "skipped",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
        }
    }

    /// Why it was not done.
    pub(crate) fn why(&self) -> Option<&str> {
        match self {
            Self::Refused(why) | Self::Failed(why) => Some(why),
            _ => None,
        }
    }
}

/// What was done.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) rows: u32,
    pub(crate) cols: u32,
    pub(crate) bytes_read: u64,
    pub(crate) bytes_written: u64,
    /// Bytes that its plan had beside the process.
    pub(crate) own_bytes: u64,
    pub(crate) workers: u32,
    pub(crate) strip_rows: u32,
    pub(crate) seconds: f64,
    pub(crate) stored: String,
    pub(crate) sha256_pixels: Option<String>,
    pub(crate) checked: Option<Checked>,
}

/// Where the outputs of a batch go.
#[derive(Clone, Debug)]
pub(crate) struct Outputs {
    pub(crate) folder: PathBuf,
    /// Their ending; that of the input if absent.
    pub(crate) ending: Option<String>,
    pub(crate) template: Option<Template>,
}

impl Outputs {
    /// The output of a page of `found`.
    pub(crate) fn path(&self, found: &Found, page: PageName, several: bool) -> PathBuf {
        let own = found.path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let names = Names {
            input: &found.path,
            folder: &found.folder,
            page,
            ending: self.ending.as_deref().unwrap_or(own),
        };
        let name = match &self.template {
            Some(template) => template.name(&names),
            None => Template::usual(several).name(&names),
        };
        self.folder.join(name)
    }

    /// An entry's output.
    pub(crate) fn of(&self, found: &Found, entry: &Entry) -> PathBuf {
        self.path(found, entry.page, entry.several)
    }
}

/// An entry as messages call it: the input, and the page if there are others.
pub(crate) fn title(path: &Path, entry: &Entry) -> String {
    if entry.several { format!("{} page {}", path.display(), entry.page) } else { path.display().to_string() }
}
