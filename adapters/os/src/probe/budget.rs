//! The budget where the user names none: half of what is really there.

use super::{Container, Probe};

/// The budget where nothing says how much memory there is.
const UNKNOWN_BYTES: u64 = 256 << 20;

/// A budget nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetDefault {
    /// The budget in bytes.
    pub bytes: u64,
    /// Where it comes from, in one line.
    pub reason: String,
}

impl Probe {
    /// Half of what the container has left below its limit, or of what the machine has available, if that is less.
    pub fn default_budget(&self) -> BudgetDefault {
        let machine = self.available_bytes();
        let container = self.container();
        let narrower = container.filter(|it| machine.is_none_or(|bytes| it.available_bytes <= bytes));
        if let Some(Container { limit_bytes, available_bytes, source }) = narrower {
            let file = source.display();
            let reason = format!(
                "half of the {available_bytes} bytes left in the container ({limit_bytes} in {file})"
            );
            return BudgetDefault { bytes: available_bytes / 2, reason };
        }
        match machine {
            Some(bytes) => {
                let reason = format!("half of the {bytes} bytes available on this machine (MemAvailable)");
                BudgetDefault { bytes: bytes / 2, reason }
            }
            None => {
                let reason = "neither container nor machine says how much memory there is".into();
                BudgetDefault { bytes: UNKNOWN_BYTES, reason }
            }
        }
    }
}
