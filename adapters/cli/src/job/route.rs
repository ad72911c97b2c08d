//! What a pass reads and what it runs: a page and a chain, or a page behind the chain's first stages and the others.

use super::plan::PassPlan;
use super::prefix::{Prefix, PrefixedPage};
use crate::failure::Failure;
use plimsoll_core::pipeline::{Chain, Stage};
use plimsoll_formats::Page;
use plimsoll_os::timing::Stopwatch;

/// A page and stages on either side of where workers meet.
pub(crate) struct Route<'a> {
    page: &'a dyn Page,
    prefixed: Option<PrefixedPage<'a>>,
    stages: &'a [&'a dyn Stage],
}

impl<'a> Route<'a> {
    /// All of `stages` on `page`, of which `prefix` says how many are part of the source.
    ///
    /// # Errors
    /// [`Failure::Usage`] if they cannot work on the page.
    pub(crate) fn new(
        prefix: Option<Prefix>,
        page: &'a dyn Page,
        stages: &'a [&'a dyn Stage],
    ) -> Result<Self, Failure> {
        let Some(prefix) = prefix else { return Ok(Self { page, prefixed: None, stages }) };
        let (first, stages) = stages.split_at_checked(prefix.stages).unwrap_or((stages, &[]));
        let prefixed =
            PrefixedPage::new(page, first, prefix).map_err(|error| Failure::Usage(error.to_string()))?;
        Ok(Self { page, prefixed: Some(prefixed), stages })
    }

    /// As `pass` was planned.
    ///
    /// # Errors
    /// As [`Route::new`].
    pub(crate) fn of(
        pass: &PassPlan,
        page: &'a dyn Page,
        stages: &'a [&'a dyn Stage],
    ) -> Result<Self, Failure> {
        Self::new(pass.prefix, page, stages)
    }

    /// The page that the pass reads.
    pub(crate) fn page(&self) -> &dyn Page {
        self.prefixed.as_ref().map_or(self.page, |page| page)
    }

    /// The page behind its stages, if there are some.
    pub(crate) fn prefixed(&self) -> Option<&PrefixedPage<'a>> {
        self.prefixed.as_ref()
    }

    /// The chain that the pass runs.
    ///
    /// # Errors
    /// [`Failure::Usage`] if the stages cannot work on the page.
    pub(crate) fn chain(&self) -> Result<Chain<'a>, Failure> {
        Chain::new(self.stages, self.page().facts().shape).map_err(|error| Failure::Usage(error.to_string()))
    }

    /// The time spent in the page's own sources, where it is not that of the pass's source.
    pub(crate) fn watch(&self) -> Option<&Stopwatch> {
        self.prefixed.as_ref().map(PrefixedPage::watch)
    }
}
