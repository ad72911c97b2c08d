//! Tiles on their way through the coders, in order and within a fixed set of buffers.
//!
//! Raw tiles go round: idle, filled by the sink, waiting, loaded by a coder, idle. Coded ones go round: idle, being
//! written to by a coder, ready, appended to the file by the sink, idle. Tiles are taken in their order and only with
//! a buffer for the result, so the oldest one never lacks one, and what is ready fits a ring of as many places.
//! Everything is allocated in [`Queue::new`].

use super::lane::{Lane, Part};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A tile to be coded.
pub(super) struct Work {
    tile: u64,
    raw: Vec<u8>,
    out: Vec<u8>,
}

/// A coded tile: where its part is in `out`; nowhere if it could not be coded.
pub(super) struct Ready {
    pub(super) out: Vec<u8>,
    pub(super) part: Option<Part>,
}

/// What the sink is to do next.
pub(super) enum Turn {
    /// Append this tile, the next one of the file, and give the buffer back.
    Append(Ready),
    /// Fill this raw tile.
    Fill(Vec<u8>),
    /// Code this tile, as nobody else does.
    Code(Work),
    /// All tiles were appended.
    Done,
    /// A coder died: its tile will never be ready.
    Dead,
}

struct State {
    idle: Vec<Vec<u8>>,
    waiting: VecDeque<Vec<u8>>,
    outs: Vec<Vec<u8>>,
    ready: Vec<Option<Ready>>,
    submitted: u64,
    taken: u64,
    appended: u64,
    stop: bool,
    dead: bool,
}

/// The buffers and where they are.
pub(super) struct Queue {
    lane: Lane,
    state: Mutex<State>,
    work: Condvar,
    done: Condvar,
}

impl Queue {
    /// A queue of `raws` raw tiles of `raw_bytes` and `outs` coded ones of at most [`Lane::out_bytes`].
    pub(super) fn new(lane: Lane, raws: usize, raw_bytes: usize, outs: usize) -> Self {
        let out_bytes = usize::try_from(lane.out_bytes()).unwrap_or(usize::MAX);
        let state = State {
            idle: (0..raws).map(|_| vec![0; raw_bytes]).collect(),
            waiting: VecDeque::with_capacity(raws),
            outs: (0..outs).map(|_| Vec::with_capacity(out_bytes)).collect(),
            ready: (0..outs).map(|_| None).collect(),
            submitted: 0,
            taken: 0,
            appended: 0,
            stop: false,
            dead: false,
        };
        Self { lane, state: Mutex::new(state), work: Condvar::new(), done: Condvar::new() }
    }

    /// Bytes that the lists of such a queue take beside its buffers.
    pub(super) const fn list_bytes(raws: u64, outs: u64) -> u64 {
        let out = size_of::<Vec<u8>>() + size_of::<Option<Ready>>();
        raws.saturating_mul(2 * size_of::<Vec<u8>>() as u64).saturating_add(outs.saturating_mul(out as u64))
    }

    // No code of ours panics while it holds the lock, and the state is sound at each instant anyway.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the sink has something to do. With `fill` an idle raw tile is, otherwise the queue runs empty.
    pub(super) fn turn(&self, fill: bool) -> Turn {
        let mut state = self.lock();
        loop {
            if let Some(ready) = state.next_ready() {
                return Turn::Append(ready);
            }
            if fill && let Some(raw) = state.idle.pop() {
                return Turn::Fill(raw);
            }
            if let Some(work) = state.take() {
                return Turn::Code(work);
            }
            if !fill && state.appended == state.submitted {
                return Turn::Done;
            }
            if state.dead {
                return Turn::Dead;
            }
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// `raw` is the next tile.
    pub(super) fn submit(&self, raw: Vec<u8>) {
        let mut state = self.lock();
        state.waiting.push_back(raw);
        state.submitted += 1;
        drop(state);
        self.work.notify_one();
    }

    /// Codes a tile and puts it where its turn will come.
    pub(super) fn code(&self, work: Work) {
        let Work { tile: index, raw, mut out } = work;
        let tile = self.lane.load(index, &raw);
        // Loading is a small part of the work, and the raw tile is lent for it alone.
        self.lock().idle.push(raw);
        self.done.notify_one();
        let part = tile.and_then(|tile| self.lane.encode(tile, index, &mut out));
        let mut state = self.lock();
        let place = (index % state.ready.len().max(1) as u64) as usize;
        if let Some(slot) = state.ready.get_mut(place) {
            *slot = Some(Ready { out, part });
        }
        drop(state);
        self.done.notify_one();
    }

    /// A tile was appended: its buffer is free again.
    pub(super) fn appended(&self, out: Vec<u8>) {
        let mut state = self.lock();
        state.outs.push(out);
        drop(state);
        self.work.notify_one();
    }

    /// Codes tiles until [`Queue::stop`]: what a coder's thread does.
    pub(super) fn serve(&self) {
        let guard = Guard(self);
        loop {
            let mut state = self.lock();
            let work = loop {
                if state.stop {
                    std::mem::forget(guard);
                    return;
                }
                match state.take() {
                    Some(work) => break work,
                    None => state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
                }
            };
            drop(state);
            self.code(work);
        }
    }

    /// Tells the coders to end after the tiles they are at.
    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.work.notify_all();
    }
}

impl State {
    /// The next tile of the file, if it is ready.
    fn next_ready(&mut self) -> Option<Ready> {
        let place = (self.appended % self.ready.len().max(1) as u64) as usize;
        let ready = self.ready.get_mut(place)?.take()?;
        self.appended += 1;
        Some(ready)
    }

    /// The next tile to be coded, if there are one and a buffer for it.
    fn take(&mut self) -> Option<Work> {
        if self.waiting.is_empty() {
            return None;
        }
        let out = self.outs.pop()?;
        let raw = self.waiting.pop_front()?;
        let tile = self.taken;
        self.taken += 1;
        Some(Work { tile, raw, out })
    }
}

/// Tells the sink if a coder panics, so that nobody waits for it.
struct Guard<'a>(&'a Queue);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.lock().dead = true;
        self.0.done.notify_all();
    }
}
