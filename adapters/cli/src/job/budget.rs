//! What `--within` comes to on this machine.

use super::settings::Settings;
use crate::failure::Failure;
use crate::size::Within;
use plimsoll_os::probe::{self, Probe};

/// A budget in bytes and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budgeted {
    /// Peak resident bytes of the whole process.
    pub bytes: u64,
    /// Where the figure comes from, in a few words.
    pub reason: String,
}

impl Budgeted {
    /// The budget that the settings mean here and now.
    ///
    /// # Errors
    /// [`Failure::Usage`] if it depends on how much memory there is and nobody says how much that is.
    pub fn resolve(settings: &Settings) -> Result<Self, Failure> {
        if let Some(Within::Bytes(bytes)) = settings.within {
            return Ok(Self { bytes, reason: "--within".to_owned() });
        }
        let share = match settings.within {
            Some(Within::Share(share)) => share,
            _ => 0.5,
        };
        let Some(there) = probe::available(&Probe::new()) else {
            let line = "this machine does not say how much memory it has: name a budget, for example --within 64MiB";
            return Err(Failure::Usage(line.to_owned()));
        };
        let bytes = (there.bytes as f64 * share) as u64;
        Ok(Self { bytes, reason: format!("{:.0} % of {}", share * 100.0, there.reason) })
    }
}
