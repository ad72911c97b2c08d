//! Inputs and which of their pages are meant.

use super::settings::Io;
use crate::failure::Failure;
use plimsoll_formats::{Bytes, Page, Picture};
use plimsoll_os::input::{self, Input as Opened};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

/// An opened input file: its headers are read, nothing else.
pub struct Input {
    path: PathBuf,
    opened: Arc<dyn Opened>,
    picture: Box<dyn Picture>,
}

impl Input {
    /// Opens a file and finds its format by its first bytes.
    ///
    /// # Errors
    /// [`Failure::Io`] if it cannot be read, [`Failure::Input`] if its format is unknown or its headers are malformed.
    pub fn open(path: &Path, io: Io) -> Result<Self, Failure> {
        let opened = input::open_input(path, io).map_err(|error| Failure::Io(error.to_string()))?;
        let mut first = [0u8; 64];
        let len = opened.len().min(first.len() as u64) as usize;
        let head = first.get_mut(..len).unwrap_or_default();
        opened.read_at(0, head).map_err(|error| Failure::io("read", path, &error))?;
        let Some(format) = plimsoll_formats::detect(head) else {
            let names: Vec<&str> = plimsoll_formats::FORMATS.iter().map(|format| format.name()).collect();
            let line = format!("{}: unknown format: {} are read", path.display(), names.join(", "));
            return Err(Failure::Input(line));
        };
        let bytes: Bytes = opened.clone();
        let picture = format.open(bytes).map_err(|error| Failure::input(path, &error))?;
        Ok(Self { path: path.to_owned(), opened, picture })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The format's name.
    pub fn format(&self) -> &'static str {
        self.picture.format()
    }

    /// The file's length in bytes.
    pub fn bytes(&self) -> u64 {
        self.opened.len()
    }

    /// Bytes read from it so far.
    pub fn bytes_read(&self) -> u64 {
        self.opened.bytes_read()
    }

    /// Page `number`, counted from 1.
    ///
    /// # Errors
    /// [`Failure::Input`] if its headers are malformed, [`Failure::Usage`] if there is no such page.
    pub fn page(&self, number: u32) -> Result<Arc<dyn Page>, Failure> {
        let page = self.find_page(number)?;
        let line =
            || format!("{}: there is no page {number}: `plimsoll info` lists the pages", self.path.display());
        page.ok_or_else(|| Failure::Usage(line()))
    }

    /// Page `number`, counted from 1, if there is one.
    ///
    /// # Errors
    /// [`Failure::Input`] if its headers are malformed.
    pub fn find_page(&self, number: u32) -> Result<Option<Arc<dyn Page>>, Failure> {
        let Some(index) = number.checked_sub(1) else { return Ok(None) };
        self.picture.page(index).map_err(|error| Failure::input(&self.path, &error))
    }
}

/// Pages as a user names them: `1-3,7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageList(Vec<(u32, u32)>);

impl PageList {
    /// One page.
    pub fn one(page: u32) -> Self {
        Self(vec![(page, page)])
    }

    /// The page numbers in the order in which they were named, from 1.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().flat_map(|(first, last)| *first..=*last)
    }
}

impl FromStr for PageList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` names no pages: write 1-3,7 (counted from 1)");
        let mut spans = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let first: u32 = first.trim().parse().map_err(|_| wrong())?;
            let last: u32 = last.trim().parse().map_err(|_| wrong())?;
            if first == 0 || last < first {
                return Err(wrong());
            }
            spans.push((first, last));
        }
        Ok(Self(spans))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_lists_are_read() {
        let numbers = |text: &str| text.parse::<PageList>().map(|list| list.numbers().collect::<Vec<_>>());
        assert_eq!(numbers("1-3,7"), Ok(vec![1, 2, 3, 7]));
        assert_eq!(numbers("5"), Ok(vec![5]));
        for text in ["", "0", "3-1", "a", "1-", "1,,2"] {
            assert!(numbers(text).is_err(), "{text}");
        }
    }
}
