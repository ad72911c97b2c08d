//! Rules by size: what pictures of more than so many pixels are held to.

use super::key::{Setting, Value};
use crate::size::Within;

/// What pictures of more than `over_pixels` pixels are held to, beside what all are: the lower figure counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// Pictures with more pixels than this are meant; one with exactly as many is not.
    pub over_pixels: u64,
    /// The file that it stands in.
    pub from: String,
    /// Peak resident memory.
    pub within: Option<Within>,
    /// The most rows of a strip.
    pub strip_rows: Option<u32>,
    /// The most input pixels of a strip.
    pub strip_pixels: Option<u64>,
    /// The most workers.
    pub workers: Option<u32>,
}

impl Rule {
    /// What a rule can be about, beside `over_pixels`.
    pub(super) const SETTINGS: [Setting; 4] =
        [Setting::Within, Setting::StripPixels, Setting::StripRows, Setting::Workers];

    pub(super) fn set(&mut self, setting: Setting, value: &Value) {
        match (setting, value) {
            (Setting::Within, Value::Within(within)) => self.within = Some(*within),
            (Setting::StripPixels, Value::Count(pixels)) => self.strip_pixels = Some(*pixels),
            (Setting::StripRows, Value::Count(rows)) => self.strip_rows = u32::try_from(*rows).ok(),
            (Setting::Workers, Value::Count(workers)) => self.workers = u32::try_from(*workers).ok(),
            _ => {}
        }
    }

    /// Takes back what a higher layer decides.
    pub(super) fn unset(&mut self, setting: Setting) {
        match setting {
            Setting::Within => self.within = None,
            Setting::StripPixels => self.strip_pixels = None,
            Setting::StripRows => self.strip_rows = None,
            Setting::Workers => self.workers = None,
            _ => {}
        }
    }
}
