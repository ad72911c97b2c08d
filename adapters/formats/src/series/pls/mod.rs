//! `.pls` files: a head, blocks, and an index if the writer came to its end.
//!
//! ```text
//!  head | block | block | ... | head | block | ... | index
//! ```
//!
//! * A head says how the points behind it are written as text ([`Schema`](super::Schema)); it comes again where that
//!   changes, so files can simply be put one behind the other.
//! * Blocks are core's (`core/src/series/FORMAT.md`): each decodes alone, so a damaged one costs its own points, and a
//!   reader finds the next one by its sync mark and checks.
//! * The index is a shortcut only: which times are where, at most [`MOST_ENTRIES`] runs of blocks. Appending removes it
//!   and finishing writes it anew.
//!
//! All numbers are little-endian.
//!
//! | part | bytes |
//! |---|---|
//! | head | `89 'P' 'L' 'S' 0D 0A 1A 0A`; u16 version 1; u16 length of the words; the words (UTF-8, [`Schema::to_words`](super::Schema::to_words)); u32 CRC-32C of all before |
//! | block | begins with `D3 9C`, see `FORMAT.md` |
//! | index | `89 'P' 'L' 'X' 0D 0A 1A 0A`; u32 number of entries; the entries; u32 CRC-32C of all before; u64 offset of the index; `89 'P' 'L' 'E'` |
//! | entry | u64 offset of the run's first block; u64 offset of its head; u64 points; i64 least and i64 largest timestamp |

mod index;
mod layout;
mod points;
mod scan;
mod writer;

pub use index::{Entry, Index, MOST_ENTRIES};
pub use points::{Damaged, PlsEvent, PlsPoints, PlsWanted, TimeRange};
pub use scan::{Input as PlsInput, Item as PlsItem, SCAN_BYTES, Scanner, Seeking, Streaming};
pub use writer::{PlsOptions, PlsWriter, Written, resume_at};
