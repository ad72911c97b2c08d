//! A page: its facts, what a source over it needs, and the source.

use super::carried::Carried;
use super::coded::Coded;
use super::cut::Cut;
use super::directory::Directory;
use super::facts;
use super::file::File;
use super::layout::Layout;
use super::raw::Raw;
use super::reads::reads;
use super::units::Units;
use crate::tiff::NAME;
use crate::{Facts, FormatError, Metadata, Page, RowSource};
use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::Need;
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::shape::Region;
use std::sync::Arc;

/// A file and how one of its pages is stored in it.
pub(super) struct Stored {
    pub(super) file: File,
    pub(super) layout: Layout,
}

/// A page of a TIFF file.
pub(super) struct TiffPage {
    /// Where its directory lies.
    at: u64,
    stored: Stored,
    facts: Facts,
}

impl TiffPage {
    /// Reads the page whose directory lies at `at`.
    ///
    /// # Errors
    /// [`FormatError`] if it is malformed, unsupported or cannot be read.
    pub(super) fn read(file: &File, at: u64) -> Result<Self, FormatError> {
        let directory = Directory::read(file, at)?;
        let layout = Layout::read(file, &directory)?;
        let facts = facts::facts(file, &directory, &layout)?;
        Ok(Self { at, stored: Stored { file: file.clone(), layout }, facts })
    }
}

impl Page for TiffPage {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn metadata(&self) -> Result<Option<Arc<dyn Metadata>>, FormatError> {
        Ok(Some(Arc::new(Carried::read(&self.stored.file, self.at, &self.stored.layout)?)))
    }

    fn reads(&self, region: Region) -> Result<Option<u64>, FormatError> {
        reads(&self.stored, region)
    }

    fn gives_columns(&self) -> bool {
        self.stored.layout.is_plain()
    }

    fn needs(&self, region: Region) -> Vec<Need> {
        let need = |consumer, bytes, place| Need::fixed(consumer, bytes, Each::Worker, place);
        let Ok(cut) = Cut::new(&self.stored.layout, region) else {
            return vec![need("tiff rows", u64::MAX, Place::Arena)];
        };
        let tables = need("tiff offset tables", Units::bytes(), Place::Arena);
        if self.stored.layout.is_plain() {
            let scratch = Raw::scratch_bytes(&self.stored, &cut);
            let source = need("tiff source", size_of::<Raw<'_>>() as u64, Place::Heap);
            return vec![tables, need("tiff read buffer", scratch, Place::Arena), source];
        }
        let memory = Coded::memory(&self.stored, &cut);
        vec![
            tables,
            need("tiff decoder buffers", memory.arena, Place::Arena),
            need("tiff decoder states", memory.heap, Place::Heap),
        ]
    }

    fn source<'a>(&'a self, region: Region, budget: &mut Budget<'a>) -> Result<RowSource<'a>, FormatError> {
        let shape = self.stored.layout.shape;
        if !shape.all_rows().covers(region.rows) || !shape.all_cols().covers(region.cols) {
            let problem = format!("{region} asked for of {} rows and {} columns", shape.rows, shape.cols);
            return Err(FormatError::Usage { format: NAME, problem });
        }
        match self.stored.layout.is_plain() {
            true => Ok(Box::new(Raw::new(&self.stored, region, budget)?)),
            false => Ok(Box::new(Coded::new(&self.stored, region, budget)?)),
        }
    }
}
