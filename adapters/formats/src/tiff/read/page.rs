//! A page: its facts, what a source over it needs, and the source.

use super::carried::Carried;
use super::coded::Coded;
use super::cut::Cut;
use super::directory::Directory;
use super::facts;
use super::file::File;
use super::layout::Layout;
use super::pyramid;
use super::raw::Raw;
use super::reads::reads;
use super::units::Units;
use crate::contract::{Blocks, Windows};
use crate::tiff::NAME;
use crate::{Facts, FormatError, Metadata, Orientation, Page, RowSource};
use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::Need;
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::shape::{Region, Shape};
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
        layout.check_first_unit(file)?;
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

    fn reduced(&self, levels: u8) -> Result<Option<Arc<dyn Page>>, FormatError> {
        let found = pyramid::reduced(&self.stored.file, self.at, self.shape(), levels)?;
        let Some(page) = found else { return Ok(None) };
        // Another picture that happens to be of half the size is none of this one.
        let same = page.stored.layout.photometric == self.stored.layout.photometric
            && page.stored.layout.orientation == self.stored.layout.orientation;
        Ok(same.then(|| Arc::new(page) as Arc<dyn Page>))
    }

    fn orientation(&self) -> Orientation {
        Orientation::from_number(u64::from(self.stored.layout.orientation)).unwrap_or_default()
    }

    fn blocks(&self) -> Blocks {
        let Layout { grid, shape, .. } = &self.stored.layout;
        let cols = if self.stored.layout.is_plain() { 1 } else { grid.unit_cols.min(shape.cols) };
        let rows = if self.stored.layout.is_seekable() { 1 } else { grid.unit_rows.min(shape.rows) };
        Blocks { rows, cols }
    }

    fn needs(&self, region: Region) -> Vec<Need> {
        self.needs_of(region, None)
    }

    fn window_needs(&self, region: Region, windows: Windows) -> Vec<Need> {
        self.needs_of(region, Some(windows))
    }

    fn source<'a>(&'a self, region: Region, budget: &mut Budget<'a>) -> Result<RowSource<'a>, FormatError> {
        self.source_of(region, None, budget)
    }

    fn windows<'a>(
        &'a self,
        region: Region,
        windows: Windows,
        budget: &mut Budget<'a>,
    ) -> Result<RowSource<'a>, FormatError> {
        self.source_of(region, Some(windows), budget)
    }
}

impl TiffPage {
    /// Its shape.
    pub(super) fn shape(&self) -> Shape {
        self.stored.layout.shape
    }

    /// Memory of a source over `region`, in order or by windows.
    fn needs_of(&self, region: Region, windows: Option<Windows>) -> Vec<Need> {
        let need = |consumer, bytes, place| Need::fixed(consumer, bytes, Each::Worker, place);
        let Ok(cut) = Cut::widest(&self.stored.layout, region, windows) else {
            return vec![need("tiff rows", u64::MAX, Place::Arena)];
        };
        let tables = need("tiff offset tables", Units::bytes(), Place::Arena);
        if self.stored.layout.is_plain() {
            let scratch = Raw::scratch_bytes(&self.stored, &cut, windows.is_some());
            let source = need("tiff source", size_of::<Raw<'_>>() as u64, Place::Heap);
            return vec![tables, need("tiff read buffer", scratch, Place::Arena), source];
        }
        let memory = Coded::memory(&self.stored, &cut, windows.is_some());
        vec![
            tables,
            need("tiff decoder buffers", memory.arena, Place::Arena),
            need("tiff decoder states", memory.heap, Place::Heap),
        ]
    }

    fn source_of<'a>(
        &'a self,
        region: Region,
        windows: Option<Windows>,
        budget: &mut Budget<'a>,
    ) -> Result<RowSource<'a>, FormatError> {
        let shape = self.stored.layout.shape;
        if !shape.all_rows().covers(region.rows) || !shape.all_cols().covers(region.cols) {
            let problem = format!("{region} asked for of {} rows and {} columns", shape.rows, shape.cols);
            return Err(FormatError::Usage { format: NAME, problem });
        }
        match self.stored.layout.is_plain() {
            true => Ok(Box::new(Raw::new(&self.stored, region, windows, budget)?)),
            false => Ok(Box::new(Coded::new(&self.stored, region, windows, budget)?)),
        }
    }
}
