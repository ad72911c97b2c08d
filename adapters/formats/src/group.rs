//! Pages of several files that advance together, as one page whose bands are theirs side by side.

use crate::{Facts, FormatError, Page, RowSource};
use plimsoll_core::budget::Budget;
use plimsoll_core::pipeline::Source;
use plimsoll_core::pipeline::group::{self, Group, GroupError};
use plimsoll_core::pipeline::plan::{Each, Need, Place};
use plimsoll_core::shape::{Region, Shape};
use plimsoll_core::strip::StripMut;
use std::sync::Arc;

/// Pages of the same rows, columns and kind.
pub struct GroupPage<'p> {
    pages: Vec<Arc<dyn Page + 'p>>,
    facts: Facts,
}

impl<'p> GroupPage<'p> {
    /// Puts pages together. Two pages of three bands make one of six.
    ///
    /// # Errors
    /// [`FormatError::Usage`] if they differ in rows, columns or kind.
    pub fn new(pages: Vec<Arc<dyn Page + 'p>>) -> Result<Self, FormatError> {
        let usage = |error: GroupError| FormatError::Usage { format: "group", problem: error.to_string() };
        let shape = group::shape_of(pages.iter().map(|page| page.facts().shape)).map_err(usage)?;
        // A seam may begin where all of them have a unit; the largest unit serves unless they are at odds.
        let unit_rows = pages.iter().map(|page| page.facts().unit_rows).max().unwrap_or(1);
        let agree = pages.iter().all(|page| unit_rows % page.facts().unit_rows.max(1) == 0);
        let facts = Facts {
            shape,
            compression: "several",
            colour: "several",
            unit_rows: if agree { unit_rows } else { shape.rows },
            more: Vec::new(),
        };
        Ok(Self { pages, facts })
    }
}

/// A boxed source is a source, too; core has no heap and cannot say so.
struct Boxed<'a>(RowSource<'a>);

impl Source for Boxed<'_> {
    type Error = FormatError;

    fn shape(&self) -> Shape {
        self.0.shape()
    }

    fn read(&mut self, strip: &mut StripMut<'_>) -> Result<(), FormatError> {
        self.0.read(strip)
    }
}

impl Page for GroupPage<'_> {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn needs(&self, region: Region) -> Vec<Need> {
        let shapes = self.pages.iter().map(|page| page.facts().shape);
        let row = group::bytes(shapes, region.cols);
        let mut needs = vec![Need::fixed("row of the group", row, Each::Worker, Place::Arena)];
        needs.extend(self.pages.iter().flat_map(|page| page.needs(region)));
        needs
    }

    fn source<'a>(&'a self, region: Region, budget: &mut Budget<'a>) -> Result<RowSource<'a>, FormatError> {
        let mut sources = Vec::with_capacity(self.pages.len());
        for page in &self.pages {
            sources.push(Boxed(page.source(region, budget)?));
        }
        let group =
            Group::<Boxed<'a>, Vec<_>>::new(sources, region.cols, budget).map_err(|error| match error {
                GroupError::Memory(exhausted) => FormatError::Memory(exhausted),
                other => FormatError::Usage { format: "group", problem: other.to_string() },
            })?;
        Ok(Box::new(group))
    }
}
