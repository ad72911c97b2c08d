//! A cache that never holds more than a budget, loads each key once, and can load ahead in the background.
//!
//! ```text
//!  get(key) --hit--> Arc<Entry>                         SharedBudget (others may draw from it, too)
//!     | miss: others that want this key wait               ^ lease for content + loader's scratch, BEFORE loading;
//!     v                                                    |   entries that nobody holds are evicted until it fits
//!  reserve --> Loader::load_into(content, scratch) --> Entry (keeps the lease until its last holder lets go)
//! ```
//!
//! The table and its eviction (a form of S3-FIFO) are the `quick_cache` crate's; what is here keeps it to the budget.
//! An entry that a reader still holds is pinned: evicting it would free nothing.

mod ahead;
mod entry;
mod table;

pub use ahead::{Ahead, AheadStats};
pub use entry::Entry;

use crate::memory::zeroed;
use plimsoll_core::budget::{Exhausted, SharedBudget, SharedLease};
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use table::{Found, Table};

/// Heap bytes that loading one key takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadNeed {
    /// The most bytes that the content can have: what the entry holds from then on.
    pub content_bytes: usize,
    /// What the loader uses besides, until it returns.
    pub scratch_bytes: usize,
}

/// Where a cache's content comes from: a file's tiles, blocks, pages.
pub trait Loader<K>: Sync {
    /// Its error.
    type Error;

    /// What loading `key` needs. Asked once a load, before any memory is taken.
    ///
    /// # Errors
    /// Its own: there is no such key, for example.
    fn need(&self, key: &K) -> Result<LoadNeed, Self::Error>;

    /// Puts the content of `key` into `content` and gives its length. Both slices are as long as `need` said, and
    /// zeroed. It should take no other memory that counts.
    ///
    /// # Errors
    /// Its own; nothing is kept then, and the next one who wants the key tries again.
    fn load_into(&self, key: &K, content: &mut [u8], scratch: &mut [u8]) -> Result<usize, Self::Error>;
}

/// Why there is no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheError<E> {
    /// It does not fit the budget beside what is held by others.
    Memory(Exhausted),
    /// The loader failed.
    Load(E),
}

impl<E: std::fmt::Display> std::fmt::Display for CacheError<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Memory(exhausted) => exhausted.fmt(f),
            Self::Load(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error> std::error::Error for CacheError<E> {}

/// What a cache has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Gets that found their entry, also those that waited for another's load.
    pub hits: u64,
    /// Loads that were begun.
    pub loads: u64,
    /// Gets that were refused for lack of memory.
    pub refused: u64,
}

/// A cache of byte content under a shared budget.
///
/// Keys are small plain values: what a key owns on the heap would not be counted.
///
/// ```
/// use plimsoll_core::budget::SharedBudget;
/// use plimsoll_os::cache::{Cache, LoadNeed, Loader};
/// struct Squares;
/// impl Loader<u8> for Squares {
///     type Error = std::convert::Infallible;
///     fn need(&self, _: &u8) -> Result<LoadNeed, Self::Error> {
///         Ok(LoadNeed { content_bytes: 2, scratch_bytes: 0 })
///     }
///     fn load_into(&self, key: &u8, content: &mut [u8], _: &mut [u8]) -> Result<usize, Self::Error> {
///         content.copy_from_slice(&u16::from(*key).pow(2).to_le_bytes());
///         Ok(2)
///     }
/// }
/// let budget = SharedBudget::new(16 << 10);
/// let cache = Cache::new(&budget, 10, Squares)?;
/// assert_eq!(cache.get(&9).unwrap().content(), &[81, 0]);
/// assert_eq!(cache.get(&9).unwrap().content(), &[81, 0]);
/// assert_eq!((cache.stats().loads, cache.stats().hits), (1, 1));
/// # Ok::<(), plimsoll_core::budget::Exhausted>(())
/// ```
pub struct Cache<'b, K: Copy + Eq + Hash, L> {
    // Dropped in this order: the table's memory is free before its lease is.
    table: Table<'b, K>,
    _table_lease: SharedLease<'b>,
    budget: &'b SharedBudget,
    loader: L,
    squeezing: Mutex<()>,
    hits: AtomicU64,
    loads: AtomicU64,
    refused: AtomicU64,
}

impl<'b, K: Copy + Eq + Hash, L: Loader<K>> Cache<'b, K, L> {
    /// A cache of at most `most_entries` entries whose memory, the table's own included, is leased from `budget`.
    ///
    /// # Errors
    /// [`Exhausted`] if the budget does not grant [`Self::table_bytes`].
    pub fn new(budget: &'b SharedBudget, most_entries: usize, loader: L) -> Result<Self, Exhausted> {
        let lease = budget.lease("cache table", Self::table_bytes(most_entries))?;
        Ok(Self {
            table: Table::new(budget.limit(), most_entries),
            _table_lease: lease,
            budget,
            loader,
            squeezing: Mutex::new(()),
            hits: AtomicU64::new(0),
            loads: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        })
    }

    /// Bytes of the table of a cache of `most_entries` entries.
    pub const fn table_bytes(most_entries: usize) -> usize {
        Table::<'static, K>::bytes(most_entries)
    }

    /// Bytes that an entry takes beside its content.
    pub const ENTRY_BYTES: usize = Entry::BESIDE_BYTES;

    /// The content of `key`, from memory or from the loader. Waits while another thread loads the same key.
    ///
    /// # Errors
    /// [`CacheError`]: no memory, even after evicting all that nobody holds; or the loader's.
    pub fn get(&self, key: &K) -> Result<Arc<Entry<'b>>, CacheError<L::Error>> {
        match self.table.find(key) {
            Found::Entry(entry) => {
                self.hits.fetch_add(1, Relaxed);
                Ok(entry)
            }
            // Dropped without an entry, the place goes to the next one who waits for the key.
            Found::Place(place) => {
                let entry = Arc::new(self.load(key)?);
                place.fill(&entry);
                Ok(entry)
            }
        }
    }

    /// Whether `key` is in memory.
    pub fn contains(&self, key: &K) -> bool {
        self.table.contains(key)
    }

    /// Evicts entries that nobody holds until at least `bytes` more are free in the budget, or none are left.
    /// For other consumers of the same budget.
    pub fn give_back(&self, bytes: usize) {
        self.squeeze(bytes);
    }

    /// What it has done so far.
    pub fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.load(Relaxed),
            loads: self.loads.load(Relaxed),
            refused: self.refused.load(Relaxed),
        }
    }

    /// The budget it lives in.
    pub fn budget(&self) -> &'b SharedBudget {
        self.budget
    }

    fn load(&self, key: &K) -> Result<Entry<'b>, CacheError<L::Error>> {
        let need = self.loader.need(key).map_err(CacheError::Load)?;
        let entry_bytes = need.content_bytes.saturating_add(Entry::BESIDE_BYTES);
        let all_bytes = entry_bytes.saturating_add(need.scratch_bytes);
        // One lease for all of it: two loads cannot each hold half of what they need. It is taken before, and given
        // back after, the memory itself.
        let mut lease = self.lease(all_bytes).map_err(|exhausted| self.refuse(exhausted))?;
        let mut content =
            zeroed("cache entry", need.content_bytes).map_err(|exhausted| self.refuse(exhausted))?;
        let mut scratch =
            zeroed("cache loader", need.scratch_bytes).map_err(|exhausted| self.refuse(exhausted))?;
        self.loads.fetch_add(1, Relaxed);
        let len = self.loader.load_into(key, &mut content, &mut scratch).map_err(CacheError::Load)?;
        drop(scratch);
        lease.shrink_to(entry_bytes);
        Ok(Entry::new(content, len, lease))
    }

    fn refuse(&self, exhausted: Exhausted) -> CacheError<L::Error> {
        self.refused.fetch_add(1, Relaxed);
        CacheError::Memory(exhausted)
    }

    fn lease(&self, bytes: usize) -> Result<SharedLease<'b>, Exhausted> {
        loop {
            match self.budget.lease("cache entry", bytes) {
                Ok(lease) => return Ok(lease),
                Err(exhausted) if bytes > self.budget.limit() => return Err(exhausted),
                Err(exhausted) => {
                    let missing = bytes.saturating_sub(exhausted.available);
                    if !self.squeeze(missing) {
                        return Err(exhausted);
                    }
                }
            }
        }
    }

    /// Evicts at least `bytes` of entries that nobody holds; false if there was nothing to evict.
    fn squeeze(&self, bytes: usize) -> bool {
        let _alone = self.squeezing.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.table.evict(bytes)
    }
}
