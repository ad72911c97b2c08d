//! What `--within` comes to on this machine.

use super::settings::Settings;
use crate::size::Within;
use plimsoll_os::probe::Probe;

/// A budget in bytes and where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgeted {
    /// Peak resident bytes of the whole process.
    pub bytes: u64,
    /// Where the figure comes from, in a few words.
    pub reason: String,
}

impl Budgeted {
    /// The budget that the settings mean here and now.
    pub fn resolve(settings: &Settings) -> Self {
        let share = match settings.within {
            Some(Within::Bytes(bytes)) => {
                let place = settings.layers.place_of("within").unwrap_or("--within");
                return Self { bytes, reason: place.to_owned() };
            }
            Some(Within::Share(share)) => share,
            None => 0.5,
        };
        let there = Probe::system().available();
        let bytes = (there.bytes as f64 * share) as u64;
        let place = settings.layers.place_of("within").map_or_else(String::new, |place| format!(", {place}"));
        Self { bytes, reason: format!("{} % of {}{place}", share * 100.0, there.reason) }
    }
}
