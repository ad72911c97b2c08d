//! Inputs and which of their pages are meant.

use super::settings::Io;
use crate::failure::Failure;
use plimsoll_formats::{Bytes, FormatError, Page, Picture};
use plimsoll_os::input::{self, Input as Opened};
use std::fmt;
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
        let opened = input::open_input(path, io).map_err(|error| Failure::opening(&error))?;
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

    /// The page of this name.
    ///
    /// # Errors
    /// [`Failure::Input`] if its headers are malformed, [`Failure::Usage`] if there is no such page.
    pub fn page(&self, name: impl Into<PageName>) -> Result<Arc<dyn Page>, Failure> {
        let name = name.into();
        let page = self.find_page(name)?;
        let line =
            || format!("{}: there is no page {name}: `plimsoll info` lists the pages", self.path.display());
        page.ok_or_else(|| Failure::Usage(line()))
    }

    /// The page of this name, if there is one.
    ///
    /// # Errors
    /// [`Failure::Input`] if its headers are malformed.
    pub fn find_page(&self, name: impl Into<PageName>) -> Result<Option<Arc<dyn Page>>, Failure> {
        self.look(name.into()).map_err(|error| Failure::input(&self.path, &error))
    }

    /// The same with the format's own error.
    pub(crate) fn look(&self, name: PageName) -> Result<Option<Arc<dyn Page>>, FormatError> {
        let mut path = [0; PageName::MOST_LEVELS];
        for (index, number) in path.iter_mut().zip(name.numbers()) {
            let Some(from_zero) = number.checked_sub(1) else { return Ok(None) };
            *index = from_zero;
        }
        let path = path.get(..name.numbers().len()).unwrap_or_default();
        self.picture.page_at(path)
    }

    /// Whether there is no page of this number. One that is broken, or the way to it, is no reason not to read those
    /// before: it is there.
    ///
    /// # Errors
    /// [`Failure::Io`] if it cannot be said.
    pub fn ends_before(&self, number: u32) -> Result<bool, Failure> {
        match self.find_page(number) {
            Ok(page) => Ok(page.is_none()),
            Err(Failure::Input(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// How many pages, with those below others, the file has room for.
    pub fn most_pages(&self) -> u64 {
        self.picture.most_pages()
    }
}

/// A page's name: its number from 1, and for a page below another one (a SubIFD of TIFF) the numbers on the way to it,
/// as in `3/1`: the first below page 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageName {
    numbers: [u32; Self::MOST_LEVELS],
    levels: usize,
}

impl PageName {
    /// The most numbers in a name.
    pub const MOST_LEVELS: usize = 8;

    /// The numbers, that of the page first.
    pub fn numbers(&self) -> &[u32] {
        self.numbers.get(..self.levels).unwrap_or_default()
    }

    /// Page `number` of those below this one; `None` if that is deeper than names go.
    pub fn below(mut self, number: u32) -> Option<Self> {
        *self.numbers.get_mut(self.levels)? = number;
        self.levels += 1;
        Some(self)
    }

    /// The page beside it with another number.
    fn with_last(mut self, number: u32) -> Self {
        if let Some(last) = self.levels.checked_sub(1).and_then(|last| self.numbers.get_mut(last)) {
            *last = number;
        }
        self
    }
}

impl From<u32> for PageName {
    fn from(number: u32) -> Self {
        let mut numbers = [0; Self::MOST_LEVELS];
        numbers[0] = number;
        Self { numbers, levels: 1 }
    }
}

impl fmt::Display for PageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (level, number) in self.numbers().iter().enumerate() {
            let slash = if level > 0 { "/" } else { "" };
            write!(f, "{slash}{number}")?;
        }
        Ok(())
    }
}

impl FromStr for PageName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` names no page: write 3 (counted from 1), or 3/1 for the first below it");
        let number = |text: &str| text.trim().parse().ok().filter(|number| *number > 0).ok_or_else(wrong);
        let mut parts = text.split('/');
        let mut name = Self::from(number(parts.next().unwrap_or_default())?);
        for part in parts {
            name = name.below(number(part)?).ok_or_else(wrong)?;
        }
        Ok(name)
    }
}

/// Pages as a user names them: `1-3,7`, and `3/1-4` for the first four below page 3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageList(Vec<(PageName, u32)>);

impl PageList {
    /// One page.
    pub fn one(page: impl Into<PageName>) -> Self {
        let page = page.into();
        Self(vec![(page, page.numbers().last().copied().unwrap_or_default())])
    }

    /// The pages in the order in which they were named.
    pub fn names(&self) -> impl Iterator<Item = PageName> + '_ {
        self.0.iter().flat_map(|(first, last)| {
            let start = first.numbers().last().copied().unwrap_or_default();
            (start..=*last).map(|number| first.with_last(number))
        })
    }
}

impl FromStr for PageList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` names no pages: write 1-3,7 (counted from 1), or 3/1-4 for those below page 3")
        };
        let mut spans = Vec::new();
        for part in text.split(',') {
            let (first, last) =
                part.split_once('-').map_or((part, None), |(first, last)| (first, Some(last)));
            let first: PageName = first.parse().map_err(|_| wrong())?;
            let start = first.numbers().last().copied().unwrap_or_default();
            let last = last.map_or(Ok(start), |last| last.trim().parse().map_err(|_| wrong()))?;
            if last < start {
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
        let numbers = |text: &str| {
            text.parse::<PageList>()
                .map(|list| list.names().map(|name| name.to_string()).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(numbers("1-3,7").as_deref(), Ok("1 2 3 7"));
        assert_eq!(numbers("5").as_deref(), Ok("5"));
        assert_eq!(numbers("3/1-2,3/2/7,4").as_deref(), Ok("3/1 3/2 3/2/7 4"));
        for text in
            ["", "0", "3-1", "a", "1-", "1,,2", "1/", "/1", "1/0", "1/2-1", "1-2/3", "1/1/1/1/1/1/1/1/1"]
        {
            assert!(numbers(text).is_err(), "{text}");
        }
    }
}
