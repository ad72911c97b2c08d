//! Units of an image (strips, tiles) on their way through coders, in order and within a fixed set of buffers.
//!
//! Raw buffers go round: idle, filled by the sink, waiting, lent to a coder, idle. Output buffers go round: idle, coded
//! into, ready, written by the sink, idle. Units are taken in their order and only with an output buffer, so the oldest
//! one never lacks a buffer and what is ready fits a ring of as many places as there are output buffers. All buffers
//! and lists are there from the beginning: a mutex and two condition variables, unlike channels, allocate nothing when
//! they block.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What turns raw units into coded ones; each thread has its own.
pub(crate) trait Code {
    /// What is said of a raw unit beside its bytes.
    type Raw: Send;
    /// What is said of a coded unit beside its bytes.
    type Coded: Send;

    /// Codes the unit of this number into `out`; `None` if that cannot be done. The raw unit is another's as soon as it
    /// is dropped.
    fn code(&mut self, number: u64, unit: Lent<'_, Self>, out: &mut Vec<u8>) -> Option<Self::Coded>;
}

/// A raw unit in the hands of a coder.
pub(crate) struct Lent<'q, C: Code + ?Sized> {
    queue: &'q Queue<C>,
    bytes: Vec<u8>,
    pub(crate) about: C::Raw,
}

impl<C: Code + ?Sized> Lent<'_, C> {
    /// Its buffer.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<C: Code + ?Sized> Drop for Lent<'_, C> {
    fn drop(&mut self) {
        self.queue.lock().idle.push(std::mem::take(&mut self.bytes));
        self.queue.done.notify_one();
    }
}

/// A unit to be coded.
pub(crate) struct Work<C: Code + ?Sized> {
    number: u64,
    raw: (Vec<u8>, C::Raw),
    out: Vec<u8>,
}

/// A coded unit; nothing is said of it if it could not be coded.
pub(crate) struct Ready<R> {
    pub(crate) out: Vec<u8>,
    pub(crate) about: Option<R>,
}

/// What the sink is to do next.
pub(crate) enum Turn<C: Code + ?Sized> {
    /// Write this unit, the next one in the file, and give the buffer back.
    Write(Ready<C::Coded>),
    /// Fill this buffer.
    Fill(Vec<u8>),
    /// Code this unit, as all coders are busy.
    Code(Work<C>),
    /// Every unit has been written.
    Done,
    /// A coder died: its unit will never be ready.
    Dead,
}

struct State<C: Code + ?Sized> {
    idle: Vec<Vec<u8>>,
    waiting: VecDeque<(Vec<u8>, C::Raw)>,
    outs: Vec<Vec<u8>>,
    ready: Vec<Option<Ready<C::Coded>>>,
    submitted: u64,
    taken: u64,
    written: u64,
    /// Coders' threads that may be at a unit at the same time, and those that are.
    allowed: u32,
    coding: u32,
    stop: bool,
    dead: bool,
}

/// The buffers and where they are.
pub(crate) struct Queue<C: Code + ?Sized> {
    state: Mutex<State<C>>,
    work: Condvar,
    done: Condvar,
}

impl<C: Code> Queue<C> {
    /// A queue of these raw buffers and output buffers.
    pub(crate) fn new(raws: Vec<Vec<u8>>, outs: Vec<Vec<u8>>) -> Self {
        let state = State {
            waiting: VecDeque::with_capacity(raws.len()),
            ready: outs.iter().map(|_| None).collect(),
            idle: raws,
            outs,
            submitted: 0,
            taken: 0,
            written: 0,
            allowed: u32::MAX,
            coding: 0,
            stop: false,
            dead: false,
        };
        Self { state: Mutex::new(state), work: Condvar::new(), done: Condvar::new() }
    }

    /// Bytes that the lists of such a queue take beside its buffers.
    pub(crate) const fn list_bytes(raws: u64, outs: u64) -> u64 {
        let raw = size_of::<Vec<u8>>() + size_of::<(Vec<u8>, C::Raw)>();
        let out = size_of::<Vec<u8>>() + size_of::<Option<Ready<C::Coded>>>();
        raws.saturating_mul(raw as u64).saturating_add(outs.saturating_mul(out as u64))
    }

    /// Waits until the sink has something to do. With `fill` an idle buffer is, otherwise the queue runs empty.
    pub(crate) fn turn(&self, fill: bool) -> Turn<C> {
        let mut state = self.lock();
        loop {
            if let Some(ready) = state.next_ready() {
                return Turn::Write(ready);
            }
            if fill && let Some(raw) = state.idle.pop() {
                return Turn::Fill(raw);
            }
            if let Some(work) = state.take() {
                return Turn::Code(work);
            }
            if !fill && state.written == state.submitted {
                return Turn::Done;
            }
            if state.dead {
                return Turn::Dead;
            }
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// `raw` holds the next unit.
    pub(crate) fn submit(&self, raw: Vec<u8>, about: C::Raw) {
        let mut state = self.lock();
        state.waiting.push_back((raw, about));
        state.submitted += 1;
        drop(state);
        self.work.notify_one();
    }

    /// Codes a unit and puts it where its turn will come.
    pub(crate) fn code(&self, work: Work<C>, coder: &mut C) {
        let Work { number, raw: (bytes, about), mut out } = work;
        let about = coder.code(number, Lent { queue: self, bytes, about }, &mut out);
        let mut state = self.lock();
        let place = (number % state.ready.len().max(1) as u64) as usize;
        if let Some(slot) = state.ready.get_mut(place) {
            *slot = Some(Ready { out, about });
        }
        drop(state);
        self.done.notify_one();
    }

    /// A unit was written: its buffer is free again.
    pub(crate) fn written(&self, out: Vec<u8>) {
        let mut state = self.lock();
        state.outs.push(out);
        drop(state);
        self.work.notify_one();
    }

    /// Codes units until [`Queue::stop`]: what a coder's thread does.
    pub(crate) fn serve(&self, mut coder: C) {
        let guard = Guard(self);
        loop {
            let mut state = self.lock();
            let work = loop {
                if state.stop {
                    std::mem::forget(guard);
                    return;
                }
                match state.take_aside() {
                    Some(work) => break work,
                    None => state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
                }
            };
            state.coding += 1;
            drop(state);
            self.code(work, &mut coder);
            self.lock().coding -= 1;
        }
    }

    /// From now on at most so many of the coders' threads begin with another unit at the same time; the sink codes what
    /// nobody else does.
    pub(crate) fn allow(&self, coders: u32) {
        let mut state = self.lock();
        let before = std::mem::replace(&mut state.allowed, coders);
        drop(state);
        if coders > before {
            self.work.notify_all();
        }
    }

    /// Tells the coders to end after the units they are at.
    pub(crate) fn stop(&self) {
        self.lock().stop = true;
        self.work.notify_all();
    }
}

impl<C: Code + ?Sized> Queue<C> {
    // No code of ours panics while it holds the lock, and the state is sound at each instant anyway.
    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Code + ?Sized> State<C> {
    /// The next unit of the file, if it is ready.
    fn next_ready(&mut self) -> Option<Ready<C::Coded>> {
        let place = (self.written % self.ready.len().max(1) as u64) as usize;
        let ready = self.ready.get_mut(place)?.take()?;
        self.written += 1;
        Some(ready)
    }

    /// The same for a thread of the coders, if it may go on.
    fn take_aside(&mut self) -> Option<Work<C>> {
        if self.coding < self.allowed { self.take() } else { None }
    }

    /// The next unit to be coded, if there are one and a buffer for it.
    fn take(&mut self) -> Option<Work<C>> {
        if self.waiting.is_empty() {
            return None;
        }
        let out = self.outs.pop()?;
        let raw = self.waiting.pop_front()?;
        let number = self.taken;
        self.taken += 1;
        Some(Work { number, raw, out })
    }
}

/// Tells the sink if a coder panics, so that nobody waits for it.
struct Guard<'a, C: Code>(&'a Queue<C>);

impl<C: Code> Drop for Guard<'_, C> {
    fn drop(&mut self) {
        self.0.lock().dead = true;
        self.0.done.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Doubles the first bytes of a unit, and says how many there were.
    struct Doubler;

    impl Code for Doubler {
        type Raw = usize;
        type Coded = (u64, usize);

        fn code(&mut self, number: u64, unit: Lent<'_, Self>, out: &mut Vec<u8>) -> Option<(u64, usize)> {
            let len = unit.about;
            out.clear();
            out.extend(unit.bytes()[..len].iter().flat_map(|byte| [*byte, *byte]));
            (len > 0).then_some((number, len))
        }
    }

    #[test]
    fn units_come_out_in_order_whoever_is_first() {
        let queue = Queue::<Doubler>::new(vec![vec![0; 2]; 3], vec![Vec::new(); 3]);
        for byte in 0..3u8 {
            let Turn::Fill(mut raw) = queue.turn(true) else { panic!("three buffers") };
            raw.fill(byte);
            queue.submit(raw, usize::from(byte));
        }
        let mut work: Vec<_> = (0..3).map(|_| queue.lock().take().expect("three output buffers")).collect();
        while let Some(last) = work.pop() {
            queue.code(last, &mut Doubler);
        }
        for byte in 0..3u8 {
            let Turn::Write(ready) = queue.turn(false) else { panic!("three units") };
            let len = usize::from(byte);
            assert_eq!(ready.out, vec![byte; 2 * len]);
            assert_eq!(ready.about, (len > 0).then_some((u64::from(byte), len)));
            queue.written(ready.out);
        }
        assert!(matches!(queue.turn(false), Turn::Done));
        let state = queue.lock();
        assert_eq!((state.idle.len(), state.outs.len()), (3, 3));
    }

    /// Codes nothing, but counts how many do at the same time.
    struct Counter(std::sync::Arc<[std::sync::atomic::AtomicU32; 2]>);

    impl Code for Counter {
        type Raw = ();
        type Coded = ();

        fn code(&mut self, _number: u64, _unit: Lent<'_, Self>, _out: &mut Vec<u8>) -> Option<()> {
            use std::sync::atomic::Ordering::SeqCst;
            let [now, most] = &*self.0;
            most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(1));
            now.fetch_sub(1, SeqCst);
            Some(())
        }
    }

    /// Sends so many units through the queue; gives how many were coded at the same time at most.
    fn most_at_a_time(queue: &Queue<Counter>, units: u32) -> u32 {
        let counts = std::sync::Arc::default();
        let mut own = Counter(std::sync::Arc::clone(&counts));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                let coder = Counter(std::sync::Arc::clone(&counts));
                scope.spawn(|| queue.serve(coder));
            }
            let mut left = units;
            loop {
                match queue.turn(left > 0) {
                    Turn::Fill(raw) => queue.submit(raw, ()),
                    Turn::Code(work) => {
                        queue.code(work, &mut own);
                        continue;
                    }
                    Turn::Write(ready) => {
                        queue.written(ready.out);
                        continue;
                    }
                    Turn::Done | Turn::Dead => break,
                }
                left -= 1;
            }
            queue.stop();
        });
        counts[1].load(std::sync::atomic::Ordering::SeqCst)
    }

    #[test]
    fn coders_that_may_not_go_on_leave_their_units_to_the_sink() {
        for allowed in [0, 1, 2] {
            let queue = Queue::<Counter>::new(vec![Vec::new(); 4], vec![Vec::new(); 4]);
            queue.allow(allowed);
            let most = most_at_a_time(&queue, 40);
            assert!((1..=allowed + 1).contains(&most), "{most} with {allowed}");
        }
        // Those that were held back are woken: nobody but them codes here.
        let queue = Queue::<Counter>::new(vec![Vec::new()], vec![Vec::new()]);
        queue.allow(0);
        std::thread::scope(|scope| {
            scope.spawn(|| queue.serve(Counter(std::sync::Arc::default())));
            let Turn::Fill(raw) = queue.turn(true) else { panic!("one buffer") };
            queue.submit(raw, ());
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert_eq!(queue.lock().taken, 0);
            queue.allow(1);
            while queue.lock().next_ready().is_none() {
                std::thread::yield_now();
            }
            queue.stop();
        });
    }

    #[test]
    fn nobody_waits_for_a_coder_that_died() {
        let queue = Queue::<Doubler>::new(vec![vec![0]], vec![Vec::new()]);
        let Turn::Fill(raw) = queue.turn(true) else { panic!("one buffer") };
        queue.submit(raw, 1);
        let work = queue.lock().take();
        drop(Guard(&queue));
        assert!(matches!(queue.turn(true), Turn::Dead));
        drop(work);
    }
}
