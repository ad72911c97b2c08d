//! One seam between two bands: the rows that both neighbours look at, read by the lower one and handed to the upper.
//!
//! The buffer goes one way: waiting in the seam, then held by the lower worker alone, then published to both and
//! never written again. Whoever gives up wakes who waits.

use plimsoll_core::budget::{Budget, Exhausted};
use plimsoll_core::pipeline::{Bands, Chain};
use plimsoll_core::shape::{Cols, Region, Rows};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A seam: its place, and its rows on their way from the lower worker to the upper one.
#[derive(Debug)]
pub struct Seam<'a> {
    region: Region,
    state: Mutex<State<'a>>,
    changed: Condvar,
}

#[derive(Debug)]
enum State<'a> {
    /// Nobody has begun.
    Waiting(&'a mut [u8]),
    /// The lower worker has the buffer.
    Filling,
    /// The rows are there.
    Published(&'a [u8]),
    /// They will never be.
    Abandoned,
}

/// The seams below each of `bands`, of which the last is empty, with their buffers leased from `budget`: exactly the
/// bytes that the plan calls "seams between workers". The list itself is some 100 bytes for each band on the heap.
///
/// # Errors
/// [`Exhausted`] if the budget holds less.
pub fn seams<'a>(
    bands: &Bands,
    chain: &Chain<'_>,
    budget: &mut Budget<'a>,
) -> Result<Vec<Seam<'a>>, Exhausted> {
    let cols = chain.input().cols;
    bands
        .iter()
        .map(|band| {
            let bytes = u64::from(band.seam.len()).saturating_mul(chain.source_row_bytes());
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            Ok(Seam::new(band.seam, cols, budget.lease("seams between workers", bytes)?))
        })
        .collect()
}

impl<'a> Seam<'a> {
    /// The seam of these source rows and columns; `buffer` holds exactly that many pixels.
    pub fn new(rows: Rows, cols: Cols, buffer: &'a mut [u8]) -> Self {
        let state = Mutex::new(State::Waiting(buffer));
        Self { region: Region::new(rows, cols), state, changed: Condvar::new() }
    }

    /// The source rows and columns in it.
    pub fn region(&self) -> Region {
        self.region
    }

    /// Says that its rows will never come, unless they are there already, and wakes who waits for them. A
    /// [`SeamSource`](super::SeamSource) that is dropped does this by itself; call it where a lower worker's source
    /// could not even be made.
    pub fn abandon(&self) {
        let mut state = self.state();
        if !matches!(*state, State::Published(_)) {
            *state = State::Abandoned;
            self.changed.notify_all();
        }
    }

    /// The buffer to be filled: given once.
    pub(super) fn begin(&self) -> Option<&'a mut [u8]> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Filling) {
            State::Waiting(buffer) => Some(buffer),
            other => {
                *state = other;
                None
            }
        }
    }

    /// The rows are in `buffer`. They are for the own worker even if the seam was abandoned meanwhile.
    pub(super) fn publish(&self, buffer: &'a [u8]) {
        *self.state() = State::Published(buffer);
        self.changed.notify_all();
    }

    /// Waits for the rows; `None` if they will never come.
    pub(super) fn wait(&self) -> Option<&'a [u8]> {
        let mut state = self.state();
        loop {
            match *state {
                State::Published(buffer) => return Some(buffer),
                State::Abandoned => return None,
                State::Waiting(_) | State::Filling => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State<'a>> {
        // Every change is one assignment, so the state is whole even if a holder panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
