//! Loading ahead: one thread in the background that puts into a cache what is going to be asked for.
//!
//! Requests queue in a small bounded channel. One that finds the queue full, or its key in memory, is dropped: loading
//! ahead may only ever save time.

use super::{Cache, CacheError, Loader};
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::Scope;

/// What a thread that loads ahead has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AheadStats {
    /// Requests that ended with their content in memory.
    pub done: u64,
    /// Requests dropped because the queue was full.
    pub dropped: u64,
    /// Requests that the budget refused.
    pub refused: u64,
    /// Requests that the loader failed.
    pub failed: u64,
}

#[derive(Debug)]
struct Counters<E> {
    done: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    last_failure: Mutex<Option<E>>,
}

/// The handle of a thread that loads ahead; the thread ends when the handle is dropped and its queue is done.
#[derive(Debug)]
pub struct Ahead<K, E> {
    queue: SyncSender<K>,
    counters: Arc<Counters<E>>,
}

impl<K: Copy + Eq + Hash + Send, E: Send> Ahead<K, E> {
    /// Starts the thread for `cache`, with a queue of `depth` requests (at least 1).
    pub fn start<'scope, 'env: 'scope, 'b: 'env, L>(
        scope: &'scope Scope<'scope, 'env>,
        cache: &'env Cache<'b, K, L>,
        depth: usize,
    ) -> Self
    where
        L: Loader<K, Error = E> + Send,
        K: Sync + 'env,
        E: 'env,
    {
        let (queue, requests) = sync_channel(depth.max(1));
        let counters = Arc::new(Counters {
            done: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            last_failure: Mutex::new(None),
        });
        let handle = Self { queue, counters: Arc::clone(&counters) };
        scope.spawn(move || serve(cache, &requests, &counters));
        handle
    }

    /// Asks for `key` and returns at once; false if the queue was full and the request is dropped.
    pub fn request(&self, key: K) -> bool {
        match self.queue.try_send(key) {
            Ok(()) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.counters.dropped.fetch_add(1, Relaxed);
                false
            }
        }
    }

    /// What has become of the requests so far.
    pub fn stats(&self) -> AheadStats {
        let Counters { done, dropped, refused, failed, .. } = &*self.counters;
        AheadStats {
            done: done.load(Relaxed),
            dropped: dropped.load(Relaxed),
            refused: refused.load(Relaxed),
            failed: failed.load(Relaxed),
        }
    }

    /// The last failure of the loader, once.
    pub fn take_failure(&self) -> Option<E> {
        self.counters.last_failure.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take()
    }
}

fn serve<K: Copy + Eq + Hash, L: Loader<K>>(
    cache: &Cache<'_, K, L>,
    requests: &Receiver<K>,
    counters: &Counters<L::Error>,
) {
    for key in requests {
        match cache.get(&key) {
            Ok(_) => counters.done.fetch_add(1, Relaxed),
            Err(CacheError::Memory(_)) => counters.refused.fetch_add(1, Relaxed),
            Err(CacheError::Load(error)) => {
                *counters.last_failure.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(error);
                counters.failed.fetch_add(1, Relaxed)
            }
        };
    }
}
