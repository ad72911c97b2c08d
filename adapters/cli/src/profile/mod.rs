//! The memory profile: resident memory over time against the plan, as one page that needs nothing else.
//!
//! `Watcher::at -> Sampler (bounded) -> page (written once the job has ended)`

mod chart;
mod page;
mod sampler;

use crate::failure::Failure;
use crate::job::{Moment, PassPlan, Watcher};
use crate::side::{BUFFER_BYTES, Side};
use plimsoll_os::memory::CountingAllocator;
use sampler::Sampler;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Heap that a profile holds, in bytes: it is in the plan of every job that is profiled.
pub(crate) const PROFILE_BYTES: u64 = Sampler::MOST_BYTES + BUFFER_BYTES as u64;

/// A profile that is being taken, and its page.
pub(crate) struct Profile {
    sampler: Arc<Sampler>,
    page: Mutex<Option<Side>>,
}

impl Profile {
    /// Begins a profile now.
    ///
    /// # Errors
    /// [`Failure::Usage`] if the page is not named as one: a picture is not to be replaced by mistake. [`Failure::Io`] if
    /// it cannot be written.
    pub(crate) fn begin(page: &Path, heap: &'static CountingAllocator) -> Result<Self, Failure> {
        let ending = page.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if !["html", "htm"].contains(&ending.to_ascii_lowercase().as_str()) {
            let page = page.display();
            return Err(Failure::Usage(format!("--profile-memory {page}: the page's name ends in .html")));
        }
        let page = Mutex::new(Some(Side::create("the memory profile", page)?));
        Ok(Self { sampler: Arc::new(Sampler::new(heap)), page })
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
        let side = self.page.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(side), Some(record)) = (side, self.sampler.finish()) else { return Ok(()) };
        side.write(false, |mut to| page::write(&mut to, &record))
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
