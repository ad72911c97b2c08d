//! Profiles: named sets of settings. Four are built in, for those who come from the configurations that a batch
//! converter of scans recommends by the memory of the machine.

use super::key::{Setting, Value};
use super::layers::{Entry, Layer};
use crate::size::Within;

/// Name, limit in mebibytes, pixels of a strip. The last two are that program's defaults: no other limit of pixels for
/// the third, neither limit for the fourth.
const BUILT_IN: [(&str, u64, u64); 4] = [
    ("jp2-4g", 1536, 250_000),
    ("jp2-8g", 4096, 500_000),
    ("jp2-16g", 8192, 1_000_000),
    ("jp2-32g", 4096, 1_000_000),
];

/// The names of those that are built in.
pub(super) fn names<'n>() -> impl Iterator<Item = &'n str> {
    BUILT_IN.iter().map(|(name, ..)| *name)
}

/// A built-in profile.
pub(super) fn built_in(name: &str) -> Option<Layer> {
    let (name, mebibytes, pixels) = BUILT_IN.into_iter().find(|(built_in, ..)| *built_in == name)?;
    let entry = |setting, value| Entry { setting, value, from: format!("profile {name}") };
    let within = Value::Within(Within::Bytes(mebibytes << 20));
    let entries = vec![entry(Setting::Within, within), entry(Setting::StripPixels, Value::Count(pixels))];
    Some(Layer { kind: "profile", entries })
}
