//! What there is to be had, and the budget where the user names none: half of it.

use super::{Container, Probe};

/// What there is where nothing says how much that is.
const UNKNOWN_BYTES: u64 = 512 << 20;

/// Memory that this process could have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Available {
    /// In bytes.
    pub bytes: u64,
    /// Who says so, in one line.
    pub reason: String,
}

impl Probe {
    /// What the container has left below its limit, or what the machine has available, if that is less.
    pub fn available(&self) -> Available {
        let machine = self.available_bytes();
        let container = self.container();
        let narrower = container.filter(|it| machine.is_none_or(|bytes| it.available_bytes <= bytes));
        if let Some(Container { limit_bytes, available_bytes, source }) = narrower {
            let file = source.display();
            let reason =
                format!("the {available_bytes} bytes left in the container ({limit_bytes} in {file})");
            return Available { bytes: available_bytes, reason };
        }
        match machine {
            Some(bytes) => Available {
                bytes,
                reason: format!("the {bytes} bytes available on this machine (MemAvailable)"),
            },
            None => {
                let reason = format!(
                    "{UNKNOWN_BYTES} bytes: neither container nor machine says how much memory there is"
                );
                Available { bytes: UNKNOWN_BYTES, reason }
            }
        }
    }

    /// The budget that nobody asked for: half of what is [available](Probe::available).
    pub fn default_budget_bytes(&self) -> u64 {
        self.available().bytes / 2
    }
}
