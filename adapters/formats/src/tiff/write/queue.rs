//! Units on their way through the compressors, in order and within a fixed set of buffers.
//!
//! Raw buffers go round: idle, filled by the sink, waiting, being compressed, idle. Output buffers go round: idle,
//! being compressed into, ready, written by the sink, idle. Units are taken for compression in their order and only
//! with an output buffer, so the oldest one never lacks a buffer and what is ready fits a ring of as many places as
//! there are output buffers. Everything is allocated in [`Queue::new`]: a mutex and two condition variables, unlike
//! channels, allocate nothing when they block.

use super::codec::Coder;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A unit to be compressed: the first `len` bytes of `raw`.
pub(super) struct Work {
    unit: u64,
    raw: Vec<u8>,
    len: usize,
    out: Vec<u8>,
}

/// A compressed unit: the first `len` bytes of `out`; none if they did not fit.
pub(super) struct Ready {
    pub(super) out: Vec<u8>,
    pub(super) len: Option<usize>,
}

/// What the sink is to do next.
pub(super) enum Turn {
    /// Write this unit and give the buffer back: it is the next one in the file.
    Write(Ready),
    /// Fill this buffer.
    Fill(Vec<u8>),
    /// Compress this unit, as all compressors are busy.
    Pack(Work),
    /// Every unit has been written.
    Done,
    /// A compressor died: its unit will never be ready.
    Dead,
}

struct State {
    idle: Vec<Vec<u8>>,
    waiting: VecDeque<(Vec<u8>, usize)>,
    outs: Vec<Vec<u8>>,
    ready: Vec<Option<Ready>>,
    submitted: u64,
    taken: u64,
    written: u64,
    stop: bool,
    dead: bool,
}

/// The buffers and where they are.
pub(super) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    done: Condvar,
}

impl Queue {
    /// A queue of `raws` raw buffers and `outs` output buffers.
    pub(super) fn new(raws: usize, raw_bytes: usize, outs: usize, out_bytes: usize) -> Self {
        let buffers = |n: usize, bytes: usize| (0..n).map(|_| vec![0; bytes]).collect::<Vec<Vec<u8>>>();
        let state = State {
            idle: buffers(raws, raw_bytes),
            waiting: VecDeque::with_capacity(raws),
            outs: buffers(outs, out_bytes),
            ready: (0..outs).map(|_| None).collect(),
            submitted: 0,
            taken: 0,
            written: 0,
            stop: false,
            dead: false,
        };
        Self { state: Mutex::new(state), work: Condvar::new(), done: Condvar::new() }
    }

    /// Bytes that the lists of such a queue take beside its buffers.
    pub(super) const fn list_bytes(raws: u64, outs: u64) -> u64 {
        let raw = size_of::<Vec<u8>>() + size_of::<(Vec<u8>, usize)>();
        let out = size_of::<Vec<u8>>() + size_of::<Option<Ready>>();
        raws.saturating_mul(raw as u64).saturating_add(outs.saturating_mul(out as u64))
    }

    // No code of ours panics while it holds the lock, and the state is sound at each instant anyway.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the sink has something to do. With `fill` an idle buffer is, otherwise the queue runs empty.
    pub(super) fn turn(&self, fill: bool) -> Turn {
        let mut state = self.lock();
        loop {
            if let Some(ready) = state.next_ready() {
                return Turn::Write(ready);
            }
            if fill && let Some(raw) = state.idle.pop() {
                return Turn::Fill(raw);
            }
            if let Some(work) = state.take() {
                return Turn::Pack(work);
            }
            if state.written == state.submitted {
                return Turn::Done;
            }
            if state.dead {
                return Turn::Dead;
            }
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The first `len` bytes of `raw` are the next unit.
    pub(super) fn submit(&self, raw: Vec<u8>, len: usize) {
        let mut state = self.lock();
        state.waiting.push_back((raw, len));
        state.submitted += 1;
        drop(state);
        self.work.notify_one();
    }

    /// Compresses a unit and puts it where its turn will come.
    pub(super) fn pack(&self, mut work: Work, coder: &mut Coder) {
        let len = work.raw.get(..work.len).and_then(|raw| coder.pack(raw, &mut work.out));
        let mut state = self.lock();
        state.idle.push(work.raw);
        let place = (work.unit % state.ready.len().max(1) as u64) as usize;
        if let Some(slot) = state.ready.get_mut(place) {
            *slot = Some(Ready { out: work.out, len });
        }
        drop(state);
        self.done.notify_one();
    }

    /// A unit was written: its buffer is free again.
    pub(super) fn written(&self, out: Vec<u8>) {
        let mut state = self.lock();
        state.outs.push(out);
        drop(state);
        self.work.notify_one();
    }

    /// Compresses units until [`Queue::stop`]: what a compressor's thread does.
    pub(super) fn serve(&self, mut coder: Coder) {
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
            self.pack(work, &mut coder);
        }
    }

    /// Tells the compressors to end after the units they are at.
    pub(super) fn stop(&self) {
        self.lock().stop = true;
        self.work.notify_all();
    }
}

impl State {
    /// The next unit of the file, if it is ready.
    fn next_ready(&mut self) -> Option<Ready> {
        let place = (self.written % self.ready.len().max(1) as u64) as usize;
        let ready = self.ready.get_mut(place)?.take()?;
        self.written += 1;
        Some(ready)
    }

    /// The next unit to be compressed, if there are one and a buffer for it.
    fn take(&mut self) -> Option<Work> {
        if self.waiting.is_empty() {
            return None;
        }
        let out = self.outs.pop()?;
        let (raw, len) = self.waiting.pop_front()?;
        let unit = self.taken;
        self.taken += 1;
        Some(Work { unit, raw, len, out })
    }
}

/// Tells the sink if a compressor panics, so that nobody waits for it.
struct Guard<'a>(&'a Queue);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.lock().dead = true;
        self.0.done.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::super::codec::Packing;
    use super::*;

    #[test]
    fn units_come_out_in_order_whoever_is_first() {
        let queue = Queue::new(3, 1, 3, 100);
        let mut coder = Coder::new(Packing::DEFLATE, 1);
        for byte in 0..3 {
            let Turn::Fill(mut raw) = queue.turn(true) else { panic!("three buffers") };
            raw[0] = byte;
            queue.submit(raw, 1);
        }
        let mut work: Vec<Work> =
            (0..3).map(|_| queue.lock().take().expect("three output buffers")).collect();
        while let Some(last) = work.pop() {
            queue.pack(last, &mut coder);
        }
        for byte in 0..3 {
            let Turn::Write(ready) = queue.turn(false) else { panic!("three units") };
            let mut expected = vec![0; 100];
            let len = coder.pack(&[byte], &mut expected);
            assert_eq!((ready.len, ready.out), (len, expected));
        }
        assert!(matches!(queue.turn(false), Turn::Done));
    }

    #[test]
    fn nobody_waits_for_a_compressor_that_died() {
        let queue = Queue::new(1, 1, 1, 100);
        let Turn::Fill(raw) = queue.turn(true) else { panic!("one buffer") };
        queue.submit(raw, 1);
        let work = queue.lock().take();
        drop(Guard(&queue));
        assert!(matches!(queue.turn(true), Turn::Dead));
        drop(work);
    }
}
