//! What `--within` means for series: buffers as large as the budget allows, or a refusal that says what would do.
//!
//! The result does not depend on it: only how much is read and written at a time.

use crate::failure::Failure;
use crate::job::{Budgeted, HEAP_BASE_BYTES, START_BYTES, Settings};
use crate::size::{Bytes, Within};

/// Sizes of buffers, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Buffers {
    /// The beginning of a text, on which its form is found.
    pub look: usize,
    /// Text read at a time.
    pub input: usize,
    /// The longest line.
    pub record: usize,
    /// Output written at a time.
    pub output: usize,
}

const SIZES: [Buffers; 4] = [
    Buffers { look: 64 << 10, input: 256 << 10, record: 64 << 10, output: 256 << 10 },
    Buffers { look: 32 << 10, input: 64 << 10, record: 64 << 10, output: 64 << 10 },
    Buffers { look: 16 << 10, input: 16 << 10, record: 16 << 10, output: 16 << 10 },
    Buffers { look: 4 << 10, input: 4 << 10, record: 4 << 10, output: 4 << 10 },
];

/// The largest buffers whose command stays within the budget: `heap` says what it takes with them beside what every
/// command does.
pub(super) fn buffers(within: Option<Within>, heap: impl Fn(&Buffers) -> usize) -> Result<Buffers, Failure> {
    let budget = Budgeted::resolve(&Settings { within, ..Settings::default() });
    let peak = |buffers: &Buffers| START_BYTES + HEAP_BASE_BYTES + heap(buffers) as u64;
    if let Some(buffers) = SIZES.iter().find(|buffers| peak(buffers) <= budget.bytes) {
        tracing::info!("planned peak {} of {}", Bytes(peak(buffers)), Bytes(budget.bytes));
        return Ok(*buffers);
    }
    let least = peak(&SIZES[SIZES.len() - 1]);
    Err(Failure::Refused(format!(
        "it needs {least} bytes ({} of them for the program itself), the budget is {} bytes ({}); --within {}KiB is enough",
        START_BYTES + HEAP_BASE_BYTES,
        budget.bytes,
        budget.reason,
        least.div_ceil(1024)
    )))
}
