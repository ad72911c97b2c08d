//! The memory profile: resident memory over time against the plan, as one page that needs nothing else.
//!
//! `Watcher::at -> Sampler (bounded) -> page (written once the job has ended)`

mod chart;
mod page;
mod sampler;

use crate::failure::Failure;
use crate::job::{Moment, PassPlan, Watcher};
use plimsoll_os::memory::CountingAllocator;
use plimsoll_os::output::AtomicOutput;
use sampler::Sampler;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Heap that a profile holds, in bytes: it is in the plan of every job that is profiled.
pub(crate) const PROFILE_BYTES: u64 = Sampler::MOST_BYTES + page::BUFFER_BYTES as u64;

/// A profile that is being taken, and its page.
pub(crate) struct Profile {
    sampler: Arc<Sampler>,
    page: PathBuf,
}

impl Profile {
    /// Begins a profile now.
    ///
    /// # Errors
    /// [`Failure::Usage`] if the page is not named as one: a picture is not to be replaced by mistake.
    pub(crate) fn begin(page: &Path, heap: &'static CountingAllocator) -> Result<Self, Failure> {
        let ending = page.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if !["html", "htm"].contains(&ending.to_ascii_lowercase().as_str()) {
            let page = page.display();
            return Err(Failure::Usage(format!("--profile-memory {page}: the page's name ends in .html")));
        }
        Ok(Self { sampler: Arc::new(Sampler::new(heap)), page: page.to_owned() })
    }

    /// A watcher that takes samples, and passes on what it sees.
    pub(crate) fn watcher(&self, next: Option<Box<dyn Watcher>>) -> Box<dyn Watcher> {
        Box::new(Sampling { sampler: Arc::clone(&self.sampler), next })
    }

    /// Writes the page, if a job has begun. It appears whole or not at all, and replaces the one before.
    ///
    /// # Errors
    /// [`Failure::Io`].
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        let Some(record) = self.sampler.finish() else { return Ok(()) };
        let failed = |error: std::io::Error| Failure::io("write the memory profile", &self.page, &error);
        let file = AtomicOutput::create(&self.page, true).map_err(|error| Failure::Io(error.to_string()))?;
        page::write(&file, &record).map_err(failed)?;
        file.commit(false).map_err(|error| Failure::Io(error.to_string()))
    }
}

/// Takes samples on the way to the watcher that the user sees.
struct Sampling {
    sampler: Arc<Sampler>,
    next: Option<Box<dyn Watcher>>,
}

impl Watcher for Sampling {
    fn at(&self, moment: Moment) {
        self.sampler.sample();
        if let Some(next) = &self.next {
            next.at(moment);
        }
    }

    fn begins(&self, pass: &PassPlan, budget_bytes: u64) {
        self.sampler.begin_pass(pass, budget_bytes);
        if let Some(next) = &self.next {
            next.begins(pass, budget_bytes);
        }
    }
}
