//! A page as it should be seen.

use super::band::{Banded, Cut};
use super::metadata::Turned;
use super::orientation::Orientation;
use super::pixels::reverse;
use crate::{Facts, FormatError, Metadata, Page, RowSource};
use plimsoll_core::budget::{Budget, Layout};
use plimsoll_core::pipeline::plan::{Each, Place};
use plimsoll_core::pipeline::{Need, Source};
use plimsoll_core::shape::{Region, Shape, Span};
use plimsoll_core::strip::StripMut;
use std::sync::Arc;

/// The most windows whose bytes are added up.
const MOST_WINDOWS: u32 = 4096;

/// A page whose orientation is undone.
pub struct UprightPage {
    page: Arc<dyn Page>,
    orientation: Orientation,
    band_bytes: u64,
    facts: Facts,
}

impl UprightPage {
    /// Over any page. Bands may be of about `band_bytes` where the page gives any rows or columns: more of them mean
    /// fewer reads. With 0 it needs the least memory.
    pub fn new(page: Arc<dyn Page>, band_bytes: u64) -> Self {
        let orientation = page.orientation();
        Self::over(page, orientation, band_bytes)
    }

    fn over(page: Arc<dyn Page>, orientation: Orientation, band_bytes: u64) -> Self {
        let facts = page.facts();
        let shape = orientation.shape(facts.shape);
        let blocks = page.blocks();
        let (block, len) = match orientation.turned {
            true => (blocks.cols, facts.shape.cols),
            false => (blocks.rows, facts.shape.rows),
        };
        let unit_rows = match orientation {
            _ if orientation.is_straight() => facts.unit_rows,
            // The upright picture begins with the last block, which is smaller than the others.
            _ if orientation.goes_back() && len.checked_rem(block) != Some(0) => shape.rows,
            _ => block.min(shape.rows),
        };
        let facts = Facts { shape, unit_rows, ..facts.clone() };
        Self { page, orientation, band_bytes, facts }
    }

    fn stored(&self) -> Shape {
        self.page.facts().shape
    }

    fn cut(&self, region: Region) -> Cut {
        let stored = self.stored();
        let region = self.orientation.stored_region(region, stored);
        Cut::new(self.orientation, stored, region, self.page.blocks(), self.band_bytes)
    }
}

impl Page for UprightPage {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn was_turned(&self) -> bool {
        !self.orientation.is_upright()
    }

    fn metadata(&self) -> Result<Option<Arc<dyn Metadata>>, FormatError> {
        let turned = self.orientation.turned;
        Ok(self.page.metadata()?.map(|from| Arc::new(Turned::new(from, turned)) as Arc<dyn Metadata>))
    }

    fn reads(&self, region: Region) -> Result<Option<u64>, FormatError> {
        let stored = self.orientation.stored_region(region, self.stored());
        if self.orientation.is_straight() {
            return self.page.reads(stored);
        }
        let mut sum = 0u64;
        for (window, count) in self.cut(region).windows().zip(1..) {
            if count > MOST_WINDOWS {
                return Ok(None);
            }
            match self.page.reads(window)? {
                Some(bytes) => sum = sum.saturating_add(bytes),
                None => return Ok(None),
            }
        }
        Ok(Some(sum))
    }

    fn reduced(&self, levels: u8) -> Option<Arc<dyn Page>> {
        // A smaller version is stored as the large one is.
        let page = self.page.reduced(levels)?;
        Some(Arc::new(Self::over(page, self.orientation, self.band_bytes)))
    }

    fn needs(&self, region: Region) -> Vec<Need> {
        let cut = self.cut(region);
        if self.orientation.is_straight() {
            let mut needs = self.page.needs(cut.region);
            let bytes = size_of::<Mirrored<'_>>() as u64;
            needs.push(Need::fixed("upright rows", bytes, Each::Worker, Place::Heap));
            return needs;
        }
        let mut needs = self.page.window_needs(cut.region, cut.asked());
        let bytes = Layout::new().with::<u8>(cut.held_bytes()).with::<u8>(cut.gathered_bytes()).bytes();
        needs.push(Need::fixed("band of the upright picture", bytes, Each::Worker, Place::Arena));
        let bytes = size_of::<Banded<'_>>() as u64;
        needs.push(Need::fixed("upright rows", bytes, Each::Worker, Place::Heap));
        needs
    }

    fn source<'a>(&'a self, region: Region, budget: &mut Budget<'a>) -> Result<RowSource<'a>, FormatError> {
        let cut = self.cut(region);
        if self.orientation.is_straight() {
            let source = self.page.source(cut.region, budget)?;
            let orientation = self.orientation;
            return Ok(Box::new(Mirrored { source, orientation, stored: self.stored() }));
        }
        let source = self.page.windows(cut.region, cut.asked(), budget)?;
        let len = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let held = budget.lease("band of the upright picture", len(cut.held_bytes()))?;
        let gathered = budget.lease("band of the upright picture", len(cut.gathered_bytes()))?;
        Ok(Box::new(Banded { source, cut, held, gathered, window: Span::new(0, 0) }))
    }
}

/// Rows in the order in which they are stored, mirrored.
struct Mirrored<'a> {
    source: RowSource<'a>,
    orientation: Orientation,
    stored: Shape,
}

impl Source for Mirrored<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.orientation.shape(self.stored)
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        let region = self.orientation.stored_region(strip.region(), self.stored);
        if let Some(mut stored) = strip.moved(region.cols) {
            self.source.read(&mut stored)?;
        }
        if self.orientation.cols_back {
            let pixel = self.stored.pixel_bytes();
            strip.rows().iter().for_each(|row| reverse(strip.row_bytes_mut(row), pixel));
        }
        Ok(())
    }
}
