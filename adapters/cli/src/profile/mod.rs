//! The memory profile: resident memory over time against the plan, as one page that needs nothing else.
//!
//! `thread -> Sampler (bounded) -> page (written once the job has ended)`
//!
//! A thread of its own looks at regular times, whatever the workers are at: coding a tile takes longer than all that is
//! seen from strip to strip, and holds the most.

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
use std::thread::{Builder, JoinHandle};

/// The stack of the thread that looks: it reads a file of 8 KiB into it.
pub(crate) const STACK_BYTES: usize = 64 << 10;

/// Heap that a profile holds, in bytes: it is in the plan of every job that is profiled.
pub(crate) const PROFILE_BYTES: u64 = Sampler::MOST_BYTES + BUFFER_BYTES as u64 + 4096;

/// A profile that is being taken, and its page.
pub(crate) struct Profile {
    sampler: Arc<Sampler>,
    looking: Mutex<Option<JoinHandle<()>>>,
    page: Mutex<Option<Side>>,
}

impl Profile {
    /// Begins a profile now.
    ///
    /// # Errors
    /// [`Failure::Usage`] if the page is not named as one: a picture is not to be replaced by mistake. [`Failure::Io`]
    /// if it cannot be written, or the thread that looks cannot be started.
    pub(crate) fn begin(page: &Path, heap: &'static CountingAllocator) -> Result<Self, Failure> {
        let ending = page.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if !["html", "htm"].contains(&ending.to_ascii_lowercase().as_str()) {
            let page = page.display();
            return Err(Failure::Usage(format!("--profile-memory {page}: the page's name ends in .html")));
        }
        let page = Mutex::new(Some(Side::create("the memory profile", page)?));
        let sampler = Arc::new(Sampler::new(heap));
        let own = Arc::clone(&sampler);
        let builder = Builder::new().name("profile".to_owned()).stack_size(STACK_BYTES);
        let thread = builder.spawn(move || own.look_until_stopped());
        let thread =
            thread.map_err(|error| Failure::Io(format!("--profile-memory: no thread for it: {error}")))?;
        Ok(Self { sampler, looking: Mutex::new(Some(thread)), page })
    }

    /// A watcher that notes which pass runs, and passes on what it sees.
    pub(crate) fn watcher(&self, next: Option<Box<dyn Watcher>>) -> Box<dyn Watcher> {
        Box::new(Noting { sampler: Arc::clone(&self.sampler), next })
    }

    /// Ends the thread that looks.
    fn stop(&self) {
        let thread = self.looking.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.sampler.stop();
        if let Some(thread) = thread {
            thread.thread().unpark();
            // It does nothing that could fail.
            let _ = thread.join();
        }
    }

    /// Writes the page, if a job has begun. It appears whole or not at all, and replaces the one before.
    ///
    /// # Errors
    /// [`Failure::Io`].
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        self.stop();
        let side = self.page.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(side), Some(record)) = (side, self.sampler.finish()) else { return Ok(()) };
        side.write(false, |mut to| page::write(&mut to, &record))
    }
}

impl Drop for Profile {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Notes passes on the way to the watcher that the user sees.
struct Noting {
    sampler: Arc<Sampler>,
    next: Option<Box<dyn Watcher>>,
}

impl Watcher for Noting {
    fn at(&self, moment: Moment) {
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
