//! A file of the family, opened: one image after the other, each found from the end of the one before.

use super::header::{Encoding, Header};
use super::plain::Plain;
use super::raw::Raw;
use crate::{Bytes, Facts, FormatError, Page, Picture, RowSource};
use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::Need;
use plimsoll_core::shape::Region;
use std::sync::{Arc, Mutex};

/// An opened file. Holds the first header and where the last one found ends.
pub(super) struct Pictures {
    bytes: Bytes,
    first: Arc<OnePage>,
    /// Number and start of the page furthest on that was looked for, so that reading pages in order reads each header
    /// once.
    furthest: Mutex<(u32, u64)>,
}

impl Pictures {
    pub(super) fn open(bytes: Bytes) -> Result<Self, FormatError> {
        let first = Arc::new(OnePage::new(bytes.clone(), Header::read(&bytes, 0)?));
        Ok(Self { bytes, first, furthest: Mutex::new((0, 0)) })
    }

    /// The header at `offset`, if there is one: what follows an image and does not begin like another is not looked
    /// at, as by other programs.
    fn header_at(&self, offset: u64) -> Result<Option<Header>, FormatError> {
        let mut magic = [0; 2];
        if offset.saturating_add(2) > self.bytes.len() {
            return Ok(None);
        }
        self.bytes.read_at(offset, &mut magic).map_err(|error| FormatError::read(offset, error))?;
        match magic {
            [b'P', b'4'..=b'7'] => Header::read(&self.bytes, offset).map(Some),
            _ => Ok(None),
        }
    }
}

impl Picture for Pictures {
    fn format(&self) -> &'static str {
        self.first.header.name
    }

    fn page(&self, index: u32) -> Result<Option<Arc<dyn Page>>, FormatError> {
        // Plain text and PFM hold one image a file.
        let several =
            matches!(self.first.header.encoding, Encoding::Bits | Encoding::Bytes | Encoding::Words);
        if index == 0 || !several {
            return Ok((index == 0).then(|| self.first.clone() as Arc<dyn Page>));
        }
        let mut furthest = self.furthest.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if furthest.0 > index {
            *furthest = (0, 0);
        }
        loop {
            let (number, offset) = *furthest;
            let Some(header) = self.header_at(offset)? else { return Ok(None) };
            if number == index {
                return Ok(Some(Arc::new(OnePage::new(self.bytes.clone(), header))));
            }
            let Some(end) = header.end() else { return Ok(None) };
            *furthest = (number + 1, end);
        }
    }
}

/// One image.
struct OnePage {
    bytes: Bytes,
    header: Header,
    facts: Facts,
}

impl OnePage {
    fn new(bytes: Bytes, header: Header) -> Self {
        let plain = header.stored_row_bytes().is_none();
        let mut more = vec![("variant", header.name.to_string())];
        // Samples are handed on as they are stored: whoever wants white at 255 or 65535 has to scale them.
        if !matches!(header.maxval, 1 | 255 | 65535) || (header.maxval == 1 && header.name == "PAM") {
            more.push(("largest sample", header.maxval.to_string()));
        }
        if header.scale != 1.0 {
            more.push(("scale", header.scale.to_string()));
        }
        if !header.tuple.is_empty() {
            more.push(("tuple type", header.tuple.clone()));
        }
        let facts = Facts {
            shape: header.shape,
            compression: if plain { "none (plain text)" } else { "none" },
            colour: header.colour,
            unit_rows: if plain { header.shape.rows } else { 1 },
            more,
        };
        Self { bytes, header, facts }
    }
}

impl Page for OnePage {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn gives_columns(&self) -> bool {
        self.header.stored_row_bytes().is_some()
    }

    fn needs(&self, _region: Region) -> Vec<Need> {
        match self.header.stored_row_bytes() {
            Some(_) => Raw::needs(),
            None => Plain::needs(),
        }
    }

    fn source<'a>(&'a self, _region: Region, budget: &mut Budget<'a>) -> Result<RowSource<'a>, FormatError> {
        Ok(match self.header.stored_row_bytes() {
            Some(stored_row_bytes) => Box::new(Raw::new(&self.bytes, &self.header, stored_row_bytes)),
            None => Box::new(Plain::new(&self.bytes, &self.header, budget)?),
        })
    }
}
