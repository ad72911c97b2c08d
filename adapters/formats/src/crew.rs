//! A queue of units, and the threads that code them: started together, and ended when the sink that fills it goes.

use crate::FormatError;
use crate::queue::{Code, Queue};
use std::ops::Deref;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

/// A queue with coders of its own.
pub(crate) struct Crew<C: Code> {
    queue: Arc<Queue<C>>,
    threads: Vec<JoinHandle<()>>,
}

impl<C: Code + Send + 'static> Crew<C> {
    /// Starts a thread of this name, with a stack of so many bytes, for each of the coders.
    ///
    /// # Errors
    /// [`FormatError::Io`] if the system starts no more threads; those that run are ended.
    pub(crate) fn start(
        queue: Queue<C>,
        (name, stack_bytes): (&str, usize),
        coders: impl ExactSizeIterator<Item = C>,
    ) -> Result<Self, FormatError> {
        let mut crew = Self { queue: Arc::new(queue), threads: Vec::with_capacity(coders.len()) };
        for coder in coders {
            let queue = Arc::clone(&crew.queue);
            let builder = Builder::new().name(name.to_owned()).stack_size(stack_bytes);
            let thread = builder.spawn(move || queue.serve(coder));
            let failed = |source| FormatError::Io { operation: "start a thread", offset: 0, source };
            crew.threads.push(thread.map_err(failed)?);
        }
        Ok(crew)
    }
}

impl<C: Code> Crew<C> {
    /// Ends the threads after the units that they are at.
    pub(crate) fn stop(&mut self) {
        self.queue.stop();
        for thread in self.threads.drain(..) {
            // One that died has been noticed by the queue.
            let _ = thread.join();
        }
    }
}

impl<C: Code> Deref for Crew<C> {
    type Target = Queue<C>;

    fn deref(&self) -> &Queue<C> {
        &self.queue
    }
}

impl<C: Code> Drop for Crew<C> {
    fn drop(&mut self) {
        self.stop();
    }
}
